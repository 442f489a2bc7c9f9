"""Declared YAML files: read strictly, and told about all at once, each mistake with file, line and place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TypeVar, runtime_checkable

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from directive_etl.errors import RegistryError
from directive_etl.registry.fitting_part import leave_out
from directive_etl.registry.form_keys import known_keys
from directive_etl.registry.mistakes import Mistake, Place, describe, to_mistake
from directive_etl.registry.yaml_lines import Document, Plain, parse_yaml


class Declared(BaseModel):
    """Base of every form: unknown keys are refused, values are not converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@runtime_checkable
class CrossChecked(Protocol):
    """A form whose parts refer to each other."""

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield every reference or combination that does not hold."""


Model = TypeVar("Model", bound=BaseModel)


def load_declared(path: Path, model: type[Model], named_by: str | None = None) -> Model:
    """Read one declared file.

    Args:
        path: a YAML file in UTF-8.
        model: the form, best a subclass of `Declared`. When it has `iter_mistakes`, that is asked too. The
            values are checked in pydantic's JSON mode: a list fits a tuple, and the text of a date a date.
        named_by: the field that must equal the file's name without its ending.

    Raises:
        RegistryError: every mistake of the file, one a line: `file:line: place: found this, expected that`.
    """
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegistryError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RegistryError(f"{path}: is not UTF-8 at byte {error.start}") from error
    except yaml.YAMLError as error:
        raise RegistryError(_write_yaml_error(path, error)) from error

    declared, mistakes = _check(document, model)
    own_name = document.value.get(named_by) if named_by and isinstance(document.value, dict) else None
    if named_by and isinstance(own_name, str) and own_name != path.stem:
        mistakes.append(Mistake((named_by,), repr(own_name), f"{path.stem!r}, the name of the file"))
    if mistakes or declared is None:
        raise RegistryError(_write_mistakes(path, document, mistakes))
    return declared


def load_declared_folder(folder: Path, model: type[Model], named_by: str) -> list[Model]:
    """Read every `*.yaml` of a folder, sorted by file name.

    Raises:
        RegistryError: the mistakes of all the files, or a folder without any.
    """
    loaded, faults = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            loaded.append(load_declared(path, model, named_by))
        except RegistryError as error:
            faults.append(str(error))
    if faults:
        raise RegistryError("\n".join(faults))
    if not loaded:
        raise RegistryError(f"{folder}: no *.yaml file")
    return loaded


def _check(document: Document, model: type[Model]) -> tuple[Model | None, list[Mistake]]:
    """Return the declared object, when its form is right, and all mistakes."""
    declared, errors = _fit(document.value, model)
    misfits = [_to_placed_mistake(error, document, model) for error in errors]
    # A value that YAML itself could not read is told once, by what YAML made of it.
    unread = {mistake.place for mistake in document.mistakes}
    mistakes = document.mistakes + [
        misfit for misfit in misfits if misfit.place not in unread or misfit.found != describe(None)
    ]
    if declared is not None:
        return declared, mistakes + (
            list(declared.iter_mistakes()) if isinstance(declared, CrossChecked) else []
        )
    kinds = [error["type"] for error in errors]
    part = leave_out(
        document.value,
        misfits=[one.place for one, kind in zip(misfits, kinds, strict=True) if kind != "extra_forbidden"],
        surplus=[one.place for one, kind in zip(misfits, kinds, strict=True) if kind == "extra_forbidden"],
    )
    fitting = _fit(part.value, model)[0] if part is not None else None
    if part is not None and isinstance(fitting, CrossChecked):
        mistakes += part.iter_certain(fitting.iter_mistakes())
    return None, mistakes


def _fit(value: Plain, model: type[Model]) -> tuple[Model | None, list[ErrorDetails]]:
    try:
        return model.model_validate_json(json.dumps(value)), []
    except ValidationError as error:
        return None, [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]


def _is_echo(error: ErrorDetails) -> bool:
    # Pydantic also calls a list too short when none of its entries has the right form.
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _to_placed_mistake(error: ErrorDetails, document: Document, model: type[BaseModel]) -> Mistake:
    """Give a mistake its place in the file: pydantic's place also has the tags of unions."""
    mistake = to_mistake(error)
    place: Place = ()
    for part in mistake.place:
        if (*place, part) in document.lines:
            place = (*place, part)
    expected = mistake.expected
    if error["type"] == "missing":
        place = (*place, mistake.place[-1])
    if error["type"] == "extra_forbidden" and (known := known_keys(model, place[:-1])):
        expected = f"only {', '.join(known)}"
    return Mistake(place, mistake.found, expected)


def _write_mistakes(path: Path, document: Document, mistakes: list[Mistake]) -> str:
    by_line = sorted((document.line_of(mistake.place), n, mistake) for n, mistake in enumerate(mistakes))
    return "\n".join(f"{path}:{line}: {mistake.sentence()}" for line, _, mistake in by_line)


def _write_yaml_error(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark is not None else 1
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"{path}:{line}: file: found text that is no YAML ({problem}), expected one YAML document"
