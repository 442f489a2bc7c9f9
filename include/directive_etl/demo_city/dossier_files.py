"""The files behind the demo's portals: a version of a dossier a line, and the plan of the servers' faults."""

from datetime import datetime
from pathlib import Path

import orjson

from directive_etl.demo_city.dossier_course import Version
from directive_etl.demo_city.dossier_demand import SYSTEM_CODES, Applicant
from directive_etl.demo_city.dossier_faults import BadVersion, Record, ServerFault


def write_portal_files(
    folder: Path,
    versions: list[Version],
    bad_versions: list[BadVersion],
    applicants: dict[str, Applicant],
    server_faults: list[ServerFault],
) -> list[Path]:
    """Write `<system_code>.jsonl` for each system, in order of change, and `faults.json`; return the files.

    Args:
        folder: made when absent; files of the same names are replaced.
        versions: what is true.
        bad_versions: records to spoil.
        applicants: by dossier_code.
        server_faults: for the servers, as portal_server reads them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for code in SYSTEM_CODES:
        records = [_to_record(v, applicants[v.dossier_code]) for v in versions if v.system_code == code]
        for bad in bad_versions:
            if bad.version.system_code == code:
                records.append(bad.spoil(_to_record(bad.version, applicants[bad.version.dossier_code])))
        records.sort(key=lambda record: (str(record["changed_at"]), str(record["dossier_code"])))
        path = folder / f"{code}.jsonl"
        path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
        written.append(path)
    plan = folder / "faults.json"
    plan.write_bytes(orjson.dumps([fault.to_record() for fault in server_faults], option=orjson.OPT_INDENT_2))
    return [*written, plan]


def _to_record(version: Version, applicant: Applicant) -> Record:
    forms = (
        f"0{applicant.phone}",
        f"+84{applicant.phone}",
        f"0{applicant.phone[:3]}.{applicant.phone[3:6]}.{applicant.phone[6:]}",
    )
    record: Record = {
        "dossier_code": version.dossier_code,
        "procedure_code": version.procedure_code,
        "unit_code": version.unit_code,
        "channel": version.channel,
        "received_at": _iso(version.received_at),
        "due_at": _iso(version.due_at),
        "finished_at": _iso(version.finished_at),
        "returned_at": _iso(version.returned_at),
        "status": version.status,
        "changed_at": _iso(version.changed_at),
        "applicant_name": applicant.name,
        "applicant_phone": forms[int(applicant.phone) % len(forms)],
        "applicant_address": applicant.address,
    }
    if version.visible_from != version.changed_at:
        record["visible_from"] = _iso(version.visible_from)
    return record


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
