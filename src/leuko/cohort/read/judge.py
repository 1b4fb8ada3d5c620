"""From results as written, a frame of them, to counts in canonical units: the readers' checks, once a distinct value.

Most rows are plain: a known key and a number inside the band that `keys.plan_of` found. They are converted all at once.
Whatever is not plain (a bound, a decimal comma, a text, an odd size, a doubtful interval) goes to `checks.interpret`,
once for each distinct writing. So one rule decides, for one person and for a million.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, cast

import numpy as np
import polars as pl

from leuko.cohort.read.base import Reading, told, words_of
from leuko.cohort.read.distinct import combined
from leuko.cohort.read.keys import KEYS, Plan, plan_of, raw_of
from leuko.counts.numbers import span_of
from leuko.errors import Notice
from leuko.intake.checks import interpret
from leuko.intake.raw import RawResult
from leuko.intake.size import interval_of
from leuko.record import Bound, Count

EXACT = float(1 << 53)  # every whole number up to here is a float
Key = dict[str, str]
Rewrite = Callable[[Key], Key]
_WRITTEN = ("value_text", "low_text", "high_text", "range_text")
_ANSWERED = ("analyte", "canonical", "low", "high", "digits", "bound")  # what an odd writing is asked for
_MODES = {"other": 0, "refused": 1, "plain": 2, "ask": 3, "nameless": 4}
_PLAIN, _REFUSED, _ASK = 0, 1, 2  # the ways of a row
_MOST_DIGITS = 17
_REMEMBERED = 200_000  # distinct odd writings that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The rows of a raw frame that became results, and the notices of the others; `others` are no blood counts."""

    results: pl.DataFrame
    notices: pl.DataFrame
    others: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one odd writing."""

    kind: str
    analyte: str | None = None
    value: float | None = None
    bound: str | None = None
    low: float | None = None
    high: float | None = None
    digits: int | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(slots=True, kw_only=True)
class Judge:
    """The checks of one reading; it remembers what it was asked before.

    A raw frame holds `person`, `file`, `row`; the columns of `KEYS` as far as the source has them; the value as
    `number` (Float64), as `value_text`, or both (`number` first); `bound` (null: "="), `comma` (decimal commas),
    `low_text`, `high_text`, `range_text`; `taken`, `has_time`, `draw`, `status`, `sequence`.
    """

    reading: Reading
    plans: list[Plan] = field(default_factory=list)
    keys: list[dict[str, str]] = field(default_factory=list)
    _number_of_key: dict[tuple[str, ...], int] = field(default_factory=dict)
    _odd: dict[tuple[Any, ...], Outcome] = field(default_factory=dict)
    _intervals: dict[tuple[Any, ...], tuple[bool, float | None, float | None]] = field(default_factory=dict)

    def judge(self, raw: pl.DataFrame, rewrite: Rewrite | None = None) -> Judged:
        """Sort the rows of a raw frame into results, notices and others.

        `rewrite` turns a key as the source writes it into what it means; asked once for each distinct one.
        """
        if raw.height == 0:
            return Judged(results=self.reading.frame("results"), notices=self.reading.frame("notices"))
        frame = raw.with_columns(self._key(raw, rewrite or _as_written).alias("key"))
        mode = pl.Series("mode", self._table("mode", _MODES)[frame["key"].to_numpy()], dtype=pl.UInt8)
        others = int((mode == 0).sum())
        told_others = self._tell_others(frame.filter(mode == 0)) if others else []
        frame = frame.with_columns(mode)
        frame = frame.filter(pl.col("mode") > 0) if others else frame
        frame, told_nameless = self._without_name(frame)
        frame, told_missing = self._without_value(frame)
        frame = self._named(self._numbers(frame))
        told_refused = self._refused(_of_way(frame, _REFUSED))
        told_beside = self._beside(frame)
        frame, told_odd, more_others = self._ask(frame)
        notices = [*told_others, *told_nameless, *told_missing, told_refused, told_beside, told_odd]
        return Judged(results=self._results(frame), notices=pl.concat(notices), others=others + more_others)

    # ---- keys --------------------------------------------------------------------------------------------------------

    def _key(self, raw: pl.DataFrame, rewrite: Rewrite) -> pl.Series:
        """The number of each row's key; a key that is new gets its plan."""
        present = [name for name in KEYS if name in raw.columns]
        if not present:
            return pl.Series([self.number(rewrite(dict.fromkeys(KEYS, "")))] * raw.height, dtype=pl.UInt32)
        rows, places = combined({name: raw[name] for name in present})
        numbers = np.array([self.number(rewrite({**dict.fromkeys(KEYS, ""), **row})) for row in rows], dtype=np.uint32)
        return pl.Series("key", numbers[places])

    def number(self, key: Key) -> int:
        """The place of a key and its plan in `keys` and `plans`."""
        ident = tuple(key[name] for name in KEYS)
        if ident not in self._number_of_key:
            nameless = not (key["code"] or key["code2"] or key["name"])
            plan = None if nameless else plan_of(key, library=self.reading.library, options=self.reading.options)
            self._number_of_key[ident] = len(self.plans)
            self.plans.append(plan or Plan(mode="nameless"))
            self.keys.append(key)
        return self._number_of_key[ident]

    def _table(self, what: str, numbers: Mapping[str, int] | None = None) -> np.ndarray[Any, Any]:
        values = [getattr(plan, what) for plan in self.plans]
        return np.array([numbers[value] for value in values] if numbers else values)

    def _label(self, number: int) -> str:
        key = self.keys[number]
        return key["name"] or key["code2"] or key["code"] or "nameless"

    # ---- numbers -----------------------------------------------------------------------------------------------------

    def _without_name(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Rows that do not say what was measured are set aside, one by one: each could be a count."""
        if not (frame["mode"] == _MODES["nameless"]).any():
            return frame, []
        lost = frame.filter(pl.col("mode") == _MODES["nameless"])
        text = "the row does not say what was measured"
        rows = [
            {**self.reading.row("LK514", text, file=file, row=row, rows=1, lost=True), "person": person}
            for person, file, row in lost.select("person", "file", "row").iter_rows()
        ]
        return frame.filter(pl.col("mode") != _MODES["nameless"]), [self.reading.notices(rows)]

    def _without_value(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
        """Rows that hold no value are set aside; one notice a key and file says how many."""
        parts = [pl.col("number").is_null()] if "number" in frame.columns else []
        if "value_text" in frame.columns:
            parts.append(pl.col("value_text").fill_null("").str.strip_chars() == "")
        if not parts:
            parts = [pl.col("key").is_not_null()]
        empty = frame.select(pl.all_horizontal(parts).alias("empty"))["empty"]
        if not empty.any():
            return frame, []
        missing = frame.filter(empty)
        rows = [
            self.reading.row("LK215", f"{self._label(key)}: no value is given", file=file, row=first, rows=count)
            for key, file, count, first in _by_key(missing)
        ]
        return frame.filter(~empty), [self.reading.notices(rows)]

    def _tell_others(self, frame: pl.DataFrame) -> list[pl.DataFrame]:
        by_file: dict[str, list[tuple[int, int, int]]] = {}
        for key, file, count, first in _by_key(frame):
            by_file.setdefault(file, []).append((count, key, first))
        rows = []
        for file, found in by_file.items():
            named = ", ".join(f"{self._label(key)} ({count})" for count, key, _ in sorted(found, reverse=True)[:5])
            more = f" and {len(found) - 5} more kinds" if len(found) > 5 else ""
            first, total = min(row for *_, row in found), sum(count for count, *_ in found)
            rows.append(self.reading.row("LK700", f"no blood counts: {named}{more}", file=file, row=first, rows=total))
        return [self.reading.notices(rows)]

    def _numbers(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add `canonical` (the exact count, where it is plain), the believed limits, and the `way` of each row."""
        keys = frame["key"].to_numpy()
        over, under = self._table("over")[keys].astype(float), self._table("under")[keys].astype(float)
        least, most = self._table("least")[keys], self._table("most")[keys]
        number = _as_numbers(frame)
        with np.errstate(invalid="ignore", over="ignore"):
            whole = (number == np.floor(number)) & (np.abs(number) * over < EXACT)
            same = (over == 1.0) & (under == 1.0)
            canonical = np.where(same, number, np.where(whole, number * over / under, np.nan))
            inside = (canonical == 0.0) | ((canonical > least) & (canonical < most))
        limits, sound = self._limits(frame)
        equal = (frame["bound"].fill_null("=") == "=").to_numpy() if "bound" in frame.columns else True
        mode = frame["mode"].to_numpy()
        plain = np.isfinite(number) & equal
        way = np.where(
            (mode == _MODES["refused"]) & plain,
            _REFUSED,
            np.where((mode == _MODES["plain"]) & plain & inside & sound, _PLAIN, _ASK),
        )
        ways = pl.Series("way", way.astype(np.uint8))
        return frame.with_columns(pl.Series("canonical", canonical), ways, self._digits(frame, same), *limits)

    def _named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add `analyte`, `bound` and `status`, where the source has none."""
        kinds = words_of(self.reading.library)
        names = pl.Series([plan.analyte or None for plan in self.plans], dtype=kinds["analyte"])
        told = pl.col("bound").fill_null("=") if "bound" in frame.columns else pl.lit("=")
        bound = told.cast(kinds["bound"]).alias("bound")
        status = [] if "status" in frame.columns else [pl.lit("final").alias("status")]
        return frame.with_columns(names.gather(frame["key"]).alias("analyte"), bound, *status)

    def _digits(self, frame: pl.DataFrame, same: np.ndarray[Any, Any]) -> pl.Series:
        """The decimals that a plain number was printed with, in the canonical unit; null where the value shows them."""
        shift = np.array([_tens(plan.under, plan.over) for plan in self.plans])[frame["key"].to_numpy()]
        if "value_text" not in frame.columns:
            return pl.Series("digits", np.where(same, -1, shift), dtype=pl.Int64).replace(-1, None)
        text = pl.col("value_text").str.strip_chars()
        point = text.str.find(".", literal=True)
        decimals = pl.when(point.is_null()).then(0).otherwise(text.str.len_bytes() - point - 1).cast(pl.Int64)
        plain = text.is_not_null() & ~text.str.contains_any(["e", "E"])
        found = frame.with_columns(pl.Series("shift", shift, dtype=pl.Int64)).select(
            pl.when(plain & (pl.col("shift") >= 0))
            .then(decimals + pl.col("shift"))
            .when(text.is_null() & (pl.col("shift") > 0))
            .then(pl.col("shift"))
            .alias("digits")
        )
        return found["digits"]

    def _limits(self, frame: pl.DataFrame) -> tuple[list[pl.Series], Any]:
        """The printed limits in canonical units, and where they need no look: decided once for each distinct pair."""
        columns = [name for name in ("low_text", "high_text", "range_text", "comma") if name in frame.columns]
        empty = pl.Series([None], dtype=pl.Float64).new_from_index(0, frame.height)
        if not any(frame[name].is_not_null().any() for name in columns if name != "comma"):
            return [empty.alias("low"), empty.alias("high")], True
        distinct = frame.select("key", *columns).unique(maintain_order=True)
        read = [self._interval(row) for row in distinct.iter_rows(named=True)]
        found = distinct.with_columns(
            pl.Series("sound", [entry[0] for entry in read], dtype=pl.Boolean),
            pl.Series("low", [entry[1] for entry in read], dtype=pl.Float64),
            pl.Series("high", [entry[2] for entry in read], dtype=pl.Float64),
        )
        placed = frame.select("key", *columns).join(
            found, on=["key", *columns], how="left", nulls_equal=True, maintain_order="left"
        )
        return [placed["low"], placed["high"]], placed["sound"].to_numpy()

    def _interval(self, row: dict[str, Any]) -> tuple[bool, float | None, float | None]:
        ident = tuple(row.get(name) for name in ("key", "low_text", "high_text", "range_text", "comma"))
        if ident not in self._intervals:
            self._intervals[ident] = self._read_interval(row)
        return self._intervals[ident]

    def _read_interval(self, row: dict[str, Any]) -> tuple[bool, float | None, float | None]:
        choice = self.plans[row["key"]].choice
        if choice is None:
            return True, None, None
        interval = interval_of(self._raw(row), choice)
        if interval.low is None and interval.high is None:
            return not interval.findings, None, None
        return interval.believed and not interval.findings, interval.low, interval.high

    def _raw(self, row: Mapping[str, Any]) -> RawResult:
        """The raw result of one distinct writing."""
        number = row.get("number")
        text = row.get("value_text") if number is None else _plain_text(number)
        return replace(
            raw_of(self.keys[row["key"]], value=text),
            bound=cast("Bound", row.get("bound") or "="),
            decimal_comma=bool(row.get("comma")) and number is None,
            low_text=row.get("low_text") or None,
            high_text=row.get("high_text") or None,
            interval_text=row.get("range_text") or "",
        )

    # ---- what is not plain -------------------------------------------------------------------------------------------

    def _ask(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        """The frame with the answers for its odd rows, the notices of these, and how many of them are no counts."""
        odd = _of_way(frame, _ASK)
        if odd.height == 0:
            return frame, self.reading.frame("notices"), 0
        columns = [name for name in ("key", "number", "bound", "comma", *_WRITTEN) if name in odd.columns]
        distinct = odd.select(columns).unique(maintain_order=True).with_row_index("asked")
        outcomes = [self.outcome(row) for row in distinct.drop("asked").iter_rows(named=True)]
        placed = odd.drop(*_ANSWERED[:-1]).join(
            distinct.with_columns(_outcome_columns(outcomes)),
            on=columns, how="left", nulls_equal=True, maintain_order="left",
        )  # fmt: skip
        others = placed.filter(pl.col("kind") == "other")
        notices = [self._notices_of(placed, outcomes), *(self._tell_others(others) if others.height else [])]
        return _answered(frame, placed), pl.concat(notices), others.height

    def outcome(self, row: dict[str, Any]) -> Outcome:
        """What becomes of one writing: `key`, `number`, `bound`, and whatever else is written."""
        ident = tuple(row.items())
        found = self._odd.get(ident)
        if found is None:
            found = self._decide(row)
            if len(self._odd) < _REMEMBERED:
                self._odd[ident] = found
        return found

    def _decide(self, row: dict[str, Any]) -> Outcome:
        answer = interpret(self._raw(row), library=self.reading.library, options=self.reading.options)
        count = answer.count
        if count is None:
            return Outcome(kind=answer.kind, notices=answer.notices)
        return Outcome(
            kind="count", analyte=count.analyte, value=count.value, bound=count.bound,
            low=count.lab_low, high=count.lab_high, digits=printed(count), notices=answer.notices,
        )  # fmt: skip

    def _notices_of(self, placed: pl.DataFrame, outcomes: list[Outcome]) -> pl.DataFrame:
        """The notices of odd writings, at every row that has them; the last of a refused row sets it aside."""
        rows = []
        for asked, outcome in enumerate(outcomes):
            for index, notice in enumerate(outcome.notices):
                last = outcome.kind == "refused" and index == len(outcome.notices) - 1
                rows.append({**told(notice), "asked": asked, "rows": int(last)})
        if not rows:
            return self.reading.frame("notices")
        kinds = {**self.reading.schema("notices"), "asked": pl.UInt32()}
        catalogue = pl.DataFrame(rows, schema=kinds).drop("person", "file", "row")
        found = placed.select("person", "file", "row", "asked").join(catalogue, on="asked", maintain_order="left")
        return self.reading.frame("notices", found)

    # ---- rows of the frames ------------------------------------------------------------------------------------------

    def _results(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows that became results, in the columns of results."""
        found = self.reading.frame("results", frame.with_columns(frame["canonical"].alias("value")))
        plain = frame["way"] == _PLAIN
        return found if plain.all() else found.filter(plain)

    def _refused(self, frame: pl.DataFrame) -> pl.DataFrame:
        if frame.height == 0:
            return self.reading.frame("notices")
        rows = []
        for number in frame["key"].unique().sort():
            notices = self.plans[number].notices
            for index, notice in enumerate(notices):
                rows.append({**told(notice), "key": number, "rows": int(index == len(notices) - 1)})
        kinds = {**self.reading.schema("notices"), "key": pl.UInt32()}
        catalogue = pl.DataFrame(rows, schema=kinds).drop("person", "file", "row")
        found = frame.select("person", "file", "row", "key").join(catalogue, on="key", maintain_order="left")
        return self.reading.frame("notices", found)

    def _beside(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What goes with every value of a key ("read by its label"): said once a file, with the number of rows."""
        told_keys = [number for number, plan in enumerate(self.plans) if plan.mode == "plain" and plan.notices]
        if not told_keys:
            return self.reading.frame("notices")
        rows = []
        plain = frame.filter((pl.col("way") == _PLAIN) & pl.col("key").is_in(told_keys))
        for key, file, count, first in _by_key(plain):
            for notice in self.plans[key].notices:
                line = told(notice)
                rows.append({**line, "text": f"{line['text']} ({_rows(count)})", "file": file, "row": first})
        return self.reading.notices(rows)


def _of_way(frame: pl.DataFrame, way: int) -> pl.DataFrame:
    which = frame["way"] == way
    return frame.filter(which) if which.any() else frame.clear()


def _answered(frame: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """The frame with the answers of its odd rows in their places; what is a count is plain from now on."""
    at = (frame["way"] == _ASK).arg_true()
    ways = pl.Series(np.where(placed["kind"] == "count", _PLAIN, _ASK).astype(np.uint8))
    found = placed.select(
        pl.col("found_bound" if name == "bound" else name).alias(name).cast(frame.schema[name]) for name in _ANSWERED
    ).with_columns(ways.alias("way"))
    new = [name for name in found.columns if not found[name].equals(frame[name].gather(at), null_equal=True)]
    return frame.with_columns(frame[name].clone().scatter(at, found[name]) for name in new)


def _as_written(key: Key) -> Key:
    return key


def _by_key(frame: pl.DataFrame) -> list[tuple[int, str, int, int]]:
    """Key, file, number of rows and first row."""
    found = frame.group_by("key", "file").agg(pl.len().alias("count"), pl.col("row").min()).sort("file", "key")
    return found.rows()


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _as_numbers(frame: pl.DataFrame) -> np.ndarray[Any, Any]:
    """Each row's number as written, NaN where it is no plain one."""
    parts = [pl.col("number")] if "number" in frame.columns else []
    if "value_text" in frame.columns:
        text = pl.col("value_text").str.strip_chars()
        plain = text.str.len_bytes() <= _MOST_DIGITS
        if "comma" in frame.columns:  # a point could part thousands there
            plain = plain & ~(pl.col("comma").fill_null(value=False) & text.str.contains(".", literal=True))
        parts.append(pl.when(plain).then(text).cast(pl.Float64, strict=False))
    return frame.select(pl.coalesce(parts).fill_null(float("nan")).alias("number"))["number"].to_numpy()


def decimals_of(plan: Plan) -> int | None:
    """The decimals that a number was printed with at least, in the canonical unit; None where the value shows them."""
    shift = _tens(plan.under, plan.over)
    return None if shift < 0 or plan.over == plan.under == 1 else shift


def _tens(under: int, over: int) -> int:
    """The power of ten that a factor divides by; -1 where it is none."""
    power = len(str(under)) - 1
    return power if over == 1 and under == 10**power else -1


def printed(count: Count) -> int | None:
    """The decimals of a count as printed, in the canonical unit; None where its last digit is no decimal of it."""
    span = span_of(count)
    if span.most is None:
        return None
    step = (span.most - Fraction(repr(count.value))) * 2
    decimals = len(str(step.denominator)) - 1 if step else -1
    return decimals if step.numerator == 1 and step.denominator == 10**decimals else None


def _plain_text(number: float) -> str:
    """A stored number as its own shortest text."""
    return str(int(number)) if number.is_integer() and abs(number) < EXACT else repr(number)


def _outcome_columns(outcomes: list[Outcome]) -> list[pl.Series]:
    return [
        pl.Series("kind", [o.kind for o in outcomes], dtype=pl.String),
        pl.Series("analyte", [o.analyte for o in outcomes], dtype=pl.String),
        pl.Series("canonical", [o.value for o in outcomes], dtype=pl.Float64),
        pl.Series("found_bound", [o.bound for o in outcomes], dtype=pl.String),
        pl.Series("low", [o.low for o in outcomes], dtype=pl.Float64),
        pl.Series("high", [o.high for o in outcomes], dtype=pl.Float64),
        pl.Series("digits", [o.digits for o in outcomes], dtype=pl.Int64),
    ]
