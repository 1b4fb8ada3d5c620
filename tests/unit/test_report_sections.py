"""The sections beyond the four answers, in every view: nothing is lost, and the short view hides no warning."""

from __future__ import annotations

import io
import re
from dataclasses import fields, is_dataclass, replace
from importlib import resources
from typing import Any

import pytest
from rich.cells import cell_len

from fixtures.assessments import bare, rich
from fixtures.golden import check
from fixtures.parts import whole
from leuko.assessment import assess
from leuko.cli.demo import AS_OF, EXAMPLE
from leuko.intake import read
from leuko.intake.base import ReadOptions
from leuko.report.blocks import Line, unlike
from leuko.report.page import html
from leuko.report.references import References
from leuko.report.sections import sections
from leuko.report.terminal import render
from leuko.result import Assessment, Citation, Reason
from leuko.result.infection import Symptom

ORDER = ["Why", "What to find out", "How dangerous", "What to do", "Outlook and advice"]


def example() -> Assessment:
    with resources.as_file(resources.files("leuko") / "data" / "examples" / EXAMPLE) as path:
        return assess(read(path, options=ReadOptions(as_of=AS_OF)).records[0], as_of=AS_OF)


def flat(text: str) -> str:
    return " ".join(text.split())


def reasons(value: Any) -> list[Reason]:
    if isinstance(value, Reason):
        return [value]
    if is_dataclass(value):
        return [each for field in fields(value) for each in reasons(getattr(value, field.name))]
    return [each for item in value for each in reasons(item)] if isinstance(value, tuple) else []


def test_the_sections_stand_in_the_order_of_a_clinicians_questions() -> None:
    assert [section.title for section in sections(whole())] == ORDER


@pytest.mark.parametrize("make", [rich, bare])
def test_without_the_parts_there_is_no_section(make: Any) -> None:
    assert sections(make()) == ()


@pytest.mark.parametrize("full", [False, True])
def test_the_text_is_the_one_somebody_looked_at(full: bool) -> None:
    check(f"terminal-whole{'-full' if full else ''}.txt", render(whole(), full=full))


@pytest.mark.parametrize("width", [50, 64, 80, 120])
@pytest.mark.parametrize("full", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, full: bool) -> None:
    assert all(cell_len(line) <= width for line in render(whole(), width=width, full=full).splitlines())


def test_an_emergency_stands_below_the_headline_in_every_view() -> None:
    words = "Fever with severe neutropenia: an emergency. Call: the treating team now."
    assert words in flat("\n".join(render(whole()).splitlines()[:4]))
    page = html(whole())
    assert page.index(words) < page.index("Is it low?")


def test_what_the_headline_says_is_not_said_twice() -> None:
    told = replace(whole(), headline="Fever with severe neutropenia: an emergency. Severe neutropenia.")
    assert "! Call: the treating team now." in render(told)


def test_a_monitored_medicine_to_stop_stands_below_the_headline_unless_it_is_stopped() -> None:
    plan = whole().plan
    assert plan is not None
    assert "Monitored medicine: clozapine, UK: stop." in flat(render(whole()))
    stopped = replace(plan, monitoring=(replace(plan.monitoring[0], running=False),))
    assert "Monitored medicine:" not in render(replace(whole(), plan=stopped))


def test_without_urgency_there_is_no_alarm() -> None:
    calm = replace(whole(), plan=None, infection=replace(whole().infection, urgency=_urgency("none_found")))  # type: ignore[type-var]
    assert 'class="alarm"' not in html(calm)
    assert "! " not in render(calm).splitlines()[2]


def _urgency(level: str) -> Any:
    infection = whole().infection
    assert infection is not None
    return replace(infection.urgency, level=level)


@pytest.mark.parametrize(
    "words",
    [
        "against: the lowest count came early",
        "does not explain: low platelets",
        "bodies differ",
        "caution: Steroids can hide a fever.",
        "overdue",
        "2 open causes",
        "1 disagreement",
        "call now: ",
    ],
)
def test_the_short_view_hides_nothing_that_warns(words: str) -> None:
    assert words in flat(render(whole()))


def _with_signs(*symptoms: Symptom) -> Assessment:
    made = whole()
    assert made.infection is not None
    return replace(made, infection=replace(made.infection, symptoms=symptoms))


def test_a_measured_temperature_is_not_called_a_denial() -> None:
    made = whole().infection
    assert made is not None
    asked = next(one for one in made.symptoms if one.present is False)
    read = replace(made.symptoms[0].reason, text="fever: 36.8 °C", evidence=("temp-1",))
    normal = replace(asked, id="fever", name="fever", detail="36.8 °C on 12 March 2026", reason=read)
    low = replace(normal, id="low_temperature", name="low temperature")
    denied = replace(normal, id="chills", name="chills", detail="chills: denied")
    text = flat(render(_with_signs(normal, low, denied, asked), full=True))
    assert "not fever or low temperature: 36.8 °C on 12 March 2026" in text
    assert "denied: chills and cough" in text


def _open_scores(*, asked: str, fever: bool) -> Assessment:
    """The person with one score of which it is open whether it applies, with or without what would point to it."""
    made = whole()
    assert made.infection is not None
    assert made.plan is not None
    assert made.advice is not None
    first = made.scores[0]
    question = "Is it so, by the open score?"
    unknown = replace(
        first.criteria[0], question=question, asked=asked, met=None, reason=replace(first.reason, text="not on record")
    )
    open_ = replace(first, name="Open score", eligible=None, criteria=(unknown,))
    quiet = replace(
        made.infection,
        symptoms=tuple(replace(one, present=None) for one in made.infection.symptoms),
        verdicts=(),
        alert=False,
        suspects_pneumonia=replace(made.infection.suspects_pneumonia, suspected=None),
        urgency=replace(made.infection.urgency, level="none_found"),
    )
    calm = replace(made.advice.situation, treatment=False, treatments=())
    return replace(
        made,
        scores=(open_, *(score for score in made.scores[1:] if score.eligible)),
        infection=made.infection if fever else quiet,
        plan=replace(made.plan, regimen=replace(made.plan.regimen, told="none")),
        advice=replace(made.advice, situation=calm),
    )


def test_a_score_for_fever_is_folded_where_nothing_points_to_it() -> None:
    page = flat(html(_open_scores(asked="febrile_neutropenia", fever=False)))
    assert "1 score applies only with febrile neutropenia, which the record does not show now: Open score" in page
    full = flat(render(_open_scores(asked="febrile_neutropenia", fever=False), full=True))
    assert "Open score open applies only with: febrile neutropenia" in full
    assert "Scores of which it is open" not in full
    assert "qSOFA 1 point, low" in full, "one that applies is never folded"
    assert "Is it so, by the open score?" not in full


@pytest.mark.parametrize(("asked", "fever"), [("febrile_neutropenia", True), ("not_pregnant", False)])
def test_an_open_score_is_listed_with_a_fever_or_where_something_else_is_open(asked: str, fever: bool) -> None:
    text = flat(render(_open_scores(asked=asked, fever=fever), full=True))
    assert "Scores of which it is open whether they apply Open score" in text


def test_no_label_is_said_twice_and_no_list_is_counted() -> None:
    made = whole()
    assert made.advice is not None
    assert made.plan is not None
    outlook = replace(made.advice.outlook[0], name="A cause", question="outlook", text="A cause: cannot say.")
    risk = replace(made.plan.regimen.risks[0], body="NCCN", text="NCCN: high")
    plan = replace(made.plan, regimen=replace(made.plan.regimen, risks=(risk,)))
    text = flat(render(replace(made, plan=plan, advice=replace(made.advice, outlook=(outlook,))), full=True))
    assert "A cause: outlook Cannot say." in text
    assert "risk of fever: NCCN: high" in text
    assert " list of what" not in text


def test_the_full_view_says_every_reason() -> None:
    full = flat(render(whole(), full=True, width=4000))
    parts = (whole().drug_links, whole().infection, whole().plan, whole().steps)
    unknown = {"not asked", "not asked for"}  # of a sign that nobody asked for, the number is told
    told = {reason.text for part in parts for reason in reasons(part)} - unknown
    assert {text for text in told if text not in full} == set()


def test_the_page_holds_all_that_the_full_terminal_holds() -> None:
    page = flat(re.sub(r"<[^>]+>", " ", html(whole())))
    for section in sections(whole()):
        for group in section.groups:
            for entry in group.entries:
                for line in (*entry.lines, *entry.more):
                    assert flat(line.text).replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;") in page


def test_every_mark_of_the_page_leads_to_a_source() -> None:
    page = html(whole())
    assert set(re.findall(r'href="#(source-\d+)"', page)) <= set(re.findall(r'id="(source-\d+)"', page))


def test_the_full_view_lists_every_source_it_points_to() -> None:
    refs, full = References.of(whole()), render(whole(), width=300, full=True)
    far = next(ref for ref in refs.listed if ref.source == "far")
    listed = {int(number) for number in re.findall(r"^  \[(\d+)\] ", full, re.MULTILINE)}
    marks = {int(n) for found in re.findall(r" \[([\d, ]+)\]", full) for n in found.split(",")}
    assert marks <= listed
    assert far.number in listed


def test_what_is_said_twice_is_said_once_with_both_sources() -> None:
    first, second = (Citation(source=name, title=name) for name in "ab")
    (line,) = unlike([Line(text="x", citations=(first,)), Line(text="x", citations=(second,)), Line(text="")])
    assert line.citations == (first, second)


def test_text_from_a_record_cannot_become_markup() -> None:
    assert "Cytotoxic <chemotherapy>" not in html(whole())
    assert "Cytotoxic &lt;chemotherapy&gt;" in html(whole())


def test_the_pdf_holds_the_sections() -> None:
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("typst")
    from leuko.report.pdf import pdf

    text = flat("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf(whole()))).pages))
    for words in (*ORDER, "an emergency", "A lower dose may do as well", "further possible causes"):
        assert words in text


@pytest.mark.parametrize("name", ["whole", "example"])
def test_no_entry_says_a_thing_twice(name: str) -> None:
    made = whole() if name == "whole" else example()
    for section in sections(made):
        for group in section.groups:
            for entry in group.entries:
                # Several bodies may set one limit: elsewhere a text may stand once for each name before it.
                told = [(line.text, section.id == "to-do" or line.label) for line in (*entry.lines, *entry.more)]
                assert len(told) == len(set(told)), (entry.title, told)
