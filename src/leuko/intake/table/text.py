"""Delimited text as a grid: encoding, separator, quotes, ragged rows.

Python's csv module, not Polars, splits the lines: it keeps every cell of a ragged row and the line that a row starts
on, and needs no half second to load.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from leuko.errors import UnreadableInput
from leuko.intake.table.grid import Grid
from leuko.intake.table.spaced import Spaced, spaced
from leuko.intake.table.tell import SHOWN, Teller
from leuko.intake.table.words import load_words

SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
HEAD = 200  # lines looked at to find the separator
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_ENCODINGS = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
_NUMBER = re.compile(r"[<>]?=?\s*[-+]?\d+([.,]\d+)?%?")
Rows = tuple[tuple[int, tuple[str, ...]], ...]


def read_text(
    name: str, data: bytes, *, teller: Teller, encoding: str | None = None, separator: str | None = None
) -> Grid:
    """Split a delimited file into rows of text. Raises UnreadableInput where the bytes are no text or hold nothing."""
    text, used = decode(name, data, encoding)
    if used in {"cp1252", "latin-1"} and encoding is None:
        teller.say("LK502", f"the file is not UTF-8; its letters were read as {used}")
    text, hint = _excel_hint(text)
    mark = separator or hint or find_separator(text)
    if not (separator or hint) and (cut := _parted_by_spaces(text, mark)) is not None:
        return _spaced_grid(name, cut, used, teller)
    rows = _split(text, mark, teller)
    if not rows:
        raise UnreadableInput("the table is empty", where=name, do="export it again, and check that rows were selected")
    return Grid(source=name, rows=rows, form=(NAMES.get(mark, repr(mark)), _ENCODINGS.get(used, used)), separator=mark)


def _parted_by_spaces(text: str, mark: str) -> Spaced | None:
    """The text cut by spaces, where no separator cuts it into anything that is known."""
    return None if _quality(_head(text), mark)[0] else spaced(text)


def _spaced_grid(name: str, cut: Spaced, used: str, teller: Teller) -> Grid:
    for line in cut.uncut[:SHOWN]:
        teller.say("LK545", "a line with a number that fits no column was not read", line=line, lost=True)
    for line in cut.uncut[SHOWN:]:
        teller.tally("LK545", "further lines with a number that fit no column were not read", line, lost=True)
    for line in cut.words:
        teller.tally("LK546", "lines without a number were not read", line)
    form = (cut.form, _ENCODINGS.get(used, used))
    return Grid(source=name, rows=cut.rows, form=form, headless=cut.headless)


def decode(name: str, data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text and the encoding it was read in. Raises UnreadableInput where the bytes are no text."""
    used = encoding or _encoding(data)
    try:
        text = data.decode(used)
    except UnicodeDecodeError as error:
        raise UnreadableInput(
            f"the file is not {used}", where=name, why=str(error), do="set `encoding` in the column map to what it is"
        ) from error
    if "\0" in text:
        raise UnreadableInput("the file is not text", where=name, why="it holds null characters", do="export it as CSV")
    return text.removeprefix("\ufeff"), used


def _encoding(data: bytes) -> str:
    for bom, name in _BOMS:
        if data.startswith(bom):
            return name
    head = data[:2000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) // 4:
        return "utf-16-be"
    for name in ("utf-8", "cp1252"):
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"


def _excel_hint(text: str) -> tuple[str, str | None]:
    """Excel's own first line `sep=;`; it is blanked, so that the lines keep their numbers."""
    match = re.match(r'"?sep=(.)"?[ \t;,]*(?=[\r\n])', text)
    return (text, None) if match is None else (text[match.end() :], match[1])


# ---- the separator --------------------------------------------------------------------------------------------------


def find_separator(text: str) -> str:
    """The separator under which the most header words are known, then the one that cuts the lines most evenly."""
    head = _head(text)
    return max(SEPARATORS, key=lambda mark: (*_quality(head, mark), -SEPARATORS.index(mark)))


def _head(text: str) -> str:
    lines = io.StringIO(text[:200_000])
    return "".join(line for line, _ in zip(lines, range(HEAD), strict=False))


def _quality(head: str, mark: str) -> tuple[int, float]:
    if mark not in head:
        return (0, 0.0)
    try:
        rows = [cells for _, cells in _parse(head, mark)]
    except csv.Error:
        rows = [_cells_of(line, mark) for line in head.splitlines() if line.strip()]
    widths = Counter(len(cells) for cells in rows if len(cells) > 1)
    if not widths:
        return (0, 0.0)
    width, often = widths.most_common(1)[0]
    return (max(_known(cells) for cells in rows), often / len(rows) + min(width, 50) / 1000)


def _known(cells: Sequence[str]) -> int:
    """How many cells are header words of one meaning or another."""
    words = load_words()
    return (
        sum(1 for cell in cells if cell and not _NUMBER.fullmatch(cell) and words.meaning(cell))
        if len(cells) > 1
        else 0
    )


# ---- rows -----------------------------------------------------------------------------------------------------------


def _split(text: str, mark: str, teller: Teller) -> Rows:
    try:
        rows = tuple(_parse(text, mark))
    except csv.Error as error:
        return _unbalanced(text, mark, teller, str(error))
    swallowed = _swallowed(rows, mark)
    return rows if swallowed is None else _unbalanced(text, mark, teller, f"one quoted cell would hold {swallowed}")


def _unbalanced(text: str, mark: str, teller: Teller, why: str) -> Rows:
    """Quotes that do not pair would hide whole rows in one cell; then every line is a row."""
    teller.say("LK503", f"quotation marks do not pair ({why}); every line was read as one row", read="line by line")
    lines = enumerate(io.StringIO(text, newline=None), start=1)
    rows = ((number, _cells_of(line.rstrip("\n"), mark)) for number, line in lines)
    return tuple((number, cells) for number, cells in rows if any(cells))


def _cells_of(line: str, mark: str) -> tuple[str, ...]:
    """One line by itself; quotes count only where they pair within it."""
    if line.count('"') % 2 == 0:
        try:
            return tuple(cell.strip() for cell in next(csv.reader([line], delimiter=mark, skipinitialspace=True), []))
        except csv.Error:
            pass
    return tuple(cell.strip().strip('"') for cell in line.split(mark))


def _parse(text: str, mark: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    # newline=None makes \r\n and a lone \r one line end, as an editor counts them
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=mark, strict=True, skipinitialspace=True)
    last = 0
    for cells in reader:
        line, last = last + 1, reader.line_num
        trimmed = tuple(map(str.strip, cells))
        if any(trimmed):
            yield line, trimmed


def _swallowed(rows: Rows, mark: str) -> str | None:
    """What a stray pair of quotes hid: a cell of several lines in which whole rows can be seen."""
    widths = Counter(len(cells) for _, cells in rows)
    usual = widths.most_common(1)[0][0] if widths else 0
    for line, cells in rows:
        for cell in cells:
            if "\n" in cell and usual > 2 and any(part.count(mark) >= usual - 2 for part in cell.split("\n")):
                return f"{cell.count(chr(10))} line ends after line {line}"
    return None
