"""The contract of the knowledge about causes: a closed vocabulary, weights within bounds, no row without a use."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest

from leuko.causes import VOCABULARY, unreviewed_causes
from leuko.causes.scene import predicates_of, rules_of, snomed_of
from leuko.knowledge import load_library
from leuko.knowledge.schema.causes import (
    PREDICATES,
    CauseRow,
    CauseRules,
    CombinedPredicate,
    FactPredicate,
    ResultPredicate,
    SnomedRow,
)

LIBRARY = load_library()
CAUSES = LIBRARY.rows(CauseRow)
ALL = predicates_of(LIBRARY)
RULES = rules_of(LIBRARY)
SHARED = Path(os.environ.get("LEUKO_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))


def used() -> set[str]:
    named = {clue.predicate for row in CAUSES for clue in row.clues} | {name for row in CAUSES for name in row.consider}
    for row in LIBRARY.rows(CombinedPredicate):
        named |= {*row.all_of, *row.any_of, *row.none_of}
    return named


def test_every_kind_of_predicate_has_a_function() -> None:
    assert {*VOCABULARY, CombinedPredicate} == set(PREDICATES)


def test_every_predicate_that_is_named_exists_and_every_one_is_used() -> None:
    assert used() == set(ALL)


def test_there_is_one_row_of_rules() -> None:
    assert len(LIBRARY.rows(CauseRules)) == 1
    assert RULES.strong > RULES.moderate > RULES.weak > 0
    assert RULES.clue_strong > RULES.clue_moderate > 1
    assert RULES.unexplained < 0
    assert RULES.excluded < 0


@pytest.mark.parametrize("row", CAUSES, ids=lambda row: row.id)
class TestCauses:
    def test_weights_are_small_integers_and_say_something(self, row: CauseRow) -> None:
        for clue in row.clues:
            assert -5 <= clue.yes <= 5, clue
            assert -5 <= clue.no <= 0, f"{clue}: an absent finding never speaks for a cause"
            assert clue.yes or clue.no or clue.decides, f"{clue} weighs nothing"

    def test_a_predicate_is_asked_once(self, row: CauseRow) -> None:
        named = [clue.predicate for clue in row.clues]
        assert len(named) == len(set(named))

    def test_something_can_point_to_it(self, row: CauseRow) -> None:
        assert any(clue.points and clue.yes > 0 for clue in row.clues)

    def test_no_single_clue_that_only_fits_outweighs_a_diagnosis(self, row: CauseRow) -> None:
        assert all(clue.yes < RULES.clue_strong for clue in row.clues if not clue.points)

    def test_it_says_what_it_rests_on(self, row: CauseRow) -> None:
        assert row.basis.says
        assert row.basis.source != "leuko-house"
        assert row.lowers
        assert row.icd10cm
        assert all(re.fullmatch(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", code) for code in row.icd10cm)


@pytest.mark.parametrize("row", LIBRARY.rows(FactPredicate), ids=lambda row: row.id)
def test_facts_are_named_by_codes_or_words(row: FactPredicate) -> None:
    assert row.icd10cm or row.words
    assert all(re.fullmatch(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", code) for code in row.icd10cm)
    assert all(re.fullmatch(r"HP:\d{7}", code) for code in row.hpo)


@pytest.mark.parametrize("row", LIBRARY.rows(ResultPredicate), ids=lambda row: row.id)
def test_results_have_limits_that_are_open_at_one_end(row: ResultPredicate) -> None:
    for band in (*row.yes.values(), *row.no.values()):
        assert (band.lower is None) != (band.upper is None)
    assert all(re.fullmatch(r"\d{1,7}-\d", code) for code in row.loinc)
    if row.yes or row.titre:
        assert row.by_interval or row.basis.source != "leuko-house" or set(_limits(row)) == {0.0}


def _limits(row: ResultPredicate) -> list[object]:
    return [band.lower if band.lower is not None else band.upper for band in row.yes.values()]


def test_snomed_codes_belong_to_facts_and_are_well_formed() -> None:
    facts = {row.id for row in LIBRARY.rows(FactPredicate)}
    for row in LIBRARY.rows(SnomedRow):
        assert row.id in facts, row.id
        assert all(re.fullmatch(r"\d{6,18}", code) for code in row.codes)
    assert "dengue" in snomed_of(LIBRARY)


def test_combined_predicates_do_not_run_in_a_circle() -> None:
    rows = {row.id: {*row.all_of, *row.any_of, *row.none_of} for row in LIBRARY.rows(CombinedPredicate)}
    left = dict(rows)
    while left:
        free = [name for name, parts in left.items() if not parts & left.keys()]
        assert free, sorted(left)
        left = {name: parts for name, parts in left.items() if name not in free}


def test_unreviewed_rows_are_listed() -> None:
    assert set(unreviewed_causes(LIBRARY)) == {row for row in CAUSES if not row.basis.drives}


@pytest.mark.shared
def test_no_row_of_the_collected_facts_was_lost() -> None:
    path = SHARED / "facts" / "causes.csv"
    if not path.exists():
        pytest.skip(f"{path.name} is not here")
    with path.open(newline="") as file:
        assert {row["id"] for row in csv.DictReader(file)} == {row.id for row in CAUSES}
