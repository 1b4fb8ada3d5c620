"""What an EHR sends, read as far as leuko uses it: anything else, `extension` too, is skipped."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw

from leuko.knowledge.schema.cards import ServiceRow
from leuko.service.hooks.fetch import Fetcher, Server, usable_token
from leuko.service.hooks.prefetch import Asked, check_id
from leuko.service.hooks.problems import HookProblem, unreadable
from leuko.service.hooks.settings import Ehr, HookSettings

_USER: Final = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}")
_LAY: Final = ("Patient/", "RelatedPerson/")
_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Sent(msgspec.Struct, rename="camel"):
    hook: str
    hook_instance: str
    context: dict[str, Raw]
    prefetch: dict[str, Raw] | None = None
    fhir_server: str | None = None
    fhir_authorization: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call of a service, checked. `instance` is the same when an EHR asks again for one act of its user."""

    hook: str
    instance: str
    patient: str
    user: str
    context: Mapping[str, Raw] = field(repr=False)
    prefetch: Mapping[str, Raw] | None = field(repr=False)
    asked: Asked


def read_request(body: bytes, service: ServiceRow, ehr: Ehr, fetcher: Fetcher, settings: HookSettings) -> Request:
    """The call in a body. Raises HookProblem where it breaks the interface, or where leuko is not for its user."""
    try:
        sent = msgspec.json.decode(body, type=_Sent)
    except msgspec.ValidationError as error:
        raise unreadable("the request is not as CDS Hooks has it", _path(error)) from error
    except _BROKEN as error:
        raise unreadable("the request is no JSON") from error
    if sent.hook not in service.hooks:
        raise unreadable(f"this service answers {' and '.join(service.hooks)}", "hook")
    patient = check_id(_plain(sent.context, "patientId"), "context.patientId")
    user = _plain(sent.context, "userId")
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise unreadable("this is no reference to a user, as Practitioner/123", "context.userId")
    if user.startswith(_LAY):
        raise HookProblem(403, "security", "leuko's cards are for professionals; for people there is the leaflet")
    return Request(
        hook=sent.hook,
        instance=_instance(sent.hook_instance),
        patient=patient,
        user=user,
        context=sent.context,
        prefetch=sent.prefetch,
        asked=_asked(sent, patient, ehr, fetcher, settings),
    )


def _path(error: msgspec.ValidationError) -> str:
    """Where in the request, without what stands there."""
    found = re.search(r"at `\$\.?([A-Za-z.\[\]0-9]*)`", str(error))
    missing = re.search(r"missing required field `([A-Za-z]+)`", str(error))
    return ".".join(part for part in (found[1] if found else "", missing[1] if missing else "") if part)


def _plain(context: Mapping[str, Raw], name: str) -> Any:
    try:
        return msgspec.json.decode(context.get(name, Raw(b"null")))
    except _BROKEN as error:
        raise unreadable("this is no JSON", f"context.{name}") from error


def _instance(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        raise unreadable("this is no UUID", "hookInstance") from error


def _asked(sent: _Sent, patient: str, ehr: Ehr, fetcher: Fetcher, settings: HookSettings) -> Asked:
    """For whom data are wanted, and the EHR's FHIR server where it is one that this site lists."""
    base = (sent.fhir_server or "").rstrip("/")
    if sent.fhir_authorization is None:
        return Asked(patient=patient, base=base)
    if not base:
        raise unreadable("fhirAuthorization needs a fhirServer", "fhirServer")
    whose = sent.fhir_authorization.get("patient")
    if whose is not None and whose != patient:
        raise HookProblem(400, "security", "the access token is for another person", "fhirAuthorization.patient")
    token = usable_token(sent.fhir_authorization)
    if not token or base not in ehr.fhir:
        return Asked(patient=patient, base=base)
    return Asked(
        patient=patient,
        base=base,
        server=Server(base=base, token=token, fetcher=fetcher),
        pages=settings.fetch_pages,
    )
