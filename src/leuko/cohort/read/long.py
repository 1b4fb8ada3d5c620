"""Tables of counts of any make: their columns recognised as for one person, their rows read all at once.

What each column is, which mark is the decimal mark, which of day and month stands first: all this is decided by the
table reader's own rules, on the distinct texts of the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from leuko.cohort.read.base import Frames, Reading
from leuko.cohort.read.distinct import cleaned, mapped
from leuko.cohort.read.judge import Judge, Key
from leuko.cohort.read.keys import system_of
from leuko.cohort.read.opened import ROW, Table
from leuko.cohort.read.quick import Plainly, plain_columns
from leuko.cohort.read.rows import births, one_day, with_medicines, with_person, with_span, with_times
from leuko.intake.names import index_of
from leuko.intake.table.cells import unit_in_name
from leuko.intake.table.columnmap import ColumnMap
from leuko.intake.table.dates import DateReader, choose_order, order_in
from leuko.intake.table.grid import Grid
from leuko.intake.table.layout import Layout, ResultColumn
from leuko.intake.table.numbers import Decimals, decide, mark_of
from leuko.intake.table.others import amount_in
from leuko.intake.table.recognise import Names, unit_like
from leuko.intake.table.sniff import split_tables, understand
from leuko.intake.table.words import Words, key_of, load_words, split_header

VECTORISED: Final = frozenset({"long", "wide", "doses", "people"})
_BOUNDS: Final = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "=": "="}
_DATE_ROLES: Final = ("date", "issued", "born", "start", "stop")
_VALUE_ROLES: Final = ("value", "value_standard", "low", "high", "dose")


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A table whose columns are known. `after` is the last line before the rows of data."""

    table: Table
    layout: Layout
    after: int
    column_map: ColumnMap

    @property
    def person(self) -> int | None:
        """The column of the person."""
        first = self.layout.first("patient")
        return first if first is not None else self.layout.first("patient_name")


def understand_table(table: Table, reading: Reading, column_map: ColumnMap) -> Understood | str:
    """What the columns of a table are, or in words why it is not understood, or why it must be read as a small one."""
    words, names = load_words(), Names(reading.library, column_map.analytes)
    grid = Grid(
        source=table.file, rows=table.lines, separator=table.separator, typed=table.typed, one_row_header=table.typed
    )
    if not grid.rows:
        return "it is empty"
    layout = understand(grid, words=words, names=names, column_map=column_map)
    if isinstance(layout, str):
        return layout
    headless = len(grid.rows) <= layout.body
    after = grid.rows[-1][0] if headless else grid.rows[layout.body][0] - 1
    return Understood(table=table, layout=layout, after=after, column_map=column_map)


def must_be_small(understood: Understood, reading: Reading) -> bool:
    """Whether a table lies in a way that only the reader for one person knows: transposed, with words above it."""
    layout, table = understood.layout, understood.table
    if layout.kind not in VECTORISED or layout.said or layout.header_line is None:
        return True
    words, names = load_words(), Names(reading.library, understood.column_map.analytes)
    grid = Grid(source=table.file, rows=table.lines, separator=table.separator)
    _, rest, repeated = split_tables(grid, layout, words=words, names=names)
    return rest is not None or bool(repeated)


@dataclass(slots=True, kw_only=True)
class LongTable:
    """One understood table being read."""

    understood: Understood
    reading: Reading
    judge: Judge
    words: Words = field(default_factory=load_words)
    decimals: Decimals = field(init=False)
    dates: dict[str, DateReader] = field(init=False)

    def __post_init__(self) -> None:
        self.decimals = self._decide_decimals()
        self.dates = {role: self._date_reader(role) for role in _DATE_ROLES}

    @property
    def layout(self) -> Layout:
        """The layout of the table."""
        return self.understood.layout

    @property
    def file(self) -> str:
        """The file, as notices print it."""
        return self.understood.table.file

    def read(self) -> Iterator[Frames]:
        """The rows, piece by piece."""
        kinds = {"long": self._long, "wide": self._wide, "doses": self._doses, "people": self._only_people}
        yield from self._told_layout()
        used = sorted({i for places in self.layout.roles.values() for i in places} | self._result_columns())
        quick = self._plainly()
        for chunk in self.understood.table.chunks(used, after=self.understood.after):
            found = None if quick is None else quick.read(chunk)
            yield kinds[self.layout.kind](chunk) if found is None else found

    def _plainly(self) -> Plainly | None:
        """The way of plain rows, where a test, a unit, a number, a time and a status are all that a row says."""
        columns = plain_columns(self.layout)
        if columns is None or self.reading.options.patient or self.understood.column_map.patient:
            return None
        return Plainly(
            columns=columns,
            keys={name: str(index) for name, index in self._key_columns().items()},
            file=self.file,
            dates=self.dates["date"],
            judge=self.judge,
            meant=self._meant,
            standing=lambda text: self.words.status.get(key_of(text), "?"),
            others=self._long,
        )

    def _told_layout(self) -> Iterator[Frames]:
        shown = [f"{self.layout.title(i)} = {role}" for role, i in self.layout.columns.items()]
        shown += [f"{column.header or column.index + 1} = {column.name}" for column in self.layout.results]
        text = f"read as a {self.layout.kind} table: {', '.join(shown)}"
        yield self.reading.frames(notices=self.reading.say("LK504", text, file=self.file))
        if self.layout.kind in {"long", "wide"} and self.layout.first("date") is None:
            text = "the table has no column with the date of the counts, so they have no place in time"
            yield self.reading.frames(notices=self.reading.say("LK507", text, file=self.file, lost=True))

    def _result_columns(self) -> set[int]:
        beside = {i for column in self.layout.results for i in column.beside.values()}
        return {column.index for column in self.layout.results} | beside

    # ---- the whole file's distinct texts -----------------------------------------------------------------------------

    def _distinct(self, index: int) -> pl.Series:
        table, name = self.understood.table, str(index)
        if table.types and table.types[index] != pl.String:
            return pl.Series(name, [], dtype=pl.String)
        lazy = table.scan(self.understood.after).select(pl.col(name).cast(pl.String).str.strip_chars().unique())
        return lazy.collect(engine="streaming")[name].drop_nulls()

    def _decide_decimals(self) -> Decimals:
        columns = [i for role in _VALUE_ROLES for i in self.layout.roles.get(role, ())[:2]]
        columns += [column.index for column in self.layout.results]
        columns += [i for column in self.layout.results for role, i in column.beside.items() if role in {"low", "high"}]
        texts = [text for index in columns for text in self._distinct(index)]
        table = self.understood.table
        comma = self.words.day_first(self.layout.headers) or table.separator == ";"
        return decide(texts, forced=self.understood.column_map.decimal, typed=table.typed, comma_language=comma)

    def _date_reader(self, role: str) -> DateReader:
        index = self.layout.first(role)
        texts = [] if index is None else self._distinct(index).to_list()
        order, why = choose_order(texts, day_first_language=self.words.day_first(self.layout.headers))
        named = None if index is None else order_in(self.layout.headers[index])
        if named is not None and why != "some of its dates have the day first and others the month":
            order, why = (order or named), "the header names it"
        formats = self.understood.column_map.date_formats
        return DateReader(order=order, why=why, formats=formats, zone=self.reading.options.zone)

    # ---- what every layout shares ------------------------------------------------------------------------------------

    def _role(self, role: str) -> pl.Expr | None:
        index = self.layout.first(role)
        return None if index is None else cleaned(pl.col(str(index)))

    def _text(self, role: str) -> pl.Expr:
        found = self._role(role)
        return pl.lit(None, pl.String) if found is None else found

    def _people_of(self, chunk: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """`row`, `file`, `person`; rows that name nobody are one person a sample, or belong to the file's person."""
        frame = chunk.with_columns(pl.col(ROW).alias("row"), pl.lit(self.file).alias("file"))
        columns = [i for role in ("patient", "patient_name") if (i := self.layout.first(role)) is not None]
        given = self.reading.options.patient or self.understood.column_map.patient
        if not columns:
            one = frame.with_columns(pl.lit(given or self.file).alias("person"))
            if given or frame["row"].min() != 1:  # told with the first rows of the file
                return one, self.reading.frame("notices")
            text = (
                "the table has no column for the person: all of its rows are taken as one person's, by the file's name"
            )
            return one, self.reading.say("LK547", text, file=self.file)
        if len(columns) == 1 and frame[str(columns[0])].dtype.is_integer():
            frame = frame.with_columns(pl.col(str(columns[0])).alias("person"))
        else:
            frame = frame.with_columns(pl.coalesce([cleaned(pl.col(str(i))) for i in columns]).alias("person"))
        if given:
            frame = frame.with_columns(pl.col("person").fill_null(given))
        if self.reading.person != pl.String:
            return with_person(frame, self.file, self.reading)
        sample = pl.coalesce(self._text("sample"), pl.col("row").cast(pl.String))
        nobody = frame.filter(pl.col("person").is_null())
        frame = frame.with_columns(
            pl.col("person").cast(pl.String).fill_null(pl.lit(f"{self.file}#") + sample).alias("person")
        )
        if nobody.height == 0:
            return frame, self.reading.frame("notices")
        text = f"rows that name no person stand by themselves, one person a sample ({nobody.height} rows)"
        return frame, self.reading.say("LK516", text, file=self.file, row=_first(nobody))

    def _timed(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        index, clock = self.layout.first("date"), self.layout.first("time")
        if index is None:
            none = pl.lit(None, pl.Datetime("us", "UTC"))
            return frame.with_columns(none.alias("taken"), pl.lit(value=False).alias("has_time")), self.reading.frame(
                "notices"
            )
        if clock is not None:
            frame = frame.with_columns(pl.col(str(index)).cast(pl.String), pl.col(str(clock)).cast(pl.String))
        return with_times(
            frame, str(index), self.dates["date"], file=self.file, reading=self.reading,
            time=None if clock is None else str(clock),
        )  # fmt: skip

    def _shared(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Specimen, method, sample and version of a row."""
        issued = self.layout.first("issued")
        frame = frame.with_columns(
            found.alias(name)
            for name, role in (("specimen", "specimen"), ("method", "method"), ("draw", "sample"))
            if (found := self._role(role)) is not None
        )
        if issued is None:
            return frame
        told = frame.select("row", pl.col(str(issued)))
        dated, _ = with_times(told, str(issued), self.dates["issued"], file=self.file, reading=self.reading)
        return frame.with_columns(dated["taken"].cast(pl.Int64).alias("sequence"))

    def _standing(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """`status` and `bound`; void rows, derived rows and rows with an unknown comparator are set aside."""
        if not {"status", "comparator", "derived"} & self.layout.roles.keys():
            return frame, self.reading.frame("notices")
        known = self.words.status
        frame = frame.with_columns(
            self._asked(frame, "status", lambda text: known.get(key_of(text), "?"), {*known.values(), "?"}, "final"),
            self._asked(frame, "comparator", lambda text: _BOUNDS.get(text, "?"), {*_BOUNDS.values(), "?"}, "=").alias(
                "bound"
            ),
        )
        derived = frame.select(self._text("derived").is_not_null().alias("derived"))["derived"]
        void = frame["status"] == "void"
        rows = [
            *self._aside(frame, derived, "LK527", "rows marked as derived are not read twice"),
            *self._aside(frame, void, "LK518", "rows that were cancelled or entered in error"),
        ]
        kept = _without(frame, derived | void)
        strange = kept["bound"] == "?"
        if strange.any():
            rows += [
                self.reading.row(
                    "LK534", f"“{sign}” is no comparator that leuko knows; the value was not used",
                    file=self.file, row=row, rows=1, lost=True,
                )
                for row, sign in kept.filter(strange).select("row", self._text("comparator")).iter_rows()
            ]  # fmt: skip
        if (kept["status"] == "?").any():
            unknown = kept.filter(pl.col("status") == "?")
            found = unknown.select(self._text("status").alias("found"))["found"].unique().sort().head(5)
            text = f"statuses that are not known: {', '.join(found)}"
            rows.append(self.reading.row("LK519", text, file=self.file, row=_first(unknown)))
            kept = kept.with_columns(pl.col("status").cast(pl.String).replace("?", "unknown"))
        return _without(kept, strange), self.reading.notices(rows)

    def _asked(
        self, frame: pl.DataFrame, role: str, ask: Callable[[str], str], answers: set[str], otherwise: str
    ) -> pl.Series:
        """What the words of a column mean, one of few answers, asked once for each distinct one."""
        kind, index = pl.Enum(sorted({*answers, otherwise})), self.layout.first(role)
        if index is None:
            return pl.Series(role, [otherwise], dtype=kind).new_from_index(0, frame.height)
        texts = frame[str(index)].cast(pl.String)
        found = mapped(texts, lambda text: ask(text.strip()) if text.strip() else None, kind)
        return found.fill_null(otherwise).alias(role)

    def _aside(self, frame: pl.DataFrame, which: pl.Series, code: str, text: str) -> list[dict[str, object]]:
        if not which.any():
            return []
        found = frame.filter(which)
        return [
            self.reading.row(code, f"{text} ({found.height})", file=self.file, row=_first(found), rows=found.height)
        ]

    def _valued(
        self, frame: pl.DataFrame, column: int, *, name: str = "value_text"
    ) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """The value of a column: a number as it is stored, or its text with the decimal mark decided."""
        stored = frame[str(column)]
        if stored.dtype.is_numeric():
            wide = stored.cast(pl.String).cast(pl.Float64) if stored.dtype == pl.Float32 else stored.cast(pl.Float64)
            return frame.with_columns(wide.fill_nan(None).alias("number")), []
        frame = frame.with_columns(cleaned(pl.col(str(column))).alias(name))
        absent = mapped(frame[name], lambda text: text.casefold() in self.words.absent, pl.Boolean())
        frame = frame.with_columns(pl.when(~absent.fill_null(value=False)).then(pl.col(name)).alias(name))
        comma = mapped(frame[name], self.decimals.reads_comma, pl.Boolean())
        unclear = frame.filter(pl.col(name).is_not_null() & comma.is_null())
        why = self.decimals.why or "nothing in the file decides"
        rows = [
            self.reading.row(
                "LK508", f"“{text}” can be two numbers ({why})", file=self.file, row=row, rows=1, lost=True
            )
            for row, text in unclear.select("row", name).iter_rows()
        ]
        frame = frame.with_columns(comma.alias("comma")).filter(pl.col(name).is_null() | comma.is_not_null())
        parted = frame.filter(pl.col("comma") & mapped(frame[name], lambda t: mark_of(t) == "dot?", pl.Boolean()))
        if parted.height:
            text = f"points part thousands, for commas are decimal marks here ({parted.height} rows)"
            rows.append(self.reading.row("LK540", text, file=self.file, row=_first(parted)))
        return frame, [self.reading.notices(rows)]

    def _describe(self, frame: pl.DataFrame) -> pl.DataFrame | None:
        """What the rows say of their people: birth date and sex."""
        if not {"born", "sex"} & self.layout.roles.keys():
            return None
        sexes = mapped(frame.select(self._text("sex").alias("sex"))["sex"], self._sex, pl.String())
        index = self.layout.first("born")
        columns: list[pl.Series] = [frame["person"], sexes.alias("sex")]
        if index is not None:
            columns += births(frame[str(index)], self.dates["born"])
        return pl.DataFrame(columns).unique(maintain_order=True)

    def _sex(self, text: str) -> str | None:
        found = self.words.sex.get(key_of(text))
        return found if found in {"female", "male"} else None

    # ---- long --------------------------------------------------------------------------------------------------------

    def _long(self, chunk: pl.DataFrame) -> Frames:
        frame, told_person = self._people_of(chunk)
        people = self._describe(frame)
        frame, told_standing = self._standing(frame)
        frame = self._named(self._shared(frame))
        value = self.layout.first("value")
        frame, told_value = self._valued(frame, value if value is not None else self.layout.roles["value_standard"][0])
        frame, told_time = self._timed(frame)
        judged = self.judge.judge(self._limited(frame), self._meant)
        notices = pl.concat([told_person, told_standing, *told_value, told_time, judged.notices])
        return self.reading.frames(rows=chunk.height, results=judged.results, people=people, notices=notices)

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Code, name and unit of each row as written; `_meant` says what they mean."""
        return frame.with_columns(pl.col(str(i)).cast(pl.String).alias(name) for name, i in self._key_columns().items())

    def _key_columns(self) -> dict[str, int]:
        found = dict(zip(("code", "code2"), self.layout.roles.get("code", ()), strict=False))
        named = {name: self.layout.first(role) for name, role in (("name", "analyte"), ("unit_text", "unit"))}
        return found | {name: index for name, index in named.items() if index is not None}

    def _meant(self, key: Key) -> Key:
        """What a row that is written so says that it is: asked once for each distinct writing."""
        found = dict(key)
        headers = [self.layout.headers[index] for index in self.layout.roles.get("code", ())]
        for (code, system), header in zip((("code", "system"), ("code2", "system2")), headers, strict=False):
            found[system] = system_of(header, found[code]) if found[code] else ""
        local = found["code"] if found["system"].startswith("table:") else ""
        written = found["name"] or local
        unit = found["unit_text"] or self._header_unit or ""
        found["name"], found["unit_text"] = unit_in_name(written, unit)
        found["unit_text"] = unit or found["unit_text"] or self._mapped_unit(found["name"])
        found["name"] = self._mapped_names.get(key_of(found["name"]), found["name"])
        found["specimen"] = found["specimen"] or self.understood.column_map.specimen or ""
        return found

    @property
    def _header_unit(self) -> str | None:
        index = self.layout.first("value")
        tail = "" if index is None else split_header(self.layout.headers[index])[1]
        return tail if tail and unit_like(tail) else None

    @property
    def _mapped_names(self) -> dict[str, str]:
        analytes = self.reading.library.analytes
        return {key_of(text): analytes[ident].label for text, ident in self.understood.column_map.analytes.items()}

    def _mapped_unit(self, name: str) -> str:
        """The unit that the column map gives for a name, or for the analyte that it says the name is."""
        column_map = self.understood.column_map
        if not column_map.units:
            return ""
        units = {key_of(text): unit for text, unit in column_map.units.items()}
        ids = [ident for text, ident in column_map.analytes.items() if key_of(text) == key_of(name)]
        ids = ids or sorted(index_of(self.reading.library).read(name).ids)
        return next((units[key] for key in (key_of(name), *map(key_of, ids)) if key in units), "")

    def _limited(self, frame: pl.DataFrame) -> pl.DataFrame:
        names = (("low_text", "low"), ("high_text", "high"), ("range_text", "range"))
        return frame.with_columns(found.alias(name) for name, role in names if (found := self._role(role)) is not None)

    # ---- wide --------------------------------------------------------------------------------------------------------

    def _wide(self, chunk: pl.DataFrame) -> Frames:
        frame, told_person = self._people_of(chunk)
        people = self._describe(frame)
        frame, told_standing = self._standing(frame)
        frame, told_time = self._timed(self._shared(frame))
        frame = frame.with_columns(
            pl.coalesce(self._text("sample"), pl.lit(f"{self.file}:") + pl.col("row").cast(pl.String)).alias("draw")
        )
        parts, told = [], [told_person, told_standing, told_time]
        rows = 0
        for column in self.layout.results:
            written = cleaned(pl.col(str(column.index)))
            part, told_value = self._valued(frame.filter(written.is_not_null()), column.index)
            rows += frame.select(written.is_not_null().sum()).item()
            told += told_value
            judged = self.judge.judge(self._column(part, column), self._meant_wide)
            parts.append(judged.results)
            told.append(judged.notices)
        results = pl.concat(parts) if parts else None
        # a row that is set aside as a whole counts once; each value of the others by itself
        rows += int(pl.concat([told_person, told_standing])["rows"].sum() or 0)
        return self.reading.frames(rows=rows, results=results, people=people, notices=pl.concat(told))

    def _column(self, frame: pl.DataFrame, column: ResultColumn) -> pl.DataFrame:
        beside = {role: cleaned(pl.col(str(index))) for role, index in column.beside.items()}
        header = column.unit or self.layout.units.get(column.index, "")
        unit = pl.lit(header or self._mapped_unit(column.name) or None, pl.String)
        columns = [(pl.coalesce(beside["unit"], unit) if "unit" in beside else unit).alias("unit_text")]
        names = (("low", "low_text"), ("high", "high_text"), ("range", "range_text"))
        columns += [beside[role].alias(name) for role, name in names if role in beside]
        return frame.with_columns(pl.lit(column.name).alias("name"), *columns)

    def _meant_wide(self, key: Key) -> Key:
        name = self._mapped_names.get(key_of(key["name"]), key["name"])
        return {**key, "name": name, "specimen": key["specimen"] or self.understood.column_map.specimen or ""}

    # ---- medicines, people -------------------------------------------------------------------------------------------

    def _doses(self, chunk: pl.DataFrame) -> Frames:
        frame, told_person = self._people_of(chunk)
        drug = self.layout.roles["drug"][0]
        given = self.layout.headers[drug].upper() == "EXTRT"
        frame = frame.with_columns(
            self._text("drug").alias("name"),
            pl.lit(given).alias("given"),
            pl.lit("completed" if given else "stated").alias("status"),
            self._text("route").alias("route"),
            self._text("regimen").alias("regimen"),
            self._text("cycle").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False).alias("cycle"),
        )
        notices = [told_person]
        for role, name in (("start", "start"), ("stop", "end")):
            index = self.layout.first(role)
            index = self.layout.first("date") if index is None and role == "start" else index
            if index is not None:
                reader = self.dates["date" if index == self.layout.first("date") else role]
                frame, told = with_span(frame, {name: str(index)}, reader, file=self.file, reading=self.reading)
                notices.append(told)
        frame = self._amounts(frame)
        nameless = frame.filter(pl.col("name").is_null())
        if nameless.height:
            text = f"rows of a table of medicines that name no medicine ({nameless.height})"
            notices.append(
                self.reading.say("LK525", text, file=self.file, row=_first(nameless), rows=nameless.height, lost=True)
            )
        frame, told_names = with_medicines(
            frame.filter(pl.col("name").is_not_null()), file=self.file, reading=self.reading
        )
        return self.reading.frames(
            treatments=frame, people=self._describe(frame), notices=pl.concat([*notices, told_names])
        )

    def _amounts(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`amount` and `unit`, asked once for each distinct text; what is not one amount is none."""
        written = frame.with_columns(self._text("dose").alias("dose"))["dose"]
        amount = mapped(written, lambda text: (amount_in(text, self.decimals) or (None,))[0], pl.Float64())
        unit = mapped(written, lambda text: (amount_in(text, self.decimals) or (None, None))[1], pl.String())
        frame = frame.with_columns(amount.alias("amount"), unit.alias("own"))
        return frame.with_columns(
            one_day(frame, pl.col("amount")).alias("amount"),
            pl.coalesce(self._text("dose_unit"), self._text("unit"), "own").alias("unit"),
        )

    def _only_people(self, chunk: pl.DataFrame) -> Frames:
        frame, told_person = self._people_of(chunk)
        return self.reading.frames(people=self._describe(frame), notices=told_person)


def _without(frame: pl.DataFrame, which: pl.Series) -> pl.DataFrame:
    """The other rows; the frame itself where there are none of these."""
    return frame.filter(~which) if which.any() else frame


def _first(frame: pl.DataFrame) -> int:
    return int(frame["row"].min())  # type: ignore[arg-type]
