"""What was told of each person with `--with causes`: the leading cause, and of whom nothing could be said and why."""

from __future__ import annotations

from typing import Final

import polars as pl

from leuko.cohort.summary.base import Cell, Figure, Section, Table, Tables, moment, share
from leuko.cohort.summary.figures import stacks
from leuko.cohort.summary.words import reasons

STRENGTHS: Final = ("strong", "moderate", "weak")
_LEFT: Final = "no cause is supported"
_DRAWN: Final = 12
_COLUMNS: Final = ("person", "said", "cause", "name", "group", "standing", "strength", "rank", "text")


def causes(tables: Tables) -> Section | None:
    """How many people have each leading cause, with which strength; nothing where causes were not asked for."""
    if not tables.has("causes"):
        return None
    rows = tables.open("causes").select(_COLUMNS).collect()
    weighed = rows.filter("said")
    people = tables.people.select("person")
    who = people.with_columns(weighed=pl.col("person").is_in(weighed["person"].unique().to_list()))
    first = _leading(weighed)
    made = [_leading_table(tables, who, first)]
    if first.height:
        made.append(_standing_table(weighed))
    made += reasons(tables, rows.filter(~pl.col("said")).select("person", "text"), title="Why nothing is said")
    return Section(
        id="causes",
        title="What could explain the low counts",
        note=_note(tables, first),
        tables=tuple(made),
        figures=_figures(tables, first, who),
    )


def _leading(weighed: pl.DataFrame) -> pl.DataFrame:
    """One row a person with a supported cause: the first of them, and whether another has evidence as strong."""
    supported = weighed.filter(standing="supported").sort("person", "rank")
    first = supported.group_by("person", maintain_order=True).agg(
        pl.col("cause", "name", "strength").first(),
        tied=(pl.col("strength") == pl.col("strength").first()).sum() > 1,
    )
    return first.with_columns(pl.col("tied").cast(pl.Boolean))


def _note(tables: Tables, first: pl.DataFrame) -> str:
    tied = int(first["tied"].sum())
    as_strong = f" For {tied:,} of them another cause has evidence as strong: between these the order says little."
    return (
        f"What leuko assess says of each person, {moment(tables)}. The leading cause is the first of those that are"
        " supported; strength is a word for the evidence on record, no probability, and these numbers are no estimate"
        f" of how common a cause is. {first.height:,} people have a supported cause.{as_strong if tied else ''}"
    )


def _leading_table(tables: Tables, who: pl.DataFrame, first: pl.DataFrame) -> Table:
    parts = [part for _, part in tables.by_arm(who.join(first, on="person", how="left", maintain_order="left"))]
    asked = [part.filter("weighed") for part in parts]
    rows: list[tuple[Cell, ...]] = [
        ("people", "", *(f"{part.height:,}" for part in parts)),
        (
            "a white count is or was low: causes were weighed",
            "",
            *(share(part.height, whole.height) for part, whole in zip(asked, parts, strict=True)),
        ),
    ]
    for cause, name, strength in _order(first):
        own = pl.col("cause").eq_missing(cause) & pl.col("strength").eq_missing(strength)
        rows.append((name, strength, *(share(part.filter(own).height, part.height) for part in asked)))
    rows.append((_LEFT, "", *(share(part["cause"].null_count(), part.height) for part in asked)))
    note = "Shares from the third row on are of the people whose causes were weighed."
    columns = ("leading cause", "evidence", *tables.groups)
    return Table(title="Leading cause of each person", columns=columns, rows=tuple(rows), note=note)


def _order(first: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Causes with their strengths: the most frequent first, of each the strongest first."""
    many = first.group_by("cause").len(name="all")
    told = first.group_by("cause", "name", "strength").len().join(many, on="cause")
    place = pl.col("strength").replace_strict(dict(zip(STRENGTHS, range(3), strict=True)), default=3)
    ordered = told.sort(pl.col("all"), "name", "cause", place, descending=[True, False, False, False])
    return list(ordered.select("cause", "name", "strength").iter_rows())


def _standing_table(weighed: pl.DataFrame) -> Table:
    """Every cause that is supported for anybody, leading or not."""
    held = [(pl.col("standing") == "supported") & (pl.col("strength") == strength) for strength in STRENGTHS]
    by = weighed.group_by("cause", "name", "group").agg(
        *(one.sum().alias(strength) for strength, one in zip(STRENGTHS, held, strict=True)),
        supported=(pl.col("standing") == "supported").sum(),
        open=(pl.col("standing") == "open").sum(),
        against=pl.col("standing").is_in(["against", "ruled_out"]).sum(),
    )
    named = by.filter(pl.col("supported") > 0).sort("supported", "name", "cause", descending=[True, False, False])
    columns = ("cause", "id", "group", *STRENGTHS, "open", "spoken against or ruled out")
    rows = tuple(named.select("name", "cause", "group", *STRENGTHS, "open", "against").iter_rows())
    note = "People for whom it is supported, by the strength of its evidence, leading or not; one may have several."
    return Table(title="Every cause that is supported for somebody", columns=columns, rows=rows, note=note)


def _figures(tables: Tables, first: pl.DataFrame, who: pl.DataFrame) -> tuple[Figure, ...]:
    if not first.height:
        return ()
    told = [
        (arm, part.filter(pl.col("cause").is_not_null())) for arm, part in tables.by_arm(who.join(first, on="person"))
    ]
    names = list(dict.fromkeys(name for _, name, _ in _order(first)))[:_DRAWN]
    values = [
        {"facet": arm, "row": name, "part": strength, "number": part.filter(name=name, strength=strength).height}
        for arm, part in told
        for name in names
        for strength in STRENGTHS
    ]
    most = "" if len(names) < _DRAWN else f" The {_DRAWN} most frequent."
    text = f"People by their leading cause and the strength of the evidence for it{tables.each_arm}.{most}"
    return (Figure(title="Leading causes", text=text, spec=stacks(values, text, STRENGTHS, x_title="people")),)
