"""Pull the dossiers that changed yesterday from each portal system, and recount every day they touch.

Reads   the national portal, the city portal and the one-stop system, each over its REST API.
Writes  core.portal_dossier_version, core.daily_portal_dossier and observations. A repeated pull adds only what is new.
Fails   docs/runbook.md#service_portal says who acts on which error. A system that fails leaves the others standing.
"""

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import dag, task

from directive_etl.airflow_adapter import (
    ONE_DAY_PER_RUN,
    PORTAL_FIGURES,
    TriggerRule,
    daily_at,
    no_retry_on_bad_data,
    publish_days,
    reporting_day,
)
from directive_etl.airflow_connections import portal_connection
from directive_etl.registry.systems import systems


@dag(schedule=daily_at(5), tags=["source:service_portal"], doc_md=__doc__, **ONE_DAY_PER_RUN)
def service_portal():
    @task
    def pull_system(system_code: str, **context) -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            connection = portal_connection(system_code)
            pipeline.pull_portal_system(system_code, reporting_day(context), connection)

    @task(outlets=[PORTAL_FIGURES], trigger_rule=TriggerRule.ALL_DONE)
    def publish(**context) -> list[str]:
        return publish_days(context, PORTAL_FIGURES)

    pulled = pull_system.expand(system_code=[system.system_code for system in systems()])
    # A leaf that needs every system: without it a run with a failed system would look green.
    # With a callback it would be a process of its own.
    every_system_pulled = EmptyOperator(task_id="every_system_pulled", on_success_callback=None)
    pulled >> [publish(), every_system_pulled]


service_portal()
