"""What must hold of the work-up for any person: no test twice, and a lower count is never less urgent."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.people import LIBRARY, person, steps_for
from leuko.result.steps import URGENCIES
from leuko.workup.view import tables_of

TESTS = {name: row for name, row in tables_of(LIBRARY).tests.items() if row.loinc and not row.renewed}
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ages = st.sampled_from([{"age_days": 10}, {"age_years": 1}, {"age_years": 9}, {"age_years": 40}, {"age_years": 80}, {}])
extra = st.sampled_from(
    [
        {},
        {"pregnant": True, "sex": "female"},
        {"duffy_null": True},
        {"medicines": [{"drug": "docetaxel", "days": 8}]},
        {"medicines": [{"drug": "clozapine", "days": 60, "status": "active", "given": False}]},
        {"facts": [{"name": "Viral infection", "icd": "B34.9", "days": 6}]},
        {"facts": [{"name": "Splenomegaly", "icd": "R16.1", "days": 6}]},
        {"results": [{"name": "Body temperature", "loinc": "8310-5", "value": 38.7, "unit": "Cel", "days": 0.1}]},
        {"results": [{"name": "cough", "present": True, "days": 0.1}]},
    ]
)
others = st.sampled_from(
    [
        {},
        {"haemoglobin": 135, "platelets": 220},
        {"haemoglobin": 85, "platelets": 220},
        {"haemoglobin": 85, "platelets": 50},
    ]
)
ancs = st.sampled_from([0.05, 0.2, 0.4, 0.49, 0.5, 0.7, 0.99, 1.0, 1.2, 1.49, 1.5, 2.0, 4.0])


def case_of(anc: float, age: dict, more: dict, lines: dict, *, earlier: float | None = None) -> dict:
    points = ([[12, earlier]] if earlier is not None else []) + [[0, anc]]
    counts = {"neutrophils": points, **{name: [[0, value]] for name, value in lines.items()}}
    return {**age, **more, "counts": counts}


@SLOW
@given(lower=ancs, higher=ancs, age=ages, more=extra, lines=others, earlier=st.none() | ancs)
def test_a_lower_count_is_never_less_urgent(*, lower, higher, age, more, lines, earlier) -> None:
    low, high = sorted((lower, higher))
    first = steps_for(person(case_of(low, age, more, lines, earlier=earlier)))
    second = steps_for(person(case_of(high, age, more, lines, earlier=earlier)))
    assert most(first) <= most(second)


def most(steps) -> int:
    return min(URGENCIES.index(step.urgency) for step in steps)


@SLOW
@given(
    anc=ancs,
    age=ages,
    more=extra,
    lines=others,
    held=st.sets(st.sampled_from(sorted(TESTS)), max_size=12),
    text=st.booleans(),
)
def test_a_result_in_hand_is_never_asked_for(*, anc, age, more, lines, held, text) -> None:
    results = [
        {
            "name": TESTS[name].name,
            "loinc": TESTS[name].loinc[0],
            **({"text": "done"} if text else {"value": 5.0}),
            "days": 0,
        }
        for name in sorted(held)
    ]
    case = case_of(anc, age, more, lines)
    steps = steps_for(person({**case, "results": [*case.get("results", ()), *results]}))
    asked = [test for step in steps for test in step.test_ids]
    assert len(asked) == len(set(asked))
    assert not held & set(asked)
    for step in steps:
        assert {one.test for one in step.already if one.recent}.isdisjoint(step.test_ids)


@SLOW
@given(anc=ancs, age=ages, more=extra, lines=others)
def test_steps_are_ordered_and_reasoned(anc, age, more, lines) -> None:
    steps = steps_for(person(case_of(anc, age, more, lines)))
    assert steps
    urgent = [step.urgency in {"emergency", "same_day", "urgent"} for step in steps if not step.done]
    assert urgent == sorted(urgent, reverse=True)
    for step in steps:
        assert step.why.text
        assert step.why.citations
        assert all(body.citation.confidence in {"confirmed", "secondary", "house"} for body in step.bodies)
        assert (step.id == "nothing") is (len(steps) == 1 and not step.bodies)
