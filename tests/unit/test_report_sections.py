"""The sections beyond the four answers, in every view: nothing is lost, and the short view hides no warning."""

from __future__ import annotations

import io
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from rich.cells import cell_len

from fixtures.assessments import bare, rich
from fixtures.golden import check
from fixtures.parts import whole
from leuko.report.blocks import Line, unlike
from leuko.report.page import html
from leuko.report.references import References
from leuko.report.sections import sections
from leuko.report.terminal import render
from leuko.result import Citation, Reason

ORDER = ["Why", "What to find out", "How dangerous", "What to do", "Outlook and advice"]


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
        "it does not by itself explain low platelets",
        "bodies differ: Body A says one hour, body B two.",
        "against: A lower dose may do as well.",
        "sources differ: Body A and body B differ.",
        "caution: Steroids can hide a fever.",
        "overdue",
        "3 further possible causes",
        "now: on record",
    ],
)
def test_the_short_view_hides_nothing_that_warns(words: str) -> None:
    assert words in flat(render(whole()))


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


def test_the_short_view_lists_the_sources_it_points_to_under_their_own_numbers() -> None:
    refs = References.of(whole())
    short, full = render(whole(), width=300), render(whole(), width=300, full=True)
    far = next(ref for ref in refs.listed if ref.source == "far")
    assert f"[{far.number}]" in full
    listed = {int(number) for number in re.findall(r"^  \[(\d+)\] ", short, re.MULTILINE)}
    marks = {int(n) for found in re.findall(r" \[([\d, ]+)\]", short) for n in found.split(",")}
    assert marks <= listed


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
