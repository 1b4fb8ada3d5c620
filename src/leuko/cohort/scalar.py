"""One person of a cohort through the same modules that assess one person: the answer that the kernel must give.

Whoever the kernel flags goes this way, and the tests send everybody both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from leuko.ages import age_span
from leuko.cohort.tables import STATUSES, Rules
from leuko.counts import Cleaned, clean
from leuko.course.episodes import episode_of
from leuko.course.lowness import lowness_of
from leuko.course.points import Span, points_of
from leuko.course.stretch import stretches_of, told_of
from leuko.errors import Place
from leuko.grading import grade_between_ages
from leuko.knowledge.schema import GradeScheme
from leuko.record import Count, Moment, Origin, Patient, Record
from leuko.result import Episode

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person's rows say: counts in order of analyte and time, their grades, episodes, notices (code, row)."""

    counts: tuple[Count, ...]
    grades: tuple[tuple[tuple[int, int] | None, ...], ...]
    episodes: tuple[Episode, ...]
    notices: tuple[tuple[str, int], ...]


def answer_of(
    rows: Sequence[Row], *, patient: Patient, cycles: Iterable[Span], rules: Rules, as_of: date | None
) -> Answer:
    """The answer for one person's rows of `frames.RESULTS`; a notice names its row by the place in `rows`."""
    cleaned = clean(record_of(rows, patient, rules), library=rules.library, as_of=as_of)
    counts = tuple(count for name in sorted(cleaned.series) for count in cleaned.series[name])
    return Answer(
        counts=counts,
        grades=tuple(tuple(_graded(count, scheme, patient, rules) for scheme in rules.schemes) for count in counts),
        episodes=tuple(_episodes(cleaned, patient, tuple(cycles), rules)),
        notices=tuple((said.code, said.place.line or 0) for said in cleaned.notices if said.place is not None),
    )


def record_of(rows: Sequence[Row], patient: Patient, rules: Rules) -> Record:
    """The rows as a record, in an order of their own; the line of a count's place is the place of its row."""
    order = sorted(range(len(rows)), key=lambda at: _standing(rows[at]))
    versions = {number: rank for rank, number in enumerate(sorted({_version(row) for row in rows} - {None}), start=1)}
    counts = [_count(rows[at], at, place, versions, rules) for place, at in enumerate(order)]
    return Record(patient=patient, counts=tuple(counts))


def with_rank(row: Row) -> dict[str, Any]:
    """A row with the place of its status among the statuses; a status that is none is unknown."""
    status = row["status"] if row["status"] in STATUSES else "unknown"
    return {**row, "status": status, "status_rank": STATUSES.index(status)}


def source_of(count: Count) -> int:
    """The row that a count stands in, or the first that it was made from."""
    return count.origin.place.line or 0


def _standing(row: Row) -> tuple[Any, ...]:
    taken = row["taken"]
    ranks = tuple(_ranked(row[name]) for name in ("analyte", "value"))
    return (
        taken is not None,
        _taken(row) if taken is not None else EPOCH,
        bool(row["has_time"]),
        *ranks,
        row["bound"] or "=",
        _ranked(row["status_rank"]),
        _ranked(row["sequence"]),
        row["file"] or "",
        _ranked(row["row"]),
    )


def _ranked(value: Any) -> tuple[bool, Any]:
    return (False, 0) if value is None else (True, value)


def _version(row: Row) -> Any:
    return row["sequence"]


def _taken(row: Row) -> datetime:
    taken: datetime = row["taken"]
    return taken if row["has_time"] else taken.replace(hour=0, minute=0, second=0, microsecond=0)


def _count(row: Row, at: int, place: int, versions: Mapping[Any, int], rules: Rules) -> Count:
    version = versions.get(row["sequence"])
    value = float("nan") if row["value"] is None else row["value"]
    return Count(
        id=f"{place:09d}",
        analyte=row["analyte"],
        value=value,
        bound=row["bound"] or "=",
        unit=rules.library.analytes[row["analyte"]].unit,
        taken=None
        if row["taken"] is None
        else Moment(at=_taken(row), precision="second" if row["has_time"] else "day"),
        lab_low=_known(row["low"]),
        lab_high=_known(row["high"]),
        status=row["status"],
        draw=row["draw"],
        issued=None if version is None else Moment(at=EPOCH + timedelta(seconds=version)),
        origin=Origin(place=Place(source="", line=at), value_text=_text(value, row.get("digits"))),
    )


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 (NaN)


def _text(value: float, digits: int | None) -> str:
    """The number with the decimals that were printed, where they are told and give the same number."""
    if digits is None or digits < 0:
        return ""
    text = f"{value:.{digits}f}"
    return text if float(text) == value else ""


def _graded(count: Count, scheme: GradeScheme, patient: Patient, rules: Rules) -> tuple[int, int] | None:
    if not any(rule.analyte == count.analyte for rule in scheme.rules):
        return None
    found = grade_between_ages(
        count.value,
        analyte=count.analyte,
        scheme=scheme.id,
        edition=scheme.edition,
        lab_low=count.lab_low,
        ages=age_span(patient, count.taken),
        sex=patient.sex,
        bound=count.bound,
        library=rules.library,
    )
    return None if found.least is None or found.most is None else (found.least, found.most)


def _episodes(cleaned: Cleaned, patient: Patient, cycles: tuple[Span, ...], rules: Rules) -> Iterable[Episode]:
    for name in sorted(rules.library.course):
        counts = cleaned.series.get(name)
        if counts:
            lowness = lowness_of(name, patient=patient, library=rules.library)
            told = told_of(points_of(counts), lowness, rules.library.course[name], cycles)
            yield from map(episode_of, stretches_of(told))
