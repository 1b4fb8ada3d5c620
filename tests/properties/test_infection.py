"""A higher temperature never takes a febrile neutropenia back, and neither does a lower count."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.infection import CHILD, LIBRARY, anc, judge, temperature
from leuko.errors import UsageError
from leuko.intake.questionnaire import signs_from_response
from leuko.intake.symptoms import parse_symptom

RANK = {False: 0, None: 1, True: 2}
CELSIUS = st.sampled_from([36.9, 37.5, 37.8, 37.81, 38.0, 38.05, 38.1, 38.3, 38.31, 38.5, 38.51, 39.2])
COUNT = st.sampled_from([0.05, 0.3, 0.499, 0.5, 0.501, 0.8, 0.999, 1.0, 1.001, 1.6, 4.0])
MINUTES = st.lists(st.integers(0, 600), min_size=1, max_size=5, unique=True)
ROUTES = st.sampled_from(["8310-5", "8331-1", "8328-7", "8332-9"])


def taken(minutes: int) -> str:
    return f"2026-03-09T{8 + minutes // 60:02d}:{minutes % 60:02d}"


@settings(max_examples=60, deadline=None)
@given(minutes=MINUTES, data=st.data(), count=COUNT, child=st.booleans())
def test_a_higher_temperature_never_makes_it_less(
    minutes: list[int], data: st.DataObject, count: float, child: bool
) -> None:
    before = [temperature(data.draw(CELSIUS), taken(minute), data.draw(ROUTES)) for minute in minutes]
    at = data.draw(st.integers(0, len(before) - 1))
    rise = data.draw(st.sampled_from([0.01, 0.3, 1.0]))
    value = before[at].value
    assert value is not None
    after = [replace(sign, value=value + rise) if index == at else sign for index, sign in enumerate(before)]
    who = {"patient": CHILD} if child else {}
    lower, higher = judge(anc(count), signs=before, **who), judge(anc(count), signs=after, **who)
    for one, other in zip(lower.verdicts, higher.verdicts, strict=True):
        assert one.id == other.id
        assert one.met is not True or other.met is True, (one.reason.text, other.reason.text)


@settings(max_examples=60, deadline=None)
@given(minutes=MINUTES, data=st.data(), count=COUNT, fall=st.sampled_from([0.001, 0.2, 0.5, 3.0]))
def test_a_lower_count_never_makes_it_less(minutes: list[int], data: st.DataObject, count: float, fall: float) -> None:
    signs = [temperature(data.draw(CELSIUS), taken(minute)) for minute in minutes]
    higher, lower = judge(anc(count), signs=signs), judge(anc(max(count - fall, 0.0)), signs=signs)
    for one, other in zip(higher.verdicts, lower.verdicts, strict=True):
        assert RANK[other.met] >= RANK[one.met], (one.reason.text, other.reason.text)


@settings(max_examples=30, deadline=None)
@given(minutes=MINUTES, data=st.data(), count=COUNT)
def test_the_order_of_the_readings_does_not_matter(minutes: list[int], data: st.DataObject, count: float) -> None:
    signs = [temperature(data.draw(CELSIUS), taken(minute)) for minute in minutes]
    assert judge(anc(count), signs=signs).verdicts == judge(anc(count), signs=signs[::-1]).verdicts


@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused_politely(text: str) -> None:
    refused = None
    try:
        parse_symptom(text, library=LIBRARY)
    except UsageError as error:
        refused = error
    assert refused is None or refused.do


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["item", "linkId", "answer", "valueBoolean", "valueQuantity", "value", "status", "authored"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(resource=st.dictionaries(st.sampled_from(["item", "status", "authored", "subject", "questionnaire"]), JSON))
def test_any_response_is_survived(resource: dict) -> None:
    found = signs_from_response(resource, library=LIBRARY)
    assert all(notice.help for notice in found.notices)
