"""Watch a step: its log lines carry source, part, day and batch; its batches become metrics and lineage.

The ledger says what a step did, so nothing is counted twice, and a step that fails is told about all the same.
"""

import inspect
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import sqlalchemy as sa
from structlog.contextvars import bound_contextvars

from directive_etl.observability.ledger import LoadedBatch, batches_after, newest_batch_id
from directive_etl.observability.lineage import send_lineage
from directive_etl.observability.metrics import send_metrics
from directive_etl.settings import settings

log = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Step = Callable[Arguments, Result]


def observed(
    source: str, part: str = "", day: str = ""
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Watch a step.

    Args:
        source: the source, or the DAG where there is none.
        part: name of the argument that holds the operator or system; empty when the step is about all.
        day: name of the argument that holds the day; empty when the step finds out for itself.
    """

    def decorate(step: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        signature = inspect.signature(step)

        @wraps(step)
        def watched(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            given = signature.bind(*args, **kwargs).arguments
            about = {"part": str(given.get(part, "")), "day": str(given.get(day) or "")}
            with bound_contextvars(source=source, **about, batch=""):
                first, started, outcome = _newest(), time.monotonic(), "failed"
                try:
                    result = step(*args, **kwargs)
                    outcome = "ok"
                    return result
                finally:
                    _tell(source, about["part"], about["day"], first, time.monotonic() - started, outcome)

        return watched

    return decorate


def _newest() -> int | None:
    try:
        return newest_batch_id()
    except sa.exc.SQLAlchemyError:
        return None  # the step itself will say that the warehouse is away


def _tell(source: str, part: str, day: str, first: int | None, seconds: float, outcome: str) -> None:
    """Never raises: what a run says of itself must not decide whether it succeeds."""
    try:
        batches = [] if first is None else batches_after(first, source, part)
        for batch in batches:
            _log_batch(batch)
        send_metrics(settings(), source, batches, seconds, outcome)
        send_lineage(settings(), source, day, batches, outcome)
    except Exception as error:  # noqa: BLE001 - see above; the kind is enough, its text may hold an address
        log.warning("metrics or lineage of %s were not sent (%s)", source, type(error).__name__)


def _log_batch(batch: LoadedBatch) -> None:
    with bound_contextvars(part=batch.part_code, day=str(batch.report_date), batch=batch.batch_id):
        log.info(
            "batch %s: read %d, loaded %d, refused %d, duplicate %d, unchanged %d",
            batch.status_code,
            batch.read_count,
            batch.loaded_count,
            batch.refused_count,
            batch.duplicate_count,
            batch.unchanged_count,
        )
