"""Read the reports that units dropped since the last run, load or refuse each file alone, and answer the unit.

Reads   inbox/<unit_code>/*: workbooks made from our template.
Writes  core.unit_figure, observations, and answers in outbox/<unit_code>/. A file that was answered is not read again.
Fails   docs/runbook.md#unit_report says who acts. A wrong file is no failure of this DAG: it is refused and answered.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    EVERY_TEN_MINUTES,
    ONE_RUN_AT_A_TIME,
    REPORT_FIGURES,
    no_retry_on_bad_data,
    publish_days,
)


@dag(
    schedule=EVERY_TEN_MINUTES,
    tags=["source:unit_report"],
    doc_md=__doc__,
    **ONE_RUN_AT_A_TIME,
)
def unit_report():
    @task(outlets=[REPORT_FIGURES])
    def answer_inbox(**context) -> list[str]:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            return publish_days(context, REPORT_FIGURES, [pipeline.answer_inbox()])

    answer_inbox()


unit_report()
