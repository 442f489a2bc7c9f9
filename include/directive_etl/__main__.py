"""python -m directive_etl: the same steps by hand that the DAGs run."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from directive_etl.errors import ConfigurationError, DirectiveEtlError
from directive_etl.observability.logs import configure_logs
from directive_etl.settings import settings

if TYPE_CHECKING:
    from directive_etl.landing.place import Connect
    from directive_etl.pipeline.unit_report import OpenMailbox


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; errors of ours end with their message and status 1, without a traceback."""
    configure_logs()
    asked = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = asked.command
    try:
        return command(asked)
    except DirectiveEtlError as error:
        say(f"error: {error}", sys.stderr)
        return 1
    except ExceptionGroup as group:
        ours, others = group.split(DirectiveEtlError)
        for one in ours.exceptions if ours else ():
            say(f"error: {one}", sys.stderr)
        if others:
            raise others from None
        return 1


def say(text: str, stream: TextIO | None = None) -> None:
    """Write one line for the person who typed the command."""
    (stream or sys.stdout).write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m directive_etl", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run one source for one day, and recompute the progress it changes")
    run.add_argument("source", choices=["sms_log", "service_portal", "unit_report", "daily_close"])
    run.add_argument("day", type=date.fromisoformat, help="YYYY-MM-DD")
    run.set_defaults(command=_run)

    progress = commands.add_parser("progress", help="print the city's progress per clause")
    progress.add_argument("--day", type=date.fromisoformat, help="YYYY-MM-DD; the newest without it")
    progress.set_defaults(command=_progress)

    url = commands.add_parser("url", help="print the SQLAlchemy URL of the warehouse")
    url.add_argument(
        "--reader", action="store_true", help="of the role reporting_reader instead of etl_loader"
    )
    url.set_defaults(command=_url)

    migrate = commands.add_parser(
        "migrate", help="bring the warehouse to the newest schema and load the registry"
    )
    migrate.set_defaults(command=_migrate)

    docs = commands.add_parser("docs", help="write the generated pages of docs/")
    docs.add_argument(
        "--check", action="store_true", help="write nothing; status 1 when a page is out of date"
    )
    docs.set_defaults(command=_docs)

    doctor = commands.add_parser(
        "doctor", help="find what keeps the system from working, and say how to cure it"
    )
    doctor.set_defaults(command=_doctor)

    template = commands.add_parser("template", help="write the workbook a unit fills in")
    template.add_argument("unit", nargs="?", help="code of the unit")
    template.add_argument("--all", action="store_true", help="every unit that owes a report on the day")
    template.add_argument(
        "--day", type=date.fromisoformat, required=True, help="YYYY-MM-DD, the day it is about"
    )
    template.add_argument("--to", type=Path, default=Path(), help="folder to write to; here by default")
    template.set_defaults(command=_template)

    reopen = commands.add_parser("reopen", help="let a unit correct a locked day again")
    reopen.add_argument("unit", help="code of the unit")
    reopen.add_argument("day", type=date.fromisoformat, help="YYYY-MM-DD, the day to be corrected")
    reopen.add_argument("--reason", required=True, help="why; it is kept")
    reopen.add_argument(
        "--until",
        type=date.fromisoformat,
        help="YYYY-MM-DD, the last day of receipt; without an end by default",
    )
    reopen.set_defaults(command=_reopen)

    directive = commands.add_parser("directive", help="check a directive's file")
    check = directive.add_subparsers(required=True, metavar="check").add_parser(
        "check", help="say every mistake in it"
    )
    check.add_argument("file", type=Path)
    check.set_defaults(command=_directive_check)

    operator = commands.add_parser("operator", help="try an operator's file on a sample of its logs")
    sample = operator.add_subparsers(required=True, metavar="check").add_parser(
        "check", help="say what would be read and refused, and how each field is read; nothing is loaded"
    )
    sample.add_argument("file", type=Path)
    sample.add_argument("sample", type=Path)
    sample.set_defaults(command=_operator_check)

    system = commands.add_parser("system", help="try a portal system's file")
    trial = system.add_subparsers(required=True, metavar="check").add_parser(
        "check", help="read two pages, and show how each field would be read; nothing is kept"
    )
    trial.add_argument("file", type=Path)
    trial.add_argument(
        "--day", type=date.fromisoformat, required=True, help="YYYY-MM-DD, the day that closes the window"
    )
    trial.add_argument("--base-url", help="where it answers, instead of DIRECTIVE_ETL_SYSTEM_CONNECTIONS")
    trial.set_defaults(command=_system_check)
    return parser


def _run(asked: argparse.Namespace) -> int:
    from directive_etl import pipeline

    if asked.source == "daily_close":
        for closed in pipeline.close(asked.day):
            say(
                f"{closed.directive_number} {asked.day}: {closed.row_count} rows, "
                f"{settings().reports / closed.report_path}"
            )
        return 0
    changed = pipeline.run_source(asked.source, asked.day, *_connections())
    say("changed days: " + (", ".join(map(str, changed)) or "none, all is as it was"))
    return 0


def _connections() -> "tuple[Connect, OpenMailbox] | tuple[()]":
    """Airflow's connections; importing it costs seconds, so only where a setting names a place on the network."""
    from directive_etl.landing.place import is_address

    places = settings()
    if not any(map(is_address, (places.drop, places.inbox, places.outbox, places.mailbox))):
        return ()
    from directive_etl.airflow_connections import connected_mailbox, connected_place

    return connected_place, connected_mailbox


def _progress(asked: argparse.Namespace) -> int:
    from directive_etl.progress.table import city_progress_table
    from directive_etl.warehouse.engine import engine_for

    say(city_progress_table(engine_for("reader_url"), asked.day))
    return 0


def _url(asked: argparse.Namespace) -> int:
    say(settings().require("reader_url" if asked.reader else "warehouse_url"))
    return 0


def _migrate(_: argparse.Namespace) -> int:
    from directive_etl import pipeline

    pipeline.migrate_warehouse()
    say("the warehouse is at the newest schema")
    return 0


def _docs(asked: argparse.Namespace) -> int:
    import sqlalchemy as sa

    from directive_etl.handbook import stale_pages, write_pages
    from directive_etl.warehouse.engine import engine_for

    root = Path(__file__).parents[2]
    engine = engine_for("migration_url")
    try:
        changed = stale_pages(root, engine) if asked.check else write_pages(root, engine)
    except sa.exc.OperationalError:
        raise ConfigurationError(
            "docs: the warehouse does not answer; its comments are the data dictionary. `make up`"
        ) from None
    said = "out of date: run `python -m directive_etl docs`" if asked.check else "written"
    for path in changed:
        say(f"{path.relative_to(root)}: {said}")
    return int(asked.check and bool(changed))


def _doctor(_: argparse.Namespace) -> int:
    from directive_etl.airflow_connections import airflow_connections, with_those_of_pages
    from directive_etl.doctor import examine

    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    with with_those_of_pages():
        findings = examine(airflow_connections())
    for finding in findings:
        say(f"{'ok   ' if finding.is_well else 'FAULT'} {finding.subject}: {finding.said}")
        if not finding.is_well:
            say(f"      cure: {finding.cure}")
    return int(any(not finding.is_well for finding in findings))


def _template(asked: argparse.Namespace) -> int:
    from directive_etl.registry.directive import directives
    from directive_etl.registry.obligations import expected_report
    from directive_etl.registry.units import units_on
    from directive_etl.sources.unit_report.template import write_workbook

    if bool(asked.unit) == asked.all:
        raise ConfigurationError("template: name one UNIT, or --all")
    units = {unit.unit_code: unit for unit in units_on(asked.day)}
    if asked.unit and asked.unit not in units:
        raise ConfigurationError(f"template: no unit {asked.unit} on {asked.day}; see registry/units")
    for directive in directives():
        for unit in units.values() if asked.all else [units[asked.unit]]:
            if asked.all and expected_report(directive, unit, asked.day) is None:
                continue
            path = asked.to / f"{unit.unit_code}-{asked.day}.xlsx"
            write_workbook(path, directive, unit, asked.day)
            say(str(path))
    return 0


def _reopen(asked: argparse.Namespace) -> int:
    from directive_etl import pipeline

    pipeline.reopen_report(asked.unit, asked.day, asked.reason, asked.until)
    say(
        f"unit_report {asked.day} {asked.unit}: reopened; to take what was refused as locked, "
        f"run `python -m directive_etl run unit_report {asked.day}`"
    )
    return 0


def _directive_check(asked: argparse.Namespace) -> int:
    from directive_etl.registry.directive import load_directive

    directive = load_directive(asked.file)
    count = len(list(directive.indicators))
    say(
        f"{asked.file}: {directive.number}, {len(directive.clauses)} clauses, {count} indicators, no mistakes"
    )
    return 0


def _operator_check(asked: argparse.Namespace) -> int:
    from directive_etl.registry.campaigns import campaigns
    from directive_etl.registry.operators import load_operator
    from directive_etl.sources.sms_log.try_out import iter_trial

    operator = load_operator(asked.file)
    limits = settings().duckdb_memory_limit, settings().largest_log_bytes
    for line in iter_trial(operator, campaigns(), asked.sample, *limits):
        say(line)
    return 0


def _system_check(asked: argparse.Namespace) -> int:
    from directive_etl import pipeline
    from directive_etl.registry.systems import load_system
    from directive_etl.settings import SystemConnection
    from directive_etl.sources.service_portal.try_out import iter_trial

    system = load_system(asked.file)
    known = system.system_code in settings().system_connections
    if asked.base_url and not known:
        connection = SystemConnection(base_url=asked.base_url)
    else:
        connection = pipeline.system_connection(system.system_code)
    if asked.base_url:
        connection = connection.model_copy(update={"base_url": asked.base_url})
    for line in iter_trial(system, connection, asked.day, settings().require("hash_key")):
        say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
