"""The records of landed pages as a table of DuckDB: each declared field as text, and beside it what it means.

Nothing else of a record is taken out of its page: names, addresses, phones and e-mails stay in the landing zone.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from typing import Any, Self

import duckdb
import orjson

from directive_etl.errors import SourceChangedError
from directive_etl.keyed_hash import create_keyed_hash_macro
from directive_etl.landing import LandedFile
from directive_etl.periods import day_end, day_start
from directive_etl.registry.systems import FieldNames, PortalSystem
from directive_etl.registry.units import units

DATES = {
    "received_at": "received_date",
    "due_at": "due_date",
    "finished_at": "finished_date",
    "returned_at": "returned_date",
}
MOMENTS = ("changed_at", *DATES)
_FIELDS = list(FieldNames.model_fields)
_PAGE_NUMBER = re.compile(r" page (\d+)$")
# DuckDB reads the year 0, which no other part of the system can hold; from year 1 a time zone may lead there.
_YEAR = r"(?:[1-9]\d{3}|0[1-9]\d\d|00[1-9]\d|000[2-9])"
_DIGITS = {"Y": _YEAR, "f": r"\d{1,6}", "z": r"(?:Z|[+-]\d{2}:?\d{2})"}
_NEVER = date(9998, 12, 31)
_THREADS = 2
# Pages whose parsed form a thread holds at the same time.
_PAGES_AT_ONCE = 16


class PageRecords:
    """The records of landed pages in a database in memory, read on two threads while other pages are on their way.

    What is read of a page depends on its bytes only, so that reading may begin before it is known which pages count.
    Use it in a `with`; nothing is spilled to disk.
    """

    def __init__(self, system: PortalSystem, hash_key: str) -> None:
        self.system = system
        self._numbers: dict[str, int] = {}  # of each page by its hash, in the order of arrival
        self._waiting: list[LandedFile] = []
        self._readings: list[tuple[list[LandedFile], Future[None]]] = []
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="records")
        # One thread of DuckDB's for each of ours: more of them would wait for each other, with a processor.
        self._connection = duckdb.connect(config={"threads": 1, "temp_directory": ""})
        self._connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        create_keyed_hash_macro(self._connection, hash_key)
        _create_codes(self._connection, system)
        _create_empty(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._connection.close()

    def read_ahead(self, file: LandedFile) -> None:
        """Begin to read a page soon, unless it was begun before; nobody waits."""
        if file.sha256 in self._numbers:
            return
        self._numbers[file.sha256] = len(self._numbers)
        self._waiting.append(file)
        if len(self._waiting) == _PAGES_AT_ONCE:
            self._begin()

    def of(self, files: Sequence[LandedFile]) -> duckdb.DuckDBPyConnection:
        """Wait until the pages are read, and return the database with the view `record` of them.

        One row per record: `page` (number of the file, from 0) and `number` in it, from 1. Of each declared field its
        text as sent, without blanks around it and empty for none (`<field>_text` for times); beside it what it means,
        NULL where it means nothing: dossier_key, status_code, channel_code, changed_at (TIMESTAMPTZ), and the local
        days received_date, due_date, finished_date, returned_date. `is_record` is false for what is no JSON object.
        Beside it the tables `page` (page, file, place, sha256, known_at) and `unit` (code, valid_from, valid_until:
        moments).

        Raises:
            SourceChangedError: a file is no page of this system.
        """
        for file in files:
            self.read_ahead(file)
        self._begin()
        wanted = {file.sha256 for file in files}
        for pages, reading in self._readings:
            try:
                reading.result()
            except SourceChangedError:
                # One page in it cannot be read; that matters only if it is one of these.
                self._read([page for page in pages if page.sha256 in wanted])
        if len(files) > _PAGES_AT_ONCE:  # to share out fewer records takes longer than to read them
            self._connection.execute(f"SET threads = {_THREADS}")
        _create_pages(self._connection, files, [self._numbers[file.sha256] for file in files])
        return self._connection

    def _begin(self) -> None:
        if self._waiting:
            pages, self._waiting = self._waiting, []
            self._readings.append((pages, self._threads.submit(self._read, pages)))

    def _read(self, pages: Sequence[LandedFile]) -> None:
        """Read a few pages on this thread: DuckDB reads a few thousand records on one."""
        if not pages:
            return
        numbers = [self._numbers[page.sha256] for page in pages]
        with self._connection.cursor() as own:  # with temporary tables of its own
            own.execute("SET TimeZone = 'UTC'")
            _create_texts(own, pages, numbers, self.system)
            own.execute(f"INSERT INTO file_record {_record_sql(self.system)}")


def _create_pages(
    connection: duckdb.DuckDBPyConnection, files: Sequence[LandedFile], numbers: Sequence[int]
) -> None:
    """Create `page`, which says where in the list each file stands, and `record` of these files."""
    connection.execute(
        """
        CREATE OR REPLACE TABLE page AS SELECT unnest($page::BIGINT[]) AS page, unnest($file::BIGINT[]) AS file,
            'page ' || unnest($number::VARCHAR[]) AS place, unnest($sha256::VARCHAR[]) AS sha256,
            unnest($known_at::TIMESTAMPTZ[]) AS known_at""",
        {
            "page": list(range(len(files))),
            "file": list(numbers),
            "number": [page_number(file, place) for place, file in enumerate(files, start=1)],
            "sha256": [file.sha256 for file in files],
            "known_at": [file.known_at for file in files],
        },
    )
    connection.execute(
        """
        CREATE OR REPLACE VIEW record AS
        SELECT page, file_record.* EXCLUDE (file) FROM file_record JOIN page USING (file)"""
    )


def page_number(file: LandedFile, position: int) -> str:
    """Return the number of a page from its origin, else its place among the files."""
    match = _PAGE_NUMBER.search(file.origin)
    return match[1] if match else str(position)


def _create_empty(connection: duckdb.DuckDBPyConnection) -> None:
    """Create `file_record` for the records of all files, with the columns of `_record_sql`."""
    texts = ", ".join(f"{text_column(field)} VARCHAR" for field in _FIELDS)
    days = ", ".join(f"{day} DATE" for day in DATES.values())
    connection.execute(
        f"""
        CREATE TABLE file_record (file BIGINT, number BIGINT, is_record BOOLEAN, {texts},
            dossier_key BIGINT, changed_at TIMESTAMPTZ, {days}, status_code INTEGER, channel_code INTEGER)"""
    )


def _create_texts(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandedFile],
    numbers: Sequence[int],
    system: PortalSystem,
) -> None:
    """Create the temporary table `text`: the declared fields of every record of a few pages."""
    names = list(dict.fromkeys(system.fields.model_dump().values()))
    form: object = [dict.fromkeys(names, "VARCHAR")]
    for name in reversed(system.answer.records_field.split(".")):
        form = {name: form}
    path = "".join(map(_dot, system.answer.records_field.split(".")))
    texts = ", ".join(
        f"{_text_sql(f'record{_dot(getattr(system.fields, field))}', system)} AS {text_column(field)}"
        for field in _FIELDS
    )
    nothing = " AND ".join(f"record{_dot(name)} IS NULL" for name in names)
    # A page without a list has one row, of number 0.
    places = "CASE WHEN records IS NULL THEN [0] ELSE range(1, len(records) + 1) END"
    try:
        connection.execute(
            f"""
            CREATE TEMP TABLE text AS
            SELECT ($numbers::BIGINT[])[list_position($paths, filename)] AS file, number,
                record IS NOT NULL AS is_record, {nothing} AS is_blank, {texts}
            FROM (
                SELECT filename, unnest(records) AS record, unnest({places}) AS number
                FROM (SELECT filename, json_transform(content, $form){path} AS records FROM read_text($paths))
            )""",
            {
                "form": orjson.dumps(form).decode(),
                "paths": [str(file.path) for file in files],
                "numbers": list(numbers),
            },
        )
    except duckdb.Error:
        # Its message would show the bytes: the page is found and named below.
        raise _no_page(_first_without_records(files, system), system) from None
    unlisted = connection.execute("SELECT min(file) FROM text WHERE number = 0").fetchone()
    if unlisted and unlisted[0] is not None:
        raise _no_page(files[numbers.index(unlisted[0])], system)
    _mark_no_objects(connection, dict(zip(numbers, files, strict=True)), system)


def _mark_no_objects(
    connection: duckdb.DuckDBPyConnection, files: Mapping[int, LandedFile], system: PortalSystem
) -> None:
    """Only what has none of the declared fields can be no object; for these few their page is read again."""
    blank = connection.execute(
        "SELECT file, list(number) FROM text WHERE is_record AND is_blank GROUP BY file"
    ).fetchall()
    for file, numbers in blank:
        records = _records_in(files[file], system)
        wrong = [number for number in numbers if not isinstance(records[number - 1], dict)]
        connection.execute(
            "UPDATE text SET is_record = FALSE WHERE file = $file AND list_contains($wrong, number)",
            {"file": file, "wrong": wrong},
        )


def _text_sql(value: str, system: PortalSystem) -> str:
    """Return the SQL of a field without the blanks around it; empty for what the system means as none."""
    text = f"trim({value})"
    for empty in sorted({text.strip() for text in system.empty_values} - {""}):
        text = f"nullif({text}, {_literal(empty)})"
    return f"coalesce({text}, '')"


def _record_sql(system: PortalSystem) -> str:
    """Return the SQL that reads the table `text`; one stage further, DuckDB would evaluate the texts again."""
    texts = ", ".join(map(text_column, _FIELDS))
    days = ", ".join(
        f"{local_sql(f'{moment}_text', system.date_formats)}::DATE AS {day}" for moment, day in DATES.items()
    )
    return f"""
        SELECT file, number, is_record, {texts},
            keyed_hash(dossier_code, key_block) AS dossier_key,
            timezone('Asia/Ho_Chi_Minh', {local_sql("changed_at_text", system.date_formats)}) AS changed_at, {days},
            status_map.code AS status_code, channel_map.code AS channel_code
        FROM text CROSS JOIN hash_key
        LEFT JOIN status_map ON status_map.sent = text.status
        LEFT JOIN channel_map ON channel_map.sent = text.channel"""


def _create_codes(connection: duckdb.DuckDBPyConnection, system: PortalSystem) -> None:
    """Register what the codes of a record are looked up in."""
    for name, codes in (("status_map", system.status_map), ("channel_map", system.channel_map)):
        connection.execute(
            f"CREATE TABLE {name} AS SELECT unnest($sent) AS sent, unnest($code)::INTEGER AS code",
            {"sent": list(codes), "code": list(codes.values())},
        )
    known = units()
    connection.execute(
        """
        CREATE TABLE unit AS SELECT unnest($code) AS code, unnest($start::TIMESTAMPTZ[]) AS valid_from,
            unnest($until::TIMESTAMPTZ[]) AS valid_until""",
        {
            "code": [unit.unit_code for unit in known],
            "start": [day_start(unit.valid_from) for unit in known],
            "until": [day_end(unit.valid_to or _NEVER) for unit in known],
        },
    )


def text_column(field: str) -> str:
    """Return the column of `record` that holds a field as it was sent."""
    return f"{field}_text" if field in MOMENTS else field


def local_sql(column: str, formats: Sequence[str]) -> str:
    """Return the SQL that reads a text of one of the declared forms exactly, as local time: no digit is guessed.

    A form without an offset is local time, also one that ends in a literal Z. Any other text is NULL.
    """
    return f"coalesce({', '.join(_form_sql(column, form) for form in formats)}, NULL)"


def _form_sql(column: str, form: str) -> str:
    if "%z" in form:
        offset = f"regexp_replace({column}, 'Z$', '+0000')"
        local = f"timezone('Asia/Ho_Chi_Minh', try_strptime({offset}, {_literal(form)}))"
    else:
        local = f"try_strptime({column}, {_literal(form)})"
    return f"CASE WHEN regexp_full_match({column}, {_literal(_pattern_of(form))}) THEN {local} END"


def _pattern_of(date_format: str) -> str:
    parts = re.split(r"%(.)", date_format)
    return "".join(_DIGITS.get(part, r"\d{2}") if n % 2 else re.escape(part) for n, part in enumerate(parts))


def _no_page(file: LandedFile, system: PortalSystem) -> SourceChangedError:
    return SourceChangedError(
        f"service_portal {file.part_code} {file.report_date} page {page_number(file, 1)}: the landed file "
        f"{file.sha256} has no list {system.answer.records_field!r}; pull the day again"
    )


def _first_without_records(files: Sequence[LandedFile], system: PortalSystem) -> LandedFile:
    for file in files:
        try:
            _records_in(file, system)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return file
    raise RuntimeError(f"DuckDB cannot read what orjson can: {files[0].part_code} {files[0].report_date}")


def _records_in(file: LandedFile, system: PortalSystem) -> list[Any]:
    value: Any = orjson.loads(file.path.read_bytes())
    for name in system.answer.records_field.split("."):
        value = value[name]
    return list(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _dot(name: str) -> str:
    return f".{_quoted(name)}"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
