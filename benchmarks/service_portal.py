"""100,000 dossiers in pages of 500 from a server on this machine: pulled, counted and loaded, against a bare loop.

The bare loop fetches the same pages with aiohttp over eight connections and parses them with DuckDB; it lands, hashes,
proves, checks and keeps nothing. A record has the fields of the national dossier. Process start and imports are apart.
Both run in this process, in turns; shown is the least of the rounds. Beside the seconds on the wall stand those
that this process had a processor, which other work on the machine changes less; PostgreSQL's are not among them.

    python benchmarks/service_portal.py [DOSSIERS] [ROUNDS]
"""

import asyncio
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

DAY = date(2020, 8, 20)
SIZE = 500
CONNECTIONS = 8


def make_pages(count: int) -> list[bytes]:
    """Make the answers of the portal beforehand, so that its own work is not measured."""
    wards = [31117, 31120, 31135, 31141, 31144, 31147]
    pages = []
    for first in range(0, count, SIZE):
        records = []
        for number in range(first, min(first + SIZE, count)):
            second = number * 86_000 // count
            clock = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"
            moment = f"202008{'19' if number % 3 else '20'}{clock}"
            code = f"000.00.19.H13-200820-{number:07d}"
            records.append(
                {
                    "MaHoSo": code,
                    "MaTTHC": "1.001193",
                    "TenTTHC": "Đăng ký khai sinh",
                    "MaLinhVuc": "G09-TP02",
                    "TenLinhVuc": "Hộ tịch",
                    "KenhThucHien": str(number % 3 + 1),
                    "ChuHoSo": "Nguyễn Văn Thử",
                    "LoaiDoiTuong": "1",
                    "MaDoiTuong": "",
                    "ThongTinKhac": "",
                    "Email": "",
                    "Fax": "",
                    "SoDienThoai": "",
                    "TrichYeuHoSo": "Đăng ký khai sinh cho con",
                    "NgayTiepNhan": moment,
                    "NgayHenTra": "20200825170000",
                    "TrangThaiHoSo": str((2, 4, 5, 9, 10)[number % 5]),
                    "NgayTra": "20200820235900" if number % 5 == 4 else "",
                    "ThongTinTra": "",
                    "HinhThuc": "0",
                    "NgayKetThucXuLy": "20200820235900" if number % 5 > 2 else "",
                    "DonViXuLy": str(wards[number % 6]),
                    "GhiChu": "",
                    "NgayCapNhat": "20200820235930" if number % 5 > 2 else moment,
                    "TaiLieuNop": [
                        {"TepDinhKemId": f"{number}", "TenTepDinhKem": "to-khai.pdf", "IsDeleted": "False"}
                    ],
                    "DanhSachLePhi": [],
                    "DanhSachTepDinhKemKhac": [],
                    "DanhSachHoSoBoSung": [],
                    "DanhSachGiayToKetQua": [],
                }
            )
        answer = {"error_code": "0", "page": str(first // SIZE + 1), "total": str(count), "data": records}
        pages.append(json.dumps(answer, ensure_ascii=False).encode())
    return pages


def serve(listener: socket.socket, count: int) -> None:
    """Answer /list?page=N with page N, over keep-alive connections."""
    head = "HTTP/1.1 200 OK\r\nDate: Thu, 20 Aug 2020 22:00:00 GMT\r\nContent-Length: {}\r\n\r\n"
    answers = [head.format(len(page)).encode() + page for page in make_pages(count)]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while asked := await reader.readuntil(b"\r\n\r\n"):
            place = asked.split(b" ", 2)[1]
            number = int(place.split(b"page=")[1].split(b"&")[0])
            writer.write(answers[number - 1])
            await writer.drain()

    async def run() -> None:
        server = await asyncio.start_server(_quietly(talk), sock=listener)
        await server.serve_forever()

    asyncio.run(run())


def _quietly(talk):
    async def wrapped(reader, writer):
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return wrapped


async def fetch_bare(port: int, page_count: int) -> list[bytes]:
    """Fetch every page with aiohttp, eight at a time."""
    import aiohttp

    waiting = iter(range(1, page_count + 1))
    bodies: list[bytes] = [b""] * page_count

    async def work(session: aiohttp.ClientSession) -> None:
        for number in waiting:
            async with session.get(f"http://127.0.0.1:{port}/list?page={number}&size={SIZE}") as answer:
                bodies[number - 1] = await answer.read()

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(CONNECTIONS)))
    return bodies


def bare_loop(port: int, page_count: int, folder: Path) -> int:
    """Fetch, write to files, parse with DuckDB into a table of the ten fields, as a person in a hurry would."""
    import duckdb

    for number, body in enumerate(asyncio.run(fetch_bare(port, page_count))):
        (folder / f"{number:05d}.json").write_bytes(body)
    columns = (
        "d.MaHoSo, d.MaTTHC, d.DonViXuLy, d.KenhThucHien, d.TrangThaiHoSo, d.NgayCapNhat, d.NgayTiepNhan, "
        "d.NgayHenTra, d.NgayKetThucXuLy, d.NgayTra"
    )
    records = f"select unnest(data) as d from read_json('{folder}/*.json')"
    with duckdb.connect() as connection:
        connection.execute(f"create table dossier as select {columns} from ({records})")
        return int(connection.execute("select count(distinct MaHoSo) from dossier").fetchall()[0][0])


def forget_peak() -> None:
    """Let the kernel measure the peak of this process anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Return the largest resident size since then, in MB."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def now() -> np.ndarray:
    """Return the seconds on the wall, and those that this process had a processor."""
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    os.environ.setdefault("DIRECTIVE_ETL_HASH_KEY", "a key of the benchmark")
    import sqlalchemy as sa

    from directive_etl.local_stack import postgres
    from directive_etl.pipeline.service_portal import PORTAL_UNITS
    from directive_etl.quality.suites import check_frame
    from directive_etl.quality.usable import check_most_usable
    from directive_etl.registry.procedures import procedures
    from directive_etl.registry.systems import BasicLogin, Limits, system
    from directive_etl.registry.units import matching_units
    from directive_etl.settings import SystemConnection
    from directive_etl.sources.service_portal import load
    from directive_etl.sources.service_portal.extract import open_client, pull_day
    from directive_etl.sources.service_portal.journal import resumable_pull
    from directive_etl.sources.service_portal.read import judge_pages, read_pages
    from directive_etl.sources.service_portal.records import PageRecords
    from directive_etl.sources.service_portal.rules import RULES
    from directive_etl.sources.service_portal.weekday import find_sudden_drop
    from directive_etl.warehouse.schema import migrate
    from directive_etl.warehouse.tables import facts

    national = system("national_portal")
    declared = national.model_copy(
        update={
            "login": BasicLogin(kind="basic"),
            "ask": national.ask.model_copy(update={"method": "GET", "path": "list"}),
            "paging": national.paging.model_copy(update={"page_size": SIZE}),
            "limits": Limits(requests_per_second=10_000, connections=CONNECTIONS),
        }
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    port = listener.getsockname()[1]
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listener, count), daemon=True)
    server.start()
    page_count = -(-count // SIZE)
    asyncio.run(fetch_bare(port, 1))
    check_frame(read_pages([], declared, hash_key="k", day=DAY).versions, "warm", RULES)
    unit_codes = [unit.unit_code for unit in matching_units(PORTAL_UNITS, DAY)]
    connection_to = SystemConnection(base_url=f"http://127.0.0.1:{port}")
    names = ("pull, reading begun", "rest of reading", "check", "count and load")

    def ours(engine: sa.Engine, landing: Path) -> np.ndarray:
        """The steps of the pipeline; returns a row for each: seconds on the wall, and with a processor."""
        moments = [now()]
        with resumable_pull(landing, declared.system_code, DAY) as journal:
            with PageRecords(declared, "a key") as records, open_client(declared, connection_to) as client:
                pull = pull_day(
                    client,
                    declared,
                    DAY,
                    landing,
                    first_pull=True,
                    journal=journal,
                    on_page=records.read_ahead,
                )
                moments.append(now())
                pages = judge_pages(records, pull.files, DAY)
            moments.append(now())
            checks = check_frame(pages.versions, facts.portal_dossier_version.fullname, RULES)
            checks.append(find_sudden_drop(pages.versions, DAY, None))
            checks.append(check_most_usable(len(pages.refused), pages.read_count))
            moments.append(now())
            batch = load.pull_batch(declared.system_code, DAY, pull, pages, checks)
            load.load_pull(
                engine, batch, pull, pages, shows_past_state=True, unit_codes=unit_codes,
                procedures=procedures(), directive_start=date(2020, 8, 18),
            )  # fmt: skip
        moments.append(now())
        assert len(pages.versions) == count
        return np.diff(moments, axis=0)

    bare, whole, again, peaks = [], [], [], []
    with tempfile.TemporaryDirectory() as folder, postgres.throwaway(Path(folder) / "pg") as settings:
        migrate(sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"]))
        engine = sa.create_engine(settings["DIRECTIVE_ETL_WAREHOUSE_URL"])
        owner = sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"])
        for run in range(rounds):
            with owner.begin() as connection:
                connection.exec_driver_sql(
                    "truncate core.portal_dossier_version, core.portal_pull, core.daily_portal_dossier, "
                    "core.observation, ops.load_batch, ops.landed_file cascade"
                )
            forget_peak()
            whole.append(ours(engine, Path(folder) / f"landing{run}"))
            peaks.append(peak_mb())
            # The next pull of a day that has not changed.
            again.append(ours(engine, Path(folder) / f"landing{run}").sum(axis=0))
            pages_folder = Path(folder) / f"bare{run}"
            pages_folder.mkdir()
            started = now()
            assert bare_loop(port, page_count, pages_folder) == count
            bare.append(now() - started)
    server.kill()
    # Of each figure the least of the rounds.
    best, least, next_time = (np.min(rounds_of, axis=0) for rounds_of in (whole, bare, again))
    ratios = sorted(one.sum(axis=0)[0] / other[0] for one, other in zip(whole, bare, strict=True))
    size = sum(map(len, make_pages(min(count, SIZE)))) / min(count, SIZE)
    print(f"{count} dossiers of {size:.0f} bytes in {page_count} pages, {rounds} rounds in turns")
    print(f"{'':<30}  wall  processor")
    print(f"{'bare loop':<30}{least[0]:6.2f}  {least[1]:6.2f} s")
    total = np.min([one.sum(axis=0) for one in whole], axis=0)
    print(
        f"{'ours':<30}{total[0]:6.2f}  {total[1]:6.2f} s   {total[0] / least[0]:.1f} x, {total[1] / least[1]:.1f} x"
    )
    print(f"  of the rounds               {', '.join(f'{ratio:.1f} x' for ratio in ratios)}")
    for name, seconds in zip(names, best, strict=True):
        print(f"  {name:<28}{seconds[0]:6.2f}  {seconds[1]:6.2f} s")
    print(f"{'the same pull again':<30}{next_time[0]:6.2f}  {next_time[1]:6.2f} s")
    # Of the first round: afterwards the process also keeps what the loop took.
    print(f"{'peak memory':<30}{peaks[0]:6.0f} MB")


if __name__ == "__main__":
    main()
