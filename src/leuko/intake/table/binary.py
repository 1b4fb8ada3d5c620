"""Workbooks and Parquet files as grids of text. Polars and fastexcel load only here, when such a file is read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from leuko.errors import UnreadableInput, UsageError
from leuko.intake.table.grid import Grid
from leuko.intake.table.tell import Teller

ZIP, OLE, PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1"
LARGEST = 2 << 30  # bytes that a workbook may unfold to; more is no laboratory's table
_MEMBERS = frozenset({"xl/workbook.xml", "xl/workbook.bin"})
_MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00:00(?:\.0+)?")
_ONLY_TIME = re.compile(r"1899-12-3[01][ T](\d{2}:\d{2}:\d{2})(?:\.\d+)?")


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are a workbook that can be read (xlsx, xlsm, xlsb, ods)."""
    if not data.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = frozenset(archive.namelist())
            return bool(names & _MEMBERS) or _is_ods(archive, names)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, KeyError):
        return False


def _is_ods(archive: zipfile.ZipFile, names: frozenset[str]) -> bool:
    if "mimetype" not in names or archive.getinfo("mimetype").file_size > 200:
        return False
    return archive.read("mimetype").startswith(b"application/vnd.oasis.opendocument.spreadsheet")


def read_workbook(name: str, data: bytes, *, teller: Teller, sheet: str | None = None) -> list[Grid]:
    """Every visible sheet that holds anything, or the one named.

    Raises UnreadableInput, and UsageError for a sheet that is not there.
    """
    _check_size(name, data)
    book = _open(name, data)
    if sheet is not None and sheet not in book.sheet_names:
        raise UsageError(
            f"{name} has no sheet {sheet!r}", why=f"it has: {', '.join(book.sheet_names)}", do="correct the column map"
        )
    epoch = _epoch(data)
    grids = []
    for title in [sheet] if sheet is not None else book.sheet_names:
        source = f"{name}!{title}" if len(book.sheet_names) > 1 else name
        grid = _read_sheet(book, title, source, epoch, teller, hidden_too=sheet is not None)
        if grid is not None:
            grids.append(grid)
    if not grids:
        raise UnreadableInput(
            "the workbook holds no visible sheet with any cells", where=name, do="check which sheet holds the counts"
        )
    return grids


def _check_size(name: str, data: bytes) -> None:
    if not data.startswith(ZIP):
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > LARGEST:
            raise UnreadableInput(
                "the workbook unfolds to more than 2 GiB", where=name, do="export the sheet with the counts as CSV"
            )


def _open(name: str, data: bytes) -> Any:
    import fastexcel  # noqa: PLC0415 (heavy: loaded where it is used)

    try:
        return fastexcel.read_excel(data)
    except Exception as error:
        raise UnreadableInput(
            "the workbook cannot be opened",
            where=name,
            why=_first_line(error),
            do="open it in a spreadsheet and save it again",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _read_sheet(book: Any, title: str, source: str, epoch: int, teller: Teller, *, hidden_too: bool) -> Grid | None:
    try:
        # skip_rows=0 keeps blank rows at the top, so that the lines are those of the spreadsheet
        sheet = book.load_sheet(title, header_row=None, skip_rows=0, dtypes="string")
        columns = [column.to_list() for column in sheet.to_polars()] if sheet.width and sheet.height else []
        visible = sheet.visible == "visible"
    except Exception as error:  # noqa: BLE001 (see above)
        teller.say("LK521", f"sheet {title!r} cannot be read: {_first_line(error)}", lost=True)
        return None
    if not columns:
        return None
    if not visible and not hidden_too:
        teller.say("LK521", f"sheet {title!r} is hidden and was not read", lost=True)
        return None
    rows = [(line, tuple(map(_cell, cells))) for line, cells in enumerate(zip(*columns, strict=True), start=1)]
    kept = tuple((line, cells) for line, cells in rows if any(cells))
    form = (f"worksheet {title}",)
    return Grid(source=source, rows=kept, form=form, typed=True, excel_epoch=epoch) if kept else None


def _cell(text: str | None) -> str:
    if text is None:
        return ""
    if match := _MIDNIGHT.fullmatch(text):
        return match[1]
    return match[1] if (match := _ONLY_TIME.fullmatch(text)) else text.strip()


def _epoch(data: bytes) -> int:
    """The first year of the workbook's serial days."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            head = archive.read("xl/workbook.xml")[:100_000]
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError):
        return 1900
    return 1904 if re.search(rb'date1904="(?:1|true)"', head) else 1900


# ---- Parquet --------------------------------------------------------------------------------------------------------


def is_parquet(data: bytes) -> bool:
    """Whether the bytes are a Parquet file."""
    return len(data) > 12 and data.startswith(PARQUET) and data.endswith(PARQUET)


def read_parquet(name: str, data: bytes) -> Grid:
    """A Parquet file as text; its numbers are written as exactly as they are stored. Raises UnreadableInput."""
    import polars as pl  # noqa: PLC0415 (heavy: loaded where it is used)

    try:
        frame = pl.read_parquet(io.BytesIO(data))
        columns = [_texts(column) for column in frame.iter_columns()]
    except Exception as error:
        raise UnreadableInput(
            "the Parquet file is damaged", where=name, why=_first_line(error), do="write it again"
        ) from error
    body = enumerate(zip(*columns, strict=True), start=2) if columns else iter(())
    rows = ((1, tuple(frame.columns)), *((line, cells) for line, cells in body if any(cells)))
    return Grid(source=name, rows=rows, form=("Parquet",), typed=True, one_row_header=True)


def _texts(column: Any) -> list[str]:
    import polars as pl  # noqa: PLC0415 (heavy: loaded where it is used)

    # a 32-bit 0.4 is 0.4 as text, and 0.4000000059604645 as a Python float
    values: Iterator[Any] = iter((column.cast(pl.String) if column.dtype == pl.Float32 else column).to_list())
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 (not a number)
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep="T")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()
