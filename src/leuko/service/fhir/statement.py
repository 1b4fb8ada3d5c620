"""What this server can do, as FHIR says it: the CapabilityStatement and the OperationDefinition of $leuko-assess."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from leuko import __version__
from leuko.report.fhir.wire import Json
from leuko.report.outline import PURPOSE
from leuko.service.fhir.outcome import MEDIA

OPERATION: Final = "leuko-assess"
_FHIR: Final = "4.0.1"


def definition_url(base: str) -> str:
    """Where the definition of the operation stands."""
    return f"{base}/OperationDefinition/{OPERATION}"


def capability(base: str, day: date) -> Json:
    """The CapabilityStatement of the server at `base`, as of a day."""
    return {
        "resourceType": "CapabilityStatement",
        "id": "leuko",
        "name": "Leuko",
        "title": "leuko",
        "status": "active",
        "date": day.isoformat(),
        "description": PURPOSE,
        "kind": "instance",
        "software": {"name": "leuko", "version": __version__},
        "implementation": {"description": "leuko at this site", "url": base},
        "fhirVersion": _FHIR,
        "format": [MEDIA, "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Assesses the blood counts that are sent; keeps none of them.",
                "security": {
                    "cors": False,
                    "description": "A login with the role clinician, or the bearer token of such an account, in the "
                    "header Authorization. Each use is kept in the audit.",
                },
                "resource": [{"type": "OperationDefinition", "interaction": [{"code": "read"}]}],
                "operation": [{"name": OPERATION, "definition": definition_url(base)}],
            }
        ],
    }


def operation(base: str) -> Json:
    """The OperationDefinition of $leuko-assess."""
    return {
        "resourceType": "OperationDefinition",
        "id": OPERATION,
        "url": definition_url(base),
        "version": __version__,
        "name": "LeukoAssess",
        "title": "Assess the blood counts of one person",
        "status": "active",
        "kind": "operation",
        "affectsState": False,
        "description": "Reads the record that is sent and answers whether a count is low, how bad, since when, why, "
        f"what to find out and what to do, with a reason and a source behind every line. {PURPOSE}",
        "code": OPERATION,
        "comment": "A Bundle may be sent as the body itself; it is then assessed as of today.",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _in(
                "record",
                "Resource",
                "A Bundle of any type, or a resource of the person. Repeatable.",
                least=1,
                most="*",
            ),
            _in("patient", "Reference", "Whom the assessment is about, where the record is about several people."),
            _in("asOf", "date", "The day of the assessment; later results are set aside. Today where it is left out."),
            _in("zone", "string", "The time zone of times that name none, as Europe/Berlin."),
            _in("regimen", "string", "The chemotherapy regimen, where the record does not name it."),
            _in("forecast", "boolean", "Whether to forecast, which takes longer. false where it is left out."),
            {
                "name": "return",
                "use": "out",
                "min": 1,
                "max": "1",
                "type": "Bundle",
                "documentation": "A Bundle of type collection with everything that can be said, what cannot be said, "
                "and what was found about the input (docs/reference/fhir.md).",
            },
        ],
    }


def _in(name: str, kind: str, words: str, *, least: int = 0, most: str = "1") -> dict[str, Any]:
    return {"name": name, "use": "in", "min": least, "max": most, "documentation": words, "type": kind}
