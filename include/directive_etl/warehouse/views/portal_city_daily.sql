-- One row per pulled day: all dossiers of the city. Read by: dashboard "Online services".
-- A dossier that several systems show is counted once, by its code, as the system that changed it last shows it; portal_daily counts it in each. Ask for single days: every row is counted when it is asked for.
with last_telling as (
    select distinct on (system_code, dossier_key) system_code, dossier_key, is_withdrawn
    from core.portal_dossier_version
    order by system_code, dossier_key, known_at desc
), standing as (
    select v.*
    from core.portal_dossier_version v
    join last_telling l using (system_code, dossier_key)
    where not l.is_withdrawn and not v.is_withdrawn and v.status_code <> 1 and v.received_date is not null
), pulled as (
    select distinct report_date from core.portal_pull
), state as (
    select p.report_date, s.*,
           case when s.status_code in (3, 7, 8, 9, 10) then s.finished_date end as closed_date,
           s.status_code in (5, 6) as is_paused
    from pulled p
    cross join lateral (
        select distinct on (v.dossier_key) v.*, count(*) over (partition by v.dossier_key) as system_count
        from (
            select distinct on (x.system_code, x.dossier_key) x.*
            from standing x
            where x.changed_at < (p.report_date + 1)::timestamp at time zone 'Asia/Ho_Chi_Minh'
            order by x.system_code, x.dossier_key, x.changed_at desc, x.known_at desc
        ) v
        order by v.dossier_key, v.changed_at desc, v.known_at desc, v.system_code
    ) s
), flagged as (
    select *, received_date < report_date and coalesce(closed_date >= report_date, true) as is_carried_over,
           received_date <= report_date and closed_date = report_date as is_processed,
           received_date <= report_date and coalesce(closed_date > report_date, true) as is_open
    from state
)
select report_date,
       count(*) filter (where received_date = report_date) as received_count,
       count(*) filter (where received_date = report_date and channel_code = 2) as received_online_count,
       count(*) filter (where received_date = report_date and channel_code = 1) as received_in_person_count,
       count(*) filter (where received_date = report_date and channel_code = 3) as received_post_count,
       count(*) filter (where is_carried_over) as carried_over_count,
       count(*) filter (where is_processed) as processed_count,
       count(*) filter (where is_processed and finished_date < due_date) as processed_early_count,
       count(*) filter (where is_processed and coalesce(finished_date = due_date, true)) as processed_on_time_count,
       count(*) filter (where is_processed and finished_date > due_date) as processed_late_count,
       count(*) filter (where is_open and not is_paused) as in_process_count,
       count(*) filter (where is_open and not is_paused and due_date < report_date) as in_process_overdue_count,
       count(*) filter (where is_open and is_paused) as paused_count,
       count(*) filter (where returned_date = report_date) as returned_count,
       count(*) filter (where system_count > 1) as shared_dossier_count
from flagged
group by report_date
