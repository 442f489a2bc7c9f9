"""Seeded SMS logs of any size, written by DuckDB: the same rows in every form."""

from pathlib import Path

import duckdb

_SUBSCRIBERS = 879_000
# A message has three rows: its submission, a receipt that ends nothing, and mostly one that does.
_ROWS_OF_A_MESSAGE = 3


def write_log(path: Path, form: str, row_count: int) -> Path:
    """Write a day's log in order of time: 0.5 % damaged rows, 1 % exact copies.

    Args:
        path: the file.
        form: `csv.gz` and `parquet` in VinaPhone's columns, `kannel` in Kannel's default layout.
        row_count: rows, without the header.
    """
    with duckdb.connect(
        config={"memory_limit": "4GB", "temp_directory": str(path.parent / "spill")}
    ) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"CREATE VIEW rows AS {_rows_sql(row_count)}")
        connection.execute(f"COPY ({_SELECTS[form]}) TO '{path}' ({_OPTIONS[form]})")
    return path


def _rows_sql(row_count: int) -> str:
    """Return the SELECT of the rows: what they say, which are copies, and how the damaged ones are damaged."""
    day_us = 86_000 * 1_000_000
    return f"""
        SELECT message, kind, number, sender, segments, final, damage,
            make_timestamp(began) AS sent, make_timestamp(moment) AS moment
        FROM (
            SELECT *, 1597683600000000 + 25200000000 + (message * {day_us} // {row_count // _ROWS_OF_A_MESSAGE + 1})
                    // 1000000 * 1000000 AS began,
                began + CASE kind
                    WHEN 0 THEN 0 ELSE (1 + hash(message, kind, 1) % 300)::BIGINT * kind * 1000000 END AS moment
            FROM (
                SELECT message, kind,
                    900000000 + (hash(message, 2) % {_SUBSCRIBERS})::BIGINT + 10000000 AS number,
                    CASE WHEN hash(message, 3) % 100 < 95 THEN 'BLUEZONE' ELSE 'CSKH' END AS sender,
                    1 + hash(message, 4) % 6 AS segments,
                    (hash(message, 5) % 100)::INTEGER AS final,
                    CASE WHEN hash(row_no, 6) % 1000 < 5 THEN (hash(row_no, 7) % 3)::INTEGER END AS damage
                FROM (
                    SELECT CASE WHEN hash(n, 8) % 100 = 0 AND n > 0 THEN n - 1 ELSE n END AS row_no,
                        row_no // {_ROWS_OF_A_MESSAGE} AS message, row_no % {_ROWS_OF_A_MESSAGE} AS kind
                    FROM (SELECT range AS n FROM range({row_count}))
                )
            )
        )
        ORDER BY moment, message, kind
    """


_FINAL_WORD = """
    CASE WHEN final < 85 THEN {} WHEN final < 91 THEN {} WHEN final < 94 THEN {} WHEN final < 95 THEN {} ELSE {} END
"""
_WORD = f"""
    CASE WHEN damage = 2 THEN 'WHAT' WHEN kind = 0 THEN 'SENT' WHEN kind = 1 THEN 'PROCESSING'
        ELSE {_FINAL_WORD.format("'SUCCESS'", "'FAIL'", "'EXPIRED'", "'REJECT'", "'PROCESSING'")} END
"""
_KIND = f"""
    CASE WHEN damage = 2 THEN '77' WHEN kind = 1 THEN '8'
        ELSE {_FINAL_WORD.format("'1'", "'2'", "'34'", "'16'", "'8'")} END
"""
_NUMBER = """
    CASE WHEN damage = 0 THEN '8490' ELSE (['84', '0', '+84', '0084'])[1 + (number % 4)] || number END
"""
_ROW = f"""
    SELECT 'V' || lpad(message::VARCHAR, 9, '0') AS message_id, sender, {_NUMBER} AS msisdn, {{sent}} AS submitted_at,
        segments, {_WORD} AS status, {{done}} AS done_at
    FROM rows
"""
_SELECTS = {
    "csv.gz": _ROW.format(
        sent="CASE WHEN damage = 1 THEN 'soon' ELSE strftime(sent, '%d/%m/%Y %H:%M:%S') END",
        done="CASE WHEN kind > 0 THEN strftime(moment, '%d/%m/%Y %H:%M:%S') END",
    ),
    "parquet": _ROW.format(
        # A timestamp cannot be unreadable; one of before there were such logs is refused, too.
        sent="CASE WHEN damage = 1 THEN TIMESTAMP '1970-01-01' ELSE sent END",
        done="CASE WHEN kind > 0 THEN moment END",
    ),
    "kannel": f"""
        SELECT strftime(moment, '%Y-%m-%d %H:%M:%S') || CASE WHEN damage = 1 THEN ' ' ELSE '' END || ' '
            || CASE WHEN kind = 0 THEN 'Sent SMS' ELSE 'Receive DLR' END
            || ' [SMSC:VT-0' || (1 + message % 2) || '] [SVC:bluezone] [ACT:city] [BINF:] [FID:'
            || upper(to_hex(message // 2)) || '] [META:?smpp_resp?] [from:' || sender || '] [to:' || {_NUMBER}
            || CASE WHEN kind = 0 THEN '] [flags:-1:0:-1:-1:31] [msg:' || (segments * 140 - 20) || ':'
                    || repeat('Cai dat Bluezone, ', (segments * 8)::INTEGER)[1 : segments * 140 - 20] || '] [udh:0:]'
                ELSE '] [flags:-1:-1:-1:-1:' || {_KIND} || '] [msg:88:id:' || message
                    || ' sub:001 dlvrd:001 submit date:2008181000 done date:2008181000 stat:X err:000] [udh:0:]'
                END AS line
        FROM rows
    """,
}
_OPTIONS = {
    "csv.gz": "FORMAT csv, DELIMITER ';', HEADER true, QUOTE '', ESCAPE '', COMPRESSION gzip",
    "parquet": "FORMAT parquet, COMPRESSION snappy",
    "kannel": "FORMAT csv, DELIMITER '\x01', HEADER false, QUOTE '', ESCAPE ''",
}
