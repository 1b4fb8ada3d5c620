"""Which files a cohort is made of, and what each of them is: folders, manifests, archives, databases."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.cohort.read import fhir
from leuko.cohort.read.base import Reading, told
from leuko.cohort.read.database import POSTGRES, duckdb_tables, is_duckdb, postgres_tables
from leuko.cohort.read.opened import (
    BROKEN,
    Table,
    first_line,
    head_of,
    open_dataset_json,
    open_parquet,
    open_text,
    open_xpt,
)
from leuko.errors import LeukoError
from leuko.intake.base import Blob
from leuko.intake.sources import HIDDEN_NAMES, gather
from leuko.intake.table import claims as is_table
from leuko.intake.table.binary import is_workbook

_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06")
_XPT: Final = (b"HEADER RECORD*******LIBRARY HEADER", b"HEADER RECORD*******LIBV8   HEADER")
_DATASET: Final = (b'"datasetJSONVersion"', b'"datasetJSONCreationDateTime"', b'"itemGroupData"')
_MANIFESTS: Final = (".manifest", ".lst")


@dataclass(slots=True, kw_only=True)
class Inventory:
    """Everything that was found: tables, FHIR files, workbooks for the reader of small tables, and what was told."""

    reading: Reading
    folder: Path
    tables: list[Table] = field(default_factory=list)
    lines: list[tuple[Path, str]] = field(default_factory=list)
    bundles: list[tuple[Path, str]] = field(default_factory=list)
    small: list[tuple[Path, str]] = field(default_factory=list)
    notices: list[pl.DataFrame] = field(default_factory=list)
    size: int = 0
    seen: set[str] = field(default_factory=set)

    def tell(self, code: str, text: str, file: str, *, rows: int | None = 0, lost: bool = False) -> None:
        """Add a notice about a file."""
        self.notices.append(self.reading.say(code, text, file=file, rows=rows, lost=lost))


def take(sources: Sequence[str | Path], inventory: Inventory) -> None:
    """Look at every source; what cannot be read is a notice, and the others go on."""
    given = sorted({str(source) for source in sources})
    last = [Path(text).name or text for text in given]
    for text, name in zip(given, last, strict=True):
        label = name if last.count(name) == 1 else text
        try:
            if text.startswith(POSTGRES):
                inventory.tables += list(postgres_tables(text, inventory.folder))
            else:
                _take_path(Path(text), label, inventory)
        except LeukoError as error:
            _tell_error(error, label, inventory)


def _tell_error(error: LeukoError, label: str, inventory: Inventory) -> None:
    text = f"{error.what}: {error.why}" if error.why else error.what
    inventory.tell("LK702", text, error.where or label, rows=None, lost=True)


def _take_path(path: Path, label: str, inventory: Inventory) -> None:
    if path.is_dir():
        for found, name in _files(path, label):
            _take_file(found, name, inventory)
    elif not path.exists():
        inventory.tell("LK101", "there is no such file or folder", label, rows=None, lost=True)
    else:
        _take_file(path, label, inventory)


def _files(folder: Path, label: str) -> Iterator[tuple[Path, str]]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            if not _is_hidden(name):
                path = Path(here) / name
                yield path, f"{label}/{path.relative_to(folder).as_posix()}"


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$", "_SUCCESS", "_committed", "_started")) or name.lower() in HIDDEN_NAMES


def _take_file(path: Path, name: str, inventory: Inventory) -> None:
    real = os.path.realpath(path)
    if real in inventory.seen:
        return
    inventory.seen.add(real)
    try:
        inventory.size += path.stat().st_size
        _sort_in(path, name, head_of(path), inventory)
    except LeukoError as error:
        _tell_error(error, name, inventory)
    except BROKEN as error:
        inventory.tell("LK702", f"the file is damaged: {first_line(error)}", name, rows=None, lost=True)


def _sort_in(path: Path, name: str, head: bytes, inventory: Inventory) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not head.strip():
        inventory.tell("LK103", "the file is empty", name, rows=None, lost=True)
    elif head.startswith(b"PAR1"):
        inventory.tables.append(open_parquet(path, name))
    elif is_duckdb(head):
        inventory.tables += list(duckdb_tables(path, name, inventory.folder))
    elif head.startswith(_XPT):
        inventory.tables.append(open_xpt(path, name))
    elif head.startswith(_ARCHIVES):
        _take_zipped(path, name, inventory)
    elif head[257:262] == b"ustar":
        _unpack(path, name, inventory)
    elif start in {b"{", b"["}:
        _take_json(path, name, head, inventory)
    elif _is_manifest(path, head):
        _take_manifest(path, name, _listed(path, head), inventory)
    elif is_table(Blob(name=name.removesuffix(".gz"), data=head)):
        _take_text(path, name, inventory)
    else:
        inventory.tell("LK706", "no reader recognises this file", name, rows=None, lost=True)


def _take_text(path: Path, name: str, inventory: Inventory) -> None:
    table, teller = open_text(path, name, library=inventory.reading.library)
    inventory.tables.append(table)
    rows = [told(notice) for notice in teller.finish()]
    inventory.notices.append(inventory.reading.notices(rows))


def _take_zipped(path: Path, name: str, inventory: Inventory) -> None:
    if is_workbook(path.read_bytes()):
        inventory.small.append((path, name))
    else:
        _unpack(path, name, inventory)


def _unpack(path: Path, name: str, inventory: Inventory) -> None:
    """The members of an archive, each as a file of its own beside the other temporary ones."""
    gathered = gather([path])
    inventory.notices.append(inventory.reading.notices([told(notice) for notice in gathered.notices]))
    for number, blob in enumerate(gathered.blobs):
        target = inventory.folder / f"{len(inventory.seen)}-{number}"
        target.write_bytes(blob.data)
        _take_file(target, f"{name}{blob.name.removeprefix(path.name)}", inventory)


# ---- JSON ------------------------------------------------------------------------------------------------------------


def _take_json(path: Path, name: str, head: bytes, inventory: Inventory) -> None:
    if any(mark in head for mark in _DATASET):
        inventory.tables.append(open_dataset_json(path, name))
    elif b'"output"' in head and b'"resourceType"' not in head:
        _take_manifest(path, name, _exported(path, head), inventory)
    elif fhir.is_lines(head):
        inventory.lines.append((path, name))
    elif b'"resourceType"' in head:
        inventory.bundles.append((path, name))
    else:
        inventory.tell("LK706", "this JSON is neither FHIR nor Dataset-JSON", name, rows=None, lost=True)


def _exported(path: Path, head: bytes) -> list[str]:
    """The files of a bulk export's manifest, by the last part of their addresses."""
    try:
        table: Any = json.loads(head)
        return [str(entry["url"]).rsplit("/", 1)[-1] for entry in table["output"]]
    except (ValueError, KeyError, TypeError):
        raise LeukoError("the manifest of the export cannot be read", where=path.name) from None


# ---- manifests -------------------------------------------------------------------------------------------------------


def _is_manifest(path: Path, head: bytes) -> bool:
    """A list of files: by its ending, or a TOML file with a list `files`, or a text of nothing but existing files."""
    if path.suffix in _MANIFESTS or (path.suffix == ".toml" and b"files" in head):
        return True
    lines = [line.strip() for line in head[:4096].decode("utf-8", "replace").splitlines() if line.strip()]
    return path.suffix == ".txt" and bool(lines) and all((path.parent / line).exists() for line in lines[:3])


def _listed(path: Path, head: bytes) -> list[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".toml" or head.lstrip().startswith(b"files"):
        return [str(entry) for entry in tomllib.loads(text)["files"]]
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _take_manifest(path: Path, name: str, files: Sequence[str], inventory: Inventory) -> None:
    folder = name.rpartition("/")[0]
    for file in files:
        _take_path(path.parent / file, f"{folder}/{file}" if folder else file, inventory)
