"""Rows of the audit as FHIR R4 AuditEvents, for the audit record repository of a hospital.

The row stays what is bound by the hash; its number and hash go along, so that an event leads back to its row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from leuko.service.store import Store
from leuko.service.store.tables import audit

# Codes and displays as the value sets of FHIR R4 have them: at https://hl7.org/fhir/R4/ valueset-audit-event-type.html
# (DICOM CID 400: 110100 to 110114), valueset-audit-event-sub-type.html (110120 to 110147, never types themselves) and
# codesystem-object-role.html. What an event of a kind holds: DICOM PS3.15, A.5.3.
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_OBJECT: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_CHUNK: Final = 1000  # rows fetched at a time
_SUCCESS, _REFUSED = "0", "4"  # http://hl7.org/fhir/audit-event-outcome
_VERBS: Final = {"read": "R", "search": "E", "create": "C", "update": "U", "execute": "E"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What a row is in the codes of DICOM, the verb of FHIR (C R U D E), and how it ended."""

    code: str
    display: str
    verb: str = "E"
    subtype: tuple[str, str] | None = None
    outcome: str = _SUCCESS


_PATIENT: Final = _Kind(code="110110", display="Patient Record")
_OTHER: Final = _Kind(code="110100", display="Application Activity")
_AUTHENTICATION: Final = ("110114", "User Authentication")
_ALERT: Final = ("110113", "Security Alert")
_LOGIN, _LOGOUT = ("110122", "Login"), ("110123", "Logout")
_KINDS: Final = {
    "login": _Kind(code=_AUTHENTICATION[0], display=_AUTHENTICATION[1], subtype=_LOGIN),
    "login-refused": _Kind(code=_AUTHENTICATION[0], display=_AUTHENTICATION[1], subtype=_LOGIN, outcome=_REFUSED),
    "logout": _Kind(code=_AUTHENTICATION[0], display=_AUTHENTICATION[1], subtype=_LOGOUT),
    "account": _Kind(code=_ALERT[0], display=_ALERT[1], subtype=("110137", "User security Attributes Changed")),
    "setting": _Kind(code=_ALERT[0], display=_ALERT[1], subtype=("110131", "Software Configuration")),
    "graded": _Kind(code="110110", display="Patient Record", verb="U"),
    "person-search": _Kind(code="110112", display="Query"),
    "received": _Kind(code="110107", display="Import", verb="C"),
    "put-aside": _Kind(code="110107", display="Import", verb="C", outcome=_REFUSED),
    "dead-shown": _Kind(code="110110", display="Patient Record", verb="R"),
    "dead-let-in": _Kind(code="110107", display="Import", verb="C"),
    "alarm": _Kind(code=_ALERT[0], display=_ALERT[1]),
}


def events(store: Store, *, after: int = 0) -> Iterator[dict[str, Any]]:
    """The events of every row with a higher number, oldest first."""
    asked = select(audit).where(audit.c.id > after).order_by(audit.c.id)
    with store.read() as connection:
        for row in connection.execution_options(yield_per=_CHUNK).execute(asked).mappings():
            yield event_of(dict(row))


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the JSON of an AuditEvent."""
    detail: dict[str, Any] = json.loads(row["detail"])
    action = str(row["action"])
    kind = _KINDS.get(action, _PATIENT if action.startswith("person-") else _OTHER)
    verb = _VERBS.get(str(detail.get("access", "")), kind.verb)
    subtype = kind.subtype
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"leuko-{row['id']}",
        "type": {"system": _DICOM, "code": kind.code, "display": kind.display},
        "action": verb,
        "recorded": row["at"],
        "outcome": kind.outcome,
        "agent": [_agent(str(row["actor"]), detail)],
        "source": {"observer": {"display": "leuko"}},
        "entity": [*_person(action, str(row["subject"])), _row(row, detail)],
    }
    if subtype is not None:
        made["subtype"] = [{"system": _DICOM, "code": subtype[0], "display": subtype[1]}]
    return made


def _agent(actor: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Who did it, from which machine."""
    made: dict[str, Any] = {"who": {"display": actor or "unknown"}, "requestor": True}
    if detail.get("client"):
        made["network"] = {"address": str(detail["client"]), "type": "2"}  # an IP address
    return made


def _person(action: str, subject: str) -> Iterator[dict[str, Any]]:
    """Whose data it was: number and who gave it."""
    if not action.startswith("person-") or not subject:
        return
    number, _, authority = subject.partition("^")
    identifier: dict[str, Any] = {"value": number}
    if authority:
        identifier["assigner"] = {"display": authority}
    yield {
        "what": {"identifier": identifier},
        "type": {"system": _OBJECT, "code": "1", "display": "Person"},
        "role": {"system": _ROLE, "code": "1", "display": "Patient"},
    }


def _row(row: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
    """The row itself: its words, numbers and hash."""
    told = {"row": row["id"], "hash": row["hash"], "action": row["action"], **detail}
    return {
        "type": {"system": _OBJECT, "code": "2", "display": "System Object"},
        "role": {"system": _ROLE, "code": "13", "display": "Security Resource"},
        "detail": [{"type": name, "valueString": str(value)} for name, value in told.items() if str(value)],
    }
