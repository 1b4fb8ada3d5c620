"""Runs the cases of the single entries on medicines that a clinician can read: tests/cases/entries-medicines.toml."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.medicines import ATC, LIBRARY, dose, fact, named
from fixtures.plans import day, plan, record
from fixtures.series import ADULT, START, counts
from leuko.course import course_of
from leuko.drugs import exposures_of, links_of
from leuko.drugs.identify import identified, is_growth_factor
from leuko.drugs.names import index_of
from leuko.knowledge.coverage import read_cases, without_case
from leuko.knowledge.schema.drugs import CausalityCategory
from leuko.record import Record
from leuko.result.drugs import DrugLink

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = tomllib.loads((FOLDER / "entries-medicines.toml").read_text("utf-8"))
INDEX = index_of(LIBRARY)
LEVELS = {"neutrophils": (4.2, 1.2, 0.4, 0.8, 3.5), "lymphocytes": (2.2, 0.9, 0.4, 0.6, 2.0)}
KINDS = {
    *("drug", "drug_window", "drug_words", "drug_rule", "causality_item", "causality_category"),
    *("causality_exclusion", "scheme", "monitoring.band", "monitoring.interval"),
}


def params(table: str, key: str) -> list[Any]:
    return [pytest.param(case, id=f"{number}-{case[key]}") for number, case in enumerate(CASES[table])]


def found_links(
    doses, pairs, *, line: str = "neutrophils", facts=(), died: float | None = None
) -> tuple[DrugLink, ...]:
    """Every link of an adult, ten days after the last count."""
    series = counts(pairs, analyte=line)
    patient = replace(ADULT, died=day(died)) if died is not None else ADULT
    as_of = day(max(when for when, _ in pairs) + 10)
    course = course_of(line, series, patient=patient, library=LIBRARY, as_of=as_of, doses=doses)
    known = Record(patient=patient, counts=series, doses=tuple(doses), facts=tuple(facts))
    return links_of(known, series={line: series}, courses={line: course}, library=LIBRARY, as_of=as_of)


def only(links: tuple[DrugLink, ...]) -> DrugLink:
    first = [link for link in links if link.episode == 0]
    assert len(first) == 1
    return first[0]


def course_pairs(fell, back: float | None, line: str, *, still: float | None = None) -> list[tuple[float, float]]:
    good, _, low, rising, well = LEVELS[line]
    pairs = [(-3, good), (fell[0], good), (fell[1], low)]
    # a count at least every 30 days while it is low: a longer hole would leave the course open
    pairs += [(when, rising) for when in range(int(fell[1]) + 30, int(still), 30)] if still is not None else []
    pairs += [(still, rising)] if still is not None else []
    return pairs + ([(back, well), (back + 4, well), (back + 9, well)] if back is not None else [])


def cycle_pairs(lowest: float, back: float, line: str, *, still: float | None = None) -> list[tuple[float, float]]:
    good, falling, low, rising, well = LEVELS[line]
    pairs = [(-1, good), (lowest - 1, falling), (lowest, low), (lowest + 1, rising)]
    pairs += [(still, rising)] if still is not None and still > lowest + 1 else []
    return [*pairs, (back, well), (back + 4, well), (back + 9, well)]


# --- medicines and their windows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", params("drug_entry", "is"))
def test_a_medicine_on_the_time_line(case) -> None:
    line = case.get("line", "neutrophils")
    if "given" in case:
        taken, pairs = dose(case["said"], case["given"], kind="given"), cycle_pairs(case["lowest"], case["back"], line)
    else:
        taken, pairs = dose(case["said"], *case["taken"]), course_pairs(case["fell"], case["back"], line)
    link = only(found_links([taken], pairs, line=line))
    naranjo = next(one for one in link.causality if one.scheme == "naranjo")
    said = {"is": link.drug_id, "role": link.role, "timing": link.timing, "strength": link.strength}
    assert said | {"naranjo": naranjo.total} == {key: case[key] for key in (*said, "naranjo")}
    assert link.reviewed
    assert identified(taken, INDEX).rows[0].windows_of == case.get(
        "shared", identified(taken, INDEX).rows[0].windows_of
    )
    assert link.citations
    assert all(row.basis.drives for row in identified(taken, INDEX).rows)


@pytest.mark.parametrize("case", params("window_entry", "row"))
def test_a_window_inside_and_outside(case) -> None:
    drug, line = case["drug"], case.get("line", "neutrophils")
    assert set(case) <= {"row", "drug", "line", "given", "fell", "lowest", "back", "says"}
    for good, low, timing in case.get("fell", ()):
        taken = dose(drug, case["given"], kind="given") if "given" in case else dose(drug, 0, low)
        link = only(found_links([taken], course_pairs((good, low), low + 10, line), line=line))
        assert link.timing == timing, (good, low)
    for lowest, timing in case.get("lowest", ()):
        link = only(found_links([dose(drug, 0, kind="given")], cycle_pairs(lowest, lowest + 5, line), line=line))
        assert link.timing == timing, lowest
    for still, back, showed in case.get("back", ()):
        link = response(drug, still, back, line)
        assert link.dechallenge == showed, back
        assert case.get("says", "") in link.reason.text


def response(drug: str, still: float, back: float, line: str) -> DrugLink:
    """What stopping on day 35, or one dose of chemotherapy, showed."""
    row = identified(dose(drug, 0), INDEX).rows[0]
    if row.pattern == "late_onset":
        return only(
            found_links([dose(drug, 0, kind="given")], course_pairs((59, 60), back, line, still=still), line=line)
        )
    if row.pattern != "cytotoxic":
        return only(found_links([dose(drug, 0, 35)], course_pairs((28, 35), back, line, still=still), line=line))
    nadir = next(case["lowest"] for case in CASES["window_entry"] if case["row"] == f"{row.id}:nadir")
    inside = next(lowest for lowest, timing in nadir if timing == "inside")
    pairs = cycle_pairs(inside, back, line, still=still)
    return only(found_links([dose(drug, 0, kind="given")], pairs, line=line))


# --- names, codes, rules ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", params("reading", "said"))
def test_how_a_name_or_code_is_read(case) -> None:
    one = named(case["said"], (ATC, case["atc"])) if "atc" in case else dose(case["said"], 0)
    found = identified(one, INDEX)
    assert [row.id for row in found.rows] == [name for name in (case["is"],) if name]
    assert found.local == case.get("local", found.local)
    assert is_growth_factor(one, INDEX.words) == case.get("growth_factor", False)


@pytest.mark.parametrize("case", params("rule_entry", "row"))
def test_the_days_of_the_time_line(case) -> None:
    for first, second, number in case.get("stretches", ()):
        doses = (dose(case["drug"], *first), dose(case["drug"], *second))
        known = Record(patient=ADULT, doses=doses)
        assert len(exposures_of(known, library=LIBRARY, as_of=day(100))) == number
    for days, listed in case.get("ended_before", ()):
        pairs = [(0, 4.2), (1, 0.4), (11, 3.5), (15, 3.5), (20, 3.5)]
        assert bool(found_links([dose(case["drug"], -days - 30, -days)], pairs)) == listed, days


# --- causality -------------------------------------------------------------------------------------------------------


def told(name: str) -> DrugLink:
    story = CASES["story"][name]
    doses = [spoken(line) for line in story["doses"]]
    facts = [fact(said, when, kind=kind) for kind, said, when in story.get("facts", ())]
    pairs = [tuple(pair) for pair in story["counts"]]
    return only(found_links(doses, pairs, facts=facts, died=story.get("died")))


def spoken(line: str):
    name, kind, *days = (part.strip() for part in line.split(","))
    return dose(name, *map(float, days), kind=kind)


@pytest.mark.parametrize("case", params("causality_entry", "row"))
def test_causality(case) -> None:
    for story, *expected in case["told"]:
        schemes = told(story).causality
        items = {item.id: item for one in schemes for item in one.items}
        if case["row"] in items:
            item = items[case["row"]]
            points = [item.points, item.least, item.most] if item.points is not None else []
            assert [item.answer, *points] == expected, story
        else:
            assert (category(case["row"]) in {(one.scheme, name) for one in schemes for name in one.possible}) is (
                expected[0]
            ), story


def category(row: str) -> tuple[str, str]:
    return next((one.scheme, one.name) for one in LIBRARY.rows(CausalityCategory) if one.id == row)


@pytest.mark.parametrize("case", params("other_cause", "row"))
def test_another_explanation(case) -> None:
    pairs = [(-3, 4.2), (30, 3.9), (38, 0.4), (50, 2.6), (54, 3.1), (60, 3.0)]
    for name, when, counts_so in case["told"]:
        link = only(found_links([dose("carbimazole", 0, 40)], pairs, facts=[fact(name, when)]))
        items = {item.id: item for one in link.causality for item in one.items}
        assert items["naranjo-5"].answer == ("yes" if counts_so else "unknown"), name
        assert items["benichou-4"].answer == ("no" if counts_so else "unknown"), name
        assert (name in items["naranjo-5"].because) is counts_so


# --- monitored medicines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", params("monitor_entry", "row"))
def test_a_medicine_whose_counts_are_watched(case) -> None:
    known = record(
        counts=[case["counted"]],
        doses=[(case["start"], case["drug"], {"status": "active"})],
        patient={"duffy_null": case.get("duffy_null")},
    )
    found = plan(known, day(max(case["counted"][0] + 1, case["start"])))
    one = next(one for one in found.monitoring if one.scheme == case["scheme"])
    assert (one.band or "") == case["band"]
    assert one.action == case.get("action", one.action)
    if "due" in case:
        assert one.due == day(case["due"])


# --- every entry -----------------------------------------------------------------------------------------------------


def test_every_entry_on_medicines_has_a_case() -> None:
    open_ = [row.key for row in without_case(LIBRARY, read_cases(FOLDER)) if row.kind in KINDS]
    assert open_ == []


def test_the_start_of_the_days() -> None:
    assert day(0) == START.date()
