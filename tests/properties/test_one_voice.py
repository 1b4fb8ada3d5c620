"""The banner, the call rules and the leaflet say the same: how fast, and whom to call."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.advised import AS_OF, LIBRARY, count, dose, record
from leuko.assessment import Asked, assess
from leuko.infection import parse_symptom
from leuko.report.leaflet import facts_of
from leuko.result import Assessment
from leuko.result.advice import AdviceSet
from leuko.result.infection import Infection
from leuko.site import SiteSettings

# In every severity band, on both sides of the limits of fever; None: a count that only the white cells bound.
NEUTROPHILS = (None, 0.05, 0.4, 0.9, 1.2, 1.6, 3.0)
AGES = (0, 1, 4, 20, 60, 400)
MEDICINES = ((), ("metformin",), ("cyclophosphamide",), ("clozapine",), ("not a medicine",))
SAID = (
    "fever=38.6", "fever=38.1", "fever=37.6", "fever=36.8", "fever=35.5", "sore throat", "cough", "shaking chills",
    "confusion", "short of breath", "chest pain", "low blood pressure", "vomiting", "headache", "tachycardia", "sepsis",
    "oliguria", "fatigue", "vaginal discharge",
)  # fmt: skip
SPEEDS = {"at once": "at_once", "the same day": "same_day"}


def person(
    anc: float | None, white: float | None, days: int, medicines: tuple[str, ...], said: list[str]
) -> Assessment:
    day = AS_OF - timedelta(days=days)
    counts = [count(name, value, day) for name, value in (("neutrophils", anc), ("wbc", white)) if value is not None]
    found = record("p", counts, doses=[dose(name, AS_OF - timedelta(days=3)) for name in medicines])
    symptoms = tuple(parse_symptom(f"{text}@{AS_OF}T07:00", library=LIBRARY) for text in said)
    return assess(found, as_of=AS_OF, library=LIBRARY, asked=Asked(symptoms=symptoms, site=SiteSettings()))


def parts(assessment: Assessment) -> tuple[Infection, AdviceSet]:
    assert assessment.infection is not None
    assert assessment.advice is not None
    return assessment.infection, assessment.advice


def fastest(advice: AdviceSet) -> str | None:
    active = {rule.speed for rule in advice.calls if rule.active}
    return next((speed for speed in ("at_once", "same_day") if speed in active), None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    anc=st.sampled_from(NEUTROPHILS),
    white=st.sampled_from((None, 2.1, 7.6)),
    days=st.sampled_from(AGES),
    medicines=st.sampled_from(MEDICINES),
    said=st.lists(st.sampled_from(SAID), max_size=2, unique=True),
)
def test_the_parts_agree_on_how_fast(
    anc: float | None, white: float | None, days: int, medicines: tuple[str, ...], said: list[str]
) -> None:
    assessment = person(anc, white, days, medicines, said)
    infection, advice = parts(assessment)
    urgency, speed = infection.urgency, fastest(advice)
    if urgency.level == "emergency":
        assert speed == "at_once"
    if speed is not None:
        assert urgency.level in {"emergency", "urgent"}
    if urgency.level == "urgent":
        told = next(value for words, value in SPEEDS.items() if words in urgency.call)
        assert speed in {told, None}  # None: a sign that no rule of the leaflet names
        assert ("Call at once" in urgency.text) is (told == "at_once")
    told_facts = facts_of(assessment, advice, library=LIBRARY)
    assert ("now" in told_facts) is (speed == "at_once")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    anc=st.sampled_from((1.2, 1.6, 3.0)),
    days=st.sampled_from((0, 20)),
    said=st.sampled_from(("fever=38.6", "sore throat")),
)
def test_where_treatment_is_not_known_both_say_what_holds_on_it(anc: float, days: int, said: str) -> None:
    infection, advice = parts(person(anc, None, days, (), [said]))
    assert infection.urgency.level == "urgent" or anc == 3.0
    if fastest(advice) == "same_day":
        assert "On treatment for cancer at once" in infection.urgency.text
        assert all("On treatment for cancer: " in one.text for one in advice.calls if one.active)


def test_a_white_count_alone_and_a_fever() -> None:
    """A white count of 7.6 without a differential, no medicine on record, 38.6 °C."""
    infection, advice = parts(person(None, 7.6, 1, (), ["fever=38.6"]))
    assert infection.urgency.text.startswith("Call today: 38.6 °C")
    assert infection.urgency.call == "the person's doctor, else the doctor on call, the same day"
    active = [rule.text for rule in advice.calls if rule.active]
    assert len(active) == 1
    assert infection.urgency.call in active[0]


def test_the_signs_of_one_sex_are_not_asked_of_the_other() -> None:
    man = record("man", [count("neutrophils", 0.9)], sex="male")
    assessment = assess(man, as_of=AS_OF, library=LIBRARY)
    assert assessment.infection is not None
    assert "vaginal" not in {one.id for one in assessment.infection.symptoms}
    assert "page:vaginal" not in {one.id for one in assessment.infection.page_signs}
    unknown = assess(record("x", [count("neutrophils", 0.9)], sex=None), as_of=AS_OF, library=LIBRARY)
    assert unknown.infection is not None
    assert "vaginal" in {one.id for one in unknown.infection.symptoms}
    told = parse_symptom(f"vaginal discharge@{AS_OF}", library=LIBRARY)
    reported = assess(man, as_of=AS_OF, library=LIBRARY, asked=Asked(symptoms=(told,)))
    assert reported.infection is not None
    assert {one.id: one.present for one in reported.infection.symptoms}["vaginal"] is True
