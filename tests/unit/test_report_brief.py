"""The view that a person reads first: short, in the order of danger, and never silent about what is dangerous."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from importlib import resources

import pytest

from fixtures.assessments import bare, rich
from fixtures.parts import whole
from leuko.assessment import assess
from leuko.intake import read
from leuko.intake.base import ReadOptions
from leuko.report.brief import count_table
from leuko.report.terminal import render
from leuko.result import Assessment, Gap

EXAMPLES = {
    "adult-on-docetaxel.json": (date(2026, 3, 10), 105),
    "people/clozapine.json": (date(2026, 3, 10), 98),
    "people/duffy-null.json": (date(2026, 2, 3), 90),
    "people/child-after-virus.json": (date(2026, 2, 25), 90),
    "people/pancytopenia.json": (date(2026, 6, 16), 90),
    "people/chemotherapy-fever.json": (date(2026, 5, 13), 118),
}


def person(name: str) -> Assessment:
    as_of = EXAMPLES[name][0]
    with resources.as_file(resources.files("leuko") / "data" / "examples" / name) as path:
        intake = read(path, options=ReadOptions(as_of=as_of))
    return assess(intake.records[0], as_of=as_of, notices=intake.notices)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_default_view_fits_a_screen_or_two_and_hides_no_danger(name: str) -> None:
    made = person(name)
    shown, full = render(made), render(made, full=True)
    assert len(shown.splitlines()) <= EXAMPLES[name][1]
    assert len(full.splitlines()) > 3 * len(shown.splitlines())
    text = flat(shown)
    assert flat(made.headline) in text
    for cause in made.causes:
        assert cause.standing != "supported" or cause.name in text
    for step in made.steps:
        assert step.done or step.urgency not in {"emergency", "same_day", "urgent"} or step.what in text
    assert made.infection is not None
    assert made.infection.urgency.text.rstrip(".") in text
    assert all(symptom.name in text for symptom in made.infection.symptoms if symptom.present)
    assert made.advice is not None
    assert all(rule.text in text for rule in made.advice.calls if rule.active)
    assert made.plan is not None
    assert all(one.title in text for one in (*made.plan.monitoring, *made.plan.treat_days))
    assert all(one.text[1:] in text for one in made.plan.next_counts if one.overdue)
    for status in made.latest:
        assert all(one.name in text for one in status.critical if one.met)
    assert all(notice.code in text for notice in made.notices if notice.data_lost or notice.severity == "error")
    assert "--full" in text


def test_what_is_urgent_stands_before_the_counts() -> None:
    text = render(whole())
    assert text.index("present: ") < text.index("Latest counts") < text.index("What to find out")


def test_the_grades_of_all_editions_stand_beside_each_count() -> None:
    made = count_table(person("adult-on-docetaxel.json"))
    cells = {status.count.analyte: row for status, row in made.rows}
    assert made.title == "Latest counts, 9 March 2026"
    assert made.columns[4:] == ("CTCAE\n4/5/6", "DAIDS\n2.1")
    assert cells["neutrophils"][4:] == ("3/3/2", "1")
    assert cells["lymphocytes"][4] == "1/1/?", "an edition that cannot grade the count says so"


def test_a_count_of_another_day_says_its_day() -> None:
    made = person("adult-on-docetaxel.json")
    old = replace(made.latest[0], count=made.history[0].count)
    cells = count_table(replace(made, latest=(old, *made.latest[1:]))).rows[0][1]
    assert cells[0] == f"{old.label} (8 January 2026)"


def test_a_gap_that_touches_the_verdict_is_said_and_the_others_are_numbered() -> None:
    made = person("adult-on-docetaxel.json")
    text = flat(render(replace(made, gaps=(*made.gaps, Gap(what="whether it is", why="no count", settle="one")))))
    assert "whether it is: no count (settled by: one)" in text
    assert "the neutrophil count of 11 February 2026" in text
    assert "1 grade and 15 points on recovery, rhythm and age" in text


def test_every_question_without_an_answer_is_shown() -> None:
    text = flat(render(bare()))
    assert all(answer.text in text for answer in bare().answers if not answer.known)


def test_each_kind_of_error_and_warning_has_one_line_with_the_number_of_the_others() -> None:
    text = flat(render(rich()))
    codes = {notice.code for notice in rich().notices if notice.severity != "info"}
    assert all(text.count(f"[{code}]") == 1 for code in codes)


def test_a_count_that_was_refused_is_named() -> None:
    aside = rich().set_aside[0]
    refused = replace(aside, notice=replace(aside.notice, code="LK699", severity="warning", text="it was refused"))
    assert "not used[LK699]: it was refused" in flat(render(replace(rich(), set_aside=(refused,))))


def test_a_gap_of_one_count_names_the_count() -> None:
    text = flat(render(person("people/duffy-null.json")))
    assert "Neutrophils: whether this laboratory would call the count low for this person" in text
    assert "White blood cells: whether this laboratory would call the count low for this person" in text
