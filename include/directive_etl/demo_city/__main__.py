"""python -m directive_etl.demo_city: write the demo city's files, or serve its portals."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from directive_etl.demo_city.city import City


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m directive_etl.demo_city", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write drop, inbox, portals and truth of 14 days")
    build.add_argument(
        "--home", type=Path, default=Path(".local"), help="folder to write into (default: .local)"
    )
    build.add_argument("--seed", type=int, default=City.seed, help="another seed is another city")
    serve = commands.add_parser("serve", help="serve the three portals of a city that was built")
    serve.add_argument("--home", type=Path, default=Path(".local"), help="folder that `build` wrote into")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    serve.add_argument("--port", type=int, required=True, help="port to listen on")
    parsed = parser.parse_args(arguments)
    if parsed.command == "build":
        _build(parsed.home, City(seed=parsed.seed))
    else:
        _serve(parsed.home, parsed.host, parsed.port)
    return 0


def _build(home: Path, city: City) -> None:
    from directive_etl.demo_city.build import build  # here: `serve` needs neither pandas nor openpyxl

    started = time.monotonic()
    days = f"{city.first_day} to {city.last_day}"
    for name, count in build(home, city).items():
        _say(f"{count:>10,}  {name}")
    _say(f"The demo city of {days} is in {home} ({time.monotonic() - started:.0f} s).")


def _serve(home: Path, host: str, port: int) -> None:
    from directive_etl.demo_city.portal_server import serve

    serve(home / "demo", host, port)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
