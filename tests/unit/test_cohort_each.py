"""`leuko cohort --with causes,forecast`: what the flow for one person says of everybody, whatever batch and engine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import leuko
from fixtures import cohort_files
from leuko.assessment import Asked as AskedOfOne
from leuko.assessment import assess
from leuko.cohort import workers
from leuko.cohort.each import causes, forecast, told
from leuko.cohort.each.records import Records, records_of
from leuko.cohort.engine import Asked, Said, Task, answer, run
from leuko.cohort.frames import codes_of, codes_text
from leuko.cohort.read import Frames, read_source
from leuko.cohort.tables import rules_of
from leuko.errors import LeukoError
from leuko.intake import read
from leuko.record import Code, digest_of

RULES = rules_of()


@dataclass
class Given:
    tables: dict[str, pl.DataFrame]


def asked(*parts: str, as_of: date | None = None) -> Asked:
    return Asked(rules=RULES, each=parts, as_of=as_of)


def written(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def sources(folder: Path, *, size: int = 20_000) -> list[Frames]:
    return list(read_source([folder], batch_people=size))


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FHIR: the small study, and people of whom little can be said."""
    folder = cohort_files.ndjson(tmp_path_factory.mktemp("bulk") / "in")
    people = [{"resourceType": "Patient", "id": name} for name in ("empty", "sound")]
    sound = {
        "resourceType": "Observation",
        "id": "sound-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "6690-2"}]},
        "subject": {"reference": "Patient/sound"},
        "effectiveDateTime": "2024-01-09",
        "valueQuantity": {"value": 6.1, "unit": "10*9/L", "system": "http://unitsofmeasure.org", "code": "10*9/L"},
    }
    conditions = [
        {
            "resourceType": "Condition",
            "id": f"c{person}",
            "subject": {"reference": f"Patient/{person}"},
            "clinicalStatus": {"coding": [{"code": "active"}]},
            "verificationStatus": {"coding": [{"code": verified}]},
            "code": {
                "coding": [
                    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "B20"},
                    {"system": "http://example.org/own", "code": "a;b|c"},
                ],
                "text": "HIV infection",
            },
            "onsetDateTime": "2019-05-02",
        }
        for person, verified in ((1, "confirmed"), (2, "provisional"), (3, "refuted"))
    ]
    text = "".join(json.dumps(one) + "\n" for one in (*people, sound, *conditions))
    (folder / "more.ndjson").write_text(text)
    return folder


@pytest.fixture(scope="module")
def told_of(bulk: Path) -> dict[str, pl.DataFrame]:
    """Both parts for everybody, in one batch."""
    (batch,) = sources(bulk)
    return dict(answer(batch.tables, asked("causes", "forecast")).tables)


def test_it_says_what_the_flow_for_one_person_says(bulk: Path, told_of: dict[str, pl.DataFrame]) -> None:
    records = {record.patient.id: record for record in read(*sorted(bulk.glob("*.ndjson"))).records}
    for who in ("1", "2"):
        rows = told_of["causes"].filter(person=who)
        day = max(count.taken.day for count in records[who].counts if count.taken is not None)
        assert rows["as_of"].unique().to_list() == [day]
        alone = assess(records[who], as_of=day, asked=AskedOfOne(wish=None))
        said = [(one.id, one.standing, one.strength, one.rank) for one in alone.causes]
        assert rows.select("cause", "standing", "strength", "rank").rows() == said != []
        # of two counts alike the one with the lesser id is quoted, and ids are the source's own only there
        assert rows["text"][0] == alone.causes[0].reason.text


def test_a_forecast_is_told_quantity_by_quantity(told_of: dict[str, pl.DataFrame]) -> None:
    rows = told_of["forecast"].filter(person="1", said=True)
    assert rows.filter(quantity="forecast").select("analyte", "method").row(0) == ("neutrophils", "marrow")
    below = dict(rows.filter(quantity="below").select("cut", "probability").iter_rows())
    assert list(below) == sorted(below)
    assert all(0 <= one <= 1 for one in below.values())
    nadir = rows.filter(quantity="nadir").row(0, named=True)
    assert nadir["low_95"] <= nadir["low_80"] <= nadir["low_50"] <= nadir["median"] <= nadir["high_80"]
    assert nadir["unit"] == "10*9/L"
    first = rows.filter(quantity="forecast").row(0, named=True)
    assert first["sources"]
    assert first["models"].startswith("regimen-")  # no amount is on record


def test_nobody_is_left_out_and_who_has_no_answer_has_a_reason(told_of: dict[str, pl.DataFrame]) -> None:
    everybody = told_of["persons"]["person"].to_list()
    for part, maker in (("causes", causes), ("forecast", forecast)):
        table = told_of[part]
        assert sorted(table["person"].unique()) == sorted(everybody)
        unsaid = {row["person"]: row for row in table.filter(~pl.col("said")).iter_rows(named=True)}
        assert unsaid["empty"]["text"] == "no count of this person could be used"
        assert unsaid["empty"]["as_of"] is None
        assert unsaid["sound"]["text"] == maker.NOTHING
        assert not table["said"].is_null().any()
        assert table.filter(~pl.col("said") & pl.col("text").is_null()).height == 0


def test_what_is_doubted_or_refuted_does_not_speak(told_of: dict[str, pl.DataFrame]) -> None:
    """Three people with the same code of HIV, one of them surely: the status must reach the causes."""
    facts = told_of["facts"].filter(kind="condition").sort("person")
    assert facts["status"].str.contains("provisional").to_list() == [False, True]
    hiv = told_of["causes"].filter(name="HIV infection")
    standing = dict(hiv.select("person", "standing").iter_rows())
    assert standing["1"] == "supported"
    assert {standing.get("2"), standing.get("3")} <= {None, "open"}


def test_codes_come_back_as_they_were() -> None:
    codes = (Code(system="http://a|b", code="x;y"), Code(system="urn:oid:1.2", code="100%"))
    assert codes_of(codes_text(codes)) == codes
    assert codes_of(codes_text(())) == ()


def test_the_day_that_is_asked_for(bulk: Path) -> None:
    (batch,) = sources(bulk)
    day = date(2024, 1, 20)
    rows = answer(batch.tables, asked("causes", as_of=day)).tables["causes"]
    assert set(rows.filter(pl.col("person") != "empty")["as_of"]) == {day}
    assert rows.filter(person="empty")["as_of"].to_list() == [None]


def test_a_record_is_the_same_whatever_the_order_of_rows(tmp_path: Path) -> None:
    (batch,) = sources(cohort_files.sdtm(tmp_path / "in"))
    tables = dict(batch.tables)
    turned = {name: table.reverse() for name, table in tables.items()}
    ids = pl.Series(["1", "2"])
    mine, theirs = (dict(records_of(Records.of(one, RULES), ids, RULES)) for one in (tables, turned))
    # the place of a count is the number of its row, and no part of what is known of the person
    assert repr(mine) == repr(theirs)
    assert [digest_of(one) for one in mine.values()] == [digest_of(one) for one in theirs.values()]
    doses = mine["1"].doses
    assert [(dose.drug, dose.amount, dose.unit, dose.given, dose.status) for dose in doses] == [
        ("Docetaxel", 100.0, "mg/m2", True, "completed")
    ] * 2
    assert [dose.start.precision for dose in doses if dose.start is not None] == ["day", "day"]


def test_processes_batches_and_resuming_leave_no_trace(tmp_path: Path) -> None:
    source = cohort_files.omop(tmp_path / "in")
    whole = asked("causes", "forecast")
    run(sources(source), tmp_path / "plain", whole)
    progress: list[Said] = []
    engine = workers.processes(2)
    run(sources(source, size=2), tmp_path / "two", whole, engine=engine, progress=progress.append)
    assert [said.people for said in progress] == [2, 4, 6]
    assert written(tmp_path / "two") == written(tmp_path / "plain")

    class KilledError(Exception):
        pass

    def stop(said: Said) -> None:
        if said.batches == 1:
            raise KilledError

    out = tmp_path / "out"
    with pytest.raises(KilledError):
        run(sources(source, size=2), out, whole, progress=stop)
    said = run(sources(source, size=2), out, whole, resume=True)
    assert said.reused >= 1
    assert written(out) == written(tmp_path / "plain")


def test_one_person_whom_the_program_fails_stops_nobody(
    bulk: Path, monkeypatch: pytest.MonkeyPatch, told_of: dict[str, pl.DataFrame]
) -> None:
    def failing(record: Any, **more: Any) -> Any:
        if record.patient.id == "2":
            raise ValueError("a matrix that cannot be inverted")
        return assess(record, **more)

    monkeypatch.setattr(told, "assess", failing)
    (batch,) = sources(bulk)
    found = answer(batch.tables, asked("causes")).tables
    row = found["causes"].filter(person="2").row(0, named=True)
    assert (row["said"], "matrix" in row["text"]) == (False, True)
    notice = found["notices"].filter(code="LK781").row(0, named=True)
    assert (notice["person"], notice["severity"], notice["rows"]) == ("2", "error", 0)
    others = pl.col("person") != "2"
    assert found["causes"].filter(others).equals(told_of["causes"].filter(others))


def tasks(folder: Path) -> Iterator[Task]:
    for number, batch in enumerate(sources(folder, size=2)):
        yield Task(number=number, tables=batch.tables, key="")


def test_a_worker_that_ends_before_its_time_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = cohort_files.omop(tmp_path / "in")
    started: list[Any] = []
    start = workers._Worker.__init__

    def watched(self: Any, *given: Any) -> None:
        start(self, *given)
        started.append(self)
        os.kill(self._process.pid, signal.SIGKILL)

    monkeypatch.setattr(workers._Worker, "__init__", watched)
    with pytest.raises(LeukoError, match="worker ended"):
        list(workers.processes(1)(tasks(source), asked("causes")))
    assert len(started) == 1


def test_an_error_of_a_worker_is_raised_where_it_was_asked(tmp_path: Path) -> None:
    source = cohort_files.omop(tmp_path / "in")
    broken = (Task(number=one.number, tables={"results": one.tables["results"]}, key="") for one in tasks(source))
    with pytest.raises(KeyError, match="people"):
        list(workers.processes(1)(broken, asked("causes")))


def test_from_python(tmp_path: Path) -> None:
    found = leuko.cohort(cohort_files.sdtm(tmp_path / "in"), with_=["causes"], definitions=["dsn"])
    supported = found.causes.filter(standing="supported", cause="CA001").collect()
    assert set(supported["person"]) >= {"1", "3", "5"}  # the arm whose neutrophils fall below 0.5
    with pytest.raises(LeukoError, match="no such table"):
        found.table("forecast")
