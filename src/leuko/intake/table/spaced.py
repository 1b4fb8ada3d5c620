"""Text whose columns are parted by spaces, as a table copied from a laboratory's report: by position, or line by line.

Two forms are known. Columns that stand below one another under a header are cut where all lines are blank. Lines
without a header ("Neutrophils 0.8 L 10^9/L 1.8 - 7.5") are cut by their own form: a name, one number, a flag, a unit,
an interval. A line that fits neither is not guessed at: it is set aside with a notice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from leuko.frozen import Frozen
from leuko.intake.table.recognise import is_unit, unit_like
from leuko.intake.table.words import load_words

HEADER: Final = ("Test", "Result", "Flag", "Unit", "Reference")  # what lines without a header hold, in this order
_GAP: Final = 2  # blanks that part two columns; one blank may stand inside a name or an interval
_NUMBER: Final = r"[<>≤≥]?=?\s?\d+(?:[.,]\d+)*"
_RANGE: Final = re.compile(
    rf"(?<!\S)[\[(]?(?:{_NUMBER}\s?(?:-|–|—|to|bis)\s?{_NUMBER}|[<>≤≥]=?\s?\d+(?:[.,]\d+)*)[\])]?(?!\S)"
)
_LINE: Final = re.compile(rf"(?P<name>\S*[^\W\d]\S*(?:\s\S+)*?)\s+(?P<value>{_NUMBER})(?P<rest>(?:\s.*)?)")
_FLAG: Final = re.compile(r"[\[(]?(?:[HL]{1,2}|[+\-]{1,3}|[!*↑↓]{1,2})[\])]?")
_PAIR: Final = re.compile(r"(?P<left>[^:\d]+):\s+(?P<right>\S.*)")
Row = tuple[int, tuple[str, ...]]


class Spaced(Frozen, frozen=True, kw_only=True):
    """The rows of such a text with their lines. `headless`: the first row is HEADER, which stands nowhere in the text.

    `uncut` are lines with a number that fit no column, `words` those without one.
    """

    form: Literal["columns by position", "lines of a report"]
    rows: tuple[Row, ...]
    headless: bool = False
    uncut: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


def spaced(text: str) -> Spaced | None:
    """The rows of a text that spaces part, or None where it is no such table."""
    lines = [(number, line.rstrip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return _by_position(lines) or _line_by_line(lines)


# ---- columns under a header ------------------------------------------------------------------------------------------


class _Piece(Frozen, frozen=True):
    start: int
    end: int
    text: str


def _pieces(line: str) -> list[_Piece]:
    found = re.finditer(rf"\S+(?:\s\S+)*?(?=\s{{{_GAP},}}|$)", line.expandtabs())
    return [_Piece(match.start(), match.end(), match[0]) for match in found]


def _by_position(lines: Sequence[tuple[int, str]]) -> Spaced | None:
    at = _header_at(lines)
    if at is None:
        return None
    cut = [(number, _pieces(line)) for number, line in lines]
    header, body = cut[at], cut[at + 1 :]
    columns = _columns([pieces for _, pieces in (header, *body) if len(pieces) > 1])
    rows: list[Row] = [(number, tuple(piece.text for piece in pieces)) for number, pieces in cut[:at]]
    aside = _Aside()
    for number, pieces in (header, *body):
        cells = _cells(pieces, columns, len(header[1]))
        if cells is not None:
            rows.append((number, cells))
        else:
            aside.add(number, " ".join(piece.text for piece in pieces))
    return Spaced(
        form="columns by position", rows=tuple(rows), uncut=tuple(aside.numbers), words=tuple(aside.without_number)
    )


def _header_at(lines: Sequence[tuple[int, str]]) -> int | None:
    """The first line of header words with pieces below: two of different roles, or one above a line of numbers."""
    words = load_words()
    for index, (_, line) in enumerate(lines[:-1]):
        pieces, below = _pieces(line), _pieces(lines[index + 1][1])
        meanings = [words.meaning(piece.text) for piece in pieces]
        roles = {meaning.role for meaning in meanings if meaning is not None}
        wide = len(pieces) == len(below) and not _numbers(pieces) and _numbers(below)
        if len(below) > 1 and (len(roles) > 1 or (roles and wide)):
            return index
    return None


def _numbers(pieces: Sequence[_Piece]) -> int:
    return sum(re.fullmatch(_NUMBER, piece.text) is not None for piece in pieces)


def _columns(lines: Sequence[Sequence[_Piece]]) -> list[tuple[int, int]]:
    """Where the columns stand: stretches of text that no line's blanks run through, from first to last sign."""
    taken = sorted((piece.start, piece.end) for pieces in lines for piece in pieces)
    found: list[tuple[int, int]] = []
    for start, end in taken:
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _cells(pieces: Sequence[_Piece], columns: Sequence[tuple[int, int]], width: int) -> tuple[str, ...] | None:
    """The cells of a line by where its pieces stand; by their order where the columns say less than the header."""
    if len(columns) >= width:
        homes = [
            next((at for at, (start, end) in enumerate(columns) if start <= one.start < end), -1) for one in pieces
        ]
        if len(set(homes)) < len(homes) or (len(pieces) == 1 < width):
            return None
        placed = dict(zip(homes, pieces, strict=True))
        return tuple(placed[at].text if at in placed else "" for at in range(len(columns)))
    return tuple(piece.text for piece in pieces) if len(pieces) == width else None


# ---- lines without a header ------------------------------------------------------------------------------------------


def _line_by_line(lines: Sequence[tuple[int, str]]) -> Spaced | None:
    """Every line by its own form; at least one must name a unit, else the text is no report."""
    parsed = [(number, line, parse_line(line)) for number, line in lines]
    if not any(cells is not None and cells[3] for _, _, cells in parsed):
        return None
    first = next(number for number, _, cells in parsed if cells is not None)
    above: list[Row] = []
    rows: list[Row] = [(first, HEADER)]
    aside = _Aside()
    for number, line, cells in parsed:
        pair = _PAIR.fullmatch(line.strip())
        if cells is not None:
            rows.append((number, cells))
        elif number < first and pair is not None:
            above.append((number, (pair["left"].strip(), pair["right"].strip())))
        else:
            aside.add(number, line)
    return Spaced(
        form="lines of a report",
        rows=(*above, *rows),
        headless=True,
        uncut=tuple(aside.numbers),
        words=tuple(aside.without_number),
    )


def parse_line(line: str) -> tuple[str, str, str, str, str] | None:
    """Name, value, flag, unit and interval of one line; None where anything in it has no place among these."""
    match = _LINE.fullmatch(" ".join(line.split()))
    if match is None:
        return None
    rest, interval = _take_range(match["rest"].strip())
    flags, left = _take_flags(rest)
    unit = " ".join(left)
    second = any(re.fullmatch(_NUMBER, word) for word in left)  # which of two numbers is the result is not guessed
    if len(flags) > 1 or second or (unit and not (is_unit(unit) or unit_like(unit))):
        return None
    name = match["name"].rstrip(":").strip()
    if match["name"].endswith(":") and not (unit or interval):
        return None  # "Sample: 4711" says something of the report, and is no result
    return name, match["value"].replace(" ", ""), "".join(flags), unit, interval


def _take_range(rest: str) -> tuple[str, str]:
    """What stands beside the last interval of a line, and the interval."""
    found = list(_RANGE.finditer(rest))
    if len(found) != 1:
        return rest, ""
    match = found[0]
    return f"{rest[: match.start()]} {rest[match.end() :]}".strip(), match[0]


def _take_flags(rest: str) -> tuple[list[str], list[str]]:
    """The flags at either end of what is left, and the words between: "L 10^9/L" is ["L"], ["10^9/L"]."""
    words = rest.split()
    ends = {0, len(words) - 1}
    flags = [word for at, word in enumerate(words) if at in ends and _FLAG.fullmatch(word)]
    return flags, [word for at, word in enumerate(words) if at not in ends or not _FLAG.fullmatch(word)]


@dataclass(slots=True)
class _Aside:
    """The lines that were not cut: with a number in them, or of words alone."""

    numbers: list[int] = field(default_factory=list)
    without_number: list[int] = field(default_factory=list)

    def add(self, number: int, line: str) -> None:
        (self.numbers if any(sign.isdigit() for sign in line) else self.without_number).append(number)
