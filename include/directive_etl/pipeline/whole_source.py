"""All steps of a source for a day, and one part again after a release."""

from collections.abc import Callable
from datetime import date
from functools import partial

from directive_etl.landing.place import Connect, is_address, no_connection
from directive_etl.pipeline.progress import affected_days, recompute_day
from directive_etl.pipeline.service_portal import pull_portal_system
from directive_etl.pipeline.sms_log import count_sms_operator, publish_sms_reach, require_whole_files
from directive_etl.pipeline.unit_report import OpenMailbox, answer_inbox, deliver_answers, take_mail
from directive_etl.registry import operators, systems
from directive_etl.settings import SystemConnection, settings

# Claims the days of runs by hand; one that died leaves them to the next.
BY_HAND = "by hand"
SOURCES = ("sms_log", "service_portal", "unit_report")


def run_source(
    source: str,
    day: date,
    connect: Connect = no_connection,
    open_mailbox: OpenMailbox = no_connection,
) -> list[date]:
    """Run one source for one day, all its parts, and recompute the progress it changes: what a day of DAGs does.

    Args:
        source: one of SOURCES.
        day: the day.
        connect: opens places that are on the network.
        open_mailbox: signs in to the mailbox, if there is one.

    Raises:
        ExceptionGroup: the errors of the parts that failed; the other parts are loaded.
    """
    steps: dict[str, list[Callable[[], list[date]]]] = {
        "sms_log": [
            *(
                partial(count_sms_operator, operator.operator_code, day, connect)
                for operator in operators.operators()
            ),
            partial(publish_sms_reach, day),
            partial(require_whole_files, day),
        ],
        "service_portal": [
            partial(pull_portal_system, system.system_code, day) for system in systems.systems()
        ],
        "unit_report": [
            *([partial(take_mail, open_mailbox)] if settings().mailbox else ()),
            partial(answer_inbox, day, connect),
            *([partial(deliver_answers, connect)] if is_address(settings().outbox) else ()),
        ],
    }
    changed: set[date] = set()
    errors: list[Exception] = []
    for step in steps[source]:
        try:
            changed.update(step())
        except Exception as error:  # noqa: BLE001 - a part that fails must not keep the others out; all are raised below
            errors.append(error)
    for changed_day in affected_days(source, BY_HAND):
        recompute_day(changed_day)
    if errors:
        message = f"{source} {day}: {len(errors)} of {len(steps[source])} steps failed, the rest is loaded"
        raise ExceptionGroup(message, errors)
    return sorted(changed)


def load_released(
    source: str,
    part: str,
    day: date,
    connection: SystemConnection | None = None,
    connect: Connect = no_connection,
) -> list[date]:
    """Read a released part of a day again; returns the reporting days that changed."""
    if source == "sms_log":
        return count_sms_operator(part, day, connect)
    return pull_portal_system(part, day, connection)
