"""Close yesterday at 08:00: say who has not reported, freeze what was known, export the report, tell the morning.

Reads   the ledger and the progress of the day as it was known at the close.
Writes  ops.publication, the reporting indicators, reports/<day>/, and sends the summary. Repeated, it writes nothing.
Fails   docs/runbook.md#daily_close. A unit that did not report is a business fact, not a failure.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    CLOSED_IN_TIME,
    ONE_DAY_PER_RUN,
    daily_at,
    no_retry_on_bad_data,
    reporting_day,
)


@dag(schedule=daily_at(8), deadline=CLOSED_IN_TIME, tags=["progress"], doc_md=__doc__, **ONE_DAY_PER_RUN)
def daily_close():
    @task
    def close(**context) -> int:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            return sum(entry.row_count for entry in pipeline.close(reporting_day(context)))

    @task
    def tell_morning(**context) -> bool:
        from directive_etl import alerts

        return alerts.tell_morning(reporting_day(context))

    close() >> tell_morning()


daily_close()
