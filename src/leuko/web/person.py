"""What a person's page lays out: the summary first, everything else below it. All words are those of the reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from leuko.forecast.wish import Wish
from leuko.report.brief import passages, urgent
from leuko.report.brief.passage import Passage
from leuko.report.outline import POSITIONS, grade_words, interval_words, patient_words, scheme_words
from leuko.report.page import EDITION, SCHEME, coming_of, figure_of, words_of
from leuko.report.sections.danger import danger
from leuko.result import Assessment, Status
from leuko.result.forecast import Fan
from leuko.web.people import Seen
from leuko.wording import say_about, say_age, say_bounded, say_instant, say_unit

LEADING: Final = ("neutrophils", "wbc", "lymphocytes", "platelets", "haemoglobin")
COMING: Final = "What is to come"
PLACES: Final = {
    "Infection and fever": "danger",
    "Why": "why",
    "What to find out": "find-out",
    "Scores": "danger",
    "What to do": "to-do",
    COMING: "forecast",
    "What cannot be said": "gaps",
    "Notices about the input": "notices",
}
"""Where the whole of a passage stands on the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """The latest count of one analyte, to be read at a glance."""

    label: str
    value: str
    unit: str
    position: str
    words: str
    grade: str
    interval: str
    when: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A passage of the summary, and where the whole of it stands."""

    passage: Passage
    place: str


def whole(seen: Seen, made: Assessment, *, scheme: str, edition: str) -> dict[str, Any]:
    """Everything that the page of a person holds. Raises UsageError for an edition that is not known."""
    library = seen.library
    figure = figure_of(made, library, scheme=scheme, edition=edition)
    words = words_of(made)
    del words["who"]  # in a page of the service that is who reads it
    return words | {
        "who_words": patient_words(made.patient),
        "headline": headline(made),
        "seen": seen,
        "number": seen.known.number,
        "figure": figure,
        "coming": coming_of(made),
        "editions": editions(seen, scheme, edition),
        "tiles": tuple(_tile(status, seen.day, scheme, edition) for status in _leading(made)),
        "cards": tuple(_cards(made)),
        "forecast_made": bool(made.forecasts),
        "treated": any(dose.given for dose in made.doses),
    }


def headline(made: Assessment) -> tuple[str, str]:
    """The first sentence of the headline, which is read first, and what follows it."""
    first, end, rest = made.headline.partition(". ")
    return (f"{first}.", rest) if end else (first, "")


def editions(seen: Seen, scheme: str, edition: str) -> tuple[tuple[str, str, bool], ...]:
    """The editions whose bands the figure can stand on: their words, their word in the address, which one is drawn."""
    found = ((one.id, one.edition) for one in seen.library.schemes)
    return tuple((scheme_words(*one), "-".join(one), one == (scheme, edition)) for one in found)


def chosen_edition(text: str) -> tuple[str, str]:
    """`ctcae-6` as scheme and edition; the usual one where nothing is asked for."""
    scheme, dash, edition = text.partition("-")
    return (scheme, edition) if dash else (SCHEME, EDITION)


def _leading(made: Assessment) -> Iterator[Status]:
    latest = {status.count.analyte: status for status in made.latest}
    return (latest[name] for name in LEADING if name in latest)


def _tile(status: Status, day: date, scheme: str, edition: str) -> Tile:
    count = status.count
    grade = next((one for one in status.grades if (one.scheme, one.edition) == (scheme, edition)), None)
    taken = count.taken
    age = (day - taken.day).days if taken is not None else 0
    return Tile(
        label=status.label,
        value=say_bounded(count.value, count.bound),
        unit=say_unit(count.unit),
        position=status.position,
        words=POSITIONS[status.position],
        grade="" if grade is None else f"{scheme_words(scheme, edition)} grade {grade_words(grade)}",
        interval=interval_words(status.interval),
        when="no day" if taken is None else f"{say_instant(taken)}{f', {say_age(age)} ago' if age > 0 else ''}",
        note="derived" if count.kind == "derived" else "a bound" if count.bound != "=" else "",
    )


def _cards(made: Assessment) -> Iterator[Card]:
    """Infection first, as it kills; what is to come second, as it is what the figure beside it asks for."""
    found = [urgent(made), *passages(made)]
    ordered = sorted(found, key=lambda one: (one is not found[0], one.title != COMING))
    for passage in ordered:
        if not passage.empty:
            yield Card(passage=passage, place=PLACES[passage.title])


# ---- told on the page -----------------------------------------------------------------------------------------------


def scored(made: Assessment) -> dict[str, Any]:
    """What the infection part says with the signs that were just told; nothing else of the page."""
    section = danger(made)
    lines = urgent(made)
    return words_of(made) | {"sections": (section,), "coming": (), "verdict": lines, "ref_prefix": "told-"}


# ---- what was forecast, and what came -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A forecast from what was known up to an earlier day, against the counts that came after it."""

    day: date
    made: Assessment
    rows: tuple[tuple[str, str, str, str], ...]
    inside: int
    figure: Any
    why_not: str = ""


COLUMNS: Final = ("Count taken", "Measured", "Forecast, central 80 % of measured counts", "Came as forecast")
MOST_PAST: Final = 2


def past(seen: Seen) -> tuple[Past, ...]:
    """Forecasts from the days of the last counts but one, each against what was measured afterwards."""
    days = sorted({one.count.taken.day for one in seen.assessment.history if _is_line(one) and one.count.taken})
    return tuple(_past(seen, day) for day in reversed(days[-MOST_PAST - 1 : -1]))


def _is_line(status: Status) -> bool:
    return status.count.analyte == "neutrophils"


def _past(seen: Seen, day: date) -> Past:
    made = seen.again(wish=Wish(), day=day)
    one = next((each for each in made.forecasts if each.fan is not None), None)
    if one is None or one.fan is None:
        why = made.forecasts[0].headline if made.forecasts else "nothing was low or treated then: no forecast was due"
        return Past(day=day, made=made, rows=(), inside=0, figure=None, why_not=why)
    rows, inside = [], 0
    for status in seen.assessment.history:
        count = status.count
        if count.analyte != one.analyte or count.taken is None or count.taken.day <= day:
            continue
        held = _ends(one.fan, count.taken.at)
        if held is None:
            continue
        low, high = held
        hit = low <= count.value <= high if count.bound == "=" else None
        inside += hit is True
        said = "cannot say, only a bound is known" if hit is None else "yes" if hit else "no"
        rows.append((say_instant(count.taken), say_bounded(count.value, count.bound), _span(low, high), said))
    today = replace(seen.assessment, as_of=day, forecasts=(one,))
    figure = coming_of(today)[0]
    named = replace(figure, id=f"past-{day.isoformat()}")
    return Past(day=day, made=made, rows=tuple(rows), inside=inside, figure=named)


def _ends(fan: Fan, at: datetime) -> tuple[float, float] | None:
    """The central 80 % of a measured count at the time nearest to `at`; None beyond the forecast."""
    if not fan.measured or at > fan.times[-1]:
        return None
    nearest = min(range(len(fan.times)), key=lambda n: abs(fan.times[n] - at))
    low, high = (ends[nearest] for ends in fan.measured[:2])
    return low, high


def _span(low: float, high: float) -> str:
    return f"{say_about(low)} to {say_about(high)}"
