"""The page on how good the forecasts are: written by command, so only its form is checked, never its figures."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "forecast-validation.md"
TABLES = (
    "Published numbers",
    "Calibration on people made by the model",
    "Falls foretold",
    "Day of recovery foretold",
    "Populations learned anew",
)


def test_the_page_says_how_it_was_made() -> None:
    text = PAGE.read_text("utf-8")
    assert text.startswith("<!-- Written by scripts/validation.py.")
    assert re.search(r"^leuko \d+\.\d+\S*, seed \d+, everything\.$", text, re.MULTILINE), "not of a full run"


def test_the_page_has_every_part_and_names_its_misses() -> None:
    text = PAGE.read_text("utf-8")
    heads = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert all(any(head.startswith(part) for head in heads) for part in TABLES)
    verdict = next(line for line in text.splitlines() if line.startswith("Misses: "))
    missed = [line.split(" | ")[2] for line in text.splitlines() if " | miss | " in line]
    assert all(dose in verdict for dose in missed)
    assert "Calibration: " in verdict


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    for block in re.findall(r"(?:^\|.*\|\n)+", PAGE.read_text("utf-8"), re.MULTILINE):
        rows = block.splitlines()
        assert {row.count("|") for row in rows} == {rows[0].count("|")}
