"""One truth: the compiled pass answers for many people what the modules of one person answer for each."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from cohort_people import cohorts, everybody, people_of
from leuko.cohort.batch import Batch, run_batch
from leuko.cohort.tables import rules_of
from leuko.errors import Place
from leuko.grading_frame import Columns, grade_frame
from leuko.record import Dose, Moment, Origin, Patient, Record
from leuko.standing import standing_of

RULES = rules_of()
FAR = date(9999, 12, 31)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def answered(tables: dict[str, pl.DataFrame], **options: Any) -> Batch:
    return run_batch(tables["results"], tables["people"], tables["treatments"], RULES, **options)


def same(one: Batch, other: Batch) -> None:
    for name, table in one.tables.items():
        assert_frame_equal(table, other.tables[name])


@SLOW
@given(cohorts())
def test_the_kernel_says_what_the_modules_of_one_person_say(tables: dict[str, pl.DataFrame]) -> None:
    same(answered(tables), answered(tables, scalar_only=True))


@SLOW
@given(cohorts(whole=True), st.integers(0, 130))
def test_results_after_the_day_that_is_asked_for_count_nowhere(tables: dict[str, pl.DataFrame], day: int) -> None:
    as_of = date.fromordinal(date(2020, 1, 1).toordinal() + day)
    found = answered(tables, as_of=as_of)
    same(found, answered(tables, as_of=as_of, scalar_only=True))
    assert found.counts.filter(pl.col("taken").dt.date() > as_of).is_empty()


@SLOW
@given(cohorts(), st.data())
def test_neither_order_nor_company_changes_an_answer(tables: dict[str, pl.DataFrame], data: st.DataObject) -> None:
    together = answered(tables)
    people = everybody(tables)
    split = data.draw(st.integers(0, len(people)))
    apart = [answered(people_of(tables, part)) for part in (people[:split], people[split:])]
    for name, table in together.tables.items():
        assert_frame_equal(table, pl.concat([part.tables[name] for part in apart]))


@SLOW
@given(cohorts())
def test_no_row_is_lost(tables: dict[str, pl.DataFrame]) -> None:
    found = answered(tables)
    places = ["file", "row"]
    kept = found.counts.filter(~pl.col("derived")).select(places)
    aside = found.notices.filter(pl.col("rows") > 0).select(places)
    every = tables["results"].select(places).unique()
    assert pl.concat([kept, aside]).join(every, on=places, how="anti").is_empty()
    assert every.join(pl.concat([kept, aside]), on=places, how="anti").is_empty()
    assert found.persons["results"].sum() == len(tables["results"])


@SLOW
@given(cohorts(most=3))
def test_grades_are_those_of_the_frame_of_one_edition(tables: dict[str, pl.DataFrame]) -> None:
    """A plain Polars version of the grades, from the same tables, for people of a known day of birth or none."""
    exact = tables["people"].with_columns(born_precision=pl.lit("day"))
    found = answered({**tables, "people": exact})
    for analyte, scheme in RULES.pairs:
        name = f"{scheme.id}_{scheme.edition}"
        rows = found.counts.filter(pl.col("analyte") == analyte).join(
            exact.select("person", "born", "sex"), on="person", how="left", maintain_order="left"
        )
        ages = [_age(*row) for row in rows.select("born", "taken").iter_rows()]
        plain = grade_frame(
            rows.with_columns(age_days=pl.Series(ages, dtype=pl.Float64)),
            analyte=analyte,
            scheme=scheme.id,
            edition=scheme.edition,
            columns=Columns(lab_low="low"),
        )
        expected = plain.select(pl.col("grade").alias(name), "least", "most")
        assert_frame_equal(rows.select(name, least=f"{name}_least", most=f"{name}_most"), expected)


def _age(born: date | None, taken: datetime) -> float | None:
    from leuko.ages import age_days

    return None if born is None else age_days(born, taken.date())


@SLOW
@given(cohorts(most=2))
def test_a_person_stands_as_in_an_assessment_of_their_own(tables: dict[str, pl.DataFrame]) -> None:
    """`standing_of` on the same rows, with a cytotoxic medicine by its name in place of the mark on the row."""
    found = answered(tables)
    for person in everybody(tables):
        standing = standing_of(record(tables, person), library=RULES.library, as_of=FAR)
        counts = found.counts.filter(pl.col("person") == person)
        for analyte, statuses in standing.history.items():
            own = counts.filter(pl.col("analyte") == analyte)
            assert own["value"].to_list() == [status.count.value for status in statuses]
            for grades in zip(*(status.grades for status in statuses), strict=True):
                name = f"{grades[0].scheme}_{grades[0].edition}"
                assert own[name].to_list() == [grade.value for grade in grades]
        episodes = found.episodes.filter(pl.col("person") == person)
        expected = [e for analyte in sorted(standing.courses) for e in standing.courses[analyte].episodes]
        assert episodes["onset_latest"].to_list() == [e.onset.latest for e in expected]
        assert episodes["days_least"].to_list() == [e.duration[0] for e in expected]
        assert episodes["days_most"].to_list() == [e.duration[1] for e in expected]
        assert episodes["censoring"].to_list() == [e.censoring for e in expected]


def record(tables: dict[str, pl.DataFrame], person: Any) -> Record:
    """A record made by hand from the rows; ids in an order of their own, as for the cohort."""
    from leuko.cohort.scalar import record_of, with_rank

    rows = tables["results"].filter(pl.col("person") == person)
    known = tables["people"].filter(pl.col("person") == person)
    told = known.row(0, named=True) if len(known) else {}
    patient = Patient(
        id=str(person), born=told.get("born"), born_precision=told.get("born_precision") or "day", sex=told.get("sex")
    )
    base = record_of([with_rank(row) for row in rows.iter_rows(named=True)], patient, RULES)
    given_ = tables["treatments"].filter(pl.col("person") == person).sort("start")
    doses = tuple(_dose(start, number) for number, start in enumerate(given_["start"]))
    return Record(patient=patient, counts=base.counts, doses=doses)


def _dose(start: datetime, number: int) -> Dose:
    precision = "day" if start.hour == 0 else "second"
    return Dose(
        id=f"dose-{number}",
        drug="cyclophosphamide",
        start=Moment(at=start, precision=precision),
        given=True,
        origin=Origin(place=Place(source="")),
    )


def test_the_kernel_is_compiled_once_for_all_batches() -> None:
    from leuko.cohort.kernel.people import judge

    assert len(judge.signatures) == 1
