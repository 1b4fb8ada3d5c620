from __future__ import annotations

from dataclasses import replace
from datetime import date

import altair as alt
import pytest

from fixtures.assessments import bare, count, rich, status
from leuko import load_library
from leuko.errors import UsageError
from leuko.record import Patient
from leuko.report import extras
from leuko.report.chart import VEGA_LITE_VERSION, chart, describe, spec, to_svg
from leuko.report.series import Edition, points, shown_analytes


def _layers(made, analyte):
    return next(p for p in made["vconcat"] if p["title"]["text"].startswith(analyte))["layer"]


def _marks(made, analyte):
    return next(layer["data"]["values"] for layer in _layers(made, analyte) if "shape" in layer["encoding"])


def test_altair_takes_the_figure_and_gives_it_back():
    made = spec(rich())
    figure = chart(rich())
    assert isinstance(figure, alt.VConcatChart)
    assert len(figure.to_dict()["vconcat"]) == len(made["vconcat"])
    assert isinstance(rich().chart(), alt.VConcatChart)


def test_the_versions_belong_together():
    assert alt.VEGALITE_VERSION.startswith(VEGA_LITE_VERSION)
    assert spec(rich())["$schema"].endswith(f"v{VEGA_LITE_VERSION.split('.')[0]}.json")


@pytest.mark.parametrize("analyte", ["neutrophils", "wbc", "platelets"])
@pytest.mark.parametrize("edition", ["4", "5", "6"])
def test_bands_are_those_of_the_library(analyte, edition):
    library = load_library()
    rule = next(r for r in library.scheme("ctcae", edition).rules if r.analyte == analyte)
    drawn = Edition(scheme="ctcae", edition=edition, library=library).stripes(rich(), analyte)
    low = next(s for s in rich().latest if s.count.analyte == analyte).interval.low
    wanted = [(b.grade, *(low if e == "lab_low" else e for e in (b.band.lower, b.band.upper))) for b in rule.bands]
    assert [(s.grade, s.lower, s.upper) for s in drawn] == wanted


def test_no_bands_are_drawn_that_may_not_be_the_persons_own():
    # DAIDS grades neutrophils by age; without a date of birth no band may stand.
    nobody = replace(rich(), patient=Patient(id="x"))
    edition = Edition(scheme="daids", edition="2.1", library=load_library())
    assert edition.stripes(rich(), "neutrophils")
    assert edition.stripes(nobody, "neutrophils") == ()
    assert "cannot be told" in describe(nobody, scheme="daids", edition="2.1")


def test_a_band_without_the_laboratorys_limit_is_not_drawn_and_that_is_said():
    rows = tuple(status(replace(s.count, lab_low=None)) for s in rich().history if s.count.analyte == "neutrophils")
    without = replace(rich(), history=rows)
    stripes = Edition(scheme="ctcae", edition="5", library=load_library()).stripes(without, "neutrophils")
    assert [stripe.grade for stripe in stripes] == [2, 3, 4]
    assert "grade 1 is not drawn" in describe(without)
    assert "1: limit not known" in str(_layers(spec(without), "Neutrophils"))


def test_the_edition_is_named_in_the_figure():
    for edition in ("5", "6"):
        texts = [
            value["text"]
            for layer in _layers(spec(rich(), edition=edition), "Neutrophils")
            for value in layer["data"]["values"]
            if "text" in value
        ]
        assert f"CTCAE {edition} grade" in texts


def test_every_dated_count_that_is_used_has_its_mark():
    made = spec(rich())
    for analyte, label in (("neutrophils", "Neutrophils"), ("wbc", "White cells"), ("haemoglobin", "Haemoglobin")):
        ids = {value["id"] for value in _marks(made, label)}
        used = {s.count.id for s in rich().history if s.count.analyte == analyte}
        assert used <= ids


def test_marks_tell_how_a_count_came_about():
    shapes = {value["id"]: value for value in _marks(spec(rich()), "Neutrophils")}
    assert shapes["neutrophils-0"]["shape"] == "circle"
    assert shapes["neutrophils-16"]["fill"] != shapes["neutrophils-0"]["fill"]
    assert shapes["neutrophils-13"]["shape"] == "triangle-down"
    assert shapes["neutrophils-11"]["shape"] == "square"
    assert shapes["neutrophils-16-twin"]["shape"] not in {"circle", "square"}
    assert "wbc-9-first" in {value["id"] for value in _marks(spec(rich()), "White cells")}


def test_zero_stands_at_the_foot_with_its_number():
    made = spec(rich())
    low = next(layer for layer in _layers(made, "Neutrophils") if "shape" in layer["encoding"])["encoding"]["y"][
        "scale"
    ]
    zero = next(value for value in _marks(made, "Neutrophils") if value["id"] == "neutrophils-11")
    assert zero["y"] == low["domain"][0] > 0
    assert any(v.get("text") == "0" for layer in _layers(made, "Neutrophils") for v in layer["data"]["values"])


def test_an_implausible_count_that_is_set_aside_does_not_stretch_the_axis():
    assert "neutrophils-15-x" not in {value["id"] for value in _marks(spec(rich()), "Neutrophils")}
    assert "neutrophils-15-x" in {row.id for row in points(rich())}


def test_treatment_tells_given_from_ordered():
    lanes = next(p for p in spec(rich())["vconcat"] if p.get("title", {}).get("text") == "Treatment")
    texts = [value["text"] for value in lanes["layer"][1]["data"]["values"]]
    assert texts[0] == "doxorubicin"
    assert "co-trimoxazole (ordered or stated, not known to be given)" in texts
    assert "carbimazole" not in " ".join(texts), "without a date it cannot be drawn"
    assert "carbimazole" in describe(rich())


def test_the_description_says_what_the_rows_say():
    text = describe(rich())
    assert "Neutrophils: 9 counts from 5 January 2026 to 24 February 2026. Lowest 0 ×10⁹/L on 16 January 2026." in text
    assert "Latest 0.38 ×10⁹/L on 24 February 2026." in text
    assert "1 derived (open circles)" in text
    assert spec(rich())["description"] == text


def test_a_bound_may_hide_a_lower_value():
    rows = (status(count("neutrophils", 0, 0.3)), status(count("neutrophils", 2, 0.4, bound="<=")))
    text = describe(replace(rich(), history=rows, set_aside=()))
    assert "Lowest 0.3" in text
    assert "may be lower" in text


def test_only_what_is_asked_for_is_drawn():
    made = spec(rich(), analytes=["wbc"], with_key=False)
    assert [p["title"]["text"].split(",")[0] for p in made["vconcat"]] == ["White cells", "Treatment"]
    assert shown_analytes(rich(), ["cd4"]) == ()


def test_a_record_without_counts_has_a_figure_that_says_so():
    assert "No blood count" in str(spec(bare()))
    assert describe(bare()) == "No figure: there is no blood count to draw."
    chart(bare())


def test_one_undated_count_breaks_nothing():
    lone = status(count("neutrophils", None, 1.2))
    made = replace(bare(), history=(lone,), latest=(lone,))
    assert "none with a date" in describe(made)
    chart(made)


def test_a_late_assessment_does_not_squeeze_the_counts():
    near, late = spec(rich()), spec(replace(rich(), as_of=date(2031, 1, 1)))
    assert _layers(near, "Neutrophils")[0]["data"] != _layers(late, "Neutrophils")[0]["data"]
    ends = [value["at"] for value in _layers(late, "Neutrophils")[0]["data"]["values"]]
    assert (ends[1] - ends[0]) / 86_400_000 < 60


@pytest.mark.parametrize(("option", "value"), [("theme", "neon"), ("edition", "3"), ("scheme", "who")])
def test_unknown_options_name_the_known_ones(option, value):
    with pytest.raises(UsageError) as caught:
        spec(rich(), **{option: value})
    assert "known: " in str(caught.value)


def test_svg_without_the_extra_says_what_to_install(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", absent)
    with pytest.raises(UsageError, match="vl-convert-python") as caught:
        to_svg(spec(rich()))
    assert "leuko[pdf]" in str(caught.value)


def test_svg_holds_the_numbers_as_text():
    pytest.importorskip("vl_convert")
    svg = to_svg(spec(rich(), analytes=["neutrophils"]))
    assert "&lt;0.1" in svg
    assert "CTCAE 5 grade" in svg
    assert "NaN" not in svg
