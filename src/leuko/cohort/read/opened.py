"""Files as tables that can be read piece by piece: separated text, Parquet, SAS transport, Dataset-JSON, a DuckDB file.

Opening a file looks at its head only. What turns out unreadable further on is told with the row where reading stopped.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from leuko.errors import UnreadableInput, UsageError
from leuko.intake.table.tell import Teller
from leuko.intake.table.text import decode, find_separator, read_text
from leuko.knowledge import Library

CHUNK: Final = 250_000  # rows in memory at a time
HEAD_BYTES: Final = 1 << 18
HEAD_ROWS: Final = 400
ROW: Final = "\x00row"
GZIP = b"\x1f\x8b"
BROKEN = (OSError, EOFError, zlib.error, pl.exceptions.PolarsError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of a source. `columns` are its headers; `chunks` gives columns by position as `0`, `1`, … and `ROW`.

    `typed`: the file itself says what is a number. `lines` are the first rows as text with their line, for sniffing;
    `header` is the index of the header among them. `person_types` are the types of typed columns by position.
    """

    file: str
    columns: tuple[str, ...]
    scan: Callable[[int], pl.LazyFrame] = field(repr=False)
    lines: tuple[tuple[int, tuple[str, ...]], ...] = field(default=(), repr=False)
    types: tuple[pl.DataType, ...] = ()
    typed: bool = False
    separator: str = ""
    bytes: int = 0
    path: Path | None = None

    def at(self, name: str) -> int | None:
        """The position of a column by its name, in any case."""
        wanted = name.casefold()
        return next((i for i, column in enumerate(self.columns) if column.strip().casefold() == wanted), None)

    def has(self, *names: str) -> bool:
        """Whether all of these columns are there."""
        return all(self.at(name) is not None for name in names)

    def chunks(self, columns: Sequence[int], *, after: int = 1) -> Iterator[pl.DataFrame]:
        """The rows of data from line `after` + 1 of the file on, some columns of them, piece by piece."""
        wanted = [str(index) for index in dict.fromkeys(columns)]
        frame = self.scan(after).with_row_index(ROW, offset=1).select(pl.col(ROW).cast(pl.Int64), *wanted)
        yield from frame.collect_batches(chunk_size=CHUNK, maintain_order=True)

    def named(self, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        """As `chunks`, columns by their names; a column that the table lacks is null throughout."""
        places = {name: place for name in wanted if (place := self.at(name)) is not None}
        for chunk in self.chunks(list(places.values())):
            yield chunk.select(
                pl.col(ROW).alias("row"),
                *(
                    pl.col(str(places[name])).alias(name) if name in places else pl.lit(None, pl.String).alias(name)
                    for name in wanted
                ),
            )


# ---- separated text --------------------------------------------------------------------------------------------------


def _older(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 are letters of an older encoding; the rest of the file stays UTF-8."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("leuko-cp1252", _older)


def head_of(path: Path) -> bytes:
    """The first bytes of a file, unpacked where it is gzip."""
    with path.open("rb") as file:
        start = file.read(HEAD_BYTES)
    if not start.startswith(GZIP):
        return start
    with gzip.open(path, "rb") as stream:
        return stream.read(HEAD_BYTES)


def bytes_of(path: Path) -> bytes:
    """A whole file, unpacked where it is gzip."""
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(GZIP) else data


def open_text(path: Path, name: str, *, library: Library) -> tuple[Table, Teller]:
    """A separated text file. Raises UnreadableInput where it is none, or is damaged."""
    teller = Teller(source=name, library=library)
    try:
        head = head_of(path)
        whole = len(head) < HEAD_BYTES
        head = head if whole else head[: head.rfind(b"\n") + 1]
        text, used = decode(name, head)
        grid = read_text(name, text.encode(), teller=Teller(source=name, library=library))
        mark = grid.separator or find_separator(text)
        data = _as_utf8(path, name, used, mark, teller)
    except BROKEN as error:
        raise _damaged(name, error) from error
    width = max(len(cells) for _, cells in grid.rows)
    schema = {str(index): pl.String() for index in range(width)}

    def scan(after: int) -> pl.LazyFrame:
        return pl.scan_csv(
            data if isinstance(data, Path) else io.BytesIO(data),
            has_header=False, skip_lines=after, separator=mark, schema=schema, raise_if_empty=False,
        )  # fmt: skip

    lines = grid.rows[:HEAD_ROWS]
    size = len(data) if isinstance(data, bytes) else path.stat().st_size
    table = Table(file=name, columns=lines[0][1], scan=scan, lines=lines, separator=mark, bytes=size, path=path)
    return _checked(table, path, teller), teller


def _as_utf8(path: Path, name: str, used: str, mark: str, teller: Teller) -> Path | bytes:
    """What Polars may read: the file itself where it is UTF-8 throughout, else its text in memory."""
    if used.startswith("utf-16") or used == "utf-32":
        return decode(name, bytes_of(path), used)[0].encode()
    if used == "utf-8" and not path.name.endswith((".gz", ".gzip")) and _is_utf8(path):
        return path
    data = bytes_of(path).removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        teller.say("LK502", "the file is not UTF-8 throughout; the letters that are not were read as cp1252")
        data = data.decode("utf-8", errors="leuko-cp1252").encode()
    if b"\r" in data and b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    first = data[:20]
    return b"\n" + data[data.find(b"\n") + 1 :] if first.lower().startswith((b"sep=", b'"sep=')) and mark else data


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 22):
                if (b"\r" in part and b"\n" not in part) or b"\0" in part:
                    return False
                if not part.isascii() or decoder.getstate()[0]:
                    decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _checked(table: Table, path: Path, teller: Teller) -> Table:
    """Every line must be a row: a table that Polars cannot cut as people see it is cut line by line."""
    try:
        cells = pl.all().str.contains("\n", literal=True).any()
        swallowed = table.scan(0).select(cells).collect(engine="streaming")
        if swallowed.height == 0 or not any(swallowed.row(0)):
            return table
    except pl.exceptions.PolarsError:
        pass
    return _by_hand(table, path, teller)


def _by_hand(table: Table, path: Path, teller: Teller) -> Table:
    data = bytes_of(path).decode("utf-8", errors="leuko-cp1252").encode()
    grid = read_text(table.file, data, teller=teller, separator=table.separator)
    width = max(len(cells) for _, cells in grid.rows)
    by_line = dict(grid.rows)
    last = max(by_line)

    def scan(after: int) -> pl.LazyFrame:
        rows = [by_line[line] for line in range(after + 1, last + 1) if line in by_line]
        columns = {str(i): [row[i] if i < len(row) and row[i] else None for row in rows] for i in range(width)}
        return pl.LazyFrame(columns, schema=dict.fromkeys(columns, pl.String()))

    columns = table.columns + ("",) * (width - len(table.columns))
    return Table(
        file=table.file, columns=columns, scan=scan, lines=grid.rows[:HEAD_ROWS],
        separator=table.separator, bytes=table.bytes, path=path,
    )  # fmt: skip


def _damaged(name: str, error: Exception) -> UnreadableInput:
    if isinstance(error, UnreadableInput):
        return error
    return UnreadableInput("the file is damaged", where=name, why=first_line(error), do="fetch or export it again")


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


# ---- Parquet ---------------------------------------------------------------------------------------------------------


def open_parquet(path: Path, name: str) -> Table:
    """A Parquet file. Raises UnreadableInput where it is damaged."""
    try:
        kinds = pl.read_parquet_schema(path)
        head = pl.scan_parquet(path).head(HEAD_ROWS // 2).collect()
    except BROKEN as error:
        raise _damaged(name, error) from error
    return of_frame(pl.scan_parquet(path), head, kinds, file=name, size=path.stat().st_size, path=path)


def of_frame(
    lazy: pl.LazyFrame,
    head: pl.DataFrame,
    kinds: dict[str, pl.DataType] | pl.Schema,
    *,
    file: str,
    size: int,
    path: Path | None = None,
    typed: bool = True,
) -> Table:
    """A frame as a table."""
    names = tuple(kinds)
    texts = head.select(pl.all().map_batches(_texts, return_dtype=pl.String)).rows() if names else []
    lines = ((1, names), *((line, tuple(cell or "" for cell in row)) for line, row in enumerate(texts, start=2)))
    renamed = lazy.rename({column: str(index) for index, column in enumerate(names)})
    return Table(
        file=file,
        columns=names,
        scan=lambda _after: renamed,
        lines=lines,
        types=tuple(kinds.values()),
        typed=typed,
        bytes=size,
        path=path,
    )


def _texts(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, (pl.List, pl.Struct, pl.Array, pl.Binary, pl.Object)):
        return pl.Series(column.name, [""] * len(column), dtype=pl.String)
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S")
    return column.cast(pl.String, strict=False)


# ---- SAS transport files and Dataset-JSON ----------------------------------------------------------------------------


def open_xpt(path: Path, name: str) -> Table:
    """A SAS transport file, version 5 or 8. Raises UnreadableInput; UsageError where pyreadstat is not installed."""
    try:
        import pyreadstat  # noqa: PLC0415 (an extra)
    except ModuleNotFoundError as error:
        raise UsageError(
            "SAS transport files need pyreadstat",
            where=name,
            do="install the extra: pip install leuko[cohort]",
        ) from error
    try:
        # Dates stay numbers of days: SDTM holds its dates as text, and nothing else is read here.
        frame, _ = pyreadstat.read_xport(str(path), output_format="polars", disable_datetime_conversion=True)
    except Exception as error:  # pyreadstat raises what its C library tells
        raise _damaged(name, error) from error
    return _in_memory(frame.with_columns(pl.col(pl.String).replace("", None)), name, path)


def _in_memory(frame: pl.DataFrame, name: str, path: Path, *, typed: bool = True) -> Table:
    head, size = frame.head(HEAD_ROWS // 2), path.stat().st_size
    return of_frame(frame.lazy(), head, frame.schema, file=name, size=size, path=path, typed=typed)


def open_dataset_json(path: Path, name: str) -> Table:
    """A CDISC Dataset-JSON file (1.0, 1.1, or 1.1 as NDJSON). Raises UnreadableInput where it is damaged."""
    try:
        columns, rows = _dataset(bytes_of(path).decode("utf-8-sig"))
        frame = pl.DataFrame(
            {column: [_cell(row[i]) for row in rows] for i, column in enumerate(columns)},
            schema=dict.fromkeys(columns, pl.String()),
        )
    except (*BROKEN, KeyError, TypeError, IndexError, StopIteration) as error:
        raise _damaged(name, error) from error
    return _in_memory(frame, name, path, typed=False)


def _dataset(text: str) -> tuple[list[str], list[list[Any]]]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [column["name"] for column in lines[0]["columns"]], lines[1:]
    if "columns" in whole:
        return [column["name"] for column in whole["columns"]], whole.get("rows") or []
    group = next(iter((whole.get("clinicalData") or whole["referenceData"])["itemGroupData"].values()))
    return [item["name"] for item in group["items"]], group["itemData"]


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
