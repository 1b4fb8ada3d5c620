"""Workbooks and Parquet files."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fixtures.workbook import DAY, DAY_MONTH, MOMENT, TIME, Cell, workbook
from leuko.errors import UnreadableInput, UsageError
from leuko.intake import table
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.knowledge import load_library

MAY_3 = 45415  # the serial day of 3 May 2024


def read(data: bytes, *, name: str = "labs.xlsx", columns: Path | None = None) -> Intake:
    blob = Blob(name=name, data=data)
    assert table.claims(blob)
    return table.read([blob], options=ReadOptions(columns=columns), library=load_library())


def values(intake: Intake) -> list[tuple[str, str, float]]:
    return sorted(
        (c.taken.at.isoformat()[:16] if c.taken else "", c.analyte, c.value) for r in intake.records for c in r.counts
    )


def codes(intake: Intake) -> set[str]:
    return {notice.code for notice in intake.notices}


def test_dates_times_and_numbers_of_a_worksheet() -> None:
    intake = read(
        workbook(
            {
                "Labor": [
                    [],
                    ["Befund von", "Muster"],
                    ["Datum", "Uhrzeit", "Leukozyten (G/l)", "Hb (g/dl)"],
                    [Cell(MAY_3, DAY), Cell(0.34375, TIME), 3.2, 13.95],
                    [Cell(MAY_3 + 1.5, MOMENT), None, "2,9", 14],
                ]
            }
        )
    )
    assert values(intake) == [
        ("2024-05-03T08:15", "haemoglobin", 139.5),
        ("2024-05-03T08:15", "wbc", 3.2),
        ("2024-05-04T12:00", "haemoglobin", 140.0),
        ("2024-05-04T12:00", "wbc", 2.9),
    ]
    assert intake.records[0].counts[0].origin.place.line == 4


def test_a_day_without_time_is_a_day() -> None:
    intake = read(workbook({"A": [["date", "WBC (G/L)"], [Cell(MAY_3, DAY), 3.2]]}))
    taken = intake.records[0].counts[0].taken
    assert taken is not None
    assert (taken.day, taken.precision) == (date(2024, 5, 3), "day")


@pytest.mark.parametrize("from_1904", [False, True])
def test_bare_day_numbers_follow_the_workbooks_calendar(from_1904: bool) -> None:
    serial = MAY_3 - 1462 if from_1904 else MAY_3
    intake = read(workbook({"A": [["date", "WBC (G/L)"], [serial, 3.2], [serial + 0.5, 3.1]]}, from_1904=from_1904))
    assert [v[0] for v in values(intake)] == ["2024-05-03T00:00", "2024-05-03T12:00"]
    assert "LK539" in codes(intake)


def test_a_number_that_became_a_date_is_told_and_not_used() -> None:
    intake = read(
        workbook({"A": [["date", "WBC (G/L)"], [Cell(MAY_3, DAY), Cell(MAY_3, DAY_MONTH)], [Cell(MAY_3, DAY), 3.1]]})
    )
    assert [v[2] for v in values(intake)] == [3.1]
    lost = [n for n in intake.notices if n.code == "LK520"]
    assert lost[0].data_lost
    assert lost[0].place.line == 2


def test_all_visible_sheets_are_read_and_hidden_ones_named() -> None:
    head = ["patient", "date", "WBC (G/L)"]
    data = workbook(
        {
            "May": [head, ["P1", Cell(MAY_3, DAY), 3.2]],
            "June": [head, ["P1", Cell(MAY_3 + 31, DAY), 3.1]],
            "Old": [head, ["P1", Cell(MAY_3 - 400, DAY), 9.1]],
            "Empty": [],
        },
        hidden=["Old"],
    )
    intake = read(data)
    assert [v[2] for v in values(intake)] == [3.2, 3.1]
    assert {c.origin.place.source for c in intake.records[0].counts} == {"labs.xlsx!May", "labs.xlsx!June"}
    assert "LK521" in codes(intake)


def test_a_column_map_can_name_a_sheet(tmp_path: Path) -> None:
    head = ["patient", "date", "WBC (G/L)"]
    data = workbook({"A": [head, ["P1", "2024-05-03", 3.2]], "B": [head, ["P1", "2024-05-03", 9.9]]}, hidden=["B"])
    named = tmp_path / "map.toml"
    named.write_text('sheet = "B"')
    assert [v[2] for v in values(read(data, columns=named))] == [9.9]
    named.write_text('sheet = "C"')
    with pytest.raises(UsageError, match="no sheet 'C'"):
        read(data, columns=named)


def test_a_text_in_a_worksheet_that_could_be_thousands() -> None:
    intake = read(workbook({"A": [["date", "WBC (/uL)"], ["2024-05-03", "4.500"], ["2024-05-04", 4512]]}))
    assert values(intake) == [("2024-05-04T00:00", "wbc", 4.512)]
    assert "LK508" in codes(intake)


def test_a_damaged_workbook_is_an_error() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook")
    with pytest.raises(UnreadableInput):
        read(stream.getvalue())


def test_an_archive_is_no_workbook() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("labs.csv", "date,WBC\n")
    assert not table.claims(Blob(name="x.zip", data=stream.getvalue()))


def parquet(frame: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def test_parquet_keeps_types_exact() -> None:
    frame = pl.DataFrame(
        {
            "patient": [1, 1, 2],
            "date": [datetime(2024, 5, 3, 8, 15, tzinfo=UTC), None, datetime(2024, 5, 4, tzinfo=UTC)],
            "WBC (G/L)": pl.Series([0.4, 4.512, None], dtype=pl.Float32),
            "ANC (G/L)": [0.30000000000000004, 1.5, float("nan")],
            "note": ["a", None, "c"],
        }
    )
    intake = read(parquet(frame), name="labs.parquet")
    assert values(intake) == [
        ("", "neutrophils", 1.5),
        ("", "wbc", 4.512),
        ("2024-05-03T08:15", "neutrophils", 0.30000000000000004),
        ("2024-05-03T08:15", "wbc", 0.4),
    ]
    assert [r.patient.id for r in intake.records] == ["1"]
    assert {"LK507", "LK533"} <= codes(intake)


def test_a_truncated_parquet_file() -> None:
    data = parquet(pl.DataFrame({"date": ["2024-05-03"], "WBC (G/L)": [3.2]}))
    with pytest.raises(UnreadableInput):
        read(data[:20] + data[-20:])
