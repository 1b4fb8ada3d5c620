"""What is made of episodes in a cohort is what the modules of one person say of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings

from cohort_people import cohorts
from leuko.ages import age_span
from leuko.cohort import frames
from leuko.cohort.batch import cycles_of, run_batch
from leuko.cohort.outputs.definitions import severe_row
from leuko.cohort.outputs.episodes import deepened
from leuko.cohort.scalar import answer_of
from leuko.cohort.tables import rules_of
from leuko.course.points import Span
from leuko.record import Patient
from leuko.result import Episode

RULES = rules_of()
SEVERE = severe_row(RULES.library)


def alone(tables: dict[str, pl.DataFrame], person: str) -> tuple[Patient, tuple[Episode, ...]]:
    """The episodes of one person by the modules of one person."""
    rows = (
        tables["results"].filter(pl.col("person") == person).with_columns(status=pl.col("status").fill_null("unknown"))
    )
    told = tables["people"].filter(pl.col("person") == person).to_dicts()
    known: dict[str, Any] = {"sex": told[0]["sex"], "born": told[0]["born"]} if told else {}
    if told and told[0]["born_precision"]:
        known["born_precision"] = told[0]["born_precision"]
    patient = Patient(id=person, **known)
    treated = cycles_of(tables["treatments"].filter(pl.col("person") == person)).sort("lo")
    cycles = [Span(lo=lo, hi=hi) for _, lo, hi in treated.iter_rows()]
    rank = {
        name: at for at, name in enumerate(("registered", "preliminary", "unknown", "final", "amended", "corrected"))
    }
    given_rows = [{**row, "status_rank": rank[row["status"]]} for row in rows.iter_rows(named=True)]
    return patient, answer_of(given_rows, patient=patient, cycles=cycles, rules=RULES, as_of=None).episodes


def grown_up(patient: Patient, episodes: tuple[Episode, ...]) -> bool:
    """Whether one cut holds along the episodes: it changes with age in the first year of life only."""
    spans = [age_span(patient, one.nadir_count.taken) for one in episodes]
    return patient.born is None or all(span.least is not None and span.least > 800 for span in spans)


@settings(max_examples=40, deadline=None)
@given(tables=cohorts())
def test_days_of_severe_neutropenia_and_worst_grades(tables: dict[str, pl.DataFrame]) -> None:
    batch = run_batch(tables["results"], tables["people"], tables["treatments"], RULES)
    made = deepened(batch.episodes, batch.counts, RULES, SEVERE)
    assert made.select(batch.episodes.columns).equals(batch.episodes)
    for (person,), own in made.group_by("person", maintain_order=True):
        patient, episodes = alone(tables, str(person))
        assert len(episodes) == own.height
        if not grown_up(patient, episodes):
            continue
        for row, one in zip(own.iter_rows(named=True), episodes, strict=True):
            assert row["nadir_bound"] == one.nadir_count.bound
            if one.analyte == "neutrophils":
                (severe,) = [days for days in one.days_below if days.cut == SEVERE.severe]
                assert (row["dsn_least"], row["dsn_most"]) == (severe.least, severe.most)
            for grade in one.worst:
                name = f"worst_{grade.scheme}_{grade.edition}"
                assert (row[f"{name}_least"] or 0) == (grade.least or 0)
                assert row[f"{name}_most"] == grade.most


def test_counts_of_one_second_are_one_window() -> None:
    """Two counts a microsecond apart are one instant to the course; the worst of both is kept, whichever came first."""
    at = datetime(2020, 1, 2, 8, tzinfo=UTC)
    for values in ((24.0, 5.0), (5.0, 24.0)):
        rows = [
            {
                "person": "p0", "analyte": "platelets", "value": value, "bound": "=", "has_time": True,
                "status": "final", "taken": at + timedelta(microseconds=number), "file": "a.csv", "row": number + 1,
            }
            for number, value in enumerate(values)
        ]  # fmt: skip
        people, treatments = (pl.DataFrame(schema=frames.schema(one)) for one in (frames.PEOPLE, frames.TREATMENTS))
        results = pl.DataFrame(rows, schema=frames.schema(frames.RESULTS), orient="row")
        batch = run_batch(results, people, treatments, RULES)
        (row,) = deepened(batch.episodes, batch.counts, RULES, SEVERE).iter_rows(named=True)
        assert (row["counts"], row["nadir"], row["worst_ctcae_4"], row["worst_ctcae_5"]) == (2, 5.0, 4, 4)
