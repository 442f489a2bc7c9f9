-- One row per unit and day: did its report come, and when. Read by: dashboard "Reports", the reminder to units.
-- A unit is `missing` only once its day is closed; before, a unit that sent nothing has no row. due_at is NULL when none is expected.
with report as (
    select part_code as unit_code, report_date,
           min(known_at) filter (where status_code = 'loaded') as received_at,
           count(*) filter (where status_code = 'loaded' and loaded_count > 0) as changing_count,
           sum(critical_failed_count) as error_count,
           coalesce(sum(warning_failed_count) filter (where status_code = 'loaded'), 0) as warning_count
    from ops.load_batch
    where source_code = 'unit_report' and status_code <> 'duplicate'
    group by part_code, report_date
),
expectation as (
    select unit_code, report_date, bool_or(is_expected) as is_expected, min(due_at) as due_at
    from ops.expected_report
    group by unit_code, report_date
)
select e.unit_code, e.report_date, e.is_expected, e.due_at, r.received_at,
       case
           when r.received_at <= e.due_at then 'on_time'
           when r.received_at > e.due_at then 'late'
           when not e.is_expected then 'not_expected'
           when r.unit_code is not null then 'refused'
           else 'missing'
       end as status_code,
       greatest(coalesce(r.changing_count, 0) - 1, 0)::integer as revision_count,
       coalesce(r.error_count, 0)::integer as error_count,
       coalesce(r.warning_count, 0)::integer as warning_count
from expectation e
left join report r using (unit_code, report_date)
where r.unit_code is not null
   or not e.is_expected
   or exists (select from ops.publication p where p.report_date = e.report_date)
