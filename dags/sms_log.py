"""Count yesterday's SMS of each operator, and recount the days that still await receipts.

Reads   drop/sms/<operator>/<day>/*: the logs each operator drops shortly after midnight.
Writes  core.daily_sms, core.sms_reach and observations. The same files again write nothing: clear and retry freely.
Fails   docs/runbook.md#sms_log says who acts on which error. An operator that fails leaves the others standing.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    ONE_DAY_PER_RUN,
    SMS_FIGURES,
    TriggerRule,
    daily_at,
    no_retry_on_bad_data,
    publish_days,
    reporting_day,
)
from directive_etl.airflow_connections import connected_place
from directive_etl.registry.operators import operators


@dag(schedule=daily_at(4), tags=["source:sms_log"], doc_md=__doc__, **ONE_DAY_PER_RUN)
def sms_log():
    @task
    def count_operator(operator_code: str, **context) -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.count_sms_operator(operator_code, reporting_day(context), connected_place)

    @task(outlets=[SMS_FIGURES], trigger_rule=TriggerRule.ALL_DONE)
    def publish(**context) -> list[str]:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.publish_sms_reach(reporting_day(context))
            return publish_days(context, SMS_FIGURES)

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def every_file_whole(**context) -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.require_whole_files(reporting_day(context))

    counted = count_operator.expand(operator_code=[operator.operator_code for operator in operators()])
    # A leaf that needs every operator: without it a run with a failed operator would look green.
    # With a callback it would be a process of its own.
    every_operator_counted = EmptyOperator(task_id="every_operator_counted", on_success_callback=None)
    counted >> [publish(), every_operator_counted, every_file_whole()]


sms_log()
