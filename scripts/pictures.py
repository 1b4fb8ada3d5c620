"""Draws the pictures of the README from the real demo: `python scripts/pictures.py` (needs a Chromium).

`docs/pictures/demo.svg` is the beginning of what `leuko demo` prints, `page.png` the top of its page, `chart.png` the
figure on that page, `forecast.png` the figure of what is coming.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from leuko.assessment import assess
from leuko.cli.demo import AS_OF, EXAMPLE
from leuko.intake import read
from leuko.intake.base import ReadOptions
from leuko.report import terminal, view
from leuko.result import Assessment

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
LINES, COLUMNS = 52, 88


def demo() -> Assessment:
    """The assessment that `leuko demo` makes."""
    with resources.as_file(resources.files("leuko") / "data" / "examples" / EXAMPLE) as path:
        intake = read(path, options=ReadOptions(as_of=AS_OF))
    return assess(intake.records[0], as_of=AS_OF, notices=intake.notices)


def terminal_svg(assessment: Assessment) -> str:
    """The first lines of the view in the terminal, as SVG that loads nothing."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi("$ leuko demo"))
    for line in terminal.render(assessment, width=COLUMNS, color=True).splitlines()[:LINES]:
        console.print(Text.from_ansi(line))
    console.print(Text("…", style="dim"))
    drawn = console.export_svg(title="leuko demo", unique_id="leuko-demo")
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def page_pngs(assessment: Assessment) -> None:
    """The top of the page and its figure, in a real browser."""
    from playwright.sync_api import sync_playwright

    browser_path = os.environ.get("LEUKO_CHROMIUM") or shutil.which("chromium")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "page.html"
        page_file.write_bytes(view("html").write(assessment))
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 1250}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(500)  # the chart draws itself after the page has loaded
        answers, figure = page.locator("section").first, page.locator("figure").first
        box = answers.bounding_box() or {"y": 0.0, "height": 700.0}
        page.screenshot(
            path=PICTURES / "page.png", clip={"x": 0, "y": 0, "width": 1100, "height": box["y"] + box["height"] + 20}
        )
        figure.screenshot(path=PICTURES / "chart.png")
        page.locator('figure:has([data-figure="coming-1"])').first.screenshot(path=PICTURES / "forecast.png")
        browser.close()


def main() -> int:
    """Draw both."""
    PICTURES.mkdir(exist_ok=True)
    assessment = demo()
    (PICTURES / "demo.svg").write_text(terminal_svg(assessment), encoding="utf-8")
    page_pngs(assessment)
    return 0


if __name__ == "__main__":
    sys.exit(main())
