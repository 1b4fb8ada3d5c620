"""Code, name, specimen, unit, interval and size held against one another: the traps of real files."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leuko.errors import Place
from leuko.intake.base import ReadOptions
from leuko.intake.checks import Interpreted, interpret
from leuko.intake.raw import RawResult
from leuko.intake.size import is_interval_of
from leuko.knowledge import load_library
from leuko.record import Code, Count
from leuko.units import UCUM

LIBRARY = load_library()
LOINC = "http://loinc.org"
SHARED = Path(os.environ.get("LEUKO_SHARED", Path(__file__).resolve().parents[2].parent / "shared"))


def read(
    loinc: str | None = None,
    name: str | None = None,
    value: str | None = None,
    unit: str = "",
    *,
    system: str = LOINC,
    units: Mapping[str, str] | None = None,
    **more: Any,
) -> Interpreted:
    codes = more.pop("codes", (Code(system=system, code=loinc),) if loinc else ())
    names = more.pop("names", (name,) if name else ())
    raw = RawResult(
        id="r1",
        place=Place(source="labs.csv", line=17),
        codes=codes,
        names=names,
        value_text=value,
        unit_text=unit,
        **more,
    )
    return interpret(raw, library=LIBRARY, options=ReadOptions(units=units or {}))


def count(result: Interpreted) -> Count:
    assert result.kind == "count", result.notices
    assert result.count is not None
    return result.count


def codes(result: Interpreted) -> list[str]:
    return [notice.code for notice in result.notices]


def assert_refused(result: Interpreted, code: str) -> None:
    assert (result.kind, result.count) == ("refused", None)
    assert code in codes(result)
    assert any(n.data_lost for n in result.notices)
    assert all(str(n.place) == "labs.csv:17" and n.help for n in result.notices)


# ---- what is believed ---


def test_a_plain_count_keeps_what_the_source_wrote() -> None:
    result = read(
        "6690-2", "White Cell Count", "4.6 L", "x10*9/L", low_text="4.0", high_text="10.0", flags=("A",), draw="d1"
    )
    found = count(result)
    assert result.notices == ()
    assert (found.analyte, found.value, found.bound, found.unit) == ("wbc", 4.6, "=", "10*9/L")
    assert (found.lab_low, found.lab_high, found.method, found.draw) == (4.0, 10.0, "automated", "d1")
    assert found.flags == ("A", "L")
    origin = found.origin
    assert (origin.value_text, origin.unit_text, origin.name_text) == ("4.6 L", "x10*9/L", "White Cell Count")
    assert origin.interval_text == "4.0-10.0"


@pytest.mark.parametrize(
    ("name", "value", "unit", "analyte", "expected"),
    [
        ("WBC", "806", "10/uL", "wbc", 8.06),
        ("NEUT%", "542", "10^(-1)%", "neutrophils_percent", 54.2),
        ("Neutrophils", "45", "%", "neutrophils_percent", 45.0),
        ("Neutrophils", "4.5", "10^9/L", "neutrophils", 4.5),
        ("NEUT#", "1500", "/uL", "neutrophils", 1.5),
        ("abs seg neutrophils", "1.2", "K/uL", "segments", 1.2),
        ("ASEGR", "1.2", "K/uL", "segments", 1.2),
        ("Gran#", "2.1", "10*9/L", "granulocytes", 2.1),
        ("Absolute Lymphocyte Count", "0.8", "K/uL", "lymphocytes", 0.8),
        ("Leukozyten", "4,5", "/nl", "wbc", 4.5),
        ("Globules blancs", "3,2", "G/L", "wbc", 3.2),
        ("Leucocitos", "3.2", "miles/mm3", "wbc", 3.2),
        ("Polynucléaires neutrophiles", "1,1", "G/L", "neutrophils", 1.1),
        ("Neutrofili %", "52", "%", "neutrophils_percent", 52.0),
        ("Segmentkernige", "52", "%", "segments_percent", 52.0),
        ("Stabkernige", "4", "%", "bands_percent", 4.0),
        ("Trombocyten", "210", "10^9/L", "platelets", 210.0),
        ("Plaquetas", "210000", "/mm3", "platelets", 210.0),
        ("HGB", "13.5", "g/dL", "haemoglobin", 135.0),
        ("HGB", "135", "G/L", "haemoglobin", 135.0),
        ("RBC", "4.5", "MILL/uL", "rbc", 4.5),
        ("HCT", "0.42", "L/L", "haematocrit", 42.0),
        ("MCV", "91", "um3", "mcv", 91.0),
        ("NRBC", "3", "/100 WBC", "nrbc_per_100_wbc", 3.0),
        ("NRBC", "0.3", "10*9/L", "nrbc", 0.3),
        ("CD4", "350", "cells/uL", "cd4", 0.35),
        ("WBC", "0.8 x10^9/L", "", "wbc", 0.8),
    ],
)
def test_names_and_units_of_real_reports(name: str, value: str, unit: str, analyte: str, expected: float) -> None:
    found = count(read(None, name, value, unit))
    assert (found.analyte, found.value) == (analyte, pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize(
    ("display", "analyte", "method"),
    [
        ("Neutrophils [#/volume] in Blood by Automated count", "neutrophils", "automated"),
        ("Neutrophils NFr Bld Auto", "neutrophils_percent", "automated"),
        ("Neutrophils.segmented/100 leukocytes in Blood by Manual count", "segments_percent", "manual"),
        ("WBC Auto (Bld) [#/\u200bVol]", "wbc", "automated"),
        ("Band form neutrophils [#/volume] in Blood", "bands", None),
    ],
)
def test_a_long_name_says_analyte_and_method(display: str, analyte: str, method: str | None) -> None:
    unit = "%" if analyte.endswith("percent") else "10*9/L"
    found = count(read(None, display, "4.5", unit))
    assert (found.analyte, found.method) == (analyte, method)


@pytest.mark.parametrize(
    "name",
    [
        "Glucose",
        "Hemoglobin A1c",
        "Leukocyte esterase",
        "WBC casts",
        "Mean Cell Hemoglobin",
        "Platelet mean volume",
        "Erythrocyte distribution width",
        "x" * 5000,
        "",
    ],
)
@pytest.mark.parametrize("unit", ["%", "g/dL", "pg", "fL", "/lpf", ""])
def test_what_is_no_blood_count_is_left_alone(name: str, unit: str) -> None:
    if not (name == "Leukocyte esterase" and unit == "%"):
        assert read(None, name, "5", unit) == Interpreted(kind="other")


@pytest.mark.parametrize(
    "name", ["WBC (bench 3)", "Absolute Other WBC", "Hypersegmented neutrophils", "CD8 lymphocytes"]
)
def test_a_name_that_speaks_of_ours_with_an_unknown_word_is_reported(name: str) -> None:
    assert_refused(read(None, name, "0.8", "10*9/L"), "LK311")
    assert read(None, name, "positive", "").kind == "other"
    assert read("99999-9", name, "0.8", "10*9/L").kind == "other"  # LOINC says precisely what it is: something else


def test_a_label_with_unknown_words_still_contradicts_its_code() -> None:
    assert_refused(read("751-8", "LYM# (channel 3)", "3.66", "10*9/L"), "LK302")
    assert count(read("751-8", "NEU# (channel 3)", "3.66", "10*9/L")).value == 3.66


def test_a_local_code_is_a_name_only_where_no_words_stand_beside_it() -> None:
    assert count(read(None, None, "3.2", "G/L", codes=(Code(system="L", code="GB"),))).analyte == "wbc"
    stray = (Code(system="L", code="GB", display="Galactose, blood"),)
    assert read(None, None, "3.2", "G/L", codes=stray).kind == "other"


def test_a_panel_is_no_result() -> None:
    assert read("58410-2", "CBC panel", None) == Interpreted(kind="other")


@pytest.mark.parametrize(
    ("code", "analyte"), [("NEUT", "neutrophils"), ("LYMLE", "lymphocytes_percent"), ("PLAT", "platelets")]
)
def test_sdtm_codes(code: str, analyte: str) -> None:
    value, unit = ("0.31", "FRACTION") if analyte.endswith("percent") else ("2.5", "GI/L")
    found = count(read(code, None, value, unit, system="cdisc:LBTESTCD"))
    assert found.analyte == analyte
    assert found.value == (31.0 if unit == "FRACTION" else 2.5)


def test_a_code_that_nobody_confirmed_is_not_believed() -> None:
    unconfirmed = [row for row in LIBRARY.codes.values() if not row.basis.drives]
    assert unconfirmed
    for row in unconfirmed:
        glucose = (Code(system=row.system, code=row.code, display="Glucose"),)
        assert read(None, None, "2.5", "10*9/L", codes=glucose).kind == "other"


def test_omop_concepts() -> None:
    assert (
        count(read("3013650", None, "2.5", "thousand per microliter", system="omop:concept")).analyte == "neutrophils"
    )


@pytest.mark.parametrize("system", ["LN", "loinc", "urn:oid:2.16.840.1.113883.6.1", ""])
def test_loinc_under_its_other_names(system: str) -> None:
    assert count(read("751-8", None, "2.5", "10*9/L", system=system)).analyte == "neutrophils"


@pytest.mark.parametrize(
    ("value", "comparator", "bound"), [("<0.1", "=", "<"), ("0.1", "<", "<"), ("<0.1", "<", "<"), ("≤0.5", "=", "<=")]
)
def test_a_bound_is_kept(value: str, comparator: Any, bound: str) -> None:
    assert count(read("6690-2", None, value, "10*9/L", bound=comparator)).bound == bound


# ---- code against name, specimen and kind ---


@pytest.mark.parametrize(
    ("loinc", "label"),
    [("751-8", "LYM#"), ("751-8", "Gran#"), ("789-8", "Platelets"), ("26464-8", "HCT"), ("777-3", "WBC")],
)
def test_a_label_that_contradicts_its_code_refuses_the_result(loinc: str, label: str) -> None:
    result = read(loinc, label, "3.66", "10*9/L")
    assert_refused(result, "LK302")
    assert label in result.notices[0].text


def test_codes_or_labels_that_contradict_each_other() -> None:
    two = (Code(system=LOINC, code="751-8"), Code(system=LOINC, code="731-0"))
    assert_refused(read(None, None, "3", "10*9/L", codes=two), "LK303")
    assert_refused(read(None, None, "3", "10*9/L", names=("WBC", "LYM#")), "LK304")


def test_a_white_count_under_a_morphology_code() -> None:
    assert_refused(read("11156-7", "LEUKOCYTES", "8.1", "giga.l-1"), "LK301")
    assert read("11156-7", "Leukocyte morphology", "normal").kind == "other"
    assert read("5799-2", "Leukocyte esterase", "negative").kind == "other"


@pytest.mark.parametrize(
    "specimen", ["Cerebrospinal fluid", "CSF", "Urine", "Synovial fluid", "Liquor", "Bone marrow", "Ascites"]
)
def test_a_blood_code_on_another_specimen(specimen: str) -> None:
    assert_refused(read("26464-8", "WBC", "3", "/uL", specimen=(specimen,)), "LK305")


@pytest.mark.parametrize("name", ["Leukocytes (urine)", "WBC # CSF", "Leukozyten im Liquor", "Neutrophil count, CSF"])
def test_a_name_that_names_another_specimen(name: str) -> None:
    assert_refused(read(None, name, "3", "/uL"), "LK305")


@pytest.mark.parametrize("specimen", ["Blood", "EDTA blood", "Whole blood", "Vollblut", "lavender tube", ""])
def test_blood_and_unknown_words_are_believed(specimen: str) -> None:
    assert read("6690-2", "WBC", "5", "10*9/L", specimen=(specimen,)).notices == ()


@pytest.mark.parametrize(
    ("interval", "unit"), [("0-5", "10*6/L"), ("0-5", "/uL"), ("0-5", "10*3/uL"), ("<5", "/uL"), ("0 - 8", "cells/uL")]
)
def test_an_interval_of_a_fluid_betrays_a_blood_code(interval: str, unit: str) -> None:
    assert_refused(read("26464-8", None, "3", unit, interval_text=interval), "LK306")


def test_serum_is_doubted_but_used() -> None:
    result = read("6690-2", "WBC", "5", "10*9/L", specimen=("Serum",))
    assert (count(result).value, codes(result)) == (5.0, ["LK309"])


def test_the_unit_decides_between_count_and_percentage() -> None:
    as_percent, as_count = read("751-8", "Neutrophils", "45", "%"), read("770-8", "Neutrophils", "4.5", "K/uL")
    assert (count(as_percent).analyte, codes(as_percent)) == ("neutrophils_percent", ["LK307"])
    assert (count(as_count).analyte, codes(as_count)) == ("neutrophils", ["LK307"])


def test_a_label_that_is_a_part_of_its_code_is_pointed_out() -> None:
    result = read("751-8", "Segs", "1.2", "10*9/L")
    assert (count(result).analyte, codes(result)) == ("neutrophils", ["LK308"])


def test_an_unknown_loinc_code_is_read_by_its_label_only_where_size_can_tell() -> None:
    whole = read("99999-9", "Platelets", "221", "10*9/L")
    assert (count(whole).analyte, codes(whole)) == ("platelets", ["LK310"])
    assert_refused(read("99999-9", "Neutrophils", "5", "%"), "LK310")
    assert read("99999-9", "Neutrophils/100 leukocytes in Blood", "50", "%").notices == ()


# ---- units ---


@pytest.mark.parametrize("unit", ["/hpf", "g/L", "{nominal}", "mg/dL", "furlong"])
def test_a_unit_that_is_none_of_white_cells(unit: str) -> None:
    assert_refused(read("6690-2", "WBC", "5", unit), "LK202")


def test_a_missing_unit_is_never_guessed() -> None:
    result = read(None, "Neutrophils", "1500", low_text="1500", high_text="7500")
    assert_refused(result, "LK201")
    assert "--unit neutrophils=" in (result.notices[0].help or "")
    assert count(read(None, "Neutrophils", "1500", units={"neutrophils": "/uL"})).value == 1.5
    assert count(read(None, "Neutrophils", "1500", units={"NEUT": "/uL"})).value == 1.5


def test_a_percentage_carries_its_unit_in_its_name_but_a_fraction_could_hide_in_it() -> None:
    result = read(None, "NEUT%", "45")
    assert (count(result).value, codes(result)) == (45.0, ["LK210"])
    assert_refused(read(None, "NEUT%", "0.45"), "LK201")
    assert count(read(None, "NEUT%", "0.45", units={"neutrophils_percent": "FRACTION"})).value == 45.0


def test_coded_and_printed_unit_must_agree() -> None:
    assert_refused(read("751-8", None, "45", "%", unit_code="10*3/uL", unit_system=UCUM), "LK203")
    assert read("751-8", None, "4.5", "K/uL", unit_code="10*3/uL", unit_system=UCUM).notices == ()
    assert read("751-8", None, "4.5", "thousand something", unit_code="10*3/uL", unit_system=UCUM).notices == ()


def test_kelvin_per_microlitre_is_read_as_thousand_and_said() -> None:
    result = read("6690-2", None, "4.5", "K/uL", unit_code="K/uL", unit_system=UCUM)
    assert (count(result).value, codes(result)) == (4.5, ["LK211"])


def test_the_callers_unit_overrides_and_is_said() -> None:
    result = read("26499-4", None, "3000", "10*3/uL", low_text="2500", high_text="5000", units={"neutrophils": "/uL"})
    found = count(result)
    assert (found.value, found.lab_low, found.lab_high, codes(result)) == (3.0, 2.5, 5.0, ["LK209"])
    percent = count(read("770-8", None, "45", "%", units={"neutrophils": "/uL"}))
    assert (percent.analyte, percent.value) == ("neutrophils_percent", 45.0)
    assert_refused(read("6690-2", None, "5", "10*9/L", units={"wbc": "furlong"}), "LK202")


# ---- numbers ---


@pytest.mark.parametrize(
    ("value", "code"),
    [("cancelled", "LK212"), ("4-6", "LK212"), ("4,500", "LK213"), ("-5", "LK214"), ("5 apples", "LK212")],
)
def test_a_value_that_is_no_count(value: str, code: str) -> None:
    assert_refused(read("6690-2", "WBC", value, "10*9/L"), code)


def test_a_comparator_that_contradicts_its_text() -> None:
    assert_refused(read("6690-2", "WBC", "<5", "10*9/L", bound=">"), "LK212")


def test_a_missing_value_is_said_with_its_reason() -> None:
    result = read("751-8", "ANC", None, "10*9/L", absent="not-performed")
    assert (result.kind, codes(result)) == ("refused", ["LK215"])
    assert "not-performed" in result.notices[0].text


# ---- size and interval ---


def test_a_count_a_thousand_times_too_large_with_its_interval() -> None:
    result = read("26499-4", None, "3000", "10*3/uL", low_text="2500", high_text="5000")
    assert_refused(result, "LK204")
    assert "1,000 times too large" in result.notices[0].text
    assert "nothing was changed" in (result.notices[0].help or "")


@pytest.mark.parametrize(("value", "unit"), [("0.0048", "10*9/L"), ("4.8", "/uL"), ("12.3", "/uL")])
def test_a_count_a_thousand_times_too_small_is_no_alarm(value: str, unit: str) -> None:
    result = read("6690-2", None, value, unit, low_text="4.0", high_text="10.0", interval_unit_text="10*9/L")
    assert result.kind == "refused"
    assert set(codes(result)) & {"LK204", "LK205"}


def test_a_small_interval_that_only_fits_a_thousand_times_larger() -> None:
    assert_refused(read("6690-2", None, "5", "/uL", low_text="4", high_text="10"), "LK204")


@pytest.mark.parametrize(
    ("loinc", "value", "unit"),
    [
        ("6690-2", "4800", "10*9/L"),
        ("751-8", "1500", "10*9/L"),
        ("777-3", "250000", "10*9/L"),
        ("777-3", "0.25", "10*9/L"),
        ("718-7", "1350", "g/L"),
        ("718-7", "1.35", "g/L"),
        ("770-8", "140", "%"),
        ("789-8", "0.0045", "10*12/L"),
    ],
)
def test_what_cannot_be_is_refused(loinc: str, value: str, unit: str) -> None:
    assert_refused(read(loinc, None, value, unit), "LK205")


@pytest.mark.parametrize(("loinc", "value"), [("751-8", "380"), ("751-8", "150"), ("6690-2", "800")])
def test_a_height_at_which_a_wrong_unit_would_hide_a_low_count_must_be_confirmed(loinc: str, value: str) -> None:
    assert_refused(read(loinc, None, value, "10*9/L"), "LK208")
    analyte = "wbc" if loinc == "6690-2" else "neutrophils"
    confirmed = read(loinc, None, value, "10*9/L", units={analyte: "10*9/L"})
    assert count(confirmed).value == float(value)
    assert count(read(loinc, None, value + "000", "/uL")).value == float(value)


@pytest.mark.parametrize(
    ("loinc", "value", "unit", "interval"),
    [("770-8", "0.55", "%", "40-75"), ("736-9", "0.31", "%", "20-45"), ("718-7", "13.5", "g/L", "120-160")],
)
def test_a_size_at_which_a_wrong_unit_would_be_a_false_alarm_must_be_confirmed(
    loinc: str, value: str, unit: str, interval: str
) -> None:
    assert_refused(read(loinc, None, value, unit), "LK208")
    assert count(read(loinc, None, value, unit, interval_text=interval)).value == float(value)


def test_gram_per_decilitre_labelled_gram_per_litre() -> None:
    assert_refused(read("718-7", None, "13.5", "g/L", interval_text="12.0-16.0"), "LK204")
    assert_refused(read("770-8", None, "0.55", "%", interval_text="0.40-0.75"), "LK204")


def test_leukaemic_counts_are_used_with_a_warning() -> None:
    result = read("26464-8", None, "105600", "{cells}/uL", interval_text="4300 to 10800")
    assert (count(result).value, codes(result)) == (105.6, ["LK206"])
    assert count(read("6690-2", None, "320", "10*9/L")).value == 320.0
    assert count(read("6690-2", None, "612.4", "10*9/L", interval_text="4.0-10.0")).value == 612.4


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [("5", "/uL", 0.005), ("0.005", "10*9/L", 0.005), ("0", "10*9/L", 0.0), ("20", "/uL", 0.02)],
)
def test_a_true_agranulocytosis_is_not_lost(value: str, unit: str, expected: float) -> None:
    result = read("751-8", None, value, unit, low_text="2.0", high_text="7.5", interval_unit_text="10*9/L")
    assert count(result).value == expected
    assert codes(result) == ([] if expected == 0 else ["LK207"])


def test_an_interval_of_the_next_row_is_not_used() -> None:
    result = read("26464-8", None, "88.5", "10*3/uL", low_text="39.7", high_text="50.3")
    found = count(result)
    assert (found.value, found.lab_low, found.lab_high, codes(result)) == (88.5, None, None, ["LK322"])


@pytest.mark.parametrize(
    ("text", "low", "high", "notices"),
    [
        ("4.0-10.0", 4.0, 10.0, []),
        ("4.3 to 10.8", 4.3, 10.8, []),
        ("[ 4.0 - 11.0 ]", 4.0, 11.0, []),
        ("4,0–10,0", 4.0, 10.0, []),
        ("< 11.0", None, 11.0, []),
        (">4.0", 4.0, None, []),
        ("4_10", 4.0, 10.0, []),
        ("0-0", None, None, ["LK320"]),
        ("10-4", None, None, ["LK321"]),
        ("see comment", None, None, ["LK323"]),
        ("", None, None, []),
    ],
)
def test_printed_intervals(text: str, low: float | None, high: float | None, notices: list[str]) -> None:
    result = read("6690-2", None, "5.2", "10*9/L", interval_text=text)
    found = count(result)
    assert (found.lab_low, found.lab_high, codes(result)) == (low, high, notices)


def test_an_interval_in_another_unit_is_converted() -> None:
    found = count(read("6690-2", None, "5.2", "10*9/L", low_text="4000", high_text="10000", interval_unit_text="/uL"))
    assert (found.lab_low, found.lab_high) == (4.0, 10.0)
    odd = read("6690-2", None, "5.2", "10*9/L", low_text="40", high_text="70", interval_unit_text="%")
    assert (count(odd).lab_low, codes(odd)) == (None, ["LK324"])


# ---- the data behind it ---


def test_every_notice_that_the_code_gives_is_explained() -> None:
    source = Path(__file__).resolve().parents[2] / "src" / "leuko" / "intake"
    files = [source / f"{n}.py" for n in ("checks", "identity", "size", "unit_choice")]
    given = {code for file in files for code in re.findall(r"LK[23]\d\d", file.read_text(encoding="utf-8"))}
    assert given
    assert given <= set(LIBRARY.notices)
    own = {code for code in LIBRARY.notices if re.fullmatch(r"LK[23]\d\d", code)}
    assert own == given


def test_codes_and_percentages_point_at_analytes_that_exist() -> None:
    for row in LIBRARY.codes.values():
        assert (row.analyte in LIBRARY.analytes) or row.refuse or row.panel, row.code
    for analyte in LIBRARY.analytes.values():
        assert {analyte.absolute, analyte.broader} - {None} <= set(LIBRARY.analytes)


def test_every_shipped_reference_interval_is_believed() -> None:
    for row in LIBRARY.intervals:
        analyte = LIBRARY.analytes[row.analyte]
        assert is_interval_of(analyte, row.low, row.high), row.id


@pytest.mark.shared
def test_published_intervals_are_believed() -> None:
    path = SHARED / "facts" / "reference_intervals.csv"
    if not path.exists():
        pytest.skip("the gathered reference intervals are not beside the checkout")
    named = {"WBC": "wbc", "CD4+ T cells": "cd4"}
    tried = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            analyte = LIBRARY.analytes.get(named.get(row["analyte"], row["analyte"]))
            ends = [re.fullmatch(r"\d+(\.\d+)?", row[end]) for end in ("low", "high")]
            if analyte is None or "interval" not in row["stat"] or row["unit"] != "10*9/L" or not all(ends):
                continue
            tried += 1
            assert is_interval_of(analyte, float(row["low"]), float(row["high"])), row
    assert tried > 200
