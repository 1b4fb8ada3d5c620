"""The command line as a person meets it: exit codes, what goes where, and no traceback whatever the input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import pytest

import leuko
from leuko.__main__ import main
from leuko.cli import SECTIONS, cli
from leuko.errors import UsageError

EXAMPLES = Path(leuko.__file__).parent / "data" / "examples"
ADULT, GERMAN, CHILD = (
    EXAMPLES / name for name in ("adult-on-docetaxel.json", "grown-up-wide-german.csv", "child-long.csv")
)
AS_OF = ("--as-of", "2026-03-10")
CODES = {"wbc": "6690-2", "anc": "751-8"}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("LEUKO_DEBUG", raising=False)

    def leuko_(*words: str | Path) -> Done:
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return leuko_


def process(*words: str | Path, stdin: bytes | None = None) -> Done:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "leuko", *map(str, words)], capture_output=True, input=stdin, timeout=60, check=False
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def observation(
    person: str, number: int, value: float, *, code: str = "wbc", day: str = "2026-01-05"
) -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": f"{person}-{code}-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": CODES.get(code, code)}]},
        "subject": {"reference": f"Patient/{person}"},
        "effectiveDateTime": f"{day}T08:00:00Z",
        "valueQuantity": {
            "value": value, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L",
        },
    }  # fmt: skip


def patient(person: str, born: str = "1970-02-03") -> dict[str, object]:
    return {"resourceType": "Patient", "id": person, "gender": "female", "birthDate": born}


def bundle(path: Path, *resources: dict[str, object]) -> Path:
    entries = [{"resource": resource} for resource in resources]
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    return path


def white_counts(assessment: dict[str, Any]) -> list[float]:
    counts = [status["count"] for status in assessment["history"]]
    return [count["value"] for count in counts if count["analyte"] == "wbc"]


# ---- the main job ----------------------------------------------------------------------------------------------------


def test_the_view_goes_to_stdout_and_nothing_else_does(run: Run) -> None:
    done = run("assess", ADULT, *AS_OF)
    assert done.code == 0
    assert "neutrophils" in done.out.casefold()
    assert "CTCAE" in done.out
    assert done.err == ""


def test_json_on_stdout_is_json_alone(run: Run) -> None:
    done = run("assess", ADULT, *AS_OF, "--json", "-")
    content = json.loads(done.out)
    assert content["as_of"] == "2026-03-10"
    assert content["patient"]["id"]
    assert content["notices"]


def test_several_people_make_an_array(run: Run) -> None:
    done = run("assess", ADULT, CHILD, *AS_OF, "--json", "-")
    people = json.loads(done.out)
    assert sorted(person["patient"]["id"] for person in people) == ["example-adult", "example-child"]


def test_pages_of_several_people_are_named_after_them(run: Run, tmp_path: Path) -> None:
    done = run("assess", ADULT, CHILD, *AS_OF, "--html", tmp_path / "page.html")
    assert done.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page-example-adult.html", "page-example-child.html"]
    assert "wrote" in done.err


def test_one_of_several_people(run: Run) -> None:
    done = run("assess", ADULT, CHILD, *AS_OF, "--patient", "example-child", "--json", "-")
    assert json.loads(done.out)["patient"]["id"] == "example-child"


def test_an_unknown_person_is_a_usage_error(run: Run) -> None:
    done = run("assess", ADULT, CHILD, *AS_OF, "--patient", "example-chidl")
    assert done.code == 2
    assert "example-child" in done.err


def test_todays_date_is_said(run: Run) -> None:
    done = run("assess", ADULT, "--json", "-")
    assert "as of 20" in done.err
    assert json.loads(done.out)["as_of"] in done.err


def test_the_same_input_gives_the_same_bytes(run: Run) -> None:
    assert run("assess", ADULT, *AS_OF, "--json", "-").out == run("assess", ADULT, *AS_OF, "--json", "-").out


def test_the_demo_is_the_main_job_on_the_example(run: Run) -> None:
    demo, assess = run("demo", "--json", "-"), run("assess", ADULT, *AS_OF, "--json", "-")
    assert demo.code == 0
    assert json.loads(demo.out) == json.loads(assess.out)


def test_the_shipped_people_can_be_copied_once(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    assert run("demo", "--copy", folder).code == 0
    assert (folder / ADULT.name).read_bytes() == ADULT.read_bytes()
    assert (folder / "people" / "clozapine.json").is_file()
    for words, told in ((("demo", "--copy", folder), "exists"), (("demo", "--copy", "x", "--full"), "--copy assesses")):
        again = run(*words)
        assert (again.code, again.out) == (2, "")
        assert told in again.err


def test_nothing_to_forecast_is_no_reassurance_where_nothing_was_counted(run: Run, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody.json"
    nobody.write_text(json.dumps({"resourceType": "Patient", "id": "a"}), encoding="utf-8")
    done = run("forecast", nobody, *AS_OF)
    assert "no neutrophil count that could be used is on record" in done.err
    assert "not low" not in done.out + done.err
    counted = tmp_path / "counted.csv"
    counted.write_text("date,test,value,unit\n2026-03-09,ANC,4.0,10*9/L\n", encoding="utf-8")
    assert "neutrophils were not low at the last count" in run("forecast", counted, *AS_OF).err
    counted.write_text("date,test,value,unit\n2026-03-09,ANC,<4.0,10*9/L\n", encoding="utf-8")
    assert "whether the neutrophils are low cannot be said" in run("forecast", counted, *AS_OF).err


def test_an_empty_list_of_assessments_cites_nothing_and_says_so(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("[]", encoding="utf-8")
    done = run("cite", empty)
    assert (done.code, done.out) == (3, "")
    assert "holds no assessment" in done.err


def test_what_was_learned_never_takes_the_place_of_the_counts(run: Run, tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("person,day,anc\n1,0,4.0\n", encoding="utf-8")
    done = run("learn", counts, "--level", "--out", counts)
    assert (done.code, counts.read_text(encoding="utf-8")) == (2, "person,day,anc\n1,0,4.0\n")
    assert "would overwrite an input" in done.err


@pytest.mark.parametrize(
    ("kind", "key"),
    [("model", "model:docetaxel-kloft"), ("regimen", "regimen:"), ("cause", "causes.cause:CA022"), ("analytes", "wbc")],
)
def test_a_kind_of_knowledge_is_listed_by_its_keys(run: Run, kind: str, key: str) -> None:
    done = run("knowledge", "show", kind)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines == sorted(lines)
    assert any(line.startswith(key) for line in lines)
    assert run("knowledge", "show", lines[0].split()[0]).code == 0


def test_python_callers_are_told_what_assess_takes() -> None:
    record = leuko.read(ADULT).records[0]
    with pytest.raises(UsageError, match="given a str"):
        leuko.assess("patient.json", as_of=date(2026, 3, 10))  # type: ignore[arg-type]
    for wrong in ("2026-03-10", datetime(2026, 3, 10, tzinfo=UTC)):
        with pytest.raises(UsageError, match="as_of is a day"):
            leuko.assess(record, as_of=wrong)  # type: ignore[arg-type]


def test_a_regimen_that_is_none_is_told_whatever_is_shown(run: Run) -> None:
    for command in ("assess", "leaflet"):
        assert (
            "'docetaxal 100' is none of the regimens on file"
            in run(command, ADULT, *AS_OF, "--regimen", "docetaxal 100", "-q").err
        )
    assert "regimens on file" not in run("assess", ADULT, *AS_OF, "--regimen", "docetaxel 100", "-q").err


def test_a_unit_that_cannot_be_read_is_refused_before_every_count_is_set_aside(run: Run) -> None:
    done = run("assess", ADULT, *AS_OF, "--unit", "neutrophils=banana")
    assert (done.code, done.out) == (2, "")
    assert "--unit 'neutrophils=banana' cannot be read" in done.err


def test_a_folder_without_knowledge_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    done = run("knowledge", "check", "--knowledge", tmp_path)
    assert done.code == 2
    assert "this folder holds no knowledge" in done.err


def test_the_help_lists_every_command_once_under_a_heading(run: Run) -> None:
    text = run("--help").out
    known = cli.list_commands(click.Context(cli))
    assert {name for names in SECTIONS.values() for name in names} <= set(known)
    assert all(len(re.findall(rf"^  {name}  ", text, re.MULTILINE)) == 1 for name in known)


def test_strict_ends_with_4_where_something_could_not_be_believed(run: Run) -> None:
    done = run("assess", ADULT, *AS_OF, "--quiet", "--strict")
    assert done.code == 4
    assert re.search(r"--strict: [1-9]\d* notices of what was not read or believed, [1-9]\d* answers", done.err)


def test_quiet_prints_nothing(run: Run) -> None:
    assert run("assess", ADULT, *AS_OF, "--quiet") == Done(0, "", "")


def test_the_view_fits_the_width(run: Run) -> None:
    for width in (60, 80, 120):
        done = run("assess", ADULT, *AS_OF, "--width", str(width))
        assert max(map(len, done.out.splitlines())) <= width


def test_no_colour_codes_where_no_colour_is_wanted(run: Run) -> None:
    assert "\x1b" not in run("assess", ADULT, *AS_OF).out


def test_standard_input() -> None:
    done = process("assess", "-", *AS_OF, "--json", "-", stdin=ADULT.read_bytes())
    assert done.code == 0
    assert json.loads(done.out)["patient"]["id"] == "example-adult"


def test_a_table_with_a_decimal_comma_needs_no_option(run: Run) -> None:
    done = run("assess", GERMAN, "--as-of", "2026-05-12", "--json", "-")
    assert white_counts(json.loads(done.out)) == [3.4, 2.9, 2.7, 2.8, 2.6]


# ---- bad calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("assess",), "PATH"),
        (("assess", "no-such-file.json"), "does not exist"),
        (("assess", ADULT, "--no-such-option"), "--no-such-option"),
        (("assess", ADULT, "--as-of", "yesterday"), "2026-01-31"),
        (("assess", ADULT, "--zone", "Nowhere/Land"), "Europe/Berlin"),
        (("assess", ADULT, "--unit", "neutrophils"), "ANALYTE=UNIT"),
        (("assess", ADULT, "--unit", "neutrofilz=/uL"), "neutrofil"),
        (("assess", ADULT, "--html", "-"), "stdout"),
        (("assess", ADULT, "--html", "no/such/folder/page.html"), "folder"),
        (("assess", ADULT, "--json", ADULT), "overwrite"),
        (("asses", ADULT), "'assess'"),
        (("explain", "ctcae-6:neutrophil"), "ctcae-6:neutrophils"),
        (("explain", "LK9"), "LK"),
        (("cite", "no-such-file.json"), "does not exist"),
    ],
    ids=lambda value: " ".join(map(str, value))[-60:] if isinstance(value, tuple) else None,
)
def test_a_call_that_cannot_be_understood(words: tuple[str, ...], says: str, run: Run) -> None:
    done = run(*words)
    assert done.code == 2
    assert done.out == ""
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_file_instead_of_a_command_gets_the_command(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("labs.csv").write_text("x")
    assert "leuko assess labs.csv" in run("labs.csv").err


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("truncated.json", ADULT.read_bytes()[:20_000]),
        ("empty.json", b""),
        ("blank.csv", b"\n  \n"),
        ("binary.bin", bytes(range(256)) * 40),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 200),
        ("prose.txt", b"Dear colleague, the counts were fine.\n"),
        ("no-dates.csv", b"patient_id,test,value,unit\np,WBC,3.1,10*9/L\np,Neutrophils,0.4,10*9/L\n"),
        ("nobody.json", b'{"resourceType": "Bundle", "type": "collection", "entry": []}'),
    ],
)
def test_unreadable_input_is_told_and_never_a_traceback(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = process("assess", path, *AS_OF)
    assert "Traceback" not in done.out + done.err
    assert "leuko itself failed" not in done.err
    if name == "no-dates.csv":  # the counts are people's and can be read; what they are worth without a day is said
        assert done.code in {0, 3}
        assert "LK" in done.out + done.err
    else:
        assert done.code == 3
        assert name in done.err


def test_a_damaged_file_beside_a_good_one_is_a_notice(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_bytes(ADULT.read_bytes()[:20_000])
    (tmp_path / "good.json").write_bytes(ADULT.read_bytes())
    done = run("assess", tmp_path, *AS_OF, "--json", "-", "--strict")
    assert done.code == 4
    assert any(notice["place"]["source"].endswith("broken.json") for notice in json.loads(done.out)["notices"])


def test_two_people_in_one_bundle_stay_two(run: Run, tmp_path: Path) -> None:
    path = bundle(
        tmp_path / "two.json",
        patient("first"), patient("second"),
        observation("first", 1, 2.2), observation("second", 1, 7.7),
    )  # fmt: skip
    people = json.loads(run("assess", path, *AS_OF, "--json", "-").out)
    found = {person["patient"]["id"]: white_counts(person) for person in people}
    assert found == {"first": [2.2], "second": [7.7]}


ODD = {
    "future date": observation("p", 2, 1.9, day="2031-01-01"),
    "negative count": observation("p", 2, -1.9, day="2026-01-12"),
    "unknown code": observation("p", 2, 1.9, code="99999-9", day="2026-01-12"),
}


@pytest.mark.parametrize("what", ODD)
def test_an_unbelievable_result_is_set_aside_with_a_notice_and_the_rest_goes_on(
    what: str, run: Run, tmp_path: Path
) -> None:
    path = bundle(tmp_path / "odd.json", patient("p"), observation("p", 1, 2.2), ODD[what])
    done = run("assess", path, *AS_OF, "--json", "-")
    assert done.code == 0
    content = json.loads(done.out)
    assert white_counts(content) == [2.2]
    about = [notice for notice in content["notices"] if "odd.json" in notice["place"]["source"]]
    assert about, "nothing was said about it"
    assert all(notice["code"].startswith("LK") for notice in about)


def test_a_draw_before_birth_makes_no_age(run: Run, tmp_path: Path) -> None:
    """One of the two dates is wrong, and nobody can know which: nothing that depends on the age is concluded."""
    early = observation("p", 2, 1.9, day="1961-01-12")
    path = bundle(tmp_path / "odd.json", patient("p"), observation("p", 1, 2.2), early)
    content = json.loads(run("assess", path, *AS_OF, "--json", "-").out)
    read_or_set_aside = len(white_counts(content)) + len(content["set_aside"])
    assert read_or_set_aside == 2 or any(notice["data_lost"] for notice in content["notices"])
    assert content["patient"]["born"] is None or white_counts(content) == [2.2]
    assert any("birth" in notice["text"] for notice in content["notices"])


# ---- failures of leuko itself ----------------------------------------------------------------------------------------


def broken(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("leuko.intake.read", fail)


def test_a_bug_is_an_apology_without_a_persons_data(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, ZeroDivisionError("Alma Example, born 1968-05-14"))
    done = run("assess", ADULT, *AS_OF)
    assert done.code == 1
    assert "ZeroDivisionError" in done.err
    assert "Alma" not in done.err
    assert "Traceback" not in done.err


def test_the_traceback_of_a_bug_can_be_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, ZeroDivisionError("inside"))
    monkeypatch.setenv("LEUKO_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["assess", str(ADULT), *AS_OF])


def test_an_interruption(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, KeyboardInterrupt())
    assert run("assess", ADULT, *AS_OF).code == 130


def test_a_reader_that_stops_reading_our_output_is_no_error() -> None:
    command = f"{sys.executable} -m leuko schema | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{"
    assert done.stderr == ""


# ---- the other commands ----------------------------------------------------------------------------------------------


def test_version(run: Run) -> None:
    assert run("--version").out.strip() == f"leuko {leuko.__version__}"


def test_explain_shows_edition_limits_and_source(run: Run) -> None:
    said = run("explain", "CTCAE-6:neutrophils").out
    assert re.search(r"grade 4 +< 0\.1", said)
    assert "nci-ctcae-6" in said


def test_explain_knows_every_notice(run: Run) -> None:
    from leuko.knowledge import load_library

    codes = sorted(load_library().notices)
    said = run("explain", *codes).out
    assert all(code in said for code in codes)


def test_explain_knows_an_analyte_by_its_laboratory_name(run: Run) -> None:
    assert run("explain", "ANC").out == run("explain", "neutrophils").out


def test_cite_prints_what_an_assessment_rests_on(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    run("assess", ADULT, *AS_OF, "--json", path, "--quiet")
    cited, all_of_them = run("cite", path).out, run("cite").out
    assert "[nci-ctcae-6]" in cited
    assert len(cited) < len(all_of_them)
    assert run("cite", path, "--bibtex").out.startswith("@misc{")


def test_cite_refuses_what_is_no_assessment(run: Run) -> None:
    done = run("cite", ADULT)
    assert done.code == 3
    assert "leuko assess" in done.err


def test_schema_holds_for_the_output(run: Run) -> None:
    import jsonschema

    schema = json.loads(run("schema").out)
    jsonschema.validate(json.loads(run("demo", "--json", "-").out), schema)
