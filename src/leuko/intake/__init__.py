"""Intake: files become one `Record` a person, and a notice for whatever could not be read or believed.

A reader is a module or package in this folder with `NAME`, `claims` and `read`; it is found by scan.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, TypeVar, cast

from leuko.errors import LeukoError, Notice, Place, UnreadableInput, UsageError
from leuko.frozen import replace
from leuko.intake.base import Blob, Intake, Reader, ReadOptions
from leuko.intake.sources import Gathered, gather
from leuko.knowledge import Library, load_library
from leuko.record import Count, Dose, Fact, Moment, Patient, Record, Sign, digest_of

__all__ = ["Blob", "Intake", "ReadOptions", "Reader", "read", "read_gathered", "readers"]

Entry = TypeVar("Entry", Count, Dose, Sign, Fact)


def read(*paths: str | Path, options: ReadOptions | None = None, library: Library | None = None) -> Intake:
    """Read files, folders and archives ("-" is standard input) into one record a person.

    The result does not depend on the order of the paths. A file that cannot be read is a notice while others can;
    raises UnreadableInput where nothing at all could be read of any person, UsageError where no path was given.

    >>> import leuko
    >>> intake = leuko.read("adult-on-docetaxel.json")
    >>> len(intake.records)
    1
    """
    if not paths:
        raise UsageError("no file was named", do="name the files or folders that hold the counts")
    found = read_gathered(gather(paths), options=options, library=library)
    if not found.records:
        raise _nothing_read(found.notices)
    return found


def read_gathered(gathered: Gathered, *, options: ReadOptions | None = None, library: Library | None = None) -> Intake:
    """The same for content that was gathered already (`sources.gather_content`: an upload, a paste).

    Raises nothing: where nothing at all could be read there is no record, and the notices say why.
    """
    parts = _read_blobs(gathered.blobs, options or ReadOptions(), library or load_library())
    notices = [*gathered.notices, *(notice for part in parts for notice in part.notices)]
    records = merge(record for part in parts for record in part.records)
    notices += records.notices
    return Intake(records=records.records, notices=tuple(sorted(set(notices), key=_by_place)))


def readers() -> Iterator[Reader]:
    """Every reader in this package, by name; one is loaded when those before it have not claimed what there is."""
    for name in sorted(info.name for info in iter_modules(__path__)):
        module = import_module(f"{__name__}.{name}")
        if all(hasattr(module, part) for part in ("NAME", "claims", "read")):
            yield cast("Reader", module)


def _read_blobs(blobs: Sequence[Blob], options: ReadOptions, library: Library) -> list[Intake]:
    shares: dict[str, tuple[Reader, list[Blob]]] = {}
    unknown: list[Notice] = []
    for blob in blobs:
        reader = next((reader for reader in readers() if reader.claims(blob)), None)
        if reader is None:
            unknown.append(_unrecognised(blob))
        else:
            shares.setdefault(reader.NAME, (reader, []))[1].append(blob)
    read_ = [_run(reader, share, options, library) for _, (reader, share) in sorted(shares.items())]
    return [*read_, Intake(records=(), notices=tuple(unknown))]


def _run(reader: Reader, blobs: Sequence[Blob], options: ReadOptions, library: Library) -> Intake:
    """All blobs of a reader together; where one of them stops the reader, each by itself."""
    try:
        return reader.read(blobs, options=options, library=library)
    except UnreadableInput as error:
        if len(blobs) == 1:
            return Intake(records=(), notices=(_as_notice(error, blobs[0]),))
    parts = [_run(reader, [blob], options, library) for blob in blobs]
    return Intake(
        records=tuple(record for part in parts for record in part.records),
        notices=tuple(notice for part in parts for notice in part.notices),
    )


def _as_notice(error: LeukoError, blob: Blob) -> Notice:
    text = f"{error.what}: {error.why}" if error.why else error.what
    where = "" if error.where in {"", blob.name} else f" ({error.where})"
    return Notice(
        code="LK118",
        severity="error",
        text=text + where,
        place=Place(source=blob.name),
        help=error.do or None,
        data_lost=True,
    )


def _nothing_read(notices: Sequence[Notice]) -> UnreadableInput:
    """The error for input of which nothing could be used: the first thing that went wrong, and how many more."""
    ranked = sorted(notices, key=lambda notice: (not notice.data_lost, notice.severity != "error"))
    if not ranked:
        return UnreadableInput("the input holds nothing about any person", do="name files that hold blood counts")
    first, others = ranked[0], [notice for notice in ranked[1:] if notice.severity != "info"]
    more = "; ".join(f"{notice.place}: {notice.text}" for notice in others[:3])
    rest = f" (and {len(others) - 3} more)" if len(others) > 3 else ""
    return UnreadableInput(
        first.text,
        where=str(first.place),
        why=f"{first.code}" + (f"; also {more}{rest}" if more else ""),
        do=first.help or f"leuko explain {first.code}",
    )


# ---- bytes that no reader claims ------------------------------------------------------------------------------------

_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"{\\rtf", "an RTF document"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls, .doc)"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"HEADER RECORD*******LIBRARY", "a SAS transport file (XPT)"),
    (b"SQLite format 3\x00", "an SQLite database"),
)


def _unrecognised(blob: Blob) -> Notice:
    code, text, do = _what_is(blob.data)
    return Notice(
        code=code, severity="error", text=text, place=Place(source=blob.name), help=do, data_lost=bool(blob.data)
    )


def _what_is(data: bytes) -> tuple[str, str, str]:
    if not data.strip():
        return "LK103", "the file is empty", "export it again, and check that the export ended without an error"
    known = next((name for magic, name in _MAGIC if data.startswith(magic)), None)
    if known is not None:
        return (
            "LK104",
            f"this is {known}, which leuko does not read",
            "export the counts as FHIR JSON, HL7 v2, CSV or XLSX",
        )
    if b"\0" in data[:4096]:
        return (
            "LK104",
            "this is a binary file that leuko does not know",
            "export the counts as FHIR JSON, HL7 v2, CSV or XLSX",
        )
    text = "this is neither FHIR JSON, nor HL7 v2, nor a table that leuko recognises"
    return "LK104", text, "export the counts as FHIR JSON, HL7 v2, CSV or XLSX"


# ---- one person, one record -----------------------------------------------------------------------------------------


def merge(records: Iterable[Record]) -> Intake:
    """One record for each patient id, its entries in a fixed order and with ids of their own, its digest set."""
    people: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        people[record.patient.id].append(record)
    notices: list[Notice] = []
    merged = [_join(people[key], notices) for key in sorted(people)]
    return Intake(records=tuple(merged), notices=tuple(notices))


def _join(parts: Sequence[Record], notices: list[Notice]) -> Record:
    record = Record(
        patient=_one_patient([part.patient for part in parts], parts, notices),
        counts=_in_order(entry for part in parts for entry in part.counts),
        doses=_in_order(entry for part in parts for entry in part.doses),
        signs=_in_order(entry for part in parts for entry in part.signs),
        facts=_in_order(entry for part in parts for entry in part.facts),
        sources=tuple(sorted({source for part in parts for source in part.sources})),
        born_in_doubt=any(part.born_in_doubt for part in parts),
    )
    return replace(record, digest=digest_of(record))


def _one_patient(patients: Sequence[Patient], parts: Sequence[Record], notices: list[Notice]) -> Patient:
    """What any source says of the person; where two sources contradict each other, neither is believed."""
    said: dict[str, Any] = {}
    for name in (entry.name for entry in fields(Patient)):
        values = sorted({value for patient in patients if (value := getattr(patient, name)) is not None}, key=str)
        said[name] = values[0] if len(values) == 1 else None
        if len(values) > 1 and name != "born_precision":
            notices.append(_contradiction(name, parts))
    dated = [patient for patient in patients if patient.born is not None]
    precision = dated[0].born_precision if dated else "day"
    return Patient(**{**said, "born_precision": precision})


_NAMES = {"born": "birth date", "sex": "sex", "died": "date of death", "duffy_null": "Duffy phenotype"}


def _contradiction(name: str, parts: Sequence[Record]) -> Notice:
    sources = sorted({source for part in parts for source in part.sources})
    return Notice(
        code="LK120",
        severity="error",
        text=f"the sources disagree on the {_NAMES.get(name, name)} of person {parts[0].patient.id}; none is used",
        place=Place(source=sources[0] if sources else "input"),
        help="check that the files are of one and the same person, and correct the wrong one",
    )


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """By time, then id; a shared id gets a number, so that each can be pointed at."""
    listed = list(entries)
    taken: Counter[str] = Counter(entry.id for entry in listed)
    ordered = sorted(listed, key=lambda entry: (*_when(entry), entry.id, repr(entry) if taken[entry.id] > 1 else ""))
    seen: Counter[str] = Counter()
    result: list[Entry] = []
    for entry in ordered:
        seen[entry.id] += 1
        alone = taken[entry.id] == 1 or seen[entry.id] == 1
        result.append(entry if alone else replace(entry, id=f"{entry.id}~{seen[entry.id]}"))
    return tuple(result)


def _when(entry: Count | Dose | Sign | Fact) -> tuple[bool, float]:
    moment: Moment | None = entry.start if isinstance(entry, (Dose, Fact)) else entry.taken
    return (moment is None, 0.0 if moment is None else moment.at.timestamp())


def _by_place(notice: Notice) -> tuple[Any, ...]:
    place = notice.place
    return (place.source, place.line or 0, _natural(place.pointer or ""), notice.code, notice.text, notice.help or "")


def _natural(pointer: str) -> tuple[tuple[int, str], ...]:
    """A key under which `/entry/9` stands before `/entry/10`."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", pointer))
