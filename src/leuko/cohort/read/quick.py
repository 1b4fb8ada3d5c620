"""The plain rows of a table of typed columns, settled all at once; the others go the way of every table.

A row is plain where its person and its time are told, its number lies inside the band of a plan that says nothing
besides (`keys.Plan`), and its status is one that stands. Nothing about such a row depends on another row and no notice
goes with it, so that taking it out of the way of the others changes nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from math import isfinite
from typing import Any, Final

import numpy as np
import polars as pl

from leuko.cohort.read.base import NAMES, Frames, Reading, told, words_of
from leuko.cohort.read.distinct import MICROSECONDS, combined, moments
from leuko.cohort.read.judge import Judge, Key, Outcome, decimals_of
from leuko.cohort.read.keys import KEYS, Plan
from leuko.cohort.read.opened import ROW
from leuko.cohort.tables import STATUSES
from leuko.intake.table.dates import DateReader
from leuko.intake.table.layout import Layout

# the roles of columns that make a row more than a test, a unit, a number, a time and a status
_TELLING: Final = frozenset({
    "patient_name", "born", "sex", "sample", "specimen", "method", "issued", "comparator", "derived", "time",
    "low", "high", "range",
})  # fmt: skip
_ASKED: Final = ("person", "analyte", "value", "bound", "taken", "has_time", "status", "digits")
_MOST_KINDS: Final = 100_000
_MOST_ASKED: Final = 2_000  # rows that are looked at one by one
_BOOLEAN, _REAL, _TEXT, _WHOLE = pl.Boolean(), pl.Float64(), pl.String(), pl.Int64()


def plain_columns(layout: Layout) -> dict[str, str] | None:
    """The columns that plain rows need besides their keys, by roles; None where others may say more of a row."""
    found = layout.columns
    if layout.kind != "long" or _TELLING & layout.roles.keys() or {"patient", "value", "date"} - found.keys():
        return None
    return {role: str(found[role]) for role in ("patient", "value", "date", "status") if role in found}


Kind = tuple[int, Plan, str]
"""What is written in a row: the number of its key, the plan of that key, the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plainly:
    """Which columns of a table plain rows need: `columns` by their roles, `keys` by their names in `KEYS`.

    `meant` and `standing` say what a key and a status as written are, `others` answers for rows that are not plain.
    """

    columns: Mapping[str, str]
    keys: Mapping[str, str]
    file: str
    dates: DateReader
    judge: Judge
    meant: Callable[[Key], Key]
    standing: Callable[[str], str]
    others: Callable[[pl.DataFrame], Frames]

    def read(self, chunk: pl.DataFrame) -> Frames | None:
        """The rows of a chunk; None where its columns are not of the types that this is for."""
        if not self._fits(chunk) or find_spec("numba") is None:
            return None
        status = {"status": self.columns["status"]} if "status" in self.columns else {}
        written, kind = combined({name: chunk[column] for name, column in {**self.keys, **status}.items()})
        if len(written) > _MOST_KINDS:
            return None
        kind = kind.astype(np.uint32, copy=False)
        kinds = [self._kind(row) for row in written]
        taken = moments(chunk[self.columns["date"]], None, self.dates)["taken"]
        value, odd = self._values(chunk, taken, kinds, kind)
        columns = self._columns(chunk, taken, value, kinds, kind)
        if not odd.any():
            return self._frames(chunk.height, self._results(columns))
        return self._asked(chunk, columns, odd, kinds, kind) or self._with_others(chunk, columns, odd)

    def _fits(self, chunk: pl.DataFrame) -> bool:
        kinds = {role: chunk[column].dtype for role, column in self.columns.items()}
        texts = [kinds.get("status", pl.String), *(chunk[column].dtype for column in self.keys.values())]
        return (
            isinstance(kinds["date"], pl.Datetime)
            and (kinds["value"].is_integer() or kinds["value"] == pl.Float64)
            and all(text == pl.String for text in texts)
            and self._named(chunk[self.columns["patient"]])
        )

    def _named(self, people: pl.Series) -> bool:
        """Whether people are named as they are used: by whole numbers, or by texts without spaces around them."""
        if self.reading.person == pl.Int64 or people.dtype != pl.String:
            return self.reading.person == pl.Int64 and people.dtype.is_integer()
        distinct = people.rle().struct.field("value")
        return not people.null_count() and bool(((distinct.str.strip_chars() == distinct) & (distinct != "")).all())

    @property
    def reading(self) -> Reading:
        """The reading that the table is part of."""
        return self.judge.reading

    def _kind(self, written: Key) -> Kind:
        key = {**dict.fromkeys(KEYS, ""), **{name: text for name, text in written.items() if name != "status"}}
        number = self.judge.number(self.meant(key))
        return number, self.judge.plans[number], self.standing(written["status"]) if written.get("status") else "final"

    def _values(self, chunk: pl.DataFrame, taken: pl.Series, kinds: Sequence[Kind], kind: Any) -> tuple[Any, Any]:
        """The values in canonical units, and which rows are not plain."""
        from leuko.cohort.kernel.plain import Ways, converted  # noqa: PLC0415 (compiles when it loads)

        plans = [plan for _, plan, _ in kinds]
        able = [plan.mode == "plain" and not plan.notices and status in STATUSES for _, plan, status in kinds]
        ways = Ways(
            able=np.array(able, dtype=np.bool_),
            over=np.array([plan.over for plan in plans], dtype=np.float64),
            under=np.array([plan.under for plan in plans], dtype=np.float64),
            least=np.array([plan.least for plan in plans], dtype=np.float64),
            most=np.array([plan.most for plan in plans], dtype=np.float64),
        )
        number = np.array(chunk[self.columns["value"]].cast(pl.Float64).fill_null(np.nan), dtype=np.float64)
        value, odd = np.empty(len(number), np.float64), np.empty(len(number), np.bool_)
        converted(ways, kind, number, value, odd)
        for column in (taken, chunk[self.columns["patient"]]):
            if column.null_count():
                odd |= column.is_null().to_numpy()
        return value, odd

    def _columns(
        self, chunk: pl.DataFrame, taken: pl.Series, value: Any, kinds: Sequence[Kind], kind: Any
    ) -> dict[str, pl.Series]:
        rows, places, words = chunk.height, pl.Series(kind), words_of(self.reading.library)
        analytes = tuple(plan.analyte or None for _, plan, _ in kinds)
        statuses = tuple(status if status in STATUSES else None for *_, status in kinds)
        digits = tuple(decimals_of(plan) for _, plan, _ in kinds)
        return {
            "person": chunk[self.columns["patient"]].cast(self.reading.person),
            "analyte": _series(analytes, words["analyte"]).gather(places),
            "value": pl.Series(value),
            "bound": _series(("=",), words["bound"]).new_from_index(0, rows),
            "taken": taken.cast(MICROSECONDS),
            "has_time": _series((True,), _BOOLEAN).new_from_index(0, rows),
            "low": _series((None,), _REAL).new_from_index(0, rows),
            "high": _series((None,), _REAL).new_from_index(0, rows),
            "draw": _series((None,), _TEXT).new_from_index(0, rows),
            "status": _placed(_series(statuses, words["status"]), places),
            "sequence": _series((None,), _WHOLE).new_from_index(0, rows),
            "digits": _placed(_series(digits, _WHOLE), places),
            "file": _series((self.file,), _TEXT).new_from_index(0, rows),
            "row": chunk[ROW],
        }

    def _results(self, columns: Mapping[str, pl.Series]) -> pl.DataFrame:
        return pl.DataFrame([column.alias(name) for name, column in columns.items()])

    def _asked(
        self, chunk: pl.DataFrame, columns: dict[str, pl.Series], odd: Any, kinds: Sequence[Kind], kind: Any
    ) -> Frames | None:
        """The plain rows with numbers outside of their bands, each looked at; None where rows are odd otherwise."""
        at = np.flatnonzero(odd)
        if len(at) > _MOST_ASKED:
            return None
        written = chunk[self.columns["value"]].gather(at).cast(pl.Float64).to_list()
        people, rows = columns["person"].gather(at).to_list(), columns["row"].gather(at).to_list()
        known: dict[tuple[int, float], Outcome] = {}
        found, notices = [], []
        for which, number, person, row in zip(kind[at].tolist(), written, people, rows, strict=True):
            outcome = known.get((which, number))
            if outcome is None:
                key, plan, status = kinds[which]
                if plan.mode != "plain" or plan.notices or status not in STATUSES:
                    return None
                if number is None or not isfinite(number):
                    return None
                outcome = known[which, number] = self.judge.outcome({"key": key, "number": number, "bound": "="})
                if outcome.kind not in {"count", "refused"} or not outcome.low is outcome.high is None:
                    return None
            found.append(outcome)
            for nth, notice in enumerate(outcome.notices):
                last = outcome.kind == "refused" and nth == len(outcome.notices) - 1
                notices.append({**told(notice, row=row, rows=int(last)), "person": person, "file": self.file})
        if any(columns[name].gather(at).null_count() for name in ("person", "taken")):
            return None
        for name, values in (
            ("analyte", [one.analyte for one in found]),
            ("value", [one.value for one in found]),
            ("bound", [one.bound for one in found]),
            ("digits", [one.digits for one in found]),
        ):
            column = columns[name]
            columns[name] = column.clone().scatter(at, pl.Series(values, dtype=column.dtype))
        odd[at] = [one.kind == "refused" for one in found]
        results = self._results(columns)
        kept = results.filter(pl.Series(~odd)) if odd.any() else results
        return self._frames(chunk.height, kept, notices=self.reading.notices(notices))

    def _with_others(self, chunk: pl.DataFrame, columns: dict[str, pl.Series], odd: Any) -> Frames:
        """The plain rows with what became of the others, in their places."""
        asked = self.others(chunk.filter(pl.Series(odd)))
        rows = asked.results["row"].to_numpy()
        at = np.searchsorted(chunk[ROW].to_numpy(), rows)
        for name in _ASKED if len(at) else ():
            columns[name] = columns[name].clone().scatter(at, asked.results[name])
        odd[at] = False
        results = self._results(columns)
        kept = results.filter(pl.Series(~odd)) if odd.any() else results
        return self._frames(chunk.height, kept, notices=asked.notices)

    def _frames(self, rows: int, results: pl.DataFrame, **others: pl.DataFrame) -> Frames:
        return Frames(rows=rows, results=results, **{
            name: others.get(name, self.reading.frame(name)) for name in NAMES if name != "results"
        })  # fmt: skip


@lru_cache(maxsize=256)
def _series(values: tuple[Any, ...], kind: pl.DataType) -> pl.Series:
    """A few values as a series: enumerations take long to make."""
    return pl.Series(values, dtype=kind)


def _placed(values: pl.Series, places: pl.Series) -> pl.Series:
    """The value of each place; all alike need not be looked up."""
    if values.null_count() == len(values) or values.n_unique() == 1:
        return values.new_from_index(0, len(places))
    return values.gather(places)
