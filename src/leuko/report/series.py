"""What the figure shows, as plain rows. The chart, its table twin and its description are all made from these."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

from leuko.ages import age_span
from leuko.frozen import Frozen
from leuko.grading import known_low, possible_rules
from leuko.knowledge import Library
from leuko.knowledge.schema import Band, GradeRule, Limit
from leuko.record import Count, Dose, Moment
from leuko.report.outline import count_notes, grade_words, interval_words, scheme_words
from leuko.result import Assessment, SetAside, Status
from leuko.wording import say_bounded, say_moment, say_number

LEADING: Final = ("neutrophils", "wbc", "lymphocytes", "platelets", "haemoglobin")
Mark = Literal["measured", "derived", "at_most", "at_least", "zero", "set_aside", "superseded"]
MARKS: Final[dict[str, str]] = {
    "measured": "filled circle: measured",
    "derived": "open circle: derived",
    "at_most": "triangle pointing down: at most this, not measured further",
    "at_least": "triangle pointing up: at least this, not measured further",
    "zero": "square on the foot of the axis: zero, which a logarithmic axis cannot show",
    "set_aside": "cross: set aside, see the notice",
    "superseded": "cross: an earlier version that was corrected",
}


class Point(Frozen, frozen=True, kw_only=True):
    """One count as the figure and the table show it. `at` is the source's own clock, without its zone."""

    id: str
    analyte: str
    label: str
    at: datetime | None
    when: str
    value: float
    bound: str
    text: str
    mark: Mark
    unit: str
    low: float | None
    high: float | None
    interval: str
    grade: str
    note: str


class GradeStripe(Frozen, frozen=True, kw_only=True):
    """A grade as a stretch of the axis [unit of the analyte]; None is unbounded."""

    grade: int
    lower: float | None
    upper: float | None
    text: str


class Lane(Frozen, frozen=True, kw_only=True):
    """All doses of one drug. `given` is false where none is known to have been given."""

    drug: str
    doses: tuple[Dose, ...]
    given: bool


def wall_clock(at: datetime) -> datetime:
    """The time as the source's own clock showed it; the dates then agree with the table."""
    return at.replace(tzinfo=None)


def shown_analytes(assessment: Assessment, analytes: Iterable[str] | None = None) -> tuple[str, ...]:
    """The analytes to draw: those asked for, else the leading ones, as far as the record holds them."""
    held = {status.count.analyte for status in assessment.history}
    return tuple(analyte for analyte in (LEADING if analytes is None else analytes) if analyte in held)


def points(assessment: Assessment, *, scheme: str = "ctcae", edition: str = "5") -> tuple[Point, ...]:
    """Every count of the assessment in order of time, those without a date last; set-aside and earlier ones too."""
    labels = {status.count.analyte: status.label for status in assessment.history}
    found = [_used(status, scheme, edition) for status in assessment.history]
    found += [_aside(aside, labels) for aside in assessment.set_aside]
    found += [_earlier(old, status) for status in assessment.history for old in status.count.superseded]
    return tuple(sorted(found, key=lambda p: (p.at is None, p.at or datetime.min, p.analyte, p.id)))  # noqa: DTZ901


def _used(status: Status, scheme: str, edition: str) -> Point:
    grade = next((g for g in status.grades if (g.scheme, g.edition) == (scheme, edition)), None)
    count = status.count
    conflicts = [reason.text for reason in status.conflicts]
    return _point(
        count,
        status.label,
        mark_of(count),
        low=status.interval.low,
        high=status.interval.high,
        interval=interval_words(status.interval),
        grade="" if grade is None else grade_words(grade),
        note="; ".join([*count_notes(count), *conflicts]),
    )


def _aside(aside: SetAside, labels: dict[str, str]) -> Point:
    label = labels.get(aside.count.analyte, aside.count.analyte)
    note = f"set aside ({aside.notice.code}): {aside.notice.text}"
    return _point(aside.count, label, "set_aside", note=note)


def _earlier(old: Count, status: Status) -> Point:
    note = f"superseded by {say_bounded(status.count.value, status.count.bound)}"
    return _point(old, status.label, "superseded", note=note)


def _point(
    count: Count,
    label: str,
    mark: Mark,
    *,
    low: float | None = None,
    high: float | None = None,
    interval: str = "",
    grade: str = "",
    note: str = "",
) -> Point:
    taken = count.taken
    return Point(
        id=count.id,
        analyte=count.analyte,
        label=label,
        at=None if taken is None else wall_clock(taken.at),
        when=_when(taken),
        value=count.value,
        bound=count.bound,
        text=say_bounded(count.value, count.bound),
        mark=mark,
        unit=count.unit,
        low=low,
        high=high,
        interval=interval,
        grade=grade,
        note=note,
    )


def _when(taken: Moment | None) -> str:
    """The time for a table, as precisely as it is known: "5 Jan 2026, 08:30"."""
    if taken is None:
        return "no date"
    if taken.precision in {"year", "month"}:
        return say_moment(taken)
    day = f"{taken.at.day} {taken.at:%b %Y}"
    return f"{day}, {taken.at:%H:%M}" if taken.has_time else day


def mark_of(count: Count) -> Mark:
    """Which mark a count that is used gets."""
    if count.bound in {"<", "<="}:
        return "at_most"
    if count.bound in {">", ">="}:
        return "at_least"
    if count.value <= 0:
        return "zero"
    return "derived" if count.kind == "derived" else "measured"


class Edition(Frozen, frozen=True, kw_only=True):
    """The edition of a grading scheme whose bands the figure stands on."""

    scheme: str
    edition: str
    library: Library

    @property
    def name(self) -> str:
        """What the bands are called: "CTCAE 5"."""
        return scheme_words(self.scheme, self.edition)

    def stripes(self, assessment: Assessment, analyte: str) -> tuple[GradeStripe, ...]:
        """The numeric grade bands for this person; empty where the edition has none, or several rules may apply.

        "lab_low" is the laboratory's own lower limit of normal, from the latest result that has one, as in grading. A
        band that needs it and has none is left out.
        """
        held = [status for status in assessment.history if status.count.analyte == analyte]
        rule = self._rule(assessment, held[-1]) if held else None
        if rule is None:
            return ()
        limits = (known_low(status.count.lab_low) for status in reversed(held))
        low = next((limit for limit in limits if limit is not None), None)
        found = (_stripe(each.grade, each.band, low) for each in rule.bands)
        return tuple(stripe for stripe in found if stripe is not None)

    def _rule(self, assessment: Assessment, latest: Status) -> GradeRule | None:
        table = self.library.scheme(self.scheme, self.edition)
        rules = [rule for rule in table.rules if rule.analyte == latest.count.analyte and rule.basis.drives]
        ages = age_span(assessment.patient, latest.count.taken)
        possible = possible_rules(rules, ages, assessment.patient.sex)
        return possible[0] if len(possible) == 1 else None


def _stripe(grade: int, band: Band, low: float | None) -> GradeStripe | None:
    def end(limit: Limit | None) -> float | None:
        return low if isinstance(limit, str) else limit

    lower, upper = end(band.lower), end(band.upper)
    needs = [limit for limit in (band.lower, band.upper) if isinstance(limit, str)]
    if (needs and low is None) or (lower is not None and upper is not None and lower >= upper):
        return None
    return GradeStripe(grade=grade, lower=lower, upper=upper, text=_stripe_words(lower, upper, band.upper_inclusive))


def _stripe_words(lower: float | None, upper: float | None, inclusive: bool) -> str:
    if lower is None and upper is not None:
        return f"{'≤' if inclusive else '<'}{say_number(upper)}"
    if upper is None and lower is not None:
        return f"≥{say_number(lower)}"
    return f"{say_number(lower or 0)}–{say_number(upper or 0)}"


def lanes(assessment: Assessment) -> tuple[Lane, ...]:
    """Treatment by drug, in order of first dose; drugs without any date come last."""
    drugs: dict[str, list[Dose]] = {}
    for dose in assessment.doses:
        drugs.setdefault(dose.drug, []).append(dose)
    found = [Lane(drug=drug, doses=tuple(doses), given=any(d.given for d in doses)) for drug, doses in drugs.items()]
    return tuple(sorted(found, key=lambda lane: (_first(lane), lane.drug)))


def _first(lane: Lane) -> float:
    return min((dose.start.at.timestamp() for dose in lane.doses if dose.start is not None), default=math.inf)
