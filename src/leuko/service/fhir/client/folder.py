"""What was fetched, as files that `leuko assess` and `leuko cohort` read: all of it, or nothing."""

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
from leuko.service.fhir.client.bulk import export
from leuko.service.fhir.client.pages import Entries
from leuko.service.fhir.client.person import everything
from leuko.service.fhir.client.talk import Talk

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9\-.]")
_PRIVATE: Final = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched: resources by kind, and in what ways it may be less than there is."""

    folder: Path
    resources: Counter[str] = field(default_factory=Counter)
    troubles: tuple[str, ...] = ()


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


def fetch_export(talk: Talk, path: str, folder: Path, *, patience: timedelta) -> Fetched:
    """The files of a bulk export, in a new folder. Raises UnreadableInput, and leaves no folder, where it fails."""
    with _new(folder) as made:
        done = export(talk, path, made, patience=patience)
        if done.troubles:
            (made / "OperationOutcome-leuko.ndjson").write_bytes(_outcome(done.troubles) + b"\n")
    return Fetched(folder=folder, resources=done.resources, troubles=tuple(done.troubles))


@contextmanager
def _new(folder: Path) -> Iterator[Path]:
    """A folder that only its owner may read, and that is there as a whole or not at all."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("the folder is there already, and not empty", where=str(folder), do="name a new folder")
    part = folder.with_name(f"{folder.name}.part")
    try:
        part.mkdir(mode=_PRIVATE, parents=True)
    except FileExistsError as error:
        why = "another fetch is at work, or one was killed"
        raise UsageError("a part of a fetch lies there", where=str(part), why=why, do="remove it") from error
    except OSError as error:
        raise UsageError("the folder cannot be made", where=str(part), why=str(error.strerror)) from error
    try:
        yield part
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        raise UsageError("the files cannot be written", where=str(folder), why=str(error.strerror)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


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
