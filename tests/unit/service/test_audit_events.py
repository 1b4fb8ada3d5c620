"""The audit as FHIR AuditEvents: valid, and leading back to the row."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Request
from fhir.resources.R4B.auditevent import AuditEvent

from fixtures.hl7 import oru
from fixtures.http import asked, log_in
from fixtures.stores import take
from leuko.__main__ import main
from leuko.service import audit_events
from leuko.service.audit_events import event_of, events
from leuko.service.http.guard import Role, Who, audited, needs
from leuko.service.store import Store, audit


def test_every_row_is_a_valid_event(store: Store) -> None:
    take(store, oru(), "MSH||")
    with asked(store) as client:
        log_in(client, Role.VIEWER, name="Ada")
        client.post("/logout")
    made = list(events(store))
    for event in made:
        AuditEvent.model_validate_json(json.dumps(event))
    told = [(one["type"]["display"], one["action"], one["outcome"], one["agent"][0]["who"]["display"]) for one in made]
    assert told == [
        ("Import", "C", "0", "feed"),
        ("Import", "C", "4", "feed"),
        ("Security Alert", "E", "0", "test"),
        ("User Authentication", "E", "0", "Ada"),
        ("User Authentication", "E", "0", "Ada"),
    ]
    subtypes = ["User security Attributes Changed", "Login", "Logout"]
    assert [one["subtype"][0]["display"] for one in made[2:]] == subtypes
    details = {one["type"]: one["valueString"] for one in made[-1]["entity"][-1]["detail"]}
    assert (details["row"], details["hash"]) == ("5", audit.verify(store).head)


def test_who_looked_at_whom_is_told(store: Store, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    routes = APIRouter()

    @routes.get("/people/{person}")
    def person(request: Request, person: str, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> str:
        audited(request, who, person=person, what="assessment", detail={"assessment": 7})
        return person

    with asked(store, [routes]) as client:
        log_in(client, Role.VIEWER, name="Ada")
        client.get("/people/4711^HOSP")
    assert main(["audit", "export", "--store", address, "--after", "2"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    event = json.loads(line)
    AuditEvent.model_validate_json(line)
    assert (event["type"]["display"], event["action"]) == ("Patient Record", "R")
    assert event["agent"][0]["network"] == {"address": "127.0.0.1", "type": "2"}
    person_entity = event["entity"][0]
    assert person_entity["what"]["identifier"] == {"value": "4711", "assigner": {"display": "HOSP"}}
    details = {one["type"]: one["valueString"] for one in event["entity"][1]["detail"]}
    assert details["assessment"] == "7"
    assert details["what"] == "assessment"


def test_types_and_subtypes_are_each_of_their_own_value_set() -> None:
    """DICOM CID 400 and 401, which FHIR R4 takes over: 110137 as a type is known to no receiver."""
    for action in (*audit_events._KINDS, "person-read", "person-search", "anything else"):
        row = {"id": 1, "at": "2026-01-11T12:00:00+00:00", "actor": "x", "action": action, "subject": "", "hash": "0"}
        event = event_of({**row, "detail": "{}"})
        AuditEvent.model_validate_json(json.dumps(event))
        assert 110100 <= int(event["type"]["code"]) <= 110114
        assert all(110120 <= int(one["code"]) <= 110147 for one in event.get("subtype", []))
