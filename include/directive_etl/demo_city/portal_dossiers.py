"""The dossiers of the demo city's portals: which versions are shown when, and how each system writes them.

`<demo>/portal/<system_code>.jsonl` has one version of a dossier a line; a version with `visible_from` is
in no list that ends before that moment.
"""

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_ONE_STOP_STATUSES = {
    1: ["MOI_DANG_KY"],
    2: ["DA_TIEP_NHAN"],
    3: ["TU_CHOI_TIEP_NHAN"],
    4: ["DANG_THU_LY", "CHO_PHE_DUYET", "CHO_LIEN_THONG"],
    5: ["CHO_BO_SUNG"],
    6: ["CHO_NOP_PHI"],
    7: ["RUT_HO_SO"],
    8: ["DUNG_XU_LY"],
    9: ["DA_CO_KET_QUA"],
    10: ["DA_TRA_KET_QUA"],
}
_ONE_STOP_CHANNELS = {1: "TRUC_TIEP", 2: "TRUC_TUYEN", 3: "BUU_CHINH"}

Version = dict[str, Any]


@dataclass
class Book:
    """The versions of one system, read again when the file has changed."""

    path: Path
    read_at: int = -1
    versions: list[tuple[datetime, Version]] = field(default_factory=list)
    lists: dict[tuple[datetime, ...], list[Version]] = field(default_factory=dict)

    def list_changes(self, changed_from: datetime, changed_to: datetime) -> list[Version]:
        """Return each dossier's last version of [changed_from, changed_to) visible by its end, in order."""
        written_at = self.path.stat().st_mtime_ns if self.path.exists() else 0
        if written_at != self.read_at:
            lines = self.path.read_bytes().splitlines() if written_at else []
            versions = [orjson.loads(line) for line in lines if line.strip()]
            self.versions = [(datetime.fromisoformat(version["changed_at"]), version) for version in versions]
            self.versions.sort(key=lambda pair: (pair[0], str(pair[1]["dossier_code"])))
            self.read_at = written_at
            self.lists.clear()
        window = (changed_from, changed_to)
        if window not in self.lists:
            inside = [
                version
                for changed_at, version in self.versions
                if changed_from <= changed_at < changed_to and _is_visible(version, changed_to)
            ]
            last = {str(version["dossier_code"]): place for place, version in enumerate(inside)}
            self.lists[window] = [inside[place] for place in sorted(last.values())]
        return self.lists[window]


def _is_visible(version: Version, end: datetime) -> bool:
    return "visible_from" not in version or datetime.fromisoformat(version["visible_from"]) < end


def _date(text: str | None, form: str) -> str:
    """Write a time in the system's form; a text that is none is sent as it stands, since portals do that."""
    try:
        return datetime.fromisoformat(text).astimezone(_ZONE).strftime(form) if text else ""
    except ValueError:
        return str(text)


def to_record(version: Version, form: str) -> Version:
    """Return the dossier by the field names of the national interface; values are strings, null is empty."""
    return {
        "MaHoSo": str(version["dossier_code"]),
        "MaTTHC": str(version["procedure_code"]),
        "DonViXuLy": str(version["unit_code"]),
        "KenhThucHien": str(version["channel"]),
        "TrangThaiHoSo": str(version["status"]),
        "NgayTiepNhan": _date(version["received_at"], form),
        "NgayHenTra": _date(version["due_at"], form),
        "NgayKetThucXuLy": _date(version["finished_at"], form),
        "NgayTra": _date(version["returned_at"], form),
        "NgayCapNhat": _date(version["changed_at"], form),
        "ChuHoSo": version["applicant_name"],
        "LoaiDoiTuong": "1",
        "SoDienThoai": version["applicant_phone"],
        "DiaChiChuHoSo": version["applicant_address"],
        "TaiLieuNop": [],
    }


def to_one_stop_record(version: Version) -> Version:
    """Return the same in ISO times and the counter's own codes; steps within a status vary by dossier."""
    steps = _ONE_STOP_STATUSES.get(version["status"], [str(version["status"])])
    step = steps[zlib.crc32(str(version["dossier_code"]).encode()) % len(steps)]
    channel = _ONE_STOP_CHANNELS.get(version["channel"], str(version["channel"]))
    return to_record(version, "%Y-%m-%dT%H:%M:%S+07:00") | {"TrangThaiHoSo": step, "KenhThucHien": channel}
