"""Try a declared operator on a sample: what would be read and refused, and how each field is read. Nothing is kept.

No number is shown, nor a text: numbers as their outline, `+00 000 000 000`, and other values masked.
"""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from directive_etl.errors import ConfigurationError
from directive_etl.landing import LandedFile, land_file
from directive_etl.masking import mask_digits
from directive_etl.periods import LOCAL_ZONE, days_between
from directive_etl.registry.campaigns import Campaign
from directive_etl.registry.operators import Operator
from directive_etl.sources.sms_log.events import typed_fields
from directive_etl.sources.sms_log.formats import to_fields
from directive_etl.sources.sms_log.messages import (
    count_repeated,
    create_messages,
    create_recipients,
    daily_figures_sql,
    to_microseconds,
)
from directive_etl.sources.sms_log.outline import outline
from directive_etl.sources.sms_log.refused import refused_rows
from directive_etl.sources.sms_log.scan import ScannedFile, Scanner
from directive_etl.sources.sms_log.workspace import workspace

_EXAMPLES = 3
_MOST_VALUES = 20
_LONGEST_SHOWN = 60
# A sample is about no certain day, so any time to come is possible.
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_STATES = ("delivered", "failed", "expired", "rejected", "without_state")


def iter_trial(
    operator: Operator, campaigns: Sequence[Campaign], sample: Path, memory_limit: str, most_bytes: int
) -> Iterator[str]:
    """Yield the lines of the report.

    Args:
        operator: as declared.
        campaigns: that messages are told apart by.
        sample: a file as the operator sends it.
        memory_limit: of DuckDB.
        most_bytes: a file that unpacks to more is refused.

    Raises:
        ConfigurationError: there is no such file.
    """
    if not sample.is_file():
        raise ConfigurationError(f"operator check: {sample} is no file")
    with tempfile.TemporaryDirectory() as folder:
        landed = land_file(Path(folder), "sms_log", operator.operator_code, _LATEST.date(), sample)
        key = "shown to nobody"
        with workspace(Path(folder), memory_limit, key, landed.size_bytes) as (connection, scratch):
            latest = to_microseconds(_LATEST)
            scanner = Scanner(connection, operator, campaigns, latest, scratch, most_bytes)
            (file,) = scanner.scan([landed])
            yield from _iter_file(operator, sample, landed, file)
            if file.text is not None and file.shape is not None and not file.fault:
                fields = to_fields([file.text], file.shape, operator.log)
                seen = typed_fields(fields, operator, campaigns, latest)
                connection.execute(f"CREATE TABLE seen AS {seen}")
                yield from _iter_fields(connection)
                yield from _iter_values(connection, operator, campaigns)
            yield from _iter_outcome(connection, operator, campaigns, file)


def _iter_file(operator: Operator, sample: Path, landed: LandedFile, file: ScannedFile) -> Iterator[str]:
    name = mask_digits(sample.name)
    packed = "" if file.text is None or file.text.compression == "none" else f", {file.text.compression}"
    yield f"{operator.operator_code}: {name}, {landed.size_bytes} bytes{packed}, read as {operator.log.format}"
    if not any(sample.match(pattern) for pattern in operator.file_patterns):
        yield f"  its name matches none of file_patterns: {', '.join(operator.file_patterns)}; it would be left"
    if file.copied:
        yield "  damaged: it is read from a copy without the lines that no reader should get"


def _iter_fields(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yield for each field how often it is filled, and examples with what they are read as."""
    (row_count,) = connection.execute("SELECT count(*) FROM seen WHERE is_event").fetchall()[0]
    yield ""
    yield f"{'field':<14}{'filled':<20}examples"
    read_as = {
        "submitted_at": "submitted_us",
        "done_at": "done_us",
        "recipient": "recipient_number",
        "segments": "segment_count",
    }
    for field in (
        "connection",
        "message_id",
        "sender",
        "service",
        "recipient",
        "submitted_at",
        "done_at",
        "status",
    ):
        yield from _iter_examples(connection, field, read_as.get(field), row_count)
    yield from _iter_examples(connection, "segments", read_as["segments"], row_count)


def _iter_examples(
    connection: duckdb.DuckDBPyConnection, field: str, read_as: str | None, row_count: int
) -> Iterator[str]:
    read = read_as or "NULL"
    (filled,) = connection.execute(
        f"SELECT count(nullif({field}::VARCHAR, '')) FROM seen WHERE is_event"
    ).fetchall()[0]
    found = connection.execute(
        f"""
        SELECT {field}::VARCHAR, any_value({read}) FROM seen WHERE is_event AND {field}::VARCHAR <> ''
        GROUP BY ALL ORDER BY min(rowid) LIMIT {_EXAMPLES}
        """
    ).fetchall()
    shown = "; ".join(_show(field, text, value if read_as else text) for text, value in found)
    yield f"{field:<14}{f'{filled} of {row_count}':<20}{shown or 'always empty'}"


def _show(field: str, text: str, value: object) -> str:
    written = outline(text) if field == "recipient" else _masked(text)
    if value is None:
        return f"{written} -> CANNOT BE READ"
    match field:
        case "recipient":
            return f"{written} -> a number"
        case "submitted_at" | "done_at":
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(str(value)))
            # A time has more digits than may be shown of a number.
            return f"{outline(text)} -> {moment.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S %z}"
    return written


def _masked(text: str) -> str:
    shown = mask_digits(text)
    return shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"


def _iter_values(
    connection: duckdb.DuckDBPyConnection, operator: Operator, campaigns: Sequence[Campaign]
) -> Iterator[str]:
    """Yield every status, connection and sender with what it means."""
    states = operator.log.states
    yield ""
    for status, count in _counted(connection, "status"):
        yield f"status {_masked(status)!r}: {count} rows, {states.get(status, 'NOT DECLARED in status_map')}"
    for connection_name, count in _counted(connection, "connection"):
        is_known = not operator.connections or connection_name in operator.connections
        meaning = "" if is_known else f", not among the connections: {operator.other_connections}"
        yield f"connection {_masked(connection_name)!r}: {count} rows{meaning}"
    codes = ["no campaign", *(campaign.campaign_code for campaign in campaigns)]
    for (sender, campaign_no), count in _counted(connection, "sender, campaign_no"):
        yield f"sender {_masked(sender or '')!r}: {count} rows, {codes[campaign_no]}"


def _counted(connection: duckdb.DuckDBPyConnection, columns: str) -> list[tuple]:  # type: ignore[type-arg]
    first = columns.split(",")[0]
    rows = connection.execute(
        f"""
        SELECT {columns}, count(*) FROM seen WHERE is_event AND {first} IS NOT NULL
        GROUP BY ALL ORDER BY count(*) DESC, {first} LIMIT {_MOST_VALUES}
        """
    ).fetchall()
    return [(row[0] if len(row) == 2 else row[:-1], row[-1]) for row in rows]


def _iter_outcome(
    connection: duckdb.DuckDBPyConnection,
    operator: Operator,
    campaigns: Sequence[Campaign],
    file: ScannedFile,
) -> Iterator[str]:
    refused = refused_rows(connection, [file], operator, 0)
    seen_us = "submitted_us"
    if operator.lone_receipts == "message":
        seen_us = "coalesce(submitted_us, nullif(status >> 6, 0))"
    first, last = connection.execute(f"SELECT min({seen_us}), max({seen_us}) FROM events").fetchall()[0]
    repeated = 0
    figures: list[tuple] = []  # type: ignore[type-arg]
    if first is not None:
        days = [
            (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(LOCAL_ZONE).date()
            for moment in (first, last)
        ]
        create_messages(connection, operator, days_between(*days), days[0] - timedelta(days=1))
        repeated = count_repeated(connection, 0)
        create_recipients(connection, operator)
        figures = connection.sql(daily_figures_sql(operator)).fetchall()
    loaded = file.read_count - len(refused) - repeated
    yield ""
    yield (
        f"{file.read_count} rows read: {loaded} would be loaded, {len(refused)} refused, "
        f"{repeated} are copies of others"
    )
    for (code, reason), rows in refused.groupby(["reason_code", "reason"], sort=False):
        yield f"  {len(rows)} x {code}: {reason}"
        for place, content in rows[["place", "content"]].head(_EXAMPLES).itertuples(index=False):
            yield f"      {place}: {_masked(content)}"
    names = (
        [column[0] for column in connection.sql(daily_figures_sql(operator)).description] if figures else []
    )
    codes = ["-", *(campaign.campaign_code for campaign in campaigns)]
    for values in figures:
        row = dict(zip(names, values, strict=True))
        counts = ", ".join(f"{row[f'{state}_count']} {state.replace('_', ' ')}" for state in _STATES)
        yield (
            f"{row['day']:%Y-%m-%d} {codes[row['campaign_no']]}: {row['message_count']} messages, "
            f"{row['segment_count']} segments, {row['recipient_count']} recipients; {counts}"
        )
    waiting = _waiting(connection) if figures else 0
    if waiting:
        yield f"{waiting} receipts wait for their message"


def _waiting(connection: duckdb.DuckDBPyConnection) -> int:
    query = """
        SELECT count(*) FROM placed
        WHERE status IS NOT NULL AND submitted_us IS NULL AND message_key IN (
            SELECT message_key FROM placed GROUP BY message_key HAVING max(submitted_us) IS NULL
        )
    """
    return int(connection.execute(query).fetchall()[0][0])
