"""Tables copied from a laboratory's report: columns parted by spaces, under a header or line by line."""

from __future__ import annotations

from datetime import date

import pytest

from leuko.intake import Intake, ReadOptions, read_gathered
from leuko.intake.base import Blob
from leuko.intake.sources import gather_content
from leuko.intake.table.spaced import parse_line, spaced

WHEN = "Collected: 2026-01-05 08:30\n"
UNDER_A_HEADER = f"""{WHEN}Test            Result  Flag  Unit      Reference
WBC             2.1     L     10^9/L    4.0 - 10.0
Neutrophils     0.8           10^9/L    1.8 - 7.5
"""
REPORT = """Labor Nord
Patient: 4711
Entnahme: 05.01.2026 08:30
Blutbild
Leukozyten 2,1 L G/l 4,0 - 10,0
Neutrophile 0,8 ↓ G/l 1,8 - 7,5
Lymphozyten 1,1 G/l 1,0-4,0 1,3
Seite 1 von 2
"""


def _read(text: str) -> Intake:
    return read_gathered(
        gather_content([Blob(name="pasted", data=text.encode())]), options=ReadOptions(as_of=date(2026, 2, 1))
    )


def _counts(text: str) -> dict[str, tuple[float, float | None]]:
    (record,) = _read(text).records
    return {count.analyte: (count.value, count.lab_low) for count in record.counts}


def test_columns_below_a_header_are_cut_where_they_stand():
    assert _counts(UNDER_A_HEADER) == {"wbc": (2.1, 4.0), "neutrophils": (0.8, 1.8)}


def test_a_missing_cell_moves_no_other_into_its_column():
    text = "Date        WBC (G/L)  Neutrophils (G/L)\n2026-01-05  2.1        0.8\n"
    text += "2026-01-12             0.4\n2026-01-19  3.1\n"
    (record,) = _read(text).records
    assert [(count.analyte, count.value, str(count.taken.day)) for count in record.counts if count.taken] == [
        ("wbc", 2.1, "2026-01-05"),
        ("neutrophils", 0.8, "2026-01-05"),
        ("neutrophils", 0.4, "2026-01-12"),
        ("wbc", 3.1, "2026-01-19"),
    ]


def test_columns_out_of_line_are_read_by_their_order_or_not_at_all():
    text = f"{WHEN}Test  Result  Unit  Reference\nWBC  2.1  10^9/L  4.0-10.0\n"
    text += "Neutrophils, absolute  0.8  10^9/L  1.8-7.5\nLymphocytes  10^9/L  1.0-4.0\n"
    assert _counts(text) == {"wbc": (2.1, 4.0), "neutrophils": (0.8, 1.8)}
    (lost,) = [notice for notice in _read(text).notices if notice.code == "LK545"]
    assert (lost.place.line, lost.data_lost) == (5, True)


def test_a_report_without_a_header_is_read_line_by_line():
    intake = _read(REPORT)
    (record,) = intake.records
    assert record.patient.id == "4711"
    assert {count.analyte: (count.value, count.lab_low) for count in record.counts} == {
        "wbc": (2.1, 4.0),
        "neutrophils": (0.8, 1.8),
    }
    (when,) = {count.taken.at.isoformat() for count in record.counts if count.taken}
    assert when == "2026-01-05T08:30:00+00:00"


def test_a_line_with_two_numbers_is_told_and_not_guessed_at():
    notices = _read(REPORT).notices
    assert [(one.place.line, one.data_lost) for one in notices if one.code == "LK545"] == [(7, True), (8, True)]
    told = {notice.code: notice for notice in notices}
    assert "lines 1, 4" in told["LK546"].text
    assert "no header, from line 5 on" in told["LK504"].text


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("WBC 2.1 L 10^9/L 4.0 - 10.0", ("WBC", "2.1", "L", "10^9/L", "4.0 - 10.0")),
        ("WBC: 2.1 x10^9/L", ("WBC", "2.1", "", "x10^9/L", "")),
        ("Neutrophils < 0.1 10^9/L (1.8-7.5) LL", ("Neutrophils", "<0.1", "LL", "10^9/L", "(1.8-7.5)")),
        ("CD4 abs. 120 /µL 400 bis 1600", ("CD4 abs.", "120", "", "/µL", "400 bis 1600")),
        ("Vitamin B12 210 pg/mL >200", ("Vitamin B12", "210", "", "pg/mL", ">200")),
        ("Neutrophils 41 %", ("Neutrophils", "41", "", "%", "")),
        ("Sample: 4711", None),
        ("Collected: 2026-01-05 08:30", None),
        ("WBC 2.1 3.4 10^9/L", None),
        ("WBC 2.1 10^9/L see remark 4", None),
        ("Seite 1 von 2", None),
        ("Differential", None),
    ],
)
def test_a_line_has_one_reading_or_none(line, cells):
    assert parse_line(line) == cells


@pytest.mark.parametrize("text", ["The count was low.\nCall in 3 days.\n", "", "WBC\n\n", "one two\nthree four\n"])
def test_prose_is_no_table(text):
    assert spaced(text) is None


def test_content_in_memory_is_read_as_files_are_and_told_as_they_are():
    intake = _read("The count was low.")
    assert intake.records == ()
    assert [(notice.code, notice.data_lost) for notice in intake.notices] == [("LK104", True)]
