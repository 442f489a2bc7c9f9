"""Ports on the loopback interface: found free once, then remembered, so that addresses stay the same."""

import random
import socket

from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places
from directive_etl.local_stack.private_files import read_json, write_private_json

# Below every usual range of ephemeral ports: an outgoing connection never takes a remembered port.
CANDIDATES = range(20000, 30000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: TIME_WAIT is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def find_free(excluding: frozenset[int] = frozenset()) -> int:
    """Return a free port that is none of `excluding`.

    Raises:
        StackError: none was found.
    """
    # Random, so that two clones which start together do not try the same ones in the same order.
    for port in random.sample(CANDIDATES, ATTEMPTS):
        if port not in excluding and is_free(port):
            return port
    raise StackError(f"no free port among {ATTEMPTS} tried between {CANDIDATES.start} and {CANDIDATES.stop}")


def remembered(places: Places, name: str) -> int:
    """Return the port kept for `name`; choose one the first time."""
    ports: dict[str, int] = read_json(places.ports_file) or {}
    return ports[name] if name in ports else choose(places, name)


def choose(places: Places, name: str) -> int:
    """Choose a new port for `name` and remember it."""
    ports: dict[str, int] = read_json(places.ports_file) or {}
    places.local.mkdir(parents=True, exist_ok=True)
    ports[name] = find_free(excluding=frozenset(ports.values()))
    write_private_json(places.ports_file, ports)
    return ports[name]


def free_and_remembered(places: Places, name: str) -> int:
    """Return the port kept for `name`, or another one when somebody else took it meanwhile.

    To be asked only while the part itself is not running.
    """
    port = remembered(places, name)
    return port if is_free(port) else choose(places, name)
