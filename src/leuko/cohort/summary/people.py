"""Who was read, what of them, and what could not be used: the first part of a summary, and its table one."""

from __future__ import annotations

import polars as pl

from leuko.cohort.summary.base import Section, Table, Tables, share, spread

_MOST = 15


def read(tables: Tables) -> Section:
    """What was read, and where every row went."""
    account, manifest = tables.account, tables.manifest
    counted = tables.open("counts").select(pl.len(), pl.col("derived").sum()).collect()
    other = _no_counts(tables)
    rows = (
        ("people", manifest["people"]),
        ("rows of results read", account["rows_read"]),
        ("… used", account["rows_used"]),
        ("… of them counts that could not be used after all", int(unused(tables.open("notices"))["rows"].sum())),
        ("… set aside: no blood counts, or without a value", other),
        ("… set aside: counts, or rows that may be, that could not be used", account["rows_set_aside"] - other),
        ("sources that could not be read to their end", account["sources_damaged"]),
        ("counts after duplicates, corrections and derivation", counted.item(0, 0)),
        ("… of them derived from others of the draw", counted.item(0, 1)),
        (
            "people answered one by one, as the fast way does not hold for them",
            sum(manifest["by_the_way_of_one_person"].values()),
        ),
    )
    first = Table(title="Rows", columns=("what", "number"), rows=rows)
    made = (first, *(table for table in (_broken(tables), _notices(tables)) if table.rows))
    return Section(id="read", title="What was read", tables=made)


def unused(notices: pl.LazyFrame) -> pl.DataFrame:
    """Counts that were read and could not be used after all, as they have no day or are of nobody: code, rows."""
    told = pl.col("lost") & (pl.col("rows") > 0) & pl.col("code").str.starts_with("LK6")
    return notices.filter(told).group_by("code").agg(pl.col("rows").sum()).sort("code").collect()


def _broken(tables: Tables) -> Table:
    """Sources that could not be read to their end, with why."""
    told = tables.open("notices").filter(pl.col("rows").is_null() & pl.col("lost")).select("file", "code", "text")
    broken = told.collect().sort("file", "code")
    note = f"{broken.height - _MOST} more are in the table notices." if broken.height > _MOST else ""
    rows = tuple(broken.head(_MOST).iter_rows())
    return Table(title="Not read to the end", columns=("source", "code", "why"), rows=rows, note=note)


def _no_counts(tables: Tables) -> int:
    """Rows that reading set aside and that could be no count; notices of area 6 are of counts that were read."""
    told = tables.open("notices").filter(~pl.col("lost") & ~pl.col("code").str.starts_with("LK6"))
    return int(told.select(pl.col("rows").sum()).collect().item() or 0)


def _notices(tables: Tables) -> Table:
    told = (
        tables.open("notices")
        .group_by("code", "severity")
        .agg(number=pl.len(), rows=pl.col("rows").sum(), lost=pl.col("lost").sum())
        .collect()
        .sort("number", "code", descending=[True, False])
    )
    titles = {code: entry.title for code, entry in tables.library.notices.items()}
    rows = tuple(
        (row["code"], row["severity"], titles.get(row["code"], ""), row["number"], row["rows"])
        for row in told.head(_MOST).iter_rows(named=True)
    )
    note = f"{told.height - _MOST} further codes are in the table notices." if told.height > _MOST else ""
    columns = ("code", "severity", "what", "notices", "rows set aside")
    return Table(title="Notices", columns=columns, rows=rows, note=note)


def table_one(tables: Tables) -> Section:
    """The people by arm: what a paper prints first."""
    persons = tables.open("persons").select("person", "counts").collect()
    base = (
        tables.open("adlb")
        .filter((pl.col("ABLFL") == "Y") & (pl.col("PARAMCD").is_in(["NEUT", "WBC", "PLAT"])))
        .select(person="USUBJID", code="PARAMCD", value="BASE")
        .collect()
    )
    span = (
        tables.open("counts")
        .group_by("person")
        .agg(first=pl.col("taken").min().dt.date(), last=pl.col("taken").max().dt.date())
        .collect()
    )
    whole = persons.join(span, on="person", how="left").join(tables.people, on="person", how="left")
    age = (pl.col("first") - pl.col("born")).dt.total_days() / 365.25
    whole = whole.with_columns(age=age, followed=(pl.col("last") - pl.col("first")).dt.total_days())
    for code in ("NEUT", "WBC", "PLAT"):
        own = base.filter(pl.col("code") == code).select("person", pl.col("value").alias(f"base_{code}"))
        whole = whole.join(own, on="person", how="left")
    parts = tables.by_arm(whole)
    rows = [("people", *(f"{part.height:,}" for _, part in parts))]
    rows += [
        (sex, *(share(part.filter(pl.col("sex") == sex).height, part.height) for _, part in parts))
        for sex in ("female", "male")
    ]
    rows += [
        ("sex not known", *(share(part["sex"].null_count(), part.height) for _, part in parts)),
        ("age at the first count [years]", *(_spread(part["age"], 1) for _, part in parts)),
        ("without a count", *(share(part["first"].null_count(), part.height) for _, part in parts)),
        ("counts a person, all lines together", *(_spread(part["counts"], 0) for _, part in parts)),
        ("from first to last count [days]", *(_spread(part["followed"], 0) for _, part in parts)),
    ]
    for code, name, digits in (("NEUT", "neutrophils", 2), ("WBC", "white cells", 2), ("PLAT", "platelets", 0)):
        values = (_spread(part[f"base_{code}"], digits) for _, part in parts)
        rows.append((f"{name} at baseline [10*9/L]", *values))
    columns = ("", *(name for name, _ in parts))
    note = (
        "Median (quartiles); n where it is not of all people. Baseline: the last count on or before the first treatment"
        " given, else before the start that the source names."
    )
    return Section(
        id="table-one", title="Table one", tables=(Table(title="People", columns=columns, rows=tuple(rows), note=note),)
    )


def _spread(values: pl.Series, digits: int) -> str:
    """Median and quartiles, with how many people they are of where some have no value."""
    known = len(values) - values.null_count()
    told = spread(values, digits)
    return told if known in {0, len(values)} else f"{told}, n = {known:,}"


def ungraded(tables: Tables) -> Section:
    """How many counts have no one grade, edition by edition, and why."""
    found: list[tuple[str | int, ...]] = []
    counts = tables.open("counts")
    for scheme in sorted(tables.library.schemes, key=lambda row: (row.id, row.in_force_from)):
        name = f"{scheme.id}_{scheme.edition}"
        known = sorted({rule.analyte for rule in scheme.rules})
        least, most = pl.col(f"{name}_least"), pl.col(f"{name}_most")
        why = (
            pl.when(least.is_null())
            .then(pl.lit("the edition gives no number for it at this age"))
            .when(least == most)
            .then(pl.lit(""))
            .when(pl.col("bound") != "=")
            .then(pl.lit("only a bound is known"))
            .when(pl.col("low").is_null())
            .then(pl.lit("no lower limit of normal is printed"))
            .otherwise(pl.lit("age or sex leaves the rule open"))
        )
        grouped = (
            counts.filter(pl.col("analyte").is_in(known)).group_by("analyte", why=why).len().sort("analyte", "why")
        ).collect()
        for (analyte,), own in grouped.group_by("analyte", maintain_order=True):
            total = int(own["len"].sum())
            for row in own.filter(pl.col("why") != "").iter_rows(named=True):
                label = tables.label(str(analyte))
                found.append((f"{scheme.id.upper()} {scheme.edition}", label, row["why"], share(row["len"], total)))
    note = "A count that cannot be graded is never grade 0. Its least and most severe grade stand in the table counts."
    table = Table(title="Counts without one grade", columns=("edition", "count", "why", "counts"), rows=tuple(found))
    return Section(id="ungraded", title="What could not be graded, and why", note=note, tables=(table,))
