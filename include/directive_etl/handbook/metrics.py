"""docs/metrics.md: the name, kind and meaning of every metric, from the list the code sends them by."""

from directive_etl.observability.metrics import METRICS

_HEAD = """# Metrics

Generated from `observability/metrics.py` by `python -m directive_etl docs`; do not edit. Sent by OpenTelemetry (OTLP
over HTTP) to `DIRECTIVE_ETL_OTLP_METRICS_URL` at the end of each step, with delta temporality; see
[observability.md](observability.md).

Attributes: `source` on all; `part` (operator or portal system) on those of batches, but not for units, which are many.

| metric | kind | unit | in Prometheus | meaning |
|---|---|---|---|---|
"""


def metrics_page() -> str:
    """Return the page."""
    return _HEAD + "".join(
        f"| `{one.name}` | {one.kind} | {one.unit} | `{one.prometheus_name}` | {one.means} |\n"
        for one in METRICS
    )
