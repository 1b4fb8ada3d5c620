"""The summary where counts have no one grade: what is left open is counted, named, and never taken for normal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import leuko
from leuko.cohort.flow import Cohort
from leuko.cohort.summary.base import Table

LONG = "person_id,test,value,unit,collected\n"
Made = Callable[..., Cohort]


@pytest.fixture
def long(tmp_path: Path) -> Made:
    """A long table of rows "person,test,value", all 10*9/L of one day, and a file of strata."""

    def make(*rows: str, strata: str = "") -> Cohort:
        lines = [f"{row},10*9/L,2024-05-0{number % 9 + 1}" for number, row in enumerate(rows)]
        (tmp_path / "in.csv").write_text(LONG + "\n".join(lines) + "\n")
        (tmp_path / "strata.csv").write_text(strata)
        return leuko.cohort(tmp_path / "in.csv", strata=tmp_path / "strata.csv" if strata else None)

    return make


def table(found: Cohort, section: str, title: str) -> Table:
    return next(one for one in found.summary.section(section).tables if one.title == title)


def test_a_share_lies_between_the_sure_and_the_possible(long: Made) -> None:
    """Without a limit of normal 1.7 and 2.4 may be grade 1 of CTCAE 5 or none; 0.4 is grade 4."""
    found = long("A,ANC,1.7", "B,ANC,2.4", "C,ANC,0.4")
    rows = {row[:2]: row[2:] for row in table(found, "prevalence", "People").rows}
    # Wilson: 1 of 3 and 3 of 3
    assert rows["Neutrophils", "grade 1 or more"] == (
        "1 of 3", "33.3 %", "6.1 to 79.2 %", 2, "100.0 %", "43.8 to 100.0 %",
    )  # fmt: skip
    assert rows["Neutrophils", "grade 2 or more"] == ("1 of 3", "33.3 %", "6.1 to 79.2 %", 0, "", "")


def test_a_count_that_an_edition_has_no_rule_for_is_a_count(long: Made) -> None:
    """CTCAE 6 has no lymphocytes: such a person has a count all the same."""
    found = long("A,Lymphocytes,0.4", "A,ANC,2.4", "B,ANC,3.1")
    own = table(found, "worst", "Lymphocytes")
    assert own.columns[-2:] == ("no rule in it", "no count")
    last = {row[0]: row[-2:] for row in own.rows}
    assert last["CTCAE 6"] == ("1 (100.0 %)", 1)
    assert last["CTCAE 5"] == ("0 (0.0 %)", 1)
    assert table(found, "worst", "Neutrophils").columns[-2:] == ("left open", "no count")


def test_a_line_of_which_only_bounds_are_known_has_no_empty_tables(long: Made) -> None:
    """Neutrophils are at most 6 - 1; no grade follows, and one sentence says so. Below 0.4 grade 4 does follow."""
    found = long("A,WBC,6.0", "A,Lymphocytes,1.0")
    assert "Neutrophils" not in [one.title for one in found.summary.section("worst").tables]
    assert "Of neutrophils only bounds are known" in found.summary.section("worst").note
    assert [row[1] for row in found.summary.section("ungraded").tables[0].rows].count("Neutrophils") == 4
    deep = long("A,WBC,0.3")
    assert ("CTCAE 5", "all", *["0 (0.0 %)"] * 4, "1 (100.0 %)", "0 (0.0 %)", 0) in table(
        deep, "worst", "Neutrophils"
    ).rows


def test_people_in_no_arm_are_shown_as_such(long: Made) -> None:
    found = long("A,ANC,1.7", "B,ANC,2.4", "C,ANC,0.4", strata="person,arm\nA,one\nB,one\n")
    one = table(found, "table-one", "People")
    assert one.columns == ("", "one", "no arm on record", "all")
    assert one.rows[0] == ("people", "2", "1", "3")
    assert {row[1] for row in table(found, "worst", "Neutrophils").rows} == {"one", "no arm on record", "all"}


def test_a_shift_is_told_only_where_every_later_count_lets_it(tmp_path: Path) -> None:
    """After a normal baseline 2.1 with its limit is grade 0; 1.7 without one may be grade 1: the worst is open."""
    (tmp_path / "dm.csv").write_text("STUDYID,DOMAIN,USUBJID,RFSTDTC,SEX\nS,DM,A,2024-05-01,F\nS,DM,B,2024-05-01,F\n")
    head = "STUDYID,DOMAIN,USUBJID,LBSEQ,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,LBDTC\n"
    rows = [
        ("A", 3.0, "1.8", 1), ("A", 2.1, "1.8", 8),
        ("B", 3.0, "1.8", 1), ("B", 2.1, "1.8", 8), ("B", 1.7, "", 15),
    ]  # fmt: skip
    lines = [
        f"S,LB,{who},{number},NEUT,Neutrophils,{value},10^9/L,{low},,2024-05-{day:02}"
        for number, (who, value, low, day) in enumerate(rows, start=1)
    ]
    (tmp_path / "lb.csv").write_text(head + "\n".join(lines) + "\n")
    found = leuko.cohort(tmp_path / "lb.csv", tmp_path / "dm.csv")
    shift = table(found, "shift", "Neutrophils")
    assert shift.columns[-2:] == ("left open", "people")
    assert shift.rows == (("all", "grade 0", 1, 0, 0, 0, 0, 1, 2),)


def test_episodes_name_their_limit_and_unit(long: Made) -> None:
    (row,) = table(long("A,ANC,3.0", "A,ANC,1.2", "A,ANC,2.9"), "episodes", "Episodes").rows
    assert row[:6] == ("Neutrophils [10*9/L]", "1.5", "all", 1, 1, "1.20 (1.20 to 1.20)")
    assert long("A,ANC,3.0").summary.section("episodes").note == "No count is low by the limits of its line."


def test_rows_that_are_no_counts_are_told_from_counts_that_were_lost(long: Made) -> None:
    """A row of sodium, a row of a unit that is none, and the same count twice (used, then joined)."""
    found = long("A,ANC,3.0", "A,Sodium,140", "A,ANC,2.9", "B,ANC,1000")
    rows = dict(table(found, "read", "Rows").rows)
    assert rows["rows of results read"] == 4
    assert rows["… used"] == 2
    assert rows["… set aside: no blood counts, or without a value"] == 1
    assert rows["… set aside: counts, or rows that may be, that could not be used"] == 1
