"""What lies in docs/ is what the code and the database say now."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from directive_etl.alerts.causes import CAUSES, OVERDUE_CLOSE, UNKNOWN
from directive_etl.handbook import fresh_pages, stale_pages, write_pages
from directive_etl.handbook.alerts import alerts_page
from directive_etl.handbook.dags import dags_page

ROOT = Path(__file__).parents[2]


def test_the_generated_pages_are_fresh(owner_engine: sa.Engine):
    stale = [path.name for path in stale_pages(ROOT, owner_engine)]

    assert stale == [], "run `python -m directive_etl docs` and commit what it writes"


def test_every_column_of_the_dictionary_has_a_meaning(owner_engine: sa.Engine):
    page = fresh_pages(ROOT, owner_engine)[ROOT / "docs" / "data_dictionary.md"]
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    assert len(rows) > 200
    assert [row for row in rows if row.split("|")[4].strip() == ""] == []


def test_a_changed_page_is_found_and_written_again(tmp_path: Path, owner_engine: sa.Engine):
    (tmp_path / "docs").mkdir()
    (tmp_path / "dags").symlink_to(ROOT / "dags")
    assert [path.name for path in write_pages(tmp_path, owner_engine)] == [
        "alerts.md",
        "dags.md",
        "data_dictionary.md",
        "metrics.md",
    ]
    (tmp_path / "docs" / "dags.md").write_text("edited by hand")

    assert [path.name for path in stale_pages(tmp_path, owner_engine)] == ["dags.md"]


def test_every_dag_has_a_section_with_its_tasks():
    page = dags_page(ROOT / "dags")

    for file in (ROOT / "dags").glob("*.py"):
        assert f"\n## {file.stem}\n" in page
    assert "`count_operator[]`" in page and "| 08:00 every day | the day before |" in page


def test_a_schedule_that_cannot_be_said_is_an_error_with_its_place(tmp_path: Path):
    (tmp_path / "odd.py").write_text('"""x"""\n@dag(schedule=HOURLY)\ndef odd(): ...\n')

    with pytest.raises(ValueError, match=r"odd\.py"):
        dags_page(tmp_path)


def test_every_cause_has_a_section_that_an_alert_can_link_to():
    page = alerts_page()

    for cause in (*CAUSES, OVERDUE_CLOSE, UNKNOWN):
        assert f"\n## {cause.code}\n" in page and cause.action in page
