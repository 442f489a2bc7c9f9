"""Receipts up to 72 hours late in any order converge in Parquet as they do in logs of text."""

import csv
import gzip
import io

import pandas as pd
import polars
import pytest
from hypothesis import given
from tests.sources.sms_log.histories import FIRST_DAY, SOME_LATE_HISTORIES, History, late_histories
from tests.sources.sms_log.history_formats import EVENTS, columns_of, declared, write_history

LOG = EVENTS.operator.log
PARQUET = declared(
    "parquet",
    format="parquet",
    columns=columns_of(),
    time_format=LOG.time_format,
    status_map=LOG.status_map,
).model_copy(update={"window_days": 3})


def to_parquet(content: bytes, times_are_text: bool) -> bytes:
    """Write the rows of a delimited log as Parquet."""
    text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text), delimiter=";")
    columns = {name: [row[n] for row in rows if row] for n, name in enumerate(header)}
    frame = polars.DataFrame(columns, schema=dict.fromkeys(header, polars.String))
    frame = frame.with_columns(polars.col("parts").cast(polars.Int16))
    if not times_are_text:
        frame = frame.with_columns(
            polars.col("sent", "done").str.to_datetime(LOG.time_format, strict=False, time_unit="us")
        )
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


@pytest.mark.parametrize("times_are_text", [False, True], ids=["timestamps", "text"])
@SOME_LATE_HISTORIES
@given(pair=late_histories())
def test_receipts_up_to_72_hours_late_in_parquet_converge_to_the_figures_of_text(
    pair: tuple[History, History], times_are_text: bool, count_logs
) -> None:
    in_text = [write_history(history, EVENTS).folders for history in pair]
    at_once, later = (
        {
            day: [(name, to_parquet(content, times_are_text)) for name, content in files]
            for day, files in folders.items()
        }
        for folders in in_text
    )
    counts = [count_logs(folders, PARQUET) for folders in (at_once, later)]
    truth = count_logs(in_text[0], EVENTS.operator.model_copy(update={"window_days": 3}))
    for counted in counts:
        assert set(counted.daily.loc[counted.daily["report_date"] == FIRST_DAY, "maturity"]) == {"final"}
        pd.testing.assert_frame_equal(
            counted.daily.drop(columns="operator_code"), truth.daily.drop(columns="operator_code")
        )
        assert counted.refused.empty
