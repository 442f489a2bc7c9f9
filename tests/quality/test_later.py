"""A costly module stays out of a process that imports it and uses nothing in it."""

import importlib
import inspect
import sys

import pytest

from directive_etl.quality.later import import_when_used


@pytest.fixture
def costly(tmp_path, monkeypatch):
    """A module of a package, which notes in a file that it was loaded; returns the file."""
    loaded = tmp_path / "loaded"
    (tmp_path / "costly_package").mkdir()
    (tmp_path / "costly_package" / "__init__.py").touch()
    lines = f"from pathlib import Path\nPath({str(loaded)!r}).open('a').write('once')\nANSWER = 42\n"
    (tmp_path / "costly_package" / "part.py").write_text(lines)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("costly_package", "costly_package.part"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]
    import_when_used("costly_package.part")
    return loaded


def test_an_import_alone_loads_nothing(costly):
    module = importlib.import_module("costly_package.part")
    assert inspect.getmodule(module) is module
    assert not costly.exists()


def test_the_first_use_loads_the_module_and_every_importer_has_it(costly):
    early = importlib.import_module("costly_package.part")
    assert early.ANSWER == 42
    late = importlib.import_module("costly_package.part")
    assert (late.ANSWER, early.ANSWER, late.__file__ is not None) == (42, 42, True)
    assert costly.read_text() == "once"


def test_what_was_imported_before_stays_as_it_is():
    import_when_used("inspect")
    assert sys.modules["inspect"] is inspect
