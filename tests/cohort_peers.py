"""The rules of a cohort a second time, in SQL, in Polars and in pandas: oracles for the tests, peers for the benchmark.

They are written as a programmer of studies would write them, and hold for plain results: a time of day with each, one
draw of a person a day, no bounds, no printed intervals, no births, no treatments, a white count of at most two
decimals. For these they do all that the engine does: units by a table, one result a draw (a corrected one before
others, else the lower), neutrophils from white count and percentage, grades in every edition (the least and the most
that are possible), episodes with their censoring, and each person's worst grades. Limits of grades, cuts and
recoveries are taken from the knowledge of the library, so that only the way of computing differs.
"""

# ruff: noqa: S608 (the texts come from the knowledge tables)

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from leuko.ages import age_span
from leuko.cohort.read.keys import KEYS, plan_of
from leuko.cohort.tables import SEX_UNKNOWN, Rules, edition_name
from leuko.grading import grade_between_ages
from leuko.intake.base import ReadOptions
from leuko.knowledge.schema import Band, GradeScheme
from leuko.record import Patient

SERIES: Final = ("wbc", "neutrophils", "platelets")
WRITTEN: Final = (
    ("wbc", "/uL"), ("wbc", "10*9/L"), ("neutrophils", "/uL"), ("neutrophils", "10*9/L"),
    ("neutrophils_percent", "%"), ("platelets", "10*9/L"),
)  # fmt: skip
"""Name and unit as the made-up studies write them."""
US_A_DAY: Final = 86_400_000_000
Steps = list[tuple[str, float, int | None]]


def units(rules: Rules) -> list[tuple[str, str, int, int]]:
    """Name, unit, and the exact factor to the unit of the analyte, over and under."""
    found = []
    for name, unit in WRITTEN:
        plan = plan_of(
            {**dict.fromkeys(KEYS, ""), "name": name, "unit_text": unit}, library=rules.library, options=ReadOptions()
        )
        assert plan.mode == "plain"
        found.append((name, unit, plan.over, plan.under))
    return found


# Grades of an edition as steps over the values


def steps(rules: Rules, analyte: str, scheme: GradeScheme, *, most: bool) -> Steps:
    """The grades of all values as steps: ("<" or "<=", limit, grade), the last one holds for all others."""
    found: Steps = []
    limits = [limit for rule in scheme.rules if rule.analyte == analyte for limit in _numbers(rule.bands)]
    edges = sorted({0.0, *limits})
    for lower, upper in pairwise(edges):
        found.append(("<=", lower, _grade(rules, analyte, scheme, lower, most=most)))
        found.append(("<", upper, _grade(rules, analyte, scheme, (lower + upper) / 2, most=most)))
    found.append(("<=", edges[-1], _grade(rules, analyte, scheme, edges[-1], most=most)))
    found.append(("", 0.0, _grade(rules, analyte, scheme, edges[-1] * 2 + 1, most=most)))
    return [step for step, later in pairwise([*found, ("", 0.0, -99)]) if step[2] != later[2]]


def _numbers(bands: Any) -> Iterator[float]:
    for row in bands:
        band: Band = row.band
        yield from (float(limit) for limit in (band.lower, band.upper) if isinstance(limit, (int, float)))


def _grade(rules: Rules, analyte: str, scheme: GradeScheme, value: float, *, most: bool) -> int | None:
    grade = grade_between_ages(
        value, analyte=analyte, scheme=scheme.id, edition=scheme.edition, lab_low=None,
        ages=age_span(Patient(id=""), None), sex=None, bound="=", library=rules.library,
    )  # fmt: skip
    return grade.most if most else grade.least


def graded(rules: Rules) -> Iterator[tuple[str, str, Steps]]:
    """Each column of a worst grade: its name, the analyte, the steps of the grade."""
    for analyte, scheme in rules.pairs:
        if analyte in SERIES:
            for end in ("least", "most"):
                name = f"worst_{analyte}_{edition_name(scheme)}_{end}"
                yield name, analyte, steps(rules, analyte, scheme, most=end == "most")


def cut(rules: Rules, analyte: str) -> float:
    """What is low, of people of whom nothing is known."""
    limits, code = rules.tables.definitions, rules.analytes.index(analyte)
    bits = int(limits.rows[code, SEX_UNKNOWN, -1])
    first = int(limits.first[code])
    cuts = [float(limits.cut[0, first + place]) for place in range(bits.bit_length()) if bits >> place & 1]
    assert len(cuts) == 1
    return cuts[0]


# SQL


def sql(rules: Rules, source: str, *, micros: str) -> dict[str, str]:
    """Tables by the queries that make them, in order: draws, persons, episodes. `micros` names the function of time."""
    table = ", ".join(f"('{name}', '{unit}', {over}, {under})" for name, unit, over, under in units(rules))
    worst = ",\n".join(f"  max({_case(found, analyte)}) as {_bare(name)}" for name, analyte, found in graded(rules))
    low = " ".join(f"when '{analyte}' then {cut(rules, analyte)}" for analyte in SERIES)
    course = rules.library.course["neutrophils"]
    assert all(rules.library.course[analyte].hole_days == course.hole_days for analyte in SERIES)
    return {
        "draws": f"""
with known as (
  select r.person, r.analyte, {micros}(r.taken) as us, r.value * u.over / u.under as value, r.status = 'corrected' as c
  from {source} r join (values {table}) as u(analyte, unit, over, under)
  on r.analyte = u.analyte and r.unit = u.unit),
one as (
  select person, us, count(*) as results, {", ".join(f"{_of(name)} as {name}" for name in _MEASURED)}
  from known group by person, us)
select person, us, results, wbc, platelets, percent,
  coalesce(absolute, round(wbc * 100) * percent / 10000) as neutrophils from one""",
        "persons": f"""
select person, sum(results) as results,
  count(wbc) + count(platelets) + count(percent) + count(neutrophils) as counts,
{worst}
from draws group by person""",
        "episodes": f"""
with long as (
  {" union all ".join(f"select person, '{name}' as analyte, us, {name} as value from draws" for name in SERIES)}),
sided as (
  select *, value < case analyte {low} end as low from long where value is not null),
beside as (
  select *, row_number() over w as place, lag(us) over w as before, lag(low) over w as before_low,
    lead(us) over w as after, lead(low) over w as after_low
  from sided window w as (partition by person, analyte order by us)),
held as (
  select *, sum(case when us - before > {course.hole_days} * {US_A_DAY} then 1 else 0 end) over w as holes,
    count(*) over (partition by person, analyte) as number, max(us) over (partition by person, analyte) as last_at
  from beside window w as (partition by person, analyte order by us)),
edged as (
  select *, holes - case when us - before > {course.hole_days} * {US_A_DAY} then 1 else 0 end as before_holes,
    holes + case when after - us > {course.hole_days} * {US_A_DAY} then 1 else 0 end as after_holes,
    max(holes) over (partition by person, analyte) as last_holes from held),
lows as (
  select *, lag(place) over w as low_place, lag(holes) over w as low_holes, lag(after) over w as run_at,
    coalesce(lead(place) over w, number + 1) as next_place, coalesce(lead(before) over w, last_at) as run_end,
    coalesce(lead(before_holes) over w, last_holes) as run_end_holes
  from edged where low window w as (partition by person, analyte order by us)),
begun as (
  select *, case when low_place is null or holes <> low_holes
    or {_recovered("place - low_place - 1", "before - run_at", course)} then 1 else 0 end as begins from lows),
numbered as (
  select *, sum(begins) over w as episode, coalesce(lead(begins) over w, 1) as ends
  from begun window w as (partition by person, analyte order by us)),
found as (
  select person, analyte, episode, min(us) as onset_latest, max(us) as last_low, min(value) as nadir,
    max(place) - min(place) + 1 as counts,
    max(case when begins = 1 and not before_low then before end) as onset_earliest,
    max(case when ends = 1 and not after_low then after end) as recovery_latest,
    max(case when ends = 1 and ({
            _recovered("next_place - place - 1", "run_end - after", course, "run_end_holes = after_holes")
        }) then 1 else 0 end) as confirmed
  from numbered group by person, analyte, episode)
select *, case when recovery_latest is not null then last_low end as recovery_earliest,
  (last_low - onset_latest) / {US_A_DAY}.0 as days_least,
  (recovery_latest - onset_earliest) / {US_A_DAY}.0 as days_most from found""",
    }


_MEASURED: Final = {"wbc": "wbc", "platelets": "platelets", "percent": "neutrophils_percent", "absolute": "neutrophils"}


def _bare(name: str) -> str:
    return name.replace(".", "_")


def _of(name: str) -> str:
    which = f"case when analyte = '{_MEASURED[name]}' and"
    return f"coalesce(min({which} c then value end), min({which} not c then value end))"


def _case(found: Steps, value: str) -> str:
    whens = " ".join(f"when {value} {sign} {limit!r} then {_null(grade)}" for sign, limit, grade in found if sign)
    return f"case when {value} is null then null {whens} else {_null(found[-1][2])} end"


def _null(grade: int | None) -> str:
    return "null" if grade is None else str(grade)


def _recovered(number: str, span: str, course: Any, sound: str = "true") -> str:
    days = f"{number} > 1 and {span} >= {course.recovery_days} * {US_A_DAY} and {sound}"
    return f"{number} >= {course.recovery_values} or ({days})"


SAID: Final = """
select (select count(*) from persons), (select sum(results) from persons), (select sum(counts) from persons),
  (select sum({worst}) from persons), (select count(*) from episodes), (select sum(counts) from episodes),
  (select round(sum(nadir), 3) from episodes), (select round(sum(days_least), 3) from episodes),
  (select round(sum(days_most), 3) from episodes), (select sum(confirmed) from episodes)"""


def said_in_sql(rules: Rules) -> str:
    """A query for the numbers by which answers are compared (`said_of` for frames)."""
    return SAID.format(worst=" + ".join(f"coalesce({_bare(name)}, 0)" for name, *_ in graded(rules)))


def said_of(persons: Any, episodes: Any, rules: Rules) -> tuple[float, ...]:
    """The same numbers from Polars frames in the columns of the engine."""
    import polars as pl

    worst = persons.select(pl.sum_horizontal(pl.col(name).cast(pl.Int64).sum() for name, *_ in graded(rules))).item()
    own = episodes.filter(pl.col("analyte").is_in(SERIES))
    confirmed = "recovery_confirmed" if "recovery_confirmed" in own.columns else "confirmed"
    sums = [round(float(own[name].sum()), 3) for name in ("nadir", "days_least", "days_most")]
    return (
        persons.height, persons["results"].sum(), persons["counts"].sum(), worst,
        own.height, own["counts"].sum(), *sums, int(own[confirmed].sum()),
    )  # fmt: skip


# Polars


def in_polars(rules: Rules, rows: Any) -> tuple[Any, Any]:
    """Persons and episodes as lazy frames, from a lazy frame of rows."""
    import polars as pl

    names = ("analyte", "unit", "over", "under")
    table = pl.LazyFrame(units(rules), schema=names, orient="row")
    corrected = pl.col("status") == "corrected"

    def of(name: str) -> pl.Expr:
        own = pl.col("analyte") == _MEASURED[name]
        value = pl.col("value")
        return pl.coalesce(value.filter(own & corrected).min(), value.filter(own & ~corrected).min()).alias(name)

    draws = (
        rows.join(table, on=["analyte", "unit"])
        # a column, for Polars divides by a number by multiplying with its inverse
        .with_columns(value=pl.col("value") * pl.col("over") / pl.col("under"), at=pl.col("taken").to_physical())
        .group_by("person", "at")
        .agg(pl.len().alias("results"), *(of(name) for name in _MEASURED))
        .with_columns(hundred=pl.lit(10_000.0))
        .with_columns(
            neutrophils=pl.coalesce("absolute", (pl.col("wbc") * 100).round() * pl.col("percent") / pl.col("hundred"))
        )
    )
    counts = pl.sum_horizontal(pl.col(name).count() for name in (*SERIES, "percent"))
    persons = draws.group_by("person").agg(
        pl.col("results").sum().cast(pl.Int64),
        counts.cast(pl.Int64).alias("counts"),
        *(_when(found, pl.col(analyte), pl).max().alias(name) for name, analyte, found in graded(rules)),
    )
    return persons, _episodes_in_polars(rules, draws, pl)


def _when(found: Steps, value: Any, pl: Any) -> Any:
    ladder: Any = pl.lit(found[-1][2], dtype=pl.Int8)
    for sign, limit, grade in reversed([step for step in found if step[0]]):
        holds = value < limit if sign == "<" else value <= limit
        ladder = pl.when(holds).then(pl.lit(grade, dtype=pl.Int8)).otherwise(ladder)
    return pl.when(value.is_not_null()).then(ladder)


def _episodes_in_polars(rules: Rules, draws: Any, pl: Any) -> Any:
    """Neighbours in one sorted table, for windows over groups are slow."""
    col, course = pl.col, rules.library.course["neutrophils"]
    hole, held = course.hole_days * US_A_DAY, course.recovery_days * US_A_DAY

    def beside(name: str, by: int) -> Any:
        same = (col("person") == col("person").shift(by)) & (col("analyte") == col("analyte").shift(by))
        return pl.when(same).then(col(name).shift(by))

    def recovered(number: Any, span: Any, *, sound: Any = True) -> Any:
        return (number >= course.recovery_values) | ((number > 1) & (span >= held) & sound)

    long = pl.concat(
        [
            draws.select(
                "person",
                pl.lit(place, dtype=pl.Int8).alias("analyte"),
                "at",
                col(name).alias("value"),
                (col(name) < cut(rules, name)).alias("low"),
            ).filter(col("value").is_not_null())
            for place, name in enumerate(SERIES)
        ]
    )
    marked = (
        long.sort("person", "analyte", "at")
        .with_row_index("place")
        .with_columns(
            place=col("place").cast(pl.Int64),
            before=beside("at", 1), before_low=beside("low", 1), after=beside("at", -1), after_low=beside("low", -1),
        )
        .with_columns(
            holes=((col("at") - col("before")) > hole).fill_null(value=False).cast(pl.Int64).cum_sum(),
            # where a series ends, of every row: the next row that has no successor
            end=pl.when(col("after").is_null()).then(col("place")).backward_fill(),
            end_at=pl.when(col("after").is_null()).then(col("at")).backward_fill(),
        )
        .with_columns(end_holes=pl.when(col("after").is_null()).then(col("holes")).backward_fill())
        .with_columns(
            before_holes=col("holes") - ((col("at") - col("before")) > hole).fill_null(value=False),
            after_holes=col("holes") + ((col("after") - col("at")) > hole).fill_null(value=False),
        )
    )  # fmt: skip
    lows = (
        marked.filter(col("low"))
        .with_columns(
            low_place=beside("place", 1), low_holes=beside("holes", 1), run_at=beside("after", 1),
            next_place=pl.coalesce(beside("place", -1), col("end") + 1),
            run_end=pl.coalesce(beside("before", -1), col("end_at")),
            run_end_holes=pl.coalesce(beside("before_holes", -1), col("end_holes")),
        )
        .with_columns(
            begins=col("low_place").is_null()
            | (col("holes") != col("low_holes"))
            | recovered(col("place") - col("low_place") - 1, col("before") - col("run_at")).fill_null(value=False)
        )
        .with_columns(episode=col("begins").cum_sum(), ends=col("begins").shift(-1, fill_value=True))
    )  # fmt: skip
    confirmed = col("ends") & recovered(
        col("next_place") - col("place") - 1,
        col("run_end") - col("after"),
        sound=col("run_end_holes") == col("after_holes"),
    ).fill_null(value=False)
    found = lows.group_by("episode").agg(
        col("person").first(),
        col("analyte").first(),
        onset_latest=col("at").min(),
        last_low=col("at").max(),
        nadir=col("value").min(),
        counts=col("place").max() - col("place").min() + 1,
        onset_earliest=col("before").filter(col("begins") & ~col("before_low")).max(),
        recovery_latest=col("after").filter(col("ends") & ~col("after_low")).max(),
        confirmed=confirmed.max(),
    )
    return found.with_columns(
        analyte=col("analyte").replace_strict(dict(enumerate(SERIES)), return_dtype=pl.String),
        recovery_earliest=pl.when(col("recovery_latest").is_not_null()).then(col("last_low")),
        days_least=(col("last_low") - col("onset_latest")) / US_A_DAY,
        days_most=(col("recovery_latest") - col("onset_earliest")) / US_A_DAY,
    )


# pandas


def in_pandas(rules: Rules, rows: Any) -> tuple[Any, Any]:
    """Persons and episodes as pandas frames, from a pandas frame of rows."""
    import numpy as np
    import pandas as pd

    table = pd.DataFrame(units(rules), columns=["analyte", "unit", "over", "under"])
    known = rows.merge(table, on=["analyte", "unit"])
    known["value"] = known["value"] * known["over"] / known["under"]
    known["at"] = known["taken"].astype("datetime64[us, UTC]").astype("int64")
    known["c"] = known["status"] == "corrected"
    results = known.groupby("person").size()
    least = known.groupby(["person", "at", "analyte", "c"], sort=False)["value"].min().unstack("c")
    one = least[True].fillna(least[False]) if True in least.columns else least[False]
    draws = one.unstack("analyte").reset_index().rename(columns={"neutrophils_percent": "percent"})
    draws["neutrophils"] = draws["neutrophils"].fillna((draws["wbc"] * 100).round() * draws["percent"] / 10_000)
    columns = {name: _selected(found, draws[analyte].to_numpy(), np) for name, analyte, found in graded(rules)}
    persons = pd.DataFrame({"person": draws["person"], **columns}).groupby("person").max()
    persons["results"] = results
    persons["counts"] = draws.groupby("person")[[*SERIES, "percent"]].count().sum(axis=1)
    return persons, _episodes_in_pandas(rules, draws, np, pd)


def _selected(found: Steps, value: Any, np: Any) -> Any:
    holds = [value < limit if sign == "<" else value <= limit for sign, limit, _ in found if sign]
    grades = [np.nan if grade is None else float(grade) for _, _, grade in found]
    return np.where(np.isnan(value), np.nan, np.select(holds, grades[:-1], grades[-1]))


def _episodes_in_pandas(rules: Rules, draws: Any, np: Any, pd: Any) -> Any:
    course = rules.library.course["neutrophils"]
    hole, held = course.hole_days * US_A_DAY, course.recovery_days * US_A_DAY
    parts = [
        pd.DataFrame({"person": draws["person"], "analyte": place, "at": draws["at"], "value": draws[name]})
        .assign(low=draws[name] < cut(rules, name))
        .dropna(subset="value")
        for place, name in enumerate(SERIES)
    ]
    rows = pd.concat(parts).sort_values(["person", "analyte", "at"], ignore_index=True)

    def beside(frame: Any, name: str, by: int) -> Any:
        same = (frame["person"] == frame["person"].shift(by)) & (frame["analyte"] == frame["analyte"].shift(by))
        return frame[name].astype("float64").shift(by).where(same)

    def recovered(number: Any, span: Any, *, sound: Any = True) -> Any:
        return (number >= course.recovery_values) | ((number > 1) & (span >= held) & sound)

    rows["place"] = np.arange(len(rows))
    for name, by in (("before", 1), ("after", -1)):
        rows[name], rows[f"{name}_low"] = beside(rows, "at", by), beside(rows, "low", by)
    first = (rows["at"] - rows["before"]) > hole
    rows["holes"] = first.cumsum()
    last = rows["after"].isna()
    for name in ("place", "at", "holes"):
        rows[f"end_{name}"] = rows[name].where(last).bfill()
    rows["before_holes"] = rows["holes"] - first
    rows["after_holes"] = rows["holes"] + ((rows["after"] - rows["at"]) > hole)
    lows = rows[rows["low"]].reset_index(drop=True)
    low_place = beside(lows, "place", 1)
    lows["begins"] = (
        low_place.isna()
        | (lows["holes"] != beside(lows, "holes", 1))
        | recovered(lows["place"] - low_place - 1, lows["before"] - beside(lows, "after", 1))
    )
    next_place = beside(lows, "place", -1).fillna(lows["end_place"] + 1)
    run_end = beside(lows, "before", -1).fillna(lows["end_at"])
    sound = beside(lows, "before_holes", -1).fillna(lows["end_holes"]) == lows["after_holes"]
    ends = lows["begins"].shift(-1, fill_value=True)
    lows["episode"] = lows["begins"].cumsum()
    lows["confirmed"] = ends & recovered(next_place - lows["place"] - 1, run_end - lows["after"], sound=sound)
    lows["onset_earliest"] = lows["before"].where(lows["begins"] & (lows["before_low"] == 0))
    lows["recovery_latest"] = lows["after"].where(ends & (lows["after_low"] == 0))
    found = lows.groupby("episode").agg(
        person=("person", "first"), analyte=("analyte", "first"), onset_latest=("at", "min"),
        last_low=("at", "max"), nadir=("value", "min"), first=("place", "min"), last=("place", "max"),
        onset_earliest=("onset_earliest", "max"), recovery_latest=("recovery_latest", "max"),
        confirmed=("confirmed", "max"),
    )  # fmt: skip
    found["analyte"] = found["analyte"].map(dict(enumerate(SERIES)))
    found["counts"] = found["last"] - found["first"] + 1
    found["recovery_earliest"] = found["last_low"].where(found["recovery_latest"].notna())
    found["days_least"] = (found["last_low"] - found["onset_latest"]) / US_A_DAY
    found["days_most"] = (found["recovery_latest"] - found["onset_earliest"]) / US_A_DAY
    return found
