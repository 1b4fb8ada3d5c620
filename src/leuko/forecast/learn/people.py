"""The people whom a model learns from: of each the doses, the counts, and what the model's covariates need.

Read from tables with a person and a day in each row, and a count or a dose. Days are numbers from any origin of the
person, counts 10*9/L, amounts milligrams. A file is taken by its columns, whatever its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import field

from leuko.errors import UnreadableInput
from leuko.forecast.covariates import Covariates
from leuko.forecast.model import DrugPart, Model, Observed, Schedule
from leuko.forecast.score.table import DAY, PERSON, Table, column_of, files_of, read_counts, read_frame
from leuko.forecast.state_space import Series
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.knowledge.schema.forecast import CovariateRow, ModelRow

if TYPE_CHECKING:
    import polars as pl

_AMOUNT: Final = ("amount_mg", "dose_mg", "amount", "amt", "dose", "amt_mg", "amt_scaled")
_DRUG: Final = ("drug", "medicine", "medication")
_HOURS: Final = ("hours", "infusion_hours", "duration_h")
_HOURS_A_DAY: Final = 24.0


class Person(Frozen, frozen=True, kw_only=True):
    """One person to learn from."""

    name: str
    schedule: Schedule
    observed: Observed
    covariates: Covariates = field(default_factory=Covariates)

    @property
    def counts(self) -> int:
        """How many counts."""
        return int(self.observed.hour.size)


class Cohort(Frozen, frozen=True, kw_only=True):
    """People, the step in which their counts are printed [10*9/L], a digest of all that was used, and what was left
    out, in words."""

    people: tuple[Person, ...]
    resolution: float
    said: tuple[str, ...]

    @property
    def counts(self) -> int:
        """Counts of all people."""
        return sum(person.counts for person in self.people)

    @property
    def digest(self) -> str:
        """SHA-256 over names, days, counts and doses: the same data give the same digest."""
        return digest_of(self.people)


def digest_of(people: Sequence[Person]) -> str:
    """SHA-256 over names, days, counts, doses and covariates."""
    found = hashlib.sha256()
    for person in sorted(people, key=lambda one: one.name):
        found.update(f"{person.name}\0{sorted(person.covariates.values.items())}\0".encode())
        for part in (person.observed.hour, person.observed.value, person.schedule.hour, person.schedule.amount):
            found.update(np.ascontiguousarray(part, dtype=np.float64).tobytes() + b"\0")
        found.update("\0".join((*person.observed.bound, *person.schedule.drug)).encode())
    return found.hexdigest()


def cohort_of(path: Path, *, row: ModelRow, library: Library) -> Cohort:
    """The people of a folder (or one file) with a table of counts and a table of doses, for one model.

    Doses need a person, a day and an amount [mg]; a medicine where the model knows several, hours of infusion if told.
    Columns named as a covariate of the model are read of each person's first row that has them. Raises UnreadableInput
    where there is no such table, or where nobody has both counts and doses.
    """
    table = read_counts(path)
    frame = _doses(path)
    schedules, said = _schedules(frame, row)
    both = [name for name in sorted(table.people) if name in schedules]
    if not both:
        raise UnreadableInput(
            "nobody has both counts and doses",
            where=str(path),
            why=f"{len(table.people)} people have counts and {len(schedules)} have doses, and no name stands in both",
            do="name each person alike in both tables",
        )
    values = _covariates(frame, row, library)
    people = tuple(
        Person(
            name=name,
            schedule=schedules[name],
            observed=observed_of(table.people[name]),
            covariates=Covariates(values=values.get(name, {})),
        )
        for name in both
    )
    return Cohort(people=people, resolution=table.resolution, said=(*table.said, *said, *_alone(table, schedules)))


def _alone(table: Table, schedules: Mapping[str, Schedule]) -> Iterator[str]:
    if without := len(set(table.people) - set(schedules)):
        yield f"{without} people have counts and no dose: the model speaks of people under treatment, they are left out"
    if without := len(set(schedules) - set(table.people)):
        yield f"{without} people have doses and no count: nothing can be learned from them"


def observed_of(series: Series) -> Observed:
    """The counts of a series (days) as a fit takes them (hours)."""
    noise = np.zeros(len(series)) if series.extra is None else series.extra
    return Observed(hour=series.days * _HOURS_A_DAY, value=series.values, bound=series.bounds, noise=noise)


def _doses(path: Path) -> pl.DataFrame:
    """The first table with person, day and amount, its columns named so."""
    import polars as pl  # noqa: PLC0415 (heavy)

    for file in files_of(path):
        frame = read_frame(file)
        found = [column_of(frame, words) for words in (PERSON, DAY, _AMOUNT)]
        if all(found):
            person, day, amount = found
            return frame.with_columns(
                pl.col(person or "").cast(pl.String).alias("person"),
                pl.col(day or "").cast(pl.Float64, strict=False).alias("day"),
                pl.col(amount or "").cast(pl.Float64, strict=False).alias("amount"),
            )
    raise UnreadableInput(
        "no table of doses",
        where=str(path),
        why=f"a marrow model learns from doses and counts; a table of doses needs a person ({', '.join(PERSON)}), a day"
        f" ({', '.join(DAY)}) and an amount in mg ({', '.join(_AMOUNT)}) in every row",
        do="put it beside the table of counts, or learn a level instead, which needs counts alone (--level)",
    )


def _schedules(frame: pl.DataFrame, row: ModelRow) -> tuple[dict[str, Schedule], list[str]]:
    import polars as pl  # noqa: PLC0415 (heavy)

    parts = {part.drug: part for part in row.parts}
    drugs, told = _named(frame, row)
    hours = column_of(frame, _HOURS)
    lasting = pl.col(hours).cast(pl.Float64, strict=False).fill_null(0.0) if hours else pl.lit(0.0)
    rows = frame.with_columns(drugs, lasting.alias("lasting"))
    whole = rows.filter(
        pl.col("person").is_not_null()
        & pl.col("day").is_finite()
        & pl.col("amount").is_finite()
        & (pl.col("amount") > 0)
    )
    known = whole.filter(pl.col("of").is_in(list(parts)))
    said = [*told, *_left(rows, whole, known, row)]
    found = {
        str(name[0]): _schedule(part.sort("day", maintain_order=True), parts)
        for name, part in known.group_by("person", maintain_order=True)
    }
    return found, said


def _named(frame: pl.DataFrame, row: ModelRow) -> tuple[pl.Expr, list[str]]:
    """The medicine of each dose; where the table names none, the model has to know one alone."""
    import polars as pl  # noqa: PLC0415 (heavy)

    if column := column_of(frame, _DRUG):
        return pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase().alias("of"), []
    if len(row.parts) != 1:
        raise UnreadableInput(
            "the table of doses names no medicine",
            why=f"{row.id} knows {', '.join(part.drug for part in row.parts)}",
            do=f"add a column {_DRUG[0]}",
        )
    drug = row.parts[0].drug
    return pl.lit(drug).alias("of"), [f"the table of doses names no medicine: all are taken as {drug}"]


def _left(rows: pl.DataFrame, whole: pl.DataFrame, known: pl.DataFrame, row: ModelRow) -> Iterator[str]:
    if missing := rows.height - whole.height:
        yield f"{missing} rows of doses without a person, a day or an amount above 0"
    if strange := whole.height - known.height:
        names = sorted({str(one) for one in whole["of"].to_list()} - {part.drug for part in row.parts})
        yield f"{strange} doses of {', '.join(names)}, of which {row.id} does not speak, are left out"


def _schedule(doses: pl.DataFrame, parts: Mapping[str, DrugPart | object]) -> Schedule:
    drugs = tuple(str(one) for one in doses["of"].to_list())
    per_mg = np.array([float(getattr(parts[drug], "per_mg")) for drug in drugs])  # noqa: B009
    return Schedule(
        hour=doses["day"].to_numpy() * _HOURS_A_DAY,
        drug=drugs,
        amount=doses["amount"].to_numpy() * per_mg,
        hours=doses["lasting"].to_numpy(),
    )


def _covariates(frame: pl.DataFrame, row: ModelRow, library: Library) -> dict[str, dict[str, float]]:
    """Of each person the covariates of the model that the table of doses has a column for."""
    import polars as pl  # noqa: PLC0415 (heavy)

    wanted = {effect.covariate for effect in row.effects}
    found: dict[str, dict[str, float]] = {}
    for covariate in library.rows(CovariateRow):
        column = column_of(frame, (covariate.id, *covariate.names)) if covariate.id in wanted else None
        if column is None:
            continue
        told = frame.select("person", pl.col(column).cast(pl.Float64, strict=False).alias("value")).drop_nulls()
        for name, value in told.unique("person", keep="first", maintain_order=True).iter_rows():
            found.setdefault(str(name), {})[covariate.id] = float(value)
    return found


def first(person: Person, many: int) -> Person:
    """The person as known after so many counts."""
    seen = person.observed
    return replace(
        person,
        observed=Observed(
            hour=seen.hour[:many], value=seen.value[:many], bound=seen.bound[:many], noise=seen.noise[:many]
        ),
    )


def model_for(row: ModelRow, person: Person) -> Model:
    """The model of a row with a person's covariates worked in."""
    from leuko.forecast.library import build  # noqa: PLC0415 (only here)

    return build(row, covariates=person.covariates)
