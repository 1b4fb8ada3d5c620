"""Definitions and who meets them; fever with low neutrophils."""

from __future__ import annotations

import polars as pl

from leuko.cohort import frames
from leuko.cohort.outputs.definitions import on_file
from leuko.cohort.outputs.temperature import lies_in, temperatures
from leuko.cohort.summary.base import Cell, Section, Table, Tables, share
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.infection import FeverRow, FeverRules

_PROVEN = pl.col("bound").is_in(["=", "<", "<="])


def definitions(tables: Tables) -> Section:
    """Each definition: asked of whom, met by whom, left open for whom and why."""
    found = tables.open("findings").collect()
    total = int(tables.manifest["people"])
    titles = {row.id: row.title for row in on_file(tables.library).values()}
    rows: list[tuple[Cell, ...]] = []
    why: list[tuple[Cell, ...]] = []
    graded: list[tuple[Cell, ...]] = []
    for name in tables.account["definitions"]:
        own = found.filter(pl.col("definition") == name)
        people = own.group_by("person").agg(
            met=(pl.col("met") == pl.lit(value=True)).any(), left=pl.col("met").is_null().any()
        )
        met = people.filter("met").height
        left = people.filter(~pl.col("met") & pl.col("left")).height
        rows.append((name, titles.get(name, ""), people.height, share(met, people.height), left, total - people.height))
        told = (
            own.filter(pl.col("text").is_not_null())
            .group_by("text")
            .len()
            .sort("len", "text", descending=[True, False])
        )
        why += [(name, row["text"], row["len"]) for row in told.head(4).iter_rows(named=True)]
        grades = own.filter(pl.col("grade_most").is_not_null())
        if grades.height:
            graded += [(name, *row) for row in _grades(grades)]
    columns = ("definition", "title", "people with its event", "met", "left open", "people without it")
    note = (
        "Its event: a transplantation, immune effector cells, a cycle of treatment, or a count or condition that lets"
        " people in; met and left open are of the people with it."
        + (" Definitions were run as published, with their holes." if tables.account["as_published"] else "")
    )
    made = [Table(title="Definitions", columns=columns, rows=tuple(rows), note=note)]
    if graded:
        made.append(Table(title="Grades of definitions", columns=("definition", "grade", "people"), rows=tuple(graded)))
    if why:
        made.append(Table(title="Why something is left open", columns=("definition", "why", "times"), rows=tuple(why)))
    return Section(id="definitions", title="Definitions", tables=tuple(made))


def _grades(own: pl.DataFrame) -> list[tuple[str, int]]:
    said = (
        pl.when(pl.col("grade_least") == pl.col("grade_most"))
        .then(pl.col("grade_least").cast(pl.String))
        .otherwise(pl.format("{} to {}", "grade_least", "grade_most"))
    )
    return [(row[0], row[1]) for row in own.group_by(said.alias("grade")).len().sort("grade").iter_rows()]


def febrile(tables: Tables) -> Section:
    """A single temperature at a body's limit within a day of a neutrophil count below its limit."""
    title = "Fever with low neutrophils"
    reported = tables.open("facts").filter(
        pl.col("kind").is_in(["adverse_event", "condition"])
        & pl.col("name").str.to_lowercase().str.contains("febrile neutropenia|neutropenic fever|febrile neutropaenia")
    )
    named = reported.select(pl.col("person").n_unique()).collect().item() if tables.has("facts") else 0
    total = int(tables.manifest["people"])
    readings = _readings(tables)
    rows: list[tuple[Cell, ...]] = [("reported as an event or a condition", "", "", named, total)]
    rules = tables.library.rows(FeverRules)[0]
    if readings.height:
        counts = tables.open("counts").filter((pl.col("analyte") == "neutrophils") & pl.col("taken").is_not_null())
        near = _joined(readings, counts.select("person", "taken", "value", "bound").collect(), rules.count_hours)
        for row in tables.library.rows(FeverRow):
            if row.single is None or not row.basis.drives or row.neutrophils is None or row.route == "axillary":
                continue
            met = near.filter(lies_in("celsius", row.single) & lies_in("value", row.neutrophils) & _PROVEN)
            called = row.body if row.document in row.body else f"{row.body}, {row.document}"
            names = (called, row.id, _said(row.single, row.neutrophils))
            rows.append((*names, met["person"].n_unique(), near["person"].n_unique()))
    note = (
        f"Asked: people with a temperature and a neutrophil count no more than {rules.count_hours:g} hours apart;"
        f" {readings['person'].n_unique():,} people have a temperature at all."
        if readings.height
        else "No temperature is on record."
    )
    note += " Limits that a temperature must hold for a time are not asked here; leuko assess asks them of one person."
    columns = ("definition", "id", "limits", "people", "of people asked")
    return Section(
        id="febrile", title=title, note=note, tables=(Table(title="People", columns=columns, rows=tuple(rows)),)
    )


def _readings(tables: Tables) -> pl.DataFrame:
    """Every temperature on record: person, taken, celsius."""
    if not tables.has("signs"):
        return temperatures(pl.DataFrame(schema=frames.schema(frames.SIGNS)), tables.library)
    return temperatures(tables.open("signs"), tables.library)


def _joined(readings: pl.DataFrame, counts: pl.DataFrame, hours: float) -> pl.DataFrame:
    """Every reading with every count of the same person no further away than so many hours."""
    together = readings.join(counts, on="person", suffix="_count")
    apart = (pl.col("taken") - pl.col("taken_count")).dt.total_seconds().abs()
    return together.filter(apart <= hours * 3600)


def _said(single: Band, neutrophils: Band) -> str:
    warm = f"{'≥' if single.lower_inclusive else '>'} {single.lower} °C"
    return f"{warm}, neutrophils {'≤' if neutrophils.upper_inclusive else '<'} {neutrophils.upper}"
