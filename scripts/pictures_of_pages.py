"""Draws the pictures of the service's pages over the invented people: `python scripts/pictures_of_pages.py`.

`docs/pictures/worklist.png`, `person.png`, `what-if.png`, `read.png` (a pasted report with its notices) and
`knowledge.png` (a search). Needs a Chromium.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = {"width": 1280, "height": 1000}
TREATED = "example-adult"
REPORT = """Patient: 4711
Collected: {day:%Y-%m-%d} 08:30
White blood cells 2.1 L 10^9/L 4.0 - 10.0
Neutrophils 0.4 LL 10^9/L 1.8 - 7.5
Lymphocytes 1.1 10^9/L 1.0-4.0 1.3
"""


def main() -> int:
    """Run the demo, and look at it."""
    running = subprocess.Popen(
        [sys.executable, "-m", "leuko", "demo", "--web"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None  # noqa: S101 (it was asked for two lines above)
    try:
        link = next(found[0] for line in running.stdout if (found := re.search(r"http://\S+/enter/\S+", line)))
        draw(link)
    finally:
        running.terminate()
        running.wait()
    return 0


def draw(link: str) -> None:
    """The first screen of each page, as a person sees it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = os.environ.get("LEUKO_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(link)
        page.screenshot(path=PICTURES / "worklist.png")
        page.get_by_role("link", name=TREATED).click()
        page.wait_for_selector('.brief [data-figure="coming-1"][data-drawn] svg', timeout=120_000)
        page.screenshot(path=PICTURES / "person.png")
        page.get_by_role("link", name="What if").click()
        page.wait_for_selector("#result [data-drawn] svg", timeout=120_000)
        page.screenshot(path=PICTURES / "what-if.png")
        page.get_by_role("link", name="Read counts").click()
        page.get_by_label("Text").fill(REPORT.format(day=datetime.now(UTC) - timedelta(days=1)))
        page.get_by_role("button", name="Read").click()
        page.wait_for_selector("#plot[data-drawn] svg", timeout=120_000)
        page.screenshot(path=PICTURES / "read.png")
        page.get_by_role("link", name="Knowledge").click()
        page.get_by_label("Words").fill("clozapine")
        page.get_by_label("Chapter", exact=True).select_option("monitoring")
        page.get_by_role("button", name="Search").click()
        page.screenshot(path=PICTURES / "knowledge.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
