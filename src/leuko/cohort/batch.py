"""One batch of whole people: rows of results in, counts with grades, episodes, people and notices out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from leuko.cohort import frames
from leuko.cohort.arrays import (
    FAR,
    Given,
    counts_room,
    day_number,
    episodes_room,
    found_room,
    given,
    notes_room,
    scratch_room,
)
from leuko.cohort.kernel.layout import (
    CODES,
    EP_ANALYTE,
    EP_CONFIRMED,
    EP_COUNTS,
    EP_CUT,
    EP_DAYS_LEAST,
    EP_DAYS_MOST,
    EP_NADIR,
    EP_NADIR_TAKEN,
    EP_ONSET_EARLIEST,
    EP_ONSET_LATEST,
    EP_PERSON,
    EP_RECOVERY_EARLIEST,
    EP_RECOVERY_LATEST,
    H_CYCLE_FIRST,
    H_FIRST,
    MISSING,
    Counts,
    Episodes,
    Flag,
    Found,
    Notes,
)
from leuko.cohort.noticed import noticed
from leuko.cohort.scalar import Answer, answer_of, source_of, with_rank
from leuko.cohort.tables import BOUNDS, Rules
from leuko.course.points import Span
from leuko.record import Patient, Precision
from leuko.result import Episode

_MOST: Final = 99
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What a batch of people gives: frames in order of person. `scalar` counts people by why the kernel left them."""

    counts: pl.DataFrame
    episodes: pl.DataFrame
    persons: pl.DataFrame
    notices: pl.DataFrame
    scalar: Mapping[str, int]

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The frames by name."""
        return {"counts": self.counts, "episodes": self.episodes, "persons": self.persons, "notices": self.notices}


def run_batch(
    results: pl.DataFrame,
    people: pl.DataFrame,
    treatments: pl.DataFrame,
    rules: Rules,
    *,
    as_of: date | None = None,
    scalar_only: bool = False,
) -> Batch:
    """Answer for whole people at once: `frames.RESULTS`, `PEOPLE` and `TREATMENTS` in, `Batch` out.

    Every row of a person must be in the batch; the rows may stand in any order. Results drawn after `as_of` are set
    aside. `scalar_only` sends everybody through the modules that assess one person, for comparison.
    """
    people, unsure = _one_each(people)
    made, refused = _given(results, people, cycles_of(treatments), rules)
    found = _Findings.of(made, rules)
    if scalar_only:
        found.found.flag[:] = 1
    else:
        found.judge(rules, as_of)
    answers = {int(p): _answer(made, int(p), rules, as_of) for p in np.flatnonzero(found.found.flag)}
    return _batch(made, found, answers, rules, (refused, unsure))


def cycles_of(treatments: pl.DataFrame) -> pl.DataFrame:
    """When treatment was given that makes counts fall: person, lo, hi [days since 1970].

    A start without a time of day (`has_time` false, or midnight where that is not told) is the whole day.
    """
    start = pl.col("start")
    whole = start.dt.truncate("1d") == start
    untimed = whole & ~pl.col("has_time").fill_null(value=False) if "has_time" in treatments.columns else whole
    given_then = treatments.filter(pl.col("given") & pl.col("cytotoxic") & start.is_not_null())
    second = pl.col("start").dt.round("1s").to_physical() / 1_000_000 / _DAY
    return given_then.select("person", lo=second, hi=pl.when(untimed).then(second + 1.0).otherwise(second))


def _given(
    results: pl.DataFrame, people: pl.DataFrame, cycles: pl.DataFrame, rules: Rules
) -> tuple[Given, pl.DataFrame]:
    """The arrays of the results of analytes and bounds that exist; the other results are told."""
    made = given(results, people, cycles, rules)
    if made.unknown is None:
        return made, results.clear()
    return given(made.results.filter(~made.unknown), people, cycles, rules), made.results.filter(made.unknown)


def _one_each(people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """One row a person: what several rows say alike, or only one of them says; what they say apart is not taken."""
    if not people["person"].is_duplicated().any():
        return people, people.clear()
    told = [name for name in people.columns if name != "person"]
    # a day of birth goes with its precision
    whole = people.with_columns(_born=pl.struct("born", "born_precision"))
    apart = whole.group_by("person").agg(pl.col(name).drop_nulls().n_unique().alias(name) for name in (*told, "_born"))
    one = people.group_by("person").agg(
        pl.when(pl.col(name).drop_nulls().n_unique() == 1).then(pl.col(name).drop_nulls().first()) for name in told
    )
    unsure = apart.filter(pl.any_horizontal(pl.col(name) > 1 for name in told)).select("person")
    return one.sort("person"), unsure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Findings:
    """What the kernel wrote, cut to its length by `numbers`."""

    given: Given
    counts: Counts
    episodes: Episodes
    found: Found
    notes: Notes
    numbers: Any

    @classmethod
    def of(cls, made: Given, rules: Rules) -> _Findings:
        size = made.results.height
        limits = (
            made.rows.low.size > 1 or made.rows.high.size > 1 or not np.isnan([*made.rows.low, *made.rows.high]).all()
        )
        return cls(
            given=made,
            counts=counts_room(size, rules, limits=limits),
            episodes=episodes_room(size),
            found=found_room(len(made.persons), rules),
            notes=notes_room(size),
            numbers=np.zeros(4, np.int64),
        )

    def judge(self, rules: Rules, as_of: date | None) -> None:
        from leuko.cohort.kernel.people import judge  # noqa: PLC0415 (compiles when it loads)

        people = self.given.people
        most = int(np.max(np.diff(people.whole[H_FIRST]), initial=0))
        judge(
            rules.tables,
            self.given.rows,
            people,
            day_number(as_of) if as_of is not None else FAR,
            scratch_room(most, rules),
            self.counts,
            self.episodes,
            self.found,
            self.notes,
            self.numbers,
        )


# The people that the kernel leaves to the modules of one person


def _answer(made: Given, person: int, rules: Rules, as_of: date | None) -> Answer:
    first, last = int(made.people.whole[H_FIRST, person]), int(made.people.whole[H_FIRST, person + 1])
    rows = made.results.slice(first, last - first).with_columns(status=pl.col("status").fill_null("unknown"))
    given_rows = [with_rank(row) for row in rows.iter_rows(named=True)]
    row = made.persons.row(person, named=True)
    sex = row["sex"] if row["sex"] in {"female", "male"} else None
    told = row["born_precision"]
    precision: Precision = told if told in {"year", "month"} else "day"
    patient = Patient(id=str(row["person"]), born=row["born"], born_precision=precision, sex=sex)
    start, end = (int(made.people.whole[H_CYCLE_FIRST, at]) for at in (person, person + 1))
    spans = zip(made.people.cycle_lo[start:end], made.people.cycle_hi[start:end], strict=True)
    cycles = [Span(lo=float(lo), hi=float(hi)) for lo, hi in spans]
    return answer_of(given_rows, patient=patient, cycles=cycles, rules=rules, as_of=as_of)


# Frames of what was found


def _batch(
    made: Given,
    found: _Findings,
    answers: Mapping[int, Answer],
    rules: Rules,
    unused: tuple[pl.DataFrame, pl.DataFrame],
) -> Batch:
    counts, episodes, notes = _counts(found, rules), _episodes(found, rules), _notes(found)
    if answers:
        counts = _merged(counts, _scalar_counts(made, answers, rules))
        episodes = _merged(episodes, _scalar_episodes(answers, rules))
        notes = pl.concat([notes, _scalar_notes(made, answers)])
    flags = Counter(Flag(int(flag)).name.lower() for flag in found.found.flag[found.found.flag > 0])
    return Batch(
        counts=_named(counts, made, rules),
        episodes=episodes.with_columns(person=made.persons["person"].gather(episodes["_p"])).select(*frames.EPISODES),
        persons=_persons(made, found, answers, rules),
        notices=noticed(made, notes, rules, *unused),
        scalar=flags,
    )


def _merged(kernel: pl.DataFrame, scalar: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([kernel, scalar]).sort("_p", maintain_order=True)


def _instants(numbers: Any) -> list[pl.Series]:
    """Times in columns [place, column], null where one is missing; all at once."""
    rows, columns = numbers.shape
    found = pl.Series(numbers.T.ravel())
    told = pl.select(pl.when(found != MISSING).then(found)).to_series().cast(pl.Datetime("us", "UTC"))
    return [told.slice(at * rows, rows) for at in range(columns)]


def _words(codes: Any, known: tuple[str, ...]) -> pl.Series:
    return pl.Series(known, dtype=pl.String).gather(pl.Series(codes))


def _numbers(values: Any) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _counts(found: _Findings, rules: Rules) -> pl.DataFrame:
    """The kernel's counts, with the person (`_p`) and the row (`_row`) as numbers."""
    made, size = found.counts, int(found.numbers[0])
    none = pl.Series([None], dtype=pl.Float64).new_from_index(0, size)
    columns: dict[str, Any] = {
        "_p": made.person[:size],
        "analyte": _words(made.analyte[:size], rules.analytes),
        "taken": pl.Series(made.taken[:size]).cast(pl.Datetime("us", "UTC")),
        "has_time": made.timed[:size],
        "value": made.value[:size],
        "bound": _words(made.bound[:size], BOUNDS),
        "low": _numbers(made.low[:size]) if made.low.size > 1 else none,
        "high": _numbers(made.high[:size]) if made.high.size > 1 else none,
        "derived": made.derived[:size],
        "_row": made.source[:size],
    }
    for number in range(len(rules.schemes)):
        name = rules.edition(number)
        columns[f"{name}_least"], columns[f"{name}_most"] = made.least[number, :size], made.most[number, :size]
    return pl.DataFrame(columns)


def _named(counts: pl.DataFrame, made: Given, rules: Rules) -> pl.DataFrame:
    """The counts with person and place by name, and the grade of each edition."""
    grades = []
    for number in range(len(rules.schemes)):
        name = rules.edition(number)
        least, most = pl.col(f"{name}_least"), pl.col(f"{name}_most")
        known = least >= 0
        grades += [
            pl.when(known & (least == most)).then(least).alias(name),
            pl.when(known).then(least).alias(f"{name}_least"),
            pl.when(known).then(most).alias(f"{name}_most"),
        ]
    return counts.with_columns(
        person=made.persons["person"].gather(counts["_p"]),
        file=made.results["file"].gather(counts["_row"]),
        row=made.results["row"].gather(counts["_row"]),
    ).select(*frames.COUNTS, *grades)


def _graded(names: Sequence[str], values: Sequence[Any]) -> list[pl.Series]:
    """Columns of grades, null where the number is none (-1); all at once, for there are many."""
    rows = len(values[0])
    numbers = pl.Series(np.concatenate(values, dtype=np.int8, casting="unsafe"))
    known = pl.select(pl.when(numbers >= 0).then(numbers)).to_series()
    return [known.slice(at * rows, rows).alias(name) for at, name in enumerate(names)]


def _episodes(found: _Findings, rules: Rules) -> pl.DataFrame:
    made, size = found.episodes, int(found.numbers[1])
    before, after = made.whole[:size, EP_ONSET_EARLIEST] != MISSING, made.whole[:size, EP_RECOVERY_LATEST] != MISSING
    censoring = np.where(before, np.where(after, 0, 1), np.where(after, 2, 3))
    onset_earliest, onset_latest, nadir_taken, recovery_earliest, recovery_latest = _instants(
        made.whole[
            :size, [EP_ONSET_EARLIEST, EP_ONSET_LATEST, EP_NADIR_TAKEN, EP_RECOVERY_EARLIEST, EP_RECOVERY_LATEST]
        ]
    )
    return pl.DataFrame(
        {
            "_p": made.whole[:size, EP_PERSON],
            "analyte": _words(made.whole[:size, EP_ANALYTE], rules.analytes),
            "cut": made.real[:size, EP_CUT],
            "onset_earliest": onset_earliest,
            "onset_latest": onset_latest,
            "nadir": made.real[:size, EP_NADIR],
            "nadir_taken": nadir_taken,
            "recovery_earliest": recovery_earliest,
            "recovery_latest": recovery_latest,
            "recovery_confirmed": made.whole[:size, EP_CONFIRMED] != 0,
            "censoring": _words(censoring, ("none", "right", "left", "both")),
            "days_least": made.real[:size, EP_DAYS_LEAST],
            "days_most": _numbers(made.real[:size, EP_DAYS_MOST]),
            "counts": pl.Series(made.whole[:size, EP_COUNTS]).cast(pl.Int32),
        }
    )


def _notes(found: _Findings) -> pl.DataFrame:
    size = int(found.numbers[2])
    return pl.DataFrame({"code": _words(found.notes.code[:size], CODES), "_row": found.notes.source[:size]})


def _persons(made: Given, found: _Findings, answers: Mapping[int, Answer], rules: Rules) -> pl.DataFrame:
    """One row a person, with the worst grade of each analyte and edition: surely reached, and still possible."""
    judged = found.found
    for person, answer in answers.items():
        judged.counts[person], judged.episodes[person] = len(answer.counts), len(answer.episodes)
        _worst(judged, person, answer, rules)
    names, values = [], []
    for number, (analyte, scheme) in enumerate(rules.pairs):
        name = f"worst_{analyte}_{scheme.id}_{scheme.edition}"
        least, most = judged.least[number], judged.most[number]
        names += [name, f"{name}_least", f"{name}_most"]
        values += [np.where(least == most, least, -1), least, np.where(most < _MOST, most, -1)]
    found_of = made.persons.select("person", "results")
    numbers = (pl.Series("counts", judged.counts), pl.Series("episodes", judged.episodes))
    return found_of.hstack([*numbers, *_graded(names, values)])


def _worst(judged: Found, person: int, answer: Answer, rules: Rules) -> None:
    for number, (analyte, scheme) in enumerate(rules.pairs):
        at = rules.schemes.index(scheme)
        grades = [
            given[at] for count, given in zip(answer.counts, answer.grades, strict=True) if count.analyte == analyte
        ]
        judged.least[number, person] = max((g[0] for g in grades if g is not None), default=-1)
        judged.most[number, person] = max((_MOST if g is None else g[1] for g in grades), default=-1)


# Frames of the answers of one person


def _scalar_counts(made: Given, answers: Mapping[int, Answer], rules: Rules) -> pl.DataFrame:
    rows = []
    for person, answer in answers.items():
        first = int(made.people.whole[H_FIRST, person])
        for count, grades in zip(answer.counts, answer.grades, strict=True):
            moment = count.taken
            row: dict[str, Any] = {
                "_p": person,
                "analyte": count.analyte,
                "taken": None if moment is None else moment.at,
                "has_time": moment is not None and moment.has_time,
                "value": count.value,
                "bound": count.bound,
                "low": count.lab_low,
                "high": count.lab_high,
                "derived": count.kind == "derived",
                "_row": first + source_of(count),
            }
            for number, grade in enumerate(grades):
                name = rules.edition(number)
                row[f"{name}_least"], row[f"{name}_most"] = (-1, -1) if grade is None else grade
            rows.append(row)
    return pl.DataFrame(rows, schema=_counts_schema(rules), orient="row")


def _counts_schema(rules: Rules) -> dict[str, pl.DataType]:
    known = frames.schema(frames.COUNTS)
    kept = {name: known[name] for name in known if name not in {"person", "file", "row"}}
    names = [rules.edition(number) for number in range(len(rules.schemes))]
    grades = {f"{name}_{end}": pl.Int8() for name in names for end in ("least", "most")}
    return {"_p": pl.UInt32(), **kept, "_row": pl.UInt32(), **grades}


def _scalar_episodes(answers: Mapping[int, Answer], rules: Rules) -> pl.DataFrame:
    del rules
    known = frames.schema(frames.EPISODES)
    schema = {"_p": pl.Int64(), **{name: known[name] for name in known if name != "person"}}
    rows = [{"_p": person, **_episode(one)} for person, answer in answers.items() for one in answer.episodes]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _episode(one: Episode) -> dict[str, Any]:
    return {
        "analyte": one.analyte,
        "cut": one.cut,
        "onset_earliest": one.onset.earliest,
        "onset_latest": one.onset.latest,
        "nadir": one.nadir_count.value,
        "nadir_taken": one.nadir_count.taken.at if one.nadir_count.taken is not None else None,
        "recovery_earliest": one.recovery.earliest if one.recovery is not None else None,
        "recovery_latest": one.recovery.latest if one.recovery is not None else None,
        "recovery_confirmed": one.recovery_confirmed,
        "censoring": one.censoring,
        "days_least": one.duration[0],
        "days_most": one.duration[1],
        "counts": len(one.counts),
    }


def _scalar_notes(made: Given, answers: Mapping[int, Answer]) -> pl.DataFrame:
    rows = [
        {"code": code, "_row": int(made.people.whole[H_FIRST, person]) + row}
        for person, answer in answers.items()
        for code, row in answer.notices
    ]
    return pl.DataFrame(rows, schema={"code": pl.String(), "_row": pl.UInt32()}, orient="row")
