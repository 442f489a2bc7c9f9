"""`python -m directive_etl operator check FILE.yaml SAMPLE` says what would be read and refused, and keeps nothing."""

from pathlib import Path

import pytest

from directive_etl.__main__ import main

EXAMPLES = Path(__file__).parents[3] / "docs" / "sources" / "examples" / "sms_log"


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command in an empty folder, and return its status and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(declared: Path, sample: Path) -> tuple[int, str]:
        status = main(["operator", "check", str(declared), str(sample)])
        said = capsys.readouterr()
        return status, said.out + said.err

    yield run
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".yaml", ".csv")) == []


def test_it_says_how_each_field_is_read_and_what_is_refused(check) -> None:
    status, said = check(EXAMPLES / "smpp.yaml", EXAMPLES / "smpp.log")
    assert status == 0
    for line in (
        "smpp: smpp.log, 681 bytes, read as delimited",
        "message_id    8 of 9              0A; 0B; 0C",
        "status 'NOROUTE': 1 rows, failed",
        "connection 'c1': 9 rows",
        "sender 'BLUEZONE': 4 rows, bluezone-2020",
        "9 rows read: 8 would be loaded, 1 refused, 0 are copies of others",
        "  1 x bad_receipt: the SMPP receipt has no status that can be read",
        "2020-08-18 bluezone-2020: 4 messages, 4 segments, 4 recipients; "
        "1 delivered, 1 failed, 0 expired, 1 rejected, 1 without state",
    ):
        assert line in said.splitlines()
    assert "-> 2020-08-18 10:00:00 +0700" in said
    assert "901888484" not in said


def test_it_names_what_is_not_declared(check, tmp_path: Path) -> None:
    text = (EXAMPLES / "etelecom.yaml").read_text()
    declared = tmp_path / "etelecom.yaml"
    declared.write_text(text.replace("FAIL: failed, ", "").replace("etelecom*.csv*", "*.txt"))
    status, said = check(declared, EXAMPLES / "etelecom.csv")
    assert status == 0
    assert "its name matches none of file_patterns: *.txt" in said
    assert "status 'FAIL': 1 rows, NOT DECLARED in status_map" in said


def test_it_says_that_a_whole_file_would_be_refused(check, tmp_path: Path) -> None:
    sample = tmp_path / "etelecom.csv"
    sample.write_text("id,phone,createdatetime,status\n")
    status, said = check(EXAMPLES / "etelecom.yaml", sample)
    assert status == 0
    assert "1 rows read: 0 would be loaded, 1 refused" in said
    assert "wrong_header: the file lacks a declared column: missing columns: phonenumber, mtcount" in said


def test_it_tells_the_mistakes_of_the_file(check, tmp_path: Path) -> None:
    declared = tmp_path / "etelecom.yaml"
    text = (EXAMPLES / "etelecom.yaml").read_text()
    declared.write_text(
        text.replace("SUCCESS: delivered", "SUCCESS: done").replace("    recipient:", "    receiver:")
    )
    status, said = check(declared, EXAMPLES / "etelecom.csv")
    assert status == 1
    assert "etelecom.yaml:" in said and "receiver" in said and "SUCCESS" in said
    status, said = check(EXAMPLES / "etelecom.yaml", tmp_path / "absent.csv")
    assert (status, "is no file" in said) == (1, True)
