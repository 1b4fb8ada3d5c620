"""The figure in words, computed from the same rows as the figure itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from leuko.knowledge import Library, load_library
from leuko.report.series import Edition, GradeStripe, Lane, Point, lanes, points, shown_analytes
from leuko.result import Assessment
from leuko.wording import say_date, say_list, say_moment, say_unit

_COUNTED = {
    "derived": "derived (open circles)",
    "at_most": "only known as an upper bound (triangles pointing down)",
    "at_least": "only known as a lower bound (triangles pointing up)",
    "zero": "zero (squares on the foot of the axis)",
    "set_aside": "set aside (crosses)",
    "superseded": "superseded by a correction (crosses)",
}


def describe(
    assessment: Assessment,
    *,
    analytes: Iterable[str] | None = None,
    scheme: str = "ctcae",
    edition: str = "5",
    library: Library | None = None,
) -> str:
    """The alternative text of the figure: what is drawn, first, lowest and latest value, marks, bands, treatment."""
    bands = Edition(scheme=scheme, edition=edition, library=library or load_library())
    rows = points(assessment, scheme=scheme, edition=edition)
    shown = shown_analytes(assessment, analytes)
    if not shown:
        return "No figure: there is no blood count to draw."
    parts = [
        _panel_words([row for row in rows if row.analyte == analyte], bands.stripes(assessment, analyte), bands.name)
        for analyte in shown
    ]
    return " ".join(["Blood counts over time, on logarithmic axes.", *parts, *_treatment_words(lanes(assessment))])


def _panel_words(rows: list[Point], bands: tuple[GradeStripe, ...], named: str) -> str:
    used = [row for row in rows if row.mark not in {"set_aside", "superseded"}]
    dated = [row for row in used if row.at is not None]
    unit = say_unit(rows[0].unit)
    said = [f"{rows[0].label}: {_number_words(len(used))}{_time_words(dated)}."]
    if dated:
        said.append(f"{_lowest_words(used, unit)} Latest {dated[-1].text} {unit} on {_day(dated[-1])}.")
    said += _mark_words(rows)
    said += [f"Reference interval {used[-1].interval} {unit}."] if used and used[-1].interval else []
    said.append(_band_words(bands, named))
    return " ".join(said)


def _number_words(number: int) -> str:
    return "1 count" if number == 1 else f"{number} counts"


def _time_words(dated: list[Point]) -> str:
    if not dated:
        return ", none with a date"
    first, last = _day(dated[0]), _day(dated[-1])
    return f" on {first}" if first == last else f" from {first} to {last}"


def _day(row: Point) -> str:
    return "an unknown day" if row.at is None else say_date(row.at)


def _lowest_words(used: list[Point], unit: str) -> str:
    """The lowest value; an upper bound that lies higher may still hide a lower one, and that is said."""
    lowest = min(used, key=lambda row: (row.value, row.bound != "<"))
    text = f"Lowest {lowest.text} {unit} on {_day(lowest)}."
    hidden = [row for row in used if row.mark == "at_most" and row is not lowest]
    if hidden and lowest.value > 0:
        text += f" The {'value' if len(hidden) == 1 else 'values'} given only as an upper bound may be lower."
    return text


def _mark_words(rows: list[Point]) -> list[str]:
    counted = Counter(row.mark for row in rows)
    told = [f"{counted[mark]} {words}" for mark, words in _COUNTED.items() if counted[mark]]  # type: ignore[index]
    return [f"{say_list(told)[0].upper()}{say_list(told)[1:]}."] if told else []


def _band_words(bands: tuple[GradeStripe, ...], named: str) -> str:
    if not bands:
        return (
            f"No {named} bands: that edition has no limits in numbers for it, or they cannot be told for this person."
        )
    bands = tuple(sorted(bands, key=lambda band: band.grade))
    grades = [f"grade {band.grade} {band.text}" for band in bands]
    missing = (
        "" if bands[0].grade == 1 else "; grade 1 is not drawn, the laboratory's lower limit of normal is not known"
    )
    return f"Bands of {named}: {', '.join(grades)}{missing}."


def _treatment_words(found: tuple[Lane, ...]) -> list[str]:
    if not found:
        return []
    return [f"Treatment: {'; '.join(_lane_words(lane) for lane in found)}."]


def _lane_words(lane: Lane) -> str:
    starts = [say_moment(dose.start) for dose in lane.doses if dose.start is not None]
    how = "" if lane.given else " (ordered or stated, not known to be given)"
    when = f" on {say_list(starts)}" if 0 < len(starts) <= 6 else f", {len(starts)} dated entries" if starts else ""
    return f"{lane.drug}{how}{when or ', without a date'}"
