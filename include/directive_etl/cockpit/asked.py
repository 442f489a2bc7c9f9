"""What a request may ask: types of parameters that every endpoint shares, and the shape of a paged answer."""

from datetime import date
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, Field

Row = dict[str, Any]
_CODE = r"^[A-Za-z0-9_.\-]{1,60}$"

Day = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2100, 1, 1), description="Reporting day.")]
Days = Annotated[int, Query(ge=1, le=62, description="How many days, the last being `day`.")]
UnitCode = Annotated[str, Query(pattern=_CODE, description="Code of a unit.")]
Code = Annotated[str, Query(pattern=_CODE)]
CodeFilter = Annotated[str | None, Query(pattern=_CODE)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
PageSize = Annotated[int, Query(ge=1, le=200)]


# What an answer says when there is no such thing, or nothing to decide; for the description of the endpoints.
NO_SUCH: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing."}}
NOTHING_TO_DECIDE: dict[int | str, dict[str, Any]] = {
    409: {"description": "Nothing is to be decided about it."}
}
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not logged in to Airflow."},
    403: {"description": "Logged in without the right."},
    503: {"description": "The warehouse does not answer in time."},
}


class Page(BaseModel):
    """One page of a table; `total` counts the rows of all pages."""

    total: int
    page: int
    page_size: int
    items: list[Row] = Field(description="The rows of this page.")


def offset(page: int, page_size: int) -> dict[str, int]:
    """Return the values of `limit :limit offset :offset`."""
    return {"limit": page_size, "offset": (page - 1) * page_size}


def paged(rows: list[Row], page: int, page_size: int) -> Page:
    """Make a page of rows that each carry `total`, the window count of all rows."""
    total = int(rows[0]["total"]) if rows else 0
    return Page(
        total=total,
        page=page,
        page_size=page_size,
        items=[{name: value for name, value in row.items() if name != "total"} for row in rows],
    )
