"""The dossiers' truth is recounted here from the portals' files, pull by pull, one dossier at a time."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import orjson
import pandas as pd
import phonenumbers
import pytest

from directive_etl.demo_city.dossiers import DossierSimulation, simulate_dossiers, write_dossiers
from directive_etl.demo_city.portal_server import FAULT_KINDS
from directive_etl.periods import LOCAL_ZONE, day_end, day_start, days_between
from directive_etl.registry.procedures import procedures
from directive_etl.registry.units import units_on

DAYS = days_between(date(2020, 8, 18), date(2020, 8, 26))
SYSTEMS = ("national_portal", "city_portal", "one_stop")
UNIT_TYPES = ("so_ban_nganh", "ban_quan_ly_kcx_kcn", "ubnd_quan_huyen", "xa_phuong")
UNIT_CODES = sorted(unit.unit_code for unit in units_on(DAYS[0]) if unit.unit_type in UNIT_TYPES)
CHANNELS = {1: "in_person", 2: "online", 3: "post"}
CLOSED = {3, 7, 8, 9, 10}
FIELDS = {
    "dossier_code",
    "procedure_code",
    "unit_code",
    "channel",
    "received_at",
    "due_at",
    "finished_at",
    "returned_at",
    "status",
    "changed_at",
    "applicant_name",
    "applicant_phone",
    "applicant_address",
}
Record = dict[str, object]


@pytest.fixture(scope="module")
def simulation() -> DossierSimulation:
    return simulate_dossiers(11, DAYS, dossier_count=2_500)


@pytest.fixture(scope="module")
def records(
    simulation: DossierSimulation, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Record]]:
    demo = tmp_path_factory.mktemp("demo")
    write_dossiers(simulation, demo)
    return {
        code: [orjson.loads(line) for line in (demo / "portal" / f"{code}.jsonl").read_bytes().splitlines()]
        for code in SYSTEMS
    }


def moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text))


def day_of(text: object) -> date | None:
    return moment(text).date() if text else None


def list_of_pull(records: list[Record], pull_day: date) -> list[Record]:
    """What a portal sends: each dossier's last version that it shows and that changed in the asked window."""
    start = day_start(date(2020, 7, 1) if pull_day == DAYS[0] else pull_day - timedelta(days=2))
    last: dict[object, Record] = {}
    for record in sorted(records, key=lambda r: moment(r["changed_at"])):
        shown = moment(record.get("visible_from", record["changed_at"])) < day_end(pull_day)
        if shown and start <= moment(record["changed_at"]) < day_end(pull_day):
            last[record["dossier_code"]] = record
    return list(last.values())


def is_acceptable(record: Record) -> bool:
    try:
        received, finished = day_of(record["received_at"]), day_of(record["finished_at"])
    except ValueError:
        return False
    status = record["status"]
    return (
        record["unit_code"] in UNIT_CODES
        and record["procedure_code"] in {procedure.procedure_code for procedure in procedures()}
        and record["channel"] in CHANNELS
        and status in range(1, 11)
        and (received is not None or status in (1, 3, 7, 8))
        and not (status in CLOSED and received is not None and finished is None)
    )


@pytest.fixture(scope="module")
def known(records: dict[str, list[Record]]) -> dict[date, dict[tuple[str, object], dict[object, Record]]]:
    """By pull day: the acceptable versions of each dossier that this pull or one before it brought."""
    store: dict[tuple[str, object], dict[object, Record]] = defaultdict(dict)
    after = {}
    for pull_day in DAYS:
        for code in SYSTEMS:
            for record in list_of_pull(records[code], pull_day):
                if is_acceptable(record):
                    store[code, record["dossier_code"]][record["changed_at"]] = record
        after[pull_day] = {key: dict(versions) for key, versions in store.items()}
    return after


def states_on(store, day: date):
    """Yield the system and the state of each received dossier at the end of a day."""
    for (code, _), versions in store.items():
        past = [v for v in versions.values() if moment(v["changed_at"]) < day_end(day) and v["received_at"]]
        if past:
            yield code, max(past, key=lambda v: moment(v["changed_at"]))


def level_on(procedure_code: object, day: date) -> int:
    return next(
        p.service_level for p in procedures() if p.procedure_code == procedure_code and p.is_in_force(day)
    )


def count_dossier(state: Record, day: date) -> Counter[str]:
    """Count one dossier, as the definitions of the portals' statistics table say."""
    counts: Counter[str] = Counter()
    received, due, finished = (day_of(state[name]) for name in ("received_at", "due_at", "finished_at"))
    closed = finished if state["status"] in CLOSED else None
    if received == day:
        counts["received_count"] += 1
        counts[f"received_{CHANNELS[state['channel']]}_count"] += 1
    elif closed is None or closed >= day:
        counts["carried_over_count"] += 1
    if closed == day:
        counts["processed_count"] += 1
        timeliness = "on_time" if due is None or finished == due else "early" if finished < due else "late"
        counts[f"processed_{timeliness}_count"] += 1
    elif closed is None and state["status"] in (5, 6):
        counts["paused_count"] += 1
    elif closed is None:
        counts["in_process_count"] += 1
        counts["in_process_overdue_count"] += due is not None and due < day
    counts["returned_count"] += day_of(state["returned_at"]) == day
    return counts


def test_true_portal_daily_equals_a_recount_of_what_the_pulls_brought(simulation, known):
    rows = defaultdict(Counter)
    for day in DAYS:
        for code, state in states_on(known[DAYS[-1]], day):
            level = level_on(state["procedure_code"], day)
            rows[day, code, state["unit_code"], state["procedure_code"], level] += count_dossier(state, day)
    expected = {key: +counts for key, counts in rows.items() if +counts}
    got = simulation.true_portal_daily()
    keys = ["report_date", "system_code", "unit_code", "procedure_code", "service_level"]
    found = {
        tuple(row[key] for key in keys): +Counter({name: n for name, n in row.items() if name not in keys})
        for row in got.to_dict("records")
    }
    assert found == expected
    assert not got.duplicated(keys).any()


def figures_on(store, day: date) -> Counter[tuple[str, object, str]]:
    """Return the figures above zero: by system, unit and measure."""
    figures: Counter[tuple[str, object, str]] = Counter()
    for code, state in states_on(store, day):
        unit, counts = state["unit_code"], count_dossier(state, day)
        if level_on(state["procedure_code"], day) in (3, 4):
            figures[code, unit, "eligible_received_count"] += counts["received_count"]
            figures[code, unit, "eligible_received_online_count"] += counts["received_online_count"]
        figures[code, unit, "processed_count"] += counts["processed_count"]
        in_time = counts["processed_early_count"] + counts["processed_on_time_count"]
        figures[code, unit, "processed_in_time_count"] += in_time
        figures[code, unit, "in_process_overdue_count"] += counts["in_process_overdue_count"]
        if state["status"] in CLOSED and DAYS[0] <= day_of(state["finished_at"]) <= day:
            figures[code, unit, "processed_to_date_count"] += 1
            returned = day_of(state["returned_at"])
            figures[code, unit, "returned_to_date_count"] += returned is not None and returned <= day
    return +figures


def test_every_revision_of_the_observations_equals_a_recount_pull_by_pull(simulation, known):
    got = simulation.true_observations()
    assert set(got["unit_code"]) == set(UNIT_CODES)
    assert set(got["obs_status"]) == {"A"}
    by_day = dict(list(got.groupby("figure_date")))
    for day in DAYS:
        current: dict[tuple[str, str, str], int] = {}
        for pull_day in (d for d in DAYS if d >= day):
            answered = pd.Timestamp(datetime.combine(pull_day + timedelta(days=1), time(5), LOCAL_ZONE))
            for row in by_day[day][by_day[day]["known_at"] == answered].itertuples(index=False):
                key = (row.category_code, row.unit_code, row.measure_code)
                assert current.get(key) != row.value, "a row stands only where the value changes"
                current[key] = row.value
            assert +Counter(current) == figures_on(known[pull_day], day), (day, pull_day)
            assert len(current) == 7 * len(UNIT_CODES) * len(SYSTEMS), "zeros are figures too"


def test_versions_shown_late_revise_days_already_counted(simulation):
    got = simulation.true_observations()
    revised = got[got.duplicated(["unit_code", "measure_code", "category_code", "figure_date"])]
    assert {"processed_count", "returned_to_date_count"} <= set(revised["measure_code"])


def test_the_pull_account_equals_a_count_of_the_lists(simulation, records):
    account = simulation.true_pull_account().set_index(["system_code", "report_date"])
    for code in SYSTEMS:
        for day in DAYS:
            sent = list_of_pull(records[code], day)
            refused = sum(not is_acceptable(record) for record in sent)
            row = account.loc[code, day]
            assert (row["record_count"], row["refused_count"]) == (len(sent), refused), (code, day)
    assert account["refused_count"].sum() > 0
    assert account["late_count"].sum() > 0


def test_carried_over_and_received_are_processed_in_process_or_paused(simulation):
    daily = simulation.true_portal_daily()
    came = daily["carried_over_count"] + daily["received_count"]
    assert (came == daily["processed_count"] + daily["in_process_count"] + daily["paused_count"]).all()
    assert (daily[["processed_late_count", "in_process_overdue_count", "paused_count"]].sum() > 0).all()


def test_a_dossier_moves_forward_in_one_system_and_stays_closed(records):
    systems = defaultdict(set)
    for code in SYSTEMS:
        courses = defaultdict(list)
        for record in filter(is_acceptable, records[code]):
            systems[record["dossier_code"]].add(code)
            courses[record["dossier_code"]].append(record)
        for course in courses.values():
            changes = [moment(record["changed_at"]) for record in course]
            assert all(before < after for before, after in pairwise(changes))
            is_closed = [record["status"] in CLOSED for record in course]
            assert is_closed == sorted(is_closed)
            for record in course:
                assert "visible_from" not in record or moment(record["visible_from"]) > moment(
                    record["changed_at"]
                )
    assert all(len(codes) == 1 for codes in systems.values())


def test_records_have_the_agreed_fields_and_every_status_occurs(records):
    every = [record for code in SYSTEMS for record in records[code]]
    assert {frozenset(record.keys() - {"visible_from"}) for record in every} == {frozenset(FIELDS)}
    assert {record["status"] for record in every if is_acceptable(record)} == set(range(1, 11))
    assert {record["channel"] for record in every if is_acceptable(record)} == set(CHANNELS)
    assert any(record["received_at"] and record["due_at"] is None for record in every)
    assert all(record["received_at"] is None for record in every if record["status"] == 1)


def test_applicants_have_generated_mobile_numbers_that_are_all_listed(simulation, records):
    numbers = simulation.true_phone_numbers()
    written = {
        "".join(filter(str.isdigit, str(record["applicant_phone"])))[-9:]
        for code in SYSTEMS
        for record in records[code]
    }
    assert written == numbers
    for number in sorted(numbers)[::50]:
        assert phonenumbers.is_valid_number(phonenumbers.parse(f"+84{number}")), number


def test_the_servers_faults_are_known_kinds_on_pages_that_exist(tmp_path: Path):
    simulation = simulate_dossiers(5, DAYS, dossier_count=9_000)
    write_dossiers(simulation, tmp_path)
    plan = orjson.loads((tmp_path / "portal" / "faults.json").read_bytes())
    account = simulation.true_pull_account().set_index(["system_code", "report_date"])
    assert {fault["kind"] for fault in plan} >= {
        "truncated",
        "session_expired",
        "http_503",
        "duplicate_page",
    } - {"duplicate_page"}
    for fault in plan:
        assert fault["kind"] in FAULT_KINDS
        sent = account.loc[fault["system_code"], date.fromisoformat(fault["day"])]["record_count"]
        assert (fault["page"] - 1) * 500 < sent
    assert account["unreadable_page_count"].sum() == sum(f["times"] for f in plan if f["kind"] == "truncated")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path):
    contents = []
    for number, seed in enumerate((3, 3, 4)):
        paths = write_dossiers(simulate_dossiers(seed, DAYS[:3], dossier_count=200), tmp_path / str(number))
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1] != contents[2]


def test_days_before_the_first_submissions_are_refused():
    with pytest.raises(ValueError, match="after 2020-07-15"):
        simulate_dossiers(1, [date(2020, 7, 1)])
