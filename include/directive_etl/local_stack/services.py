"""Further processes that `up` starts and `down` stops, such as the demo city's portal server."""

from collections.abc import Mapping, Sequence

from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private_json
from directive_etl.local_stack.processes import Part


def declare(places: Places, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
    """Keep a process for every following `up`. The same name again replaces it.

    Args:
        places: of the clone.
        name: unique among the parts of the stack; its log is `.local/logs/<name>.log`.
        argv: the command line; it runs in the clone's root with the stack's settings in its environment.
        env: variables for this process alone.
    """
    places.local.mkdir(parents=True, exist_ok=True)
    services = read_json(places.services_file) or {}
    services[name] = {"argv": list(argv), "env": dict(env or {})}
    write_private_json(places.services_file, services)


def declared(places: Places) -> list[Part]:
    """Return the declared processes, in the order of their first declaration."""
    services = read_json(places.services_file) or {}
    return [Part(name, service["argv"], service["env"]) for name, service in services.items()]
