"""Writes docs/reference/forecast-validation.md: `python scripts/validation.py [FOLDER]` (minutes; `make validation`).

FOLDER holds real counts, as `leuko validate forecast --data` takes them; without it the page has no part on them. The
checks of the documentation look at the form of the page, never at its figures: they need neither minutes nor data.
"""

from __future__ import annotations

import sys
from pathlib import Path

from leuko.cli._notices import say
from leuko.forecast.score.validation import validate
from leuko.knowledge import Library, load_library
from leuko.report.validation import as_markdown

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "forecast-validation.md"
JOST = (
    "Children in maintenance treatment of acute lymphoblastic leukaemia: neutrophils to 0.1 ×10⁹/L, daily doses of"
    " mercaptopurine. Nothing is left out but what the notes above say. The population of the marrow model on file was"
    " estimated by its authors on children of the same study, and how long a swing lasts was learned on all of them:"
    " what is told 'as shipped' or 'as it forecasts one person' has seen these children in part. What is learned on one"
    " half and judged on the other has not, but begins at those numbers."
)
KNOWN = {"jost2020": ("level-jost-2020", JOST)}
MADE = "<!-- Written by scripts/validation.py. Run `make validation` to write it anew. -->\n"


def _of_data(data: Path | None, library: Library) -> str:
    """Where the real counts are from, with what has to be known of them."""
    if data is None or data.name not in KNOWN:
        return ""
    name, said = KNOWN[data.name]
    return f"\n## The real counts\n\n{library.sources[name].title}. {said}\n"


def main() -> None:
    """Judge everything and write the page."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    library = load_library()
    found = validate(library, data=data, said=lambda text: say(f"… {text}"))
    PAGE.write_text(f"{MADE}\n{as_markdown(found)}{_of_data(data, library)}", "utf-8")
    say(f"written: {PAGE}")


if __name__ == "__main__":
    main()
