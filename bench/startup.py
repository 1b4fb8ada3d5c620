"""Wall-clock of `leuko --help` and of one assessment, start-up included: `python bench/startup.py [--runs 15]`.

Every run is a process of its own. Medians over the runs are printed with the least and the most, the processor time
(which other work on the machine disturbs less), and the machine; the exit code is 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "src" / "leuko" / "data" / "examples"
LEUKO = Path(sysconfig.get_path("scripts")) / "leuko"

# what is measured, its arguments, the promise [s]
CASES: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("leuko --help", ("--help",), 0.150),
    ("leuko explain ctcae-6:neutrophils", ("explain", "ctcae-6:neutrophils"), None),
    ("assess, view in the terminal", ("assess", "ADULT", "--as-of", "2026-03-10"), 1.0),
    ("assess, everything in the terminal", ("assess", "ADULT", "--as-of", "2026-03-10", "--full"), 1.0),
    ("assess, JSON", ("assess", "ADULT", "--as-of", "2026-03-10", "--json", "-"), 1.0),
    ("assess, FHIR", ("assess", "ADULT", "--as-of", "2026-03-10", "--fhir", "-"), 1.0),
    ("assess, HTML page", ("assess", "ADULT", "--as-of", "2026-03-10", "--quiet", "--html", "PAGE"), 1.0),
    ("assess a table, JSON", ("assess", "CHILD", "--as-of", "2026-03-10", "--json", "-"), 1.0),
    ("demo", ("demo",), 1.0),
    ("assess, PDF", ("assess", "ADULT", "--as-of", "2026-03-10", "--quiet", "--pdf", "PDF"), None),
)


def seconds(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Wall-clock and processor time of one run [s]."""
    busy, began = _busy(), perf_counter()
    subprocess.run([LEUKO, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - began, _busy() - busy


def _busy() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    compileall.compile_dir(ROOT / "src", quiet=1)  # as an installed leuko is
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {runs} runs each\n")
    print(f"{'what':<36}{'median':>9}{'least':>9}{'most':>9}{'CPU':>9}{'promise':>14}   [ms]")
    broken = 0
    with TemporaryDirectory() as folder:
        places = {
            "ADULT": str(EXAMPLES / "adult-on-docetaxel.json"),
            "CHILD": str(EXAMPLES / "child-long.csv"),
            "PAGE": f"{folder}/page.html",
            "PDF": f"{folder}/page.pdf",
        }
        for what, arguments, promise in CASES:
            given = tuple(places.get(word, word) for word in arguments)
            seconds(given)  # once unmeasured: files come into the cache
            runtimes = [seconds(given) for _ in range(runs)]
            times, busy = [wall for wall, _ in runtimes], median(cpu for _, cpu in runtimes)
            kept = promise is None or median(times) <= promise
            broken += not kept
            said = "" if promise is None else f"{promise * 1000:.0f}" + ("" if kept else " BROKEN")
            walls = "".join(f"{one * 1000:>9.0f}" for one in (median(times), min(times), max(times), busy))
            print(f"{what:<36}{walls}{said:>14}", flush=True)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
