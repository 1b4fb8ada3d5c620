"""A table as cells of text, every row with its line in the source."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One table: a delimited file, a worksheet or a Parquet file.

    `rows` are (line, cells); lines count from 1 as an editor or a spreadsheet shows them, blank rows are left out, and
    no cell is lost where rows differ in length. `form` says how the bytes were read ("';'", "cp1252"). `typed` is true
    where the file itself says what is a number, so that a dot is always the decimal mark. `excel_epoch` is the first
    year of a workbook's serial dates (1900 or 1904), 0 elsewhere. `one_row_header` is true where the first row must be
    the header. `headless` is true where the header row was made by the reader from the form of the lines.
    """

    source: str
    rows: tuple[tuple[int, tuple[str, ...]], ...] = field(repr=False)
    form: tuple[str, ...] = ()
    separator: str = ""
    typed: bool = False
    excel_epoch: int = 0
    one_row_header: bool = False
    headless: bool = False

    @property
    def width(self) -> int:
        """The number of cells of the longest row."""
        return max((len(cells) for _, cells in self.rows), default=0)
