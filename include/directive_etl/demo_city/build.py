"""Write everything the demo city sends, and the truth beside it."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from directive_etl.demo_city.city import City
from directive_etl.demo_city.dossiers import DossierSimulation, dossiers_between, write_dossiers
from directive_etl.demo_city.report_files import start_writing, write_copies
from directive_etl.demo_city.report_truth import (
    pipeline_observations,
    report_observations,
    report_status,
    submissions_frame,
    typed_phone_numbers,
)
from directive_etl.demo_city.reports import simulate_reports
from directive_etl.demo_city.sms import simulate_sms, write_sms_logs
from directive_etl.demo_city.truth import progress_of
from directive_etl.demo_city.truth_tables import write_truth_table
from directive_etl.demo_city.witness_truth import true_witnesses
from directive_etl.periods import close_of


@dataclass(frozen=True)
class Channel:
    """What came through one channel, already written, and what is true of it.

    Attributes:
        file_count: files written.
        observations: every revision of its figures (revisions.OBSERVATION_COLUMNS).
        tables: further tables of the truth, by name.
        phone_numbers: every phone number in its files, 9 digits.
    """

    file_count: int
    observations: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    phone_numbers: set[str]


def build(home: Path, city: City, workers: int | None = None) -> dict[str, int]:
    """Write the drop, the inboxes, the portals' dossiers and the truth below `home`.

    Args:
        home: folder to write into; files of the same names are replaced.
        city: what to simulate.
        workers: processes that share the work; None for one per processor.

    Returns:
        How many of what was written, by name.
    """
    _dossiers(city)  # two need them: the portals, and the units that report how many they received
    with ProcessPoolExecutor(workers) as pool:
        awaited = [pool.submit(build_channel, home, city) for build_channel in (_build_sms, _build_dossiers)]
        submissions = simulate_reports(city)
        writing = start_writing(pool, submissions, home / "inbox")
        reported = [report_observations(submissions), pipeline_observations(city, submissions)]
        sms, portals = (channel.result() for channel in awaited)
        observations = _put_together([*reported, sms.observations, portals.observations])
        progress = {
            name: pool.submit(progress_of_days, observations, city.days, at_close=name == "progress_at_close")
            for name in ("progress", "progress_at_close")
        }
        inbox_count = sum(task.result() for task in writing) + write_copies(submissions, home / "inbox")
        tables = {
            "observations": observations,
            **{name: task.result() for name, task in progress.items()},
            "unit_report_status": report_status(city, submissions),
            "submissions": submissions_frame(submissions),
            **sms.tables,
            **portals.tables,
            "true_dossier_witness": true_witnesses(observations, portals.tables["true_portal_daily"]),
        }
    truth = home / "demo" / "truth"
    for name, frame in tables.items():
        write_truth_table(frame, name, truth)
    phone_numbers = sorted(sms.phone_numbers | portals.phone_numbers | typed_phone_numbers(submissions))
    (truth / "phone_numbers.txt").write_text("".join(f"{number}\n" for number in phone_numbers))
    return {
        "files in drop/sms": sms.file_count,
        "files in demo/portal": portals.file_count,
        "files in inbox": inbox_count,
        **{f"rows of truth: {name}": len(frame) for name, frame in tables.items()},
    }


def progress_of_days(observations: pd.DataFrame, days: list[date], *, at_close: bool) -> pd.DataFrame:
    """Compute the progress of several days (truth.progress_of).

    Args:
        observations: of all sources.
        days: the days to judge.
        at_close: each day as known at its own close; otherwise as known in the end.
    """
    return pd.concat(
        [progress_of(observations, day, close_of(day) if at_close else None) for day in days],
        ignore_index=True,
    )


def _build_sms(home: Path, city: City) -> Channel:
    sms = simulate_sms(city.seed, city.days, city.subscriber_count)
    return Channel(
        file_count=len(write_sms_logs(sms, home / "drop" / "sms")),
        observations=sms.true_observations(),
        tables={
            "true_sms_daily": sms.true_sms_daily(),
            "true_sms_reach": sms.true_sms_reach(),
            "true_row_account": sms.true_row_account(),
        },
        phone_numbers=sms.true_phone_numbers(),
    )


def _build_dossiers(home: Path, city: City) -> Channel:
    dossiers = _dossiers(city)
    return Channel(
        file_count=len(write_dossiers(dossiers, home / "demo")),
        observations=dossiers.true_observations(),
        tables={
            "true_portal_daily": dossiers.true_portal_daily(),
            "true_pull_account": dossiers.true_pull_account(),
        },
        phone_numbers=dossiers.true_phone_numbers(),
    )


def _dossiers(city: City) -> DossierSimulation:
    return dossiers_between(city.seed, city.first_day, city.last_day, city.dossier_count)


def _put_together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the observations of all sources together, with one kind of time."""
    with_times = [part.assign(known_at=pd.to_datetime(part["known_at"], utc=True)) for part in parts]
    return pd.concat([part.astype({"value": object}) for part in with_times], ignore_index=True)
