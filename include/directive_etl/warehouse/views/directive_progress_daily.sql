-- One row per directive, clause, indicator, unit and day. Read by: dashboards, the official report, the web pages.
-- actual_value is NULL when nothing was reported or there was nothing to measure, which is not 0. Rules: docs/progress.md.
select d.directive_number, i.clause_code, p.indicator_code, i.name_vi as indicator_name_vi, i.name_en as indicator_name_en,
       p.unit_code, u.name_vi as unit_name, u.unit_type, u.parent_unit_code, p.report_date,
       p.numerator, p.denominator, p.actual_value, p.target_value, p.is_target_assumed, p.progress_pct,
       p.status_code, p.obs_status, p.due_date, p.days_overdue, p.is_late, p.revision_count, p.recorded_at
from core.daily_progress p
join core.directive d using (directive_code)
join core.indicator i using (directive_code, indicator_code)
join core.unit u on u.unit_code = p.unit_code
 and u.valid_from <= p.report_date and (u.valid_to is null or u.valid_to >= p.report_date)
