-- Progress of one day, as it could be known at one moment and as the warehouse believed it at another.
-- The one implementation of docs/progress.md: the daily progress table and the two reporting functions all call it.
-- One row per indicator and unit. It reads no clock: both moments are arguments, 'infinity' means all that is recorded.
create or replace function core.progress_at(known_as_of timestamptz, recorded_as_of timestamptz, for_date date)
returns table (
    directive_code text, indicator_code text, unit_code text, report_date date,
    numerator numeric, denominator numeric, actual_value numeric, target_value numeric, is_target_assumed boolean,
    progress_pct numeric, status_code text, obs_status text, due_date date, days_overdue integer, is_late boolean,
    revision_count integer, recorded_at timestamptz
)
language sql stable
set search_path = ''
as $$
with recursive
unit_today as (
    select u.unit_code, u.unit_type, u.parent_unit_code
    from core.unit u
    where u.valid_from <= for_date and (u.valid_to is null or u.valid_to >= for_date)
),
indicator_today as (
    select i.*, d.issued_on, d.active_from
    from core.indicator i
    join core.directive d using (directive_code)
    where d.active_from <= for_date and (d.active_to is null or d.active_to >= for_date)
),
revision as (  -- of several rows with one known_at, the one recorded last is what was known then
    select distinct on (o.unit_code, o.measure_code, o.category_code, o.known_at)
           o.unit_code, o.measure_code, o.category_code, o.source_code, o.known_at, o.recorded_at, o.value, o.obs_status
    from core.observation o
    where o.figure_date = for_date and o.known_at <= known_as_of and o.recorded_at <= recorded_as_of
    order by o.unit_code, o.measure_code, o.category_code, o.known_at, o.recorded_at desc, o.observation_id desc
),
numbered_revision as (
    select r.*,
           row_number() over newest_first as age,
           count(r.value) over oldest_first as values_so_far,
           (r.value is distinct from lag(r.value) over oldest_first)::integer as is_change
    from revision r
    window oldest_first as (partition by r.unit_code, r.measure_code, r.category_code order by r.known_at),
           newest_first as (partition by r.unit_code, r.measure_code, r.category_code order by r.known_at desc)
),
figure as (  -- what is current at the two moments; blanks before the first value say nothing
    select n.unit_code, n.measure_code, n.category_code, n.source_code,
           max(n.value) filter (where n.age = 1) as value,
           max(n.obs_status) filter (where n.age = 1) as obs_status,
           max(n.recorded_at) filter (where n.age = 1) as recorded_at,
           min(n.known_at) as first_known_at,
           sum(n.is_change)::integer - 1 as change_count
    from numbered_revision n
    where n.values_so_far > 0
    group by n.unit_code, n.measure_code, n.category_code, n.source_code
),
contributor as (
    select i.directive_code, i.indicator_code, u.unit_code, e.due_at as report_due_at,
           i.source_code in ('sms_log', 'service_portal') or coalesce(e.is_expected, false) as owes
    from indicator_today i
    join unit_today u on u.unit_type = any (i.measured_unit_types) or u.unit_code = any (i.measured_units)
    left join ops.expected_report e
           on e.directive_code = i.directive_code and e.unit_code = u.unit_code and e.report_date = for_date
),
wanted as (  -- each measure that a contributor owes to an indicator, once
    select c.directive_code, c.indicator_code, c.unit_code, c.report_due_at, m.measure_code,
           i.numerator_measure, i.numerator_categories, i.denominator_measure, i.denominator_categories
    from contributor c
    join indicator_today i using (directive_code, indicator_code)
    cross join lateral (select i.numerator_measure union select i.denominator_measure) m (measure_code)
    where c.owes
),
input as (
    select w.directive_code, w.indicator_code, w.unit_code, f.value, f.obs_status, f.recorded_at, f.change_count,
           f.measure_code = w.numerator_measure
               and (w.numerator_categories is null or f.category_code = any (w.numerator_categories)) as is_numerator,
           f.measure_code = w.denominator_measure
               and (w.denominator_categories is null or f.category_code = any (w.denominator_categories)) as is_denominator,
           f.first_known_at > case f.source_code
               when 'unit_report' then w.report_due_at
               when 'pipeline' then 'infinity'::timestamptz
               else (for_date + 1 + time '08:00') at time zone 'Asia/Ho_Chi_Minh'
           end as is_late
    from wanted w
    join figure f using (unit_code, measure_code)
    where f.value is not null
      -- what the pipeline notes about reports is noted per directive
      and (f.source_code <> 'pipeline' or f.category_code = w.directive_code)
),
contribution as (  -- one row per contributor that reported
    select n.directive_code, n.indicator_code, n.unit_code,
           sum(n.value) filter (where n.is_numerator) as numerator,
           sum(n.value) filter (where n.is_denominator) as denominator,
           bool_or(n.obs_status = 'P') as is_provisional,
           bool_or(n.is_late) as is_late,
           max(n.change_count) as revision_count,
           max(n.recorded_at) as recorded_at
    from input n
    join core.indicator i using (directive_code, indicator_code)
    where n.is_numerator or n.is_denominator
    group by n.directive_code, n.indicator_code, n.unit_code, i.denominator_measure
    having count(*) filter (where n.is_numerator) > 0
       and (i.denominator_measure is null or count(*) filter (where n.is_denominator) > 0)
),
last_day_above_zero as (  -- for days_since: looks back over the revisions current at the two moments
    select past.directive_code, past.indicator_code, past.unit_code, max(past.figure_date) as figure_date
    from (
        select distinct on (c.directive_code, c.indicator_code, o.unit_code, o.figure_date, o.category_code)
               c.directive_code, c.indicator_code, o.unit_code, o.figure_date, o.value
        from indicator_today i
        join contributor c using (directive_code, indicator_code)
        join core.observation o on o.unit_code = c.unit_code and o.measure_code = i.numerator_measure
        where i.calculation = 'days_since'
          and (i.numerator_categories is null or o.category_code = any (i.numerator_categories))
          and o.figure_date between i.active_from and for_date
          and o.known_at <= known_as_of and o.recorded_at <= recorded_as_of
        order by c.directive_code, c.indicator_code, o.unit_code, o.figure_date, o.category_code,
                 o.known_at desc, o.recorded_at desc, o.observation_id desc
    ) past
    where past.value > 0
    group by past.directive_code, past.indicator_code, past.unit_code
),
at_or_above as (  -- each contributor with itself and every ancestor
    select c.directive_code, c.indicator_code, c.unit_code as contributor_code, c.unit_code
    from contributor c
    union
    select a.directive_code, a.indicator_code, a.contributor_code, u.parent_unit_code
    from at_or_above a
    join unit_today u using (unit_code)
    where u.parent_unit_code is not null
),
progress_row as (
    select a.directive_code, a.indicator_code, a.unit_code, a.contributor_code from at_or_above a
    union
    select i.directive_code, i.indicator_code, u.unit_code, null
    from indicator_today i
    join unit_today u on u.unit_type = any (i.responsible_unit_types) or u.unit_code = any (i.responsible_units)
),
summed as (
    select p.directive_code, p.indicator_code, p.unit_code, u.unit_type,
           count(*) filter (where c.owes) as owing_count,
           count(x.numerator) as reported_count,
           sum(x.numerator) as numerator,
           sum(x.denominator) as denominator,
           max(l.figure_date) as last_day,
           coalesce(bool_or(x.is_provisional), false) as is_provisional,
           coalesce(bool_or(x.is_late), false) as is_late,
           coalesce(sum(x.revision_count), 0)::integer as revision_count,
           max(x.recorded_at) as recorded_at
    from progress_row p
    join unit_today u using (unit_code)
    left join contributor c
           on c.directive_code = p.directive_code and c.indicator_code = p.indicator_code
          and c.unit_code = p.contributor_code
    left join contribution x
           on x.directive_code = p.directive_code and x.indicator_code = p.indicator_code
          and x.unit_code = p.contributor_code
    left join last_day_above_zero l
           on l.directive_code = p.directive_code and l.indicator_code = p.indicator_code
          and l.unit_code = p.contributor_code
    group by p.directive_code, p.indicator_code, p.unit_code, u.unit_type
),
valued as (
    select s.directive_code, s.indicator_code, s.unit_code, s.unit_type, i.calculation, i.direction,
           s.owing_count, s.reported_count, s.is_provisional, s.is_late, s.revision_count, s.recorded_at,
           case when s.reported_count > 0 then
               case i.calculation when 'days_since' then for_date - coalesce(s.last_day, i.issued_on) else s.numerator end
           end as numerator,
           case when s.reported_count > 0 then
               case i.calculation when 'ratio_pct' then s.denominator when 'per_unit_day' then s.reported_count end
           end as denominator
    from summed s
    join indicator_today i using (directive_code, indicator_code)
),
targeted as (
    select v.*, t.due_date, t.is_assumed, t.valid_from,
           case when v.calculation = 'count' then t.target_value * v.owing_count else t.target_value end as target_value,
           -- comparisons are made on exact products: reached / base is the value, target x base what reached must be
           case when v.calculation = 'ratio_pct' then 100 * v.numerator else v.numerator end as reached,
           coalesce(v.denominator, 1) as base
    from valued v
    left join lateral (
        select x.* from core.indicator_target x
        where x.directive_code = v.directive_code and x.indicator_code = v.indicator_code
          and x.valid_from <= for_date and (x.valid_to is null or x.valid_to >= for_date)
          and (x.unit_types is null or v.unit_type = any (x.unit_types))
        order by (x.unit_types is null), x.target_number
        limit 1
    ) t on true
),
judged as (
    select t.*,
           case when t.base <> 0 then t.reached / t.base end as actual,
           case t.direction
               when 'up' then t.reached >= t.target_value * t.base
               else t.reached <= t.target_value * t.base
           end as is_achieved,
           t.direction = 'up' and t.due_date is not null and t.reached * planned.days >= t.target_value * t.base * elapsed.days
               as is_on_track,
           past_due.days as days_past_due
    from targeted t
    cross join lateral (
        select count(*) as days from core.calendar_day c
        where c.is_working_day and c.calendar_date between t.valid_from and t.due_date
    ) planned
    cross join lateral (
        select count(*) as days from core.calendar_day c
        where c.is_working_day and c.calendar_date between t.valid_from and for_date
    ) elapsed
    cross join lateral (
        select count(*)::integer as days from core.calendar_day c
        where c.is_working_day and c.calendar_date > t.due_date and c.calendar_date <= for_date
    ) past_due
),
status as (
    select j.*,
           case
               when j.owing_count = 0 then 'not_due'
               when j.reported_count = 0 then 'not_reported'
               when j.actual is null or j.target_value is null then 'not_due'
               when j.is_achieved then 'achieved'
               when j.due_date < for_date then 'overdue'
               when j.is_on_track then 'on_track'
               else 'behind'
           end as status_code
    from judged j
)
select s.directive_code, s.indicator_code, s.unit_code, for_date,
       s.numerator, s.denominator, round(s.actual, 2), s.target_value, s.is_assumed,
       case
           when s.actual is null or s.target_value is null then null
           when s.direction = 'up' then
               case when s.target_value = 0 then 100 else round(100 * s.reached / (s.target_value * s.base), 2) end
           when s.is_achieved then 100
           else round(100 * s.target_value * s.base / s.reached, 2)
       end,
       s.status_code,
       case
           when s.actual is null then 'M'
           when s.is_provisional or s.reported_count < s.owing_count then 'P'
           else 'A'
       end,
       s.due_date,
       case when s.status_code = 'overdue' then s.days_past_due else 0 end,
       s.is_late, s.revision_count, s.recorded_at
from status s
$$;
