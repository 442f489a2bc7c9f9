"""What the counted figures of a drop day must be like; that every message has one state, load.py checks.

Each of these rules costs as much as a small count, so one is not said in several.
"""

import great_expectations.expectations as gxe

from directive_etl.quality.suites import CRITICAL, WARNING

RULES = [
    gxe.ExpectCompoundColumnsToBeUnique(
        column_list=["report_date", "operator_code", "campaign_code"],
        severity=CRITICAL,
        notes="one row per day, operator and campaign",
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="message_count",
        column_B="recipient_count",
        or_equal=True,
        severity=CRITICAL,
        notes="a message has one recipient",
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="segment_count",
        column_B="message_count",
        or_equal=True,
        severity=CRITICAL,
        notes="a message has at least one segment",
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="recipient_count",
        column_B="delivered_recipient_count",
        or_equal=True,
        severity=CRITICAL,
        notes="who was reached was written to",
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="latency_p50_seconds",
        min_value=-60,
        max_value=259_200,
        severity=WARNING,
        notes="receipts are awaited for three days; well below zero means that two clocks disagree",
    ),
]
