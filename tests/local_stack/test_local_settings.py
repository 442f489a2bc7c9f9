"""Keys, ports and settings of a clone: made once, private, read alike by everybody."""

import json
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from directive_etl.local_stack import keys, ports, services, settings_file
from directive_etl.local_stack.errors import StackError
from directive_etl.local_stack.places import Places


@pytest.fixture
def places(tmp_path):
    places = Places(root=tmp_path, local=tmp_path / ".local")
    places.create()
    return places


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def read_by_shell(path: Path) -> dict[str, str]:
    script = 'set -a; . "$1"; exec env -0'
    answer = subprocess.run(
        ["env", "-i", "/bin/sh", "-c", script, "sh", str(path)], capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in answer.stdout.split("\0") if line)


def test_keys_stay_the_same_from_start_to_start(places):
    assert vars(keys.load_or_create(places)) == vars(keys.load_or_create(places))


def test_a_key_that_a_newer_version_needs_is_added_and_the_others_stay(places):
    before = vars(keys.load_or_create(places))
    places.keys_file.write_text(json.dumps({"hash_key": before["hash_key"]}), encoding="utf-8")
    after = vars(keys.load_or_create(places))
    assert after["hash_key"] == before["hash_key"]
    assert after["etl_owner"] != before["etl_owner"]


def test_keys_do_not_show_themselves(places):
    secret = keys.load_or_create(places)
    assert secret.etl_owner not in repr(secret)


def test_secrets_are_for_the_owner_only(places):
    settings_file.add_settings(places, {"DIRECTIVE_ETL_SECRET": "x"})
    settings_file.write_env(places)
    files = (places.keys_file, places.env_file, places.extra_settings_file)
    assert [mode(file) for file in files] == [0o600] * 3


def test_folders_with_phone_numbers_are_closed_to_others(places):
    assert [mode(folder) for folder in (places.landing, places.drop, places.inbox)] == [0o700] * 3


def test_a_shell_and_dotenv_read_the_same_settings(places):
    settings_file.add_settings(
        places, {"DIRECTIVE_ETL_JSON": '{"dvcqg": {"url": "http://x?a=1&b=$HOME #2"}}'}
    )
    settings_file.write_env(places)
    expected = settings_file.environment(places)
    by_shell = read_by_shell(places.env_file)
    assert {name: by_shell.get(name) for name in expected} == expected
    assert dict(dotenv_values(places.env_file, interpolate=False)) == expected


def test_added_settings_win_and_stay(places):
    settings_file.add_settings(places, {"DIRECTIVE_ETL_DROP": "s3://bucket/drop"})
    settings_file.add_settings(places, {"DIRECTIVE_ETL_OTHER": "1"})
    settings = settings_file.environment(places)
    assert (settings["DIRECTIVE_ETL_DROP"], settings["DIRECTIVE_ETL_OTHER"]) == ("s3://bucket/drop", "1")


@pytest.mark.parametrize("value", ["it's", "a\nb", "a\\b"])
def test_a_value_that_a_shell_would_read_differently_is_refused(places, value):
    with pytest.raises(StackError, match="DIRECTIVE_ETL_X"):
        settings_file.add_settings(places, {"DIRECTIVE_ETL_X": value})
    assert settings_file.added_settings(places) == {}


def test_a_port_is_remembered(places):
    assert ports.remembered(places, "web") == ports.remembered(places, "web")


def test_a_port_that_somebody_else_took_is_replaced(places):
    taken = ports.remembered(places, "web")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", taken))
        stranger.listen()
        assert ports.free_and_remembered(places, "web") != taken
    assert ports.remembered(places, "web") != taken


def test_parts_of_one_clone_have_different_ports(places, monkeypatch):
    monkeypatch.setattr(ports, "CANDIDATES", range(20000, 20002))
    monkeypatch.setattr(ports, "ATTEMPTS", 2)
    monkeypatch.setattr(ports, "is_free", lambda port: True)
    assert ports.remembered(places, "a") != ports.remembered(places, "b")
    with pytest.raises(StackError, match="no free port"):
        ports.remembered(places, "c")


def test_a_declared_service_replaces_the_one_of_the_same_name(places):
    services.declare(places, "portals", ["old"])
    services.declare(places, "portals", ["python", "-V"], {"A": "b"})
    (part,) = services.declared(places)
    assert (part.name, list(part.argv), dict(part.env)) == ("portals", ["python", "-V"], {"A": "b"})
