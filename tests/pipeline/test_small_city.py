"""The steps of the pipeline on a small city: order, clocks, late files and failures do no harm.

That running a day again writes nothing is seen on the whole city (tests/e2e).
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from tests.e2e.comparing import differences
from tests.pipeline.conftest import LONG_AFTER, Run, content, empty, truth
from tests.pipeline.steps import start

DAYS = ["2020-08-18", "2020-08-19"]
ALL = [(source, day) for day in DAYS for source in ("sms_log", "service_portal", "unit_report")]
CLOSES = [("daily_close", day) for day in DAYS]
KEY = ["indicator_code", "unit_code", "report_date"]

pytestmark = pytest.mark.slow


def progress(engine: sa.Engine) -> pd.DataFrame:
    return pd.read_sql("select * from reporting.directive_progress_daily", engine)


def assert_true(engine: sa.Engine, home: Path) -> None:
    different = differences(truth(home, "progress"), progress(engine), KEY)
    assert different.empty, different.head(20).to_string()


def test_the_clock_of_the_machine_plays_no_part_in_any_figure(
    run: Run, reader: sa.Engine, owner_engine: sa.Engine, small_city: Path
):
    run(ALL + CLOSES, clock="2020-08-19T03:00:00+07:00")
    early = content(owner_engine)
    assert_true(reader, small_city)
    empty(owner_engine)

    run(ALL + CLOSES, clock="2031-01-15T12:00:00+07:00")

    assert content(owner_engine) == early


def test_a_drop_day_is_published_only_when_all_its_operators_are_counted(run: Run, owner_engine: sa.Engine):
    first, second = DAYS

    def reach_revisions() -> list[tuple[object, ...]]:
        query = sa.text(
            "select measure_code, figure_date, known_at, value from core.observation"
            " where measure_code in ('sms_reached_subscriber_count', 'sms_subscriber_count', 'sms_wave_count')"
            " order by 1, 2, 3, 4"
        )
        with owner_engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    run([("sms_log", first), ("sms_log", second)])
    in_order = reach_revisions()
    empty(owner_engine)

    run([("count mobifone", second), ("sms_log", first), ("sms_log", second)])

    assert reach_revisions() == in_order != []


def test_a_kill_at_any_point_leaves_nothing_half_done_and_the_days_may_come_in_any_order(
    run: Run, city: Path, reader: sa.Engine, small_city: Path, owner_engine: sa.Engine
):
    for seconds in (0.5, 1.5, 3.0):
        process = start(dict(os.environ), city, LONG_AFTER, ALL, city / "errors.txt")
        while os.getpgid(process.pid) != process.pid:  # it leads its group once it is at work
            time.sleep(0.01)
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
    steps = list(ALL)
    random.Random(2).shuffle(steps)

    run(steps + CLOSES)

    assert_true(reader, small_city)
    # What units reported of their dossiers stands beside what the portals show, right or wrong.
    expected = truth(small_city, "true_dossier_witness")
    found = pd.read_sql("select * from reporting.dossier_witness_daily", reader)
    different = differences(expected, found, ["unit_code", "report_date", "measure_code"])
    assert different.empty, different.head(20).to_string()
    assert set(found["is_within_tolerance"]) == {True, False}
    with owner_engine.connect() as connection:
        lost = sa.text(
            "select count(*) from core.observation o left join ops.load_batch b using (batch_id) where b is null"
        )
        assert connection.execute(lost).scalar() == 0


def test_a_log_that_comes_late_into_an_old_folder_is_counted_and_accounted_for(
    run: Run, city: Path, reader: sa.Engine, small_city: Path, owner_engine: sa.Engine, tmp_path: Path
):
    drop = city / "drop"
    drop.unlink()
    shutil.copytree(small_city / "drop", drop)
    late = min((drop / "sms/viettel" / DAYS[0]).iterdir())  # not the newest: the time known stays the same
    kept = tmp_path / late.name
    shutil.move(late, kept)
    run(ALL)
    shutil.move(kept, late)

    run([("sms_log", DAYS[1]), *CLOSES])

    assert_true(reader, small_city)
    accounts = pd.read_sql(
        "select distinct on (part_code, report_date) part_code as operator_code, report_date, read_count,"
        " loaded_count, refused_count, duplicate_count from ops.load_batch"
        " where source_code = 'sms_log' order by part_code, report_date, batch_id desc",
        owner_engine,
    )
    planted = truth(small_city, "true_row_account")[list(accounts.columns)]
    assert differences(planted, accounts, ["operator_code", "report_date"]).empty


def test_an_operator_without_logs_keeps_no_other_operator_out(
    run: Run, city: Path, small_city: Path, reader: sa.Engine
):
    drop = city / "drop"
    drop.unlink()
    shutil.copytree(small_city / "drop", drop)
    shutil.rmtree(drop / "sms/mobifone" / DAYS[0])

    errors = run([("sms_log", DAYS[0])], check=False)

    assert "mobifone" in errors
    assert DAYS[0] in errors
    counted = pd.read_sql("select distinct operator_code from reporting.sms_daily", reader)["operator_code"]
    assert set(counted) == {"viettel", "vinaphone", "vietnamobile"}
