"""Cycles, episodes, and how long it takes to the nadir and back."""

from __future__ import annotations

from typing import Final

import polars as pl

from leuko.cohort.summary.base import Cell, Figure, Section, Table, Tables, share, spread
from leuko.cohort.summary.figures import curves, ranges
from leuko.cohort.summary.survival import KAPLAN_MEIER, TURNBULL, Curve, Times, estimated

_DAY: Final = 86_400.0
_DAYS: Final = (0, 3, 7, 10, 14, 21, 28, 42, 56, 84)  # that the curves are printed at
_SHARES: Final = ("share", "low", "high")
_PANELS: Final = {
    KAPLAN_MEIER: "Kaplan-Meier, days from the first low count; band: 95 %",
    TURNBULL: "Turnbull, days from the onset; band: as early and as late as the counts allow",
}


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
        f"Days below {tables.severe:g} in a cycle lie between the least and the most that the samples allow: a fall"
        " between two counts is not invented. Severe for sure: a count of the cycle lies below it. Left open: none"
        " does, but the true nadir may have lain between two of them."
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
    severe = tables.report.analytes[0]
    rows: list[tuple[Cell, ...]] = []
    for analyte in tables.report.analytes:
        for arm, part in tables.by_arm(whole.filter(pl.col("analyte") == analyte)):
            if not part.height:
                continue
            closed = part.filter(pl.col("censoring") == "none")
            rows.append(
                (
                    tables.measure(analyte), _limits(part), arm, part.height, part["person"].n_unique(),
                    spread(part["nadir"], _digits(part["nadir"])),
                    spread(part["days_least"]), spread(part["days_most"]), share(closed.height, part.height),
                    *((spread(part["dsn_least"]), spread(part["dsn_most"])) if analyte == severe else ("", "")),
                )
            )  # fmt: skip
    columns = (
        "count", "low is below", "arm", "episodes", "people", "nadir", "days, least", "days, most",
        "begin and end seen", f"days below {tables.severe:g}, least", f"days below {tables.severe:g}, most",
    )  # fmt: skip
    if not rows:
        return Section(id="episodes", title="Episodes", note="No count is low by the limits of its line.")
    note = (
        "Median (quartiles) over episodes. An episode lasts from the first low count to the first that is back; the"
        " least of its days are proven by low counts, the most are those that the counts before and after allow. An"
        " episode whose begin or end was not seen has no most, and is not in that median."
    )
    return Section(
        id="episodes", title="Episodes", tables=(Table(title="Episodes", columns=columns, rows=tuple(rows), note=note),)
    )


def _limits(part: pl.DataFrame) -> str:
    """The limits below which counts were low: they depend on age, and on sex."""
    limits = sorted(float(limit) for limit in part["cut"].drop_nulls().unique())
    return f"{limits[0]:g}" if len(limits) == 1 else f"{limits[0]:g} to {limits[-1]:g}" if limits else "–"


def _digits(values: pl.Series) -> int:
    """Decimals that say as much of 130 g/L as of 0.42 x 10*9/L."""
    middle = values.median()
    return 0 if isinstance(middle, float) and middle >= 20 else 2


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
    last = tables.open("counts").group_by("person").agg(seen=pl.col("taken").max()).collect(engine="streaming")
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
        "First episode of neutropenia of each person who had one; recovered is the first count back at or above the"
        " limit of the episode. Kaplan-Meier takes the day of that count as the day of recovery, and so is late; who"
        " was not seen to recover is censored at the last count. Turnbull knows only that onset and recovery lie"
        " between two counts each: its curve is a band, as early and as late as the counts allow."
    )
    tables_ = [Table(title="First episode of neutropenia", columns=columns, rows=tuple(rows))]
    figures: tuple[Figure, ...] = ()
    if drawn:
        tables_.append(_curve_table(drawn))
        text = (
            f"Share of people whose neutrophils have not recovered, by Kaplan-Meier and by Turnbull{tables.by_colour}."
        )
        points = [point for curve in drawn for point in curve.points]
        spec = curves(points, text, x_title="days", y_title="not recovered", titles=_PANELS)
        figures = (Figure(title="Time to recovery", text=text, spec=spec),)
    return Section(id="times", title="Time to nadir and to recovery", note=note, tables=tuple(tables_), figures=figures)


def _curve_table(drawn: list[Curve]) -> Table:
    """The curves in numbers, week by week, with those at risk."""
    rows: list[tuple[Cell, ...]] = []
    for plain, between in zip(drawn[::2], drawn[1::2], strict=True):
        last = max(plain.observed)
        for day in (day for day in _DAYS if day <= last):
            now, band = plain.at(day), between.at(day)
            rows.append(
                (
                    plain.points[0]["arm"],
                    day,
                    plain.at_risk(day),
                    "–" if now is None else _with_ends(now),
                    "–" if band is None else _band(band["low"], band["high"]),
                )
            )
    columns = ("arm", "day", "at risk", "not recovered, Kaplan-Meier (95 %)", "not recovered, Turnbull")
    note = "At risk: still looked at and not recovered before that day, counted from the first low count."
    return Table(title="Not recovered, by day", columns=columns, rows=tuple(rows), note=note)


def _band(low: float, high: float) -> str:
    """Two shares, or one where they are the same as printed."""
    ends = list(dict.fromkeys(f"{100 * end:.0f}" for end in (low, high)))
    return f"{' to '.join(ends)} %"


def _with_ends(point: dict[str, float | None]) -> str:
    share_, low, high = (None if point[name] is None else 100 * float(point[name] or 0) for name in _SHARES)
    ends = "" if low is None or high is None else f" ({low:.0f} to {high:.0f})"
    return f"{share_:.0f} %{ends}"


def _times(part: pl.DataFrame) -> Times:
    return Times(
        observed=tuple(part["observed"].to_list()),
        event=tuple(part["back"].to_list()),
        low=tuple(value or 0.0 for value in part["earliest"].fill_null(part["observed"]).to_list()),
        high=tuple(part["latest"].to_list()),
    )
