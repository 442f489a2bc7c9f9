"""The recorded examples of the documentation are pages that the declared systems read whole."""

from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest

from directive_etl.landing import land_bytes
from directive_etl.registry.systems import system
from directive_etl.sources.service_portal.pages import understand
from directive_etl.sources.service_portal.proof import find_gap
from directive_etl.sources.service_portal.read import read_pages

EXAMPLES = sorted((Path(__file__).parents[3] / "docs" / "sources" / "examples").glob("*.json"))
DAY = date(2020, 8, 20)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_a_whole_list_of_two_dossiers(path, tmp_path):
    declared = system(path.stem)
    content = path.read_bytes()
    page = understand(content, 1, httpx.URL("http://portal/list"), declared, path.stem)
    assert not find_gap([page])
    moment = datetime(2020, 8, 20, 22, tzinfo=UTC)
    file = land_bytes(tmp_path, "service_portal", path.stem, DAY, content, "/list page 1", moment)
    read = read_pages([file], declared, hash_key="a key", day=DAY)
    assert read.versions["status_code"].tolist() == [4, 9]
    assert read.refused.empty


def test_every_system_has_an_example():
    assert [path.stem for path in EXAMPLES] == ["city_portal", "national_portal", "one_stop"]
