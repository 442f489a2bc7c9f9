from datetime import date
from pathlib import Path

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_rows import DeclaredRow, load_rows


class Day(DeclaredRow):
    day: date
    name: str
    size: int | None


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "days.csv"
    path.write_text(text, encoding="utf-8")
    return path


def told(path: Path, key: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(RegistryError) as error:
        load_rows(path, Day, key)
    return str(error.value).replace(f"{path.parent}/", "").splitlines()


def test_cells_become_what_their_column_says_and_empty_cells_none(tmp_path: Path) -> None:
    path = write(tmp_path, 'day,name,size\n2020-08-18," Tết, Nguyên đán",\n2020-08-19,b,7\n')
    assert load_rows(path, Day) == [
        Day(day=date(2020, 8, 18), name="Tết, Nguyên đán", size=None),
        Day(day=date(2020, 8, 19), name="b", size=7),
    ]


def test_all_mistakes_of_a_file_are_told_with_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "day,name,size\n2020-02-30,a,1\n2020-08-18,,many\n")
    lines = told(path)
    assert [line.split(": found")[0] for line in lines] == [
        "days.csv:2: day",
        "days.csv:3: name",
        "days.csv:3: size",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("day,name\n2020-08-18,a\n", "days.csv:2: size: found nothing"),
        ("day,name,size,colour\n2020-08-18,a,1,red\n", "days.csv:2: colour: found the key 'colour'"),
        ("day,name,size\n2020-08-18,a,1,red\n", "days.csv:2: more cells than the header"),
    ],
)
def test_columns_are_those_of_the_form(tmp_path: Path, text: str, place: str) -> None:
    assert told(write(tmp_path, text))[0].startswith(place)


def test_two_rows_with_one_key_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "day,name,size\n2020-08-18,a,1\n2020-08-18,b,1\n")
    assert told(path, key=("day",)) == ["days.csv:3: day: found 2020-08-18 again, expected it only on line 2"]


def test_an_open_quote_is_refused(tmp_path: Path) -> None:
    assert "no CSV" in told(write(tmp_path, 'day,name,size\n2020-08-18,"a,1\n'))[0]
