"""Who meets which definition: by hand, from counts and facts to findings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from leuko.cohort import frames
from leuko.cohort.outputs.definitions import chosen, findings, members, on_file
from leuko.cohort.outputs.given import Given
from leuko.cohort.outputs.temperature import temperatures
from leuko.cohort.tables import rules_of
from leuko.errors import KnowledgeError, Place, UsageError
from leuko.infection.readings import readings_of
from leuko.intake.symptom_words import vocabulary
from leuko.knowledge import load_library
from leuko.record import Code, Moment, Origin, Sign

LIBRARY = load_library()
RULES = rules_of()
START = date(2024, 3, 1)
Result = tuple[float, float, str]  # day since the start, neutrophils, bound


def at(day: float) -> datetime:
    return datetime(2024, 3, 1, 8, tzinfo=UTC) + timedelta(days=day)


def given(
    counts: list[tuple[float, float] | Result],
    *,
    facts: list[dict[str, Any]] | None = None,
    people: list[dict[str, Any]] | None = None,
    derived: bool = False,
    warm: list[tuple[float, float, str]] | None = None,
) -> Given:
    """One person, A, with counts by day, and what else is known; `warm` are day, temperature, unit."""
    kind = pl.String()
    rows = [
        {
            "person": "A", "analyte": "neutrophils", "taken": at(row[0]), "has_time": True, "value": row[1],
            "bound": row[2] if len(row) > 2 else "=", "derived": derived, "file": "labs.csv", "row": number,
        }
        for number, row in enumerate(counts, start=1)
    ]  # fmt: skip

    def frame(found: list[dict[str, Any]], columns: dict[str, str]) -> pl.DataFrame:
        return pl.DataFrame(found, schema=frames.schema(columns, person=kind), orient="row")

    tables = {
        "counts": frame(rows, frames.COUNTS),
        "episodes": frame([], frames.EPISODES),
        "persons": pl.DataFrame({"person": ["A"]}),
        "people": frame(people or [], frames.PEOPLE),
        "facts": frame([{"person": "A", **fact} for fact in facts or []], frames.FACTS),
        "signs": frame(
            [
                {"person": "A", "name": "body temperature", "value": value, "unit": unit, "taken": at(day)}
                for day, value, unit in warm or []
            ],
            frames.SIGNS,
        ),
    }
    return Given.of(tables, RULES)


def asked(name: str, told: Given, **options: Any) -> pl.DataFrame:
    return findings(told, chosen([name], LIBRARY), **options)


def only(name: str, told: Given, **options: Any) -> dict[str, Any]:
    (row,) = asked(name, told, **options).iter_rows(named=True)
    return row


TRANSPLANT = [{"kind": "procedure", "name": "Allogeneic stem cell transplantation", "start": at(0)}]
CELLS = [{"kind": "procedure", "name": "Infusion of axicabtagene ciloleucel", "start": at(0)}]


# ---- engraftment -----------------------------------------------------------------------------------------------------


def test_engraftment_is_the_first_of_three_results_of_different_days_after_the_fall() -> None:
    """CIBMTR: high counts before the nadir do not count; 0.5 itself does."""
    counts = [(1, 2.0), (2, 1.1), (3, 0.9), (6, 0.3), (9, 0.0), (12, 0.6), (13, 0.4), (15, 0.5), (16, 0.7), (18, 0.9)]
    row = only("engraftment-cibmtr", given(counts, facts=TRANSPLANT))
    assert (row["met"], row["start"], row["index"]) == (True, date(2024, 3, 16), START)
    assert (row["least"], row["most"]) == (14.0, 15.0)  # the last low result is of day 13


def test_two_results_of_one_day_are_one_of_the_three() -> None:
    counts = [(5, 0.1), (10, 0.6), (10.3, 0.7), (11, 0.8)]
    row = only("engraftment-cibmtr", given(counts, facts=TRANSPLANT))
    assert row["met"] is None
    assert "only 2 results in a row" in row["text"]


@pytest.mark.parametrize(
    ("definition", "name", "found"),
    [
        ("engraftment-cibmtr", "Transplantation of kidney", False),
        ("engraftment-cibmtr", "Liver transplant", False),
        ("engraftment-cibmtr", "Bone marrow transplant status", False),  # of no known day
        ("engraftment-cibmtr", "History of autologous stem cell transplant", False),
        ("engraftment-cibmtr", "Awaiting bone marrow transplant", False),
        ("engraftment-cibmtr", "Autotransplantation of haematopoietic stem cells", True),
        ("engraftment-cibmtr", "Delivery of stem cell transplant, hairy cell leukaemia", True),
        ("icaht-early", "Excision of scar tissue", False),
        ("icaht-early", "Passenger injured in car traffic accident", False),
        ("icaht-early", "History of CAR T cell therapy", False),
        ("icaht-early", "CAR T-cell infusion", True),
        ("icaht-early", "Tisagenlecleucel", True),
    ],
)
def test_an_event_of_another_kind_or_of_no_known_day_is_no_start(definition: str, name: str, found: bool) -> None:
    event = [{"kind": "procedure", "name": name, "start": at(0)}]
    counts = [(6, 0.3), (12, 0.6), (15, 0.5), (16, 0.7), (18, 0.9)]
    assert asked(definition, given(counts, facts=event)).height == found


@pytest.mark.parametrize(
    ("counts", "met", "text"),
    [
        ([(5, 2.0), (9, 1.5)], None, "no result below 0.5 was seen"),
        ([(5, 0.1), (9, 0.2)], False, "not recovered by the last count"),
        ([(-5, 2.0)], None, "no count in the window"),
        ([(5, 0.1), (9, 0.6, "<"), (10, 0.6), (11, 0.7)], None, "only 2 results in a row"),
    ],
)
def test_engraftment_that_cannot_be_told(counts: Any, met: bool | None, text: str) -> None:
    row = only("engraftment-cibmtr", given(counts, facts=TRANSPLANT))
    assert row["met"] is met
    assert text in row["text"]


def test_nobody_without_the_event_is_asked() -> None:
    assert asked("engraftment-cibmtr", given([(5, 0.1)])).height == 0
    assert asked("icaht-early", given([(5, 0.1)], facts=TRANSPLANT)).height == 0


# ---- ICAHT -----------------------------------------------------------------------------------------------------------


def daily(*spans: tuple[int, int, float]) -> list[tuple[float, float] | Result]:
    return [(float(day), value) for first, last, value in spans for day in range(first, last + 1)]


@pytest.mark.parametrize(
    ("counts", "grade"),
    [
        (daily((0, 30, 2.0)), 0),
        (daily((0, 3, 2.0), (4, 9, 0.4), (10, 30, 1.0)), 1),  # six days
        (daily((0, 3, 2.0), (4, 10, 0.5), (11, 30, 1.0)), 2),  # seven days; 0.5 counts
        (daily((0, 3, 2.0), (4, 17, 0.4), (18, 30, 1.0)), 3),  # fourteen days
        (daily((0, 3, 2.0), (4, 10, 0.1), (11, 30, 1.0)), 3),  # seven days at 0.1
        (daily((0, 3, 2.0), (4, 17, 0.05), (18, 30, 1.0)), 4),  # fourteen days at 0.1
        (daily((0, 30, 0.4)), 4),  # never above 0.5
        (daily((0, 3, 2.0), (4, 8, 0.4), (9, 10, 0.8), (11, 13, 0.4), (14, 30, 1.0)), 2),  # two days are no recovery
        (daily((0, 3, 2.0), (4, 8, 0.4), (9, 11, 0.8), (12, 14, 0.4), (15, 30, 1.0)), 1),  # three days are
    ],
)
def test_early_grades_of_daily_counts(counts: Any, grade: int) -> None:
    row = only("icaht-early", given(counts, facts=CELLS))
    assert (row["grade_least"], row["grade_most"]) == (grade, grade)
    assert row["met"] is (grade > 0)


def test_sparse_counts_leave_an_early_grade_open() -> None:
    """0.4 on days 7 and 12: six days are bridged; up to day 5 and from day 16 on the counts are above."""
    row = only(
        "icaht-early", given([(0, 2.0), (5, 1.0), (7, 0.4), (12, 0.4), (16, 1.0), (24, 2.0), (30, 2.0)], facts=CELLS)
    )
    assert (row["least"], row["most"]) == (6.0, 10.0)
    assert (row["grade_least"], row["grade_most"], row["met"]) == (1, 2, True)


def test_a_death_ends_the_window() -> None:
    """Low from day 2 to the death on day 12: never above 0.5, grade 4 (Liang's patient 8)."""
    dead = [*CELLS, {"kind": "death", "name": "death", "start": at(12)}]
    row = only("icaht-early", given(daily((0, 1, 1.0), (2, 12, 0.4)), facts=dead))
    assert row["grade_least"] == 4


@pytest.mark.parametrize(
    ("counts", "least", "most"),
    [
        ([(35, 1.4), (40, 1.2)], 1, 1),
        ([(35, 1.4), (40, 0.9)], 2, 2),
        ([(35, 0.5), (40, 0.6)], 3, 3),
        ([(35, 0.1), (40, 0.6)], 4, 4),
        ([(35, 0.1), (40, 1.6)], 0, 4),  # one low result alone
        ([(35, 2.0), (40, 1.6)], 0, 0),
        ([(20, 0.1), (101, 0.1)], None, None),  # outside of the window
    ],
)
def test_late_grades(counts: Any, least: int | None, most: int | None) -> None:
    row = only("icaht-late", given(counts, facts=CELLS))
    assert (row["grade_least"], row["grade_most"]) == (least, most)


# ---- OHDSI -----------------------------------------------------------------------------------------------------------


def test_an_entry_lasts_three_weeks_or_until_a_count_that_is_not_low() -> None:
    row = only("ohdsi-213", given([(0, 1.2)]))
    assert (row["start"], row["end"]) == (START, START + timedelta(days=21))
    row = only("ohdsi-213", given([(0, 1.2), (9, 1.8)]))
    assert row["end"] == START + timedelta(days=9)


def test_entries_less_than_a_year_apart_are_one() -> None:
    found = asked("ohdsi-213", given([(0, 1.2), (300, 1.1), (800, 0.9)]))
    assert found.select("start", "end").rows() == [
        (START, date(2025, 1, 16)),
        (date(2026, 5, 10), date(2026, 5, 31)),
    ]


@pytest.mark.parametrize(
    ("counts", "closed", "published"),
    [
        ([(0, 0.0)], 1, 0),  # zero is not looked at
        ([(0, 1.4995)], 1, 0),
        ([(0, 1.2, ">")], 0, 1),  # an operator is not looked at
        ([(0, 0.1, "<")], 1, 1),
        ([(0, 1.2), (0.3, 2.0)], 0, 1),  # a count of 2.0 on the day is not normal to it
        ([(0, 1.2), (0.3, 5.0)], 0, 0),
        ([(0, 1.6)], 0, 0),
    ],
)
def test_the_holes_are_closed_and_the_switch_opens_them(counts: Any, closed: int, published: int) -> None:
    told = given(counts)
    assert asked("ohdsi-213", told).height == closed
    assert asked("ohdsi-213", told, as_published=True).height == published


def test_derived_counts_are_not_published() -> None:
    told = given([(0, 1.2)], derived=True)
    assert (asked("ohdsi-213", told).height, asked("ohdsi-213", told, as_published=True).height) == (1, 0)


def test_a_published_entry_ends_a_day_later_and_with_the_observation() -> None:
    """The engine of OHDSI lets a measurement end the day after it was taken."""
    row = only("ohdsi-213", given([(0, 1.2)]), as_published=True)
    assert row["end"] == START + timedelta(days=22)
    people = [{"person": "A", "start": START, "end": START + timedelta(days=5)}]
    row = only("ohdsi-213", given([(0, 1.2)], people=people), as_published=True)
    assert row["end"] == START + timedelta(days=5)
    people = [{"person": "A", "start": START + timedelta(days=2), "end": None}]
    assert asked("ohdsi-213", given([(0, 1.2)], people=people), as_published=True).height == 0


def test_conditions_let_in_and_congenital_ones_keep_out() -> None:
    condition = {"kind": "condition", "name": "Neutropenia", "code": "320073", "system": "omop:concept", "start": at(3)}
    assert only("ohdsi-213", given([], facts=[condition]))["start"] == date(2024, 3, 4)
    congenital = {**condition, "name": "Congenital neutropenia", "code": "434895", "start": at(9)}
    assert asked("ohdsi-213", given([], facts=[condition, congenital])).height == 0
    later = {**congenital, "start": at(20)}
    assert asked("ohdsi-213", given([], facts=[condition, later])).height == 1


def test_what_descends_from_a_concept_is_one_of_it_where_that_is_told() -> None:
    """As OHDSI 213 has it: with descendants, save those of leukopenia (435224)."""
    condition = {"kind": "condition", "name": "?", "code": "99", "system": "omop:concept", "start": at(3)}
    assert asked("ohdsi-213", given([], facts=[condition])).height == 0
    assert asked("ohdsi-213", given([], facts=[{**condition, "within": ";320073;435224;"}])).height == 1
    assert asked("ohdsi-213", given([], facts=[{**condition, "within": ";435224;"}])).height == 0
    assert asked("ohdsi-213", given([], facts=[{**condition, "code": "435224", "within": ";435224;"}])).height == 1
    inborn = {**condition, "code": "98", "within": ";434895;", "start": at(9)}
    assert asked("ohdsi-213", given([(3, 1.2)], facts=[inborn])).height == 0


def test_neutrophilia_of_the_day_keeps_out() -> None:
    high = {"kind": "condition", "name": "Neutrophilia", "code": "4306106", "system": "omop:concept", "start": at(0)}
    assert asked("ohdsi-213", given([(0, 1.2)], facts=[high])).height == 0
    assert asked("ohdsi-213", given([(0, 1.2)], facts=[{**high, "start": at(1)}])).height == 1


# ---- OHDSI 737: fever or infection in hospital, with low neutrophils -------------------------------------------------

STAY = {
    "kind": "visit", "name": "inpatient", "code": "9201", "system": "omop:concept", "start": at(-2), "end": at(6),
}  # fmt: skip


def condition(concept: int, day: float, **more: Any) -> dict[str, Any]:
    return {"kind": "condition", "name": "?", "code": str(concept), "system": "omop:concept", "start": at(day), **more}


def spans(told: Given, **options: Any) -> list[tuple[date, date, bool | None]]:
    """Start, end and whether it is met, of every row of 737."""
    return asked("ohdsi-737", told, **options).select("start", "end", "met").rows()


FEVER = [(0.0, 38.4, "Cel")]


def test_a_fever_in_hospital_with_a_low_count_within_a_day() -> None:
    """38.4 on day 0, 0.4 on day -1: a fever ends on day 1, and the member leaves 3 days later; as published, then."""
    told = given([(-1, 0.4)], facts=[STAY], warm=FEVER)
    assert spans(told) == [(START, START + timedelta(days=4), True)]
    assert spans(told, as_published=True) == [(START, START + timedelta(days=1), True)]
    assert spans(given([(-2, 0.4)], facts=[STAY], warm=FEVER)) == []
    assert spans(given([(2, 0.4)], facts=[STAY], warm=FEVER)) == []
    assert spans(given([(0, 0.4)], facts=[STAY], warm=[(0, 37.9, "Cel")])) == []
    assert spans(given([(0, 0.4)], facts=[STAY], warm=[(0, 100.4, "[degF]")]))[0][2] is True
    assert spans(given([(0, 0.4)], facts=[STAY], warm=[(0, 38.4, "kg")])) == []


def test_events_are_fevers_infections_and_the_diagnosis_itself() -> None:
    assert spans(given([(0, 0.4)], facts=[STAY, condition(437663, 0)]))[0][2] is True
    assert spans(given([(0, 0.4)], facts=[STAY, condition(99, 0, within=";4170143;")]))[0][2] is True
    assert spans(given([(0, 0.4)], facts=[STAY, condition(99, 0, within=";437663;4093997;")])) == []  # of malaria
    assert spans(given([], facts=[STAY, condition(4250734, 0)]))[0][2] is True  # its own proof
    # the diagnosis proves the low count of a fever of the same day or the day before, not of one after it
    assert len(spans(given([], facts=[STAY, condition(4250734, 1)], warm=FEVER))) == 1
    assert spans(given([], facts=[STAY, condition(4250734, 1)], warm=FEVER))[0][0] == START
    late = spans(given([], facts=[STAY, condition(4250734, -1)], warm=[(0.0, 38.4, "Cel")]))
    assert late == [(START - timedelta(days=1), START + timedelta(days=3), True)]
    # an event lasts as long as the condition is said to
    long = spans(given([(0, 0.4)], facts=[STAY, condition(437663, 0, end=at(5))]))
    assert long == [(START, START + timedelta(days=8), True)]


def test_leukopenia_is_neutropenia_only_as_published() -> None:
    low = condition(99, 0, within=";435224;")
    assert spans(given([], facts=[STAY, low], warm=FEVER)) == []
    assert len(spans(given([], facts=[STAY, low], warm=FEVER), as_published=True)) == 1
    assert len(spans(given([], facts=[STAY, condition(320073, 1)], warm=FEVER))) == 1


@pytest.mark.parametrize(
    ("counts", "warm", "closed", "published"),
    [
        ([(0, 0.0)], FEVER, [True], []),
        ([(0, 1.4995)], FEVER, [True], []),
        ([(0, 0.4)], [(0.0, 42.5, "Cel")], [True], []),
        ([(0, 0.1, "<")], FEVER, [True], [True]),
        ([(0, 1.2, ">")], FEVER, [None], [True]),  # may be low
        ([(-1, 0.4), (0, 2.0)], FEVER, [], [True]),  # a normal count of the day
        ([(-1, 0.4), (0, 5.0)], FEVER, [], []),
        ([(-1, 0.4), (1, 5.0)], FEVER, [True], [True]),
    ],
)
def test_the_holes_of_737_are_closed_and_the_switch_opens_them(
    counts: Any, warm: Any, closed: list[bool | None], published: list[bool]
) -> None:
    told = given(counts, facts=[STAY], warm=warm)
    assert [row[2] for row in spans(told)] == closed
    assert [row[2] for row in spans(told, as_published=True)] == published
    if None in closed:
        assert only("ohdsi-737", told)["text"] == "only a bound of the count near the event is known"


@pytest.mark.parametrize(
    ("visits", "closed", "text", "published"),
    [
        ([STAY], [True], None, 1),
        ([{**STAY, "code": "9202", "name": "outpatient"}], [], None, 0),
        ([{**STAY, "code": "0", "name": "Emergency department"}], [True], None, 0),
        ([{**STAY, "code": "7", "name": "?", "within": ";262;"}], [True], None, 1),
        ([{**STAY, "end": at(-1)}], [], None, 0),
        ([{**STAY, "end": None}], [None], "the end of a visit is not on record", 0),
        ([{**STAY, "start": at(0), "end": None}], [True], None, 0),
        ([], [None], "no visit is on record: whether it was in hospital is not known", 0),
    ],
)
def test_a_visit_that_is_not_known_leaves_it_open(
    visits: list[dict[str, Any]], closed: list[bool | None], text: str | None, published: int
) -> None:
    told = given([(0, 0.4)], facts=visits, warm=FEVER)
    found = asked("ohdsi-737", told)
    assert found["met"].to_list() == closed
    assert found["text"].to_list() == [text] * len(closed)
    assert asked("ohdsi-737", told, as_published=True).height == published


def test_events_within_ninety_days_are_one_as_its_description_says() -> None:
    days = (0.0, 80.0, 200.0)
    stays = [{**STAY, "start": at(day), "end": at(day + 2)} for day in days]
    told = given([(day, 0.4) for day in days], facts=stays, warm=[(day, 38.5, "Cel") for day in days])
    ends = [(START, START + timedelta(days=84)), (START + timedelta(days=200), START + timedelta(days=204))]
    assert [row[:2] for row in spans(told)] == ends
    assert len(spans(told, as_published=True)) == 3
    members_ = members(asked("ohdsi-737", told))
    assert members_["cohort_definition_id"].to_list() == [737, 737]


def test_published_members_are_observed() -> None:
    people = [{"person": "A", "start": START + timedelta(days=1), "end": None}]
    told = given([(0, 0.4)], facts=[STAY], warm=FEVER, people=people)
    assert (len(spans(told)), len(spans(told, as_published=True))) == (1, 0)


# ---- lasting ---------------------------------------------------------------------------------------------------------


def with_episode(told: Given, **episode: Any) -> Given:
    known = {"person": "A", "analyte": "neutrophils", "cut": 1.5, "nadir": 0.1, "recovery_confirmed": False}
    frame = pl.DataFrame([{**known, **episode}], schema=frames.schema(frames.EPISODES), orient="row")
    return Given.of(
        {"counts": told.counts, "episodes": frame, "persons": told.persons, "people": told.people, "facts": told.facts},
        RULES,
    )


def test_low_counts_over_three_months_are_chronic() -> None:
    long = with_episode(given([(0, 1.2), (40, 0.9), (91, 1.1)]), onset_latest=at(0), days_least=91.0)
    row = only("chronic-neutropenia", long)
    assert (row["met"], row["least"], row["counts"]) == (True, 91.0, 3)
    assert asked("severe-chronic-neutropenia", long).height == 0
    deep = with_episode(given([(0, 0.2), (40, 0.3), (91, 0.4)]), onset_latest=at(0), days_least=91.0)
    assert only("severe-chronic-neutropenia", deep)["met"] is True
    short = with_episode(
        given([(0, 1.2), (40, 0.9)]), onset_latest=at(0), recovery_earliest=at(40), days_least=40.0, days_most=70.0
    )
    assert asked("chronic-neutropenia", short).height == 0
    open_ = with_episode(given([(0, 1.2), (40, 0.9)]), onset_latest=at(0), days_least=40.0)
    assert only("chronic-neutropenia", open_)["met"] is None


# ---- on file, and one's own ------------------------------------------------------------------------------------------

OWN = """
[[entry]]
id = "deep"
number = 1
title = "Neutrophils below 0.2"
band = { upper = 0.2 }
end_days = 7.0

[[stay]]
id = "our-own"
number = 2
title = "Our own grade"
starts = ["stem cell"]
first = 0
last = 20
recovered = 3
bridge = 3
early = 0
grades = [{ grade = 1, limit = 0.2, days = 5 }]
"""


def test_a_definition_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN)
    rows = chosen([str(tmp_path / "mine.toml"), "dsn"], LIBRARY)
    assert [row.id for row in rows] == ["deep", "our-own", "dsn"]
    found = findings(given(daily((0, 3, 1.0), (4, 8, 0.1), (9, 20, 1.0)), facts=TRANSPLANT), rows)
    assert found.filter(pl.col("definition") == "deep").select("start", "end", "counts").rows() == [
        (date(2024, 3, 5), date(2024, 3, 16), 5)
    ]
    assert found.filter(pl.col("definition") == "our-own")["grade_least"].to_list() == [1]
    assert members(found)["cohort_definition_id"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[enter]]\nid = 'x'\n", "enter"),
        (OWN.replace("end_days = 7.0", "end_day = 7.0"), "end_day"),
        ("[[entry]\n", "not valid TOML"),
    ],
)
def test_a_file_that_breaks_the_schema_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(KnowledgeError) as error:
        chosen([str(tmp_path / "mine.toml")], LIBRARY)
    assert said in str(error.value)


def test_two_definitions_of_one_name_or_number_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OWN.replace("number = 2", "number = 9001"))
    with pytest.raises(UsageError, match="the number 9001"):
        chosen([str(tmp_path / "mine.toml"), "dsn"], LIBRARY)


def test_everything_on_file_may_drive() -> None:
    assert {row.basis.drives for row in on_file(LIBRARY).values()} == {True}
    assert len({row.number for row in on_file(LIBRARY).values()}) == len(on_file(LIBRARY)) == 8


# ---- temperatures ----------------------------------------------------------------------------------------------------

LOINC = "http://loinc.org|"


@pytest.mark.parametrize(
    ("name", "codes", "value", "unit", "celsius"),
    [
        ("8310-5", f"{LOINC}8310-5", 38.6, "Cel", 38.6),  # named by its code alone
        ("Körpertemperatur", None, 38.6, "°C", 38.6),
        ("oral", f"{LOINC}8331-1", 101.48, "[degF]", 38.6),
        ("body temperature", None, 38.6, None, 38.6),  # without a unit it can only be this one
        ("body temperature", None, 101.48, None, 38.6),
        ("body temperature", None, 386.0, None, None),
        ("body temperature", None, 38.6, "mmHg", None),
        ("Heart rate", f"{LOINC}8867-4", 38.6, None, None),
    ],
)
def test_temperatures_are_those_of_one_person(
    name: str, codes: str | None, value: float, unit: str | None, celsius: float | None
) -> None:
    row = {"person": "A", "name": name, "codes": codes, "value": value, "unit": unit, "taken": at(1), "has_time": True}
    signs = pl.DataFrame([row], schema=frames.schema(frames.SIGNS, person=pl.String()), orient="row")
    found = temperatures(signs, LIBRARY)["celsius"].to_list()
    assert found == ([] if celsius is None else [celsius])
    code = tuple(Code(system="http://loinc.org", code=one.removeprefix(LOINC)) for one in ([codes] if codes else []))
    origin = Origin(place=Place(source=""))
    sign = Sign(id="1", name=name, codes=code, value=value, unit=unit, taken=Moment(at=at(1)), origin=origin)
    alone = readings_of([sign], words=vocabulary(LIBRARY), as_of=date(2024, 3, 2))
    assert found == [reading.celsius for reading in alone.placed]
