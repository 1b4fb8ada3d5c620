"""What was fetched, as files that `leuko assess` and `leuko cohort` read: all of it, or none under its name."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from leuko.errors import UsageError
from leuko.service.fhir.client.bulk import Failed, Question, export, let_go
from leuko.service.fhir.client.journal import NAME as JOURNAL
from leuko.service.fhir.client.journal import Journal
from leuko.service.fhir.client.pages import Entries
from leuko.service.fhir.client.person import everything
from leuko.service.fhir.client.talk import Talk

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9\-.]")
_PRIVATE: Final = 0o700
_TOLD: Final = "OperationOutcome-leuko.ndjson"  # what leuko itself tells whoever reads the folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched: resources by kind, in what ways it may be less than there is, the server's time of it."""

    folder: Path
    resources: Counter[str] = field(default_factory=Counter)
    troubles: tuple[str, ...] = ()
    time: str = ""


def fetch_people(talk: Talk, patients: Sequence[str], folder: Path, *, search: bool = False) -> Fetched:
    """A Bundle for each person, in a new folder. Raises UnreadableInput, and leaves no folder, where one fails."""
    resources: Counter[str] = Counter()
    troubles: list[str] = []
    with _new(folder) as made:
        for patient in dict.fromkeys(patients):
            found = everything(talk, patient, search=search)
            told = [f"{patient}: {words}" for words in found.troubles] if len(patients) > 1 else found.troubles
            troubles += told
            resources.update(map(_kind, found.entries))
            (made / f"Patient-{_UNSAFE.sub('_', patient)}.json").write_bytes(_bundle(found))
    return Fetched(folder=folder, resources=resources, troubles=tuple(troubles))


def fetch_export(talk: Talk, asked: Question, folder: Path, *, patience: timedelta, anew: bool = False) -> Fetched:
    """The files of a bulk export, in a new folder.

    Raises UnreadableInput where it fails. What was fetched until then lies beside the folder, marked as a part, and the
    same call goes on with it; `anew` gives it up and begins again.
    """
    part = _part_of(folder)
    _make(part, again=(part / JOURNAL).is_file())
    journal = Journal(part)
    try:
        if anew:
            let_go(talk, journal)
            journal.clear()
        (part / _TOLD).write_bytes(_outcome(["the export was not fetched to its end"]) + b"\n")
        done = export(talk, asked, journal, patience=patience)
        told = [*asked.notes, *done.troubles]
        (part / _TOLD).write_bytes(_outcome(told) + b"\n")
        if not told:
            (part / _TOLD).unlink()
        _rename(part, folder)
        (folder / JOURNAL).unlink()
        let_go(talk, journal)
    except OSError as error:
        raise UsageError("the files cannot be written", where=str(part), why=str(error.strerror)) from error
    except Failed:
        let_go(talk, journal)
        journal.asked = None
        raise
    finally:
        journal.close()
        if part.exists() and journal.asked is None:
            shutil.rmtree(part, ignore_errors=True)
        elif part.exists():
            talk.say(f"what was fetched lies in {part}; the same command goes on with it, --anew gives it up")
    return Fetched(folder=folder, resources=done.resources, troubles=tuple(done.troubles), time=done.time)


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder that only its owner may read, and that is there as a whole or not at all."""
    part = _part_of(folder)
    _make(part, again=False)
    try:
        yield part
        _rename(part, folder)
    except OSError as error:
        raise UsageError("the files cannot be written", where=str(folder), why=str(error.strerror)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _part_of(folder: Path) -> Path:
    """Where a folder is made. Raises UsageError where it is there already, and not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("the folder is there already, and not empty", where=str(folder), do="name a new folder")
    return folder.with_name(f"{folder.name}.part")


def _make(part: Path, *, again: bool) -> None:
    try:
        part.mkdir(mode=_PRIVATE, parents=True, exist_ok=again)
    except FileExistsError as error:
        why = "another fetch is at work, or one was killed"
        raise UsageError("a part of a fetch lies there", where=str(part), why=why, do="remove it") from error
    except OSError as error:
        raise UsageError("the folder cannot be made", where=str(part), why=str(error.strerror)) from error


def _rename(part: Path, folder: Path) -> None:
    if folder.exists():
        folder.rmdir()
    part.rename(folder)


def _bundle(found: Entries) -> bytes:
    """The entries as they came, and what is known to be missing as an entry of its own, which the reader tells."""
    entries = list(found.entries)
    if found.troubles:
        entries.append(b'{"resource":' + _outcome(found.troubles) + b',"search":{"mode":"outcome"}}')
    return b'{"resourceType":"Bundle","type":"searchset","entry":[\n' + b",\n".join(entries) + b"\n]}\n"


def _outcome(troubles: Sequence[str]) -> bytes:
    issues = [
        {"severity": "warning", "code": "incomplete", "details": {"text": f"leuko fetch: {words}"}}
        for words in troubles
    ]
    return msgspec.json.encode({"resourceType": "OperationOutcome", "issue": issues})


class _Resource(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str = "no resource"


class _Entry(msgspec.Struct):
    resource: _Resource = msgspec.field(default_factory=_Resource)


def _kind(entry: bytes) -> str:
    return msgspec.json.decode(entry, type=_Entry).resource.resource_type
