"""Breaks every row of the knowledge that drives a conclusion, one way at a time, and asks the cases to notice.

`python scripts/break_knowledge.py [--kind KIND]... [--row KEY]... [--every N]`. A row is marked as unconfirmed, its
limits are moved, its choices made otherwise, its words replaced; each time the tests of the cases that name the row are
run, and one of them must fail. What nobody noticed is listed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1] / "tests"
sys.path.insert(0, str(TESTS))


def main() -> int:
    """Break, and say what came of it."""
    from fixtures.breaking import Breaker

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", action="append", default=[], help="a kind of row; repeatable [all]")
    parser.add_argument("--row", action="append", default=[], help="a pattern of keys, as treat_day:T*; repeatable")
    parser.add_argument("--every", type=int, default=1, help="try one break in so many [1]")
    told = parser.parse_args()
    breaker = Breaker(
        TESTS / "cases",
        wanted=lambda held: (
            (not told.kind or held.kind in told.kind)
            and (not told.row or any(fnmatch(held.key, pattern) for pattern in told.row))
        ),
        every=told.every,
        say=_say,
    )
    files = [str(file) for file in sorted((TESTS / "unit").glob("test_cases*.py"))]
    pytest.main(["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", *files], plugins=[breaker])
    found = breaker.found
    total = len(found.noticed) + len(found.unnoticed)
    _say(f"{total} breaks, {len(found.unnoticed)} not noticed; {len(found.bare)} rows without a case that could be run")
    return int(bool(found.unnoticed or found.bare))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
