"""What holds for every score, whatever is answered: ranges nest, points add up, order plays no part."""

from __future__ import annotations

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leuko.knowledge import load_library
from leuko.knowledge.schema.scores import ItemRow
from leuko.record import Patient, Record
from leuko.result.scores import Score
from leuko.scores import area_over, scores_of

LIBRARY = load_library()
AS_OF = date(2026, 1, 5)
CHOICES = {row.asks: tuple(option.value for option in row.options) for row in LIBRARY.rows(ItemRow)}
NUMBERS = {
    "systolic_pressure": st.integers(40, 250),
    "heart_rate": st.integers(20, 200),
    "respiratory_rate": st.integers(4, 60),
    "oxygen_saturation": st.integers(60, 100),
    "temperature": st.floats(30, 42).map(lambda value: round(value, 2)),
    "monocytes": st.floats(0, 2).map(lambda value: round(value, 3)),
}
GIVEN = {"febrile_neutropenia": "yes", "cancer": "yes", "not_pregnant": "yes", "stable": "yes"}
KEYS = sorted({*CHOICES, *NUMBERS})
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def answered(draw: st.DrawFn) -> dict[str, str]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=12))
    return {key: str(draw(NUMBERS[key])) if key in NUMBERS else draw(st.sampled_from(CHOICES[key])) for key in keys}


def scored(answers: dict[str, str], age: int = 40) -> dict[str, Score]:
    patient = Patient(id="p", born=date(2025 - age, 12, 1), sex="male")
    found = scores_of(
        Record(patient=patient),
        series={},
        latest={},
        infection=None,
        library=LIBRARY,
        as_of=AS_OF,
        answers={**GIVEN, **answers},
    )
    return {score.id: score for score in found}


@SETTINGS
@given(answered(), st.sampled_from([9, 40, 60, 70]))
def test_totals_lie_in_their_ranges_and_add_up(answers: dict[str, str], age: int) -> None:
    for score in scored(answers, age).values():
        if score.least is None or score.most is None or not score.items:
            continue
        assert score.least <= score.most
        assert score.lowest is None or score.lowest <= score.least
        assert score.highest is None or score.most <= score.highest
        assert sum(one.least for one in score.items) <= score.least
        assert score.most <= sum(one.most for one in score.items)
        known = [one.points for one in score.items]
        if None not in known:
            assert score.total == sum(point for point in known if point is not None)
        assert (score.total is None) == (score.least != score.most)


def contradicted(score: Score) -> bool:
    """An answer that contradicts the record opens an item again: that is what it must do."""
    return any("contradictory" in one.reason.text for one in (*score.items, *score.criteria))


@SETTINGS
@given(answered(), answered())
def test_an_answer_only_narrows(first: dict[str, str], more: dict[str, str]) -> None:
    before, after = scored(first), scored({**more, **first})
    for name, score in before.items():
        then = after[name]
        if score.least is None or then.least is None or score.most is None or then.most is None:
            continue
        if {one.item for one in score.items} != {one.item for one in then.items} or contradicted(then):
            continue
        assert score.least <= then.least
        assert then.most <= score.most
        if score.band is not None and then.eligible is score.eligible:
            assert then.band == score.band


@SETTINGS
@given(answered(), st.randoms(use_true_random=False))
def test_the_order_of_the_answers_plays_no_part(answers: dict[str, str], random) -> None:
    pairs = list(answers.items())
    random.shuffle(pairs)
    assert scored(answers) == scored(dict(pairs))


@SETTINGS
@given(answered())
def test_a_score_that_may_not_apply_never_reassures(answers: dict[str, str]) -> None:
    reassuring = {"low risk", "group IV, low risk", "lower risk", "not high risk", "none of the criteria"}
    for score in scored(answers).values():
        if score.eligible is not True:
            assert score.band not in reassuring


@given(st.lists(st.floats(0, 500), min_size=2, max_size=40))
def test_the_area_is_between_nothing_and_the_whole(values: list[float]) -> None:
    area = area_over(list(range(len(values))), values, cut=500.0)
    assert -1e-6 <= area <= 500.0 * (len(values) - 1) + 1e-6
    deeper = area_over(list(range(len(values))), [value / 2 for value in values], cut=500.0)
    assert deeper >= area - 1e-6
