"""A directive of one indicator and figures for it, as the hand-computed cases of docs/progress.md need them."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time

import pandas as pd

from directive_etl.demo_city.revisions import OBSERVATION_COLUMNS
from directive_etl.demo_city.truth import ProgressRow, directive_progress
from directive_etl.periods import LOCAL_ZONE
from directive_etl.registry.directive import Directive

TUESDAY = date(2020, 8, 18)
FRIDAY = date(2020, 8, 21)
SATURDAY = date(2020, 8, 22)
MONDAY = date(2020, 8, 24)
WARD, OTHER_WARD, WARD_ELSEWHERE = "31117", "31120", "31168"
DISTRICT, DISTRICT_ELSEWHERE, CITY = "UBND-916", "UBND-918", "92"
DEPARTMENT = "STTTT"
WARDS = {"units": [WARD, OTHER_WARD, WARD_ELSEWHERE]}
SHARE = {
    "numerator": {"measure": "part_count"},
    "denominator": {"measure": "whole_count"},
    "calculation": "ratio_pct",
}


def at(day: date, clock: str) -> datetime:
    """Return a local moment."""
    return datetime.combine(day, time.fromisoformat(clock), LOCAL_ZONE)


def a_measure(code: str, source: str = "unit_report", categories: str | None = None) -> dict[str, object]:
    return {
        "code": code,
        "source": source,
        "kind": "flow",
        "categories": categories,
        "name_vi": code,
        "name_en": code,
    }


def a_target(value: float, **more: object) -> dict[str, object]:
    return {"value": value, "valid_from": "2020-08-18", "assumed": True, **more}


def a_directive(targets: Sequence[dict[str, object]] = (), **indicator: object) -> Directive:
    """Return a directive with one indicator; wards report daily by 20:00, departments on working days."""
    declared = {
        "code": "the_indicator",
        "name_vi": "Chỉ tiêu",
        "name_en": "Indicator",
        "kind": "flow",
        "direction": "up",
        "responsible": WARDS,
        "targets": list(targets),
        **SHARE,
        **indicator,
    }
    return Directive.model_validate_json(
        json.dumps(
            {
                "code": "1-test",
                "number": "1/TEST",
                "title_vi": "Thử",
                "title_en": "Test",
                "issued_on": "2020-08-17",
                "issuer_vi": "Chủ tịch",
                "issuer_en": "Chairman",
                "active_from": "2020-08-18",
                "active_to": "2020-12-31",
                "reporting": [
                    {"unit_types": ["xa_phuong"], "cadence": "daily", "due_time": "20:00", "assumed": True},
                    {
                        "unit_types": ["so_ban_nganh"],
                        "cadence": "working_day",
                        "due_time": "17:00",
                        "assumed": True,
                    },
                ],
                "categories": {
                    "medium": [{"code": c, "name_vi": c, "name_en": c} for c in ("tv", "radio", "press")]
                },
                "measures": [
                    a_measure("part_count"),
                    a_measure("whole_count"),
                    a_measure("item_count", categories="medium"),
                    a_measure("message_count", source="sms_log", categories="operator"),
                    a_measure("overdue_count", source="service_portal", categories="system"),
                    a_measure("on_time_count", source="pipeline"),
                ],
                "clauses": [
                    {
                        "code": "1",
                        "text_vi": "Khoản",
                        "text_en": "Clause",
                        "obligation": "assigned",
                        "indicators": [declared],
                    }
                ],
            }
        )
    )


def observed(
    *rows: tuple[str, str, int | None], day: date = MONDAY, known: str = "15:00", **more: object
) -> list[dict]:
    """Return revisions of figures without category: unit, measure, value."""
    return [
        {
            "unit_code": unit,
            "measure_code": measure,
            "category_code": "",
            "figure_date": day,
            "value": value,
            "known_at": at(day, known),
            "obs_status": "M" if value is None else "A",
            **more,
        }
        for unit, measure, value in rows
    ]


def progress(
    directive: Directive, observations: list[dict], day: date = MONDAY, known_at: datetime | None = None
) -> dict[str, ProgressRow]:
    """Return the rows of a day by unit."""
    frame = pd.DataFrame(observations, columns=OBSERVATION_COLUMNS, dtype=object)
    return {row.unit_code: row for row in directive_progress(directive, frame, day, known_at)}


def a_share(part: int, whole: int, unit: str = WARD) -> list[dict]:
    return observed((unit, "part_count", part), (unit, "whole_count", whole))
