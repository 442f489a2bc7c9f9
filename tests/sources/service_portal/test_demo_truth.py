"""The figures of the demo city's three systems equal its truth, every revision included."""

from datetime import date

import pandas as pd
import sqlalchemy as sa

from directive_etl import pipeline
from directive_etl.demo_city.dossiers import simulate_dossiers, write_dossiers
from directive_etl.demo_city.portal_server import build_app, connections
from directive_etl.periods import days_between
from directive_etl.settings import SystemConnection

FIGURE = ["unit_code", "measure_code", "category_code", "figure_date", "known_at", "value", "obs_status"]


def as_texts(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    known_at = pd.to_datetime(frame["known_at"], utc=True)
    return set(map(tuple, frame.assign(known_at=known_at)[FIGURE].astype(str).to_numpy()))


def test_three_systems_equal_the_truth(places, warehouse, serve_app):
    days = days_between(date(2020, 8, 18), date(2020, 8, 21))
    simulation = simulate_dossiers(7, days, dossier_count=1500)
    write_dossiers(simulation, places / "demo")
    accounts = connections(places / "demo", serve_app(build_app(places / "demo")))
    for day in days:
        for system_code, account in accounts.items():
            pipeline.pull_portal_system(system_code, day, SystemConnection.model_validate(account))
    truth = simulation.true_portal_daily()
    with warehouse.connect() as reader:
        daily = pd.read_sql(sa.text("select * from reporting.portal_daily"), reader)
        figures = pd.read_sql(sa.text("select * from core.observation"), reader)
        withdrawn = "select count(*) from core.portal_dossier_version where is_withdrawn"
        assert reader.execute(sa.text(withdrawn)).scalar_one() == 0
    daily = daily[truth.columns]
    assert sorted(daily.astype(str).to_numpy().tolist()) == sorted(truth.astype(str).to_numpy().tolist())
    assert as_texts(figures) == as_texts(simulation.true_observations())
