"""Tell people: a failure once per cause, a recovery, a close that is overdue, and the morning's summary."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from directive_etl.alerts.book import Affected, Alert, AlertBook
from directive_etl.alerts.causes import OVERDUE_CLOSE, Cause, diagnose
from directive_etl.alerts.delivery import Message, deliver
from directive_etl.alerts.morning import morning_message
from directive_etl.masking import mask_digits
from directive_etl.settings import settings

_MAX_SAID = 600
_DAY = re.compile(r"(\b20\d\d-[01]\d-[0-3]\d\b)")


def tell_failure(affected: Affected, error: BaseException | str | None, now: datetime | None = None) -> bool:
    """Note a task that failed for good, and tell of its cause unless that was told before.

    Returns:
        Whether somebody had to be told.
    """
    cause = diagnose(error, affected.dag_id)
    return _raise(cause, affected, str(error or "the task ended without saying why"), now)


def tell_success(affected: Affected, now: datetime | None = None) -> list[Alert]:
    """Note that a task succeeded (without its name: all of a part and day), and tell what has recovered.

    Returns:
        The alerts that have recovered.
    """
    recovered = _book().note_success(affected, now or datetime.now(UTC))
    for alert in recovered:
        deliver(_recovery(alert), settings(), settings().alert_mail_to)
    return recovered


def tell_overdue_close(day: str, now: datetime | None = None) -> bool:
    """Tell that a day should be closed by now and is not."""
    return _raise(
        OVERDUE_CLOSE, Affected("daily_close", "close", "", day), f"daily_close {day}: not done in time", now
    )


def tell_morning(day: date) -> bool:
    """Send the summary of a closed day, once for the same content; business facts are told here and never alerted.

    Returns:
        Whether it was sent.
    """
    message = morning_message(day)
    mark = hashlib.sha256(message.text.encode()).hexdigest()
    kept = settings().alerts / "mornings" / f"{day}.sha256"
    if kept.exists() and kept.read_text(encoding="utf-8") == mark:
        return False
    known = settings()
    if not deliver(message, known, known.summary_mail_to or known.alert_mail_to):
        return False
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(mark, encoding="utf-8")
    return True


def _book() -> AlertBook:
    return AlertBook(settings().alerts)


def _raise(cause: Cause, affected: Affected, said: str, now: datetime | None) -> bool:
    moment = now or datetime.now(UTC)
    text = _masked(said)[:_MAX_SAID]
    alert = _book().note_failure(cause, affected, affected.dag_id, text, moment)
    if alert is None:
        return False
    if deliver(_failure(alert), settings(), settings().alert_mail_to):
        _book().note_told(alert, moment)
    return True


def _masked(text: str) -> str:
    """Mask long numbers but not days, which every message of ours begins with."""
    parts = _DAY.split(text)
    return "".join(part if place % 2 else mask_digits(part) for place, part in enumerate(parts))


def _failure(alert: Alert) -> Message:
    again = " (reminder)" if alert.told_at else ""
    subject = f"[directive-etl] {_where(alert)}: {alert.cause_code.replace('_', ' ')}{again}"
    lines = [
        f"What      {alert.said}",
        f"Means     {alert.cause.means}",
        f"Who acts  {alert.cause.owner}",
        f"Do        {alert.cause.action}",
        f"Runbook   {_runbook(alert)}",
        f"Page      {_page(alert)}",
        f"Hit       {len(alert.affected)} tasks{_of_days(alert.days)}, since {alert.first_at[:16]} UTC",
    ]
    return Message(subject, "\n".join(lines) + "\n", _facts("reminder" if again else "alert", alert))


def _recovery(alert: Alert) -> Message:
    subject = f"[directive-etl] recovered: {_where(alert)}: {alert.cause_code.replace('_', ' ')}"
    text = f"It lasted from {alert.first_at[:16]} to {alert.last_at[:16]} UTC, {alert.count} failures.\n"
    return Message(subject, text, _facts("recovery", alert))


def _facts(kind: str, alert: Alert) -> dict[str, object]:
    return {
        "kind": kind,
        "alert_id": alert.alert_id,
        "cause": alert.cause_code,
        "source": alert.source,
        "part": alert.part,
        "days": alert.days,
        "owner": alert.cause.owner,
        "means": alert.cause.means,
        "action": alert.cause.action,
        "dag_id": alert.dag_id,
        "runbook": _runbook(alert),
        "page": _page(alert),
        "count": alert.count,
    }


def _where(alert: Alert) -> str:
    return " ".join(filter(None, (alert.source, alert.part))) or "whole system"


def _of_days(days: Sequence[str]) -> str:
    return "" if not days else f" of {days[0]}" if len(days) == 1 else f" of {days[0]} to {days[-1]}"


def _runbook(alert: Alert) -> str:
    return f"{settings().runbook_url}#{alert.cause_code}"


def _page(alert: Alert) -> str:
    return f"{settings().public_url}/plugin/directive-alerts"
