"""What must hold for the figures of a batch of accepted reports, as one set, before they are loaded.

Each report was judged cell by cell already (check.py); these rules guard against a fault in that judgement.
"""

from great_expectations import expectations as gxe

from directive_etl.quality.suites import CRITICAL, WARNING
from directive_etl.sources.unit_report.form import LARGEST_FIGURE

RULES = [  # CRITICAL stops the load, WARNING goes into the day's quality note
    *(
        gxe.ExpectColumnValuesToNotBeNull(
            column=column, severity=CRITICAL, notes="every figure says whose, of which day and of what it is"
        )
        for column in ("unit_code", "report_date", "measure_code")
    ),
    gxe.ExpectColumnValuesToBeBetween(
        column="value",
        min_value=0,
        max_value=LARGEST_FIGURE,
        severity=CRITICAL,
        notes="a count is not negative, and no phone number passes as one",
    ),
    gxe.ExpectColumnValuesToNotBeNull(
        column="value",
        mostly=0.9,
        severity=WARNING,
        notes="over a tenth of the cells blank: units that send forms before they have figures",
    ),
]
