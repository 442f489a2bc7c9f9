"""Which pages are generated, and whether what lies in docs/ is what would be generated now."""

from pathlib import Path

import sqlalchemy as sa

from directive_etl.handbook.alerts import alerts_page
from directive_etl.handbook.dags import dags_page
from directive_etl.handbook.dictionary import dictionary_page
from directive_etl.handbook.metrics import metrics_page


def fresh_pages(root: Path, engine: sa.Engine) -> dict[Path, str]:
    """Return the text of every generated page by its path.

    Args:
        root: the clone.
        engine: of a warehouse at the newest schema, as any role that may read the catalog.
    """
    docs = root / "docs"
    return {
        docs / "alerts.md": alerts_page(),
        docs / "dags.md": dags_page(root / "dags"),
        docs / "data_dictionary.md": dictionary_page(engine),
        docs / "metrics.md": metrics_page(),
    }


def write_pages(root: Path, engine: sa.Engine) -> list[Path]:
    """Write every page; returns those that changed."""
    stale = stale_pages(root, engine)
    for path, text in fresh_pages(root, engine).items():
        path.write_text(text, encoding="utf-8")
    return stale


def stale_pages(root: Path, engine: sa.Engine) -> list[Path]:
    """Return the pages that are missing or not what would be written now."""
    return [
        path
        for path, text in fresh_pages(root, engine).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
