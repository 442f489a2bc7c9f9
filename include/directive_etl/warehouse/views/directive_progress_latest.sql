-- One row per directive, clause, indicator and unit: its latest day on which something was due, else its latest day.
-- Read by: the steering office's front page. NULLs as in directive_progress_daily.
select distinct on (p.directive_number, p.indicator_code, p.unit_code) p.*
from reporting.directive_progress_daily p
order by p.directive_number, p.indicator_code, p.unit_code, (p.status_code = 'not_due'), p.report_date desc
