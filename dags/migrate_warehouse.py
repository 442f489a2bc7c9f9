"""Bring the warehouse to the schema of the code, grant the rights, load the registry: started from the page Alerts.

Reads   the migrations, views and declared files of the code that runs.
Writes  the schema and the declared tables; figures stay. At the newest schema it changes nothing.
Fails   docs/runbook.md#migrate_warehouse: this worker does not know the owner of the schema, or a file is wrong.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import BY_HAND, no_retry_on_bad_data


@dag(tags=["action"], doc_md=__doc__, **BY_HAND)
def migrate_warehouse():
    @task
    def migrate() -> None:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            pipeline.migrate_warehouse()

    migrate()


migrate_warehouse()
