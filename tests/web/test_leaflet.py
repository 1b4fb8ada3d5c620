"""The leaflet in a real Chromium: LEUKO_CHROMIUM, or a `chromium` on the PATH. Skipped without one, but not in CI."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest

from fixtures.advised import PEOPLE, leaflet_of
from leuko.report.leaflet_write import html
from leuko.site import site_of

pypdf = pytest.importorskip("pypdf")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.web
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
LANGUAGES = ("en", "de")
SITE = site_of({"name": "Day unit", "phones": {"emergency": "112"}})


def _chromium() -> str:
    found = os.environ.get("LEUKO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    words = "no Chromium: the leaflet was NOT tested in a browser. Set LEUKO_CHROMIUM, or install chromium"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="module")
def browser():
    path = _chromium()
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser, tmp_path):
    contexts = []

    def opened(name: str, language: str = "en", *, bypass: bool = False, **options):
        file = tmp_path / f"{name}-{language}.html"
        file.write_text(html(leaflet_of(name, language, SITE)), encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 900, "height": 1200}, "bypass_csp": bypass, **options})
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(file.as_uri())
        assert page.asked == [file.as_uri()], "the leaflet asked for something"
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["chemotherapy-with-fever", "clozapine", "duffy-null", "nothing"])
def test_nothing_is_said_on_the_console_and_nothing_is_fetched(visit, name, language):
    page = visit(name, language)
    page.wait_for_timeout(100)
    assert page.said == []
    assert len(page.asked) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["chemotherapy-with-fever", "clozapine", "duffy-null", "child-after-virus"])
def test_axe_finds_nothing(visit, name, scheme):
    page = visit(name, "de", bypass=True, color_scheme=scheme)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []


def test_it_is_read_in_order_of_urgency(visit):
    headings = visit("chemotherapy-well").locator("h1, h2").all_inner_texts()
    assert headings[0] == "Your white blood cells are not low"
    assert headings[1].startswith("Call now, day or night")
    assert headings[2].startswith("Call the emergency number")
    assert headings[-1] == "Fever card"


def test_a_blank_number_is_told_to_those_who_do_not_see_it(visit):
    page = visit("chemotherapy-well")
    assert page.get_by_role("img", name="Your care team, day and night: ________").count() == 2
    assert page.get_by_text("112").count() == 1


@pytest.mark.parametrize("width", [320, 900])
def test_it_fits_a_phone_and_large_print(visit, width):
    page = visit("clozapine", "de", viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 20


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PEOPLE)
def test_it_prints_on_one_page(visit, name, language):
    page = visit(name, language)
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) == 1
