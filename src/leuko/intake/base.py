"""What every reader takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import Protocol

import msgspec

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One file, or one member of an archive, in memory. `name` is what notices print: `export.zip!labs.csv`."""

    name: str
    data: bytes = field(repr=False)


class ReadOptions(Frozen, frozen=True, kw_only=True):
    """What the caller knows that the files do not say.

    `zone` is assumed for times without a zone. `as_of` is the day against which dates in the future are told (None: not
    checked). `columns` is a column map for tables (a TOML file). `units` gives the unit of an analyte in place of
    the file's, missing or wrong (`{"neutrophils": "/uL"}`); a notice says so. `patient` names the person of a file that
    names nobody.
    """

    zone: tzinfo = UTC
    as_of: date | None = None
    columns: Path | None = None
    units: Mapping[str, str] = msgspec.field(default_factory=dict)
    patient: str | None = None


class Intake(Frozen, frozen=True, kw_only=True):
    """Everything that was read: one record a person, and a notice for whatever could not be read or believed."""

    records: tuple[Record, ...]
    notices: tuple[Notice, ...]


class Reader(Protocol):
    """A module that reads one family of formats; found by scan of `leuko.intake`."""

    NAME: str

    def claims(self, blob: Blob) -> bool:
        """Whether this reader recognises the bytes; never raises."""
        ...

    def read(self, blobs: Sequence[Blob], *, options: ReadOptions, library: Library) -> Intake:
        """Read all blobs of this family together (references may cross files)."""
        ...
