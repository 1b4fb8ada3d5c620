"""FHIR in, FHIR out: one person's record is assessed, and whatever is wrong is an OperationOutcome that says what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationdefinition import OperationDefinition
from fhir.resources.R4B.operationoutcome import OperationOutcome
from sqlalchemy import select
from starlette.testclient import TestClient

from fixtures.fhir_validator import faults
from fixtures.http import asked, log_in, token_for
from fixtures.stores import Clock
from leuko.errors import UsageError
from leuko.knowledge import load_library
from leuko.service.fhir import router
from leuko.service.http.settings import HttpSettings, LimitSettings
from leuko.service.roles import Role
from leuko.service.store import Store, open_store, tables
from leuko.service.store.site import set_site

Json = dict[str, Any]
FHIR = {"Content-Type": "application/fhir+json"}
OPERATION = "/fhir/$leuko-assess"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "x.sqlite", clock=Clock())
    yield store
    store.close()


@pytest.fixture
def client(opened: Store) -> Iterator[TestClient]:
    with asked(opened, [router()]) as found:
        log_in(found, Role.CLINICIAN)
        yield found


def observation(value: float = 0.4, *, person: str = "ada", day: str = "2026-01-10", name: str = "o1") -> Json:
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "751-8"}], "text": "Neutrophils"},
        "subject": {"reference": f"Patient/{person}"},
        "effectiveDateTime": f"{day}T08:30:00+01:00",
        "valueQuantity": {
            "value": value,
            "unit": "10*9/L",
            "system": "http://unitsofmeasure.org",
            "code": "10*9/L",
        },
    }


def temperature(degrees: float) -> Json:
    return observation(degrees, day="2026-01-11", name="t1") | {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}], "text": "Body temperature"},
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "valueQuantity": {"value": degrees, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel"},
    }


def patient(name: str = "ada") -> Json:
    return {"resourceType": "Patient", "id": name, "gender": "female", "birthDate": "1960-01-01"}


def record(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def parameters(*more: Json, of: Json | None = None) -> Json:
    whole = record(patient(), observation()) if of is None else of
    return {"resourceType": "Parameters", "parameter": [{"name": "record", "resource": whole}, *more]}


def post(client: TestClient, body: Json | bytes | str, **headers: str) -> Any:
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    return client.post(OPERATION, content=content, headers={**FHIR, **headers})


def kinds(bundle: Json) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in bundle["entry"]]


def outcome(answer: Any) -> str:
    """The diagnostics of a valid OperationOutcome."""
    assert answer.headers["content-type"] == "application/fhir+json", answer.text
    OperationOutcome.model_validate_json(answer.content)
    return " | ".join(one["diagnostics"] for one in answer.json()["issue"])


def headline(bundle: Json) -> str:
    (guidance,) = (one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "GuidanceResponse")
    return str(guidance["note"][0]["text"])


# ---- what can be answered -------------------------------------------------------------------------------------------


def test_a_bundle_in_is_a_bundle_of_conclusions_out(client: TestClient) -> None:
    answer = post(client, record(patient(), observation()))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    Bundle.model_validate_json(answer.content)
    made = answer.json()
    assert {"Patient", "Observation", "DetectedIssue", "GuidanceResponse", "Provenance"} <= set(kinds(made))
    assert made["timestamp"].startswith("2026-01-11")
    assert headline(made).startswith("Severe neutropenia: Neutrophils 0.4")


def test_parameters_say_day_person_and_zone(client: TestClient) -> None:
    two = record(patient(), patient("bob"), observation(), observation(4.0, person="bob", name="o2"))
    words = [
        {"name": "patient", "valueReference": {"reference": "Patient/bob"}},
        {"name": "asOf", "valueDate": "2026-01-10"},
        {"name": "zone", "valueString": "Europe/Berlin"},
    ]
    made = post(client, parameters(*words, of=two)).json()
    assert made["timestamp"].startswith("2026-01-10")
    assert "4" in headline(made)
    assert "0.4" not in json.dumps(made)
    (one,) = (each["resource"] for each in made["entry"] if each["resource"]["resourceType"] == "Patient")
    assert one["identifier"] == [{"value": "bob"}]


@pytest.mark.parametrize("said", ["ada", "Patient/ada", "https://ehr.example/fhir/Patient/ada"])
def test_a_person_is_named_by_id_or_reference(client: TestClient, said: str) -> None:
    two = record(patient(), patient("bob"), observation(), observation(4.0, person="bob", name="o2"))
    made = post(client, parameters({"name": "patient", "valueString": said}, of=two))
    assert made.status_code == 200
    assert "0.4" in headline(made.json())


def test_resources_may_come_one_by_one(client: TestClient) -> None:
    body = parameters({"name": "record", "resource": observation(0.2, day="2026-01-11", name="o2")})
    assert "0.2" in headline(post(client, body).json())


def test_a_record_without_counts_is_answered_with_what_cannot_be_said(client: TestClient) -> None:
    answer = post(client, record(patient()))
    assert answer.status_code == 200
    assert "OperationOutcome" in kinds(answer.json())


def test_the_settings_of_the_site_hold_here_too(client: TestClient, opened: Store) -> None:
    """38.2 °C is fever for one body and not for another; the site chooses which one alerts."""
    body = record(patient(), observation(0.2, day="2026-01-11"), temperature(38.2))
    assert "Flag" in kinds(post(client, body).json())
    flags = []
    for body_of_site in ("NICE", "IDSA"):
        with opened.write() as connection:
            set_site(connection, opened.now(), {"bodies": [body_of_site]}, actor="test")
        made = post(client, body).json()
        flags.append([one["resource"] for one in made["entry"] if one["resource"]["resourceType"] == "Flag"])
    assert flags[0] != flags[1]


def test_today_is_the_day_at_the_site(opened: Store) -> None:
    """The clock of the test is at noon in UTC: on Kiritimati the next day has begun."""
    settings = HttpSettings(parts={"fhir": {"zone": "Pacific/Kiritimati"}})
    with asked(opened, [router(settings)], settings=settings) as client:
        log_in(client, Role.CLINICIAN)
        assert post(client, record(patient(), observation())).json()["timestamp"].startswith("2026-01-12")


@pytest.mark.parametrize("table", [{"zone": "Nowhere"}, {"zone": 7}, {"zoen": "UTC"}])
def test_a_table_of_settings_that_cannot_be_meant_is_refused(table: Json) -> None:
    with pytest.raises(UsageError):
        router(HttpSettings(parts={"fhir": table}))


def test_numbers_are_read_as_they_were_written(client: TestClient) -> None:
    body = json.dumps(record(patient(), observation())).replace('"value": 0.4', '"value": 0.40')
    (count,) = (
        one["resource"]
        for one in post(client, body).json()["entry"]
        if one["resource"]["resourceType"] == "Observation" and "valueQuantity" in one["resource"]
    )
    assert count["valueQuantity"]["value"] == 0.4


# ---- what cannot ----------------------------------------------------------------------------------------------------


def test_several_people_need_a_name(client: TestClient) -> None:
    two = record(patient(), patient("bob"), observation(), observation(4.0, person="bob", name="o2"))
    answer = post(client, two)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["code"] == "multiple-matches"
    assert "ada, bob" in outcome(answer)


def test_a_result_of_another_person_is_never_mixed_in(client: TestClient) -> None:
    """One Patient resource, and a result that names someone else: who is meant is not guessed."""
    answer = post(client, record(patient(), observation(), observation(0.1, person="eve", name="o2")))
    assert answer.status_code == 422
    assert "2 people" in outcome(answer)


def test_a_person_who_is_not_there_is_refused(client: TestClient) -> None:
    answer = post(client, parameters({"name": "patient", "valueString": "eve"}))
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "not-found")
    assert "ada" in outcome(answer)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "no JSON"),
        (b"[]", 422, "no FHIR resource"),
        (b"\xff\xfe{}", 400, "UTF-8"),
        (b"[" * 100_000, 422, "no FHIR"),
        (b'{"resourceType":"Bundle","entry":' + b"[" * 100_000, 400, "JSON"),
        (b"null", 422, "no FHIR resource"),
        (b'{"resourceType": 7}', 422, "no FHIR"),
        (b'{"resourceType": "Patient"}', 422, "is Patient"),
        (b'{"resourceType": "Bundle"}', 422, "nothing that was sent is about a person"),
        (b'{"resourceType": "Bundle", "entry": "x"}', 422, "LK401"),
        (b'{"resourceType": "Parameters"}', 422, "`record`"),
        (b'{"resourceType": "Parameters", "parameter": [7]}', 422, "parameter[0]"),
        (b'{"resourceType": "Parameters", "parameter": {}}', 422, "Parameters.parameter"),
        (b'{"resourceType": "Parameters", "parameter": [{"name": "record"}]}', 422, "`record` is a resource"),
    ],
)
def test_a_body_that_cannot_be_read_is_explained(client: TestClient, body: bytes, status: int, words: str) -> None:
    answer = post(client, body)
    assert answer.status_code == status
    assert words in outcome(answer)


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ({"name": "asof", "valueDate": "2026-01-10"}, "unknown parameter"),
        ({"name": "asOf", "valueString": "2026-01-10"}, "valueDate"),
        ({"name": "asOf", "valueDate": "10.1.2026"}, "2026-01-31"),
        ({"name": "asOf", "valueDate": "0001-01-01"}, "2026-01-31"),
        ({"name": "asOf", "valueDate": 7}, "text"),
        ({"name": "asOf"}, "valueDate"),
        ({"name": "zone", "valueString": "../../etc/passwd"}, "time zone"),
        ({"name": "forecast", "valueBoolean": "yes"}, "true or false"),
        ({"name": "patient", "valueReference": {}}, "text"),
        ({"name": "regimen", "valueString": " "}, "text"),
        ({}, "name"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(client: TestClient, parameter: Json, words: str) -> None:
    answer = post(client, parameters(parameter))
    assert answer.status_code == 422
    assert words in outcome(answer)


def test_a_parameter_that_stands_twice_is_refused(client: TestClient) -> None:
    twice = [{"name": "asOf", "valueDate": day} for day in ("2026-01-10", "2026-01-11")]
    assert "twice" in outcome(post(client, parameters(*twice)))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/fhir+xml"}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        ({"Accept": "application/fhir+xml"}, 406),
        ({"Accept": "application/fhir+json;q=0"}, 406),
    ],
)
def test_other_formats_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = post(client, record(patient(), observation()), **headers)
    assert answer.status_code == status
    assert "application/fhir+json" in outcome(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": 'application/fhir+json; charset="UTF-8"'},
        {"Accept": "application/fhir+xml;q=0.5, application/fhir+json"},
        {"Accept": "*/*"},
    ],
)
def test_the_usual_formats_are_taken(client: TestClient, headers: dict[str, str]) -> None:
    assert post(client, record(patient(), observation()), **headers).status_code == 200


def test_words_in_the_url_are_refused_rather_than_ignored(client: TestClient) -> None:
    answer = client.post(f"{OPERATION}?asOf=2020-01-01", json=record(patient(), observation()))
    assert answer.status_code == 400
    assert "Parameters" in outcome(answer)


def test_a_body_that_is_too_long_is_refused(opened: Store) -> None:
    with asked(opened, [router()], settings=HttpSettings(limits=LimitSettings(body_bytes=1000))) as client:
        log_in(client, Role.CLINICIAN)
        answer = post(client, record(patient(), *[observation(name=f"o{n}") for n in range(50)]))
    assert answer.status_code == 413
    outcome(answer)


@pytest.mark.parametrize(("verb", "path", "status"), [("GET", "/fhir/Patient/1", 404), ("GET", OPERATION, 405)])
def test_what_is_not_served_is_an_outcome_too(client: TestClient, verb: str, path: str, status: int) -> None:
    answer = client.request(verb, path)
    assert answer.status_code == status
    outcome(answer)


def test_who_asks_too_often_is_told_when_to_ask_again(opened: Store) -> None:
    limits = LimitSettings(requests_per_minute=1, burst=1)
    with asked(opened, [router()], settings=HttpSettings(limits=limits)) as client:
        assert client.get("/fhir/metadata").status_code == 200
        answer = client.get("/fhir/metadata")
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (429, "throttled")
        assert int(answer.headers["retry-after"]) > 0
        outcome(answer)


# ---- who may, and what is kept --------------------------------------------------------------------------------------


def test_who_is_not_logged_in_or_may_not_is_told_so(opened: Store) -> None:
    with asked(opened, [router()]) as client:
        answer = post(client, record(patient(), observation()))
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (401, "login")
        outcome(answer)
        log_in(client, Role.VIEWER)
        answer = post(client, record(patient(), observation()))
        assert (answer.status_code, answer.json()["issue"][0]["code"]) == (403, "forbidden")
        outcome(answer)


def test_a_junk_token_is_refused_and_a_machine_s_token_is_not(opened: Store) -> None:
    with asked(opened, [router()]) as client:
        token = token_for(client, Role.CLINICIAN)
        body = record(patient(), observation())
        for junk in ("x", token[:-1], f"{token}x", "a" * 8000, "a.b.c"):
            assert post(client, body, Authorization=f"Bearer {junk}").status_code == 401
        raw = [(b"content-type", b"application/fhir+json"), (b"authorization", b"Bearer \xe9\x00\xff")]
        assert client.post(OPERATION, json=body, headers=raw).status_code == 401
        assert post(client, body, Authorization=f"Bearer {token}").status_code == 200


def test_each_assessment_is_audited_and_none_is_given_where_it_cannot_be(client: TestClient, opened: Store) -> None:
    assert post(client, record(patient(), observation())).status_code == 200
    with opened.read() as connection:
        rows = connection.execute(select(tables.audit).where(tables.audit.c.action == "person-execute")).all()
    assert [(row.actor, row.subject) for row in rows] == [("test-clinician", "ada")]
    from sqlalchemy import event
    from sqlalchemy.exc import OperationalError

    @event.listens_for(opened.engine, "before_cursor_execute")
    def _down(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO audit"):
            raise OperationalError(statement, {}, Exception("gone"))

    answer = post(client, record(patient(), observation()))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "ada" not in outcome(answer)


def test_a_fault_of_our_own_says_nothing_of_the_person(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from leuko.service.fhir import assessing

    def faulty(*_: object, **__: object) -> object:
        raise ZeroDivisionError("ada 0.4")

    monkeypatch.setattr(assessing, "assess", faulty)
    answer = post(client, record(patient(), observation()))
    assert answer.status_code == 500
    assert "ada" not in outcome(answer) + caplog.text
    assert "ZeroDivisionError" in caplog.text


# ---- what the server says of itself ---------------------------------------------------------------------------------


def test_the_statements_are_valid_and_lead_to_each_other(opened: Store) -> None:
    load_library()
    with asked(opened, [router()]) as client:
        said = client.get("/fhir/metadata")
        CapabilityStatement.model_validate_json(said.content)
        assert said.headers["content-type"] == "application/fhir+json"
        (operation,) = said.json()["rest"][0]["operation"]
        where = operation["definition"].removeprefix("http://localhost")
        made = client.get(where, headers={"Accept": "application/fhir+json"})
        OperationDefinition.model_validate_json(made.content)
        assert made.json()["url"] == operation["definition"]
        names = [one["name"] for one in made.json()["parameter"]]
        assert names == ["record", "patient", "asOf", "zone", "regimen", "forecast", "return"]
        assert client.get("/fhir/metadata?_format=xml").status_code == 406


def test_the_r4_validator_of_npm_finds_no_error(client: TestClient) -> None:
    assert faults(client.get("/fhir/metadata").content) == []
    assert faults(client.get("/fhir/OperationDefinition/leuko-assess").content) == []
    assert faults(post(client, {"resourceType": "Parameters"}).content) == []


def test_the_address_of_the_site_is_used_where_it_is_known(opened: Store) -> None:
    with asked(opened, [router()], settings=HttpSettings(public_url="https://leuko.example")) as client:
        said = client.get("/fhir/metadata").json()
    assert said["implementation"]["url"] == "https://leuko.example/fhir"
