"""Column maps: what a person says of a table, checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leuko.errors import UsageError
from leuko.intake import table
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.knowledge import load_library


def read(text: str, toml: str, folder: Path, *more: Blob) -> Intake:
    path = folder / "map.toml"
    path.write_text(toml, encoding="utf-8")
    blob = Blob(name="labs.csv", data=text.encode())
    return table.read([blob, *more], options=ReadOptions(columns=path), library=load_library())


def values(intake: Intake) -> list[tuple[str, str, str, float]]:
    return sorted(
        (r.patient.id, str(c.taken.day) if c.taken else "", c.analyte, c.value)
        for r in intake.records
        for c in r.counts
    )


def test_a_map_says_what_sniffing_cannot(tmp_path: Path) -> None:
    toml = """
        date_format = "%d/%m/%Y"
        decimal = ","
        patient = "P-1"
        [columns]
        date = "wann"
        analyte = "was"
        value = "wieviel"
        [analytes]
        "Leukos ges." = "wbc"
        [units]
        wbc = "/uL"
    """
    intake = read("wann;was;wieviel\n03/04/2024;Leukos ges.;4500,0\n", toml, tmp_path)
    assert values(intake) == [("P-1", "2024-04-03", "wbc", 4.5)]
    assert intake.records[0].counts[0].origin.name_text == "Leukos ges."


def test_a_table_without_a_header(tmp_path: Path) -> None:
    toml = "header_line = 0\n[columns]\npatient = 1\ndate = 2\nanalyte = 3\nvalue = 4\nunit = 5\n"
    assert values(read("P1,2024-05-03,WBC,3.2,10*9/L\n", toml, tmp_path)) == [("P1", "2024-05-03", "wbc", 3.2)]


def test_a_wide_table_without_a_header(tmp_path: Path) -> None:
    toml = """
        header_line = 0
        [columns]
        date = 1
        [analytes]
        2 = "wbc"
        3 = "neutrophils"
        [units]
        wbc = "G/L"
        neutrophils = "/uL"
    """
    intake = read("2024-05-03,3.2,1100\n", toml, tmp_path)
    assert values(intake) == [("labs.csv", "2024-05-03", "neutrophils", 1.1), ("labs.csv", "2024-05-03", "wbc", 3.2)]


def test_a_wide_column_under_an_unknown_name(tmp_path: Path) -> None:
    intake = read("date,Weisse\n2024-05-03,3.2\n", '[analytes]\nWeisse = "wbc"\n[units]\nWeisse = "G/L"\n', tmp_path)
    assert values(intake) == [("labs.csv", "2024-05-03", "wbc", 3.2)]
    assert intake.records[0].counts[0].origin.place.pointer == "column Weisse"


def test_the_map_outweighs_what_would_be_sniffed(tmp_path: Path) -> None:
    text = "date,reported,test,result,units\n2024-05-03,2024-06-01,WBC,3.2,G/L\n"
    assert values(read(text, '[columns]\ndate = "reported"\n', tmp_path))[0][1] == "2024-06-01"


def test_a_decimal_mark_that_is_said_is_not_questioned(tmp_path: Path) -> None:
    text = "date;test;result;units\n2024-05-03;WBC;4.512;G/L\n2024-05-04;WBC;4,5;G/L\n"
    assert values(read(text, 'decimal = "."', tmp_path)) == [("labs.csv", "2024-05-03", "wbc", 4.512)]


def test_a_map_for_one_file_does_not_stop_another(tmp_path: Path) -> None:
    people = Blob(name="people.csv", data=b"patient,dob\nP1,1961-02-01\n")
    intake = read("who,date,WBC (G/L)\nP1,2024-05-03,3.2\n", '[columns]\npatient = "who"\n', tmp_path, people)
    (record,) = intake.records
    assert record.patient.born is not None
    assert len(record.counts) == 1
    assert "LK535" in {n.code for n in intake.notices}


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("layout = 3", "layout must be a text"),
        ('layout = "tall"', "layout must be one of"),
        ('seperator = ";"', "did you mean 'separator'"),
        ('separator = ";;"', "one character"),
        ('encoding = "klingon"', "text encoding|name of an encoding"),
        ('encoding = "zip"', "text encoding"),
        ('decimal = ":"', "decimal must be one of"),
        ("header_line = -1", "a line number"),
        ("header_line = 99", "nothing on line 99"),
        ('date_format = "dd.mm"', "a format such as"),
        ("columns = 3", "must be a table"),
        ('[columns]\ndatum = "date"', "'datum' is no role"),
        ("[columns]\ndate = 0", "a column number from 1"),
        ("[columns]\ndate = 12", "the table has 2 columns"),
        ('[columns]\ndate = "Tag"', "its headers are: date, WBC"),
        ('[analytes]\nWBC = "wbcs"', "did you mean 'wbc'"),
        ('[units]\nwbc = "parsec"', "parsec"),
        ("[units]\nwbc = 3", "a unit in quotation marks"),
        ("date = [", "not valid TOML"),
    ],
)
def test_a_wrong_map_is_explained(toml: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read("date,WBC\n2024-05-03,3.2\n", toml, tmp_path)
    assert re.search(words, str(caught.value))
    assert "map.toml" in str(caught.value)


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such column map"):
        table.read([], options=ReadOptions(columns=tmp_path / "none.toml"), library=load_library())
