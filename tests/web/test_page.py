"""The page in a real Chromium: LEUKO_CHROMIUM, or a `chromium` on the PATH. Skipped without one, but not in CI."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from fixtures.assessments import bare, rich
from fixtures.forecasts import coming, uncounted
from fixtures.golden import check
from fixtures.parts import whole
from leuko.report.page import html
from leuko.report.series import points

pypdf = pytest.importorskip("pypdf")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.web
AXE = Path(__file__).parent / "vendor" / "axe.min.js"


def _chromium() -> str:
    found = os.environ.get("LEUKO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    words = "no Chromium: the page was NOT tested in a browser. Set LEUKO_CHROMIUM, or install chromium"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


def _until(page, expression: str) -> None:
    """Wait until it holds; Playwright's own wait evaluates text inside the page, which the page's policy forbids."""
    for _ in range(50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {expression}")


@pytest.fixture(scope="module")
def browser():
    path = _chromium()
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "rich": html(rich(), still=False),
        "bare": html(bare()),
        "whole": html(whole()),
        "coming": html(coming()),
        "uncounted": html(uncounted()),
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, files):
    """Open a page and keep what the console said and what it asked for."""
    contexts = []

    def opened(name: str = "rich", **options):
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        url = (files / f"{name}.html").as_uri()
        page.goto(url)
        if name != "bare" and options.get("java_script_enabled", True):
            page.wait_for_selector("[data-figure][data-drawn] svg" if name == "uncounted" else "#plot[data-drawn] svg")
        assert page.asked == [url], "the page asked for something"
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["rich", "bare", "whole", "coming", "uncounted"])
def test_nothing_is_said_on_the_console_and_nothing_is_fetched(visit, name):
    page = visit(name)
    page.wait_for_timeout(300)
    assert page.said == []
    assert len(page.asked) == 1


def test_the_figure_is_drawn_under_the_strict_policy(visit):
    page = visit()
    text = page.locator("#plot svg").text_content()
    for words in ("Neutrophils", "CTCAE 5 grade", "<0.1", "0.38", "doxorubicin", "reference interval 1.8 to 7.5"):
        assert words in text
    assert "NaN" not in page.locator("#plot").inner_html()
    assert page.locator("#plot svg path").count() > len(points(rich()))


def test_the_figure_of_the_forecast_is_drawn_and_follows_the_width(visit):
    page = visit("coming")
    page.wait_for_selector("[data-figure][data-drawn] svg")
    figure = page.locator("[data-figure]")
    text = figure.locator("svg").text_content()
    for words in ("Neutrophils to come", "next dose planned", "1.5"):
        assert words in text
    assert "NaN" not in figure.inner_html()
    assert int(figure.locator("svg").get_attribute("width")) > 700
    page.set_viewport_size({"width": 500, "height": 900})
    _until(page, "document.querySelector('[data-figure] svg')?.getAttribute('width') <= 500")
    assert page.locator("#forecast").text_content() == "What is to come"


def test_a_forecast_is_drawn_though_no_count_is_on_record(visit):
    page = visit("uncounted")
    page.wait_for_selector("[data-figure][data-drawn] svg")
    assert "Neutrophils to come" in page.locator("[data-figure] svg").text_content()
    assert "no count of this person was used" in page.locator("main").text_content()


def test_the_policy_blocks_what_it_does_not_name(visit):
    page = visit()
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.bad = 1'}))"
    )
    assert page.evaluate("window.bad") is None


def test_arrow_keys_step_through_the_counts_and_say_them(visit):
    page = visit()
    readout = page.locator("#readout")
    assert readout.get_attribute("aria-live") == "polite"
    page.focus("#plot")
    page.keyboard.press("ArrowRight")
    assert readout.inner_text().startswith("5 Jan 2026, 08:30: Neutrophils 4.1 ×10⁹/L; CTCAE 5 grade 0")
    page.keyboard.press("End")
    assert "Neutrophils 0.38" in readout.inner_text()
    page.keyboard.press("ArrowDown")
    assert "White cells 1.2" in readout.inner_text()
    assert readout.inner_text().startswith("24 Feb 2026")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert "Neutrophils 4.1" in readout.inner_text()
    _until(page, "document.querySelectorAll('#plot svg [stroke=\"var(--focus)\"]').length === 1")


def test_every_count_of_a_panel_is_reached_once(visit):
    page = visit()
    page.focus("#plot")
    said = []
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        said.append(page.locator("#readout").inner_text())
    dated = [row for row in points(rich()) if row.analyte == "neutrophils" and row.at is not None]
    assert len(dict.fromkeys(said)) == len(dated)


def test_pointing_at_a_count_says_it(visit):
    page = visit()
    page.locator("#plot svg path[fill='var(--ink)']").first.hover()
    _until(page, "document.getElementById('readout').textContent.includes('×10⁹/L')")


def test_the_focus_goes_in_reading_order(visit):
    page = visit()
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert seen[0] == "To the answers"
    assert seen.index("Why") < seen.index("plot")


def test_without_javascript_everything_can_be_read(visit):
    page = visit(java_script_enabled=False)
    body = page.locator("body").inner_text()
    assert "The drawing needs JavaScript" in body
    for row in points(rich()):
        assert row.when in body
    page.locator("summary", has_text="The figure in words").click()
    assert page.locator("#description").is_visible()


def test_paper_holds_the_table_the_reasons_and_the_figure(visit):
    page = visit()
    made = page.pdf(prefer_css_page_size=True, print_background=True)
    document = pypdf.PdfReader(io.BytesIO(made))
    text = " ".join(" ".join(each.extract_text() for each in document.pages).split())
    for row in points(rich()):
        assert row.when in text
    assert "is below 1.5, the limit of neutropenia" in text, "a closed reason prints open"
    assert "Blood counts over time, on logarithmic axes." in text
    assert float(document.pages[0].mediabox.width) == pytest.approx(595, abs=1)


def test_paper_holds_the_table_without_javascript_too(visit):
    page = visit(java_script_enabled=False)
    text = " ".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(page.pdf())).pages)
    assert "Blood counts over time" in text
    assert "is below 1.5, the limit of neutropenia" in " ".join(text.split())


def test_dark_mode_turns_page_and_figure(visit):
    def colours(page):
        ink = "getComputedStyle(document.querySelector('#plot svg path[fill=\"var(--ink)\"]')).fill"
        return page.evaluate(f"[getComputedStyle(document.body).backgroundColor, {ink}]")

    light, dark = colours(visit(color_scheme="light")), colours(visit(color_scheme="dark"))
    assert light[0] == "rgb(255, 255, 255)"
    assert dark[0] == "rgb(16, 23, 30)"
    assert light[1] != dark[1]


@pytest.mark.parametrize("width", [320, 390, 600, 1200, 2000])
@pytest.mark.parametrize("name", ["rich", "whole", "coming"])
def test_the_page_never_scrolls_sideways(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_at_200_per_cent_the_page_never_scrolls_sideways(visit):
    # Twice the zoom on a 1280 px screen is 640 px of room at twice the pixels (WCAG 1.4.10).
    page = visit(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_the_figure_follows_the_width(visit):
    page = visit()
    assert int(page.locator("#plot svg").get_attribute("width")) > 700
    page.set_viewport_size({"width": 500, "height": 900})
    # It is drawn anew for the room there is, not only scaled down.
    _until(page, "document.querySelector('#plot svg')?.getAttribute('width') <= 500")


@pytest.mark.parametrize("name", ["rich", "bare", "whole", "coming", "uncounted"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, name, scheme):
    # Injected past the policy, which is there to keep scripts out.
    page = visit(name, color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    found = page.evaluate("axe.run().then((result) => result.violations)")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_what_a_screen_reader_finds_is_what_somebody_looked_at(visit):
    check("page-aria.txt", visit().locator("body").aria_snapshot() + "\n")
