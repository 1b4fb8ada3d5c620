"""Reading tables: what stands in the file is what comes out, or a notice says why not."""

from __future__ import annotations

from datetime import date, timedelta, timezone

import pytest

from leuko.errors import UnreadableInput
from leuko.intake import table
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.knowledge import load_library


def read(text: str | bytes, *, name: str = "labs.csv", **options: object) -> Intake:
    data = text.encode() if isinstance(text, str) else text
    return table.read([Blob(name=name, data=data)], options=ReadOptions(**options), library=load_library())  # type: ignore[arg-type]


def counts(intake: Intake) -> list[tuple[str, str, str, float]]:
    """(person, day, analyte, value) of every count, in a fixed order."""
    return sorted(
        (record.patient.id, str(count.taken.day) if count.taken else "", count.analyte, count.value)
        for record in intake.records
        for count in record.counts
    )


def codes(intake: Intake) -> set[str]:
    return {notice.code for notice in intake.notices}


def notice(intake: Intake, code: str) -> str:
    return next(str(n.text) for n in intake.notices if n.code == code)


LONG = """patient,collected,test,result,units,low,high
P1,2024-05-03,WBC,3.2,10*9/L,4.0,10.0
P1,2024-05-03,ANC,1.1,10*9/L,1.8,7.5
P1,2024-05-10T08:15:00+02:00,WBC,2.9,K/uL,4.0,10.0
"""
EXPECTED = [
    ("P1", "2024-05-03", "neutrophils", 1.1),
    ("P1", "2024-05-03", "wbc", 3.2),
    ("P1", "2024-05-10", "wbc", 2.9),
]


def test_a_long_table() -> None:
    intake = read(LONG)
    assert counts(intake) == EXPECTED
    assert codes(intake) == {"LK504"}
    first = intake.records[0].counts[0]
    assert (first.lab_low, first.lab_high) == (4.0, 10.0)
    assert str(first.origin.place) == "labs.csv:2#column result"
    assert (first.origin.value_text, first.origin.unit_text, first.origin.name_text) == ("3.2", "10*9/L", "WBC")
    assert first.taken is not None
    assert first.taken.precision == "day"
    assert first.taken.zone_assumed
    last = intake.records[0].counts[2].taken
    assert last is not None
    assert last.at.utcoffset() == timedelta(hours=2)
    assert not last.zone_assumed


def test_the_callers_zone_is_used_where_none_is_written() -> None:
    intake = read("date,WBC (G/L)\n2024-05-03 08:15,3.2\n", zone=timezone(timedelta(hours=2)))
    taken = intake.records[0].counts[0].taken
    assert taken is not None
    assert taken.at.isoformat() == "2024-05-03T08:15:00+02:00"
    assert taken.precision == "minute"


def test_a_wide_german_table_with_decimal_commas_in_latin_1() -> None:
    text = (
        "PatientenNr;Abnahme;Leukozyten [/µl];Neutrophile (%);Hämoglobin [g/dl]\nP1;03.05.2024 07:50;3200;44,5;13,9\n"
    )
    intake = read(text.encode("cp1252"))
    assert counts(intake) == [
        ("P1", "2024-05-03", "haemoglobin", 139.0),
        ("P1", "2024-05-03", "neutrophils_percent", 44.5),
        ("P1", "2024-05-03", "wbc", 3.2),
    ]
    assert {"LK502", "LK504"} <= codes(intake)
    assert "decimal comma" in notice(intake, "LK504")
    assert len({count.draw for count in intake.records[0].counts}) == 1


def test_a_transposed_table_with_a_preamble_and_times() -> None:
    intake = read(
        "Laborbericht;;;\nPatient: P-7;;;\nParameter;Einheit;Referenzbereich;01.02.2024;05.02.2024\nUhrzeit;;;08:15;\n"
        "Leukozyten;G/l;4,0-10,0;3,2;<0,1\nNeutrophile abs.;G/l;1,8-7,5;1,48;\n"
    )
    (record,) = intake.records
    assert record.patient.id == "P-7"
    assert counts(intake) == [
        ("P-7", "2024-02-01", "neutrophils", 1.48),
        ("P-7", "2024-02-01", "wbc", 3.2),
        ("P-7", "2024-02-05", "wbc", 0.1),
    ]
    by_day = {(c.analyte, str(c.taken.day)): c for c in record.counts if c.taken}
    assert by_day["wbc", "2024-02-05"].bound == "<"
    assert by_day["wbc", "2024-02-01"].taken is not None
    assert by_day["wbc", "2024-02-01"].taken.precision == "minute"
    assert by_day["wbc", "2024-02-01"].draw == by_day["neutrophils", "2024-02-01"].draw
    assert by_day["wbc", "2024-02-01"].draw != by_day["wbc", "2024-02-05"].draw
    assert by_day["wbc", "2024-02-01"].lab_low == 4.0
    assert "LK533" in codes(intake)


@pytest.mark.parametrize(
    ("header", "row", "value"),
    [
        ("WBC(10/uL)", "806", 8.06),
        ("WBC [10^9/L]", "3.2", 3.2),
        ("WBC, G/L", "3.2", 3.2),
        ("WBC_G_per_L", "3.2", 3.2),
        ("Leukocytes in K/uL", "3.2", 3.2),
        ("WBC,Unit", "3200,/uL", 3.2),
        ("WBC,", "3200,/uL", 3.2),
        ("WBC,WBC_unit", "3200,/uL", 3.2),
    ],
)
def test_where_a_wide_table_may_write_its_unit(header: str, row: str, value: float) -> None:
    header = f'"{header}"' if header == "WBC, G/L" else header
    assert [c[3] for c in counts(read(f"date,{header}\n2024-05-03,{row}\n"))] == [value]


def test_a_row_of_units_below_the_header() -> None:
    intake = read("Date,WBC,ANC,Hb\n,10^9/L,cells/uL,g/dL\n2024-01-02,3.2,480,11\n")
    assert [c[2:] for c in counts(intake)] == [("haemoglobin", 110.0), ("neutrophils", 0.48), ("wbc", 3.2)]


def test_without_a_unit_nothing_is_guessed_and_the_caller_can_say_it() -> None:
    text = "date,ANC\n2024-05-03,1100\n"
    assert counts(read(text)) == []
    assert any(n.data_lost for n in read(text).notices)
    assert [c[3] for c in counts(read(text, units={"neutrophils": "/uL"}))] == [1.1]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_line_ends_change_nothing(separator: str, encoding: str, end: str) -> None:
    text = LONG.replace(",", separator).replace("\n", end)
    intake = read(text.encode(encoding))
    assert counts(intake) == EXPECTED
    assert [c.origin.place.line for c in intake.records[0].counts] == [2, 3, 4]


def test_excels_own_separator_line_keeps_the_line_numbers() -> None:
    intake = read("sep=;\n" + LONG.replace(",", ";"))
    assert counts(intake) == EXPECTED
    assert intake.records[0].counts[0].origin.place.line == 3


# ---- dates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "written", "day"),
    [
        ("date", "2024-05-03", date(2024, 5, 3)),
        ("date", "2024/5/3", date(2024, 5, 3)),
        ("date", "20240503", date(2024, 5, 3)),
        ("date", "202405031015", date(2024, 5, 3)),
        ("date", "3.5.2024", date(2024, 5, 3)),
        ("date", "3 May 2024", date(2024, 5, 3)),
        ("date", "03-MAY-2024", date(2024, 5, 3)),
        ("date", "May 3, 2024", date(2024, 5, 3)),
        ("Datum", "3. Mai 2024", date(2024, 5, 3)),
        ("date", "16/05/2024", date(2024, 5, 16)),
        ("date", "05/16/2024", date(2024, 5, 16)),
        ("date", "5/5/2024 11:51 a.m.", date(2024, 5, 5)),
        ("Date (dd/mm/yyyy)", "03/05/2024", date(2024, 5, 3)),
        ("Date (mm/dd/yyyy)", "05/03/2024", date(2024, 5, 3)),
        ("Fecha", "03/05/2024", date(2024, 5, 3)),
        ("date", "2024-05-03T10:15Z", date(2024, 5, 3)),
    ],
)
def test_dates_that_can_be_read(header: str, written: str, day: date) -> None:
    (record,) = read(f'{header},WBC (G/L)\n"{written}",3.2\n').records
    assert record.counts[0].taken is not None
    assert record.counts[0].taken.day == day


@pytest.mark.parametrize("written", ["03/04/2024", "04-05-2024", "31.02.2024", "03/04/24", "soon", "0203-01-01"])
def test_dates_that_cannot_be_read_leave_the_count_without_a_time(written: str) -> None:
    intake = read(f"date,WBC (G/L)\n{written},3.2\n")
    assert [c.taken for c in intake.records[0].counts] == [None]
    assert codes(intake) & {"LK505", "LK506"}


def test_one_day_above_twelve_decides_the_order_of_the_whole_column() -> None:
    intake = read("date,WBC (G/L)\n03/04/2024,3.2\n16/04/2024,3.1\n")
    assert [c[1] for c in counts(intake)] == ["2024-04-03", "2024-04-16"]


def test_a_column_that_contradicts_itself_is_read_only_where_a_date_is_clear() -> None:
    intake = read("date,WBC (G/L)\n03/04/2024,3.2\n16/04/2024,3.1\n04/17/2024,3.0\n")
    assert [c[1] for c in counts(intake)] == ["", "2024-04-16", "2024-04-17"]
    assert "LK505" in codes(intake)


def test_a_table_without_any_date() -> None:
    intake = read("patient,WBC (G/L)\nP1,3.2\n")
    assert [c.taken for c in intake.records[0].counts] == [None]
    assert "LK512" in codes(intake)


def test_a_date_and_a_time_column() -> None:
    (record,) = read("Date,Time,WBC (G/L)\n2024-05-03,19:16:02,3.2\n").records
    assert record.counts[0].taken is not None
    assert record.counts[0].taken.at.isoformat() == "2024-05-03T19:16:02+00:00"


# ---- numbers --------------------------------------------------------------------------------------------------------


def test_a_number_that_can_be_two_is_not_used() -> None:
    assert counts(read('date,test,result,units\n2024-01-02,WBC,"4,500",/uL\n')) == []
    intake = read("Datum;Leukozyten [/µl]\n01.02.2024;4.500\n")
    assert counts(intake) == []
    assert "LK508" in codes(intake)


def test_the_rest_of_the_file_can_decide_it() -> None:
    intake = read("Datum;Leukozyten [/µl];Hb [g/dl]\n01.02.2024;4.500;13,9\n")
    assert [c[2:] for c in counts(intake)] == [("haemoglobin", 139.0), ("wbc", 4.5)]
    assert "LK540" in codes(intake)


def test_two_decimal_marks_in_one_file() -> None:
    intake = read("date;test;result;units\n2024-01-02;WBC;3,2;G/L\n2024-01-02;ANC;1.5;G/L\n2024-01-03;ANC;1.512;G/L\n")
    assert [c[2:] for c in counts(intake)] == [("neutrophils", 1.5), ("wbc", 3.2)]
    assert {"LK508", "LK509"} <= codes(intake)


def test_an_unquoted_decimal_comma_in_a_comma_file_does_not_make_two_values() -> None:
    intake = read("date,WBC (G/L),ANC (G/L)\n2024-01-02,3,2,1,1\n2024-01-03,4,2\n")
    assert counts(intake) == [("labs.csv", "2024-01-03", "neutrophils", 2.0), ("labs.csv", "2024-01-03", "wbc", 4.0)]
    assert "LK528" in codes(intake)


# ---- people ---------------------------------------------------------------------------------------------------------


def test_who_the_rows_are_of() -> None:
    text = "date,WBC (G/L)\n2024-05-03,3.2\n"
    assert [r.patient.id for r in read(text).records] == ["labs.csv"]
    assert "LK515" in codes(read(text))
    assert [r.patient.id for r in read(text, patient="P9").records] == ["P9"]
    assert "LK515" not in codes(read(text, patient="P9"))


def test_samples_of_a_work_list_that_name_nobody_are_not_put_together() -> None:
    intake = read("Patient ID,Sample ID,Date,WBC(10/uL)\n,S1,2024-05-03,806\n,S2,2024-05-03,320\n")
    assert counts(intake) == [("labs.csv#S1", "2024-05-03", "wbc", 8.06), ("labs.csv#S2", "2024-05-03", "wbc", 3.2)]
    assert "LK516" in codes(intake)


def test_birth_date_and_sex_come_from_the_rows_and_contradictions_are_not_believed() -> None:
    head = "patient,dob,sex,date,WBC (G/L)\n"
    (record,) = read(head + "P1,1961-02-01,weiblich,2024-05-03,3.2\nP1,1961-02-01,F,2024-05-04,3.1\n").records
    assert (record.patient.born, record.patient.sex) == (date(1961, 2, 1), "female")
    intake = read(head + "P1,1961-02-01,F,2024-05-03,3.2\nP1,1971-02-01,M,2024-05-04,3.1\n")
    assert (intake.records[0].patient.born, intake.records[0].patient.sex) == (None, None)
    assert "LK524" in codes(intake)
    assert not any("1961" in n.text or "1971" in n.text for n in intake.notices)
    assert read(head + "P1,01.02.61,F,2024-05-03,3.2\n").records[0].patient.born is None


# ---- what is left aside is said -------------------------------------------------------------------------------------


def test_rows_that_cannot_be_used_are_named() -> None:
    intake = read(
        "patient,date,test,result,units,status,comparator\n"
        "P1,2024-05-03,WBC,3.3,K/uL,entered in error,\n"
        "P1,2024-05-03,WBC,,K/uL,final,\n"
        "P1,2024-05-03,,3.3,K/uL,final,\n"
        "P1,2024-05-03,WBC,3.3,K/uL,final,ca.\n"
        "P1,2024-05-03,ANC,0.1,K/uL,preliminary,<\n"
    )
    (count,) = intake.records[0].counts
    assert (count.bound, count.value, count.status) == ("<", 0.1, "preliminary")
    assert {"LK518", "LK533", "LK514", "LK534"} <= codes(intake)


def test_unknown_columns_with_numbers_are_named() -> None:
    intake = read("date,Leukos ges.,WBC (G/L),hint\n2024-05-03,3.2,3.3,text\n")
    assert "Leukos ges." in notice(intake, "LK529")
    assert "hint" in notice(intake, "LK530")


def test_other_measurements_are_kept_as_signs() -> None:
    intake = read("date,test,result,units\n2024-05-03,CRP,12.5,mg/L\n2024-05-03,Comment,haemolysed,\n")
    assert [(s.name, s.value, s.unit, s.text) for s in intake.records[0].signs] == [
        ("CRP", 12.5, "mg/L", "12.5"),
        ("Comment", None, None, "haemolysed"),
    ]
    assert "LK517" in codes(intake)


def test_quotation_marks_that_do_not_pair_hide_no_row() -> None:
    intake = read(
        'patient,date,test,result,units\nP1,"2024-05-03,WBC,3.2,K/uL\nP1,2024-05-04,WBC,3.3,K/uL\n"P1",2024-05-05,WBC,"3.4",K/uL\n'
    )
    assert [c[1] for c in counts(intake)] == ["2024-05-03", "2024-05-04", "2024-05-05"]
    assert "LK503" in codes(intake)


def test_two_stray_quotation_marks_hide_no_row() -> None:
    rows = "".join(f"P1,2024-05-{day:02},WBC,3.{day},K/uL,\n" for day in range(1, 8))
    text = "patient,date,test,result,units,note\n" + rows.replace("3.2,K/uL,", '3.2,K/uL,"').replace(
        "3.5,K/uL,", '3.5,K/uL,"'
    )
    assert len(counts(read(text))) == 7


def test_a_header_without_rows_and_rows_without_a_header() -> None:
    assert "LK511" in codes(read("patient,date,test,result,units\n"))
    headless = read("P1,2024-05-03,WBC,3.2,10*9/L\nP1,2024-05-04,WBC,3.1,10*9/L\n")
    assert "LK501" in codes(headless)
    assert any(n.data_lost for n in headless.notices)


def test_an_empty_table_is_an_error_alone_and_a_notice_beside_others() -> None:
    with pytest.raises(UnreadableInput):
        read("")
    blobs = [Blob(name="a.csv", data=b" \n"), Blob(name="b.csv", data=LONG.encode())]
    intake = table.read(blobs, options=ReadOptions(), library=load_library())
    assert "LK500" in codes(intake)
    assert counts(intake) == EXPECTED


def test_many_alike_notices_are_summed_up_and_none_is_forgotten() -> None:
    rows = "".join(f"2024-05-03,WBC,3.{n % 10},parsec\n" for n in range(200))
    intake = read("date,test,result,units\n" + rows)
    lost = [n for n in intake.notices if n.data_lost]
    assert 1 < len(lost) < 40
    assert any("180 more" in n.text and "201" in n.text for n in lost)


# ---- other tables ---------------------------------------------------------------------------------------------------


def test_medicines() -> None:
    intake = read(
        "Medikament;Beginn;Ende;Dosis\nCarbimazol;01.02.2024;15.02.2024;10 mg\nMetamizol;;;1-0-1\n;01.02.2024;;\n"
    )
    first, second = intake.records[0].doses
    assert (first.drug, first.amount, first.unit, first.given) == ("Carbimazol", 10.0, "mg", False)
    assert first.start is not None
    assert first.end is not None
    assert (first.start.day, first.end.day) == (date(2024, 2, 1), date(2024, 2, 15))
    assert (second.amount, second.origin.value_text) == (None, "1-0-1")
    assert {"LK525", "LK526"} <= codes(intake)


def test_the_domains_of_a_trial_belong_together() -> None:
    blobs = [
        Blob(
            name="lb.csv",
            data=b"USUBJID,LBTESTCD,LBTEST,LBORRES,LBORRESU,LBORNRLO,LBORNRHI,LBSTRESN,LBSTRESU,LBSTAT,LBREASND,LBDTC\n"
            b"S-1,WBC,Leukocytes,3.2,THOU/uL,3.8,10.7,3.2,GI/L,,,2014-01-30T08:50\n"
            b"S-1,NEUT,Neutrophils,,,,,1.1,GI/L,,,2014-01-30T08:50\n"
            b"S-1,LYM,Lymphocytes,,,,,,,NOT DONE,CLOTTED,2014-01-30T08:50\n",
        ),
        Blob(name="dm.csv", data=b"USUBJID,BRTHDTC,AGE,SEX\nS-1,1950-12-26,63,F\n"),
        Blob(
            name="ex.csv", data=b"USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC,EXENDTC\nS-1,DRUG X,54,mg,2014-01-02,2014-01-16\n"
        ),
    ]
    intake = table.read(blobs, options=ReadOptions(), library=load_library())
    (record,) = intake.records
    assert (record.patient.id, record.patient.born, record.patient.sex) == ("S-1", date(1950, 12, 26), "female")
    assert counts(intake) == [("S-1", "2014-01-30", "neutrophils", 1.1), ("S-1", "2014-01-30", "wbc", 3.2)]
    assert record.counts[0].origin.codes[0].system == "cdisc:LBTESTCD"
    assert (record.doses[0].drug, record.doses[0].amount, record.doses[0].given) == ("DRUG X", 54.0, True)
    assert "NOT DONE CLOTTED" in notice(intake, "LK533")
    assert "LK536" in codes(intake)


def test_an_analysers_marks_flags_and_second_readings() -> None:
    intake = read(
        "Sample ID No,Analysis Date,WBC(10/uL),WBC/M,NEUT#(10/uL),NEUT#/M,NEUT#&(10/uL%),NEUT#&/M,WBC-C(10/uL),"
        "IP SUS(WBC)Blasts?,Qflag(Blasts?)\n"
        "S1,23/02/2024,320,-,110,*,109,,360,1,90\n"
    )
    assert [c[2:] for c in counts(intake)] == [("neutrophils", 1.1), ("wbc", 3.2)]
    flags = {c.analyte: c.flags for c in intake.records[0].counts}
    assert flags == {"wbc": ("-", "IP SUS(WBC)Blasts?"), "neutrophils": ("*", "IP SUS(WBC)Blasts?")}
    assert "LK531" in codes(intake)


def test_granulocytes_are_no_neutrophils() -> None:
    intake = read("Patient no.;Date;GRA#;;WBC;\n44;3/3/2024 11:51 a.m.;0,48;10^3/mm3;2,00;10^3/mm3\n")
    assert [c[2:] for c in counts(intake)] == [("granulocytes", 0.48), ("wbc", 2.0)]


# ---- recognising ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "claimed"),
    [
        ("labs.csv", LONG.encode(), True),
        ("labs", LONG.encode(), True),
        ("labs.txt", LONG.replace(",", "\t").encode("utf-16"), True),
        ("x.csv", b'{"resourceType": "Bundle"}', False),
        ("x.txt", b"MSH|^~\\&|A|B\rPID|1||P1\r", False),
        ("x.txt", b"\xef\xbb\xbfH|^~\\&|||||\rOBR|1\r", False),
        ("x.csv", bytes(range(256)) * 20, False),
        ("x.csv", b"", False),
        ("x.xml", b"<?xml version='1.0'?><a,b>", False),
        ("letter.txt", b"Dear colleague\nthank you for sending the patient\n", False),
        ("x.zip", b"PK\x03\x04 damaged", False),
    ],
)
def test_what_is_claimed(name: str, data: bytes, claimed: bool) -> None:
    assert table.claims(Blob(name=name, data=data)) is claimed


def test_every_notice_used_is_explained() -> None:
    known = load_library().notices
    assert {f"LK{n}" for n in range(500, 548)} == {code for code in known if code.startswith("LK5")}


def test_a_laboratorys_own_code_is_a_name_where_no_other_is_given() -> None:
    intake = read("Datum;Kürzel;Ergebnis;Einheit\n03.05.2024;NEUT#;1,1;G/l\n03.05.2024;CRP;5,0;mg/l\n")
    assert [c[2:] for c in counts(intake)] == [("neutrophils", 1.1)]
    assert [s.name for s in intake.records[0].signs] == ["CRP"]


def test_two_files_that_name_nobody_are_not_put_together() -> None:
    blobs = [Blob(name=f"{folder}/labs.csv", data=b"date,WBC (G/L)\n2024-05-03,3.2\n") for folder in "ab"]
    intake = table.read(blobs, options=ReadOptions(), library=load_library())
    assert [r.patient.id for r in intake.records] == ["a/labs.csv", "b/labs.csv"]


@pytest.mark.parametrize(("label", "dated"), [("Collected", True), ("Collection date", True), ("Date", False)])
def test_a_date_above_the_table_counts_only_where_it_is_the_collection(label: str, dated: bool) -> None:
    intake = read(f"{label}: 2024-05-03\n\nTest,Result,Units\nWBC,3.2,G/L\n")
    (count,) = intake.records[0].counts
    assert (count.taken is not None) is dated
    assert ("LK512" in codes(intake)) is not dated


def test_no_cell_of_a_file_is_lost_without_a_word() -> None:
    """Every number of a table that holds no known column is told; so is a table of which nothing is known."""
    intake = read("alpha,beta\n1,2\n3,4\n")
    assert [n.data_lost for n in intake.notices if n.code == "LK501"] == [True]


def test_a_second_table_is_read_by_its_own_header() -> None:
    intake = read(
        "date;WBC (G/L);ANC (G/L)\n2024-05-03;3,2;1,1\ndate;WBC (G/L);ANC (G/L)\n2024-05-04;3,3;1,2\n"
        "date;ANC (G/L);WBC (G/L)\n2024-05-05;1,3;3,4\n"
    )
    assert [c[1:] for c in counts(intake)] == [
        ("2024-05-03", "neutrophils", 1.1),
        ("2024-05-03", "wbc", 3.2),
        ("2024-05-04", "neutrophils", 1.2),
        ("2024-05-04", "wbc", 3.3),
        ("2024-05-05", "neutrophils", 1.3),
        ("2024-05-05", "wbc", 3.4),
    ]
    assert {"LK541", "LK542"} <= codes(intake)


def test_sections_of_a_transposed_table_are_no_tables() -> None:
    intake = read(
        "Blutbild;Einheit;01.02.2024;05.02.2024\nLeukozyten;G/l;3,2;1,1\nDifferentialblutbild;Einheit;;\n"
        "Neutrophile;%;45,0;40,0\nParameter;Einheit;09.02.2024;11.02.2024\nLeukozyten;G/l;1,2;1,3\n"
    )
    assert [c[1] for c in counts(intake) if c[2] == "wbc"] == ["2024-02-01", "2024-02-05", "2024-02-09", "2024-02-11"]
    assert [c[1] for c in counts(intake) if c[2] == "neutrophils_percent"] == ["2024-02-01", "2024-02-05"]


def test_a_header_of_two_rows() -> None:
    intake = read("Blutbild;;\n;Leukozyten;Hb\nDatum;G/l;g/dl\n01.02.2024;3,2;13,2\n")
    assert [c[1:] for c in counts(intake)] == [("2024-02-01", "haemoglobin", 132.0), ("2024-02-01", "wbc", 3.2)]


def test_rows_with_another_separator_are_told() -> None:
    intake = read("date;WBC (G/L)\n2024-01-02,3.2\n2024-01-03;3.3\n")
    assert [c[3] for c in counts(intake)] == [3.3]
    assert [n.data_lost for n in intake.notices if n.code == "LK543"] == [True]


def test_results_above_the_header_are_told() -> None:
    intake = read("WBC;3,2\n\nDatum;Parameter;Ergebnis;Einheit\n01.02.2024;ANC;1,2;G/l\n")
    assert [n.data_lost for n in intake.notices if n.code == "LK544"] == [True]
