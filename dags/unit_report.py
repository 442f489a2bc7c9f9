"""Read the reports that units dropped since the last run, load or refuse each file alone, and answer the unit.

Reads   inbox/<unit_code>/* and the mailbox, if there is one: workbooks made from our template.
Writes  core.unit_figure, observations, and answers in outbox/<unit_code>/. A file that was answered is not read again.
Fails   docs/runbook.md#unit_report says who acts. A wrong file is no failure of this DAG: it is refused and answered.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    EVERY_TEN_MINUTES,
    HAS_MAILBOX,
    HAS_REMOTE_OUTBOX,
    ONE_RUN_AT_A_TIME,
    REPORT_FIGURES,
    TriggerRule,
    no_retry_on_bad_data,
    publish_days,
)
from directive_etl.airflow_connections import connected_mailbox, connected_place


@dag(schedule=EVERY_TEN_MINUTES, tags=["source:unit_report"], doc_md=__doc__, **ONE_RUN_AT_A_TIME)
def unit_report():
    @task
    def take_mail() -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.take_mail(connected_mailbox)

    @task(outlets=[REPORT_FIGURES], trigger_rule=TriggerRule.ALL_DONE)
    def answer_inbox(**context) -> list[str]:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.answer_inbox(connect=connected_place)
            return publish_days(context, REPORT_FIGURES)

    @task
    def deliver_answers() -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.deliver_answers(connected_place)

    answered = answer_inbox()
    if HAS_MAILBOX:
        # A leaf that needs the mail: without it a run whose mailbox was out of reach would look green.
        take_mail() >> [answered, EmptyOperator(task_id="mail_taken")]
    if HAS_REMOTE_OUTBOX:
        answered >> deliver_answers()


unit_report()
