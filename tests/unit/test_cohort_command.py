"""`leuko cohort` from sources to tables and summary: every format, damage, resumption, exit codes."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

import leuko
from fixtures import cohort_files
from leuko.__main__ import main
from leuko.cohort import engine
from leuko.cohort.kernel import is_compiling
from leuko.cohort.outputs import adam, described, events
from leuko.cohort.summary.grades import wilson
from leuko.cohort.tabled import open_table
from leuko.errors import UsageError

LONG = "person_id,test,value,unit,collected\n"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("LEUKO_DEBUG", raising=False)

    def leuko_(*words: str | Path) -> Done:
        code = main(["cohort", *map(str, words)])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return leuko_


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of SDTM, run once."""
    home = tmp_path_factory.mktemp("study")
    words = ["--out", str(home / "out"), "--with", "causes,forecast", "-q"]
    assert main(["cohort", str(cohort_files.sdtm(home / "in")), *words]) == 0
    return home / "out"


def table(folder: Path, name: str) -> pl.DataFrame:
    return open_table(folder, name).collect()


def account(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "account.json").read_text("utf-8"))
    assert content["rows_read"] == content["rows_used"] + content["rows_set_aside"]
    return content


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---- every format ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [cohort_files.long_table, cohort_files.omop, cohort_files.ndjson])
def test_every_format_gives_the_same_counts_and_days(tmp_path: Path, run: Run, study: Path, make: Any) -> None:
    done = run(make(tmp_path / "in"), "--out", tmp_path / "out", "--definition", "dsn")
    assert done.code == 0, done.err
    assert account(tmp_path / "out")["rows_used"] == len(cohort_files.counts())
    columns = ["person", "analyte", "taken", "value", "bound"]
    mine, theirs = (
        table(folder, "counts").with_columns(pl.col("person").cast(pl.String)).select(columns).sort(columns)
        for folder in (tmp_path / "out", study)
    )
    assert mine.equals(theirs)
    if make is cohort_files.long_table:
        return  # a table of medicines does not say that they were given
    days = [
        table(folder, "findings").filter(pl.col("definition") == "dsn").select("cycle", "least", "most", "met").rows()
        for folder in (tmp_path / "out", study)
    ]
    assert days[0] == days[1] != []


def test_the_days_of_severe_neutropenia_by_hand(study: Path) -> None:
    """Person 1: 0.92 on day 7, 0.42 on day 9, 0.32 on day 11, 0.82 on day 13; days without times."""
    own = table(study, "findings").filter((pl.col("definition") == "dsn") & (pl.col("person") == "1"))
    # least: from the end of day 9 to the begin of day 11; most: from the begin of day 7 to the end of day 13
    assert own.select("cycle", "least", "most", "met").row(0) == (1, 1.0, 7.0, True)
    assert own["index"].to_list() == [date(2024, 1, 8), date(2024, 1, 29)]
    other = table(study, "findings").filter((pl.col("definition") == "dsn") & (pl.col("person") == "2"))
    # 1.24 and 1.14: nothing below 0.5 was seen, and nothing deeper is ruled out around the lowest count
    assert other["least"].to_list() == [0.0, 0.0]
    assert other["met"].null_count() == 2


def test_records_like_adlb(study: Path) -> None:
    adlb = table(study, "adlb").filter((pl.col("USUBJID") == "1") & (pl.col("PARAMCD") == "NEUT")).sort("ADT")
    first, lowest = adlb.row(0, named=True), adlb.filter(pl.col("ADY") == 12).row(0, named=True)
    assert (first["ABLFL"], first["ADY"], first["BASE"], first["CHG"], first["SHIFT1"]) == ("Y", -2, 3.9, None, None)
    assert (lowest["AVAL"], lowest["BASE"], lowest["ANRIND"], lowest["SHIFT1"]) == (0.32, 3.9, "LOW", "NORMAL to LOW")
    assert lowest["CHG"] == pytest.approx(-3.58)
    assert (lowest["ATOXGRL"], lowest["ATOXGR"], lowest["ATOXDSCL"]) == ("4", "-4", "Neutrophil count decreased")
    assert (lowest["SHIFT2"], lowest["ATOXGRH"], lowest["TRTA"], lowest["ATOXEDN"]) == (
        "0 to 4",
        None,
        "high",
        "CTCAE 5",
    )
    assert (first["ATOXGR"], first["ATOXGRL"]) == ("0", "0")
    assert adlb.columns == list(adam.COLUMNS)


def test_the_edition_of_the_records_is_the_one_that_was_asked_for(tmp_path: Path, run: Run) -> None:
    source = cohort_files.sdtm(tmp_path / "in")
    assert run(source, "--out", tmp_path / "out", "--edition", "ctcae-6", "-q").code == 0
    adlb = table(tmp_path / "out", "adlb")
    deep = adlb.filter((pl.col("PARAMCD") == "NEUT") & (pl.col("AVAL") == 0.32)).row(0, named=True)
    assert (deep["ATOXGRL"], deep["ATOXEDN"]) == ("3", "CTCAE 6")
    bad = run(source, "--out", tmp_path / "other", "--edition", "ctcae-9")
    assert bad.code == 2
    assert re.search("ctcae.9", bad.err)


def test_records_like_adae(study: Path) -> None:
    adae = table(study, "adae")
    assert adae.columns == list(events.COLUMNS)
    reported = adae.filter(pl.col("AESRC") == "AE").row(0, named=True)
    assert (reported["AEDECOD"], reported["AETOXGR"], reported["ASTDY"]) == ("Febrile neutropenia", "3", 11)
    made = adae.filter(
        (pl.col("AESRC") == "LB") & (pl.col("USUBJID") == "1") & pl.col("AEDECOD").str.starts_with("Neu")
    )
    assert made.select("AETOXGR", "TRTEMFL").rows() == [("4", "Y"), ("4", "Y")]
    assert made.row(0, named=True)["ASTDT"] == date(2024, 1, 15)


def test_episodes_carry_days_grades_and_the_bound_of_the_nadir(study: Path) -> None:
    own = table(study, "episodes").filter((pl.col("person") == "1") & (pl.col("analyte") == "neutrophils"))
    row = own.row(0, named=True)
    assert (row["nadir"], row["nadir_bound"], row["dsn_least"], row["dsn_most"]) == (0.32, "=", 1.0, 7.0)
    assert (row["worst_ctcae_5"], row["worst_ctcae_6"]) == (4, 3)


def test_the_table_cohort_is_that_of_omop(study: Path) -> None:
    members = table(study, "cohort")
    assert members.columns == ["cohort_definition_id", "subject_id", "cohort_start_date", "cohort_end_date"]
    assert members.filter(pl.col("cohort_definition_id") == 9001)["subject_id"].unique().sort().to_list() == [
        "1",
        "3",
        "5",
    ]
    assert members.null_count().sum_horizontal().item() == 0


def test_febrile_neutropenia_in_hospital_from_the_tables_of_omop(tmp_path: Path, run: Run) -> None:
    """Person 1 has 0.42 on 17 January, 38.6 on that day and is in hospital; person 3 is not, person 5 has no fever."""
    source = cohort_files.omop(tmp_path / "in")
    with (source / "MEASUREMENT.csv").open("a") as file:
        for number, (person, value) in enumerate([(1, 38.6), (3, 38.6), (5, 37.2)], start=9001):
            file.write(f"{number},{person},3020891,2024-01-17,,{value},586323,,,temp,\n")
    visits = [f"{number},{person},9201,2024-01-15,2024-01-24" for number, person in enumerate((1, 5), start=1)]
    visits.append("3,3,9202,2024-01-17,2024-01-17")  # an outpatient
    head = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date"
    (source / "VISIT_OCCURRENCE.csv").write_text("\n".join([head, *visits]) + "\n")
    for words, last in (((), date(2024, 1, 21)), (("--as-published",), date(2024, 1, 18))):
        out = tmp_path / f"out{len(words)}"
        assert run(source, "--out", out, "--definition", "ohdsi-737", "-q", *words).code == 0
        assert table(out, "cohort").rows() == [(737, 1, date(2024, 1, 17), last)]


@pytest.mark.parametrize("name", list(described.TABLES))
def test_every_column_of_an_output_is_described(study: Path, name: str) -> None:
    schemes = leuko.load_library().schemes
    editions = [f"{scheme.id}_{scheme.edition}" for scheme in schemes]
    real = [described.edition_of(column, editions) for column in table(study, name).columns]
    assert list(dict.fromkeys(real)) == list(described.TABLES[name])


# ---- the summary -----------------------------------------------------------------------------------------------------


def test_the_summary_says_what_a_paper_prints(study: Path) -> None:
    content = json.loads((study / "summary.json").read_text("utf-8"))
    sections = {section["id"]: section for section in content["sections"]}
    cycles = sections["cycles"]["tables"][0]
    assert cycles["rows"][0][:5] == ["high", 1, 3, 3, "3 (100.0 %)"]
    assert [row[0] for row in cycles["rows"]] == ["high", "high", "low", "low", "all", "all"]
    worst = next(one for one in sections["worst"]["tables"] if one["title"] == "Neutrophils")
    assert ["CTCAE 5", "high", *["0 (0.0 %)"] * 4, "3 (100.0 %)", "0 (0.0 %)", 0] in worst["rows"]
    shift = next(one for one in sections["shift"]["tables"] if one["title"] == "Neutrophils")
    assert ["high", "grade 0", 0, 0, 0, 0, 3, 0, 3] in shift["rows"]
    febrile = sections["febrile"]["tables"][0]["rows"][0]
    assert febrile[3:] == [1, 6]
    one = sections["table-one"]["tables"][0]
    assert one["columns"] == ["", "high", "low", "all"]
    assert ["female", "3 (100.0 %)", "3 (100.0 %)", "6 (100.0 %)"] in one["rows"]


def test_times_to_recovery_when_lifelines_is_there(study: Path) -> None:
    pytest.importorskip("lifelines", reason="the extra `survival` is not installed")
    content = json.loads((study / "summary.json").read_text("utf-8"))
    times = next(section for section in content["sections"] if section["id"] == "times")
    row = times["tables"][0]["rows"][0]
    # first episode of the arm: low on days 7, 9, 11, 13, back on day 16 of the cycle
    assert row[:2] == ["high", 3]
    assert row[4].startswith("9.0 (")
    # onset between day -2 and the end of day 7, recovery between day 13 and the end of day 16
    assert row[5] == "5.0 to 19.0"
    assert [figure["title"] for figure in times["figures"]] == ["Time to recovery"]
    # on day 7 after the first low count the arm low (back on day 4) has recovered; one band of Turnbull's holds all
    curve = {(row[0], row[1]): row[2:] for row in times["tables"][1]["rows"]}
    assert curve["all", 7] == [3, "50 % (11 to 80)", "0 %"]
    assert curve["high", 7] == [3, "100 % (100 to 100)", "0 to 100 %"]
    assert ("low", 7) not in curve  # nobody of it is looked at any longer


def test_the_page_loads_and_runs_nothing(study: Path) -> None:
    page = (study / "summary.html").read_text("utf-8")
    assert "<script" not in page
    assert "script-src &#39;none&#39;" in page
    assert "Duration of severe neutropenia" in page


def test_the_view_and_the_json_on_stdout(tmp_path: Path, run: Run) -> None:
    source = cohort_files.sdtm(tmp_path / "in")
    done = run(source, "--out", tmp_path / "a")
    assert "Severe neutropenia by cycle" in done.out
    assert "156 rows of results read: 156 used, 0 set aside" in done.err.replace(",", ",")
    piped = run(source, "--out", tmp_path / "b", "--json", "-")
    assert json.loads(piped.out) == json.loads((tmp_path / "b" / "summary.json").read_text("utf-8"))


def test_strata_and_weights_of_a_survey(tmp_path: Path, run: Run) -> None:
    """Weights 1 and 3: the three of the arm with grade 4 are 3 of 12."""
    source = cohort_files.omop(tmp_path / "in")
    rows = [f"{p},{'first' if p % 2 else 'second'},{1 if p % 2 else 3}" for p in cohort_files.PEOPLE]
    (tmp_path / "strata.csv").write_text("\n".join(["person,arm,weight", *rows]) + "\n")
    done = run(source, "--out", tmp_path / "out", "--strata", tmp_path / "strata.csv", "-q", "--definition", "dsn")
    assert done.code == 0, done.err
    content = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    sections = {section["id"]: section for section in content["sections"]}
    (row,) = [
        row for row in sections["prevalence"]["tables"][0]["rows"] if row[:2] == ["Neutrophils", "grade 4 or more"]
    ]
    # error: sqrt(3 x (0.75)^2 + 3 x 9 x (0.25)^2) / 12 = 0.1531
    assert row[2:5] == ["3 of 6", "25.0 %", "0.0 to 55.0 %"]
    assert {one[1] for one in sections["worst"]["tables"][0]["rows"]} == {"first", "second", "all"}
    (tmp_path / "bad.csv").write_text("person,weight\n1,heavy\n")
    bad = run(source, "--out", tmp_path / "bad", "--strata", tmp_path / "bad.csv")
    assert (bad.code, "no number" in bad.err) == (2, True)


def test_a_weighted_share_of_everybody_is_not_surer_than_their_number(tmp_path: Path) -> None:
    """Weights 1, 1, 2: Kish's effective number is 16 / 6, and Wilson's interval of all of them begins at 41 %."""
    rows = [f"{person},2024-05-03,0.3" for person in "ABC"]
    (tmp_path / "labs.csv").write_text("\n".join(["patient,date,neutrophils (10*9/L)", *rows]) + "\n")
    (tmp_path / "strata.csv").write_text("person,weight\nA,1\nB,1\nC,2\n")
    found = leuko.cohort(tmp_path / "labs.csv", strata=tmp_path / "strata.csv")
    (section,) = [one for one in found.summary.sections if one.id == "prevalence"]
    (row,) = [one for one in section.tables[0].rows if one[1] == "grade 4 or more"]
    assert row[2:5] == ("3 of 3", "100.0 %", "41.0 to 100.0 %")


def test_wilsons_interval() -> None:
    """10 of 100 by hand: (0.1 + 0.019208 -+ 1.96 sqrt(0.0009 + 0.00009604)) / 1.038416."""
    low, high = wilson(0.1, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


# ---- damage ----------------------------------------------------------------------------------------------------------


def damaged(folder: Path) -> Path:
    """Thirty files; a person in several of them, five formats of dates, two encodings, and five that are broken."""
    days = ["2024-05-03", "20240504", "5.5.2024", "6 May 2024", "2024/05/07 08:30"]
    folder.mkdir(parents=True)
    for number in range(30):
        rows = f"P{number % 7},ANC,{number % 9}.4,10*9/L,{days[number % 5]}\n"
        (folder / f"{number:03}.csv").write_text(LONG + rows)
    (folder / "004.csv").write_bytes((LONG + "Müller,ANC,3.2,10*9/L,2024-05-03\n").encode("cp1252"))
    (folder / "014.csv.gz").write_bytes(gzip.compress((LONG * 900).encode())[:60])
    (folder / "015.parquet").write_bytes(b"PAR1 and then nothing PAR1")
    (folder / "016.csv").write_text("person_id,test,unit,collected\nP1,ANC,10*9/L,2024-05-03\n")  # no values
    (folder / "017.csv").write_text(LONG + "P2,ANC,haemolysed,10*9/L,2024-05-09\nP2,ANC,2.2,10*9/L,31/02/2024\n")
    return folder


def test_damage_stops_nothing_and_nothing_is_lost(tmp_path: Path, run: Run) -> None:
    done = run(damaged(tmp_path / "in"), "--out", tmp_path / "out")
    assert done.code == 0, done.err
    told = account(tmp_path / "out")
    assert told["sources_damaged"] >= 2
    notices = table(tmp_path / "out", "notices").filter(pl.col("lost"))
    broken = {"014.csv.gz", "015.parquet", "016.csv", "017.csv"}
    assert {Path(file).name for file in notices["file"]} >= broken
    counts = table(tmp_path / "out", "counts").filter(pl.col("analyte") == "neutrophils")
    assert counts.filter(pl.col("person") == "Müller").height == 1
    assert counts["person"].n_unique() == 8
    assert counts.filter(pl.col("person") == "P0")["file"].n_unique() > 3
    assert "sources could not be read to the end: what was beyond is not known (" in done.err
    assert "014.csv.gz" in done.err
    (broken,) = [
        one
        for one in json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["sections"][0]["tables"]
        if one["title"] == "Not read to the end"
    ]
    assert {Path(row[0]).name for row in broken["rows"]} >= {"014.csv.gz", "015.parquet"}
    assert "Not read to the end" in done.out


def test_counts_that_are_read_and_then_not_used_are_said(tmp_path: Path, run: Run) -> None:
    days = ["2024-05-03", "20240504", "6 May 2024", "05/07/2024", "31.02.2024"]  # the last two tell no day
    rows = "".join(f"A,ANC,{number}.4,10*9/L,{day}\n" for number, day in enumerate(days))
    (tmp_path / "in.csv").write_text(LONG + rows)
    done = run(tmp_path / "in.csv", "--out", tmp_path / "out", "-q")
    assert done.err.splitlines()[-3:-1] == [
        "1 person, 5 rows of results read: 5 used, 0 set aside with a notice (table notices)",
        "2 counts of those used could not be used after all: A count has no time of draw (LK601)",
    ]
    read = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))["sections"][0]["tables"][0]
    assert ["… of them counts that could not be used after all", 2] in read["rows"]


def test_a_table_that_names_nobody_is_said_to_be_taken_as_one_person(tmp_path: Path, run: Run) -> None:
    (tmp_path / "ward.csv").write_text("test,value,unit,collected\n" + "ANC,0.4,10*9/L,2024-05-03\n" * 2)
    assert run(tmp_path / "ward.csv", "--out", tmp_path / "out", "-q").code == 0
    notices = table(tmp_path / "out", "notices").filter(code="LK547")
    assert notices.select("severity", "lost").rows() == [("warning", False)]
    assert table(tmp_path / "out", "persons")["person"].to_list() == ["ward.csv"]
    assert "taken as one person's" in notices["text"].item()


def test_strict_says_so_with_the_exit_code(tmp_path: Path, run: Run) -> None:
    assert run(damaged(tmp_path / "in"), "--out", tmp_path / "out", "--strict", "-q").code == 4
    whole = cohort_files.sdtm(tmp_path / "whole")
    rows = [line for line in (whole / "lb.csv").read_text().splitlines(keepends=True) if ",WBC," not in line]
    (whole / "lb.csv").write_text("".join(rows))
    done = run(whole, "--out", tmp_path / "strict", "--strict", "-q")
    left = json.loads((tmp_path / "strict" / "summary.json").read_text("utf-8"))["sections"][-1]
    assert done.code == (4 if left["tables"][0]["rows"] else 0)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["gone.csv", "--out", "out"], 3, "gone.csv"),
        (["labs.csv", "--out", "out", "--definition", "dnn"], 2, "did you mean dsn?"),
        (["labs.csv", "--out", "labs.csv"], 2, "the output is a file"),
        (["labs.csv", "--out", "."], 2, "something else"),
        ([".", "--out", "out"], 2, "inside a source"),
        (["labs.csv", "--out", "out", "--definition", "bad.toml"], 2, "unknown: severity"),
        (["labs.csv", "--out", "out", "--with", "causes,plan"], 2, "known: causes and forecast"),
        (["labs.csv"], 2, "--out"),
    ],
)
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, *, words: list[str], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labs.csv").write_text(LONG + "A,ANC,3.2,10*9/L,2024-05-03\n")
    (tmp_path / "bad.toml").write_text(
        '[[cycle]]\nid="x"\nnumber=1\ntitle="x"\nsevere=0.5\nlow=1\napart=9\nlongest=20\nseverity=1\n'
    )
    done = run(*words)
    assert (done.code, said in done.err) == (code, True), done.err


def test_a_run_that_was_killed_goes_on_to_the_same_bytes(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = cohort_files.omop(tmp_path / "in")
    assert run(source, "--out", tmp_path / "plain", "--batch-people", 1, "-q").code == 0
    commit, done = engine._commit, []

    def killed(*given: Any) -> None:
        commit(*given)
        done.append(given)
        if len(done) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_commit", killed)
        assert run(source, "--out", tmp_path / "out", "--batch-people", 1, "-q").code == 130
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert run(source, "--out", tmp_path / "out", "--batch-people", 1, "-q").code == 2
    again = run(source, "--out", tmp_path / "out", "--batch-people", 1, "--resume", "-q")
    assert again.code == 0
    assert "2 of 6 batches were there already" in again.err
    assert written(tmp_path / "out") == written(tmp_path / "plain")
    whole = run(source, "--out", tmp_path / "whole", "-q")
    assert whole.code == 0
    assert written(tmp_path / "whole") == written(tmp_path / "plain")


def test_csv_holds_the_same_tables(tmp_path: Path, run: Run, study: Path) -> None:
    assert run(cohort_files.sdtm(tmp_path / "in"), "--out", tmp_path / "out", "--format", "csv", "-q").code == 0
    assert not list((tmp_path / "out").rglob("*.parquet"))
    for name in ("adlb", "findings", "episodes"):
        assert table(tmp_path / "out", name).height == table(study, name).height
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["tables"]["adlb"][0]["file"] == "adlb.csv"


# ---- from Python -----------------------------------------------------------------------------------------------------


def test_lazy_frames_in_python(tmp_path: Path) -> None:
    made = leuko.cohort(cohort_files.omop(tmp_path / "in"), definitions=["dsn"])
    assert made.said.people == len(cohort_files.PEOPLE)
    deep = made.counts.filter(pl.col("ctcae_5") == 4).select(pl.len()).collect().item()
    assert deep == sum(1 for _, _, name, value in cohort_files.counts() if name == "anc" and value < 0.5)
    with pytest.raises(UsageError, match="no table"):
        made.table("grades")
    with pytest.raises(AttributeError):
        _ = made.grades


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs a Java runtime")
def test_spark_gives_the_same_bytes(tmp_path: Path) -> None:
    """In processes of their own: what Spark leaves open must not be found by another test."""
    pytest.importorskip("pyspark", reason="the extra `spark` is not installed")
    source = cohort_files.sdtm(tmp_path / "in")
    for name, words in (("kernel", []), ("spark", ["--engine", "spark", "--master", "local[2]"])):
        call = ["cohort", str(source), "--out", str(tmp_path / name), "--batch-people", "2", "-q", *words]
        call += ["--with", "causes,forecast"]
        done = subprocess.run([sys.executable, "-m", "leuko", *call], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert written(tmp_path / "spark") == written(tmp_path / "kernel")
    assert not list(tmp_path.rglob("*.batch"))


@pytest.mark.parametrize("compiling", [True, False])
def test_the_wait_for_the_compiler_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, compiling: bool
) -> None:
    monkeypatch.setattr("leuko.cli.cohort.SLOW", 0.0)
    monkeypatch.setattr("leuko.cohort.kernel.is_compiling", lambda: compiling)
    done = run(cohort_files.sdtm(tmp_path / "in"), "--out", tmp_path / "out", "-q")
    assert done.code == 0
    assert ("compiling the rules" in done.err) is compiling


def test_a_kernel_that_is_still_being_imported_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is looked at from another thread, on a slow machine before the import has come to its end."""
    for kernel, compiling in (
        (SimpleNamespace(), False),
        (SimpleNamespace(judge=SimpleNamespace(signatures=[])), True),
        (SimpleNamespace(judge=SimpleNamespace(signatures=["compiled"])), False),
    ):
        monkeypatch.setitem(sys.modules, "leuko.cohort.kernel.people", kernel)
        assert is_compiling() is compiling


def test_where_nothing_could_be_used_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bundle.json").write_text('{"resourceType": "Bundle", "entry": [\n', "utf-8")
    done = run(tmp_path / "bundle.json", "--out", tmp_path / "out", "-q")
    assert done.code == 3
    assert "nothing that was read could be used" in done.err
    assert account(tmp_path / "out")["rows_set_aside"] == 1
    assert table(tmp_path / "out", "notices").height >= 1


# ---- from Python -----------------------------------------------------------------------------------------------------


def test_what_a_person_at_a_prompt_sees(tmp_path: Path) -> None:
    found = leuko.cohort(cohort_files.sdtm(tmp_path / "in"), out=tmp_path / "out", definitions="dsn", with_="causes")
    assert repr(found) == (
        f"<Cohort of 6 people: 156 rows of results read, 156 used, 0 set aside; tables in {tmp_path / 'out'}>"
    )
    assert {"counts", "episodes", "causes", "account", "summary"} <= set(dir(found))
    assert "forecast" not in dir(found)
    assert not hasattr(found, "forecast")
    with pytest.raises(AttributeError, match=r'forecast was not asked for: leuko.cohort\(..., with_=\["forecast"\]\)'):
        _ = found.forecast
    with pytest.raises(AttributeError, match="its tables: counts, episodes"):
        _ = found.grades
    assert isinstance(found.causes, pl.LazyFrame)
    assert found.findings.select(pl.col("definition").n_unique()).collect().item() == 1


@pytest.mark.parametrize("day", ["2024-05-03", datetime(2024, 5, 3, tzinfo=UTC)])
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: Any) -> None:
    with pytest.raises(UsageError, match="as_of is no date"):
        leuko.cohort(tmp_path, as_of=day)


def test_a_list_of_sources_is_told_how_to_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="was given as a list"):
        leuko.cohort([tmp_path / "a.csv"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
