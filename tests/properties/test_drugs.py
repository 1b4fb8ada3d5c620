"""What must hold of medicines and low counts, whoever the person is."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.medicines import LIBRARY, dose, links
from fixtures.series import START
from leuko.drugs import identify
from leuko.drugs.names import index_of, key_of
from leuko.knowledge.schema.drugs import DrugRow

QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DRUGS = ("clozapine", "carbimazole", "docetaxel", "co-trimoxazole", "rituximab", "ibrutinib", "omeprazole")
FALL = [(-3, 4.2), (20, 3.9), (40, 0.9), (44, 0.4), (52, 0.9), (60, 2.2), (64, 3.5), (70, 4.0), (90, 3.8)]
INDEX = index_of(LIBRARY)

spans = st.tuples(st.integers(-60, 80), st.one_of(st.none(), st.integers(0, 60)))
kinds = st.sampled_from(["given", "stated", "ordered"])
takings = st.lists(st.tuples(st.sampled_from(DRUGS), spans, kinds), min_size=1, max_size=4)


def doses(taken, shift: int = 0):
    start = START + timedelta(days=shift)
    return [
        dose(drug, first, None if length is None else first + length, kind=kind, start=start)
        for drug, (first, length), kind in taken
    ]


def told(found):
    """Everything but dates and ids."""
    return [
        (
            link.drug_id,
            link.episode,
            link.role,
            link.timing,
            link.latency,
            link.dechallenge,
            link.rechallenge,
            link.strength,
            link.rank,
            link.others,
            [(one.scheme, one.total, one.least, one.most, one.possible) for one in link.causality],
            [re.sub(r"\d+ [A-Z][a-z]+ \d{4}", "a day", reason.text) for reason in link.clues_for],
        )
        for link in found
    ]


@QUIET
@given(takings, st.integers(-400, 400))
def test_shifting_every_date_changes_nothing_else(taken, shift: int) -> None:
    there = links(doses(taken), FALL)
    moved = links(doses(taken, shift), FALL, start=START + timedelta(days=shift))
    assert told(there) == told(moved)


@QUIET
@given(takings, st.sampled_from(["simvastatin", "metformin", "prednisone", "fingolimod"]), spans)
def test_an_unrelated_medicine_raises_no_score(taken, other: str, span) -> None:
    before = {(link.drug_id, link.episode): link for link in links(doses(taken), FALL)}
    after = links(doses([*taken, (other, span, "stated")]), FALL)
    for link in after:
        known = before.get((link.drug_id, link.episode))
        if known is None:
            assert link.role == "unlisted"
            continue
        assert [one.total for one in link.causality] == [one.total for one in known.causality]
        assert link.strength == known.strength


@QUIET
@given(takings, st.sampled_from(DRUGS), spans, kinds)
def test_another_medicine_raises_no_score_of_the_others(taken, other: str, span, kind: str) -> None:
    taken = [one for one in taken if one[0] != other]
    before = {(link.drug_id, link.episode): link for link in links(doses(taken), FALL)}
    after = links(doses([*taken, (other, span, kind)]), FALL)
    for link in after:
        known = before.get((link.drug_id, link.episode))
        if known is None:
            assert link.drug_id == other
            continue
        for now, then in zip(link.causality, known.causality, strict=True):
            if now.scheme == "naranjo":
                assert now.total <= then.total
                assert now.most <= then.most


@QUIET
@given(takings)
def test_totals_lie_in_their_range_and_categories_follow(taken) -> None:
    for link in links(doses(taken), FALL):
        for one in link.causality:
            assert one.possible
            assert (one.category is not None) == (len(one.possible) == 1)
            if one.scheme == "naranjo":
                assert one.least <= one.total <= one.most
                assert one.as_scored in one.possible
                assert all(item.least <= item.points <= item.most for item in one.items)


@QUIET
@given(takings)
def test_nothing_that_began_after_the_onset_is_blamed(taken) -> None:
    for link in links(doses(taken), FALL):
        if link.timing == "before_start":
            assert (link.role, link.strength) == ("excluded", "against")
        if not link.reviewed and link.role != "unlisted" and link.timing not in {"before_start", "after_stop"}:
            assert link.strength == "unreviewed"


@QUIET
@given(takings)
def test_ranks_are_a_row_without_holes(taken) -> None:
    found = links(doses(taken), FALL)
    for episode in {link.episode for link in found}:
        ranks = [link.rank for link in found if link.episode == episode]
        assert ranks == list(range(1, len(ranks) + 1))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_without_harm(text: str) -> None:
    row = identify(dose(text), library=LIBRARY)
    if row is not None:
        assert key_of(text, INDEX.words)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LIBRARY.rows(DrugRow)), st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.data())
def test_a_letter_more_is_another_word(row: DrugRow, letter: str, data) -> None:
    """A name that is merely like one is not matched."""
    place = data.draw(st.integers(0, len(row.inn)))
    mistyped = row.inn[:place] + letter + row.inn[place:]
    found = identify(dose(mistyped), library=LIBRARY)
    exact = {key_of(mistyped, INDEX.words)} & set(INDEX.names)
    assert (found is None) or exact or " " in row.inn
