"""What a run says of itself, received by a real HTTP server: lineage, metrics; and its log lines."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tests.alerts.conftest import DAY, drop_log, listening, set_up, told  # noqa: F401 - fixtures
from tests.alerts.sinks import Sinks

from directive_etl import pipeline
from directive_etl.errors import SourceUnavailableError
from directive_etl.observability.logs import configure_logs
from directive_etl.observability.metrics import METRICS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def counted(told: Sinks, set_up: Callable[..., None], drop_log: Callable[..., None]) -> Sinks:  # noqa: F811
    """The sinks after one operator's day was counted and its progress recomputed."""
    set_up(
        openlineage_url=told.webhook_url,
        otlp_metrics_url=f"{told.webhook_url}/v1/metrics",
        reader_url=None,
    )
    drop_log(good=3, bad=1)
    pipeline.count_sms_operator("viettel", DAY)
    pipeline.recompute_day(DAY)
    return told


def events(sinks: Sinks) -> list[dict[str, Any]]:
    return [json.loads(body) for path, body in sinks.raw if path == "/api/v1/lineage"]


def test_lineage_leads_from_the_landed_file_to_the_reporting_views(counted: Sinks, places: Path):
    reads: dict[str, set[str]] = {}
    for event in events(counted):
        assert event["eventType"] == "COMPLETE" and event["job"]["namespace"] == "directive_etl"
        for output in event["outputs"]:
            reads.setdefault(output["name"], set()).update(one["name"] for one in event["inputs"])
    (landed,) = [path for path in (places / "landing").glob("sms_log/viettel/*/*") if path.suffix == ".log"]
    name = f"sms_log/viettel/{DAY}/{landed.name.split('.')[0]}"

    def above(dataset: str) -> set[str]:
        found, pending = set(), [dataset]
        while pending:
            for one in reads.get(pending.pop(), ()):
                if one not in found:
                    found.add(one)
                    pending.append(one)
        return found

    assert name in above("warehouse.reporting.sms_daily")
    assert {name, "warehouse.core.observation", "warehouse.core.daily_progress"} <= above(
        "warehouse.reporting.directive_progress_latest"
    )
    assert "warehouse.ops.load_batch" in above("warehouse.reporting.load_quality_daily")


def test_a_table_has_the_name_openlineage_prescribes_and_the_count_of_rows(counted: Sinks):
    (batch,) = [event for event in events(counted) if event["job"]["name"] == "sms_log.viettel"]
    daily = next(one for one in batch["outputs"] if one["name"] == "warehouse.core.daily_sms")

    assert re.fullmatch(r"postgres://127\.0\.0\.1:\d+", daily["namespace"])
    assert daily["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert [one["namespace"] for one in batch["inputs"]] == ["file"]


def test_a_rerun_that_writes_nothing_makes_no_lineage_of_a_batch(counted: Sinks):
    counted.raw.clear()

    pipeline.count_sms_operator("viettel", DAY)

    assert events(counted) == []


def metrics(sinks: Sinks) -> list[tuple[str, dict[str, str], float]]:
    found = []
    for path, body in sinks.raw:
        if path != "/v1/metrics":
            continue
        request = ExportMetricsServiceRequest.FromString(body)
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            kind = metric.WhichOneof("data")
            for point in getattr(metric, kind).data_points:
                about = {one.key: one.value.string_value for one in point.attributes}
                value = point.sum if kind == "histogram" else point.as_int or point.as_double
                found.append((metric.name, about, value))
    return found


def test_metrics_count_rows_refusals_lag_and_duration_of_a_source(counted: Sinks):
    of_sms = [one for one in metrics(counted) if one[1]["source"] == "sms_log"]
    rows = {about["outcome"]: value for name, about, value in of_sms if name == "directive_etl.rows"}

    assert rows == {"loaded": 3, "refused": 1, "duplicate": 0, "unchanged": 0}
    assert {name for name, _, _ in of_sms} == {metric.name for metric in METRICS}
    assert {about["part"] for name, about, _ in of_sms if name != "directive_etl.step.duration"} == {
        "viettel"
    }
    # The log came an hour before the close of 08:00, seven hours after the day's end.
    (arrival,) = [value for name, _, value in of_sms if name == "directive_etl.lag.arrival"]
    assert 6.9 * 3600 < arrival < 7.1 * 3600
    assert all(value > 0 for name, _, value in of_sms if name == "directive_etl.step.duration")


def test_a_step_that_fails_is_measured_too(told: Sinks, set_up: Callable[..., None]):  # noqa: F811
    set_up(otlp_metrics_url=f"{told.webhook_url}/v1/metrics")
    with pytest.raises(SourceUnavailableError):
        pipeline.count_sms_operator("viettel", DAY)

    assert [about["outcome"] for name, about, _ in metrics(told) if name.endswith("duration")] == ["failed"]


def test_a_sink_that_is_away_fails_no_step(
    told: Sinks,  # noqa: F811
    set_up: Callable[..., None],  # noqa: F811
    drop_log: Callable[..., None],  # noqa: F811
):
    nowhere = "http://127.0.0.1:9"
    set_up(openlineage_url=nowhere, otlp_metrics_url=f"{nowhere}/v1/metrics")
    drop_log()

    assert pipeline.count_sms_operator("viettel", DAY) == [DAY]


def test_every_metric_is_documented_and_on_the_dashboard():
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    dashboard = json.loads((DOCS / "observability" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ()))
    names = {metric.prometheus_name for metric in METRICS}

    assert all(f"`{metric.name}`" in page for metric in METRICS)
    assert set(re.findall(r"directive_etl_\w+", asked)) <= names | {
        f"{name}_{part}" for name in names for part in ("bucket", "sum", "count")
    }
    assert all(name in asked for name in names)


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    configure_logs(written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)


def test_each_log_line_of_a_run_carries_source_day_and_batch(
    told: Sinks,  # noqa: F811
    drop_log: Callable[..., None],  # noqa: F811
    log_lines: io.StringIO,
):
    drop_log(good=3, bad=1)
    pipeline.count_sms_operator("viettel", DAY)
    lines = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    ours = [line for line in lines if "sms_log" in line["event"] or "batch" in line["event"]]

    assert len(ours) >= 2
    for line in lines:
        assert (line["source"], line["part"], line["day"]) == ("sms_log", "viettel", str(DAY))
    assert isinstance(ours[-1]["batch"], int) and "loaded 3, refused 1" in ours[-1]["event"]
