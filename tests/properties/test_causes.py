"""What must hold of causes whatever the record says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.blood import LIBRARY
from fixtures.causes_people import causes, record_of
from leuko.causes.finding import all_met, some_met
from leuko.causes.scene import rules_of
from leuko.causes.weigh import weigh, weight_of
from leuko.knowledge.schema.causes import CauseRow

RULES = rules_of(LIBRARY)
CAUSES = LIBRARY.rows(CauseRow)
VERDICTS = st.sampled_from([True, False, None])
ORDER = ["none", "weak", "moderate", "strong"]
FACTS = st.sampled_from(
    [
        {"name": "Systemic lupus erythematosus", "icd10cm": "M32.9"},
        {"name": "HIV disease", "icd10cm": "B20"},
        {"name": "Cirrhosis of liver", "icd10cm": "K74.60"},
        {"name": "Viral infection", "icd10cm": "B34.9", "days_before": 9},
        {"name": "Viral infection"},
        {"name": "Suspected lymphoma", "icd10cm": "C85.90"},
        {"name": "Family history of neutropenia"},
        {"name": "No evidence of sarcoidosis"},
        {"name": "Rheumatoid arthritis", "icd10cm": "M06.9", "days_before": 5, "ended_days_before": 50},
        {"name": ""},
        {"name": "?"},
    ]
)
COUNTS = st.fixed_dictionaries(
    {"wbc": st.floats(0.1, 9.0), "neutrophils": st.floats(0.0, 6.0)},
    optional={
        "lymphocytes": st.floats(0.0, 3.0),
        "haemoglobin": st.floats(50.0, 160.0),
        "platelets": st.floats(5.0, 400.0),
        "mcv": st.floats(70.0, 130.0),
    },
)


@pytest.mark.parametrize("row", CAUSES, ids=lambda row: row.id)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_finding_that_speaks_for_a_cause_never_lowers_it(row: CauseRow, data: st.DataObject) -> None:
    met = {clue.predicate: data.draw(VERDICTS) for clue in row.clues}
    clue = data.draw(st.sampled_from([clue for clue in row.clues if clue.yes > 0]))
    without = weigh(row, {**met, clue.predicate: None}, RULES)
    found = weigh(row, {**met, clue.predicate: True}, RULES)
    assert found.total > without.total
    assert ORDER.index(found.strength) >= ORDER.index(without.strength)
    assert found.pointing >= without.pointing


@pytest.mark.parametrize("row", CAUSES, ids=lambda row: row.id)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_missing_never_counts_for_a_cause(row: CauseRow, data: st.DataObject) -> None:
    nothing = weigh(row, dict.fromkeys((clue.predicate for clue in row.clues), None), RULES)
    assert (nothing.total, nothing.pointing, nothing.strength) == (0, False, "none")
    met = {clue.predicate: data.draw(VERDICTS) for clue in row.clues}
    assert weigh(row, met, RULES).total == sum(weight_of(clue, met[clue.predicate]) for clue in row.clues)
    for clue in row.clues:
        assert weight_of(clue, None) == 0


@given(st.lists(VERDICTS, max_size=6), st.integers(1, 4))
def test_logic_never_guesses(verdicts: list[bool | None], least: int) -> None:
    """An unknown answer is one that both completions leave open."""
    worst = [verdict is True for verdict in verdicts]
    best = [verdict is not False for verdict in verdicts]
    assert (all_met(verdicts) is True) == all(worst)
    assert (all_met(verdicts) is False) == (not all(best))
    assert (some_met(verdicts, least) is True) == (sum(worst) >= least)
    assert (some_met(verdicts, least) is False) == (sum(best) < least)


@given(counts=COUNTS, facts=st.lists(FACTS, max_size=4), age=st.integers(0, 30_000))
@settings(max_examples=40, deadline=None)
def test_any_record_is_told_in_order_and_with_reasons(counts: dict, facts: list, age: int) -> None:
    told = causes(record_of({"age_days": age, "sex": "female", "counts": counts, "facts": facts}))
    ids = [cause.id for cause in told]
    assert len(ids) == len(set(ids))
    for standing in ("supported", "open", "against", "ruled_out", "unreviewed"):
        ranks = [cause.rank for cause in told if cause.standing == standing]
        assert ranks == list(range(1, len(ranks) + 1))
    for cause in told:
        assert cause.reason.text
        assert (cause.strength != "none") == (cause.standing == "supported")
        assert cause.standing != "supported" or any(clue.points for clue in cause.clues_for)


@given(counts=COUNTS, facts=st.lists(FACTS, max_size=3))
@settings(max_examples=25, deadline=None)
def test_a_diagnosis_more_never_weakens_its_cause(counts: dict, facts: list) -> None:
    def strength(more: list) -> int:
        told = causes(record_of({"age_years": 40, "sex": "male", "counts": counts, "facts": [*facts, *more]}))
        return next((ORDER.index(cause.strength) for cause in told if cause.id == "CA016"), 0)

    assert strength([{"name": "Lupus nephritis", "icd10cm": "M32.14"}]) >= strength([])
