"""The worklist, a person's page and what-if in a real Chromium, over the shipped people."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest

from fixtures.served import NOW, Visit, chromium, served
from leuko.assessment import Asked, assess
from leuko.errors import Place
from leuko.record import Count, Moment, Origin, Patient, Record
from leuko.service.store.people import keep_assessment, keep_counts

pypdf = pytest.importorskip("pypdf")
playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = pytest.mark.web
# What WCAG 2.2 AA asks, as far as a machine can tell.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
TREATED, FEBRILE, OTHER = "example-adult", "chemotherapy-fever", "child-after-virus"
SECONDS = 60_000  # [ms] a forecast on a machine that does much else


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    with served(tmp_path_factory.mktemp("clinic")) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def come(at, browser):
    """A clinician in front of a browser; what the console says or a request to elsewhere fails the test."""
    visits = []

    def opened(**options):
        visit = Visit(browser, at, **options)
        visit.log_in("weiss")
        visits.append(visit)
        return visit

    yield opened
    for visit in visits:
        visit.close()


def person(visit, name, *, forecast=False):
    page = visit.go(f"/people/{visit.at.number_of(name)}")
    if forecast:
        page.wait_for_selector("#brief-2-forecast [data-drawn] svg", timeout=SECONDS)
    return page


def violations(page):
    found = axe.Axe().run(page, options=RULES)
    return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found.response["violations"]]


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


# ---- the worklist ---------------------------------------------------------------------------------------------------


def test_the_worklist_begins_with_who_cannot_wait(come):
    page = come().go("/")
    names = page.locator("table.people tbody th a").all_inner_texts()
    assert names[0] == FEBRILE
    assert names[1] == "clozapine"
    assert names.index("duffy-null") > names.index("pancytopenia"), "usual for the person comes after what is not"
    assert {OTHER, "example-child"} <= set(names[-3:])
    first = page.locator("table.people tbody tr").first.inner_text()
    assert "Emergency" in first
    assert "CTCAE 4 and 5 grade 4, CTCAE 6 grade 3" in first


def test_the_worklist_can_be_narrowed_and_says_when_nobody_is_left(come):
    page = come().go("/?show=urgent")
    assert page.locator("table.people tbody th a").all_inner_texts()[:2] == [FEBRILE, "clozapine"]
    assert page.get_by_text(OTHER).count() == 0
    page.get_by_role("link", name=re.compile("^Cannot say")).click()
    page.wait_for_url("**/?show=open")
    assert page.locator("table.people tbody tr").count() + page.locator(".empty").count() > 0
    page.get_by_role("link", name=re.compile("^Everyone")).click()
    assert page.locator("table.people tbody tr").count() >= 10


def arrives(at, name, *, value=0.2):
    """A count of somebody new, as the feed would bring it."""
    given = at.app.state.context
    origin = Origin(place=Place(source="test"))
    count = Count(id="new", analyte="neutrophils", value=value, unit="10*9/L", taken=Moment(at=NOW), origin=origin)
    record = Record(patient=Patient(id=name, sex="female"), counts=(count,), digest=name)
    made = assess(record, as_of=NOW.date(), asked=Asked(wish=None))
    with given.store.write() as connection:
        keep_counts(connection, given.store.now(), name, record.counts, 0)
        keep_assessment(connection, given.store.now(), name, made, 0)


def test_a_result_that_arrives_renews_the_worklist(at, come):
    visit = come()
    with visit.page.expect_response("**/worklist/stream*") as stream:
        page = visit.go("/")
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    before = page.locator("table.people tbody tr").count()
    page.wait_for_timeout(1500)
    assert [url for url in visit.asked if "/worklist/rows" in url] == [], "nothing is asked for while nothing happens"
    visit.asked.clear()
    arrives(at, "newcomer")
    page.wait_for_selector("table.people tr.fresh", timeout=20_000)
    assert page.locator("table.people tbody tr").count() == before + 1
    assert "newcomer" in page.locator("tr.fresh").inner_text()
    assert "1 person has new results" in page.locator(".news").inner_text()
    arrives(at, "another")
    page.get_by_role("link", name="another", exact=True).wait_for(timeout=20_000)
    assert [url for url in visit.asked if "/worklist/stream" in url] == [], "the stream outlives the rows"


def test_where_the_stream_is_cut_off_the_page_asks_by_itself(at, come):
    visit = come()
    visit.page.route("**/worklist/stream*", lambda route: route.abort())
    page = visit.go("/")
    arrives(at, "unheard")
    page.get_by_role("link", name="unheard", exact=True).wait_for(timeout=30_000)
    assert not page.locator("#trouble").is_visible()
    visit.said.clear()  # the browser's own word of the stream that was cut off


# ---- a person -------------------------------------------------------------------------------------------------------


def test_a_person_is_understood_from_the_first_screen(come):
    page = person(come(), TREATED, forecast=True)
    seen = page.evaluate(
        "[...document.querySelectorAll('h1, .tile, .brief h2')].filter(e => e.getBoundingClientRect().top < 900)"
        ".map(e => e.innerText)"
    )
    text = "\n".join(seen)
    for words in ("moderate neutropenia", "0.84", "CTCAE 5 grade 3", "Infection and fever", "What is to come"):
        assert words in text
    assert page.locator("#plot svg").count() == 1
    assert "NaN" not in page.locator("#person").inner_html()


def test_the_forecast_follows_without_losing_the_figure_or_what_stands_open(come):
    visit = come()
    page = person(visit, TREATED)
    page.wait_for_selector("#plot[data-drawn] svg")
    page.locator("#description").evaluate("each => each.closest('details').open = true")
    page.wait_for_selector("#brief-2-forecast [data-drawn] svg", timeout=SECONDS)
    assert page.locator("#plot[data-drawn] svg").count() == 1
    assert page.locator("#description").is_visible()
    assert page.locator("#waiting").count() == 0
    assert "Ways to go on" in page.locator("#person").inner_text()


def test_other_editions_can_be_asked_for(come):
    page = person(come(), TREATED)
    page.get_by_role("link", name="CTCAE 6").click()
    page.wait_for_selector("#plot[data-drawn] svg")
    assert "CTCAE 6 grade 2" in page.locator(".tile").first.inner_text()
    assert "CTCAE 6 grade" in page.locator("#plot svg").text_content()


def test_signs_that_are_told_are_scored_at_once_and_kept_nowhere(at, come):
    visit = come()
    page = person(visit, TREATED)
    page.fill("#told-temperature", "38.6")
    page.get_by_text("Febrile neutropenia by", exact=False).first.wait_for(timeout=SECONDS)
    told = page.locator("#told-result").inner_text()
    assert "38.6 °C" in told
    assert "emergency" in told
    page.fill("#told-temperature", "386")
    page.get_by_text("cannot be a person's").wait_for(timeout=SECONDS)
    page.reload()
    assert "38.6" not in page.locator("main").inner_text()


def test_earlier_forecasts_are_held_against_what_came(come):
    page = person(come(), TREATED, forecast=True)
    page.locator("#make-past").click()
    page.wait_for_selector("#past-result [data-drawn] svg", timeout=SECONDS)
    rows = page.locator("#past-result tbody tr").all_inner_texts()
    assert rows
    assert all(re.search(r"(yes|no|cannot say.*)$", row) for row in rows)


def test_a_person_prints_on_one_page(come):
    visit = come()
    for name in (TREATED, FEBRILE, "pancytopenia"):
        page = person(visit, name)
        page.wait_for_selector("#waiting", state="detached", timeout=SECONDS)
        printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        assert len(printed.pages) == 1, name
        text = unicodedata.normalize("NFKC", printed.pages[0].extract_text())
        for heading in page.locator(".passage:not(.no-print) h2").all_inner_texts():
            assert heading in text
        assert "prescribes nothing" in text


def test_nobody_of_a_number_is_said_in_words(come):
    visit = come()
    answer = visit.page.goto(f"{visit.at.url}/people/4711")
    assert answer.status == 404
    assert "there is nobody of this number" in visit.page.inner_text("body")
    visit.said.clear()  # the browser's own word of the 404


# ---- what if --------------------------------------------------------------------------------------------------------


def test_a_slider_redraws_and_two_plans_stand_side_by_side(come):
    visit = come()
    page = visit.go(f"/people/{visit.at.number_of(TREATED)}/what-if")
    page.wait_for_selector("[data-drawn] svg", timeout=SECONDS)
    leading = page.locator("tr.leading td")
    before = leading.all_inner_texts()
    assert len(before) == 3
    page.locator("[data-mirror=b-factor]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#b-factor") == "2"
    page.get_by_text("Growth factor daily from day 2").first.wait_for(timeout=SECONDS)
    after = leading.all_inner_texts()
    assert after[:2] == before[:2]
    assert after[2] != before[2]
    note = page.input_value("textarea")
    for cell in after:
        assert cell in note
    assert "Plan B (" in note


def test_a_number_that_is_none_is_refused_in_words(come):
    visit = come()
    page = visit.go(f"/people/{visit.at.number_of(TREATED)}/what-if?a_dose=400")
    assert "The dose, plan A is no number from" in page.locator("[role=alert].wrong-words").inner_text()


def test_where_no_cycle_is_planned_it_is_said_why(come):
    visit = come()
    page = visit.go(f"/people/{visit.at.number_of(OTHER)}/what-if")
    assert "nothing to ask here" in page.locator("h1").inner_text()


# ---- for everyone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier_that_a_machine_finds(come, scheme):
    visit = come(color_scheme=scheme)
    page = visit.go("/")
    assert violations(page) == []
    page = person(visit, FEBRILE)
    page.wait_for_selector("#waiting", state="detached", timeout=SECONDS)
    assert violations(page) == []
    page = visit.go(f"/people/{visit.at.number_of(TREATED)}/what-if")
    page.wait_for_selector("[data-drawn] svg", timeout=SECONDS)
    assert violations(page) == []


def test_the_dark_mode_is_dark(come):
    visit = come(color_scheme="dark")
    page = visit.go("/")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert all(int(part) < 60 for part in re.findall(r"\d+", background)[:3])


@pytest.mark.parametrize("width", [320, 640, 1920])
def test_nothing_is_cut_off_on_a_phone_at_zoom_or_on_a_wide_screen(come, width):
    visit = come(viewport={"width": width, "height": 900})
    assert fits(visit.go("/"))
    page = person(visit, TREATED)
    page.wait_for_selector("#plot[data-drawn] svg")
    assert fits(page)
    assert fits(visit.go(f"/people/{visit.at.number_of(TREATED)}/what-if"))


def test_everything_can_be_read_without_javascript(come):
    visit = come(java_script_enabled=False)
    page = visit.go("/?show=urgent")
    assert page.locator("table.people tbody th a").all_inner_texts() == [FEBRILE, "clozapine"]
    assert page.get_by_role("link", name="loaded again").get_attribute("href") == "/?show=urgent"
    number = visit.at.number_of(TREATED)
    page = visit.go(f"/people/{number}?forecast=true")
    text = page.locator("main").inner_text()
    for words in ("moderate neutropenia", "What is to come", "Ways to go on", "Every count"):
        assert words in text
    page.fill("#told-temperature", "38.6")
    page.locator("form.told button[type=submit]").click()
    assert "Febrile neutropenia by" in page.locator("#told-result").inner_text()
    page = visit.go(f"/people/{number}/what-if")
    page.fill("#a-delay", "3")
    page.get_by_role("button", name="Show").click()
    assert "3 days later" in page.locator("table").first.inner_text()


def test_the_keyboard_reaches_the_content_and_steps_through_the_counts(come):
    page = person(come(), TREATED)
    page.wait_for_selector("#plot[data-drawn] svg")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.locator("#plot").focus()
    page.keyboard.press("End")
    assert "Neutrophils 0.84" in page.locator("#readout").inner_text()
