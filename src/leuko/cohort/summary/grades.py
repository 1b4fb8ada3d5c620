"""Worst grades by arm and edition, shifts from baseline, and how common low counts are."""

from __future__ import annotations

import math
from typing import Final

import polars as pl

from leuko.cohort.outputs.adam import parameter_codes
from leuko.cohort.summary.base import Cell, Figure, Section, Table, Tables, share
from leuko.cohort.summary.figures import bars
from leuko.wording import say_list

GRADES: Final = (0, 1, 2, 3, 4)
OPEN: Final = "left open"
NONE: Final = "no count"
NO_RULE: Final = "no rule in it"
_Z: Final = 1.96


def worst(tables: Tables) -> Section:
    """The worst grade of each person, edition by edition, arm by arm."""
    persons = tables.open("persons").collect()
    counted = tables.open("counts").select("person", "analyte").unique().collect(engine="streaming")
    made: list[Table] = []
    figures: list[Figure] = []
    without: list[str] = []
    bounded: list[str] = []
    for analyte in tables.report.analytes:
        seen = set(counted.filter(analyte=analyte)["person"])
        names = [name for name in persons.columns if name.startswith(f"worst_{analyte}_") and _whole(name)]
        if not seen or not names:
            without += [] if seen else [tables.label(analyte).lower()]
            continue
        told = persons.with_columns(seen=pl.col("person").is_in(list(seen)))
        groups = [
            (_edition(name, analyte), arm, _numbers(part, name)) for name in names for arm, part in tables.by_arm(told)
        ]
        if all(numbers[OPEN] + numbers[NO_RULE] + numbers[NONE] == sum(numbers.values()) for _, _, numbers in groups):
            bounded += [analyte] if analyte in _only_bounds(tables) else []
        if analyte in bounded:
            continue
        made.append(_worst_table(tables, analyte, groups))
        if not figures:
            figures.append(_worst_figure(tables, analyte, groups))
    note = (
        "Shares are of the people with such a count. Left open: bounds, a limit of normal or an age leave more than one"
        " grade possible."
    )
    note += f" Nobody has a count of {' or '.join(without)}." if without else ""
    only = say_list([tables.label(analyte).lower() for analyte in bounded])
    note += f" Of {only} only bounds are known, from other counts of the draw, and no grade follows." if only else ""
    title = "Worst grade by arm" if len(tables.groups) > 1 else "Worst grade"
    return Section(id="worst", title=title, note=note, tables=tuple(made), figures=tuple(figures))


_Group = tuple[str, str, dict[str, int]]


def _edition(name: str, analyte: str) -> str:
    return name.removeprefix(f"worst_{analyte}_").replace("_", " ").upper()


def _worst_table(tables: Tables, analyte: str, groups: list[_Group]) -> Table:
    """A row an edition and arm; a column more where an edition has no rule for people with such a count."""
    ruled = any(numbers[NO_RULE] for _, _, numbers in groups)
    rows: list[tuple[Cell, ...]] = []
    for edition, arm, numbers in groups:
        seen = sum(numbers.values()) - numbers[NONE]
        keys = (*map(str, GRADES), OPEN, *((NO_RULE,) if ruled else ()))
        rows.append((edition, arm, *(share(numbers[key], seen) for key in keys), numbers[NONE]))
    columns = ("edition", "arm", *(f"grade {grade}" for grade in GRADES), OPEN, *((NO_RULE,) if ruled else ()), NONE)
    return Table(title=tables.label(analyte), columns=columns, rows=tuple(rows))


def _worst_figure(tables: Tables, analyte: str, groups: list[_Group]) -> Figure:
    keys = (*map(str, GRADES), OPEN)
    values = [
        {"edition": edition, "arm": arm, "grade": key, "share": numbers[key] / seen}
        for edition, arm, numbers in groups
        if (seen := sum(numbers[one] for one in keys))
        for key in keys
    ]
    label = tables.label(analyte)
    text = f"Worst grade of {label.lower()} a person, as a share of the people with such a count, by edition."
    return Figure(title=f"Worst grade: {label}", text=text, spec=bars(values, text))


def _only_bounds(tables: Tables) -> list[str]:
    """What nobody's counts give a value of: every count is a bound."""
    valued = pl.col("value").filter(pl.col("bound") == "=").count()
    found = tables.open("counts").group_by("analyte").agg(valued=valued).filter(pl.col("valued") == 0).collect()
    return [analyte for analyte in tables.report.analytes if analyte in set(found["analyte"])]


def _whole(name: str) -> bool:
    return not name.endswith(("_least", "_most"))


def _numbers(part: pl.DataFrame, name: str) -> dict[str, int]:
    """People by their worst grade; those with a count that the edition has no rule for are told apart from those
    without one."""
    numbers = {str(grade): part.filter(pl.col(name) == grade).height for grade in GRADES}
    none = part.filter(~pl.col("seen")).height
    unruled = part.filter(pl.col("seen") & pl.col(f"{name}_least").is_null() & pl.col(f"{name}_most").is_null()).height
    return {**numbers, OPEN: part.height - sum(numbers.values()) - none - unruled, NO_RULE: unruled, NONE: none}


def shifts(tables: Tables) -> Section:
    """Grade at baseline against the worst after it, in the edition that was asked for.

    A worst grade is told where the least and the most of all later counts agree on it: a count that was left open is
    no grade 0.
    """
    codes = parameter_codes(tables.library)
    adlb = tables.open("adlb")
    bounded = _only_bounds(tables)
    made = []
    for analyte in (one for one in tables.report.analytes if one not in bounded):
        own = adlb.filter(pl.col("PARAMCD") == codes[analyte])
        based = own.filter(pl.col("ABLFL") == "Y").select("USUBJID")
        after = own.join(based, on="USUBJID", how="semi").filter((pl.col("ADY") > 1) & pl.col("ABLFL").is_null())
        least, most = pl.col("ATOXGRLL").cast(pl.Int8), pl.col("ATOXGRLM").cast(pl.Int8)
        told = least.max() == pl.when(most.null_count() == 0).then(most.max())
        whole = (
            after.group_by(person="USUBJID")
            .agg(after=pl.when(told).then(least.max()), base=pl.col("BTOXGRL").cast(pl.Int8).first())
            .collect()
        )
        rows: list[tuple[Cell, ...]] = []
        for arm, part in tables.by_arm(whole):
            for base in (*GRADES, None):
                cells = [_cell(part, base, grade) for grade in (*GRADES, None)]
                rows.append((arm, _said(base), *cells, sum(cells)))
        kept = tuple(row for row in rows if row[-1])
        if kept:
            columns = ("arm", "at baseline", *(f"grade {grade}" for grade in GRADES), OPEN, "people")
            made.append(Table(title=tables.label(analyte), columns=columns, rows=kept))
    note = (
        "People with a baseline and a count after day 1; rows are the grade at baseline, columns the worst after it."
        " Left open: at baseline the count has no one grade, after it the counts leave more than one possible."
        if made
        else "Nobody has a baseline: no treatment that was given and no start is on record."
    )
    title = f"Shift from baseline to the worst grade after it ({tables.edition})"
    return Section(id="shift", title=title, note=note, tables=tuple(made))


def _said(grade: int | None) -> str:
    return OPEN if grade is None else f"grade {grade}"


def _cell(part: pl.DataFrame, base: int | None, grade: int | None) -> int:
    first = pl.col("base").is_null() if base is None else pl.col("base") == base
    then = pl.col("after").is_null() if grade is None else pl.col("after") == grade
    return part.filter(first & then).height


def prevalence(tables: Tables) -> Section:
    """How common low counts are; with survey weights where people have them.

    Those whose grade is left open do not reach it in the share, and all reach it in the most that it may be.
    """
    persons = tables.open("persons").collect()
    weighted = tables.people["weight"].drop_nulls().len() > 0
    weights = tables.people.select("person", "weight")
    bounded = _only_bounds(tables)
    rows: list[tuple[Cell, ...]] = []
    for analyte in (one for one in tables.report.analytes if one not in bounded):
        name = f"worst_{analyte}_{tables.grade}"
        if name not in persons.columns:
            continue
        least, most = pl.col(f"{name}_least"), pl.col(f"{name}_most")
        asked = persons.filter(least.is_not_null() | most.is_not_null()).join(weights, on="person", how="left")
        for grade in GRADES[1:] if asked.height else ():
            sure = asked.select("weight", has=(least >= grade).fill_null(value=False))
            may = asked.select("weight", has=(most >= grade).fill_null(value=True))
            left = int(may["has"].sum()) - int(sure["has"].sum())
            at_most = _estimate(may, weighted=weighted)[1:] if left else ("", "")
            told = _estimate(sure, weighted=weighted)
            rows.append((tables.label(analyte), f"grade {grade} or more", *told, left, *at_most))
    columns = (
        "count", "worst grade", "people, for sure", "share", "95 % interval", "left open",
        "share, were they all to have it", "95 % interval of that",
    )  # fmt: skip
    how = (
        "Shares are weighted; intervals by linearisation of the ratio, and where nobody or everybody has it, Wilson's"
        " of Kish's effective number of people"
        if weighted
        else "Intervals are Wilson's"
    )
    note = (
        f"{how}. Shares are of the people with such a count: those whose grade is left open are not counted as low, so"
        f" that the true share lies between the two. {tables.edition}."
    )
    if not rows:
        return Section(id="prevalence", title="How common low counts are", note="No count of anybody can be graded.")
    table = Table(title="People", columns=columns, rows=tuple(rows))
    return Section(id="prevalence", title="How common low counts are", note=note, tables=(table,))


def _estimate(told: pl.DataFrame, *, weighted: bool) -> tuple[str, str, str]:
    """People, share and its 95 % interval; `has` says who counts."""
    number = f"{int(told['has'].sum()):,} of {told.height:,}"
    if weighted:
        held = told.filter(pl.col("weight").is_not_null() & (pl.col("weight") > 0)).cast({"has": pl.Float64})
        total = float(held["weight"].sum())
        if not total:
            return number, "–", "no person has a weight"
        has = int(held["has"].sum())
        part = has / held.height if has in {0, held.height} else float((held["weight"] * held["has"]).sum()) / total
        if part in {0.0, 1.0}:
            # a ratio without spread has no error of its own, which says nothing of how sure it is
            low, high = wilson(part, total**2 / float((held["weight"] ** 2).sum()))
        else:
            error = math.sqrt(float((held["weight"] ** 2 * (held["has"] - part) ** 2).sum())) / total
            low, high = max(0.0, part - _Z * error), min(1.0, part + _Z * error)
    else:
        part = int(told["has"].sum()) / told.height
        low, high = wilson(part, told.height)
    return number, f"{part:.1%}".replace("%", " %"), f"{100 * low:.1f} to {100 * high:.1f} %"


def wilson(part: float, number: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927)."""
    square = _Z * _Z
    middle = (part + square / (2 * number)) / (1 + square / number)
    half = _Z / (1 + square / number) * math.sqrt(part * (1 - part) / number + square / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)
