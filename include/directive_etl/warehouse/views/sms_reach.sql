-- One row per campaign and day: distinct subscribers reached to date, across operators. Read by: dashboard "SMS".
-- days_since_last_wave is NULL before the first wave; reach_pct compares with a number of subscribers that may be assumed.
select r.campaign_code, r.report_date, r.reached_subscriber_count, c.subscriber_count,
       round(100.0 * r.reached_subscriber_count / nullif(c.subscriber_count, 0), 2) as reach_pct,
       r.report_date - (
           select max(w.report_date)
           from (
               select s.report_date
               from core.daily_sms s
               where s.campaign_code = r.campaign_code and s.report_date <= r.report_date
               group by s.report_date
               having sum(s.message_count) >= c.wave_min_messages
           ) w
       ) as days_since_last_wave
from core.sms_reach r
join core.campaign c using (campaign_code)
