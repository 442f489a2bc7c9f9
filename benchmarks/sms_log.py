"""Count a day of SMS logs four ways, interleaved: bare DuckDB scan, this project, Polars, pandas.

    python benchmarks/sms_log.py [--rows 1,10,30] [--formats csv.gz,parquet,kannel] [--rounds 3]

Rows are in millions. Of the rows, 0.5 % are damaged and 1 % exact copies; a message has a submission and two receipts.

- The bare scan reads every column of the files with DuckDB and hashes every value, so that no statistics of the file
  can stand for them: the floor for any reader.
- This project goes its whole way: it lands the dropped file with its hash, reads and refuses, counts, writes the
  reach store, checks, and loads a real PostgreSQL with its ledger row.
- Polars (lazy, streaming) and pandas do the usual thing: they only count.

Each runs in a process of its own, so that its memory is its own, after a warm-up on a small file: imports are not
measured. Each run is compared with the bare scan next to it, so that a busy machine slows both. PostgreSQL is another
process. The counts of all ways must be equal. pandas is left out above 10 million rows: it needs tens of gigabytes.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "include"))
sys.path.insert(0, str(Path(__file__).parent))

DAY = date(2020, 8, 18)
KNOWN_AT = datetime(2020, 8, 19, tzinfo=UTC).timestamp()
MEMORY_LIMIT = "512MB"
COLUMNS = ["message_id", "sender", "msisdn", "submitted_at", "segments", "status", "done_at"]
TIME = "%d/%m/%Y %H:%M:%S"
KANNEL = (
    r"^(?P<at>.{19}) (?P<event>Sent SMS|Receive DLR) \[SMSC:(?P<smsc>[^\]]*)\] \[SVC:[^\]]*\] \[ACT:[^\]]*\] "
    r"\[BINF:[^\]]*\] \[FID:(?P<message_id>[^\]]*)\] \[META:[^\]]*\] \[from:(?P<sender>[^\]]*)\] "
    r"\[to:(?P<msisdn>[^\]]*)\] \[flags:[^:]*:[^:]*:[^:]*:[^:]*:(?P<kind>[^\]]*)\] \[msg:"
)
FINAL = {"SUCCESS", "FAIL", "EXPIRED", "REJECT", "1", "2", "34", "16"}
DELIVERED = {"SUCCESS", "1"}
# A row with another status is refused.
KNOWN = FINAL | {"SENT", "PROCESSING", "8"}
MOST_PANDAS_ROWS = 10_000_000


def scan_bare(path: Path, form: str) -> None:
    """Read every value of every column, in DuckDB, and do no more than hash it."""
    import duckdb

    names = ["line"] if form == "kannel" else COLUMNS
    types = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in names) + "}"
    delimiter = "\x01" if form == "kannel" else ";"
    source = f"read_csv('{path}', delim='{delimiter}', quote='', header=false, auto_detect=false, columns={types}, "
    source += f"skip={0 if form == 'kannel' else 1}, ignore_errors=true)"
    if form == "parquet":
        source = f"read_parquet('{path}')"
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SELECT bit_xor(hash({', '.join(names)})) FROM {source}").fetchone()


def count_here(path: Path, form: str) -> list[int]:
    """Land, read, refuse, count, check and load."""
    from directive_etl.landing.place import LocalPlace
    from directive_etl.quality.suites import check_frame
    from directive_etl.registry.campaigns import campaigns
    from directive_etl.registry.operators import Operator, operator
    from directive_etl.sources.sms_log import load
    from directive_etl.sources.sms_log.count import count_drop_day
    from directive_etl.sources.sms_log.land import land_drop_day
    from directive_etl.sources.sms_log.rules import RULES
    from directive_etl.warehouse.engine import loader_engine

    declared = operator("viettel" if form == "kannel" else "vinaphone").model_copy(
        update={"file_patterns": ("*",)}
    )
    if form == "parquet":
        log = {"columns": declared.log.columns, "status_map": declared.log.status_map, "time_format": TIME}
        declared = Operator.model_validate(
            declared.model_dump()
            | {"log": {**log, "columns": log["columns"].model_dump(), "format": "parquet"}}
        )
    with tempfile.TemporaryDirectory(dir=path.parents[1]) as folder:
        drop = Path(folder) / "drop" / "sms" / declared.operator_code / DAY.isoformat()
        drop.mkdir(parents=True)
        os.link(path, drop / path.name)
        os.utime(drop / path.name, (KNOWN_AT, KNOWN_AT))
        start = time.perf_counter(), cpu_seconds()
        taken = land_drop_day(LocalPlace(Path(folder) / "drop"), Path(folder) / "landing", declared, DAY)
        landed = {DAY: taken.files}
        counts = count_drop_day(
            landed,
            declared,
            campaigns(),
            DAY,
            hash_key="benchmark",
            memory_limit=MEMORY_LIMIT,
            reach_root=Path(folder) / "reach",
        )
        checks = check_frame(counts.daily, "core.daily_sms", RULES)
        batch = load.operator_batch(declared, DAY, landed, counts, checks)
        load.load_operator_day(loader_engine(), declared, batch, counts, [DAY])
        measured.update(seconds=time.perf_counter() - start[0], cpu=cpu_seconds() - start[1])
    row = counts.daily[counts.daily["campaign_code"] == "bluezone-2020"].iloc[0]
    return [int(row[name]) for name in ("message_count", "delivered_count", "recipient_count")]


def count_with_polars(path: Path, form: str) -> list[int]:
    """Count as a Polars program would: lazily, streaming where it can."""
    import polars as pl

    if form == "parquet":
        rows = pl.scan_parquet(path)
    elif form == "csv.gz":
        rows = pl.scan_csv(path, separator=";", infer_schema=False, quote_char=None, ignore_errors=True)
    else:
        lines = pl.scan_csv(path, separator="\x01", has_header=False, new_columns=["line"], quote_char=None)
        found = lines.select(pl.col("line").str.extract_groups(KANNEL).alias("found")).unnest("found")
        is_sent = pl.col("event") == "Sent SMS"
        rows = found.select(
            (pl.col("smsc") + "/" + pl.col("message_id")).alias("message_id"),
            "sender",
            "msisdn",
            pl.when(is_sent).then("at").alias("submitted_at"),
            pl.when(is_sent).then(pl.lit("SENT")).otherwise("kind").alias("status"),
            pl.when(~is_sent).then("at").alias("done_at"),
        )
    if form != "parquet":
        form_of_time = TIME if form == "csv.gz" else "%Y-%m-%d %H:%M:%S"
        rows = rows.with_columns(
            pl.col("submitted_at", "done_at").str.to_datetime(form_of_time, strict=False, time_unit="us")
        )
    number = pl.col("msisdn").str.replace(r"^(\+84|0084|84|0)", "")
    rows = rows.with_columns(pl.when(number.str.contains(r"^\d{9}$")).then(number).alias("number")).filter(
        pl.col("number").is_not_null() & pl.col("message_id").is_not_null() & pl.col("status").is_in(KNOWN)
    )
    if form != "kannel":
        rows = rows.filter(pl.col("submitted_at") >= datetime(2000, 1, 1))  # noqa: DTZ001
    is_final = pl.col("status").is_in(FINAL) & pl.col("done_at").is_not_null()
    messages = rows.group_by("message_id").agg(
        pl.col("submitted_at").min(),
        pl.col("number").first(),
        pl.col("sender").first(),
        pl.col("status").filter(is_final).sort_by(pl.col("done_at").filter(is_final)).last(),
        pl.col("done_at").filter(is_final).max(),
    )
    ours = messages.filter((pl.col("sender") == "BLUEZONE") & pl.col("submitted_at").is_not_null())
    is_delivered = pl.col("status").is_in(DELIVERED)
    waited = (pl.col("done_at") - pl.col("submitted_at")).filter(is_delivered)
    result = ours.select(
        pl.len().alias("messages"),
        is_delivered.sum().alias("delivered"),
        pl.col("number").n_unique().alias("recipients"),
        waited.quantile(0.5, "lower").alias("p50"),
        waited.quantile(0.95, "lower").alias("p95"),
    ).collect(engine="streaming")
    return [int(result[name][0]) for name in ("messages", "delivered", "recipients")]


def count_with_pandas(path: Path, form: str) -> list[int]:
    """Count as a pandas program would."""
    import pandas as pd

    if form == "parquet":
        import duckdb  # pandas itself reads Parquet with a package that nothing else here needs

        frame = duckdb.read_parquet(str(path)).df()
    elif form == "csv.gz":
        frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, on_bad_lines="skip")
    else:
        lines = pd.read_csv(path, sep="\x01", header=None, names=["line"], dtype=str, quoting=3)["line"]
        frame = lines.str.extract(KANNEL).dropna(subset=["event"])
        is_sent = frame["event"] == "Sent SMS"
        frame["message_id"] = frame["smsc"] + "/" + frame["message_id"]
        frame["submitted_at"] = frame["at"].where(is_sent)
        frame["done_at"] = frame["at"].where(~is_sent)
        frame["status"] = frame["kind"].mask(is_sent, "SENT")
    if form != "parquet":
        form_of_time = TIME if form == "csv.gz" else "%Y-%m-%d %H:%M:%S"
        for name in ("submitted_at", "done_at"):
            frame[name] = pd.to_datetime(frame[name], format=form_of_time, errors="coerce")
    number = frame["msisdn"].str.replace(r"^(\+84|0084|84|0)", "", regex=True)
    frame["number"] = number.where(number.str.fullmatch(r"\d{9}"))
    frame = frame[frame["number"].notna() & frame["status"].isin(KNOWN)]
    if form != "kannel":
        frame = frame[frame["submitted_at"] >= "2000-01-01"]
    sent = frame.dropna(subset=["submitted_at"]).drop_duplicates("message_id")
    sent = sent[sent["sender"] == "BLUEZONE"].set_index("message_id")
    final = frame[frame["status"].isin(FINAL) & frame["done_at"].notna()].sort_values(
        "done_at", kind="stable"
    )
    last = final.drop_duplicates("message_id", keep="last").set_index("message_id")
    joined = sent[["submitted_at", "number"]].join(last[["status", "done_at"]])
    delivered = joined[joined["status"].isin(DELIVERED)]
    (delivered["done_at"] - delivered["submitted_at"]).quantile([0.5, 0.95], interpolation="lower")
    return [len(joined), len(delivered), int(joined["number"].nunique())]


WAYS: dict[str, Callable[[Path, str], list[int] | None]] = {
    "bare scan": scan_bare,
    "this project": count_here,
    "Polars": count_with_polars,
    "pandas": count_with_pandas,
}
# What a way measured itself, apart from what it has to prepare.
measured: dict[str, float] = {}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run_one(way: str, path: Path, warm_up: Path, form: str) -> None:
    """Run one way in this process and print what it took."""
    WAYS[way](warm_up, form)
    measured.clear()
    start, used = time.perf_counter(), cpu_seconds()
    result = WAYS[way](path, form)
    taken = {"seconds": time.perf_counter() - start, "cpu": cpu_seconds() - used} | measured
    # The peak that getrusage tells is that of the parent, where it was larger.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    print(json.dumps({**taken, "megabytes": peak, "result": result}))


def run_alone(way: str, path: Path, warm_up: Path, form: str, settings: dict[str, str]) -> dict[str, object]:
    """Run one way in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--way", way, str(path), str(warm_up), form],
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
    )
    if answer.returncode:
        sys.exit(f"{way}, {path.name}: {answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[0])


def empty_warehouse(settings: dict[str, str]) -> None:
    """Let every run load into an empty warehouse: a second load of the same would change nothing."""
    import sqlalchemy as sa

    engine = sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"])
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate core.daily_sms, core.observation, ops.load_batch, ops.refused_row restart identity cascade"
        )
    engine.dispose()


def compare(
    path: Path, warm_up: Path, form: str, row_count: int, rounds: int, settings: dict[str, str]
) -> dict[str, tuple[float, float]]:
    """Run all ways on one file, print a line each, and return seconds and megabytes."""
    ways = [way for way in WAYS if way != "pandas" or row_count <= MOST_PANDAS_ROWS]
    runs: dict[str, list[dict[str, object]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            empty_warehouse(settings)
            runs[way].append(run_alone(way, path, warm_up, form, settings))
    answers = {str(run["result"]) for way in ways[1:] for run in runs[way]}
    if len(answers) != 1:
        sys.exit(f"the answers differ: { {way: runs[way][0]['result'] for way in ways} }")
    print(f"\n{form}, {row_count:,} rows, {path.stat().st_size / 1e6:,.0f} MB, {rounds} rounds")
    print(f"{'':14}{'wall s':>9}{'x scan':>8}{'core s':>9}{'x scan':>8}{'peak MB':>9}")
    figures = {}
    for way in ways:
        times, ratios = {}, {}
        for measure in ("seconds", "cpu"):
            pairs = [
                (float(run[measure]), float(bare[measure]))  # type: ignore[arg-type]
                for run, bare in zip(runs[way], runs["bare scan"], strict=True)
            ]
            times[measure] = statistics.median(mine for mine, _ in pairs)
            ratios[measure] = statistics.median(mine / bare for mine, bare in pairs)
        peak = max(float(run["megabytes"]) for run in runs[way])  # type: ignore[arg-type]
        print(
            f"{way:14}{times['seconds']:9.2f}{ratios['seconds']:8.2f}{times['cpu']:9.2f}{ratios['cpu']:8.2f}{peak:9.0f}",
            flush=True,
        )
        figures[way] = (times["seconds"], peak)
    here = figures["this project"][0]
    compared = [f"{here / figures[way][0]:.2f} x {way}" for way in ways[2:]]
    print(f"this project takes {', '.join(compared)}", flush=True)
    return figures


def main() -> None:
    if sys.argv[1:2] == ["--way"]:
        _, _, way, path, warm_up, form = sys.argv
        run_one(way, Path(path), Path(warm_up), form)
        return
    from sms_log_files import write_log

    from directive_etl.local_stack import postgres
    from directive_etl.registry.operators import operators
    from directive_etl.warehouse.schema import migrate

    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", default="1", help="millions, such as 1,10,30")
    parser.add_argument("--formats", default="csv.gz,parquet,kannel")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    assert operators()
    print(f"{os.cpu_count()} cores, DuckDB limit {MEMORY_LIMIT}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, postgres.throwaway(Path(folder) / "postgres") as settings:
        import sqlalchemy as sa

        migrate(sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"]))
        settings = {name: value for name, value in settings.items() if name.endswith("_URL")}
        files = Path(folder) / "files"
        files.mkdir()
        for form in asked.formats.split(","):
            warm_up = write_log(files / f"warm_up.{form}", form, 2000)
            walls = []
            for millions in map(float, asked.rows.split(",")):
                row_count = int(millions * 1_000_000)
                path = write_log(files / f"sms_log.{form}", form, row_count)
                walls.append(
                    (
                        row_count,
                        *compare(path, warm_up, form, row_count, asked.rounds, settings)["this project"],
                    )
                )
                path.unlink()
            (fewest, least, _), *larger = walls
            for row_count, seconds, peak in larger:
                growth = (seconds / least) / (row_count / fewest)
                print(
                    f"{form}: {fewest:,} to {row_count:,} rows, wall {growth:.2f} x linear, peak {peak:.0f} MB"
                )
        shutil.rmtree(files)


if __name__ == "__main__":
    main()
