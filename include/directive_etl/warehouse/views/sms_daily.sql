-- One row per day, operator and campaign (`-`: messages of no campaign). Read by: dashboard "SMS", the operators' talks.
-- delivered_pct is NULL when nothing was sent; the latencies are NULL when nothing was delivered.
select report_date, operator_code, campaign_code, message_count, segment_count, delivered_count, failed_count,
       expired_count, rejected_count, pending_count, unknown_count, recipient_count, delivered_recipient_count,
       round(100.0 * delivered_count / nullif(message_count, 0), 2) as delivered_pct,
       latency_p50_seconds, latency_p95_seconds, maturity
from core.daily_sms
