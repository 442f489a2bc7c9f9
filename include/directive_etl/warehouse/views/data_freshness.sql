-- One row per source: the latest day for which all its parts are in, and when the next is expected. Read by: the engineers.
-- The only view that reads the clock: whether a source is stale depends on when one asks.
with complete_day as (
    select 'sms_log' as source_code, report_date
    from ops.load_batch
    where source_code = 'sms_log' and status_code = 'loaded'
    group by report_date
    having count(distinct part_code) = (select count(*) from core.operator)
    union all
    select 'service_portal', report_date
    from core.portal_pull
    group by report_date
    having count(*) = (select count(*) from core.portal_system)
    union all
    select 'unit_report', report_date from ops.publication
),
latest as (
    select s.source_code, max(c.report_date) as latest_complete_date
    from (values ('sms_log'), ('service_portal'), ('unit_report')) s (source_code)
    left join complete_day c using (source_code)
    group by s.source_code
)
select l.source_code, l.latest_complete_date,
       (select max(b.recorded_at) from ops.load_batch b where b.source_code = l.source_code) as last_loaded_at,
       (l.latest_complete_date + 2 + time '08:00') at time zone 'Asia/Ho_Chi_Minh' as expected_by,
       coalesce(now() > (l.latest_complete_date + 2 + time '08:00') at time zone 'Asia/Ho_Chi_Minh', true) as is_stale
from latest l
