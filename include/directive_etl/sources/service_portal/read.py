"""Read landed pages into typed versions of dossiers; refuse what cannot be read. Applicants are not read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd

from directive_etl.landing import LandedFile
from directive_etl.quality import refused_frame
from directive_etl.registry.systems import PortalSystem
from directive_etl.sources.service_portal.faults import (
    NOT_A_RECORD,
    Fault,
    contradiction,
    faults_of,
    show_key,
)
from directive_etl.sources.service_portal.records import DATES, PageRecords

VERSION_COLUMNS = [
    "system_code",
    "dossier_key",
    "changed_at",
    "known_at",
    "unit_code",
    "procedure_code",
    "channel_code",
    "status_code",
    "source_status",
    *DATES.values(),
]
_CONTENT = ["unit_code", "procedure_code", "channel_code", "status_code", "status", *DATES.values()]


@dataclass(frozen=True)
class ReadPages:
    """What became of every record: read_count = rows of versions + rows of refused + duplicate_count.

    seen_keys: the dossiers that were in the pages, those of refused records among them.
    """

    versions: pd.DataFrame
    refused: pd.DataFrame
    duplicate_count: int
    read_count: int
    seen_keys: Sequence[int] | npt.NDArray[np.int64] = ()


def read_pages(files: Sequence[LandedFile], system: PortalSystem, *, hash_key: str, day: date) -> ReadPages:
    """Read the pages of one pull, as `judge_pages` does, when none of them has been begun.

    Args:
        files: from `pull_day`, in order.
        system: the declared system that sent them.
        hash_key: key of the hash that stands for a dossier's code.
        day: as `judge_pages`.

    Raises:
        SourceChangedError: a file is no page of this system.
    """
    with PageRecords(system, hash_key) as records:
        return judge_pages(records, files, day)


def judge_pages(begun: PageRecords, files: Sequence[LandedFile], day: date) -> ReadPages:
    """Read the pages of one pull.

    Args:
        begun: what has been read ahead of them; the rest is read now.
        files: from `pull_day`, in order.
        day: the reporting day of the pull; a change after its end was not asked for and is refused.

    Returns:
        versions: one row per dossier and change, VERSION_COLUMNS, sorted. dossier_key int64; changed_at and
        known_at datetime64 in UTC; channel_code and status_code int64 in the national lists; dates are local
        days as datetime64, NaT for none. refused: REFUSED_COLUMNS, one row per record, its content the dossier's
        key and the faulty fields only.

    Raises:
        SourceChangedError: a file is no page of this system.
    """
    faults = [NOT_A_RECORD, *faults_of(begun.system, day)]
    records = begun.of(files)
    _judge(records, faults)
    [(read_count, kept_count)] = records.execute(
        "SELECT count(*), count(*) FILTER (WHERE fault_bits = 0) FROM judgement"
    ).fetchall()
    kinds = [*faults, contradiction(begun.system)]
    refused = _refused_rows(records, kinds) if kept_count < read_count else []
    versions = _versions(records, begun.system)
    seen = records.execute("SELECT DISTINCT dossier_key FROM record").df()
    return ReadPages(
        versions=versions,
        refused=refused_frame(refused),
        duplicate_count=kept_count - len(versions),
        read_count=read_count,
        seen_keys=seen["dossier_key"].to_numpy(dtype="int64"),
    )


def read_records(files: Sequence[LandedFile], system: PortalSystem, hash_key: str) -> pd.DataFrame:
    """Return one row per record: its texts by our field names, and beside them what they mean, null where
    nothing.
    """
    with PageRecords(system, hash_key) as records:
        return records.of(files).execute("SELECT * FROM record ORDER BY page, number").df()


def _judge(records: duckdb.DuckDBPyConnection, faults: list[Fault]) -> None:
    """Create `judgement`: of each record the faults, bit n for number n, the last one being a contradiction, and
    whether it says again what was known first from another one.
    """
    first, *others = faults
    bits = " + ".join(
        f"CASE WHEN {fault.condition} THEN {1 << n}::BIGINT ELSE 0 END"
        for n, fault in enumerate(others, start=1)
    )
    records.execute(
        f"""
        CREATE OR REPLACE TABLE found AS SELECT page, number,
            CASE WHEN {first.condition} THEN 1 ELSE {bits} END AS fault_bits FROM record"""
    )
    # Few records share their dossier and time with another one; only those are compared.
    records.execute(
        f"""
        CREATE OR REPLACE TABLE repeated AS
        WITH kept AS (SELECT record.* FROM record JOIN found USING (page, number) WHERE fault_bits = 0),
        told AS (SELECT dossier_key, changed_at FROM kept GROUP BY ALL HAVING count(*) > 1),
        again AS (SELECT kept.* FROM kept SEMI JOIN told USING (dossier_key, changed_at))
        SELECT page, number, row_number() OVER (change ORDER BY known_at, page, number) > 1 AS is_copy,
            count(DISTINCT ({", ".join(_CONTENT)})) OVER (change) > 1 AS is_torn
        FROM again JOIN page USING (page) WINDOW change AS (PARTITION BY dossier_key, changed_at)"""
    )
    records.execute(
        f"""
        CREATE OR REPLACE TABLE judgement AS
        SELECT page, number, CASE WHEN is_torn THEN {1 << len(faults)} ELSE fault_bits END AS fault_bits,
            coalesce(is_copy, FALSE) AS is_copy
        FROM found LEFT JOIN repeated USING (page, number)"""
    )


def _versions(records: duckdb.DuckDBPyConnection, system: PortalSystem) -> pd.DataFrame:
    """Return each version once, as it was known first."""
    frame = records.execute(
        f"""
        SELECT $system_code AS system_code, dossier_key, changed_at, known_at, unit_code, procedure_code,
            channel_code::BIGINT AS channel_code, status_code::BIGINT AS status_code, status AS source_status,
            {", ".join(f"{day}::TIMESTAMP AS {day}" for day in DATES.values())}
        FROM record JOIN judgement USING (page, number) JOIN page USING (page)
        WHERE fault_bits = 0 AND NOT is_copy
        ORDER BY changed_at, dossier_key""",
        {"system_code": system.system_code},
    ).df()
    texts = ["system_code", "unit_code", "procedure_code", "source_status"]
    return frame.astype(dict.fromkeys(texts, "str"))


def _refused_rows(records: duckdb.DuckDBPyConnection, faults: list[Fault]) -> list[dict[str, str]]:
    """One row per refused record, naming all its faults; the first gives the reason code."""
    query = """
        SELECT record.*, fault_bits, sha256, page.place || ' record ' || number AS place
        FROM record JOIN judgement USING (page, number) JOIN page USING (page)
        WHERE fault_bits > 0 ORDER BY page, number"""
    rows = []
    for record in records.execute(query).df().to_dict("records"):
        found = [fault for n, fault in enumerate(faults) if int(record["fault_bits"]) >> n & 1]
        shown = [fault.show(str(record[fault.column])) for fault in found]
        rows.append(
            {
                "sha256": record["sha256"],
                "place": record["place"],
                "reason_code": found[0].reason_code,
                "reason": ". ".join(dict.fromkeys(fault.sentence for fault in found)) + ".",
                "content": "; ".join([show_key(record["dossier_key"]), *shown]),
            }
        )
    return rows
