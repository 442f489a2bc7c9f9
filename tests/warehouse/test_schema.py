"""The warehouse as others see it: views with their columns, comments, rights."""

import pytest
import sqlalchemy as sa

from directive_etl.warehouse.reporting import VIEWS
from directive_etl.warehouse.schema import alembic_config, migrate
from directive_etl.warehouse.tables import declared, metadata

PROGRESS = (
    "directive_number, clause_code, indicator_code, indicator_name_vi, indicator_name_en, unit_code, unit_name,"
    " unit_type, parent_unit_code, report_date, numerator, denominator, actual_value, target_value,"
    " is_target_assumed, progress_pct, status_code, obs_status, due_date, days_overdue, is_late, revision_count,"
    " recorded_at"
)
# The public contract, word for word: a breaking change gets a new view name.
CONTRACT = {
    "directive_progress_daily": PROGRESS,
    "directive_progress_latest": PROGRESS,
    "sms_daily": (
        "report_date, operator_code, campaign_code, message_count, segment_count, delivered_count, failed_count,"
        " expired_count, rejected_count, pending_count, unknown_count, recipient_count, delivered_recipient_count,"
        " delivered_pct, latency_p50_seconds, latency_p95_seconds, maturity"
    ),
    "sms_reach": (
        "campaign_code, report_date, reached_subscriber_count, subscriber_count, reach_pct, days_since_last_wave"
    ),
    "portal_daily": (
        "report_date, system_code, unit_code, procedure_code, service_level, received_count, received_online_count,"
        " received_in_person_count, received_post_count, carried_over_count, processed_count, processed_early_count,"
        " processed_on_time_count, processed_late_count, in_process_count, in_process_overdue_count, paused_count,"
        " returned_count"
    ),
    "portal_city_daily": (
        "report_date, received_count, received_online_count, received_in_person_count, received_post_count,"
        " carried_over_count, processed_count, processed_early_count, processed_on_time_count, processed_late_count,"
        " in_process_count, in_process_overdue_count, paused_count, returned_count, shared_dossier_count"
    ),
    "dossier_witness_daily": (
        "unit_code, unit_name, report_date, measure_code, reported_count, portal_count, difference_count,"
        " tolerance_count, is_within_tolerance"
    ),
    "unit_report_status_daily": (
        "unit_code, report_date, is_expected, due_at, received_at, status_code, revision_count, error_count,"
        " warning_count"
    ),
    "unit_total_daily": (
        "report_date, unit_code, measure_code, category_code, own_value, children_value, reported_child_count,"
        " expected_child_count, is_consistent"
    ),
    "data_freshness": "source_code, latest_complete_date, last_loaded_at, expected_by, is_stale",
    "load_quality_daily": (
        "source_code, report_date, read_count, loaded_count, refused_count, duplicate_count, unchanged_count,"
        " critical_failed_count, warning_failed_count"
    ),
}


@pytest.mark.parametrize("view", CONTRACT)
def test_a_reporting_view_has_exactly_the_columns_of_the_contract(reader: sa.Engine, view: str):
    columns = [column["name"] for column in sa.inspect(reader).get_columns(view, schema="reporting")]

    assert columns == CONTRACT[view].split(", ")


def test_the_contract_covers_every_view():
    assert set(CONTRACT) == set(VIEWS)


def test_every_view_and_view_column_has_a_comment(reader: sa.Engine):
    query = sa.text("""
        select c.relname, a.attname
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum >= 0
        where n.nspname = 'reporting' and c.relkind = 'v' and not a.attisdropped
          and (col_description(c.oid, a.attnum) is null or obj_description(c.oid) is null)
    """)
    with reader.connect() as connection:
        assert connection.execute(query).all() == []


def test_every_table_and_column_has_a_comment():
    without = [
        f"{table.fullname}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not column.comment
    ]

    assert without == []
    assert [table.fullname for table in metadata.sorted_tables if not table.comment] == []


def test_the_migrations_lead_to_the_declared_tables(owner_engine: sa.Engine):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: kind != "schema" or name in {"core", "ops"},
        "version_table_schema": "ops",
        "compare_type": True,
    }
    with owner_engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_migrating_again_changes_nothing_and_keeps_the_rights(owner_engine: sa.Engine, reader: sa.Engine):
    migrate(owner_engine)

    with reader.connect() as connection:
        assert (
            connection.execute(sa.text("select count(*) from reporting.directive_progress_daily")).scalar()
            == 0
        )


def test_the_planner_has_statistics_of_every_declared_table(owner_engine: sa.Engine):
    tables = [table.fullname for table in vars(declared).values() if isinstance(table, sa.Table)]
    query = sa.text(
        "select name from unnest(cast(:tables as text[])) name join pg_class on oid = name::regclass "
        "where reltuples < 0"
    )
    with owner_engine.connect() as connection:
        assert connection.execute(query, {"tables": tables}).scalars().all() == []


def test_the_migrations_can_be_undone_and_redone(owner_engine: sa.Engine):
    from alembic import command

    with owner_engine.begin() as connection:
        connection.exec_driver_sql("drop schema reporting cascade; drop function core.progress_at")
        command.downgrade(alembic_config(connection), "base")
        tables = sa.inspect(connection).get_table_names(schema="core") + sa.inspect(
            connection
        ).get_table_names("ops")
        assert set(tables) <= {"alembic_version"}
    migrate(owner_engine)


@pytest.mark.parametrize("schema", ["core", "ops"])
def test_the_reader_reads_nothing_outside_reporting(reader: sa.Engine, schema: str):
    names = [table.fullname for table in metadata.sorted_tables if table.schema == schema]
    for name in names:
        with (
            reader.connect() as connection,
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        ):
            connection.execute(sa.text(f"select 1 from {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        "create table reporting.mine (a int)",
        "create temporary table mine (a int)",
        "create table public.mine (a int)",
        "select core.progress_at('infinity', 'infinity', '2020-08-18')",
        "delete from reporting.sms_daily",
    ],
)
def test_the_reader_writes_nothing(reader: sa.Engine, statement: str):
    with reader.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        connection.execute(sa.text(statement))


def test_the_reader_may_ask_for_progress_at_another_moment(reader: sa.Engine):
    with reader.connect() as connection:
        for function in ("progress_as_of", "progress_known_at"):
            rows = connection.execute(
                sa.text(f"select * from reporting.{function}('2020-08-19', '2020-08-18')")
            ).all()
            assert {row.status_code for row in rows} <= {"not_due", "not_reported"}


def test_the_loader_cannot_change_the_schema(warehouse: sa.Engine):
    with warehouse.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="must be owner"):
        connection.execute(sa.text("alter table core.observation add column more int"))
