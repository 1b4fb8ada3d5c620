"""How long a slider of What if takes, in a real Chromium: from its movement to the finished picture.

    python bench/what_if.py                      medians over new questions and over repeated ones, with their parts

`wait` is until the page asks (it lets go of a slider that still moves), `answer` until the new numbers stand in the
page, `compile` and `parse` of Vega's figures lie in it; `picture` is what is left until the curves are drawn. The
processor time of the service for an answer says more where the machine does much else.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.sync_api import sync_playwright

from fixtures.served import Visit, chromium, served

NEW = (("a-delay", "2"), ("b-dose", "75"), ("b-factor", "3"), ("a-dose", "90"), ("a-delay", "5"), ("b-factor", "6"))
AGAIN = (("b-factor", "3"), ("b-factor", "6"), ("b-factor", "3"), ("b-factor", "6"))
WATCH = """() => {
  const parts = (window.parts = {});
  for (const [of, name] of [[vegaLite, "compile"], [vega, "parse"]]) {
    const real = of[name];
    of[name] = (...given) => {
      const start = performance.now();
      const made = real(...given);
      parts[name] = (parts[name] ?? 0) + performance.now() - start;
      return made;
    };
  }
  document.addEventListener("htmx:before:request", () => (parts.asked = performance.now()));
  document.addEventListener("htmx:after:swap", () => (parts.swapped = performance.now()));
  window.slide = (name, value) => new Promise((done) => {
    for (const key of Object.keys(parts)) delete parts[key];
    const slider = document.querySelector(`[data-mirror=${name}]`);
    const result = document.getElementById("result");
    const old = result.querySelector("svg");
    const start = performance.now();
    const watching = new MutationObserver(() => {
      const drawn = result.querySelector("svg");
      if (drawn === null || drawn === old) return;
      watching.disconnect();
      requestAnimationFrame(() => done({
        total: performance.now() - start, wait: parts.asked - start, answer: parts.swapped - parts.asked,
        compile: parts.compile, parse: parts.parse, picture: performance.now() - parts.swapped,
      }));
    });
    watching.observe(result, { childList: true, subtree: true });
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  });
}"""


def told(what: str, found: list[dict[str, float]], processor: list[float]) -> None:
    """A line of medians in milliseconds."""
    parts = {name: statistics.median(one[name] or 0.0 for one in found) for name in found[0]}
    words = "  ".join(f"{name} {value:.0f}" for name, value in parts.items())
    print(
        f"{what} ({len(found)}) [ms]: {words}  processor time of service and test {1000 * statistics.median(processor):.0f}"
    )


def measured(page: Any, moves: tuple[tuple[str, str], ...]) -> tuple[list[dict[str, float]], list[float]]:
    """What the page says of each move, and the processor time of this process, in which the service runs."""
    found, processor = [], []
    for slider, value in moves:
        start = time.process_time()
        found.append(page.evaluate("([name, value]) => slide(name, value)", [slider, value]))
        processor.append(time.process_time() - start)
    return found, processor


def main() -> None:
    """Serve the invented people, and move the sliders of one."""
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as at, sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        visit = Visit(browser, at)
        visit.log_in("weiss")
        page = visit.go(f"/people/{at.number_of('example-adult')}/what-if")
        page.wait_for_selector("#result [data-drawn] svg", timeout=120_000)
        page.evaluate(WATCH)
        measured(page, NEW[:1])  # what the first question loads is no part of it
        told("new questions", *measured(page, NEW[1:]))
        told("asked before", *measured(page, AGAIN))
        with page.expect_response("**/what-if?*") as answer:
            page.evaluate("slide('a-delay', '1')")
        print(f"size of an answer: {len(answer.value.body()) / 1000:.0f} kB")
        visit.close()
        browser.close()


if __name__ == "__main__":
    main()
