-- One row per unit, day and figure that the unit reported of its dossiers, beside what the portals show. Read by: steering office, page "Quality".
-- A dossier that two systems show is in both of their counts. is_within_tolerance FALSE is a warning: one of the two witnesses is wrong. No row while the unit has not reported or the day was not pulled.
select o.unit_code, u.name_vi as unit_name, o.figure_date as report_date, w.measure_code, o.value as reported_count,
       p.portal_count, o.value - p.portal_count as difference_count, p.tolerance_count,
       abs(o.value - p.portal_count) <= p.tolerance_count as is_within_tolerance
from core.dossier_witness w
join core.observation o using (measure_code)
join core.unit u on u.unit_code = o.unit_code and o.figure_date >= u.valid_from
    and (u.valid_to is null or o.figure_date <= u.valid_to)
cross join lateral (
    select s.portal_count,
           greatest(w.tolerance_count, ceil(s.portal_count * w.tolerance_pct / 100))::bigint as tolerance_count
    from (
        select coalesce(sum(case w.portal_count when 'received_count' then d.received_count
                                                when 'received_online_count' then d.received_online_count
                                                when 'processed_count' then d.processed_count
                                                when 'returned_count' then d.returned_count end), 0)::bigint as portal_count
        from core.daily_portal_dossier d
        where d.unit_code = o.unit_code and d.report_date = o.figure_date
    ) s
) p
where o.source_code = 'unit_report' and o.superseded_at is null and o.value is not null
  and exists (select from core.portal_pull q where q.report_date = o.figure_date)
