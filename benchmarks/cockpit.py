"""How fast the pages answer with five years x 150 units x 40 indicators, against the same pages with 30 days.

Median of several asks of the application in this process, on a throwaway PostgreSQL: without the login, which adds
about 10 ms a request. Observations are made for the last 60 days only: no page reads more than one day of them.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "include"))

LAST = "2025-08-17"
SMALL_DAYS = 30
TARGET_SECONDS = 0.3
INDICATORS, UNITS = 40, 150

FILL = f"""
insert into core.directive select 'bench', 'bench', 'x', 'x', '2020-08-18', '2020-08-18', null where not exists (select from core.directive where directive_code = 'bench');
insert into core.clause select 'bench', 'c' || n, n, 'x', 'x', 'assigned' from generate_series(1, 8) n on conflict do nothing;
insert into core.indicator (directive_code, indicator_code, clause_code, position, name_vi, name_en, calculation, kind, direction,
    source_code, numerator_measure, denominator_measure, responsible_unit_types, responsible_units, measured_unit_types, measured_units)
select 'bench', 'i' || n, 'c' || (n %% 8 + 1), n, 'Chỉ tiêu ' || n, 'Indicator ' || n, 'ratio_pct', 'stock', 'up', 'unit_report',
       'm' || n, 'd' || n, '{{b}}', '{{}}', '{{b}}', '{{}}'
from generate_series(1, {INDICATORS}) n on conflict do nothing;
insert into core.unit select 'B' || n, '2020-01-01', null, 'Đơn vị ' || n, null, 'b', case when n > 15 then 'B' || (n %% 15 + 1) end, null, null, 'x', 'x'
from generate_series(1, {UNITS}) n on conflict do nothing;
insert into core.daily_progress
select 'bench', 'i' || i, 'B' || u, d::date, case when s.code <> 'not_reported' then 10 end, 20, 50, 60, true, 83, s.code, 'A', null, 0, false, 0, now()
from generate_series(date '{LAST}' - %(back)s, date '{LAST}' - %(ahead)s, interval '1 day') d, generate_series(1, {UNITS}) u, generate_series(1, {INDICATORS}) i,
     lateral (select (array['achieved','on_track','behind','overdue','not_reported','not_due'])[1 + (i * 7 + u * 3) %% 6] as code) s;
insert into ops.expected_report select 'bench', 'B' || u, d::date, true, d + interval '17 hours'
from generate_series(date '{LAST}' - %(back)s, date '{LAST}' - %(ahead)s, interval '1 day') d, generate_series(1, {UNITS}) u;
insert into ops.publication select 'bench', d::date, d, 1, 'x', '{{}}', 'x'
from generate_series(date '{LAST}' - %(back)s, date '{LAST}' - %(ahead)s, interval '1 day') d;
insert into ops.load_batch (source_code, part_code, report_date, status_code, input_hash, known_at, read_count, loaded_count, refused_count,
    duplicate_count, unchanged_count, critical_failed_count, warning_failed_count, reason, code_version)
select 'unit_report', 'B' || u, d::date, case when u %% 20 = 0 then 'refused' else 'loaded' end, md5(u::text || d::text), d + interval '10 hours', 40,
       case when u %% 20 = 0 then 0 else 40 end, case when u %% 20 = 0 then 40 else 0 end, 0, 0, (u %% 20 = 0)::int, 0, case when u %% 20 = 0 then 'x' else '' end, 'x'
from generate_series(date '{LAST}' - %(back)s, date '{LAST}' - %(ahead)s, interval '1 day') d, generate_series(2, {UNITS}) u
union all
select source, part, d::date, 'loaded', md5(part || d::text), d, 100, 90, 10, 0, 0, 0, 1, '', 'x'
from generate_series(date '{LAST}' - %(back)s, date '{LAST}' - %(ahead)s, interval '1 day') d,
     (select 'sms_log' as source, operator_code as part from core.operator union all select 'service_portal', system_code from core.portal_system) p;
insert into core.portal_pull (system_code, report_date, known_at, window_from, window_to, is_proven, doubt, seen_keys, batch_id)
select part_code, report_date, known_at, known_at - interval '2 days', known_at, true, '', '', batch_id
from ops.load_batch where source_code = 'service_portal' on conflict do nothing;
insert into ops.landed_file select encode(sha256(input_hash::bytea), 'hex'), source_code, part_code, report_date, 'x.xlsx', known_at, 1 from ops.load_batch on conflict do nothing;
insert into ops.batch_file select batch_id, encode(sha256(input_hash::bytea), 'hex') from ops.load_batch on conflict do nothing;
insert into ops.refused_row (batch_id, sha256, place, reason_code, reason, content)
select batch_id, input_hash, 'C3', 'reason_' || n, 'x', 'x' from ops.load_batch b, generate_series(1, 10) n
where refused_count > 0 and not exists (select from ops.refused_row r where r.batch_id = b.batch_id);
insert into ops.quality_result
select batch_id, n, 'suite', 'check_' || n, 'column', 'warning', n > 2, 3, '', 'x' from ops.load_batch, generate_series(1, 10) n
where source_code <> 'unit_report' on conflict do nothing;
insert into core.observation (source_code, unit_code, measure_code, category_code, figure_date, value, obs_status, known_at, batch_id)
select 'unit_report', part_code, m || i, '', report_date, 5, 'A', known_at, batch_id
from ops.load_batch, generate_series(1, {INDICATORS}) i, (values ('m'), ('d')) v (m)
where source_code = 'unit_report' and report_date > date '{LAST}' - 60 on conflict do nothing;
analyze;
"""  # noqa: E501
OF_DAY = f"day={LAST}&directive=bench"
ASKED = {
    "day at a glance": f"/api/day?day={LAST}",
    "alerts: open": "/api/alerts",
    "alerts: held batches": "/api/held",
    "progress: heat map": f"/api/progress?{OF_DAY}",
    "progress: indicators of a cell": f"/api/progress/indicators?{OF_DAY}&unit=B3&clause=c3",
    "progress: trend": f"/api/progress/trend?{OF_DAY}&unit=B3&indicator=i2&days=62",
    "progress: figures": f"/api/figures?{OF_DAY}&unit=B3&indicator=i2",
    "reports: matrix of 14 days": f"/api/reports?day={LAST}",
    "reports: faults": f"/api/reports/faults?day={LAST}",
    "reports: sent by a unit": f"/api/reports/sent?day={LAST}&unit=B20",
    "quality: rows": f"/api/quality?day={LAST}",
    "quality: failed checks": f"/api/quality/checks?day={LAST}",
    "quality: freshness": "/api/quality/freshness",
    "quality: batches": f"/api/quality/batches?day={LAST}",
    "batch": "/api/batches/10",
    "validation run": "/api/batches/10/validation",
    "refused rows": "/api/batches/20/refused",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=float, default=5)
    parser.add_argument("--asks", type=int, default=11)
    asked = parser.parse_args()

    import sqlalchemy as sa

    from directive_etl.local_stack import postgres
    from directive_etl.warehouse.schema import migrate

    with tempfile.TemporaryDirectory() as folder, postgres.throwaway(Path(folder)) as settings:
        os.environ |= {name: value for name, value in settings.items() if name.startswith("DIRECTIVE_ETL_")}
        owner = sa.create_engine(settings["DIRECTIVE_ETL_MIGRATION_URL"])
        migrate(owner)
        days = int(asked.years * 365.25)
        small = measure(owner, SMALL_DAYS - 1, 0, asked.asks)
        large = measure(owner, days - 1, SMALL_DAYS, asked.asks)
        with owner.connect() as connection:
            rows = connection.exec_driver_sql("select count(*) from core.daily_progress").scalar_one()
    print(f"{rows:,} progress rows of {days:,} days; medians of {asked.asks} asks")
    print(f"{'':32} {SMALL_DAYS:>5} days {days:>6,} days  ratio")
    for name, seconds in large.items():
        verdict = "" if seconds <= TARGET_SECONDS else f"  over {TARGET_SECONDS * 1000:.0f} ms"
        print(
            f"{name:32} {small[name] * 1000:7.0f} ms {seconds * 1000:8.0f} ms {seconds / small[name]:6.1f}{verdict}"
        )


def measure(owner, back: int, ahead: int, asks: int) -> dict[str, float]:
    """Fill the days from `back` to `ahead` before the last, and return the median time of each question."""
    from fastapi.testclient import TestClient

    from directive_etl.airflow_connections import airflow_connections
    from directive_etl.cockpit import cockpit_app

    began = time.perf_counter()
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in (FILL % {"back": back, "ahead": ahead}).split(";\n"):
            if statement.strip():
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    print(f"filled {back - ahead + 1:,} days in {time.perf_counter() - began:.0f} s", flush=True)
    client = TestClient(cockpit_app(lambda: None, lambda: True, airflow_connections()))
    medians = {}
    for name, address in ASKED.items():
        times = []
        for _ in range(asks):
            began = time.perf_counter()
            client.get(address).raise_for_status()
            times.append(time.perf_counter() - began)
        medians[name] = statistics.median(times)
    return medians


if __name__ == "__main__":
    main()
