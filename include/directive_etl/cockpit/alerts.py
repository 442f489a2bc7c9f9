"""The page Alerts: what is wrong now and who cures it, the batches that wait for a decision, the doctor's findings."""

from datetime import date

from fastapi import APIRouter, Request
from pydantic import BaseModel

from directive_etl.alerts import Alert, AlertBook
from directive_etl.cockpit.asked import Page, PageNumber, PageSize, offset, paged
from directive_etl.cockpit.reading import read_operations
from directive_etl.doctor import examine
from directive_etl.settings import settings

router = APIRouter(tags=["alerts"])
operator_router = APIRouter(tags=["alerts"])

_HELD = """
    select b.batch_id, b.source_code, b.part_code, b.report_date, b.reason, b.read_count, b.recorded_at,
           count(*) over () as total
    from ops.load_batch b
    where b.status_code = 'refused' and b.source_code in ('sms_log', 'service_portal')
      and not exists (select from ops.batch_decision d where d.batch_id = b.batch_id)
      and not exists (
          select from ops.load_batch l
          where (l.source_code, l.part_code, l.report_date) = (b.source_code, b.part_code, b.report_date)
            and l.batch_id > b.batch_id
      )
      and exists (
          select from ops.quality_result q
          where q.batch_id = b.batch_id and q.severity = 'critical' and not q.is_success
      )
    order by b.report_date desc, b.batch_id desc
    limit :limit offset :offset
"""


class OpenAlert(BaseModel):
    """An alert with its cure; `dag_id` and `days` are what its button runs."""

    alert_id: str
    cause: str
    owner: str
    means: str
    action: str
    said: str
    source: str
    part: str
    days: list[str]
    dag_id: str
    count: int
    first_at: str
    last_at: str
    is_told: bool
    runbook: str


class DoctorFinding(BaseModel):
    """One thing the doctor looked at."""

    subject: str
    said: str
    cure: str
    is_well: bool


@router.get("/api/alerts")
def open_alerts() -> list[OpenAlert]:
    """Return the open alerts, the newest failure first."""
    return [_shown(alert) for alert in AlertBook(settings().alerts).open_alerts()]


@router.get("/api/held")
def held_batches(page: PageNumber = 1, page_size: PageSize = 20) -> Page:
    """Return the batches that a critical check holds back and nobody has decided about."""
    return paged(read_operations(_HELD, **offset(page, page_size)), page, page_size)


@operator_router.get("/api/doctor")
def findings(request: Request) -> list[DoctorFinding]:
    """Examine settings, connections, schema, rights, disk and clock; faults first, each with its cure."""
    found = [
        DoctorFinding(subject=one.subject, said=one.said, cure=one.cure, is_well=one.is_well)
        for one in examine(request.app.state.airflow)
    ]
    return sorted(found, key=lambda one: one.is_well)


def _shown(alert: Alert) -> OpenAlert:
    cause = alert.cause
    return OpenAlert(
        alert_id=alert.alert_id,
        cause=alert.cause_code,
        owner=cause.owner,
        means=cause.means,
        action=cause.action,
        said=alert.said,
        source=alert.source,
        part=alert.part,
        days=[day for day in alert.days if _is_day(day)],
        dag_id=alert.dag_id,
        count=alert.count,
        first_at=alert.first_at,
        last_at=alert.last_at,
        is_told=bool(alert.told_at),
        runbook=f"{settings().runbook_url}#{alert.cause_code}",
    )


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
