"""From paths to assessments: read, choose the people, assess each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leuko.cli._asked import Told, asked_of
from leuko.cli._notices import say, tell
from leuko.errors import UnreadableInput, UsageError

if TYPE_CHECKING:
    from leuko.intake.base import Intake, ReadOptions
    from leuko.knowledge import Library
    from leuko.record import Record
    from leuko.result import Assessment


def assess_paths(
    paths: Sequence[Path],
    *,
    options: ReadOptions,
    as_of: date,
    told: Told | None = None,
    extra: Sequence[Path] = (),
) -> list[Assessment]:
    """Read the paths and assess each person found in them, in the order in which they were read.

    `told` is what the caller said beside the files, `extra` the folders of knowledge beside the shipped one.
    """
    from leuko.assessment import assess  # noqa: PLC0415 (loads the whole flow)
    from leuko.intake import read  # noqa: PLC0415
    from leuko.intake.whose import told_of, told_of_nobody  # noqa: PLC0415
    from leuko.knowledge import load_library  # noqa: PLC0415

    names = ", ".join(path.name or str(path) for path in paths)
    with _waiting(f"reading {names}"), _named(names):
        library = load_library(*extra)
        intake = read(*paths, options=options, library=library)
    records = _chosen(intake, options.patient)
    asked = asked_of(told or Told(), library=library, zone=options.zone, people=len(records))
    with _waiting(f"assessing {len(records)} people") if len(records) > 1 else nullcontext():
        found = [
            assess(record, as_of=as_of, library=library, notices=notices, asked=asked)
            for record, notices in told_of(intake, records)
        ]
    for record in records:
        if not record.counts:
            say(f"{record.patient.id}: no blood count of this person could be used")
    tell(told_of_nobody(intake, records))  # nothing that was found goes untold
    if asked.regimen is not None:
        _tell_regimen(found)
    return found


def _tell_regimen(found: Sequence[Assessment]) -> None:
    """Say so where the regimen that was named is none: not every view shows the plan."""
    for one in found:
        regimen = one.plan.regimen if one.plan is not None else None
        if regimen is not None and regimen.id is None:
            say(f"{one.patient.id}: {regimen.text}; `leuko knowledge show regimen` lists those on file")


@contextmanager
def _named(names: str) -> Iterator[None]:
    """An error about the input as a whole names what was read."""
    try:
        yield
    except UnreadableInput as error:
        if error.where:
            raise
        raise UnreadableInput(error.what, where=names, why=error.why, do=error.do) from error


def _chosen(intake: Intake, wanted: str | None) -> Sequence[Record]:
    if wanted is None:
        return intake.records
    chosen = [record for record in intake.records if record.patient.id == wanted]
    if not chosen:
        known = [record.patient.id for record in intake.records]
        near = get_close_matches(wanted, known, n=3) or known[:3]
        raise UsageError(
            f"no person {wanted!r} in what was read",
            why=f"{len(known)} found, such as {', '.join(near)}",
            do="name one of these",
        )
    return chosen


def _waiting(what: str) -> AbstractContextManager[Any]:
    """A moving sign on stderr while a long step runs, where stderr is a terminal."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.console import Console  # noqa: PLC0415 (only for people at a terminal)

    return Console(stderr=True).status(what)


def unit_options(given: Sequence[str], library: Library) -> dict[str, str]:
    """`NEUT=/uL` as {"neutrophils": "/uL"}; a name is an analyte's id or one of its names."""
    units: dict[str, str] = {}
    for text in given:
        name, sign, unit = text.partition("=")
        if not (sign and name.strip() and unit.strip()):
            raise UsageError(f"--unit {text!r} is not ANALYTE=UNIT", do="write for example --unit neutrophils=/uL")
        units[_analyte(name.strip(), library)] = _readable(unit.strip(), text)
    return units


def _readable(unit: str, text: str) -> str:
    """The unit, where leuko knows it; else every count would be set aside for a slip of the pen."""
    from leuko.units import UnitRefused, read_unit  # noqa: PLC0415 (loads the table of units)

    try:
        read_unit(unit)
    except UnitRefused as refused:
        do = "write for example --unit neutrophils=/uL"
        raise UsageError(f"the unit of --unit {text!r} cannot be read", why=refused.why, do=do) from refused
    return unit


def _analyte(name: str, library: Library) -> str:
    rows = library.analytes.values()
    known = {alias.casefold(): row.id for row in rows for alias in (*row.names, row.label)}
    known |= {row.id.casefold(): row.id for row in rows}  # an id beats a laboratory's word for something else
    if name.casefold() in known:
        return known[name.casefold()]
    near = get_close_matches(name.casefold(), known, n=3) or sorted(library.analytes)[:6]
    raise UsageError(f"--unit names no analyte: {name!r}", why=f"known are {', '.join(near)} …")
