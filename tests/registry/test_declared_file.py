from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_file import Declared, load_declared, load_declared_folder
from directive_etl.registry.mistakes import Mistake


class Circle(Declared):
    kind: Literal["circle"]
    radius: int = Field(gt=0)


class Square(Declared):
    kind: Literal["square"]
    side: int


class Thing(Declared):
    code: str
    made_on: date | None = None
    colour: Literal["red", "green"] = "red"
    shape: Annotated[Circle | Square, Field(discriminator="kind")] | None = None


class Box(Declared):
    code: str
    note: str = ""
    things: tuple[Thing, ...] = ()
    heaviest: str | None = None

    def iter_mistakes(self) -> Iterator[Mistake]:
        for n, thing in enumerate(self.things):
            if thing.code == "forbidden":
                yield Mistake(("things", n, "code"), repr(thing.code), "another code")
        if self.heaviest is not None and self.heaviest not in {thing.code for thing in self.things}:
            yield Mistake(("heaviest",), repr(self.heaviest), "the code of a thing")


def told(tmp_path: Path, text: str, name: str = "box.yaml") -> list[str]:
    """The lines of the error, without the folder."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RegistryError) as error:
        load_declared(path, Box, named_by="code")
    return str(error.value).replace(f"{tmp_path}/", "").splitlines()


def test_a_right_file_becomes_the_form(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_text(
        "code: box\nthings:\n  - {code: ball, made_on: 2020-08-18}\nheaviest: ball\n", encoding="utf-8"
    )
    box = load_declared(path, Box, named_by="code")
    assert box == Box(code="box", things=(Thing(code="ball", made_on=date(2020, 8, 18)),), heaviest="ball")


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "code: box\nthings:\n  - code: 7\n    colour: blue\n  - {code: ball, made_on: soon}\n  - {}\n"
    assert told(tmp_path, text) == [
        "box.yaml:3: things[0].code: found 7, "
        "expected a text (in quotes when it looks like a number, true or null)",
        "box.yaml:4: things[0].colour: found 'blue', expected 'red' or 'green'",
        "box.yaml:5: things[1].made_on: found 'soon', expected a date like 2020-08-18",
        "box.yaml:6: things[2].code: found nothing, expected a value",
    ]


def test_an_unknown_key_is_refused_with_the_keys_that_are_known(tmp_path: Path) -> None:
    assert told(tmp_path, "code: box\nthings:\n  - {code: ball, color: red}\n") == [
        "box.yaml:3: things[0].color: found the key 'color', expected only code, made_on, colour, shape"
    ]


def test_a_wrong_form_in_one_entry_does_not_hide_a_wrong_reference_in_another(tmp_path: Path) -> None:
    text = "code: box\nthings:\n  - {code: 7}\n  - {code: forbidden, color: red}\nheaviest: feather\n"
    assert told(tmp_path, text)[1:] == [
        "box.yaml:4: things[1].color: found the key 'color', expected only code, made_on, colour, shape",
        "box.yaml:4: things[1].code: found 'forbidden', expected another code",
        "box.yaml:5: heaviest: found 'feather', expected the code of a thing",
    ]


def test_a_reference_to_an_entry_with_a_wrong_form_is_no_second_mistake(tmp_path: Path) -> None:
    text = "code: box\nthings:\n  - {code: ball, colour: blue}\nheaviest: ball\n"
    assert told(tmp_path, text) == ["box.yaml:3: things[0].colour: found 'blue', expected 'red' or 'green'"]


def test_the_place_in_a_choice_of_forms_is_the_place_in_the_file(tmp_path: Path) -> None:
    text = "code: box\nthings:\n  - code: ball\n    shape:\n      kind: circle\n      radius: 0\n"
    assert told(tmp_path, text) == ["box.yaml:6: things[0].shape.radius: found 0, expected more than 0"]


def test_an_unknown_choice_tells_the_choices(tmp_path: Path) -> None:
    text = "code: box\nthings:\n  - {code: ball, shape: {kind: cone}}\n"
    [line] = told(tmp_path, text)
    assert line.startswith("box.yaml:3: things[0].shape: found") and "'circle', 'square'" in line


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert told(tmp_path, "code: box\nnote: one\nnote: two\n") == [
        "box.yaml:2: note: found the key 'note' a second time, on line 3, expected it once"
    ]


def test_a_day_that_does_not_exist_is_told_once(tmp_path: Path) -> None:
    assert told(tmp_path, "code: box\nthings:\n  - {code: ball, made_on: 2020-02-30}\n") == [
        "box.yaml:3: things[0].made_on: found '2020-02-30', expected a day that exists"
    ]


def test_a_file_is_named_after_its_code(tmp_path: Path) -> None:
    assert told(tmp_path, "code: crate\n") == [
        "box.yaml:1: code: found 'crate', expected 'box', the name of the file"
    ]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "file: found nothing, expected"),
        ("- a\n", 1, "file: found a list of 1, expected a mapping"),
        ("code: box\nthings: [\n", 3, "found text that is no YAML"),
        ("code: box\n---\ncode: box\n", 2, "found text that is no YAML"),
        ("code: box\nnote: &n [*n]\n", 2, "found a value that contains itself"),
        ("code: box\n? [a]\n: b\n", 1, "found a key that is a list or a mapping"),
        ("code: box\nnote: !secret x\n", 2, "found 'x', expected a plain value that can be read"),
        ("code: box\nnote: .nan\n", 2, "note: found '.nan', expected a finite number"),
    ],
)
def test_text_that_is_no_plain_yaml_mapping_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, reason: str
) -> None:
    lines = told(tmp_path, text)
    assert any(one.startswith(f"box.yaml:{line}: ") and reason in one for one in lines), lines


def test_bytes_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "box.yaml"
    path.write_bytes("code: Hậu Giang".encode("utf-16"))
    with pytest.raises(RegistryError, match="is not UTF-8 at byte 0"):
        load_declared(path, Box)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="cannot be read"):
        load_declared(tmp_path / "absent.yaml", Box)


def test_the_mistakes_of_all_files_of_a_folder_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("code: 1\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("code: b\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("code: d\n", encoding="utf-8")
    with pytest.raises(RegistryError) as error:
        load_declared_folder(tmp_path, Box, named_by="code")
    assert [line.split("/")[-1][:8] for line in str(error.value).splitlines()] == ["a.yaml:1", "c.yaml:1"]


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"no \*\.yaml file"):
        load_declared_folder(tmp_path, Box, named_by="code")
