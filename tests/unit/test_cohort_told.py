"""The summary of what `--with causes,forecast` found: leading causes, chances, days, and of whom nothing is said."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fixtures import cohort_files
from leuko.__main__ import main
from leuko.cohort import frames
from leuko.cohort.each import causes, forecast
from leuko.cohort.summary import Summary, summarise
from leuko.cohort.summary.base import Section, Table
from leuko.cohort.summary.page import html, summary_words
from leuko.cohort.summary.terminal import render
from leuko.cohort.summary.words import without_numbers
from leuko.cohort.tabled import open_table

STALE = "the coming counts: the last count is 40 days old (to settle it: a blood count now)"
ARMS = {person: cohort_files.arm(person) for person in cohort_files.PEOPLE}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("told")
    words = ["--out", str(home / "out"), "--with", "causes,forecast", "-q"]
    assert main(["cohort", str(cohort_files.sdtm(home / "in")), *words]) == 0
    return home / "out"


def told(summary: Summary, section: str, title: str) -> Table:
    return next(table for table in summary.section(section).tables if table.title.startswith(title))


def rewritten(study: Path, out: Path, name: str, rows: list[dict[str, Any]]) -> Summary:
    """The summary of the study with other rows in one of its tables; columns that a row lacks are null."""
    shutil.copytree(study, out)
    kinds = {part.__name__.rsplit(".", 1)[-1]: part.COLUMNS for part in (causes, forecast)}[name]
    schema = frames.schema({column: kind for column, (kind, _) in kinds.items()})
    (out / name).rename(out / "aside")
    (out / name).mkdir()
    pl.DataFrame(rows, schema=schema, orient="row").write_parquet(out / name / "0.parquet")
    return summarise(out)


def cause(person: int, name: str, strength: str, *, rank: int = 1, standing: str = "supported") -> dict[str, Any]:
    return {
        "person": str(person), "said": True, "cause": name.upper(), "name": name, "group": "a group",
        "standing": standing, "strength": strength, "rank": rank, "text": "why",
    }  # fmt: skip


def unsaid(person: int, text: str, **more: Any) -> dict[str, Any]:
    return {"person": str(person), "said": False, "text": text, **more}


# ---- causes ----------------------------------------------------------------------------------------------------------


def test_leading_causes_are_those_of_the_table(study: Path) -> None:
    rows = open_table(study, "causes").collect()
    lead = rows.filter(standing="supported", rank=1)
    by_hand = Counter((row["name"], row["strength"], ARMS[int(row["person"])]) for row in lead.iter_rows(named=True))
    table = told(summarise(study), "causes", "Leading cause")
    assert table.columns == ("leading cause", "evidence", "high", "low", "all")
    for name, strength, *shares in table.rows[2:-1]:
        counted = [int(str(one).split()[0]) for one in shares]
        assert counted[:2] == [by_hand[str(name), str(strength), arm] for arm in ("high", "low")]
        assert counted[2] == sum(counted[:2]) > 0
    assert sum(int(str(row[-1]).split()[0]) for row in table.rows[2:]) == len(ARMS)


def test_leading_causes_strength_and_silence_by_hand(study: Path, tmp_path: Path) -> None:
    """Six people, odd ones in the arm high: two lead by a (one strongly), one by b; one open, two without an answer."""
    summary = rewritten(
        study, tmp_path / "out", "causes",
        [
            cause(1, "a", "strong"), cause(1, "b", "strong", rank=2), cause(1, "c", "none", standing="open"),
            cause(2, "a", "weak"), cause(2, "b", "weak", rank=2, standing="against"),
            cause(3, "b", "moderate"), cause(3, "a", "weak", rank=2),
            cause(4, "c", "none", standing="open"),
            unsaid(5, "no count of this person could be used"),
            unsaid(6, "the program failed for this person (ValueError: day 17 of 3 March 2024 at 2.5)"),
        ],
    )  # fmt: skip
    assert told(summary, "causes", "Leading cause").rows == (
        ("people", "", "3", "3", "6"),
        ("a white count is or was low: causes were weighed", "", "2 (66.7 %)", "2 (66.7 %)", "4 (66.7 %)"),
        ("a", "strong", "1 (50.0 %)", "0 (0.0 %)", "1 (25.0 %)"),
        ("a", "weak", "0 (0.0 %)", "1 (50.0 %)", "1 (25.0 %)"),
        ("b", "moderate", "1 (50.0 %)", "0 (0.0 %)", "1 (25.0 %)"),
        ("no cause is supported", "", "0 (0.0 %)", "1 (50.0 %)", "1 (25.0 %)"),
    )
    assert told(summary, "causes", "Every cause").rows == (
        ("a", "A", "a group", 1, 0, 2, 0, 0),
        ("b", "B", "a group", 1, 1, 0, 0, 1),
    )
    why = told(summary, "causes", "Why nothing is said")
    assert why.rows == (
        ("no count of this person could be used", "1", "0", "1"),
        ("the program failed for this person (ValueError: day … of … at …)", "0", "1", "1"),
    )
    note = summary.section("causes").note
    assert "3 people have a supported cause" in note
    assert "For 1 of them another cause has evidence as strong" in note
    (figure,) = summary.section("causes").figures
    drawn = [(one["facet"], one["row"], one["part"], one["number"]) for one in figure.spec["data"]["values"]]
    assert ("all", "a", "strong", 1) in drawn
    assert sum(one["number"] for one in figure.spec["data"]["values"] if one["facet"] == "all") == 3


# ---- forecasts -------------------------------------------------------------------------------------------------------


def ahead(person: int, chance: float, day: float | None, *, method: str = "marrow") -> list[dict[str, Any]]:
    known = {"person": str(person), "said": True, "analyte": "neutrophils", "method": method}
    never, spared = (0.25, 0.5) if day is None else (0.0, 0.1)
    return [
        {**known, "quantity": "forecast", "models": "docetaxel-kloft (0.731, soft); other (0.269, inside)"},
        {**known, "quantity": "below", "cut": 0.5, "probability": chance},
        {**known, "quantity": "recovery_day", "cut": 0.5, "median": day, "never": never, "not_needed": spared},
        {**known, "quantity": "option", "cut": 0.5, "probability": 0.99},
    ]


def test_chances_days_and_what_is_withheld_by_hand(study: Path, tmp_path: Path) -> None:
    old = {"quantity": "forecast", "analyte": "neutrophils", "method": "state_space"}
    summary = rewritten(
        study, tmp_path / "out", "forecast",
        [
            *ahead(1, 0.95, 11.0), *ahead(2, 0.05, None), *ahead(3, 0.5, 13.0),
            *ahead(4, 0.3, 6.0, method="state_space"),
            unsaid(5, "no forecast", gaps=STALE, **old),
            unsaid(6, "nothing is low, was low, or is treated: there is nothing to foretell"),
        ],
    )  # fmt: skip
    assert told(summary, "forecast", "Who has a forecast").rows == (
        ("people", "3", "3", "6"),
        ("with a forecast", "2 (66.7 %)", "2 (66.7 %)", "4 (66.7 %)"),
        ("… by a model of a medicine", "2 (66.7 %)", "1 (33.3 %)", "3 (50.0 %)"),
        ("… by how the counts move alone", "0 (0.0 %)", "1 (33.3 %)", "1 (16.7 %)"),
        ("withheld: one was due, and cannot be made", "1 (33.3 %)", "0 (0.0 %)", "1 (16.7 %)"),
        ("nothing to foretell, or no count", "0 (0.0 %)", "1 (33.3 %)", "1 (16.7 %)"),
    )
    chances = told(summary, "forecast", "Chance to fall below: neutrophils, by a model of a medicine")
    # all: (0.95 + 0.05 + 0.5) / 3; the medians of odd people are 0.5 and 0.95
    assert chances.rows == (
        ("0.5", "high", 2, "72 %", "72 (61 to 84)", "0", "0", "0", "1", "0", "1"),
        ("0.5", "low", 1, "5 %", "5 (5 to 5)", "1", "0", "0", "0", "0", "0"),
        ("0.5", "all", 3, "50 %", "50 (28 to 72)", "1", "0", "0", "1", "0", "1"),
    )
    days = told(summary, "forecast", "Day of recovery: neutrophils, by a model of a medicine")
    assert days.rows == (
        ("0.5", "high", 2, 2, "12.0 (11.5 to 12.5)", "10 %", "under 1 %"),
        ("0.5", "low", 1, 0, "–", "50 %", "25 %"),
        ("0.5", "all", 3, 2, "12.0 (11.5 to 12.5)", "23 %", "8 %"),
    )
    alone = told(summary, "forecast", "Chance to fall below: neutrophils, by how the counts move alone")
    assert [row[1:4] for row in alone.rows] == [("low", 1, "30 %"), ("all", 1, "30 %")]
    assert told(summary, "forecast", "Models").rows == (("docetaxel-kloft", 4, 0, 4, 0),)
    assert told(summary, "forecast", "Why there is no forecast").rows == (
        ("nothing is low, was low, or is treated: there is nothing to foretell", "0", "1", "1"),
        ("the coming counts: the last count is … days old", "1", "0", "1"),
    )
    falls = next(one for one in summary.section("forecast").figures if one.title.startswith("Chance"))
    bars = {(one["facet"], one["from"]): one["number"] for one in falls.spec["data"]["values"]}
    assert [bars["all", at] for at in (0.0, 0.5, 0.9)] == [1, 1, 1]
    assert sum(number for (facet, _), number in bars.items() if facet == "all") == 3


def test_the_study_is_forecast_as_its_table_says(study: Path) -> None:
    below = open_table(study, "forecast").filter(quantity="below", cut=0.5).collect()
    table = told(summarise(study), "forecast", "Chance to fall below")
    row = next(row for row in table.rows if row[:2] == ("0.5", "all"))
    sure = below.filter(pl.col("probability") >= 0.9).height
    assert (row[2], row[-1]) == (below.height, str(sure))
    assert sure == 3


# ---- where they are shown, and where not -----------------------------------------------------------------------------


def test_all_views_show_them(study: Path) -> None:
    summary = summarise(study)
    page, view = html(summary), render(summary, width=140)
    for text in ("Leading cause of each person", "Who has a forecast", "Chance to fall below: neutrophils"):
        assert text in page
        assert text in view
    assert "People by their leading cause" in page
    content = {section["id"]: section for section in json.loads(summary.json())["sections"]}
    assert content["forecast"]["figures"][0]["text"].startswith("People by the chance of neutrophils below 0.5")
    shown = {section["id"]: section for section in summary_words(summary)["sections"]}
    assert str(shown["causes"]["figures"][0]["still"]).startswith("<svg")
    assert page.count("<svg") >= 5


def test_parts_that_were_not_asked_for_have_no_section(tmp_path: Path) -> None:
    words = ["--out", str(tmp_path / "out"), "--with", "causes", "--as-of", "2024-01-25", "-q"]
    assert main(["cohort", str(cohort_files.sdtm(tmp_path / "in")), *words]) == 0
    summary = summarise(tmp_path / "out")
    names = [section.id for section in summary.sections]
    assert "causes" in names
    assert "forecast" not in names
    assert f"as of {date(2024, 1, 25)}" in summary.section("causes").note
    assert isinstance(summary.section("causes"), Section)
    assert "What is coming" not in html(summary)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the last count is 1,204 days old", "the last count is … days old"),
        ("stopped on 3 March 2020, and 2 counts", "stopped on …, and … counts"),
        ("BRCA1 and G-CSF since 2024-05-01", "BRCA1 and G-CSF since …"),
        ("no draw explains 0.2 at hour 9; no draw explains 1.3 at hour 70", "no draw explains … at hour …"),
        ("regimen-ac2 is not known", "regimen-ac2 is not known"),
    ],
)
def test_reasons_lose_what_is_of_one_person_alone(text: str, left: str) -> None:
    assert without_numbers(text) == left
