"""An .xlsx as its parts: some are changed, and all the others are written back byte for byte.

Only archives that the reader process found sound come here: no path leads out, no part has a document type.
"""

import io
import posixpath
import zipfile
from typing import Any

from lxml import etree

from directive_etl.sources.unit_report.package import to_package
from directive_etl.sources.unit_report.reader_archive import ARCHIVE_ERRORS

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

# A form is some 20 KB; what is far larger goes back as a new form.
UNPACKED_BYTES = 25 * 1024 * 1024

_TYPES_PART = "[Content_Types].xml"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_RELATION_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_MAIN_TYPES = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": ".xlsx",
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": ".xlsm",
}


class NotMarkableError(Exception):
    """The file is no .xlsx, or one of a make that we do not change."""


class OwnPackage:
    """The parts of a unit's own workbook.

    Raises:
        NotMarkableError: it is none, is too large, or lacks what every one has.
    """

    def __init__(self, content: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > UNPACKED_BYTES:
                    raise NotMarkableError("too large")
                self.parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        except ARCHIVE_ERRORS as error:
            raise NotMarkableError(str(error)) from error
        self._trees: dict[str, Any] = {}
        self._as_parsed: dict[str, bytes] = {}
        self.workbook_part = self.related("", "officeDocument")
        self.suffix = self._suffix()

    def tree(self, name: str) -> Any:
        """Return the root of a part, whose changes are kept."""
        if name not in self._trees:
            # A document type was refused before; nothing is looked up and nothing is resolved all the same.
            if b"<!DOCTYPE" in self.parts.get(name, b"").replace(b"\0", b""):
                raise NotMarkableError(f"{name}: it has a document type")
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
            try:
                self._trees[name] = etree.fromstring(self.parts[name], parser)
                self._as_parsed[name] = _to_bytes(self._trees[name])
            except (KeyError, etree.XMLSyntaxError) as error:
                raise NotMarkableError(f"{name}: {error}") from error
        return self._trees[name]

    def replace(self, name: str, content: bytes) -> None:
        """Give a part another content."""
        self._trees.pop(name, None)
        self.parts[name] = content

    def add(self, pattern: str, content: bytes, content_type: str) -> str:
        """Add a part under the first free name of a pattern with a number; returns its name."""
        number = 1
        while pattern.format(number) in self.parts:
            number += 1
        name = pattern.format(number)
        self.parts[name] = content
        override = etree.SubElement(self.tree(_TYPES_PART), f"{_TYPES}Override")
        override.set("PartName", f"/{name}")
        override.set("ContentType", content_type)
        return name

    def relations(self, source: str) -> dict[str, tuple[str, str]]:
        """Return the kind and the part of each relation of a part (of the package: ''), by its id."""
        if _relations_part(source) not in self.parts:
            return {}
        found = {}
        for relation in self.tree(_relations_part(source)):
            if isinstance(relation.tag, str) and relation.get("TargetMode") != "External":
                kind = relation.get("Type", "").rpartition("/")[2]
                target = posixpath.join("/", posixpath.dirname(source), relation.get("Target", ""))
                found[relation.get("Id", "")] = kind, posixpath.normpath(target).lstrip("/")
        return found

    def related(self, source: str, kind: str) -> str:
        """Return the part of the first relation of a kind.

        Raises:
            NotMarkableError: there is none.
        """
        part = self.find_related(source, kind)
        if part is None:
            raise NotMarkableError(f"{source or 'the package'} has no {kind}")
        return part

    def find_related(self, source: str, kind: str) -> str | None:
        """Return the part of the first relation of a kind; None when there is none."""
        targets = (part for found, part in self.relations(source).values() if found == kind)
        return next((part for part in targets if part in self.parts), None)

    def relate(self, source: str, kind: str, part: str) -> str:
        """Relate one part to another; returns the id."""
        name = _relations_part(source)
        if name not in self.parts:
            self.parts[name] = f'<Relationships xmlns="{_RELATIONS.strip("{}")}"/>'.encode()
        taken = {relation.get("Id") for relation in self.tree(name)}
        number = 1
        while f"rId{number}" in taken:
            number += 1
        relation = etree.SubElement(self.tree(name), f"{_RELATIONS}Relationship")
        relation.set("Id", f"rId{number}")
        relation.set("Type", _RELATION_TYPE + kind)
        relation.set("Target", f"/{part}")
        return f"rId{number}"

    def to_bytes(self) -> bytes:
        """Return the workbook; the same changes give the same bytes."""
        for name, root in self._trees.items():
            written = _to_bytes(root)
            if written != self._as_parsed[name]:
                self.parts[name] = written
        return to_package(self.parts)

    def _suffix(self) -> str:
        for entry in self.tree(_TYPES_PART):
            if entry.get("PartName") == f"/{self.workbook_part}":
                suffix = _MAIN_TYPES.get(entry.get("ContentType", ""))
                if suffix:
                    return suffix
        raise NotMarkableError("of another kind than .xlsx and .xlsm")


def _to_bytes(root: Any) -> bytes:
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    return written


def _relations_part(source: str) -> str:
    folder, _, name = source.rpartition("/")
    return posixpath.join(folder, "_rels", f"{name}.rels")
