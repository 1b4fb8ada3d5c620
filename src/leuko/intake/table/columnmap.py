"""The column map: a small TOML file by which a person says what a table's columns are; its shape stands in `table`."""

from __future__ import annotations

import codecs
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import field

from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.intake.table.words import ROLES
from leuko.knowledge import Library
from leuko.units import UnitRefused, read_unit

LAYOUTS = ("long", "wide", "transposed", "doses", "people")
_TEXTS = ("layout", "separator", "encoding", "decimal", "time_format", "sheet", "patient", "specimen")
_TABLES = ("columns", "analytes", "units")
_KEYS = frozenset({*_TEXTS, *_TABLES, "header_line", "date_format"})
_SEPARATOR_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

Reference = str | int  # a column by its header, or by its number from 1


class ColumnMap(Frozen, frozen=True, kw_only=True):
    """What a person said of a table; everything that was not said is sniffed."""

    where: str = ""
    layout: str | None = None
    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    header_line: int | None = None
    date_formats: tuple[str, ...] = ()
    sheet: str | None = None
    patient: str | None = None
    specimen: str | None = None
    columns: Mapping[str, Reference] = field(default_factory=lambda: MappingProxyType({}))
    analytes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    units: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def load_map(path: Path | None, *, library: Library) -> ColumnMap:
    """Read and check a column map. Raises UsageError, naming the key and what may stand there."""
    if path is None:
        return ColumnMap()
    where = path.name
    table = _parse(path, where)
    _check_keys(table, where)
    columns = _check_columns(table.get("columns", {}), where)
    return ColumnMap(
        where=where,
        layout=_one_of(table.get("layout"), LAYOUTS, "layout", where),
        separator=_separator(table.get("separator"), where),
        encoding=_encoding(table.get("encoding"), where),
        decimal=_one_of(table.get("decimal"), (",", "."), "decimal", where),
        header_line=_header_line(table.get("header_line"), where),
        date_formats=_formats(table.get("date_format"), where),
        sheet=table.get("sheet"),
        patient=table.get("patient"),
        specimen=table.get("specimen"),
        columns=MappingProxyType(columns),
        analytes=MappingProxyType(_check_analytes(table.get("analytes", {}), library, where)),
        units=MappingProxyType(_check_units(table.get("units", {}), where)),
    )


def _parse(path: Path, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            "there is no such column map", where=str(path), do="check the path given as the column map"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the column map cannot be read", where=where, why=str(error), do="save it as UTF-8 text"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            "the column map is not valid TOML", where=where, why=str(error), do="correct that line"
        ) from error


def _check_keys(table: dict[str, Any], where: str) -> None:
    for key, value in table.items():
        if key not in _KEYS:
            raise UsageError(
                f"the column map has no key {key!r}", where=where, why=_known(key, sorted(_KEYS)), do="rename it"
            )
        if key in _TEXTS and not isinstance(value, str):
            raise _wrong(key, "a text in quotation marks", value, where)
        if key in _TABLES and not isinstance(value, dict):
            raise _wrong(key, f"a table: [{key}]", value, where)


def _known(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def _wrong(key: str, wanted: str, value: Any, where: str) -> UsageError:
    return UsageError(f"{key} must be {wanted}", where=where, why=f"it is {value!r}", do="correct the column map")


def _one_of(value: str | None, allowed: tuple[str, ...], key: str, where: str) -> str | None:
    if value is not None and value not in allowed:
        raise _wrong(key, f"one of {', '.join(map(repr, allowed))}", value, where)
    return value


def _separator(value: str | None, where: str) -> str | None:
    mark = _SEPARATOR_NAMES.get(value, value) if value is not None else None
    if mark is not None and (len(mark) != 1 or mark in '"\r\n' or ord(mark) > 0xFFFF):
        raise _wrong("separator", "one character, or tab, comma, semicolon, pipe", value, where)
    return mark


def _encoding(value: str | None, where: str) -> str | None:
    if value is None:
        return None
    try:
        # codecs that are no text (base64, zip) would fail later, and less clearly
        if not codecs.lookup(value)._is_text_encoding:  # noqa: SLF001 (the only place where Python says it)
            raise _wrong("encoding", "the name of a text encoding, such as utf-8 or cp1252", value, where)
    except LookupError as error:
        raise _wrong("encoding", "the name of an encoding, such as utf-8 or cp1252", value, where) from error
    return value


def _header_line(value: Any, where: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise _wrong("header_line", "a line number, or 0 where the file has no header", value, where)
    return value


def _formats(value: Any, where: str) -> tuple[str, ...]:
    formats = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    if value is not None and (not formats or not all(isinstance(f, str) and "%" in f for f in formats)):
        raise _wrong("date_format", 'a format such as "%d/%m/%Y %H:%M", or a list of them', value, where)
    return formats


def _check_columns(columns: dict[str, Any], where: str) -> dict[str, Reference]:
    for role, reference in columns.items():
        if role not in ROLES:
            raise UsageError(
                f"{role!r} is no role of a column",
                where=f"{where}, [columns]",
                why=_known(role, sorted(ROLES)),
                do="rename it",
            )
        if (
            isinstance(reference, bool)
            or not isinstance(reference, (str, int))
            or (isinstance(reference, int) and reference < 1)
        ):
            raise _wrong(f"columns.{role}", "a header in quotation marks, or a column number from 1", reference, where)
    return columns


def _check_analytes(analytes: dict[str, Any], library: Library, where: str) -> dict[str, str]:
    for name, analyte in analytes.items():
        if analyte not in library.analytes:
            known = sorted(library.analytes)
            raise UsageError(
                f"{analyte!r} is no analyte",
                where=f"{where}, [analytes] {name}",
                why=_known(str(analyte), known),
                do="name one of these",
            )
    return analytes


def _check_units(units: dict[str, Any], where: str) -> dict[str, str]:
    for name, unit in units.items():
        if not isinstance(unit, str):
            raise _wrong(f"units.{name}", "a unit in quotation marks", unit, where)
        try:
            read_unit(unit)
        except UnitRefused as error:
            raise UsageError(error.what, where=f"{where}, [units] {name}", why=error.why, do=error.do) from error
    return units
