"""Cycles, episodes, and how long it takes to the nadir and back."""

from __future__ import annotations

import polars as pl

from leuko.cohort.summary.base import Cell, Figure, Section, Table, Tables, share, spread
from leuko.cohort.summary.figures import curves, ranges
from leuko.cohort.summary.survival import Curve, Times, estimated

_DAY = 86_400.0


def cycles(tables: Tables) -> Section:
    """Severe neutropenia in each cycle: who had it, and for how many days at least and at most."""
    found = tables.open("findings").filter(pl.col("definition") == tables.report.severe).collect()
    rows: list[tuple[Cell, ...]] = []
    values = []
    for arm, part in tables.by_arm(found):
        for cycle in sorted(part["cycle"].unique().to_list()):
            own = part.filter(pl.col("cycle") == cycle)
            seen = own.filter(pl.col("least").is_not_null())
            sure = seen.filter(pl.col("met")).height
            left = seen["met"].null_count()
            least, most = seen["least"], seen["most"]
            rows.append(
                (
                    arm,
                    cycle,
                    own.height,
                    seen.height,
                    share(sure, seen.height),
                    share(left, seen.height),
                    _mean(least),
                    spread(least),
                    _mean(most),
                    spread(most),
                    most.null_count(),
                )
            )
            if seen.height and most.drop_nulls().len():
                values.append({"x": cycle, "arm": arm, "least": least.mean(), "most": most.mean()})
    if not rows:
        note = "No cytotoxic treatment that was given is on record, so there are no cycles."
        return Section(id="cycles", title="Severe neutropenia by cycle", note=note)
    columns = (
        "arm", "cycle", "people", "with counts", "severe for sure", "left open",
        "least days, mean", "least, median (quartiles)", "most days, mean", "most, median (quartiles)",
        "most open-ended",
    )  # fmt: skip
    note = (
        "Days below 0.5 in a cycle lie between the least and the most that the samples allow: a fall between two counts"
        " is not invented. Severe for sure: a count of the cycle lies below it. Left open: none does, but the true"
        " nadir may have lain between two of them."
    )
    text = "Mean of the least and of the most days of severe neutropenia that the samples allow, by cycle."
    spec = ranges(values, text, x_title="cycle", y_title="days")
    figure = Figure(title="Days of severe neutropenia", text=text, spec=spec)
    figures = (figure,) if values else ()
    return Section(
        id="cycles", title="Severe neutropenia by cycle", note=note,
        tables=(Table(title="Duration of severe neutropenia", columns=columns, rows=tuple(rows)),), figures=figures,
    )  # fmt: skip


def _mean(values: pl.Series) -> str:
    known = values.drop_nulls()
    return f"{float(known.sum()) / len(known):.2f}" if len(known) else "–"


def episodes(tables: Tables) -> Section:
    """Episodes of low counts: how many, how deep, how long."""
    whole = tables.open("episodes").collect()
    rows: list[tuple[Cell, ...]] = []
    for analyte in tables.report.analytes:
        for arm, part in tables.by_arm(whole.filter(pl.col("analyte") == analyte)):
            if not part.height:
                continue
            closed = part.filter(pl.col("censoring") == "none")
            rows.append(
                (
                    tables.label(analyte), arm, part.height, part["person"].n_unique(), spread(part["nadir"], 2),
                    spread(part["days_least"]), spread(part["days_most"]), share(closed.height, part.height),
                    spread(part["dsn_least"]), spread(part["dsn_most"]),
                )
            )  # fmt: skip
    columns = (
        "count", "arm", "episodes", "people", "nadir", "days, least", "days, most", "begin and end seen",
        "days below 0.5, least", "days below 0.5, most",
    )  # fmt: skip
    note = "Median (quartiles). An end that was not seen has no most."
    return Section(
        id="episodes", title="Episodes", tables=(Table(title="Episodes", columns=columns, rows=tuple(rows), note=note),)
    )


def times(tables: Tables) -> Section:
    """Time from the first day to the nadir, and from the onset to recovery, of the first episode of neutrophils."""
    first = (
        tables.open("episodes")
        .filter(pl.col("analyte") == tables.report.analytes[0])
        .sort("person", "onset_latest")
        .group_by("person", maintain_order=True)
        .first()
        .collect()
    )
    if not first.height:
        return Section(id="times", title="Time to nadir and to recovery", note="There is no episode of neutropenia.")
    last = tables.open("counts").group_by("person").agg(seen=pl.col("taken").max()).collect()
    first = first.join(last, on="person", how="left")
    first = first.with_columns(
        to_nadir=pl.col("nadir_taken") - pl.col("onset_latest"),
        earliest=pl.col("recovery_earliest") - pl.col("onset_latest"),
        latest=pl.col("recovery_latest") - pl.coalesce("onset_earliest", "onset_latest"),
        observed=pl.coalesce("recovery_latest", "seen") - pl.col("onset_latest"),
        back=pl.col("recovery_latest").is_not_null(),
    ).with_columns(pl.col("to_nadir", "earliest", "latest", "observed").dt.total_seconds() / _DAY)
    rows: list[tuple[Cell, ...]] = []
    drawn: list[Curve] = []
    said = ""
    for arm, part in tables.by_arm(first):
        nadir = spread(part["to_nadir"])
        if not part.height:
            continue
        try:
            plain, between = estimated(_times(part), arm)
        except ModuleNotFoundError as error:
            said = f"{error.name} is not installed: install leuko with the extra `survival` for these estimates. "
            rows.append((arm, part.height, nadir, int(part["back"].sum()), "–", "–"))
            continue
        drawn += [plain, between]
        rows.append((arm, part.height, nadir, int(part["back"].sum()), plain.median, between.median))
    columns = (
        "arm", "people", "first low count to nadir [days], median (quartiles)", "recovery seen",
        "first low count to recovery [days], Kaplan-Meier median (95 %)", "onset to recovery [days], Turnbull median",
    )  # fmt: skip
    note = said + (
        "First episode of each person. Kaplan-Meier takes the first count back at or above the limit as the day of"
        " recovery, and so is late; Turnbull knows only that onset and recovery lie between two counts each."
    )
    figures: tuple[Figure, ...] = ()
    if drawn:
        text = "Share of people whose neutrophils have not recovered, by days since the first low count."
        spec = curves(
            [point for curve in drawn for point in curve.points], text, x_title="days", y_title="not recovered"
        )
        figures = (Figure(title="Time to recovery", text=text, spec=spec),)
    table = Table(title="First episode of neutropenia", columns=columns, rows=tuple(rows))
    return Section(id="times", title="Time to nadir and to recovery", note=note, tables=(table,), figures=figures)


def _times(part: pl.DataFrame) -> Times:
    return Times(
        observed=tuple(part["observed"].to_list()),
        event=tuple(part["back"].to_list()),
        low=tuple(value or 0.0 for value in part["earliest"].fill_null(part["observed"]).to_list()),
        high=tuple(part["latest"].to_list()),
    )
