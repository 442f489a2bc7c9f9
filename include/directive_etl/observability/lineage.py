"""OpenLineage events: from the landed file by way of the tables to the reporting views, one event per batch.

A dataset has the name OpenLineage prescribes: a landed file is `file` + its path in the landing zone, a table
`postgres://host:port` + `database.schema.table`.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import OutputDatasetFacet
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
from openlineage.client.transport.http import HttpConfig, HttpTransport

from directive_etl.observability.ledger import LoadedBatch
from directive_etl.settings import Settings
from directive_etl.warehouse.engine import loader_engine
from directive_etl.warehouse.reporting import VIEWS

JOBS = "directive_etl"
_PRODUCER = "directive-etl"
_SECONDS = 3.0
# What the steps of a source or DAG read beside their files, and write.
READS = {
    "directive_progress": ("core.observation",),
    "daily_close": ("core.observation", "core.daily_progress"),
}
WRITES = {
    "sms_log": ("core.daily_sms", "core.observation"),
    "service_portal": ("core.portal_dossier_version", "core.daily_portal_dossier", "core.observation"),
    "unit_report": ("core.unit_figure", "core.observation"),
    "directive_progress": ("core.daily_progress",),
    "daily_close": ("ops.publication",),
}
_LEDGER = ("ops.load_batch", "ops.quality_result", "ops.refused_row")
# What a view reads, views behind views included, as the database itself knows it.
_VIEWS = sa.text("""
    with reads as (
        select distinct v.oid as view_oid, v.relname as view_name, t.oid as read_oid
        from pg_class v
        join pg_namespace n on n.oid = v.relnamespace and n.nspname = 'reporting'
        join pg_rewrite r on r.ev_class = v.oid
        join pg_depend d on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass
         and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
        join pg_class t on t.oid = d.refobjid
        where v.relkind = 'v'
    )
    select r.view_name, n.nspname || '.' || t.relname as read_name
    from reads r
    join pg_class t on t.oid = r.read_oid and t.relkind in ('r', 'p', 'v')
    join pg_namespace n on n.oid = t.relnamespace and n.nspname in ('core', 'ops', 'reporting')
    order by 1, 2
""")


def send_lineage(
    known: Settings, source: str, day: str, batches: Sequence[LoadedBatch], outcome: str
) -> None:
    """Send an event for each batch, or for a step without batches, and for each view over what it wrote.

    Nothing is sent where no address is set, or where a step wrote nothing.
    """
    if known.openlineage_url is None or (not batches and (outcome != "ok" or source not in READS)):
        return
    retry = {"total": 1, "connect": 1, "read": 1}
    config = HttpConfig(url=known.openlineage_url, timeout=_SECONDS, retry=retry)
    client = OpenLineageClient(transport=HttpTransport(config))
    try:
        for event in iter_events(loader_engine(), source, day, batches):
            client.emit(event)
    finally:
        client.close()


def iter_events(
    engine: sa.Engine, source: str, day: str, batches: Sequence[LoadedBatch]
) -> Iterator[RunEvent]:
    """Yield the events of a step."""
    url = engine.url
    namespace = f"postgres://{url.host}:{url.port or 5432}"
    written = [f"{url.database}.{name}" for name in WRITES.get(source, ())]
    read = [(namespace, f"{url.database}.{name}") for name in READS.get(source, ())]
    for batch in batches:
        files = [("file", path) for path in batch.files]
        ledger = [f"{url.database}.{name}" for name in _LEDGER]
        outputs = [*(written if batch.status_code == "loaded" else []), *ledger]
        name = f"{batch.source_code}.{batch.part_code}"
        yield _event(
            name,
            f"{namespace}/{batch.batch_id}",
            batch.recorded_at,
            files,
            namespace,
            outputs,
            batch.loaded_count,
        )
    if not batches:
        yield _event(source, f"{source}/{day}/{uuid.uuid4()}", datetime.now(UTC), read, namespace, written)
    touched = {*WRITES.get(source, ()), *(_LEDGER if batches else ())}
    reads = _views(engine)
    for view in VIEWS:  # in order of creation: a view over a view comes after it
        tables = reads.get(view, [])
        if touched & set(tables):
            touched.add(f"reporting.{view}")
            inputs = [(namespace, f"{url.database}.{name}") for name in tables]
            output = f"{url.database}.reporting.{view}"
            yield _event(
                f"reporting.{view}", str(uuid.uuid4()), datetime.now(UTC), inputs, namespace, [output]
            )


def _views(engine: sa.Engine) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for row in connection.execute(_VIEWS):
            found.setdefault(row.view_name, []).append(row.read_name)
    return found


def _event(
    job: str,
    run: str,
    at: datetime,
    inputs: Iterable[tuple[str, str]],
    namespace: str,
    outputs: Iterable[str],
    row_count: int | None = None,
) -> RunEvent:
    facets: dict[str, OutputDatasetFacet] = {}
    if row_count is not None:
        facets["outputStatistics"] = OutputStatisticsOutputDatasetFacet(rowCount=row_count)
    return RunEvent(
        eventTime=at.astimezone(UTC).isoformat(),
        eventType=RunState.COMPLETE,
        producer=_PRODUCER,
        run=Run(runId=str(uuid.uuid5(uuid.NAMESPACE_URL, run))),
        job=Job(namespace=JOBS, name=job),
        inputs=[InputDataset(namespace=space, name=name) for space, name in inputs],
        outputs=[OutputDataset(namespace=namespace, name=name, outputFacets=facets) for name in outputs],
    )
