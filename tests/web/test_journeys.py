"""Whole journeys in a real Chromium: a ward round, a release of chemotherapy, a study, a day of administration.

Every visit ends with what all of them promise: nothing on the console, and no request that left the origin.
"""

from __future__ import annotations

import io
import re
from datetime import date
from importlib import resources

import pytest

from fixtures.golden import check
from fixtures.served import STAFF, Visit, chromium, served
from leuko.cohort.flow import cohort
from leuko.web.people import known

pypdf = pytest.importorskip("pypdf")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.web

REPORT = """Labor Nord
Patient: 4711
Entnahme: 27.02.2026 08:30
Blutbild
Leukozyten 2,1 L G/l 4,0 - 10,0
Neutrophile 0,4 LL G/l 1,8 - 7,5
Lymphozyten 1,1 G/l 1,0-4,0 1,3
"""
STUDY = "patient,date,neutrophils (10^9/L),WBC (10^9/L)\n" + "".join(
    f"p{person},2026-01-{day:02d},{value},{value * 1.6:.2f}\n"
    for person in range(12)
    for day, value in ((2, 4.1 + person / 10), (9, 0.2 + person / 9), (13, 0.4 + person / 8), (20, 2.6))
)


@pytest.fixture(scope="module")
def browser():
    path = chromium()
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "study.csv").write_text(STUDY)
    cohort(folder / "study.csv", out=folder / "cohorts" / "study", as_of=date(2026, 3, 1), workers=1)
    with served(folder, web={"cohorts": str(folder / "cohorts")}) as at:
        yield at


@pytest.fixture(scope="module")
def logged_in(browser, service):
    """Cookies of everyone of the staff, each logged in once through the page."""
    states = {}
    for name in STAFF:
        visit = Visit(browser, service)
        visit.log_in(name)
        states[name] = visit.context.storage_state()
        visit.close()
    return states


@pytest.fixture
def visit(browser, service, logged_in):
    visits = []

    def opened(name: str, *, afresh: bool = False, **options) -> Visit:
        state = {} if afresh else {"storage_state": logged_in[name]}
        visits.append(Visit(browser, service, **state, **options))
        if afresh:
            visits[-1].log_in(name)
        return visits[-1]

    yield opened
    for one in visits:
        one.close()


def _heading(page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


# ---- a haematologist on a ward round --------------------------------------------------------------------------------


def test_a_haematologist_on_a_ward_round(visit, service):
    on_round = visit("weiss")
    page = on_round.go("/")
    first = page.locator("tbody tr").first
    assert "chemotherapy-fever" in first.inner_text(), "who cannot wait stands first"
    first.get_by_role("link").first.click()
    page.wait_for_selector("#plot[data-drawn] svg")
    assert "neutropenia" in _heading(page)
    assert page.locator(".alarm").first.is_visible()
    # the figure is stepped through by keyboard, and says what it shows
    page.focus("#plot")
    page.keyboard.press("End")
    assert "Neutrophils" in page.locator("#readout").inner_text()
    # signs told at the bed are scored at once; they are kept only by the button beside the result
    page.get_by_label("Temperature").fill("39.2")
    playwright.expect(page.locator("#told-result")).to_contain_text("39.2", timeout=20_000)
    # one click to the sources
    page.get_by_text("Why", exact=True).first.click()
    # the leaflet, in the person's language, to hand over
    page.get_by_role("link", name="Leaflet for the person").click()
    page.get_by_role("link", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) == 1
    assert "Back to the person" not in printed.pages[0].extract_text()
    page.get_by_role("link", name="Back to the person").click()
    assert page.url.endswith(f"/people/{service.number_of('chemotherapy-fever')}")


def test_a_forecast_that_comes_late_wipes_nothing_that_somebody_is_telling(browser, tmp_path):
    held = []
    with served(tmp_path) as at:  # a service of its own: no forecast has been made yet
        on_round = Visit(browser, at)
        on_round.log_in("weiss")
        page, told = on_round.page, on_round.page.locator("#told-result")
        page.route("**/people/*forecast=true*", lambda route: held.append(route))  # noqa: PLW0108 (a method built in is refused)
        on_round.go(f"/people/{at.number_of('chemotherapy-fever')}")
        page.wait_for_selector("#waiting", state="attached")
        page.get_by_label("Temperature").fill("39.2")
        playwright.expect(told).to_contain_text("39.2", timeout=20_000)
        assert len(held) == 1, "the page asks for its forecast once"
        held[0].continue_()
        page.wait_for_selector("#waiting", state="detached")
        assert page.get_by_label("Temperature").input_value() == "39.2"
        playwright.expect(told).to_contain_text("39.2", timeout=20_000)
        on_round.close()


def test_a_report_is_pasted_mended_in_the_editor_and_saved(visit):
    at_desk = visit("weiss")
    page = at_desk.go("/")
    page.get_by_role("link", name="Read counts").click()
    page.get_by_label("Text").fill(REPORT)
    page.get_by_role("button", name="Read").click()
    page.wait_for_selector("#plot[data-drawn] svg")
    assert "Neutrophils 0.4" in _heading(page)
    told = page.locator(".source-lines li.warning")
    assert told.locator("code").inner_text() == "Lymphozyten 1,1 G/l 1,0-4,0 1,3"
    assert "LK545" in told.inner_text()
    # the number of the line leads to it in the field, selected, so that typing replaces it
    told.get_by_role("link", name="7").click()
    page.keyboard.type("Lymphozyten 1,1 G/l 1,0 - 4,0")
    page.get_by_role("button", name="Read again").click()
    page.wait_for_selector("#plot[data-drawn] svg")
    assert page.locator(".source-lines li.warning").count() == 0
    assert "Lymphocytes" in page.locator("#twin").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    assert download.value.suggested_filename == "leuko.json"
    page.get_by_role("button", name="Leaflet, English").click()
    assert "white blood cells are low" in _heading(page)


# ---- a pharmacist releasing chemotherapy ----------------------------------------------------------------------------


def _slide(page, slider: str, to: str) -> None:
    """Move a slider by keyboard to a value, and wait until the answer to it is there."""
    field = page.locator(f"[data-mirror={slider}]")
    field.focus()
    before = page.locator("#result table").inner_text()
    for _ in range(40):
        if field.input_value() == to:
            break
        page.keyboard.press("ArrowRight" if float(field.input_value()) < float(to) else "ArrowLeft")
    assert page.input_value(f"#{slider}") == to, "the number follows the slider"
    playwright.expect(page.locator("#result table")).not_to_have_text(before, timeout=30_000, use_inner_text=True)


def _column(page, number: int) -> list[str]:
    return [row.locator("td").nth(number).inner_text() for row in page.locator("#result tbody tr").all()]


def test_a_pharmacist_releasing_chemotherapy(visit, service):
    at_desk = visit("okafor")
    at_desk.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service.url)
    page = at_desk.go("/")
    page.get_by_role("link", name="example-adult", exact=True).click()
    page.get_by_role("link", name="What if").click()
    page.wait_for_selector("#result [data-drawn] svg", timeout=60_000)
    planned, first = _column(page, 0), _column(page, 1)
    picture = page.locator("#result [data-drawn] svg").inner_html()
    # plan A: less dose, a week later; plan B: the dose as planned, with a growth factor
    _slide(page, "a-dose", "75")
    assert _column(page, 0) == planned, "the plan as it stands does not move"
    lesser = _column(page, 1)
    assert lesser != first
    _slide(page, "a-delay", "3")
    assert _column(page, 1) != lesser
    _slide(page, "b-dose", "100")
    _slide(page, "b-factor", "2")
    page.get_by_text("Growth factor daily from day 2").first.wait_for()
    page.wait_for_selector("#result [data-drawn] svg")
    assert page.locator("#result [data-drawn] svg").inner_html() != picture, "the courses are drawn anew"
    assert [float(page.input_value(f"#{name}")) for name in ("a-dose", "a-delay", "b-dose", "b-factor")] == [
        75,
        3,
        100,
        2,
    ]
    a, b = _column(page, 1), _column(page, 2)
    severe = [
        float(cells[0].removesuffix(" %").removeprefix("over ").removeprefix("under ")) for cells in (planned, a, b)
    ]
    assert severe[1] < severe[0], "less dose, later: less often severe"
    # the text for the note says the same numbers
    page.get_by_role("button", name="Copy").click()
    playwright.expect(page.get_by_text("Copied.")).to_be_visible()
    note = page.evaluate("navigator.clipboard.readText()")
    for cell in (*a, *b):
        assert cell in note
    assert "Plan A (" in note
    assert "docetaxel" in note.casefold()
    # release or hold, by the rules that the plan names; each leads to its source
    page.get_by_role("link", name="example-adult").click()
    page.wait_for_url("**/people/*")
    plan = page.locator("#to-do").locator("xpath=..")
    assert re.search(r"(treat|hold|delay).*", plan.inner_text(), re.IGNORECASE)
    assert page.locator("#brief-5-to-do, [id$=-to-do]").first.is_visible()
    page.goto(f"{service.url}/knowledge")
    page.get_by_label("Words").fill("docetaxel")
    page.get_by_label("Chapter", exact=True).select_option(label="The count on the day of treatment")
    page.get_by_role("button", name="Search").click()
    page.locator(".hits a").first.click()
    facts = page.locator("dl.facts").inner_text()
    assert "confidence" in facts
    assert "source" in facts


# ---- a researcher ---------------------------------------------------------------------------------------------------


def test_a_researcher_reads_a_study_and_what_it_was_graded_by(visit):
    at_desk = visit("lindqvist")
    page = at_desk.go("/cohorts")
    page.get_by_role("link", name="study").click()
    assert "cohort of 12 people" in _heading(page)
    for words in ("Table one", "Worst grade", "Time to nadir and to recovery"):
        assert page.get_by_role("heading", name=words, exact=True).is_visible()
    assert page.get_by_role("img").count() >= 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as JSON").click()
    assert download.value.suggested_filename == "summary.json"
    page.get_by_role("link", name="Knowledge").click()
    page.get_by_role("link", name="NCI Common Terminology Criteria for Adverse Events v6.0").click()
    page.get_by_role("link", name="Neutrophil", exact=False).first.click()
    assert "ctcae-6:neutrophils" in page.locator("article").inner_text()
    page.locator("dl.facts a").first.click()
    assert "What rests on it" in page.locator("main").inner_text()
    assert page.get_by_role("link", name="Site").count() == 0, "a viewer is shown no door that is shut"


def test_a_researcher_uploads_a_table_of_several_people(visit):
    at_desk = visit("lindqvist")
    page = at_desk.go("/read")
    data = (resources.files("leuko") / "data" / "examples" / "child-long.csv").read_bytes()
    files = [
        {"name": "child.csv", "mimeType": "text/csv", "buffer": data},
        {"name": "study.csv", "mimeType": "text/csv", "buffer": STUDY.encode()},
    ]
    page.locator("#files").set_input_files(files)
    page.get_by_role("button", name="Read").click()
    assert "13 people were read" in _heading(page)
    page.get_by_role("button", name="Show p0 alone").click()
    page.wait_for_selector("#plot[data-drawn] svg")
    assert "Neutrophils" in page.locator("#twin").inner_text(), "the files travelled back, and were read again"


def test_a_viewer_is_told_in_words_what_is_not_for_them(visit):
    at_desk = visit("lindqvist")
    page = at_desk.go("/audit")
    assert "this needs the role admin" in page.locator("body").inner_text()
    assert [line for line in at_desk.said if "403" not in line] == []
    at_desk.said.clear()


# ---- an admin -------------------------------------------------------------------------------------------------------


def test_an_admin_sets_a_number_and_finds_it_in_the_leaflet_and_in_the_audit(visit, service):
    at_desk = visit("admin", afresh=True)  # signs out below, which ends a login for everyone who shares it
    page = at_desk.go("/site")
    page.get_by_label("Fever limit", exact=True).fill("101")
    page.get_by_role("button", name="Keep these settings").click()
    assert "Write 38.3" in page.get_by_role("alert").first.inner_text()
    assert page.get_by_label("Fever limit", exact=True).input_value() == "101", (
        "what was typed stands there to be mended"
    )
    page.get_by_label("Fever limit", exact=True).fill("38.3")
    page.get_by_label("Treating team").fill("+49 30 1234567")
    page.get_by_role("button", name="Keep these settings").click()
    page.wait_for_url("**/site?kept=2")
    assert "38.3 °C" in page.locator("dl.facts").inner_text()
    page.goto(f"{service.url}/people/{service.number_of('clozapine')}/leaflet")
    assert page.get_by_text("+49 30 1234567").count() >= 1
    page.goto(f"{service.url}/audit")
    head = page.locator("code.hash").inner_text()
    page.get_by_label("What", exact=True).select_option("setting")
    page.get_by_role("button", name="Narrow").click()
    assert "phones" in page.locator("table").inner_text()
    page.get_by_label("A hash kept from an earlier check").fill(head)
    page.get_by_role("button", name="Look for it").click()
    assert "the hash that was kept is among them" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{service.url}/site")
    assert page.get_by_label("Password").is_visible(), "signed out is signed out"
    at_desk.said.clear()  # the answer 401 behind the login is told on the console


def test_without_javascript_everything_is_read_and_done(visit):
    at_desk = visit("okafor", java_script_enabled=False)
    page = at_desk.go("/read")
    page.get_by_label("Text").fill(REPORT)
    page.get_by_label("As of").fill("2026-02-28")
    page.get_by_role("button", name="Read").click()
    assert "Neutrophils 0.4" in _heading(page)
    assert "LK545" in page.locator(".source-lines").inner_text()
    assert "Neutrophils" in page.locator("#twin").inner_text(), "the table holds what the figure shows"
    page.get_by_role("button", name="Leaflet, Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.get_by_role("button", name="Print").count() == 0, "no button that does nothing"
    at_desk.go("/knowledge?q=neutropenia")
    assert page.locator(".hits > li").count() == 30
    at_desk.go("/cohorts/study")
    assert page.locator("figure svg").count() >= 1, "the figures are drawn already"


@pytest.mark.parametrize("script", [True, False])
def test_a_report_is_kept_of_a_new_person_and_taken_back(visit, service, script):
    at_desk = visit("okafor", java_script_enabled=script)
    page, name = at_desk.go("/read"), f"bed-{7 + script}"
    page.get_by_label("Text").fill(REPORT.replace("4711", name))
    page.get_by_role("button", name="Read").click()
    offer = page.get_by_role("group", name=f"patient {name}")
    assert "2 counts, 27 February 2026" in offer.inner_text()
    assert offer.get_by_role("radio", name="A person who is not in the store yet").is_checked()
    page.get_by_role("button", name="Keep in the store").click()
    page.wait_for_url("**/people/*")
    assert "Kept, and assessed with it" in page.get_by_role("status").first.inner_text()
    assert "Neutrophils 0.4" in _heading(page)
    # a temperature at the bed: scored, then kept
    page.get_by_label("Temperature").fill("38.9")
    if not script:
        page.get_by_role("button", name="Score").click()
    page.get_by_role("button", name="Keep these signs on record").click()
    page.wait_for_url("**/people/*?kept=1")
    assert "38.9" in _heading(page) or "ever" in _heading(page)
    assert page.locator("section:has(> #kept) tbody tr").count() == 2
    page.goto(f"{service.url}/")
    assert "Emergency" in page.get_by_role("row", name=name).inner_text()
    page.get_by_role("link", name=name, exact=True).click()
    for left in (1, 0):
        page.get_by_role("button", name="Take back").first.click()
        page.wait_for_load_state()
        assert page.locator("section:has(> #kept) tbody tr").count() == left
    assert page.get_by_role("link", name=name, exact=True).count() == 0, "nobody is left of whom nothing is known"


def test_every_leaflet_prints_on_one_page_in_every_language(visit, service):
    at_desk = visit("weiss")
    with service.app.state.context.store.read() as connection:
        numbers = [one.number for one in known(connection)]
    for number in numbers:
        for language in ("en", "de"):
            page = at_desk.go(f"/people/{number}/leaflet?lang={language}")
            printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
            assert len(printed.pages) == 1, (number, language)


def test_a_report_that_was_read_prints_whole(visit):
    at_desk = visit("okafor")
    page = at_desk.go("/read")
    page.get_by_label("Text").fill(REPORT)
    page.get_by_role("button", name="Read").click()
    page.wait_for_selector("#plot[data-drawn] svg")
    made = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    text = " ".join(" ".join(each.extract_text() for each in made.pages).split())
    assert float(made.pages[0].mediabox.width) == pytest.approx(595, abs=1)
    assert "LK545" in text
    assert "Neutrophils" in text
    assert "Sign out" not in text


PAGES = {
    "read": "/read",
    "knowledge": "/knowledge",
    "knowledge-found": "/knowledge?q=clozapine&chapter=monitoring",
    "knowledge-row": "/knowledge/row?key=ctcae-5:neutrophils",
    "knowledge-source": "/knowledge/row?key=nci-ctcae-5",
    "cohorts": "/cohorts",
    "cohort": "/cohorts/study",
    "site": "/site",
    "audit": "/audit",
    "leaflet": "/people/{chemotherapy-fever}/leaflet",
}


def _path(service, name: str) -> str:
    return re.sub(r"\{(.+?)\}", lambda found: str(service.number_of(found[1])), PAGES[name])


def _read(page) -> None:
    page.get_by_label("Text").fill(REPORT)
    page.get_by_role("button", name="Read").click()
    page.wait_for_selector("#plot[data-drawn] svg")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, service, scheme):
    # Injected past the policy, which is there to keep scripts out.
    from pathlib import Path

    script = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
    at_desk = visit("admin", color_scheme=scheme, bypass_csp=True)
    found = {}

    def ask(name: str, page) -> None:
        page.add_script_tag(content=script)
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        violations = page.evaluate("axe.run().then((result) => result.violations)")
        found[name] = [(each["id"], each["nodes"][0]["html"]) for each in violations]

    for name in PAGES:
        ask(name, at_desk.go(_path(service, name)))
    page = at_desk.go("/read")
    _read(page)
    ask("read-done", page)
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("width", [320, 640, 2000])
def test_no_page_scrolls_sideways(visit, service, width):
    at_desk = visit("admin", viewport={"width": width, "height": 800})
    for name in PAGES:
        page = at_desk.go(_path(service, name))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page = at_desk.go("/read")
    _read(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_mode_turns_every_page(visit, service):
    at_desk = visit("admin", color_scheme="dark")
    for name in PAGES:
        page = at_desk.go(_path(service, name))
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 23, 30)", name


def test_what_a_screen_reader_finds_is_what_somebody_looked_at(visit, service):
    at_desk = visit("weiss")
    parts = []
    for name in ("read", "knowledge-row"):
        parts += [f"# {name}", at_desk.go(_path(service, name)).locator("main").aria_snapshot()]
    page = at_desk.go("/read")
    _read(page)
    parts += ["# what was read", page.locator(".listing").aria_snapshot(), page.locator(".tally").aria_snapshot()]
    check("pages-aria.txt", "\n".join(parts) + "\n")


def test_the_keyboard_reaches_the_form_in_reading_order(visit):
    at_desk = visit("weiss")
    page = at_desk.go("/read")
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert seen[0] == "To the content"
    order = [seen.index(name) for name in ("text", "files", "as_of", "person", "regimen", "symptoms", "Read")]
    assert order == sorted(order)
