"""docs/alerts.md: every cause an alert can have, from the list the code diagnoses by."""

from directive_etl.alerts.causes import CAUSES, OVERDUE_CLOSE, UNKNOWN, Cause

_HEAD = """# Alerts, by cause

Generated from `alerts/causes.py` by `python -m directive_etl docs`; do not edit. An alert names its cause and links
here. How they are sent, rolled up and recover: [observability.md](observability.md). By symptom:
[runbook.md](runbook.md).

| cause | who acts |
|---|---|
"""


def alerts_page() -> str:
    """Return the page."""
    causes = [*CAUSES, OVERDUE_CLOSE, UNKNOWN]
    overview = "".join(f"| [{cause.code}](#{cause.code}) | {cause.owner} |\n" for cause in causes)
    return _HEAD + overview + "".join(_section(cause) for cause in causes)


def _section(cause: Cause) -> str:
    cured = cause.dag_id or "the DAG that failed"
    scope = "One alert for every task it hits" if cause.is_shared else "One alert per source and part"
    return (
        f"\n## {cause.code}\n{cause.means}\n\n- **Who acts** {cause.owner}\n- **Do** {cause.action}\n"
        f"- **Button runs** `{cured}`\n- **Rolled up** {scope}.\n"
    ).replace("`the DAG that failed`", "the DAG that failed")
