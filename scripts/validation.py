"""Writes docs/reference/forecast-validation.md: `python scripts/validation.py [FOLDER]` (minutes; `make validation`).

FOLDER holds real counts, as `leuko validate forecast --data` takes them; without it the page has no part on them. The
checks of the documentation look at the form of the page, never at its figures: they need neither minutes nor data.
"""

from __future__ import annotations

import sys
from pathlib import Path

from leuko.cli._notices import say
from leuko.forecast.score.validation import validate
from leuko.knowledge import load_library
from leuko.report.validation import as_markdown

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "forecast-validation.md"
MADE = "<!-- Written by scripts/validation.py. Run `make validation` to write it anew. -->\n"


def main() -> None:
    """Judge everything and write the page."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    found = validate(load_library(), data=data, said=lambda text: say(f"… {text}"))
    PAGE.write_text(f"{MADE}\n{as_markdown(found)}", "utf-8")
    say(f"written: {PAGE}")


if __name__ == "__main__":
    main()
