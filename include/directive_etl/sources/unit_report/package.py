"""Write a workbook's parts as one .xlsx whose bytes depend on the content alone.

openpyxl stamps the archive and the properties with the wall clock; here both are fixed, so that the same
figures give the same SHA-256 and a rerun writes the same file.
"""

import io
import zipfile
from collections.abc import Mapping

from openpyxl import Workbook

_CORE_PART = "docProps/core.xml"
_CORE = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>directive_etl</dc:creator></cp:coreProperties>'
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the format knows no earlier time


def to_parts(workbook: Workbook) -> dict[str, bytes]:
    """Return the parts that openpyxl makes of a workbook, in its order, with properties that never change."""
    saved = io.BytesIO()
    workbook.save(saved)
    with zipfile.ZipFile(saved) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return parts | {_CORE_PART: _CORE}


def to_package(parts: Mapping[str, bytes]) -> bytes:
    """Return the parts as the bytes of an .xlsx."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, content)
    return packed.getvalue()
