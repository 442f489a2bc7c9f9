"""Recompute how far every unit is on every clause, for one day whose figures changed.

Reads   core.observation of that day, the declared indicators, targets and calendar.
Writes  core.daily_progress of that day, only rows that differ: clear and retry freely.
Fails   docs/runbook.md#directive_progress: never because of a source, so a failure is for the engineers.
"""

from airflow.sdk import dag, task

from directive_etl.airflow_adapter import ANY_FIGURES, ONE_DAY_PER_RUN, no_retry_on_bad_data, reporting_day


@dag(schedule=ANY_FIGURES, tags=["progress"], doc_md=__doc__, **{**ONE_DAY_PER_RUN, "end_date": None})
def directive_progress():
    @task
    def recompute(**context) -> int:
        from directive_etl import pipeline

        with no_retry_on_bad_data():
            return pipeline.recompute_day(reporting_day(context))

    recompute()


directive_progress()
