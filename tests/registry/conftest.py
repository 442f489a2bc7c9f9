from pathlib import Path

import pytest

from directive_etl.errors import RegistryError
from directive_etl.registry.directive import Directive, load_directive


class DirectiveFile:
    """A directive's file whose text a test may change before it is read."""

    def __init__(self, folder: Path, text: str) -> None:
        self.path = folder / "1-qd-ubnd.yaml"
        self.text = text

    def with_changed(self, old: str, new: str) -> "DirectiveFile":
        assert old in self.text, old
        return DirectiveFile(self.path.parent, self.text.replace(old, new, 1))

    def load(self) -> Directive:
        self.path.write_text(self.text, encoding="utf-8")
        return load_directive(self.path)

    def told(self) -> list[str]:
        """Return the lines of the error without the folder and the file's name."""
        with pytest.raises(RegistryError) as error:
            self.load()
        return [line.removeprefix(f"{self.path}:") for line in str(error.value).splitlines()]

    def line_of(self, text: str) -> int:
        return self.text[: self.text.index(text)].count("\n") + 1


@pytest.fixture
def second(tmp_path: Path) -> DirectiveFile:
    """A directive with other measures than the shipped one: it needs a file and no code."""
    return DirectiveFile(
        tmp_path, (Path(__file__).parent / "second_directive.yaml").read_text(encoding="utf-8")
    )
