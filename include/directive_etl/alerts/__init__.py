"""Alerts: one per cause, to mail and webhook, with who acts, what it means and what to press; recovery is told too."""

from directive_etl.alerts.book import Affected, Alert, AlertBook
from directive_etl.alerts.causes import CAUSES, Cause, diagnose
from directive_etl.alerts.tell import tell_failure, tell_morning, tell_overdue_close, tell_success

__all__ = [
    "CAUSES",
    "Affected",
    "Alert",
    "AlertBook",
    "Cause",
    "diagnose",
    "tell_failure",
    "tell_morning",
    "tell_overdue_close",
    "tell_success",
]
