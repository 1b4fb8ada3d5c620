"""What each column of each table of a run holds: for the reference page, and held against the real tables by a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from leuko.cohort.each import causes, forecast
from leuko.cohort.outputs import adam, events, found

_EACH: Final = "<edition>"

COUNTS: Final[Mapping[str, str]] = {
    "person": "the person, as the source names it: text or a whole number",
    "analyte": "what was counted (`leuko knowledge show analyte`)",
    "taken": "when, UTC; midnight where only the day is told",
    "has_time": "whether a time of day is told",
    "value": "the count in the analyte's own unit",
    "bound": "`=`, or `<`, `<=`, `>`, `>=` where the count is only bounded",
    "low": "lower end of the laboratory's interval",
    "high": "upper end of it",
    "derived": "made from other results of the draw",
    "file": "the file that it stands in, or the first result that it was made from",
    "row": "its row, 1 is the first row of data",
    _EACH: "the grade, a column for each edition (`ctcae_5`, `daids_2.1`); null: not one grade",
    f"{_EACH}_least": "the least grade that remains possible; null: the edition cannot grade it",
    f"{_EACH}_most": "the most severe that remains possible",
}
EPISODES: Final[Mapping[str, str]] = {
    "person": "the person",
    "analyte": "the line that is low",
    "cut": "the limit below which it is low, at the age of the first low count",
    "onset_earliest": "the last count at or above it before; null: not seen",
    "onset_latest": "the first low count",
    "nadir": "the lowest count",
    "nadir_taken": "when",
    "recovery_earliest": "the last low count; null: no end was seen",
    "recovery_latest": "the first count back at or above the limit",
    "recovery_confirmed": "whether it held, as `leuko.course` asks",
    "censoring": "`none`, `left` (begin not seen), `right` (end not seen), `both`",
    "days_least": "days, the least that the samples prove",
    "days_most": "days, the most that they allow; null: open-ended",
    "counts": "counts inside",
    "nadir_bound": "the bound of the lowest count",
    "dsn_least": "neutrophils: days below the limit of severe neutropenia (definition `dsn`), the least",
    "dsn_most": "the most; null: open-ended",
    f"worst_{_EACH}": "the worst grade, a column for each edition; null: left open",
    f"worst_{_EACH}_least": "the worst that was surely reached",
    f"worst_{_EACH}_most": "the worst that remains possible; null: a low count cannot be graded",
}
PERSONS: Final[Mapping[str, str]] = {
    "person": "everybody who was read, also without a count",
    "results": "results read",
    "counts": "counts used",
    "episodes": "episodes of low counts",
    f"worst_<analyte>_{_EACH}": "the worst grade of a line on an edition; null: left open",
    f"worst_<analyte>_{_EACH}_least": "the worst that was surely reached; null: no count",
    f"worst_<analyte>_{_EACH}_most": "the worst that remains possible",
}
NOTICES: Final[Mapping[str, str]] = {
    "code": "`leuko explain` says what it means",
    "severity": "`error`: could not be used; `warning`: used, look at it; `info`",
    "person": "whom it is about, where that is known",
    "text": "what was found",
    "file": "where",
    "row": "the first row that it is about",
    "rows": "rows set aside with it; 0: used all the same; null: not known",
    "lost": "whether what was set aside could be a count",
}
COHORT: Final[Mapping[str, str]] = {
    "cohort_definition_id": "the number of the definition",
    "subject_id": "the person; text where the source's ids are text",
    "cohort_start_date": "first day as a member",
    "cohort_end_date": "last day as a member",
}
TABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "counts": COUNTS,
    "episodes": EPISODES,
    "persons": PERSONS,
    "adlb": adam.COLUMNS,
    "adae": events.COLUMNS,
    "findings": found.DESCRIBED,
    "cohort": COHORT,
    "causes": {name: what for name, (_, what) in causes.COLUMNS.items()},
    "forecast": {name: what for name, (_, what) in forecast.COLUMNS.items()},
    "notices": NOTICES,
}
HEADS: Final[Mapping[str, str]] = {
    "counts": "Every count that is used, measured or derived, with its grade on every edition.",
    "episodes": "Every episode of low counts, interval-censored by its samples.",
    "persons": "Everybody, with the worst grade of each line on each edition.",
    "adlb": "Records of counts like ADaM's ADLB, graded on the edition that was asked for (`--edition`).",
    "adae": "Records of events like ADaM's ADAE: those reported, and episodes with a grade of 1 or more.",
    "findings": "What was found of each definition: who meets it, for how long, with which grade, or why it is open.",
    "cohort": "The OMOP table COHORT: those who surely meet a definition.",
    "causes": "With `--with causes`: what could explain each person's low counts, or why that cannot be said.",
    "forecast": "With `--with forecast`: the coming course of each person's counts, or why there is none.",
    "notices": "Whatever could not be read or believed; nothing is dropped without a row here.",
}


def edition_of(column: str, editions: list[str]) -> str:
    """The name under which a real column is described: "worst_wbc_ctcae_5" is "worst_<analyte>_<edition>"."""
    for edition in sorted(editions, key=len, reverse=True):
        if f"_{edition}" in f"_{column}":
            head, tail = column[: column.index(edition)], column[column.index(edition) + len(edition) :]
            line = head.removeprefix("worst_").rstrip("_")
            return f"worst_<analyte>_{_EACH}{tail}" if head.startswith("worst_") and line else f"{head}{_EACH}{tail}"
    return column
