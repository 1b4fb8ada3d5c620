"""What `leuko knowledge coverage` counts: confirmation, and rows that no case shows at work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from leuko.__main__ import main
from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.knowledge.coverage import coverage, read_cases, rows, unreviewed, without_case
from leuko.knowledge.library import every_basis

LIBRARY = load_library()
CASES = Path(__file__).resolve().parents[1] / "cases"

TOML = """
[[grade]]
name = "SV009 is only the title of a case"
analyte = "neutrophils"
grades = { ctcae-5 = "3" }

[[person]]
name = "two"
expect = ["definition:SV001", "a sentence about SV005", "chemotherapy", "fever", "neutropenia"]
"""

OF_KIND = """
kinds.person = "symptom"

[[person]]
says = ["fever"]
"""


@pytest.fixture
def cases(tmp_path: Path):
    (tmp_path / "some.toml").write_text(TOML)
    return read_cases(tmp_path)


def test_every_row_of_every_table_is_counted_once() -> None:
    assert Counter(row.key for row in rows(LIBRARY)) == Counter(key for key, _ in every_basis(LIBRARY))
    assert sum(row.total for row in coverage(LIBRARY)) == len(list(rows(LIBRARY)))


def test_without_cases_nothing_is_said_of_them() -> None:
    assert {row.without_case for row in coverage(LIBRARY)} == {None}


def test_a_row_has_a_case_where_one_names_it_and_neither_a_title_nor_a_word_of_a_sentence_does(cases) -> None:
    named = {row.key for row in rows(LIBRARY) if cases.name(row)}
    assert "definition:SV001" in named
    assert not {"definition:SV009", "definition:SV005"} & named


def test_a_name_that_several_rows_share_names_none_of_them(cases) -> None:
    named = {row.key for row in rows(LIBRARY) if cases.name(row)}
    several = {row.id for row in LIBRARY.definitions if row.concept == "neutropenia"}
    assert len(several) > 1
    assert not {f"definition:{one}" for one in several} & named
    assert not {"symptom:fever", "causes.fact:fever"} & named


def test_a_file_may_say_which_kind_of_row_a_table_is_about(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(OF_KIND)
    cases = read_cases(tmp_path)
    assert {row.key for row in rows(LIBRARY) if cases.name(row)} == {"symptom:fever"}


def test_a_grade_rule_needs_its_analyte_and_its_edition(cases) -> None:
    named = {row.key for row in rows(LIBRARY) if row.kind == "grade" and cases.name(row)}
    assert named == {"ctcae-5", "ctcae-5:neutrophils"}


def test_the_numbers_agree_with_the_lists(cases) -> None:
    counted = coverage(LIBRARY, cases)
    assert sum(row.unreviewed for row in counted) == len(unreviewed(LIBRARY))
    assert all(row.without_case is not None and row.without_case <= row.total for row in counted)
    assert all(row.basis.drives for row in without_case(LIBRARY, cases))


def test_a_folder_without_cases_is_no_folder_of_cases(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cases"):
        read_cases(tmp_path)


def test_every_grade_rule_has_a_case() -> None:
    missing = without_case(LIBRARY, read_cases(CASES))
    assert [row.key for row in missing if row.kind == "grade" and row.pair] == []


def test_the_command_counts_the_cases_of_the_checkout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "coverage"]) == 0
    assert "no case" in capsys.readouterr().out


def test_without_a_checkout_the_command_says_that_cases_are_not_shipped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from leuko.cli import knowledge

    monkeypatch.setattr(knowledge, "__file__", str(tmp_path / "a" / "b" / "c" / "knowledge.py"))
    assert main(["knowledge", "coverage", "--list"]) == 0
    told = capsys.readouterr()
    assert "not shipped" in told.err
    assert "no case" not in told.out


def test_the_list_names_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "some.toml").write_text(TOML)
    assert main(["knowledge", "coverage", "--list", "--cases", str(tmp_path)]) == 0
    listed = capsys.readouterr().out
    assert "definition:SV009" in listed
    assert "definition:SV001" not in listed.partition("without a case")[2]
