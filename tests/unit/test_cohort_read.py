"""Reading a cohort: every format, people spread over files, and whatever is broken among them."""

from __future__ import annotations

import gzip
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from leuko.cohort.read import Frames, read_source
from leuko.errors import UnreadableInput, UsageError
from leuko.intake import ReadOptions

LONG = "person_id,test,value,unit,collected\n"


def read(*paths: Path, **options: Any) -> Frames:
    """Everything as one batch."""
    parts = list(read_source(paths, batch_people=1_000_000, **options))
    assert len(parts) == 1
    return parts[0]


def results(frames: Frames, *columns: str) -> list[tuple[Any, ...]]:
    return frames.results.select(columns or ("person", "analyte", "value", "bound")).rows()


def codes(frames: Frames) -> list[str]:
    return sorted(frames.notices.filter(pl.col("severity") != "info")["code"])


def accounted(frames: Frames) -> bool:
    """Every row that was read is a result, or set aside by a notice."""
    return frames.rows == frames.results.height + frames.notices["rows"].fill_null(0).sum()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


# ---- long tables -----------------------------------------------------------------------------------------------------


def test_a_long_table_of_mixed_units(tmp_path: Path) -> None:
    path = write(
        tmp_path / "labs.csv",
        LONG
        + "A,WBC,3.2,10*9/L,2024-05-03T08:15\n"
        + "A,Neutrophils,1500,/uL,2024-05-03\n"
        + "B,Neutrophils %,45.0,%,2024-05-04\n"
        + "B,ANC,<0.1,K/uL,2024-05-04\n"
        + "B,Glucose,5.1,mmol/L,2024-05-04\n",
    )
    found = read(path)
    assert results(found) == [
        ("A", "neutrophils", 1.5, "="),
        ("A", "wbc", 3.2, "="),
        ("B", "neutrophils", 0.1, "<"),
        ("B", "neutrophils_percent", 45.0, "="),
    ]
    assert found.results.filter(pl.col("analyte") == "wbc")["taken"].item() == datetime(2024, 5, 3, 8, 15, tzinfo=UTC)
    assert dict(found.results.select("analyte", "has_time").rows())["wbc"] is True
    # 1500 cells per microlitre were printed to the cell: three decimals of 10*9/L
    assert results(found, "digits")[0] == (3,)
    assert found.notices.filter(pl.col("code") == "LK700")["rows"].to_list() == [1]
    assert accounted(found)


def test_values_that_cannot_be_believed_are_set_aside_and_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "labs.csv",
        LONG
        + "A,ANC,1500,10*9/L,2024-05-03\n"  # a thousand times too large
        + "A,WBC,4.1,,2024-05-03\n"  # no unit
        + "A,WBC,-1,10*9/L,2024-05-03\n"
        + "A,WBC,haemolysed,10*9/L,2024-05-03\n"
        + "A,WBC,,10*9/L,2024-05-03\n"
        + "A,,4.1,10*9/L,2024-05-03\n"
        + "A,WBC,4.1,10*9/L,2024-05-03\n",
    )
    found = read(path)
    assert results(found) == [("A", "wbc", 4.1, "=")]
    assert codes(found) == ["LK201", "LK205", "LK212", "LK214", "LK215", "LK514"]
    lost = found.notices.filter(pl.col("lost"))
    assert sorted(lost["row"]) == [1, 2, 3, 4, 6]
    assert accounted(found)


def test_a_unit_that_the_caller_names_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "labs.csv", LONG + "A,WBC,4100,,2024-05-03\n")
    found = read(path, options=ReadOptions(units={"wbc": "/uL"}))
    assert results(found) == [("A", "wbc", 4.1, "=")]


def test_five_formats_of_dates_in_one_column(tmp_path: Path) -> None:
    days = ["2024-05-03", "20240504", "5.5.2024", "6 May 2024", "2024/05/07 08:30", "31/02/2024", "2024-05", ""]
    rows = "".join(f"A,WBC,{i + 1}.5,10*9/L,{day}\n" for i, day in enumerate(days))
    found = read(write(tmp_path / "labs.csv", LONG + rows))
    taken = dict(found.results.select("row", pl.col("taken").dt.date()).rows())
    assert [taken[row] for row in range(1, 9)] == [*(date(2024, 5, d) for d in range(3, 8)), None, None, None]
    assert codes(found) == ["LK506", "LK507", "LK703"]
    assert accounted(found)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Auckland", "America/New_York"])
def test_a_day_without_a_time_is_that_day_in_every_zone(tmp_path: Path, zone: str) -> None:
    options = ReadOptions(zone=ZoneInfo(zone))
    days = [date(2024, 5, 3), date(2024, 11, 3)]
    rows = "".join(f"A,WBC,4.{at},10*9/L,{day}\n" for at, day in enumerate(days))
    table = write(tmp_path / "labs.csv", LONG + rows)
    typed = tmp_path / "labs.parquet"
    pl.read_csv(table).with_columns(pl.col("collected").str.to_date()).write_parquet(typed)
    observations = [
        {
            "resourceType": "Observation", "id": str(day), "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "6690-2"}]},
            "subject": {"reference": "Patient/A"}, "effectiveDateTime": str(day),
            "valueQuantity": {"value": 4.1, "unit": "10*9/L"},
        }
        for day in days
    ]  # fmt: skip
    bulk = write(tmp_path / "bulk.ndjson", "".join(json.dumps(one) + "\n" for one in observations))
    for path in (table, typed, bulk):
        found = read(path, options=options).results
        assert found["has_time"].any() is False
        assert sorted(found["taken"].dt.date()) == days, path.name


def test_a_birthday_is_that_day_in_every_zone(tmp_path: Path) -> None:
    dm = write(tmp_path / "dm.csv", "STUDYID,DOMAIN,USUBJID,RFSTDTC,BRTHDTC,SEX\nS,DM,A,2024-05-03,1980-02-29,F\n")
    found = read(dm, options=ReadOptions(zone=ZoneInfo("Europe/Berlin"))).people
    assert found.select("born", "start").rows() == [(date(1980, 2, 29), date(2024, 5, 3))]


def test_a_date_that_could_be_two_days_places_nothing(tmp_path: Path) -> None:
    found = read(write(tmp_path / "labs.csv", LONG + "A,WBC,4.1,10*9/L,03/04/2024\n"))
    assert found.results["taken"].to_list() == [None]
    assert codes(found) == ["LK505"]


def test_mixed_encodings_and_decimal_commas(tmp_path: Path) -> None:
    text = "Patient;Untersuchung;Ergebnis;Einheit;Entnahme\nMüller;Leukozyten;3,2;/µl;03.05.2024\n"
    text = text.replace("3,2;/µl", "3,2;G/l") + "Jäger;Leukozyten;4100;/µl;04.05.2024\n"
    lines = text.encode("cp1252").split(b"\n")
    lines[1] = text.split("\n")[1].encode("utf-8")  # one row in another encoding
    path = tmp_path / "export.csv"
    path.write_bytes(b"\n".join(lines))
    found = read(path)
    assert results(found) == [("Jäger", "wbc", 4.1, "="), ("Müller", "wbc", 3.2, "=")]
    assert "LK502" in found.notices["code"].to_list()


def test_values_that_could_be_two_numbers_are_not_used(tmp_path: Path) -> None:
    text = "Patient;Untersuchung;Ergebnis;Einheit;Entnahme\n1;Leukozyten;4.100;/µl;03.05.2024\n"
    found = read(write(tmp_path / "export.csv", text))
    assert found.results.height == 0
    assert codes(found) == ["LK508"]
    assert accounted(found)


def test_wide_tables(tmp_path: Path) -> None:
    text = "patient,date,WBC (10^9/L),NEUT% (%),sex\nA,2024-05-03,3.2,45,F\nB,2024-05-04,,50,M\n"
    found = read(write(tmp_path / "wide.csv", text))
    assert results(found, "person", "analyte", "value", "draw") == [
        ("A", "neutrophils_percent", 45.0, "wide.csv:1"),
        ("A", "wbc", 3.2, "wide.csv:1"),
        ("B", "neutrophils_percent", 50.0, "wide.csv:2"),
    ]
    assert found.people.select("person", "sex").rows() == [("A", "female"), ("B", "male")]
    assert accounted(found)


def test_a_column_map_says_what_headers_do_not(tmp_path: Path) -> None:
    table = write(tmp_path / "odd.csv", "who,what,how much,when\n7,Leukos gesamt,3200,2024-05-03\n")
    map_ = '[columns]\npatient="who"\nanalyte="what"\nvalue="how much"\ndate="when"\n'
    map_ += '[analytes]\n"Leukos gesamt"="wbc"\n[units]\nwbc="/uL"\n'
    found = read(table, options=ReadOptions(columns=write(tmp_path / "map.toml", map_)))
    assert results(found) == [("7", "wbc", 3.2, "=")]


def test_parquet_keeps_whole_number_ids(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "person_id": [2, 1, 1],
            "test": ["WBC", "WBC", "ANC"],
            "value": [4.1, 3000.0, 1.25],
            "unit": ["10*9/L", "/uL", "K/uL"],
            "collected": [datetime(2024, 5, 3, 8, tzinfo=UTC), *(datetime(2024, 5, 4, h, tzinfo=UTC) for h in (0, 9))],
        }
    )
    frame.write_parquet(tmp_path / "labs.parquet")
    found = read(tmp_path / "labs.parquet")
    assert found.results.schema["person"] == pl.Int64
    assert results(found) == [(1, "wbc", 3.0, "="), (1, "neutrophils", 1.25, "="), (2, "wbc", 4.1, "=")]


def test_every_whole_count_per_microlitre_is_exact(tmp_path: Path) -> None:
    cells = list(range(30, 12_000))
    frame = pl.DataFrame({"person_id": cells, "value": cells}).with_columns(
        test=pl.lit("ANC"), unit=pl.lit("/uL"), collected=pl.lit(date(2024, 5, 3))
    )
    frame.write_parquet(tmp_path / "whole.parquet")
    frame.with_columns(pl.col("value").cast(pl.Float64)).write_parquet(tmp_path / "float.parquet")
    frame.write_csv(tmp_path / "text.csv")
    for name in ("whole.parquet", "float.parquet", "text.csv"):
        found = read(tmp_path / name).results.filter(pl.col("bound") == "=").sort("row")
        assert found["value"].to_list() == [n / 1000 for n in cells], name
        assert set(found["digits"]) == {3}, name


def test_what_lies_in_an_odd_way_is_read_as_for_one_person(tmp_path: Path) -> None:
    text = "Patient;4711\n\nAnalyt;Einheit;03.05.2024;04.05.2024\nLeukozyten;G/l;3,2;3,4\nThrombozyten;G/l;210;220\n"
    write(tmp_path / "befund.csv", text)
    found = read(tmp_path / "befund.csv")
    assert results(found) == [
        ("4711", "platelets", 210.0, "="),
        ("4711", "wbc", 3.2, "="),
        ("4711", "platelets", 220.0, "="),
        ("4711", "wbc", 3.4, "="),
    ]


def test_an_archive_of_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("a.csv", LONG + "A,WBC,3.2,10*9/L,2024-05-03\n")
        archive.writestr("b.csv", LONG + "A,WBC,3.3,10*9/L,2024-05-04\n")
    found = read(tmp_path / "export.zip")
    assert results(found, "value", "file") == [(3.2, "export.zip!a.csv"), (3.3, "export.zip!b.csv")]


def test_medicines_and_people_stand_in_tables_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "labs.csv", LONG + "A,WBC,3.2,10*9/L,2024-05-03\n")
    write(
        tmp_path / "drugs.csv",
        "patient,drug,start,stop\nA,Docetaxel,2024-05-01,2024-05-01\nA,Wunderkraut,2024-05-01,\n",
    )
    write(tmp_path / "people.csv", "patient,sex,birth date\nA,female,1960-02-03\nB,male,1970\n")
    found = read(tmp_path)
    drugs = found.treatments.select("person", "drug", "cytotoxic").rows()
    assert drugs == [("A", "docetaxel", True), ("A", None, None)]
    assert found.people.select("person", "born", "born_precision", "sex").rows() == [
        ("A", date(1960, 2, 3), "day", "female"),
        ("B", date(1970, 1, 1), "year", "male"),
    ]
    assert "Wunderkraut" in found.notices.filter(pl.col("code") == "LK708")["text"].item()


def test_a_date_of_a_medicine_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    write(tmp_path / "ex.csv", "DOMAIN,USUBJID,EXTRT,EXSTDTC,EXENDTC\nEX,A,Docetaxel,soon,\nEX,A,Docetaxel,2024-05,\n")
    found = read(tmp_path)
    assert found.treatments["start"].to_list() == [None, None]
    assert codes(found) == ["LK506", "LK703"]


def test_people_whose_sources_contradict_each_other_have_no_sex(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "patient,sex\nA,female\n")
    write(tmp_path / "b.csv", "patient,sex\nA,male\n")
    write(tmp_path / "labs.csv", LONG + "A,WBC,3.2,10*9/L,2024-05-03\n")
    found = read(tmp_path)
    assert found.people.select("person", "sex").rows() == [("A", None)]
    assert "LK524" in found.notices["code"].to_list()


# ---- many files, and broken ones among them --------------------------------------------------------------------------


def test_a_broken_file_in_the_middle_stops_nothing(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / "in" / f"{number:03}.csv", LONG + f"P{number % 7},WBC,{number + 1}.5,10*9/L,2024-05-03\n")
    (tmp_path / "in" / "014.csv.gz").write_bytes(gzip.compress((LONG * 900).encode())[:60])
    (tmp_path / "in" / "015.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    (tmp_path / "in" / "016.pdf").write_bytes(b"%PDF-1.7 \x00\x01")
    (tmp_path / "in" / "017.csv").write_bytes(b"")
    write(tmp_path / "in" / "018b.csv", "colour,shape\nred,round\n")
    found = read(tmp_path / "in")
    assert found.results.height == 29  # 017 is empty
    told = {row["file"]: row["code"] for row in found.notices.filter(pl.col("severity") == "error").to_dicts()}
    assert told == {
        "in/014.csv.gz": "LK702",
        "in/015.parquet": "LK702",
        "in/016.pdf": "LK706",
        "in/017.csv": "LK103",
        "in/018b.csv": "LK501",
    }
    assert found.notices.filter(pl.col("severity") == "error")["lost"].all()
    assert found.results["person"].n_unique() == 7
    assert accounted(found)


def test_damage_inside_a_file_is_told_with_the_rest_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"person_id": range(5000), "value": [1 + n % 97 / 10 for n in range(5000)]})
    frame = frame.with_columns(test=pl.lit("WBC"), unit=pl.lit("G/L"), collected=pl.lit(date(2024, 5, 3)))
    for name in ("a", "b", "c"):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    data = bytearray((tmp_path / "b.parquet").read_bytes())
    data[200 : len(data) // 2] = bytes(len(data) // 2 - 200)
    (tmp_path / "b.parquet").write_bytes(data)
    found = read(tmp_path)
    assert found.results.height == 10_000
    assert found.notices.filter(pl.col("lost")).select("code", "file").rows() == [
        ("LK702", f"{tmp_path.name}/b.parquet")
    ]


def test_ragged_rows_and_stray_quotes_lose_nothing(tmp_path: Path) -> None:
    text = LONG + 'A,WBC,3.2,10*9/L,2024-05-03\nB,"WBC,3.1,10*9/L,2024-05-03\nC,WBC,3.0,10*9/L,2024-05-03\nD,WBC\n'
    found = read(write(tmp_path / "labs.csv", text))
    assert {person for person, *_ in results(found)} >= {"A", "C"}
    assert "LK503" in found.notices["code"].to_list()
    assert accounted(found)


def test_rows_without_a_person_are_told(tmp_path: Path) -> None:
    frame = pl.DataFrame({"person_id": [1, None], "test": ["WBC"] * 2, "value": [4.1, 4.2], "unit": ["G/L"] * 2})
    frame.with_columns(collected=pl.lit(date(2024, 5, 3))).write_parquet(tmp_path / "labs.parquet")
    found = read(tmp_path / "labs.parquet")
    assert results(found) == [(1, "wbc", 4.1, "=")]
    assert codes(found) == ["LK701"]
    assert accounted(found)


def test_batches_hold_whole_people_whatever_the_order_of_files(tmp_path: Path) -> None:
    for number in range(6):
        rows = "".join(f"P{p:02},WBC,{number + 1}.{p},10*9/L,2024-05-{number + 1:02}\n" for p in range(10))
        write(tmp_path / f"{number}.csv", LONG + rows)
    files = sorted(tmp_path.glob("*.csv"))
    one = list(read_source(files, batch_people=3))
    other = list(read_source(list(reversed(files)), batch_people=3))
    assert [batch.results["person"].n_unique() for batch in one] == [3, 3, 3, 1]
    assert all(left.results.equals(right.results) for left, right in zip(one, other, strict=True))
    assert pl.concat(batch.results for batch in one).equals(read(*files).results)


@pytest.mark.parametrize("whole_numbers", [True, False])
def test_batches_are_the_same_by_way_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_numbers: bool
) -> None:
    frame = pl.DataFrame({"person_id": [n % 40 for n in range(400)], "value": [1.0 + n % 9 for n in range(400)]})
    if not whole_numbers:
        frame = frame.with_columns(pl.format("P{}", "person_id").alias("person_id"))
    frame = frame.with_columns(test=pl.lit("WBC"), unit=pl.lit("G/L"), collected=pl.lit(date(2024, 5, 3)))
    frame.write_parquet(tmp_path / "labs.parquet")
    in_memory = read(tmp_path / "labs.parquet")
    monkeypatch.setattr("leuko.cohort.read.gather.IN_MEMORY", 10)
    parts = list(read_source([tmp_path / "labs.parquet"], batch_people=3))
    people = [set(part.results["person"]) for part in parts]
    assert all(len(some) <= 3 for some in people)
    assert sum(map(len, people)) == 40
    assert sum(part.rows for part in parts) == 400
    together = pl.concat(part.results for part in parts).sort("person", "row")
    assert together.equals(in_memory.results.sort("person", "row"))


def test_people_in_order_are_not_brought_together_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"person_id": [n // 10 for n in range(400)], "value": [1.0 + n % 9 for n in range(400)]})
    frame = frame.with_columns(test=pl.lit("WBC"), unit=pl.lit("G/L"), collected=pl.lit(date(2024, 5, 3)))
    frame[:205].write_parquet(tmp_path / "a.parquet")  # person 20 stands in both
    frame[205:].write_parquet(tmp_path / "b.parquet")
    monkeypatch.setattr("leuko.cohort.read.opened.CHUNK", 37)
    monkeypatch.setattr("leuko.cohort.read.batches", None)  # not the way through memory or disk
    parts = list(read_source([tmp_path], batch_people=4))
    people = [set(part.results["person"]) for part in parts]
    assert all(len(some) <= 4 for some in people)
    assert sum(map(len, people)) == 40
    assert sum(part.rows for part in parts) == 400
    assert pl.concat(part.results for part in parts).height == 400


def test_people_named_by_text_in_order_are_not_brought_together_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"person_id": [f"P{n // 10:03d}" for n in range(400)], "value": [3.0] * 400})
    frame = frame.with_columns(test=pl.lit("WBC"), unit=pl.lit("G/L"), collected=pl.lit(date(2024, 5, 3)))
    frame.write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr("leuko.cohort.read.opened.CHUNK", 37)
    monkeypatch.setattr("leuko.cohort.read.batches", None)
    people = [set(part.results["person"]) for part in read_source([tmp_path], batch_people=4)]
    assert sum(map(len, people)) == len(set().union(*people)) == 40


def test_whole_numbers_that_are_read_as_text_have_the_order_of_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pl.DataFrame({"person_id": [n // 10 for n in range(400)], "value": [3.0] * 400})
    frame = frame.with_columns(test=pl.lit("WBC"), unit=pl.lit("G/L"), collected=pl.lit(date(2024, 5, 3)))
    frame.write_parquet(tmp_path / "a.parquet")
    write(tmp_path / "b.csv", "person_id,drug,start,stop\n9,Cyclophosphamide,2024-05-01,2024-05-01\n")
    monkeypatch.setattr("leuko.cohort.read.opened.CHUNK", 37)
    parts = list(read_source([tmp_path], batch_people=4))
    assert sum(part.treatments.height for part in parts) == 1
    assert parts[0].results["person"].dtype == pl.String
    people = [set(part.results["person"]) for part in parts]
    assert sum(map(len, people)) == len(set().union(*people)) == 40  # nobody stands in two batches


def test_rows_that_must_be_asked_for_stay_in_their_places(tmp_path: Path) -> None:
    values = ["3.2", "<0.5", "4.1", "nonsense", "2500", "5.0"]
    rows = "".join(f"A,WBC,{value},10*9/L,2024-05-{day:02d}\n" for day, value in enumerate(values, start=1))
    found = read(write(tmp_path / "labs.csv", LONG + rows))
    assert found.results["row"].to_list() == sorted(found.results["row"])
    kept = found.results.select(pl.col("value"), pl.col("bound").cast(pl.String)).rows()
    assert kept[:3] == [(3.2, "="), (0.5, "<"), (4.1, "=")]
    assert kept[-1] == (5.0, "=")
    assert accounted(found)


def test_a_manifest_names_the_files(tmp_path: Path) -> None:
    write(tmp_path / "data" / "a.csv", LONG + "A,WBC,3.2,10*9/L,2024-05-03\n")
    write(tmp_path / "data" / "b.csv", LONG + "B,WBC,3.3,10*9/L,2024-05-03\n")
    write(tmp_path / "data" / "c.csv", LONG + "C,WBC,3.4,10*9/L,2024-05-03\n")
    by_text = write(tmp_path / "files.txt", "data/a.csv\ndata/b.csv\n")
    by_toml = write(tmp_path / "cohort.toml", 'files = ["data/a.csv", "data/c.csv", "data/gone.csv"]\n')
    assert [person for person, *_ in results(read(by_text))] == ["A", "B"]
    found = read(by_toml)
    assert [person for person, *_ in results(found)] == ["A", "C"]
    assert codes(found) == ["LK101"]


def test_nothing_named_and_nothing_readable(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source"):
        list(read_source([]))
    with pytest.raises(UnreadableInput, match="no such file"):
        list(read_source([tmp_path / "gone.csv"]))


# ---- OMOP ------------------------------------------------------------------------------------------------------------

MEASUREMENT = (
    "measurement_id,person_id,measurement_concept_id,measurement_date,measurement_datetime,operator_concept_id,"
    "value_as_number,unit_concept_id,range_low,range_high,measurement_source_value,unit_source_value,value_source_value\n"
)
PERSON = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth\n7,8532,1960,2,3\n8,8507,1970,,\n"
OMOP_ROWS = (
    "1,7,3000905,2024-05-03,2024-05-03 08:15:00,,3.2,8848,4.0,11.0,WBC,,3.2\n"  # thousand per microlitre
    "2,7,3013650,2024-05-03,2024-05-03 00:00:00,0,1500,8784,,,ANC,,1500\n"  # cells per microlitre
    "3,7,3013650,2024-05-04,,4171756,0.1,9444,,,ANC,,\n"  # < 0.1
    "4,7,3013650,2024-05-05,,,0.1,9444,,,ANC,,<0.1\n"  # the bound only in the source's text
    "5,8,3013650,2024-05-05,,,2.5,0,,,ANC,10*9/L,2.5\n"  # the unit only in the source's text
    "6,8,3013650,2024-05-06,,,2.5,0,,,ANC,,2.5\n"  # no unit at all
    "7,8,3013650,2024-05-06,,999,2.5,9444,,,ANC,,2.5\n"  # an unknown operator
    "8,8,0,2024-05-07,,,4.4,0,,,6690-2,K/uL,4.4\n"  # the code only in the source's text
    "9,8,3013650,2024-05-08,,,1500,8848,,,ANC,,1500\n"  # the wrong family of units
    "10,8,3004501,2024-05-08,,,99,8840,,,GLU,mg/dL,99\n"
    "11,,3000905,2024-05-08,,,4.4,8848,,,WBC,,4.4\n"
    "12,8,3020891,2024-05-08,2024-05-08 09:00:00,,38.4,8653,,,TEMP,,38.4\n"
)


def omop(folder: Path) -> Path:
    write(folder / "MEASUREMENT.csv", MEASUREMENT + OMOP_ROWS)
    write(folder / "PERSON.csv", PERSON)
    write(
        folder / "OBSERVATION_PERIOD.csv",
        "observation_period_id,person_id,observation_period_start_date,observation_period_end_date,period_type_concept_id\n"
        "1,7,2024-01-01,2024-12-31,0\n",
    )
    write(
        folder / "DRUG_EXPOSURE.csv",
        "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_type_concept_id,drug_source_value\n"
        "1,7,0,2024-05-01,32818,docetaxel\n2,7,0,2024-05-01,32869,docetaxel\n",
    )
    write(
        folder / "CONDITION_OCCURRENCE.csv",
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value\n"
        "1,7,0,2024-05-09,febrile neutropenia\n",
    )
    write(
        folder / "VISIT_OCCURRENCE.csv",
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n1,7,9201,2024-05-09,2024-05-12\n",
    )
    write(folder / "CARE_SITE.csv", "care_site_id,care_site_name,place_of_service_concept_id\n1,Ward,0\n")
    return folder


def expected_of_omop(found: Frames) -> None:
    assert found.results.schema["person"] == pl.Int64
    assert results(found, "person", "analyte", "value", "bound", "has_time") == [
        (7, "neutrophils", 1.5, "=", False),
        (7, "wbc", 3.2, "=", True),
        (7, "neutrophils", 0.1, "<", False),
        (7, "neutrophils", 0.1, "<", False),
        (8, "neutrophils", 2.5, "=", False),
        (8, "wbc", 4.4, "=", False),
    ]
    assert found.results.filter(pl.col("analyte") == "wbc")["low"].to_list() == [4.0, None]
    assert codes(found) == ["LK201", "LK205", "LK534", "LK701"]
    assert found.signs.select("name", "value", "unit").rows() == [("body temperature", 38.4, "Cel")]
    assert found.people.select("person", "born", "born_precision", "sex", "start").rows() == [
        (7, date(1960, 2, 3), "day", "female", date(2024, 1, 1)),
        (8, date(1970, 1, 1), "year", "male", None),
    ]
    assert sorted(found.treatments.select("drug", "given", "cytotoxic").rows()) == [
        ("docetaxel", False, True),
        ("docetaxel", True, True),
    ]
    assert sorted(found.facts.select("kind", "name").rows()) == [
        ("condition", "febrile neutropenia"),
        ("visit", "inpatient"),
    ]
    assert accounted(found)


def test_omop_from_csv(tmp_path: Path) -> None:
    expected_of_omop(read(omop(tmp_path / "cdm")))


def typed_omop(folder: Path) -> dict[str, pl.DataFrame]:
    tables = {}
    for file in sorted(omop(folder).glob("*.csv")):
        frame = pl.read_csv(file, try_parse_dates=True, infer_schema_length=None)
        tables[file.stem.lower()] = frame
    return tables


def test_omop_from_parquet(tmp_path: Path) -> None:
    for name, frame in typed_omop(tmp_path / "csv").items():
        (tmp_path / "cdm").mkdir(exist_ok=True)
        frame.write_parquet(tmp_path / "cdm" / f"{name}.parquet")
    expected_of_omop(read(tmp_path / "cdm"))


def test_omop_from_a_duckdb_file(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra")
    omop(tmp_path / "csv")
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as connection:
        for file in sorted((tmp_path / "csv").glob("*.csv")):
            connection.execute(f"CREATE TABLE {file.stem.lower()} AS SELECT * FROM read_csv('{file}')")  # noqa: S608
    expected_of_omop(read(tmp_path / "cdm.duckdb"))


def test_the_rows_of_a_database_have_the_same_numbers_in_every_order(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is an extra")
    omop(tmp_path / "csv")
    found = []
    for number, order in enumerate(("", "ORDER BY hash(measurement_id)", "ORDER BY value_as_number DESC")):
        path = tmp_path / str(number) / "cdm.duckdb"
        path.parent.mkdir()
        with duckdb.connect(str(path)) as connection:
            source = tmp_path / "csv" / "MEASUREMENT.csv"
            connection.execute(f"CREATE TABLE measurement AS SELECT * FROM read_csv('{source}') {order}")  # noqa: S608
        frames = read(path)
        found.append((frames.results, frames.notices.sort(frames.notices.columns)))
    assert all(one.equals(other) for number in (1, 2) for one, other in zip(found[0], found[number], strict=True))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A PostgreSQL server of our own, where its programs are installed; its port."""
    pytest.importorskip("adbc_driver_postgresql", reason="its driver is an extra")
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="leuko-pg-"))
    who: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            entry = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL cannot run as root, and there is no user postgres")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        who = {"user": entry.pw_uid, "group": entry.pw_gid}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(folder / "data")
    who |= {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(["initdb", "-D", data, "-U", "leuko", "-A", "trust"], check=True, **who)
    start = [
        "pg_ctl",
        "-D",
        data,
        "-w",
        "-l",
        str(folder / "log"),
        "-o",
        f"-p {port} -k {folder} -h 127.0.0.1",
        "start",
    ]
    subprocess.run(start, check=True, **who)
    yield port
    subprocess.run(["pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, **who)
    shutil.rmtree(folder)


def test_omop_from_postgresql(tmp_path: Path, server: int) -> None:
    statements = ["CREATE SCHEMA cdm;"]
    for name, frame in typed_omop(tmp_path / "csv").items():
        kinds = {pl.Int64: "integer", pl.Float64: "numeric", pl.Date: "date", pl.Datetime: "timestamp"}
        columns = ", ".join(f"{column} {kinds.get(kind.base_type(), 'text')}" for column, kind in frame.schema.items())
        statements.append(f"CREATE TABLE cdm.{name} ({columns});")
        statements.append(f"COPY cdm.{name} FROM STDIN (FORMAT csv);\n{frame.write_csv(include_header=False)}\\.\n")
    psql = ["psql", "-h", "127.0.0.1", "-p", str(server), "-U", "leuko", "-d", "postgres", "-v", "ON_ERROR_STOP=1"]
    subprocess.run(psql, input="\n".join(statements), text=True, check=True, capture_output=True)
    url = f"postgresql://leuko@127.0.0.1:{server}/postgres"
    (found,) = read_source([f"{url}?schema=cdm"], batch_people=1000)
    expected_of_omop(found)
    assert set(found.results["file"]) == {"postgresql://127.0.0.1/postgres!measurement"}


def test_a_database_that_does_not_answer_is_told() -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="its driver is an extra")
    with pytest.raises(UnreadableInput, match="cannot be read") as error:
        list(read_source(["postgresql://leuko:secret@127.0.0.1:1/postgres"]))
    assert "secret" not in str(error.value)


def test_the_vocabulary_of_the_source_names_what_leuko_does_not_know(tmp_path: Path) -> None:
    write(tmp_path / "measurement.csv", MEASUREMENT + "1,7,99001,2024-05-03,,,3.2,99002,,,,,\n")
    write(
        tmp_path / "concept.csv",
        "concept_id,concept_name,domain_id,vocabulary_id,concept_code\n"
        "99001,Leukocytes,Measurement,LOINC,6690-2\n99002,thousand per microliter,Unit,UCUM,10*3/uL\n",
    )
    assert results(read(tmp_path)) == [(7, "wbc", 3.2, "=")]


def test_the_ancestry_of_conditions_is_read_where_it_is_there(tmp_path: Path) -> None:
    write(tmp_path / "measurement.csv", MEASUREMENT + "1,7,3000905,2024-05-03,,,3.2,8848,,,,,\n")
    write(
        tmp_path / "condition_occurrence.csv",
        "condition_occurrence_id,person_id,condition_concept_id,condition_start_date,condition_source_value\n"
        "1,7,777,2024-05-03,D70\n2,7,888,2024-05-04,X\n",
    )
    alone = read(tmp_path, concepts=[320073, 440689])
    assert alone.facts["within"].to_list() == [None, None]
    assert alone.notices.filter(code="LK710").height == 1
    assert read(tmp_path).notices.filter(code="LK710").height == 0  # no definition asks
    write(
        tmp_path / "concept_ancestor.csv",
        "ancestor_concept_id,descendant_concept_id,min_levels_of_separation,max_levels_of_separation\n"
        "320073,777,1,1\n440689,777,2,2\n1,777,3,3\n320073,320073,0,0\n2,888,1,1\n",
    )
    found = read(tmp_path, concepts=[320073, 440689])
    assert found.facts.sort("code").select("code", "within").rows() == [("777", ";320073;440689;"), ("888", None)]
    assert found.notices.filter(code="LK710").height == 0


UNUSED_OF_OMOP = {
    "cdm_source": "cdm_source_name,cdm_source_abbreviation,cdm_holder,source_release_date,cdm_version",  # as in 5.3
    "location": "location_id,address_1,address_2,city,state,zip,county,location_source_value",  # as in 5.3
    "note_nlp": "note_nlp_id,note_id,section_concept_id,snippet,lexical_variant,note_nlp_concept_id",
    "fact_relationship": "domain_concept_id_1,fact_id_1,domain_concept_id_2,fact_id_2,relationship_concept_id",
    "cost": "cost_id,cost_event_id,cost_domain_id,cost_type_concept_id,currency_concept_id,total_charge",
    "episode_event": "episode_id,event_id,episode_event_field_concept_id",
    "metadata": "metadata_id,metadata_concept_id,metadata_type_concept_id,name,value_as_string,value_as_number",
    "domain": "domain_id,domain_name,domain_concept_id",
    "concept_class": "concept_class_id,concept_class_name,concept_class_concept_id",
    "concept_relationship": "concept_id_1,concept_id_2,relationship_id,valid_start_date,valid_end_date,invalid_reason",
    "relationship": "relationship_id,relationship_name,is_hierarchical,defines_ancestry,relationship_concept_id",
    "concept_synonym": "concept_id,concept_synonym_name,language_concept_id",
    "vocabulary": "vocabulary_id,vocabulary_name,vocabulary_reference,vocabulary_version,vocabulary_concept_id",
    "source_to_concept_map": "source_code,source_concept_id,source_vocabulary_id,target_concept_id",
    "drug_strength": "drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id",
    "cohort": "cohort_definition_id,subject_id,cohort_start_date,cohort_end_date",
    "cohort_definition": "cohort_definition_id,cohort_definition_name,definition_type_concept_id",
    "attribute_definition": "attribute_definition_id,attribute_name,attribute_type_concept_id",  # of 5.3
    "drug_era": "drug_era_id,person_id,drug_concept_id,drug_era_start_date,drug_era_end_date",
    "observation": "observation_id,person_id,observation_concept_id,observation_date,value_as_number",
}


def test_the_other_tables_of_omop_are_no_broken_sources(tmp_path: Path) -> None:
    write(tmp_path / "measurement.csv", MEASUREMENT + "1,7,3000905,2024-05-03,,,3.2,8848,,,,,\n")
    for name, header in UNUSED_OF_OMOP.items():
        row = ",".join("1" for _ in header.split(","))
        write(tmp_path / f"{name}.csv", f"{header}\n{row}\n")
    found = read(tmp_path)
    assert results(found) == [(7, "wbc", 3.2, "=")]
    assert codes(found) == []
    unused = found.notices.filter(code="LK705")["file"].to_list()
    assert sorted(Path(file).stem for file in unused) == sorted(UNUSED_OF_OMOP)


@pytest.mark.parametrize("end", ["", ",procedure_end_date,procedure_end_datetime"])
def test_procedures_of_omop(tmp_path: Path, end: str) -> None:
    write(tmp_path / "measurement.csv", MEASUREMENT + "1,7,3000905,2024-05-03,,,3.2,8848,,,,,\n")
    header = f"procedure_occurrence_id,person_id,procedure_concept_id,procedure_date,procedure_datetime{end}"
    more = ",2024-05-05," if end else ""
    write(
        tmp_path / "procedure_occurrence.csv",
        f"{header},procedure_source_value\n"
        f"1,7,4120445,2024-05-04,2024-05-04 00:00:00{more},BMT\n2,7,0,2024-05-06,2024-05-06 09:30:00{more},biopsy\n",
    )
    write(
        tmp_path / "concept.csv",
        "concept_id,concept_name,domain_id,vocabulary_id,concept_code\n"
        "4120445,Bone marrow transplant,Procedure,SNOMED,23719005\n",
    )
    facts = read(tmp_path).facts.sort("start")
    assert facts.select("kind", "name", "has_time").rows() == [
        ("procedure", "Bone marrow transplant", False),
        ("procedure", "biopsy", True),
    ]
    assert facts["start"].to_list() == [datetime(2024, 5, 4, tzinfo=UTC), datetime(2024, 5, 6, 9, 30, tzinfo=UTC)]
    assert facts["end"].to_list() == [datetime(2024, 5, 5, tzinfo=UTC) if end else None] * 2


# ---- SDTM ------------------------------------------------------------------------------------------------------------

LB: dict[str, list[Any]] = {
    "STUDYID": ["S1"] * 7,
    "DOMAIN": ["LB"] * 7,
    "USUBJID": ["S1-001"] * 6 + ["S1-002"],
    "LBTESTCD": ["WBC", "NEUT", "NEUTLE", "NEUT", "NEUT", "WBC", "NEUT"],
    "LBTEST": ["Leukocytes", "Neutrophils", "Neutrophils/Leukocytes", *["Neutrophils"] * 2, "Leukocytes", "Neutrophils"],  # noqa: E501
    "LBORRES": ["3.2", "1500", "0.45", "", "<0.2", "", "1.1"],
    "LBORRESU": ["THOU/uL", "/uL", "FRACTION", "", "GI/L", "", "10^9/L"],
    "LBORNRLO": ["4.0", "", "", "", "", "", "1.8"],
    "LBORNRHI": ["11.0", "", "", "", "", "", "7.7"],
    "LBSTRESC": ["3.2", "1.5", "0.45", "1.4", "<0.2", "", "1.1"],
    "LBSTRESN": [3.2, 1.5, 0.45, 1.4, None, None, 1.1],
    "LBSTRESU": ["10^9/L", "10^9/L", "FRACTION", "10^9/L", "10^9/L", "", "10^9/L"],
    "LBSTAT": ["", "", "", "", "", "NOT DONE", ""],
    "LBDTC": ["2024-05-03T08:15", "2024-05-03", "2024-05-03", "2024-05-10", "2024-05-17", "2024-05-24", "2024-05"],
}  # fmt: skip
DM: dict[str, list[Any]] = {
    "STUDYID": ["S1"] * 2,
    "DOMAIN": ["DM"] * 2,
    "USUBJID": ["S1-001", "S1-002"],
    "BRTHDTC": ["1960-02-03", "1970-07"],
    "SEX": ["F", "U"],
    "ARM": ["Docetaxel", "Placebo"],
    "ACTARM": ["Docetaxel", ""],
    "RFSTDTC": ["2024-05-01", ""],
    "RFPENDTC": ["2024-09-01", ""],
    "DTHDTC": ["", "2024-08-01"],
}
EX = {"DOMAIN": ["EX"], "USUBJID": ["S1-001"], "EXTRT": ["DOCETAXEL"], "EXSTDTC": ["2024-05-01T09:00"], "EXENDTC": [""]}
CM = {
    "DOMAIN": ["CM"],
    "USUBJID": ["S1-001"],
    "CMTRT": ["Neupogen"],
    "CMDECOD": ["FILGRASTIM"],
    "CMSTDTC": ["2024-05-02"],
}
AE = {
    "DOMAIN": ["AE"],
    "USUBJID": ["S1-001"],
    "AETERM": ["low ANC"],
    "AEDECOD": ["Neutropenia"],
    "AETOXGR": ["3"],
    "AESTDTC": ["2024-05-10"],
}
VS = {
    "DOMAIN": ["VS"],
    "USUBJID": ["S1-001"],
    "VSTESTCD": ["TEMP"],
    "VSTEST": ["Temperature"],
    "VSORRES": ["38.5"],
    "VSORRESU": ["C"],
    "VSDTC": ["2024-05-10T10:00"],
}
DOMAINS: dict[str, dict[str, list[Any]]] = {"lb": LB, "dm": DM, "ex": EX, "cm": CM, "ae": AE, "vs": VS}


def expected_of_sdtm(found: Frames) -> None:
    assert results(found, "person", "analyte", "value", "bound", "row") == [
        ("S1-001", "neutrophils", 1.5, "=", 2),
        ("S1-001", "neutrophils_percent", 45.0, "=", 3),
        ("S1-001", "wbc", 3.2, "=", 1),
        ("S1-001", "neutrophils", 1.4, "=", 4),
        ("S1-001", "neutrophils", 0.2, "<", 5),
        ("S1-002", "neutrophils", 1.1, "=", 7),
    ]
    assert found.results["low"].to_list() == [None, None, 4.0, None, None, 1.8]
    assert found.results["taken"].to_list()[-1] is None  # only the month is known
    assert codes(found) == ["LK215", "LK703"]
    assert found.people.select("person", "born", "born_precision", "sex", "arm", "start", "end").rows() == [
        ("S1-001", date(1960, 2, 3), "day", "female", "Docetaxel", date(2024, 5, 1), date(2024, 9, 1)),
        ("S1-002", date(1970, 7, 1), "month", None, "Placebo", None, None),
    ]
    assert found.treatments.select("drug", "given", "cytotoxic").rows() == [
        ("docetaxel", True, True),
        ("filgrastim", False, False),
    ]
    assert found.facts.select("person", "kind", "name", "grade").rows() == [
        ("S1-001", "adverse_event", "Neutropenia", "3"),
        ("S1-002", "death", "death", None),
    ]
    assert found.signs.select("name", "value", "unit").rows() == [("body temperature", 38.5, "C")]
    assert accounted(found)


def test_sdtm_from_csv(tmp_path: Path) -> None:
    for name, columns in DOMAINS.items():
        text = pl.DataFrame(columns).write_csv()
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
    expected_of_sdtm(read(tmp_path))


@pytest.mark.parametrize("version", [5, 8])
def test_sdtm_from_transport_files(tmp_path: Path, version: int) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is an extra")
    for name, columns in DOMAINS.items():
        frame = pl.DataFrame(columns)
        pyreadstat.write_xport(
            frame, str(tmp_path / f"{name}.xpt"), table_name=name.upper(), file_format_version=version
        )
    expected_of_sdtm(read(tmp_path))


@pytest.mark.parametrize("form", ["1.0", "1.1", "ndjson"])
def test_sdtm_from_dataset_json(tmp_path: Path, form: str) -> None:
    for name, columns in DOMAINS.items():
        head = [{"itemOID": f"IT.{column}", "name": column, "label": column} for column in columns]
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        about = {"datasetJSONVersion": "1.1.0", "itemGroupOID": f"IG.{name}", "records": len(rows)}
        if form == "1.0":
            group = {"records": len(rows), "name": name, "items": head, "itemData": rows}
            whole = {"datasetJSONVersion": "1.0.0", "clinicalData": {"itemGroupData": {f"IG.{name}": group}}}
            write(tmp_path / f"{name}.json", json.dumps(whole))
        elif form == "1.1":
            write(tmp_path / f"{name}.json", json.dumps({**about, "columns": head, "rows": rows}))
        else:
            lines = [{**about, "columns": head}, *rows]
            write(tmp_path / f"{name}.ndjson", "\n".join(map(json.dumps, lines)) + "\n")
    expected_of_sdtm(read(tmp_path))


def test_procedures_of_sdtm(tmp_path: Path) -> None:
    pl.DataFrame(LB).write_csv(tmp_path / "lb.csv")
    write(
        tmp_path / "pr.csv",
        "STUDYID,DOMAIN,USUBJID,PRTRT,PRDECOD,PROCCUR,PRSTDTC\n"
        "S1,PR,S1-001,autologous HSCT,,Y,2024-05-02\nS1,PR,S1-001,biopsy,,N,2024-05-02\n",
    )
    found = read(tmp_path).facts.filter(pl.col("kind") == "procedure")
    assert found.select("person", "name", pl.col("start").dt.date()).rows() == [
        ("S1-001", "autologous HSCT", date(2024, 5, 2))
    ]


def test_analysis_data_are_not_read_beside_their_source(tmp_path: Path) -> None:
    pl.DataFrame(LB).write_csv(tmp_path / "lb.csv")
    write(tmp_path / "adlb.csv", "USUBJID,PARAMCD,PARAM,AVAL,ADT\nS1-001,WBC,Leukocytes (10^9/L),3.2,2024-05-03\n")
    found = read(tmp_path)
    assert found.results["file"].unique().to_list() == [f"{tmp_path.name}/lb.csv"]
    assert "LK705" in found.notices["code"].to_list()


# ---- FHIR ------------------------------------------------------------------------------------------------------------


def observation(ident: str, person: str, value: float, day: str) -> str:
    return json.dumps(
        {
            "resourceType": "Observation",
            "id": ident,
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}]},
            "subject": {"reference": f"Patient/{person}"},
            "effectiveDateTime": day,
            "valueQuantity": {
                "value": value,
                "system": "http://unitsofmeasure.org",
                "code": "10*9/L",
                "unit": "10*9/L",
            },
        }
    )


def test_fhir_bulk_files_with_people_spread_over_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [
        json.dumps({"resourceType": "Patient", "id": f"p{n}", "gender": "female", "birthDate": "1960-02-03"})
        for n in range(4)
    ]
    write(tmp_path / "Patient.ndjson", "\n".join(people) + "\n")
    write(
        tmp_path / "Observation.000.ndjson",
        "\n".join(observation(f"a{n}", f"p{n}", 1.0 + n, "2024-05-03") for n in range(4)) + "\n",
    )
    broken = '{"resourceType": "Observation", "id": '
    lines = [observation("b0", "p0", 0.4, "2024-05-10T08:00:00Z"), broken, observation("b1", "p3", 0.3, "2024-05-10")]
    write(tmp_path / "Observation.001.ndjson", "\n".join(lines) + "\n")
    write(tmp_path / "Claim.ndjson", '{"resourceType":"Claim","id":"c"}\n{"resourceType":"Claim","id":"d"}\n')
    whole = read(tmp_path)
    assert results(whole, "person", "value", "row") == [
        ("p0", 1.0, 1), ("p0", 0.4, 1), ("p1", 2.0, 2), ("p2", 3.0, 3), ("p3", 4.0, 4), ("p3", 0.3, 3),
    ]  # fmt: skip
    assert whole.people.height == 4
    assert whole.notices.filter(pl.col("severity") == "error").select("file", "row").rows() == [
        (f"{tmp_path.name}/Observation.001.ndjson", 2)
    ]
    monkeypatch.setattr("leuko.cohort.read.fhir.SHARE_BYTES", 500)
    assert read(tmp_path).results.equals(whole.results)


def test_digits_that_fhir_prints_are_kept(tmp_path: Path) -> None:
    """1.0 and 1.4 of one draw are two results: the zero was printed."""
    texts = ["1.0", "1.4", "1", "1200.0"]
    lines = [
        observation(f"o{at}", "p1", 9.9, "2024-05-03T08:00:00Z").replace("9.9", text) for at, text in enumerate(texts)
    ]
    lines[3] = lines[3].replace("10*9/L", "/uL")
    found = read(write(tmp_path / "Observation.ndjson", "\n".join(lines) + "\n")).results.sort("row")
    assert found.select("value", "digits").rows() == [(1.0, 1), (1.4, 1), (1.0, 0), (1.2, 4)]


def test_a_fhir_bundle_among_the_files(tmp_path: Path) -> None:
    entries = [{"resource": json.loads(observation("a", "p1", 1.2, "2024-05-03"))}]
    entries.append({"resource": {"resourceType": "Patient", "id": "p1", "gender": "male"}})
    write(tmp_path / "bundle.json", json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    write(tmp_path / "labs.csv", LONG + "p1,ANC,1.3,10*9/L,2024-05-04\n")
    found = read(tmp_path)
    assert results(found) == [("p1", "neutrophils", 1.2, "="), ("p1", "neutrophils", 1.3, "=")]
    assert found.people["sex"].to_list() == ["male"]
