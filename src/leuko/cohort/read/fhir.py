"""FHIR bulk files (NDJSON): the lines of each person brought together, and read as for one person.

The lines of a person may stand in many files. They are sorted into shares by the person's id, so that only one share is
in memory at a time; lines that name nobody (medicines, organisations) belong to every share.
"""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

import msgspec

from leuko.cohort.read.base import Frames, Reading
from leuko.cohort.read.opened import GZIP, bytes_of
from leuko.cohort.read.records import frames_of
from leuko.errors import LeukoError, Notice
from leuko.intake import fhir
from leuko.intake.base import Blob
from leuko.intake.fhir.wire import RESOURCES
from leuko.record import Count, Record

SHARE_BYTES: Final = 64 << 20  # what is read together
_PERSON: Final = re.compile(r"(?:^|/)Patient/([^/]+)")
_SHARED: Final = frozenset({"Medication", "Specimen"})
_MARK: Final = b"\x1f"  # parts file, line and text in a share; JSON cannot hold it unescaped


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Head(msgspec.Struct):
    resource_type: str | None = msgspec.field(name="resourceType", default=None)
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


_Lines = dict[str, list[tuple[int, bytes]]]
_HEADS: Final = msgspec.json.Decoder(_Head)


def is_lines(head: bytes) -> bool:
    """NDJSON: the first line is a whole resource."""
    first, mark, _ = head.lstrip().partition(b"\n")
    if not mark:
        return False
    try:
        return _HEADS.decode(first).resource_type is not None
    except msgspec.MsgspecError:
        return False


def person_of(head: _Head) -> str | None:
    """Whose resource it is."""
    if head.resource_type == "Patient":
        return head.id
    for reference in (head.subject, head.patient):
        found = _PERSON.search(reference.reference or "") if reference else None
        if found:
            return found[1]
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """The NDJSON files of one export: path and the name that notices print."""

    files: Sequence[tuple[Path, str]]
    reading: Reading

    def read(self) -> Iterator[Frames]:
        """Share by share; each holds whole people."""
        size = sum(path.stat().st_size for path, _ in self.files)
        shares = max(1, -(-size // SHARE_BYTES))
        with tempfile.TemporaryDirectory(prefix="leuko-") as folder:
            unused = self._sort(Path(folder), shares)
            for name in sorted(unused):
                kinds, first = unused[name]
                text = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
                notice = self.reading.say(
                    "LK402", f"resources that hold no count were not used: {text}", file=name, row=first
                )
                yield self.reading.frames(notices=notice)
            common = _lines_of(Path(folder) / "common")
            for share in range(shares):
                yield self._share(common, _lines_of(Path(folder) / str(share)))

    def _sort(self, folder: Path, shares: int) -> dict[str, tuple[dict[str, int], int]]:
        """Write each line to the share of its person; what is of no use is counted."""
        unused: dict[str, tuple[dict[str, int], int]] = {}
        streams: dict[str, IO[bytes]] = {}
        try:
            for path, name in self.files:
                for number, line in _numbered(path):
                    share, kind = _share_of(line, shares)
                    if share is None:
                        kinds, _ = unused.setdefault(name, ({}, number))
                        kinds[kind] = kinds.get(kind, 0) + 1
                        continue
                    stream = streams.get(share)
                    if stream is None:
                        stream = streams[share] = (folder / share).open("wb")
                    stream.write(_MARK.join((name.encode(), str(number).encode(), line)) + b"\n")
        finally:
            for stream in streams.values():
                stream.close()
        return unused

    def _share(self, common: _Lines, own: _Lines) -> Frames:
        lines = _Lines()
        for part in (common, own):
            for name, numbered in part.items():
                lines.setdefault(name, []).extend(numbered)
        for numbered in lines.values():
            numbered.sort()
        blobs = [
            Blob(name=name, data=b"\n".join(text for _, text in rows) + b"\n\n") for name, rows in sorted(lines.items())
        ]
        if not blobs:
            return self.reading.frames()
        return read_blobs(blobs, self.reading, {name: [n for n, _ in rows] for name, rows in lines.items()})


def _numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    if packed:
        yield from (
            (number, line.strip()) for number, line in enumerate(bytes_of(path).split(b"\n"), 1) if line.strip()
        )
        return
    with path.open("rb") as file:
        yield from ((number, line.strip()) for number, line in enumerate(file, 1) if line.strip())


def _share_of(line: bytes, shares: int) -> tuple[str | None, str]:
    """The share of a line; "common" for what others refer to; None for a kind that is not read."""
    try:
        head = _HEADS.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "0", ""  # told by the reader, once
    if head.resource_type is not None and head.resource_type not in RESOURCES and head.resource_type != "Bundle":
        return None, head.resource_type
    person = person_of(head)
    if person is None:
        return ("common" if head.resource_type in _SHARED else "0"), ""
    return str(zlib.crc32(person.encode()) % shares), ""


def _lines_of(path: Path) -> _Lines:
    lines = _Lines()
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                name, number, text = line.rstrip(b"\n").split(_MARK, 2)
                lines.setdefault(name.decode(), []).append((int(number), text))
    return lines


def read_blobs(blobs: Sequence[Blob], reading: Reading, lines: dict[str, list[int]] | None = None) -> Frames:
    """FHIR files read together, by the reader for one person; `lines` are the true numbers of their lines."""
    try:
        intake = fhir.read(blobs, options=reading.options, library=reading.library)
    except LeukoError as error:
        text = f"{error.what}: {error.why}" if error.why else error.what
        return reading.frames(notices=reading.say("LK702", text, file=blobs[0].name, rows=None, lost=True))
    if lines is None:
        return frames_of(intake.records, intake.notices, reading)
    records = [_with_lines(record, lines) for record in intake.records]
    notices = [_notice_at(notice, lines) for notice in intake.notices]
    return frames_of(records, notices, reading)


def _line(source: str, line: int | None, lines: dict[str, list[int]]) -> int | None:
    numbers = lines.get(source)
    if numbers is None or (line is None and len(numbers) != 1):
        return line
    return numbers[(line or 1) - 1] if (line or 1) <= len(numbers) else line


def _notice_at(notice: Notice, lines: dict[str, list[int]]) -> Notice:
    place = notice.place
    return replace(notice, place=replace(place, line=_line(place.source, place.line, lines)))


def _with_lines(record: Record, lines: dict[str, list[int]]) -> Record:
    return replace(record, counts=tuple(_count_at(count, lines) for count in record.counts))


def _count_at(count: Count, lines: dict[str, list[int]]) -> Count:
    place = count.origin.place
    found = _line(place.source, place.line, lines)
    return replace(count, origin=replace(count.origin, place=replace(place, line=found)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """FHIR files that are no NDJSON: Bundles and single resources, read some at a time."""

    files: Sequence[tuple[Path, str]]
    reading: Reading

    def read(self) -> Iterator[Frames]:
        """Group by group of files."""
        group: list[Blob] = []
        size = 0
        for path, name in self.files:
            data = bytes_of(path)
            if group and size + len(data) > SHARE_BYTES:
                yield read_blobs(group, self.reading)
                group, size = [], 0
            group.append(Blob(name=name, data=data))
            size += len(data)
        if group:
            yield read_blobs(group, self.reading)
