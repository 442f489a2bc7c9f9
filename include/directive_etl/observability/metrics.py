"""Metrics of a step by OpenTelemetry (OTLP over HTTP), sent once at its end, with delta temporality.

A task is a process of a minute, so a value that is scraped or sent by a timer would be lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from directive_etl.observability.ledger import LoadedBatch
from directive_etl.periods import day_end
from directive_etl.settings import Settings

_SECONDS = 3


@dataclass(frozen=True)
class Metric:
    """One metric: its OpenTelemetry name, kind, unit and meaning."""

    name: str
    kind: str
    unit: str
    means: str

    @property
    def prometheus_name(self) -> str:
        """Its name once a collector hands it to Prometheus: unit and `_total` are added."""
        name = self.name.replace(".", "_")
        unit = "_seconds" if self.unit == "s" else ""
        return f"{name}{unit}" + ("_total" if self.kind == "counter" else "")


ROWS = Metric(
    "directive_etl.rows",
    "counter",
    "{row}",
    "Rows read, by `outcome`: loaded, refused, duplicate, unchanged.",
)
BATCHES = Metric(
    "directive_etl.batches", "counter", "{batch}", "Batches written, by `status`: loaded, refused, duplicate."
)
ARRIVAL_LAG = Metric(
    "directive_etl.lag.arrival",
    "gauge",
    "s",
    "From the end of the reporting day to the newest input's arrival.",
)
LOAD_LAG = Metric(
    "directive_etl.lag.load", "gauge", "s", "From the arrival of the newest input to the warehouse."
)
DURATION = Metric(
    "directive_etl.step.duration", "histogram", "s", "Time of a step, by `outcome`: ok, failed."
)
# All of them have the attribute `source`; those of batches also `part`, units excepted: they are too many.
METRICS = (ROWS, BATCHES, ARRIVAL_LAG, LOAD_LAG, DURATION)


def send_metrics(
    known: Settings, source: str, batches: Sequence[LoadedBatch], seconds: float, outcome: str
) -> None:
    """Send what a step did; nothing where no address is set.

    Args:
        known: the settings.
        source: the source, or the DAG where there is none.
        batches: what it wrote.
        seconds: how long it took.
        outcome: ok or failed.
    """
    if known.otlp_metrics_url is None:
        return
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
    from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    delta = dict.fromkeys((Counter, Histogram), AggregationTemporality.DELTA)
    exporter = OTLPMetricExporter(
        endpoint=known.otlp_metrics_url,
        timeout=_SECONDS,
        preferred_temporality=delta,  # type: ignore[arg-type]
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
    resource = Resource.create({SERVICE_NAME: "directive-etl", "service.version": known.code_version})
    provider = MeterProvider(metric_readers=[reader], resource=resource)
    try:
        meter = provider.get_meter("directive_etl")
        rows = meter.create_counter(ROWS.name, ROWS.unit, ROWS.means)
        counted = meter.create_counter(BATCHES.name, BATCHES.unit, BATCHES.means)
        arrival = meter.create_gauge(ARRIVAL_LAG.name, ARRIVAL_LAG.unit, ARRIVAL_LAG.means)
        load = meter.create_gauge(LOAD_LAG.name, LOAD_LAG.unit, LOAD_LAG.means)
        duration = meter.create_histogram(DURATION.name, DURATION.unit, DURATION.means)
        for batch in batches:
            about = {"source": source}
            if source != "unit_report":
                about["part"] = batch.part_code
            for row_outcome in ("loaded", "refused", "duplicate", "unchanged"):
                rows.add(getattr(batch, f"{row_outcome}_count"), {**about, "outcome": row_outcome})
            counted.add(1, {**about, "status": batch.status_code})
            arrival.set((batch.known_at - day_end(batch.report_date)).total_seconds(), about)
            load.set((batch.recorded_at - batch.known_at).total_seconds(), about)
        duration.record(seconds, {"source": source, "outcome": outcome})
        provider.force_flush(timeout_millis=_SECONDS * 1000)
    finally:
        provider.shutdown(timeout_millis=_SECONDS * 1000)
