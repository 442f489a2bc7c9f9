"""The declared suite of one pull's versions, as `read_pages` gives them.

Keys, nulls and codes are the table's; what makes a single record unusable is refused when read (faults.py).
Here stands what only the set can say, and what is odd but may be true.
"""

from great_expectations import expectations as gxe

from directive_etl.quality.suites import CRITICAL, WARNING

RULES = [
    gxe.ExpectCompoundColumnsToBeUnique(
        column_list=["system_code", "dossier_key", "changed_at"],
        severity=CRITICAL,
        notes="one change of a dossier told in two ways would be counted by chance",
    ),
    gxe.ExpectTableRowCountToBeBetween(
        min_value=1, severity=WARNING, notes="nothing changed in three days: unusual, also on holidays"
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="due_date",
        column_B="received_date",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        severity=WARNING,
        notes="due before it was received: such a dossier is late from the start",
    ),
    gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="returned_date",
        column_B="finished_date",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        severity=WARNING,
        notes="a result was returned before the work ended: one of the two dates was typed in later",
    ),
]
