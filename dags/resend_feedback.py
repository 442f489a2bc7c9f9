"""Write the answers to the units' files of a day again, as they were: started from the page Reports.

Reads   the files already answered for the day, as they lie in the inbox.
Writes  the same answers in outbox/<unit_code>/. Figures stay as they are, since nothing new was sent.
Fails   docs/runbook.md#resend_feedback: the inbox, the outbox or the warehouse cannot be reached.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    BY_HAND,
    REPORT_FIGURES,
    asked_day,
    day_param,
    no_retry_on_bad_data,
    publish_days,
)
from directive_etl.airflow_connections import connected_place


@dag(params={"report_date": day_param()}, tags=["action"], doc_md=__doc__, **BY_HAND)
def resend_feedback():
    @task(outlets=[REPORT_FIGURES])
    def answer_again(**context) -> list[str]:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.answer_inbox(asked_day(context), connected_place)
            return publish_days(context, REPORT_FIGURES)

    answer_again()


resend_feedback()
