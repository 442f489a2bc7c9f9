"""How fast 150 workbooks dropped at once are answered, against bare calamine reading in the same run.

`python benchmarks/unit_report.py [COUNT]`: writes the workbooks of the city's units, reads them with calamine
alone (the baseline), through the reader process with its limits, and through the whole inbox with a throwaway
PostgreSQL.
"""

import os
import sys
import tempfile
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

import python_calamine

DAY = date(2020, 8, 20)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    os.environ["DIRECTIVE_ETL_HASH_KEY"] = "a key of the benchmark"
    from directive_etl.local_stack import postgres

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        with postgres.throwaway(folder / "postgres") as warehouse:
            os.environ.update({key: value for key, value in warehouse.items() if key.endswith("_URL")})
            for place in ("landing", "drop", "inbox", "outbox", "reports"):
                os.environ[f"DIRECTIVE_ETL_{place.upper()}"] = str(folder / place)
            measure(folder / "inbox", count)


def measure(inbox: Path, count: int) -> None:
    from directive_etl import pipeline
    from directive_etl.registry.directive import directives
    from directive_etl.sources.unit_report.read import to_report
    from directive_etl.sources.unit_report.reader_process import ReaderProcess
    from directive_etl.warehouse.engine import engine_for
    from directive_etl.warehouse.schema import migrate

    migrate(engine_for("migration_url"))
    paths = write_workbooks(inbox, count)
    start = perf_counter()
    for path in paths:
        workbook = python_calamine.load_workbook(path)
        for sheet in workbook.sheet_names:
            workbook.get_sheet_by_name(sheet).to_python()
    bare = perf_counter() - start
    start = perf_counter()
    with ReaderProcess() as reader:
        for path in paths:
            to_report(path, reader.read(path), directives())
        in_child = perf_counter() - start
        child_peak = peak_memory(str(reader.process_id))
    start, worked = perf_counter(), process_time()
    pipeline.answer_inbox()
    answered, worked = perf_counter() - start, process_time() - worked
    for what, seconds in (
        ("bare calamine, the baseline", bare),
        ("reader process", in_child),
        ("answered", answered),
    ):
        print(f"{what:28} {seconds:7.2f} s {count / seconds:8.0f} files/s {seconds / bare:7.1f} x baseline")
    print(f"of the answers, this process itself worked {worked:.2f} s")
    print(f"peak memory: {peak_memory('self')} MiB, of the reader process {child_peak} MiB")


def peak_memory(process: str) -> int:
    """Return the most that a running process has held. Unit: MiB.

    getrusage would tell the peak of the parent, where that was larger.
    """
    status = (Path("/proc") / process / "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def write_workbooks(inbox: Path, count: int) -> list[Path]:
    from directive_etl.periods import LOCAL_ZONE
    from directive_etl.registry.directive import directives
    from directive_etl.registry.units import units_on
    from directive_etl.sources.unit_report.form import form_of
    from directive_etl.sources.unit_report.template import write_workbook

    directive = directives()[0]
    forms = [(unit, form_of(directive, unit, DAY)) for unit in units_on(DAY)]
    owing = [(unit, form) for unit, form in forms if form.figures]
    paths = []
    for number, (unit, form) in enumerate(islice(owing * (count // len(owing) + 1), count)):
        (inbox / unit.unit_code).mkdir(parents=True, exist_ok=True)
        path = inbox / unit.unit_code / f"{number}.xlsx"
        # One in ten is refused: a returned workbook costs more than a receipt.
        figures: dict[object, object] = dict.fromkeys(form.addresses, 10 + number)
        if number % 10 == 0:
            figures[next(iter(form.addresses))] = "x"
        write_workbook(path, directive, unit, DAY, figures)  # type: ignore[arg-type]
        moment = datetime(2020, 8, 20, 16, 0, number % 60, tzinfo=LOCAL_ZONE).timestamp()
        os.utime(path, (moment, moment))
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
