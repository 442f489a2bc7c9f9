"""Reading landed pages: types, duplicates, and records refused without telling who they are about."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from directive_etl.errors import SourceChangedError
from directive_etl.keyed_hash import keyed_hash
from directive_etl.landing import land_bytes
from directive_etl.periods import LOCAL_ZONE
from directive_etl.quality import RowAccount
from directive_etl.registry.systems import system, systems
from directive_etl.sources.service_portal.extract import pull_day
from directive_etl.sources.service_portal.faults import show_key
from directive_etl.sources.service_portal.read import VERSION_COLUMNS, judge_pages, read_pages
from directive_etl.sources.service_portal.records import PageRecords, local_sql

KEY = "key-of-the-tests"
DUCKDB = duckdb.connect(config={"threads": 1})
PHONE = re.compile(r"(?:\+?84|0)[\s.]?\d[\d\s.]{7,}")


def a_record(**changes: object) -> dict[str, object]:
    """One dossier as the city portal sends it."""
    return {
        "MaHoSo": "000.00.19.H13-200820-0001",
        "MaTTHC": "1.001193",
        "DonViXuLy": "31117",
        "KenhThucHien": "2",
        "TrangThaiHoSo": "4",
        "NgayTiepNhan": "20/08/2020 08:00:00",
        "NgayHenTra": "25/08/2020 17:00:00",
        "NgayKetThucXuLy": "",
        "NgayTra": "",
        "NgayCapNhat": "20/08/2020 08:05:00",
        "ChuHoSo": "Nguyễn Thị Thử",
        "SoDienThoai": "0909000001",
        "DiaChiChuHoSo": "1 Đường Thử",
    } | changes


@pytest.fixture
def read(land_records, day):
    """Read records as pages of the city portal."""

    def read_records(*pages: list[object]):
        declared = system("city_portal")
        files = [land_records(declared, records, number) for number, records in enumerate(pages, start=1)]
        return read_pages(files, declared, hash_key=KEY, day=day)

    return read_records


@pytest.mark.parametrize("system_code", [declared.system_code for declared in systems()])
def test_the_three_dialects_read_as_the_same_versions(system_code, open_portal, a_version, day, tmp_path):
    closed = {
        "status": 10,
        "finished_at": "2020-08-20T23:59:59+07:00",
        "returned_at": "2020-08-21T00:00:00+07:00",
    }
    versions = [
        a_version(status=1, received_at=None, due_at=None),
        a_version(channel=1, status=5),
        a_version(
            channel=3,
            received_at="2020-08-03T00:00:00+07:00",
            changed_at="2020-08-20T23:59:59+07:00",
            **closed,
        ),
    ]
    client, declared = open_portal(system_code, versions)
    pages = read_pages(
        pull_day(client, declared, day, tmp_path, False).files, declared, hash_key=KEY, day=day
    )
    assert pages.refused.empty
    assert pages.versions.columns.tolist() == VERSION_COLUMNS
    assert pages.versions["dossier_key"].tolist() == [keyed_hash(KEY, v["dossier_code"]) for v in versions]
    expected = [
        (2, 1, None, None, None, None),
        (1, 5, date(2020, 8, 20), date(2020, 8, 25), None, None),
        (3, 10, date(2020, 8, 3), date(2020, 8, 25), date(2020, 8, 20), date(2020, 8, 21)),
    ]
    columns = ["channel_code", "status_code", "received_date", "due_date", "finished_date", "returned_date"]
    found = pages.versions[columns].astype(object).where(pages.versions[columns].notna(), None)
    days = [
        [value.date() if isinstance(value, pd.Timestamp) else value for value in row] for row in found.values
    ]
    assert list(map(tuple, days)) == expected
    assert pages.versions["changed_at"].iloc[-1] == datetime(2020, 8, 20, 16, 59, 59, tzinfo=UTC)
    assert set(pages.versions["known_at"]) == {pd.Timestamp("2020-08-20T22:00:00Z")}
    assert set(pages.versions["system_code"]) == {system_code}


@pytest.mark.parametrize("status", range(1, 11))
def test_the_counters_own_status_is_kept_beside_the_national_one(
    status, open_portal, a_version, day, tmp_path
):
    finished = "2020-08-20T10:00:00+07:00"
    client, declared = open_portal(
        "one_stop", [a_version(status=status, finished_at=finished) for _ in range(8)]
    )
    pages = read_pages(
        pull_day(client, declared, day, tmp_path, False).files, declared, hash_key=KEY, day=day
    )
    assert set(pages.versions["status_code"]) == {status}
    assert {declared.status_map[source] for source in pages.versions["source_status"]} == {status}


def test_the_same_record_twice_is_one_version_and_one_duplicate(read):
    pages = read([a_record()], [a_record()])
    assert (len(pages.versions), pages.duplicate_count, pages.read_count) == (1, 1, 2)
    assert pages.versions["known_at"][0] == datetime(2020, 8, 21, 5, 0, 1, tzinfo=LOCAL_ZONE)


def test_another_name_of_the_applicant_makes_no_other_version(read):
    assert read([a_record(), a_record(ChuHoSo="Trần Văn Thử")]).duplicate_count == 1


def test_one_change_with_two_contents_is_refused_altogether(read):
    pages = read([a_record(), a_record(TrangThaiHoSo="5"), a_record(), a_record(MaHoSo="another")])
    assert len(pages.versions) == 1
    assert pages.refused["reason_code"].tolist() == ["contradictory_version"] * 3


def test_two_changes_of_one_dossier_are_two_versions(read):
    assert len(read([a_record(), a_record(NgayCapNhat="20/08/2020 09:00:00")]).versions) == 2


@pytest.mark.parametrize(
    ("changes", "reason_code", "shown"),
    [
        ({"MaHoSo": ""}, "missing_field", "MaHoSo="),
        ({"MaHoSo": None}, "missing_field", "MaHoSo="),
        ({"MaTTHC": ""}, "missing_field", "MaTTHC="),
        ({"DonViXuLy": " "}, "missing_field", "DonViXuLy="),
        ({"NgayCapNhat": ""}, "missing_field", "NgayCapNhat="),
        ({"NgayCapNhat": "20/08/2020"}, "bad_date", "NgayCapNhat=20/08/2020"),
        ({"NgayCapNhat": "20200820080500"}, "bad_date", "NgayCapNhat=***"),
        ({"NgayTiepNhan": "31/02/2020 08:00:00"}, "bad_date", "NgayTiepNhan=31/02/"),
        ({"NgayTiepNhan": "8/20/2020 08:00:00"}, "bad_date", "NgayTiepNhan=8/20/"),
        ({"NgayHenTra": "hôm nay"}, "bad_date", "NgayHenTra=(text of 7 characters)"),
        ({"NgayKetThucXuLy": {"at": 1}}, "bad_date", "NgayKetThucXuLy=(text of"),
        ({"NgayTra": "20/08/2020 24:00:00"}, "bad_date", "NgayTra=20/08/"),
        ({"TrangThaiHoSo": "11"}, "unknown_status", "TrangThaiHoSo=11"),
        ({"KenhThucHien": "4"}, "unknown_channel", "KenhThucHien=4"),
        ({"DonViXuLy": "99999"}, "unknown_unit", "DonViXuLy=99999"),
        ({"DonViXuLy": "Nguyễn Văn Nhầm"}, "unknown_unit", "DonViXuLy=(text of 15 characters)"),
        ({"DonViXuLy": "0909 123 456"}, "unknown_unit", "DonViXuLy=(text of 12 characters)"),
        ({"DonViXuLy": "0909123456"}, "unknown_unit", "DonViXuLy=***"),
        ({"MaTTHC": "9.999999"}, "unknown_procedure", "MaTTHC=***"),
        ({"NgayTiepNhan": ""}, "missing_received_date", "TrangThaiHoSo=4"),
        ({"TrangThaiHoSo": "9"}, "missing_finished_date", "TrangThaiHoSo=9"),
        ({"NgayKetThucXuLy": "19/08/2020 08:00:00"}, "finished_before_received", "NgayKetThucXuLy=19/08/"),
        ({"NgayCapNhat": "21/08/2020 00:00:00"}, "outside_window", "NgayCapNhat=21/08/"),
    ],
)
def test_a_record_is_refused_with_its_place_and_faulty_field_only(changes, reason_code, shown, read):
    pages = read([a_record(MaHoSo="whole")], [a_record(MaHoSo="whole too"), a_record(**changes)])
    assert len(pages.versions) == 2
    [refused] = pages.refused.to_dict("records")
    assert (refused["place"], refused["reason_code"]) == ("page 2 record 2", reason_code)
    code = changes.get("MaHoSo", "000.00.19.H13-200820-0001") or ""
    assert refused["content"].startswith(f"{show_key(keyed_hash(KEY, code))}; {shown}")
    assert refused["reason"].endswith(".")
    assert not any(secret in str(refused) for secret in ("Nguyễn", "0909", "Đường", "H13-200820"))
    assert not PHONE.search(refused["content"])


def test_a_ward_is_known_by_the_day_of_the_change(read):
    """Ward 31132 was merged away on 1 March 2020."""
    assert read([a_record(DonViXuLy="31132")]).refused["reason_code"].tolist() == ["unknown_unit"]


def test_all_faults_of_a_record_are_told_at_once(read):
    [refused] = read([a_record(TrangThaiHoSo="0", NgayHenTra="?", MaTTHC="x")]).refused.to_dict("records")
    assert refused["reason_code"] == "bad_date"
    assert all(name in refused["reason"] for name in ("NgayHenTra", "TrangThaiHoSo", "MaTTHC"))


@pytest.mark.parametrize("record", ["text", 7, None, ["list"], 0.5])
def test_what_is_no_object_is_refused(record, read):
    [refused] = read([record, a_record()]).refused.to_dict("records")
    assert (refused["place"], refused["reason_code"]) == ("page 1 record 1", "not_a_record")


@pytest.mark.parametrize("status", ["1", "3", "7", "8"])
def test_what_may_end_before_it_is_received_needs_no_date_of_receipt(status, read):
    pages = read([a_record(TrangThaiHoSo=status, NgayTiepNhan="")])
    assert pages.refused.empty
    assert pages.versions["received_date"].isna().all()


def test_numbers_are_taken_as_their_digits(read):
    assert read([a_record(TrangThaiHoSo=4, KenhThucHien=2, DonViXuLy=31117)]).refused.empty


def test_a_day_without_changes_reads_as_nothing(read):
    pages = read([])
    assert (len(pages.versions), len(pages.refused), pages.read_count) == (0, 0, 0)
    assert pages.versions.columns.tolist() == VERSION_COLUMNS
    assert str(pages.versions["changed_at"].dtype) == "datetime64[us, UTC]"


def test_the_order_of_pages_makes_no_difference(land_records, day):
    declared = system("city_portal")
    records = [a_record(MaHoSo=f"code {n}", NgayCapNhat=f"20/08/2020 08:00:{n:02d}") for n in range(20)]
    files = [land_records(declared, records[n : n + 7], n + 1) for n in range(0, 20, 5)]
    forward = read_pages(files, declared, hash_key=KEY, day=day)
    backward = read_pages(files[::-1], declared, hash_key=KEY, day=day)
    pd.testing.assert_frame_equal(forward.versions, backward.versions)
    assert forward.duplicate_count == backward.duplicate_count == 6


def test_a_file_that_is_no_page_is_named(land_records, day, tmp_path):
    file = land_records(system("one_stop"), [], 1)
    with pytest.raises(SourceChangedError, match="service_portal one_stop 2020-08-20 page 1"):
        read_pages([file], system("city_portal"), hash_key=KEY, day=day)


def test_a_dossiers_key_is_eight_bytes_of_a_keyed_hash():
    # (printf key-of-the-tests | openssl dgst -sha256 -binary; printf CODE) | openssl dgst -sha256, the first 16 digits
    assert (
        keyed_hash(KEY, "000.00.19.H13-200820-0001").to_bytes(8, "big", signed=True).hex()
        == "0d973f8a1302177c"
    )
    assert keyed_hash(KEY, "a") != keyed_hash("another key", "a")
    assert -(2**63) <= keyed_hash(KEY, "a") < 2**63


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_shown_key_never_looks_like_a_number(key):
    shown = show_key(key)
    assert not re.search(r"\d{6}", shown)
    digits = shown.removeprefix("dossier ").replace(":", "")
    assert int.from_bytes(bytes.fromhex(digits), "big", signed=True) == key


def read_local(text: str, formats: Sequence[str]) -> datetime | None:
    query = f"SELECT {local_sql('text', formats)} FROM (SELECT $text AS text)"
    [(local,)] = DUCKDB.execute(query, {"text": text}).fetchall()
    return local


@pytest.mark.parametrize(
    ("form", "text", "local"),
    [
        # Some systems write Z after a time that is local; only %z makes it an offset.
        ("%Y-%m-%dT%H:%M:%SZ", "2020-08-20T05:00:00Z", "2020-08-20 05:00:00"),
        ("%Y-%m-%dT%H:%M:%S.%fZ", "2020-08-20T05:00:00.250Z", "2020-08-20 05:00:00.250"),
        ("%Y-%m-%dT%H:%M:%S%z", "2020-08-20T05:00:00Z", "2020-08-20 12:00:00"),
        ("%Y-%m-%dT%H:%M:%S%z", "2020-08-20T05:00:00-01:30", "2020-08-20 13:30:00"),
        ("%Y-%m-%dT%H:%M:%S%z", "2020-08-20T05:00:00+0700", "2020-08-20 05:00:00"),
        ("%d/%m/%Y", "20/08/2020", "2020-08-20 00:00:00"),
        ("%Y-%m-%dT%H:%M:%SZ", "2020-08-20T05:00:00", None),
        ("%Y-%m-%dT%H:%M:%S%z", "2020-08-20T05:00:00", None),
        ("%d/%m/%Y", "2/8/2020", None),
        ("%d/%m/%Y", "20/08/0000", None),
        ("%d/%m/%Y", "01/01/0001", None),
        ("%d/%m/%Y", "01/01/0002", "0002-01-01 00:00:00"),
        ("%d/%m/%Y", "01/01/0100", "0100-01-01 00:00:00"),
        ("%d/%m/%Y", "01/01/9999", "9999-01-01 00:00:00"),
        ("%d/%m/%Y", "20/08/2020 ", None),
        ("%Y%m%d%H%M%S", "20200820250000", None),
    ],
)
def test_a_time_is_read_exactly_in_its_declared_form_or_not_at_all(form, text, local):
    assert read_local(text, [form]) == (local and datetime.fromisoformat(local))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, LOCAL_ZONE)))
@pytest.mark.parametrize("declared", systems(), ids=lambda declared: declared.system_code)
def test_every_moment_survives_the_forms_of_a_system(declared, moment):
    found = {read_local(moment.strftime(form), declared.date_formats) for form in declared.date_formats}
    assert found == {moment.replace(tzinfo=None)}


_fields = st.sampled_from(
    ["MaHoSo", "MaTTHC", "DonViXuLy", "KenhThucHien", "TrangThaiHoSo", "NgayTiepNhan", "NgayCapNhat"]
)
_values = (
    st.none()
    | st.text(max_size=20)
    | st.integers()
    | st.floats()
    | st.lists(st.integers(), max_size=2)
    | st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(faults=st.lists(st.dictionaries(_fields, _values, max_size=4), max_size=12))
def test_whatever_is_sent_no_record_is_lost(faults, tmp_path_factory):
    records = [a_record(MaHoSo=f"code {n // 2}") | fault for n, fault in enumerate(faults)]
    content = (
        json.dumps({"ketQua": records})
        .replace("NaN", "null")
        .replace("-Infinity", "0")
        .replace("Infinity", "0")
        .encode()
    )
    root = tmp_path_factory.mktemp("landing")
    known_at = datetime(2020, 8, 20, 22, tzinfo=UTC)
    file = land_bytes(
        root, "service_portal", "city_portal", date(2020, 8, 20), content, "/list page 1", known_at
    )
    pages = read_pages([file], system("city_portal"), hash_key=KEY, day=date(2020, 8, 20))
    loaded, refused = len(pages.versions), len(pages.refused)
    RowAccount(read=pages.read_count, loaded=loaded, refused=refused, duplicate=pages.duplicate_count)
    assert pages.read_count == len(records)


def test_a_page_that_is_read_ahead_reads_the_same(land_records, day):
    declared = system("city_portal")
    records = [a_record(MaHoSo=f"code {n}", NgayCapNhat=f"20/08/2020 08:00:{n:02d}") for n in range(40)]
    files = [land_records(declared, [record, {"MaHoSo": ""}], n) for n, record in enumerate(records, start=1)]
    with PageRecords(declared, KEY) as begun:
        for file in (*files[::-1], *files):
            begun.read_ahead(file)
        ahead = judge_pages(begun, files, day)
    after = read_pages(files, declared, hash_key=KEY, day=day)
    pd.testing.assert_frame_equal(ahead.versions, after.versions)
    pd.testing.assert_frame_equal(ahead.refused, after.refused)
    assert (ahead.read_count, sorted(ahead.seen_keys)) == (80, sorted(after.seen_keys))


def test_a_page_that_is_read_ahead_and_not_wanted_counts_nowhere(land_records, day):
    """Also one that cannot be read: the others of the same batch are read without it."""
    declared = system("city_portal")
    wanted = land_records(declared, [a_record()], 1)
    moved = land_records(declared, [a_record(MaHoSo="moved")], 2)
    no_page = land_records(system("one_stop"), [], 3)
    with PageRecords(declared, KEY) as begun:
        for file in (moved, no_page, wanted):
            begun.read_ahead(file)
        pages = judge_pages(begun, [wanted], day)
    assert (pages.read_count, len(pages.versions), len(pages.seen_keys)) == (1, 1, 1)


def test_a_page_that_cannot_be_read_is_named_also_when_it_was_read_ahead(land_records, day):
    declared = system("city_portal")
    files = [land_records(declared, [a_record()], 1), land_records(system("one_stop"), [], 2)]
    with PageRecords(declared, KEY) as begun:
        for file in files:
            begun.read_ahead(file)
        with pytest.raises(SourceChangedError, match="2020-08-20 page 2: the landed file"):
            judge_pages(begun, files, day)
