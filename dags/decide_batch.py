"""Release or reject a batch that a critical check holds back: started from the page Quality, answered by a person.

Reads   the held batch and, once it is approved, the same part of its source again.
Writes  ops.batch_decision with reason and name; when released, what the source writes. Nothing before the answer.
Fails   docs/runbook.md#decide_batch. A batch that is not held, or was decided about, is refused at once.
"""

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import dag, task

from directive_etl import airflow_adapter as adapter

PARAMS = {"batch_id": adapter.Param(None, type="integer", minimum=1), "reason": adapter.reason_param()}


@dag(params=PARAMS, tags=["action"], doc_md=__doc__, **adapter.BY_HAND)
def decide_batch():
    @task
    def describe(params=None) -> str:
        from directive_etl import pipeline

        with adapter.no_retry_on_bad_data():
            return pipeline.describe_held_batch(params["batch_id"])

    @task
    def release(answer, params=None) -> list[str]:
        return adapter.record_decision("released", answer, params)

    @task(trigger_rule=adapter.TriggerRule.ALL_SKIPPED)
    def reject(answer, params=None) -> list[str]:
        return adapter.record_decision("rejected", answer, params)

    @task(outlets=list(adapter.FIGURES_OF.values()))
    def load_again(released, **context) -> list[str]:
        return adapter.load_released(context, released)

    approve = ApprovalOperator(
        task_id="approve",
        subject="Release batch {{ params.batch_id }}?",
        body="{{ ti.xcom_pull(task_ids='describe') }}\n\nAsked because: {{ params.reason }}",
        params={"note": adapter.Param("", type="string", maxLength=500)},
    )
    describe() >> approve
    released = release(approve.output)
    load_again(released)
    released >> reject(approve.output)


decide_batch()
