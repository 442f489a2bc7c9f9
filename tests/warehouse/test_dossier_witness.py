"""Two witnesses of one figure: what a unit reports of its dossiers, beside what the portals show."""

from datetime import date

import pytest
import sqlalchemy as sa

from directive_etl.warehouse.declared import sync_declared

DAY = date(2020, 8, 20)
UNIT = "STTTT"


def put(connection: sa.Connection, reported: int | None, by_system: dict[str, int]) -> None:
    batch = connection.execute(
        sa.text("""
        insert into ops.load_batch (source_code, part_code, report_date, status_code, input_hash, known_at, read_count,
            loaded_count, refused_count, duplicate_count, unchanged_count, critical_failed_count, warning_failed_count,
            reason, code_version)
        values ('service_portal', 'x', :day, 'loaded', '', now(), 0, 0, 0, 0, 0, 0, 0, '', '') returning batch_id"""),
        {"day": DAY},
    ).scalar_one()
    if reported is not None:
        connection.execute(
            sa.text("""
            insert into core.observation (source_code, unit_code, measure_code, category_code, figure_date, value,
                obs_status, known_at, recorded_at, batch_id)
            values ('unit_report', :unit, 'dossier_received_count', '', :day, :value, 'A', now(), now(), :batch)"""),
            {"unit": UNIT, "day": DAY, "value": reported, "batch": batch},
        )
    for system_code, count in by_system.items():
        connection.execute(
            sa.text("""
            insert into core.portal_pull (system_code, report_date, known_at, window_from, window_to, is_proven, doubt,
                seen_keys, batch_id)
            values (:system, :day, now(), now(), now(), true, '', '', :batch)"""),
            {"system": system_code, "day": DAY, "batch": batch},
        )
        counts = "received_count, received_online_count, in_process_count"
        others = (
            "received_in_person_count, received_post_count, carried_over_count, processed_count, "
            "processed_early_count, processed_on_time_count, processed_late_count, in_process_overdue_count, "
            "paused_count, returned_count"
        )
        zeros = ", ".join("0" for _ in others.split(","))
        connection.execute(
            sa.text(f"""
            insert into core.daily_portal_dossier (report_date, system_code, unit_code, procedure_code, service_level,
                {counts}, {others}, batch_id)
            values (:day, :system, :unit, '1.001193', 3, :n, :n, :n, {zeros}, :batch)"""),
            {"day": DAY, "system": system_code, "unit": UNIT, "n": count, "batch": batch},
        )


@pytest.mark.parametrize(
    ("reported", "by_system", "row"),
    [
        (100, {"one_stop": 60, "city_portal": 40}, (100, 100, 0, 5, True)),
        (105, {"one_stop": 100}, (105, 100, 5, 5, True)),
        (106, {"one_stop": 100}, (106, 100, 6, 5, False)),
        (94, {"one_stop": 100}, (94, 100, -6, 5, False)),
        # Few dossiers: the tolerance in dossiers holds.
        (5, {"one_stop": 3}, (5, 3, 2, 2, True)),
        (6, {"one_stop": 3}, (6, 3, 3, 2, False)),
        # A percentage of dossiers is rounded up.
        (64, {"one_stop": 61}, (64, 61, 3, 4, True)),
        (0, {"one_stop": 3}, (0, 3, -3, 2, False)),
    ],
)
def test_a_difference_beyond_the_tolerance_is_shown(reported, by_system, row, warehouse, reader):
    with warehouse.begin() as connection:
        sync_declared(connection)
        put(connection, reported, by_system)
    with reader.connect() as connection:
        found = connection.execute(
            sa.text("""
            select reported_count, portal_count, difference_count, tolerance_count, is_within_tolerance
            from reporting.dossier_witness_daily where unit_code = :unit and report_date = :day"""),
            {"unit": UNIT, "day": DAY},
        ).all()
    assert [tuple(one) for one in found] == [row]


@pytest.mark.parametrize(("reported", "by_system"), [(None, {"one_stop": 5}), (5, {})])
def test_one_witness_alone_makes_no_row(reported, by_system, warehouse, reader):
    with warehouse.begin() as connection:
        sync_declared(connection)
        put(connection, reported, by_system)
    with reader.connect() as connection:
        assert (
            connection.execute(sa.text("select count(*) from reporting.dossier_witness_daily")).scalar() == 0
        )
