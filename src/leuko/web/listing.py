"""What was sent, line by line, with every notice below the line that it is about: as an editor shows a compiler's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from leuko.errors import Notice, Severity, UnreadableInput
from leuko.intake.base import Blob
from leuko.intake.table.text import decode
from leuko.report.outline import SEVERITIES, harmless
from leuko.web.pointers import JsonText

WHOLE: Final = 300  # lines that are shown in full; of a longer text, those around what is to be said
AROUND: Final = 3  # lines above and below
WIDEST: Final = 400  # characters of a line
_ENDS: Final = re.compile(r"\r\n|\r|\n")  # as editors count: HL7 parts its segments by a lone \r
_LONG: Final = 1000  # characters of a line above which JSON is laid out anew for reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a text and what is to be said of it. `number` counts from 1."""

    number: int
    text: str
    notices: tuple[Notice, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The gravest of its notices."""
        return min((notice.severity for notice in self.notices), key=SEVERITIES.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Lines that follow on one another, and how many lines without a notice were left out before them."""

    left_out: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One source. `laid_out` is true where JSON was indented for reading, so that lines are not those of the file.

    `loose` are notices about the source as a whole, or of a source that is no text; `left_out` counts lines after the
    last stretch.
    """

    name: str
    stretches: tuple[Stretch, ...]
    loose: tuple[Notice, ...]
    left_out: int = 0
    laid_out: bool = False


def listings(blobs: Iterable[Blob], notices: Sequence[Notice]) -> tuple[Listing, ...]:
    """Every source with its notices; those about a source that was not opened stand under its name by themselves."""
    told: dict[str, list[Notice]] = defaultdict(list)
    for notice in notices:
        told[notice.place.source].append(notice)
    opened = {blob.name: blob for blob in blobs}
    names = dict.fromkeys([*opened, *told])
    return tuple(_listing(name, opened.get(name), told.get(name, [])) for name in names)


def _listing(name: str, blob: Blob | None, notices: Sequence[Notice]) -> Listing:
    text = "" if blob is None else _text(blob)
    if not text:
        return Listing(name=name, stretches=(), loose=tuple(notices))
    laid_out = _laid_out(text)
    shown = laid_out or text
    at = _lines_of(notices, shown)
    loose = tuple(notice for number, found in at.items() if number == 0 for notice in found)
    stretches, left = _stretches(_ENDS.split(shown.removesuffix("\n").removesuffix("\r")), at)
    return Listing(name=name, stretches=stretches, loose=loose, left_out=left, laid_out=laid_out is not None)


def _text(blob: Blob) -> str:
    """The text of a source; empty where it is none."""
    try:
        text, _ = decode(blob.name, blob.data)
    except UnreadableInput:
        return ""
    odd = sum(not (sign.isprintable() or sign.isspace() or sign in "\x0b\x1c") for sign in text[:4096])
    return "" if odd > max(4, len(text[:4096]) // 20) else text


def _laid_out(text: str) -> str | None:
    """JSON that stands on very long lines, indented; None for everything else."""
    if text.lstrip()[:1] not in {"{", "["} or max(map(len, _ENDS.split(text))) <= _LONG:
        return None
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return None


def _lines_of(notices: Iterable[Notice], text: str) -> Mapping[int, list[Notice]]:
    """Notices by the line they are about, the gravest first; 0 for those about no line."""
    is_json, json_text = text.lstrip()[:1] in {"{", "["}, JsonText(text)
    found: dict[int, list[Notice]] = defaultdict(list)
    for notice in sorted(notices, key=lambda one: SEVERITIES.index(one.severity)):
        line, pointer = notice.place.line, notice.place.pointer or ""
        if line is None and is_json and pointer.startswith("/"):
            line = json_text.line_of(pointer)
        found[line or 0].append(notice)
    return found


def _stretches(lines: Sequence[str], at: Mapping[int, list[Notice]]) -> tuple[tuple[Stretch, ...], int]:
    last = len(lines)
    wanted = set(range(1, last + 1)) if last <= WHOLE else _near(at, last)
    found: list[Stretch] = []
    run: list[Line] = []
    before = shown = 0
    for number in sorted(wanted):
        if run and number != run[-1].number + 1:
            found.append(Stretch(left_out=before, lines=tuple(run)))
            before, run = number - run[-1].number - 1, []
        elif not run:
            before = number - 1
        run.append(Line(number=number, text=_cut(lines[number - 1]), notices=tuple(at.get(number, ()))))
        shown = number
    if run:
        found.append(Stretch(left_out=before, lines=tuple(run)))
    return tuple(found), last - shown


def _near(at: Mapping[int, list[Notice]], last: int) -> set[int]:
    """The lines around those with something to say; the beginning where nothing is said of any."""
    told = [number for number in at if number > 0] or [1]
    return {near for number in told for near in range(number - AROUND, number + AROUND + 1) if 1 <= near <= last}


def _cut(line: str) -> str:
    line = harmless(line)
    return line if len(line) <= WIDEST else f"{line[:WIDEST]} … ({len(line) - WIDEST:,} more characters)"
