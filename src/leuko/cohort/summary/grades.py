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
_Z: Final = 1.96


def worst(tables: Tables) -> Section:
    """The worst grade of each person, edition by edition, arm by arm."""
    persons = tables.open("persons").collect()
    made, figures, without = [], [], []
    for analyte in tables.report.analytes:
        names = [name for name in persons.columns if name.startswith(f"worst_{analyte}_") and _whole(name)]
        rows: list[tuple[Cell, ...]] = []
        values = []
        for name in names:
            edition = name.removeprefix(f"worst_{analyte}_").replace("_", " ").upper()
            for arm, part in tables.by_arm(persons.select("person", name, f"{name}_least", f"{name}_most")):
                numbers = _numbers(part, name)
                seen = sum(numbers.values()) - numbers[NONE]
                cells = [share(numbers[key], seen) for key in (*map(str, GRADES), OPEN)]
                rows.append((edition, arm, *cells, numbers[NONE]))
                values += (
                    []
                    if not seen
                    else [
                        {"edition": edition, "arm": arm, "grade": key, "share": numbers[key] / seen}
                        for key in (*map(str, GRADES), OPEN)
                    ]
                )
        columns = ("edition", "arm", *(f"grade {grade}" for grade in GRADES), OPEN, NONE)
        if not values:
            without.append(tables.label(analyte).lower())
        else:
            made.append(Table(title=tables.label(analyte), columns=columns, rows=tuple(rows)))
        if analyte == tables.report.analytes[0] and values:
            label = tables.label(analyte)
            text = f"Worst grade of {label.lower()} a person, as a share of the people with such a count, by edition."
            figures.append(Figure(title=f"Worst grade: {label}", text=text, spec=bars(values, text)))
    note = (
        "Shares are of the people with such a count. Left open: bounds, a limit of normal or an age leave more than one"
        " grade possible."
    )
    note += f" Nobody has a count of {' or '.join(without)}." if without else ""
    bounds = [tables.label(analyte).lower() for analyte in _only_bounds(tables)]
    note += f" Of {say_list(bounds)} only bounds are known, from other counts of the draw." if bounds else ""
    return Section(id="worst", title="Worst grade by arm", note=note, tables=tuple(made), figures=tuple(figures))


def _only_bounds(tables: Tables) -> list[str]:
    """What nobody's counts give a value of: every count is a bound."""
    valued = pl.col("value").filter(pl.col("bound") == "=").count()
    found = tables.open("counts").group_by("analyte").agg(valued=valued).filter(pl.col("valued") == 0).collect()
    return [analyte for analyte in tables.report.analytes if analyte in set(found["analyte"])]


def _whole(name: str) -> bool:
    return not name.endswith(("_least", "_most"))


def _numbers(part: pl.DataFrame, name: str) -> dict[str, int]:
    numbers = {str(grade): part.filter(pl.col(name) == grade).height for grade in GRADES}
    none = part.filter(pl.col(f"{name}_least").is_null() & pl.col(f"{name}_most").is_null()).height
    return {**numbers, OPEN: part.height - sum(numbers.values()) - none, NONE: none}


def shifts(tables: Tables) -> Section:
    """Grade at baseline against the worst after it, in the edition that was asked for."""
    codes = parameter_codes(tables.library)
    adlb = tables.open("adlb")
    made = []
    for analyte in tables.report.analytes:
        own = adlb.filter(pl.col("PARAMCD") == codes[analyte])
        grade = pl.col("ATOXGRL").cast(pl.Int8)
        based = own.filter(pl.col("ABLFL") == "Y").select("USUBJID", _from="ADT")
        after = own.join(based, on="USUBJID").filter((pl.col("ADY") > 1) & pl.col("ABLFL").is_null())
        base = pl.col("BTOXGRL").cast(pl.Int8).first()
        whole = after.group_by(person="USUBJID").agg(after=grade.max(), base=base).collect()
        rows: list[tuple[Cell, ...]] = []
        for arm, part in tables.by_arm(whole):
            rows += [
                (arm, _said(base), *(_cell(part, base, grade) for grade in (*GRADES, None))) for base in (*GRADES, None)
            ]
        kept = tuple(row for row in rows if any(row[2:]))
        if kept:
            columns = ("arm", "at baseline", *(f"grade {grade}" for grade in GRADES), "not graded")
            made.append(Table(title=tables.label(analyte), columns=columns, rows=kept))
    note = "" if made else "Nobody has a baseline: no treatment that was given and no start is on record."
    title = f"Shift from baseline to the worst grade after it ({tables.grade.replace('_', ' ').upper()})"
    return Section(id="shift", title=title, note=note, tables=tuple(made))


def _said(grade: int | None) -> str:
    return "not graded" if grade is None else f"grade {grade}"


def _cell(part: pl.DataFrame, base: int | None, grade: int | None) -> int:
    first = pl.col("base").is_null() if base is None else pl.col("base") == base
    then = pl.col("after").is_null() if grade is None else pl.col("after") == grade
    return part.filter(first & then).height


def prevalence(tables: Tables) -> Section:
    """How common low counts are; with survey weights where people have them."""
    persons = tables.open("persons").collect()
    weighted = tables.people["weight"].drop_nulls().len() > 0
    weights = tables.people.select("person", "weight")
    rows: list[tuple[Cell, ...]] = []
    for analyte in tables.report.analytes:
        name = f"worst_{analyte}_{tables.grade}"
        if name not in persons.columns:
            continue
        least, most = pl.col(f"{name}_least"), pl.col(f"{name}_most")
        for grade in GRADES[1:]:
            sure = pl.when(least >= grade).then(1.0).when(most < grade).then(0.0)
            asked = persons.filter(least.is_not_null() | most.is_not_null()).select("person", sure=sure)
            told = asked.filter(pl.col("sure").is_not_null()).join(weights, on="person", how="left")
            left = asked.height - told.height
            if told.height:
                rows.append(
                    (tables.label(analyte), f"grade {grade} or more", *_estimate(told, weighted=weighted), left)
                )
    columns = ("count", "worst grade", "people", "share", "95 % interval", "left open")
    how = "Shares are weighted; intervals by linearisation of the ratio" if weighted else "Intervals are Wilson's"
    note = f"{how}. People whose grade is left open are in no share. {tables.grade.replace('_', ' ').upper()}."
    table = Table(title="People", columns=columns, rows=tuple(rows))
    return Section(id="prevalence", title="How common low counts are", note=note, tables=(table,))


def _estimate(told: pl.DataFrame, *, weighted: bool) -> tuple[str, str, str]:
    """People, share and its 95 % interval."""
    number = f"{int(told['sure'].sum()):,} of {told.height:,}"
    if weighted:
        held = told.filter(pl.col("weight").is_not_null() & (pl.col("weight") > 0))
        total = float(held["weight"].sum())
        if not total:
            return number, "–", "no person has a weight"
        part = float((held["weight"] * held["sure"]).sum()) / total
        error = math.sqrt(float((held["weight"] ** 2 * (held["sure"] - part) ** 2).sum())) / total
        low, high = max(0.0, part - _Z * error), min(1.0, part + _Z * error)
    else:
        part = float(told["sure"].mean() or 0.0)  # type: ignore[arg-type]
        low, high = wilson(part, told.height)
    return number, f"{part:.1%}".replace("%", " %"), f"{100 * low:.1f} to {100 * high:.1f} %"


def wilson(part: float, number: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927)."""
    square = _Z * _Z
    middle = (part + square / (2 * number)) / (1 + square / number)
    half = _Z / (1 + square / number) * math.sqrt(part * (1 - part) / number + square / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)
