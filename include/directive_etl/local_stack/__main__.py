"""python -m directive_etl.local_stack: the stack of this clone by hand."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence

from directive_etl.local_stack import stack
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m directive_etl.local_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run, wait until it is healthy, print the address")
    commands.add_parser("down", help="stop everything this clone started")
    commands.add_parser("status", help="list the parts; exit code 3 when one is down")
    commands.add_parser("env", help='print a line that loads the settings: eval "$(... env)"')
    commands.add_parser("clean", help="stop everything and delete .local/")
    demo = commands.add_parser(
        "demo", help="start the stack and run 14 days of the demo city", add_help=False
    )
    demo.add_argument("rest", nargs=argparse.REMAINDER)
    parsed = parser.parse_args(arguments)
    places = Places.of_clone()
    try:
        return _run(places, parsed)
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; what was started goes on running, `make down` stops it\n")
        return 130


def _run(places: Places, parsed: argparse.Namespace) -> int:
    match parsed.command:
        case "up":
            _up(places)
        case "down":
            stack.down(places)
            _say("Stopped. The data stay; `make up` starts again, `make clean` deletes them.")
        case "status":
            return _status(places)
        case "env":
            if not places.env_file.exists():
                raise StackError("no settings yet: `make up` writes them")
            _say(f"set -a; . {shlex.quote(str(places.env_file))}; set +a")  # by name: nothing secret is shown
        case "clean":
            stack.clean(places)
        case "demo":
            from directive_etl.local_stack import (
                demo,
            )  # here: it brings the demo city, which `up` does not need

            return demo.main(parsed.rest)
    return 0


def _up(places: Places) -> None:
    started = time.monotonic()
    login = stack.up(places)
    _say(f"The stack is up ({time.monotonic() - started:.0f} s).")
    _say(f"  Airflow    {login.address}   user {login.user}, password {login.password}")
    _say("  Warehouse  `python -m directive_etl url --reader` prints its address")
    _say(f"  Settings   {places.env_file}; logs {places.logs}")
    _say("  `make down` stops it.")


def _status(places: Places) -> int:
    if not places.local.exists():
        _say("never started: `make up`")
        return 3
    rows = stack.status(places)
    for row in rows:
        _say(f"{row.name:<16}{row.health:<12}{row.pid or '-':>8}  {row.address}".rstrip())
    return 0 if all(row.pid for row in rows) else 3


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
