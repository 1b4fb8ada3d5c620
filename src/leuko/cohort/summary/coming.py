"""What was told of each person with `--with forecast`: chances to fall, days to recovery, and what was withheld."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from leuko.cohort.summary.base import Cell, Figure, Section, Table, Tables, moment, share, spread
from leuko.cohort.summary.figures import steps
from leuko.cohort.summary.words import reasons
from leuko.wording import say_chance

_METHODS: Final = {"marrow": "a model of a medicine", "state_space": "how the counts move alone"}
_ENDS: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # for reading; no conclusion rests on them
_BARS: Final = 12
_NUMBERS: Final = ("cut", "median", "probability", "never", "not_needed", "khat")
_COLUMNS: Final = ("person", "said", "analyte", "method", "quantity", "text", "models", "gaps")


def coming(tables: Tables) -> Section | None:
    """How the forecasts of all lie; nothing where none was asked for."""
    if not tables.has("forecast"):
        return None
    rows = (
        tables.open("forecast")
        .select(*_COLUMNS, *(pl.col(name).cast(pl.Float64) for name in _NUMBERS))
        .filter(pl.col("quantity").is_null() | pl.col("quantity").is_in(["forecast", "below", "recovery_day"]))
        .collect()
    )
    below, recovery = (rows.filter(pl.col("quantity") == name) for name in ("below", "recovery_day"))
    made = [_who(tables, rows), *_chances(tables, below), *_recoveries(tables, recovery), *_models(rows)]
    withheld = rows.filter(~pl.col("said")).select(
        "person", text=pl.coalesce("gaps", "text").str.replace_all(_SETTLE, "")
    )
    made += reasons(tables, withheld, title="Why there is no forecast")
    return Section(
        id="forecast",
        title="What is coming",
        note=_note(tables, made=bool(rows["said"].any())),
        tables=tuple(made),
        figures=(*_falls(tables, below), *_returns(tables, recovery)),
    )


_SETTLE: Final = r" \(to settle it: [^)]*\)"


def _note(tables: Tables, *, made: bool) -> str:
    told = f"What leuko assess says is coming for each person, {moment(tables)}, as if nothing further were given."
    if not made:
        return told
    return (
        f"{told} Numbers are of the people with a forecast alone, and each forecast is a distribution: means of chances"
        " say how many are expected to fall, medians of medians say nothing of how sure a forecast is."
    )


def _who(tables: Tables, rows: pl.DataFrame) -> Table:
    """Of whom there is a forecast."""
    told = rows.filter(pl.col("quantity").eq_missing("forecast"))
    made = told.filter("said").select("person").unique()
    held = told.filter(~pl.col("said")).select("person").unique().join(made, on="person", how="anti")
    who = tables.people.select(
        "person",
        made=pl.col("person").is_in(made["person"].to_list()),
        held=pl.col("person").is_in(held["person"].to_list()),
        **{
            method: pl.col("person").is_in(told.filter("said", method=method)["person"].unique().to_list())
            for method in _METHODS
        },
    )
    parts = [part for _, part in tables.by_arm(who)]

    def row(name: str, asked: pl.Expr) -> tuple[Cell, ...]:
        return (name, *(share(part.filter(asked).height, part.height) for part in parts))

    shown: list[tuple[Cell, ...]] = [
        ("people", *(f"{part.height:,}" for part in parts)),
        row("with a forecast", pl.col("made")),
        *(row(f"… by {name}", pl.col(method)) for method, name in _METHODS.items()),
        row("withheld: one was due, and cannot be made", pl.col("held")),
        row("nothing to foretell, or no count", ~pl.col("made") & ~pl.col("held")),
    ]
    return Table(title="Who has a forecast", columns=("", *tables.groups), rows=tuple(shown))


def _chances(tables: Tables, below: pl.DataFrame) -> list[Table]:
    """How the chances to fall below each cut lie: a table each line and way to forecast."""
    first, last = f"under {100 * _ENDS[1]:.0f} %", f"{100 * _ENDS[-2]:.0f} % up"
    between = [f"{100 * low:.0f} to {100 * high:.0f} %" for low, high in _pairs(_ENDS)[1:-1]]
    columns = ("below [10*9/L]", "arm", "people", "mean", "median (quartiles) [%]", first, *between, last)
    note = (
        "The probability to fall below in the present cycle from its start on, what was counted in it included; without"
        " a medicine that acts on the marrow, within the horizon of the forecast. The last columns count people."
    )
    made = []
    for title, part in _split(tables, below.drop_nulls("probability")):
        rows: list[tuple[Cell, ...]] = []
        for (cut,), at in part.group_by("cut", maintain_order=True):
            for arm, own in tables.by_arm(at):
                chances = own["probability"]
                if len(chances):
                    numbers = [f"{number:,}" for number in _binned(chances, _ENDS)]
                    rows.append((f"{cut:g}", arm, len(chances), _average(chances), spread(chances * 100, 0), *numbers))
        made.append(Table(title=f"Chance to fall below: {title}", columns=columns, rows=tuple(rows), note=note))
    return made


def _recoveries(tables: Tables, recovery: pl.DataFrame) -> list[Table]:
    """The days on which counts are expected back: a table each line and way to forecast."""
    columns = (
        "back at [10*9/L]", "arm", "people", "with a median day", "median of the median days (quartiles)",
        "need not: no fall so low (mean chance)", "not within the horizon (mean chance)",
    )  # fmt: skip
    note = (
        "Days count from the last dose of the cycle (a model of a medicine), else from the last count or from the day"
        " on which the cause ended. There is a median day where a fall so low and a return are likely enough."
    )
    made = []
    for title, part in _split(tables, recovery):
        rows: list[tuple[Cell, ...]] = []
        for (cut,), at in part.group_by("cut", maintain_order=True):
            for arm, own in tables.by_arm(at):
                if own.height:
                    days = own["median"].drop_nulls()
                    means = (_average(own[name]) for name in ("not_needed", "never"))
                    rows.append((f"{cut:g}", arm, own.height, len(days), spread(days), *means))
        made.append(Table(title=f"Day of recovery: {title}", columns=columns, rows=tuple(rows), note=note))
    return made


def _models(rows: pl.DataFrame) -> list[Table]:
    """The model that carries most of each forecast, and whether people lie in its domain."""
    held = rows.filter(pl.col("said") & (pl.col("quantity") == "forecast") & pl.col("models").is_not_null())
    first = held.select(
        model=pl.col("models").str.extract(r"^(\S+) \("), domain=pl.col("models").str.extract(r"^\S+ \([\d.]+, (\w+)\)")
    ).drop_nulls()
    told = first.group_by("model").agg(
        pl.len(), *((pl.col("domain") == domain).sum().alias(domain) for domain in ("inside", "soft", "outside"))
    )
    ordered = told.sort("len", "model", descending=[True, False])
    columns = ("model of the most weight", "forecasts", "inside its domain", "at its edge", "outside")
    note = "leuko knowledge show model NAME says on whom it was fitted."
    made = Table(title="Models", columns=columns, rows=tuple(ordered.iter_rows()), note=note)
    return [made] if made.rows else []


def _split(tables: Tables, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """The rows of each line and way to forecast, by cut, with their title."""
    return [
        (f"{tables.label(str(analyte)).lower()}, by {_METHODS.get(str(method), str(method))}", part)
        for (analyte, method), part in rows.sort("analyte", "method", "cut").group_by(
            ["analyte", "method"], maintain_order=True
        )
    ]


def _average(values: pl.Series) -> str:
    known = values.drop_nulls()
    return say_chance(float(known.sum()) / len(known)) if len(known) else "–"


def _pairs(ends: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(ends))


def _binned(values: pl.Series, ends: Sequence[float]) -> list[int]:
    """How many values lie from each end to below the next; the last takes its end in."""
    last = ends[-1]
    return [
        int(((values >= low) & ((values < high) | ((values == last) if high == last else False))).sum())
        for low, high in _pairs(ends)
    ]


# Figures


def _falls(tables: Tables, below: pl.DataFrame) -> list[Figure]:
    """Chances of severe neutropenia, in tenths: a figure each way to forecast."""
    ends = [at / 10 for at in range(11)]
    made = []
    for by, own in _severe(tables, below):
        text = f"People by the chance of neutrophils below {tables.severe:g} ×10⁹/L, by {by}{tables.each_arm}."
        title = f"Chance to fall below {tables.severe:g}, by {by}"
        made += _drawn(tables, own, "probability", ends, title=title, text=text, x_title="chance", axis="%")
    return made


def _returns(tables: Tables, recovery: pl.DataFrame) -> list[Figure]:
    """Median days of recovery from severe neutropenia: a figure each way to forecast, as days begin differently."""
    made = []
    for by, own in _severe(tables, recovery):
        most = own["median"].max()
        if not isinstance(most, float):
            continue
        wide = max(1, math.ceil(most / _BARS))
        ends = [float(wide * at) for at in range(math.floor(most / wide) + 2)]
        text = f"People by the median day of neutrophils back at {tables.severe:g} ×10⁹/L, by {by}{tables.each_arm}."
        title = f"Day of recovery to {tables.severe:g}, by {by}"
        made += _drawn(tables, own, "median", ends, title=title, text=text, x_title="day", axis="d")
    return made


def _severe(tables: Tables, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """What is told of neutrophils at the limit of severe neutropenia, by each way to forecast."""
    own = rows.filter((pl.col("analyte") == tables.report.analytes[0]) & (pl.col("cut") == tables.severe))
    return [(by, own.filter(method=method)) for method, by in _METHODS.items()]


def _drawn(
    tables: Tables,
    own: pl.DataFrame,
    name: str,
    ends: Sequence[float],
    *,
    title: str,
    text: str,
    x_title: str,
    axis: str,
) -> list[Figure]:
    values = [
        {"facet": arm, "from": low, "to": high, "number": number}
        for arm, part in tables.by_arm(own)
        for (low, high), number in zip(_pairs(ends), _binned(part[name].drop_nulls(), ends), strict=True)
    ]
    if not any(row["number"] for row in values):
        return []
    spec = steps(values, text, x_title=x_title, y_title="people", axis=axis)
    return [Figure(title=title, text=text, spec=spec)]
