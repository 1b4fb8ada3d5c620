"""What predicates look at: the record, the findings so far, and which low count is to be explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final

from leuko.errors import KnowledgeError
from leuko.knowledge import Library
from leuko.knowledge.schema.causes import PREDICATES, CauseRules, Line, SnomedRow
from leuko.person import Statement, person_at, statements_of
from leuko.record import Count, Patient, Record
from leuko.result import Course, Episode, Lines, Status
from leuko.result.drugs import DrugLink
from leuko.status import is_low, lines_of, status_of

LEADING: Final = ("neutrophils", "wbc", "lymphocytes", "monocytes", "cd4", "eosinophils", "basophils")
"""The white counts whose being low is to be explained; the first that is low leads."""

ANALYTE: Final[Mapping[Line, str]] = {
    "neutrophils": "neutrophils",
    "lymphocytes": "lymphocytes",
    "monocytes": "monocytes",
    "eosinophils": "eosinophils",
    "basophils": "basophils",
    "red": "haemoglobin",
    "platelets": "platelets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One person at the low count that is to be explained.

    `low_count` is that count: the latest low white count, or, where nothing is low now, the lowest of the last low
    stretch. `first_low`/`last_low` are the days of the stretch it belongs to, as far as counts show them. `at` has the
    status of each analyte's count nearest to it, `low` whether each line is low there (None: not known), `lines` the
    three lines of that draw. `told` is what the record says of pregnancy and Duffy phenotype. `kept` remembers answers.
    """

    record: Record
    told: tuple[Statement, ...]
    series: Mapping[str, tuple[Count, ...]]
    courses: Mapping[str, Course]
    lines: Lines
    drug_links: Sequence[DrugLink]
    library: Library
    as_of: date
    rules: CauseRules
    low_count: Count
    first_low: date
    last_low: date
    at: Mapping[str, Status]
    low: Mapping[Line, bool | None]
    now: bool
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def status(self, count: Count) -> Status:
        """Where any count of the person stands; asked often, so it is remembered."""
        key = f"status {id(count)}"
        if key not in self.kept:
            self.kept[key] = status_of(count, patient=self.person(count), library=self.library)
        return self.kept[key]  # type: ignore[no-any-return]

    def label(self, analyte: str) -> str:
        """What an analyte is called inside a sentence."""
        row = self.library.analytes.get(analyte)
        label = row.label if row is not None else analyte
        return label if label[:2].isupper() else f"{label[:1].lower()}{label[1:]}"

    def person(self, count: Count) -> Patient:
        """The person as the record describes them at the time of a count."""
        return person_at(self.record, count.taken, self.told)


def rules_of(library: Library) -> CauseRules:
    """The one row that says how clues are weighed. Raises KnowledgeError where it is missing."""
    rows = library.rows(CauseRules)
    if not rows:
        raise KnowledgeError("no rules for weighing causes", where="causes/rules.toml", do="restore the file")
    return rows[0]


@lru_cache(maxsize=4)
def _tables(library_hash: str) -> dict[str, Any]:  # noqa: ARG001 (one cache entry for each library)
    return {}


def predicates_of(library: Library) -> Mapping[str, Any]:
    """Every predicate by its id. Raises KnowledgeError where two kinds use one id."""
    kept = _tables(library.hash)
    if "predicates" not in kept:
        found: dict[str, Any] = {}
        for row in (row for kind in PREDICATES for row in library.rows(kind)):
            if row.id in found:
                raise KnowledgeError(f"two predicates carry the id {row.id}", where="causes/", do="rename one of them")
            found[row.id] = row
        kept["predicates"] = found
    return kept["predicates"]  # type: ignore[no-any-return]


def snomed_of(library: Library) -> Mapping[str, frozenset[str]]:
    """The SNOMED CT codes of facts by predicate id; empty where the file was left out."""
    kept = _tables(library.hash)
    if "snomed" not in kept:
        found: dict[str, frozenset[str]] = {}
        for row in library.rows(SnomedRow):
            if row.basis.drives:
                found[row.id] = found.get(row.id, frozenset()) | frozenset(row.codes)
        kept["snomed"] = found
    return kept["snomed"]  # type: ignore[no-any-return]


def scene_of(
    record: Record,
    *,
    series: Mapping[str, tuple[Count, ...]],
    latest: Mapping[str, Status],
    courses: Mapping[str, Course],
    lines: Lines,
    drug_links: Sequence[DrugLink],
    library: Library,
    as_of: date,
) -> Scene | None:
    """The scene of the latest low white count; None where no white count is or was low."""
    rules = rules_of(library)
    now = _low_now(latest)
    episode = _episode(courses, now)
    low_count = now or (episode.nadir_count if episode is not None else None)
    if low_count is None or low_count.taken is None:
        return None
    first, last = _span(episode, low_count)
    told = statements_of(record, library=library)
    at = {
        analyte: status_of(count, patient=person_at(record, count.taken, told), library=library)
        for analyte, count in _near(low_count, series, rules).items()
    }
    return Scene(
        record=record,
        told=told,
        series=series,
        courses=courses,
        lines=lines if now is not None else lines_of(at, library=library),
        drug_links=drug_links,
        library=library,
        as_of=as_of,
        rules=rules,
        low_count=low_count,
        first_low=first,
        last_low=last,
        at=at,
        low={line: is_low(at[analyte]) if analyte in at else None for line, analyte in ANALYTE.items()},
        now=now is not None,
    )


def _low_now(latest: Mapping[str, Status]) -> Count | None:
    low = [latest[name].count for name in LEADING if name in latest and is_low(latest[name])]
    return low[0] if low else None


def _episode(courses: Mapping[str, Course], now: Count | None) -> Episode | None:
    """The low stretch of the low count; without one, the last stretch of any white line."""
    if now is not None:
        course = courses.get(now.analyte)
        episodes = course.episodes if course is not None else ()
        return next((one for one in episodes if now.id in one.counts), None)
    ended = [courses[name].episodes[-1] for name in LEADING if name in courses and courses[name].episodes]
    return max(ended, key=_when, default=None)


def _when(episode: Episode) -> float:
    return episode.nadir_count.taken.at.timestamp() if episode.nadir_count.taken is not None else 0.0


def _span(episode: Episode | None, low_count: Count) -> tuple[date, date]:
    day = low_count.taken.day if low_count.taken is not None else date.min
    if episode is None:
        return day, day
    first = episode.onset.latest.date() if episode.onset.latest is not None else day
    end = episode.recovery.earliest.date() if episode.recovery is not None and episode.recovery.earliest else day
    return min(first, day), max(day, end)


def _near(low_count: Count, series: Mapping[str, tuple[Count, ...]], rules: CauseRules) -> dict[str, Count]:
    """Of each analyte the count nearest to the low one."""
    near = {analyte: nearest(counts, low_count, rules.near_days) for analyte, counts in series.items()}
    return {analyte: count for analyte, count in near.items() if count is not None}


def nearest(counts: Sequence[Count], low_count: Count, within_days: float) -> Count | None:
    """The count nearest in time to the low count, at most so many days away."""
    close = [(away, count) for count in counts if (away := days_apart(count, low_count)) is not None]
    close = [(away, count) for away, count in close if away <= within_days]
    return min(close, key=lambda pair: (pair[0], pair[1].id))[1] if close else None


def days_apart(count: Count, other: Count) -> float | None:
    """The days between two counts; None where one has no time. Counts of one calendar day lie 0 days apart."""
    if count.taken is None or other.taken is None:
        return None
    if count.taken.day == other.taken.day:
        return 0.0
    return abs((count.taken.at - other.taken.at).total_seconds()) / 86400.0
