"""Portal systems as data: how each is asked, pages, logs us in, names its fields and codes its statuses.

One YAML file a system in registry/systems; docs/sources/service_portal.md explains the form. A new system
with a known way of paging and login is a new file and no code.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt

from directive_etl.errors import RegistryError
from directive_etl.registry.declared_file import Declared, load_declared, load_declared_folder
from directive_etl.registry.mistakes import Mistake

SYSTEMS_FOLDER = Path(__file__).parent / "systems"

_KNOWN_DIRECTIVES = frozenset("YmdHMSfz")


def _check_date_format(text: str) -> str:
    directives = set(re.findall(r"%(.)", text))
    if not {"Y", "m", "d"} <= directives <= _KNOWN_DIRECTIVES:
        raise ValueError("a date format with %Y, %m, %d and otherwise only %H, %M, %S, %f, %z")
    return text


DateFormat = Annotated[str, AfterValidator(_check_date_format)]


class SessionLogin(Declared):
    """Log in once with {username, password}; the session then goes into the body of every ask."""

    kind: Literal["session"]
    login_path: str
    username_field: str = "username"
    password_field: str = "password"  # noqa: S105 - the name of a field
    session_field: str
    error_field: str
    accepted_codes: tuple[str, ...]
    expired_codes: tuple[str, ...]


class BasicLogin(Declared):
    """HTTP basic authentication on every ask."""

    kind: Literal["basic"]


class BearerLogin(Declared):
    """A fixed token in the Authorization header; the connection keeps it as its password."""

    kind: Literal["bearer"]


class PageNumberPaging(Declared):
    """Pages by number, the first is 1."""

    kind: Literal["page_number"]
    page_parameter: str
    size_parameter: str
    page_size: PositiveInt


class OffsetPaging(Declared):
    """Pages by the number of records before them."""

    kind: Literal["offset"]
    offset_parameter: str
    limit_parameter: str
    page_size: PositiveInt


class NextUrlPaging(Declared):
    """Each page names the address of the next one; the last names none."""

    kind: Literal["next_url"]
    size_parameter: str
    page_size: PositiveInt
    next_field: str


class CursorPaging(Declared):
    """Each page gives a mark that stands for the place after it; the last page gives none."""

    kind: Literal["cursor"]
    cursor_parameter: str
    size_parameter: str
    page_size: PositiveInt
    cursor_field: str


class LinkHeaderPaging(Declared):
    """Each answer names the next page in its `Link` header (RFC 8288, rel="next"); the last has none."""

    kind: Literal["link_header"]
    size_parameter: str
    page_size: PositiveInt


Paging = PageNumberPaging | OffsetPaging | NextUrlPaging | CursorPaging | LinkHeaderPaging


class Limits(Declared):
    """What the system's owner allows, and how long we wait."""

    requests_per_second: float = Field(20, gt=0)
    connections: int = Field(4, ge=1, le=32)
    connect_seconds: float = Field(10, gt=0)
    read_seconds: float = Field(60, gt=0)
    answer_seconds: float = Field(180, gt=0)


class Ask(Declared):
    """How a list of changed dossiers is asked for: [changed_from, changed_to)."""

    method: Literal["GET", "POST"]
    path: str
    constants: dict[str, str] = Field(default_factory=dict)
    from_parameter: str
    to_parameter: str
    date_format: DateFormat


class Answer(Declared):
    """Where an answer keeps its records and what it says about itself; a dot goes one level down."""

    records_field: str
    total_field: str | None = None
    page_field: str | None = None
    error_field: str | None = None
    accepted_codes: tuple[str, ...] = ()


class Window(Declared):
    """How far a pull reaches back before its day: always the overlap, the first time further."""

    overlap_hours: int = Field(ge=0)
    initial_days: int = Field(ge=0)
    # Whether the list of a window that is over shows each dossier in its last version inside it.
    # Otherwise a dossier
    # that has changed since is missing from it, and what is missing cannot be taken for withdrawn.
    shows_past_state: bool = True
    # Whether the first page freezes the list for those after it: then one reading proves it.
    is_frozen: bool = False


class FieldNames(Declared):
    """The system's name of each field we read. Nothing about the applicant is among them."""

    dossier_code: str
    procedure_code: str
    unit_code: str
    channel: str
    status: str
    changed_at: str
    received_at: str
    due_at: str
    finished_at: str
    returned_at: str


class PortalSystem(Declared):
    """One portal system. `status_map` and `channel_map` go from its own codes to the national ones."""

    system_code: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_vi: str
    name_en: str
    note: str = ""
    login: Annotated[SessionLogin | BasicLogin | BearerLogin, Field(discriminator="kind")]
    ask: Ask
    answer: Answer
    paging: Annotated[Paging, Field(discriminator="kind")]
    limits: Limits = Limits()
    window: Window
    fields: FieldNames
    date_formats: tuple[DateFormat, ...] = Field(min_length=1)
    empty_values: tuple[str, ...] = ("",)
    status_map: dict[str, Annotated[int, Field(ge=1, le=10)]] = Field(min_length=1)
    channel_map: dict[str, Annotated[int, Field(ge=1, le=3)]] = Field(min_length=1)

    def iter_mistakes(self) -> Iterator[Mistake]:
        """Yield what each part allows but the parts together do not."""
        if isinstance(self.login, SessionLogin) and self.ask.method != "POST":
            # A session in the query of a GET would stand in access logs.
            yield Mistake(("ask", "method"), repr(self.ask.method), "'POST', since the login is by session")
        if isinstance(self.paging, NextUrlPaging | LinkHeaderPaging) and self.ask.method != "GET":
            yield Mistake(
                ("ask", "method"), repr(self.ask.method), f"'GET', since {self.paging.kind} gives addresses"
            )
        if self.answer.total_field is None and isinstance(self.paging, PageNumberPaging | OffsetPaging):
            expected = f"a field: paging by {self.paging.kind} cannot prove its end without a total"
            yield Mistake(("answer", "total_field"), "nothing", expected)
        if self.answer.error_field is not None and not self.answer.accepted_codes:
            yield Mistake(
                ("answer", "accepted_codes"), "nothing", "the codes that mean success, with error_field"
            )


def load_system(path: Path) -> PortalSystem:
    """Read one declared system.

    Raises:
        RegistryError: every mistake of the file, each with its line and place.
    """
    return load_declared(path, PortalSystem, named_by="system_code")


@cache
def systems() -> list[PortalSystem]:
    """Return every declared system, sorted by code.

    Raises:
        RegistryError: mistakes in any of the files, all at once.
    """
    return load_declared_folder(SYSTEMS_FOLDER, PortalSystem, named_by="system_code")


def system(code: str) -> PortalSystem:
    """Return one declared system.

    Raises:
        RegistryError: no file declares it.
    """
    for declared in systems():
        if declared.system_code == code:
            return declared
    known = ", ".join(declared.system_code for declared in systems())
    raise RegistryError(f"portal system {code!r} is not declared in registry/systems; declared are: {known}")
