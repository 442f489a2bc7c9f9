"""Count a day of SMS logs three ways, one after the other and again: bare DuckDB scan, this project, pandas.

The bare scan reads every column of the gzip file as text and does nothing with it: the floor for any reader. The pandas
program does the usual thing. Each way runs in a process of its own, so that its memory is its own.

    python benchmarks/sms_log.py [LINES] [ROUNDS]
"""

import gzip
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "include"))

DAY = date(2020, 8, 18)
HEADER = "message_id;sender;msisdn;submitted_at;segments;status;done_at\n"
COLUMNS = HEADER.strip().split(";")
MEMORY_LIMIT = "512MB"


def write_log(path: Path, line_count: int, subscriber_count: int) -> None:
    """Write VinaPhone's form: a submission, mostly a receipt; some copies, one line in a thousand damaged."""
    chance = random.Random(2488)
    states = ["SUCCESS"] * 88 + ["FAIL"] * 6 + ["EXPIRED"] * 3 + ["REJECT"] + ["PROCESSING"] * 2
    with gzip.open(path, "wt", compresslevel=5) as file:
        file.write(HEADER)
        written = message = 0
        while written < line_count:
            message += 1
            second = chance.randrange(86_000)
            number = f"{chance.choice(('84', '0', '+84', '0084'))}91{chance.randrange(subscriber_count):07}"
            if chance.random() < 0.001:
                number = number[:6]
            sender = "BLUEZONE" if chance.random() < 0.95 else "CSKH"
            told = f"V{message:09};{sender};{number};{clock(second)};{chance.choice((1, 2, 6))};"
            lines = [f"{told}SENT;\n"]
            if chance.random() < 0.9:
                lines.append(f"{told}{chance.choice(states)};{clock(second + chance.randrange(1, 399))}\n")
                if chance.random() < 0.01:
                    lines.append(lines[-1])
            file.writelines(lines)
            written += len(lines)


def clock(second: int) -> str:
    return f"18/08/2020 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def scan_bare(path: Path) -> object:
    import duckdb

    columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS) + "}"
    counts = ", ".join(f"count({name})" for name in COLUMNS)
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        return connection.execute(
            f"SELECT {counts} FROM read_csv('{path}', delim=';', quote='', escape='', header=true, auto_detect=false, "
            f"columns={columns})"
        ).fetchone()


def count_here(path: Path) -> object:
    from directive_etl.landing import LandedFile
    from directive_etl.registry.campaigns import campaigns
    from directive_etl.registry.operators import operator
    from directive_etl.sources.sms_log.count import count_drop_day

    known_at = datetime(2020, 8, 19, tzinfo=UTC)
    landed = LandedFile("0" * 64, path, "sms_log", "vinaphone", DAY, path.name, known_at, path.stat().st_size)
    counts = count_drop_day(
        {DAY: [landed]},
        operator("vinaphone"),
        campaigns(),
        DAY,
        hash_key="benchmark",
        memory_limit=MEMORY_LIMIT,
        reach_root=path.parent / "reach",
    )
    row = counts.daily[counts.daily["campaign_code"] == "bluezone-2020"].iloc[0]
    return [int(row["message_count"]), int(row["delivered_count"]), int(row["recipient_count"])]


def count_with_pandas(path: Path) -> object:
    import pandas as pd

    frame = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    number = frame["msisdn"].str.replace(r"^(\+84|0084|84|0)", "", regex=True)
    frame["number"] = number.where(number.str.fullmatch(r"\d{9}"))
    frame["sent"] = pd.to_datetime(frame["submitted_at"], format="%d/%m/%Y %H:%M:%S", errors="coerce")
    frame["done"] = pd.to_datetime(frame["done_at"], format="%d/%m/%Y %H:%M:%S", errors="coerce")
    frame = frame[frame["number"].notna() & frame["sent"].notna() & (frame["sender"] == "BLUEZONE")]
    frame = frame.drop_duplicates(["message_id", "status", "done_at"])
    final = frame[frame["status"].isin(["SUCCESS", "FAIL", "EXPIRED", "REJECT"])].sort_values("done")
    last = final.drop_duplicates("message_id", keep="last")
    last["waited"] = (last["done"] - last["sent"]).dt.total_seconds()
    delivered = last[last["status"] == "SUCCESS"]
    delivered["waited"].quantile([0.5, 0.95], interpolation="lower")
    return [int(frame["message_id"].nunique()), len(delivered), int(frame["number"].nunique())]


WAYS = {"bare scan": scan_bare, "this project": count_here, "pandas": count_with_pandas}


def run_alone(way: str, path: Path) -> dict[str, float | str]:
    """Run one way in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--way", way, str(path)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    return json.loads(answer.stdout)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    if sys.argv[1:2] == ["--way"]:
        way, path = sys.argv[2], Path(sys.argv[3])
        WAYS[way](path.with_name("warm-up.csv.gz"))  # imports are not what is measured
        start, used = time.perf_counter(), cpu_seconds()
        result = WAYS[way](path)
        seconds, used = time.perf_counter() - start, cpu_seconds() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "cpu": used, "megabytes": peak, "result": str(result)}))
        return
    line_count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        # Where a landed file would be: scratch files go three folders up.
        path = Path(folder) / "sms_log" / "vinaphone" / "2020-08-18" / "sms_1.csv.gz"
        path.parent.mkdir(parents=True)
        write_log(path.with_name("warm-up.csv.gz"), 1000, 100)
        write_log(path, line_count, subscriber_count=min(line_count, 400_000))
        print(f"{line_count:,} lines, {path.stat().st_size / 1e6:.0f} MB gzip, {os.cpu_count()} cores")
        runs: dict[str, list[dict[str, float | str]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                runs[way].append(run_alone(way, path))
    here, pandas_result = runs["this project"][0]["result"], runs["pandas"][0]["result"]
    if here != pandas_result:
        sys.exit(f"the answers differ: this project {here}, pandas {pandas_result}")
    for way, found in runs.items():
        # Each run is compared with the bare scan next to it, so that a busy machine slows both.
        times, ratios = {}, {}
        for measure in ("seconds", "cpu"):
            pairs = [
                (float(run[measure]), float(bare[measure]))
                for run, bare in zip(found, runs["bare scan"], strict=True)
            ]
            times[measure] = statistics.median(mine for mine, _ in pairs)
            ratios[measure] = statistics.median(mine / bare for mine, bare in pairs)
        print(
            f"{way:14} {times['seconds']:7.2f} s  {ratios['seconds']:6.2f} x bare scan"
            f"  {times['cpu']:7.2f} core seconds  {ratios['cpu']:6.2f} x"
            f"  {max(float(run['megabytes']) for run in found):6.0f} MB"
        )


if __name__ == "__main__":
    main()
