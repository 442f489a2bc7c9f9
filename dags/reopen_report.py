"""Let a unit correct a locked day again, and take what was refused as locked: started from the page Reports.

Reads   the unit, the day and the reason that were asked for; the files already answered for the day.
Writes  ops.report_reopening, then what unit_report writes. Asked twice, it only notes the second reason.
Fails   docs/runbook.md#reopen_report: no such unit owes a report on the day, or the reason is missing.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    BY_HAND,
    REPORT_FIGURES,
    Param,
    asked_day,
    day_param,
    no_retry_on_bad_data,
    publish_days,
    reason_param,
)
from directive_etl.airflow_connections import connected_place

PARAMS = {
    "unit_code": Param(None, type="string", pattern=r"^[A-Za-z0-9_.\-]{1,60}$"),
    "report_date": day_param(),
    "reason": reason_param(),
}


@dag(params=PARAMS, tags=["action"], doc_md=__doc__, **BY_HAND)
def reopen_report():
    @task
    def reopen(**context) -> None:
        from directive_etl import pipeline

        params = context["params"]
        with no_retry_on_bad_data():
            pipeline.reopen_report(params["unit_code"], asked_day(context), params["reason"])

    @task(outlets=[REPORT_FIGURES])
    def answer_again(**context) -> list[str]:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.answer_inbox(asked_day(context), connected_place)
            return publish_days(context, REPORT_FIGURES)

    reopen() >> answer_again()


reopen_report()
