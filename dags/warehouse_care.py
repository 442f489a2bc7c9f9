"""Keep the storage in shape, once a week: delete landed SMS logs and portal pages past their retention.

Reads   the landing zone.
Writes  nothing in the warehouse. Retention counts from the newest day in the ledger, not from today.
Fails   docs/runbook.md#warehouse_care: a folder that cannot be deleted is for the engineers.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import ONE_RUN_AT_A_TIME, WEEKLY, no_retry_on_bad_data


@dag(schedule=WEEKLY, tags=["care"], doc_md=__doc__, **ONE_RUN_AT_A_TIME)
def warehouse_care():
    @task
    def delete_expired() -> int:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            return pipeline.care_for_storage()

    delete_expired()


warehouse_care()
