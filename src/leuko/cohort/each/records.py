"""The frames of a batch as the record of each person, for the flow of one person.

Entries are in an order of their own (by what they say), and named by their place in it: the same person has the same
record, and so the same digest and the same draws of a forecast, in whatever batch and order the rows came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar, get_args

import polars as pl

from leuko.cohort.frames import codes_of
from leuko.cohort.scalar import record_of, with_rank
from leuko.cohort.tables import BOUNDS, Rules
from leuko.errors import Place
from leuko.record import Dose, Fact, FactKind, Moment, Origin, Patient, Precision, Record, Sign

Row = Mapping[str, Any]
Made = TypeVar("Made", Dose, Sign, Fact)
_KINDS: Final = get_args(FactKind)
_BESIDE: Final = ("treatments", "signs", "facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The rows of a batch, by person."""

    results: Mapping[Any, pl.DataFrame]
    people: Mapping[Any, Row]
    beside: Mapping[str, Mapping[Any, pl.DataFrame]]

    @classmethod
    def of(cls, tables: Mapping[str, pl.DataFrame], rules: Rules) -> Records:
        """The rows of `frames.RESULTS`, `PEOPLE`, `TREATMENTS`, `SIGNS` and `FACTS`; people have one row each."""
        results = tables["results"]
        known = pl.col("analyte").cast(pl.String).is_in(rules.analytes)
        known &= pl.col("bound").cast(pl.String).fill_null("=").is_in(BOUNDS)
        # what the engine does not know it has told already
        results = results.filter(known).with_columns(
            pl.col("analyte", "bound").cast(pl.String), status=pl.col("status").cast(pl.String).fill_null("unknown")
        )
        people = {row["person"]: row for row in tables["people"].unique("person", keep="none").iter_rows(named=True)}
        return cls(results=_by(results), people=people, beside={name: _by(tables[name]) for name in _BESIDE})


def records_of(rows: Records, persons: pl.Series, rules: Rules) -> Iterator[tuple[Any, Record]]:
    """Each person's record, in the order of `persons`."""
    for who in persons:
        own = rows.results.get(who)
        counts = [] if own is None else [with_rank(row) for row in own.iter_rows(named=True)]
        beside = {name: _ordered(rows.beside[name].get(who)) for name in _BESIDE}
        patient = _patient(who, rows.people.get(who), beside["facts"])
        record = record_of(counts, patient, rules)
        yield (
            who,
            replace(
                record,
                doses=_made(beside["treatments"], _dose),
                signs=_made(beside["signs"], _sign),
                facts=_made([row for row in beside["facts"] if row["kind"] in _KINDS], _fact),
            ),
        )


def _by(table: pl.DataFrame) -> dict[Any, pl.DataFrame]:
    found = table.drop_nulls("person").partition_by("person", as_dict=True)
    return {who: part for (who,), part in found.items()}


def _ordered(table: pl.DataFrame | None) -> list[dict[str, Any]]:
    """Rows by what they say; where they stand is no part of it."""
    if table is None:
        return []
    rows = list(table.drop("file", "row").iter_rows(named=True))
    return sorted(
        rows, key=lambda row: [(value is not None, value if value is not None else 0) for value in _said(row)]
    )


def _said(row: Row) -> tuple[Any, ...]:
    when = row.get("start", row.get("taken"))
    return (when, *(row[name] for name in row if name != "person"))


def _made(rows: list[dict[str, Any]], make: Callable[[str, Row], Made]) -> tuple[Made, ...]:
    return tuple(make(f"{number:06d}", row) for number, row in enumerate(rows, start=1))


def _patient(who: Any, row: Row | None, facts: list[dict[str, Any]]) -> Patient:
    died = [fact["start"].date() for fact in facts if fact["kind"] == "death" and fact["start"] is not None]
    if row is None:
        return Patient(id=str(who), died=min(died, default=None))
    told = row["born_precision"]
    precision: Precision = told if told in {"year", "month"} else "day"
    return Patient(
        id=str(who),
        born=row["born"],
        born_precision=precision,
        sex=row["sex"] if row["sex"] in {"female", "male"} else None,
        died=min(died, default=None),
    )


def _moment(at: datetime | None, *, timed: bool | None) -> Moment | None:
    """A time of day where one is told; else the day."""
    if at is None:
        return None
    if timed:
        return Moment(at=at)
    return Moment(at=at.replace(hour=0, minute=0, second=0, microsecond=0), precision="day")


def _end(at: datetime | None) -> Moment | None:
    """An end at midnight is a day: the frames tell the precision of starts alone."""
    return None if at is None else _moment(at, timed=bool(at.hour or at.minute or at.second or at.microsecond))


def _origin(name: str, codes: Any) -> Origin:
    return Origin(place=Place(source=""), name_text=name, codes=codes)


def _dose(ident: str, row: Row) -> Dose:
    name, codes = row["name"] or row["drug"] or "", codes_of(row["codes"])
    given = bool(row["given"])
    return Dose(
        id=f"medicine-{ident}",
        drug=name,
        codes=codes,
        start=_moment(row["start"], timed=row["has_time"]),
        end=_end(row["end"]),
        hours=row["hours"],
        amount=row["amount"],
        unit=row["unit"],
        route=row["route"],
        regimen=row["regimen"],
        cycle=row["cycle"],
        day=row["day"],
        status=row["status"] or ("completed" if given else "unknown"),
        given=given,
        origin=_origin(name, codes),
    )


def _sign(ident: str, row: Row) -> Sign:
    codes = codes_of(row["codes"])
    return Sign(
        id=f"sign-{ident}",
        name=row["name"] or "",
        codes=codes,
        value=row["value"],
        unit=row["unit"],
        text=row["text"],
        present=row["present"],
        taken=_moment(row["taken"], timed=row["has_time"]),
        origin=_origin(row["name"] or "", codes),
    )


def _fact(ident: str, row: Row) -> Fact:
    codes = codes_of(row["codes"])
    return Fact(
        id=f"fact-{ident}",
        kind=row["kind"],
        name=row["name"] or "",
        codes=codes,
        start=_moment(row["start"], timed=row["has_time"]),
        end=_end(row["end"]),
        status=row["status"] or "unknown",
        detail=row["detail"] or "",
        recorded=_moment(row["recorded"], timed=True),
        origin=_origin(row["name"] or "", codes),
    )
