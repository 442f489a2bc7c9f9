"""The measures that the pipeline itself counts: a directive may use them, and cannot have others counted.

Only `unit_report` is open: whatever measure a directive declares for it goes on the units' form.
"""

# By source: each measure, and the list it is split by.
COUNTED_MEASURES: dict[str, dict[str, str | None]] = {
    "service_portal": dict.fromkeys(
        (
            "eligible_received_count",
            "eligible_received_online_count",
            "processed_count",
            "processed_in_time_count",
            "processed_to_date_count",
            "returned_to_date_count",
            "in_process_overdue_count",
        ),
        "system",
    ),
    "sms_log": {
        "sms_message_count": "operator",
        "sms_delivered_count": "operator",
        "sms_reached_subscriber_count": "campaign",
        "sms_subscriber_count": "campaign",
        "sms_wave_count": "campaign",
    },
    "pipeline": dict.fromkeys(
        (
            "report_expected_count",
            "report_on_time_count",
            "report_figure_owed_count",
            "report_figure_filled_count",
        )
    ),
}
