"""Properties of the advice: caution grows as counts fall, and no page is lost for any number."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fixtures.advised import AS_OF, LIBRARY, count, dose, record
from leuko.advice import advice_for
from leuko.assessment import assess
from leuko.report.leaflet import leaflet
from leuko.report.leaflet_write import html, text
from leuko.site import site_of

ORDER = {"usual": 0, "raised": 1, "high": 2}
NEUTROPHILS = st.floats(0.01, 9.0).map(lambda value: round(value, 2))
MEDICINES = st.sampled_from([(), ("ibuprofen",), ("docetaxel",), ("clozapine",), ("study medicine",)])


def advice_at(value: float, medicines: tuple[str, ...], site: dict | None = None):
    person = record("x", [count("neutrophils", value)], doses=[dose(drug, AS_OF) for drug in medicines])
    assessment = assess(person, as_of=AS_OF, library=LIBRARY)
    return assessment, advice_for(assessment, library=LIBRARY, site=site_of(site or {}))


@settings(max_examples=25, deadline=None)
@example(1.0, 1.5, ())  # 1.5 is below the usual range and above every severity band
@given(NEUTROPHILS, NEUTROPHILS, MEDICINES)
def test_a_lower_count_is_never_met_with_less_caution(one: float, other: float, medicines: tuple[str, ...]) -> None:
    low, high = sorted((one, other))
    assert ORDER[advice_at(low, medicines)[1].situation.tier] >= ORDER[advice_at(high, medicines)[1].situation.tier]


@settings(max_examples=25, deadline=None)
@given(NEUTROPHILS, MEDICINES, st.floats(37.0, 39.0).map(lambda value: round(value, 1)), st.sampled_from(["en", "de"]))
def test_every_number_makes_a_whole_leaflet(
    value: float, medicines: tuple[str, ...], limit: float, language: str
) -> None:
    assessment, advice = advice_at(value, medicines, {"fever_limit": limit})
    assert advice.fever_limit == limit
    made = leaflet(assessment, advice, language=language, library=LIBRARY)
    said = text(made)
    assert "{" not in said
    assert made.title in html(made)
    if advice.situation.tier != "usual":
        assert f"{limit:g}".replace(".", "," if language == "de" else ".") in said
        assert made.emergency is not None
