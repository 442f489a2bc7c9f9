"""The morning's summary of a closed day, in the words of the office."""

from datetime import date

import sqlalchemy as sa

from directive_etl.alerts.delivery import Message
from directive_etl.settings import settings
from directive_etl.warehouse.engine import loader_engine

_REPORTS = """
    select s.status_code, u.name_vi from reporting.unit_report_status_daily s
    join core.unit u on u.unit_code = s.unit_code
     and u.valid_from <= s.report_date and (u.valid_to is null or u.valid_to >= s.report_date)
    where s.report_date = :day and s.is_expected order by u.name_vi
"""
_ROWS = """
    select source_code, read_count, refused_count from reporting.load_quality_daily
    where report_date = :day and source_code <> 'pipeline' order by source_code
"""
_ABSENT = """
    with owed (source_code, part_code) as (
        select 'sms_log', operator_code from core.operator
        union all select 'service_portal', system_code from core.portal_system
    )
    select source_code, part_code from owed o
    where not exists (
        select from ops.load_batch b
        where (b.source_code, b.part_code) = (o.source_code, o.part_code)
          and b.report_date = :day and b.status_code = 'loaded'
    )
    order by source_code, part_code
"""
_HEADINGS = {"missing": "Không nộp", "refused": "Bị trả lại", "late": "Nộp muộn", "on_time": "Đúng hạn"}
_SOURCES = {"sms_log": "Nhật ký SMS", "service_portal": "Cổng dịch vụ công", "unit_report": "Báo cáo đơn vị"}


def morning_message(day: date) -> Message:
    """Say of a closed day who has not reported, who was late or refused, which source is absent, what was refused."""
    with loader_engine().connect() as connection:
        asked = {"day": day}
        units: dict[str, list[str]] = {status: [] for status in _HEADINGS}
        for row in connection.execute(sa.text(_REPORTS), asked):
            units.setdefault(row.status_code, []).append(row.name_vi)
        rows = connection.execute(sa.text(_ROWS), asked).all()
        absent = connection.execute(sa.text(_ABSENT), asked).all()
    silent = len(units["missing"]) + len(units["refused"])
    owed = sum(map(len, units.values()))
    lines = [f"Ngày {day:%d/%m/%Y}: {owed - silent}/{owed} đơn vị đã nộp báo cáo.", ""]
    for status, heading in _HEADINGS.items():
        names = units[status]
        listed = f": {'; '.join(names)}" if names and status != "on_time" else ""
        lines.append(f"{heading} ({len(names)}){listed}")
    lines += [
        "",
        "Nguồn chưa có số liệu: "
        + (", ".join(f"{_SOURCES[one.source_code]} {one.part_code}" for one in absent) or "không"),
    ]
    lines += [
        f"{_SOURCES.get(one.source_code, one.source_code)}: đọc {one.read_count} dòng, từ chối {one.refused_count}"
        for one in rows
    ]
    lines += ["", f"{settings().public_url}/plugin/directive-reports?day={day}"]
    facts = {
        "kind": "summary",
        "day": day.isoformat(),
        "reports": {status: len(names) for status, names in units.items()},
        "missing_units": units["missing"],
        "absent_parts": [f"{one.source_code} {one.part_code}" for one in absent],
    }
    subject = (
        f"[directive-etl] {day:%d/%m/%Y}: {silent} đơn vị chưa có báo cáo, {len(units['late'])} nộp muộn"
    )
    return Message(subject, "\n".join(lines) + "\n", facts)
