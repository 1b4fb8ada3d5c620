"""Everything of one person that leuko reads: by $everything, else kind by kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import msgspec

from leuko.errors import UnreadableInput, UsageError
from leuko.intake.fhir.wire import RESOURCES
from leuko.intake.sources import printable
from leuko.service.fhir.client.pages import Entries, follow
from leuko.service.fhir.client.talk import Refusal, Talk

KINDS: Final = tuple(kind for kind in RESOURCES if kind != "OperationOutcome")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_BY_SUBJECT: Final = frozenset({"AdverseEvent"})  # R4 gives it no search parameter `patient`
_WITH_MEDICATION: Final = ("MedicationAdministration", "MedicationRequest", "MedicationStatement", "MedicationDispense")
_NOT_OFFERED: Final = frozenset({400, 403, 404, 405, 501})
_PAGE: Final = 200  # entries asked for at a time
_PATIENT: Final = re.compile(r"(?:^|/)Patient/([^/?#]+)(?:/_history/[^/]+)?$")


class _Ref(msgspec.Struct):
    reference: str | None = None


class _Resource(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str | None = None
    id: str | None = None
    subject: _Ref | None = None
    patient: _Ref | None = None


class _Holder(msgspec.Struct):
    resource: _Resource | None = None


class _Kind(msgspec.Struct):
    type: str | None = None


class _Rest(msgspec.Struct):
    resource: list[_Kind] | None = None


class _Statement(msgspec.Struct):
    rest: list[_Rest] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The kinds of resource that the server says it has; all of ours where it says nothing."""

    kinds: tuple[str, ...] = KINDS

    @property
    def missing(self) -> tuple[str, ...]:
        """Kinds that leuko reads and the server does not have."""
        return tuple(kind for kind in KINDS if kind not in self.kinds)


def offered(talk: Talk) -> Offered:
    """What the CapabilityStatement of the server says. A server without one is taken to have everything."""
    try:
        found = talk.decoded(f"{talk.base}/metadata", _Statement)
    except UnreadableInput:
        return Offered()
    kinds = {one.type for rest in found.rest or [] for one in rest.resource or []}
    own = tuple(kind for kind in KINDS if kind in kinds)
    return Offered(kinds=own) if "Observation" in own else Offered()


def patient_id(text: str) -> str:
    """The id of a patient, given as `123` or `Patient/123`. UsageError where it can be none."""
    found = text.removeprefix("Patient/")
    if not _ID.fullmatch(found):
        raise UsageError(f"{printable(text)!r} is no id of a patient", why="FHIR allows letters, digits, - and .")
    return found


def everything(talk: Talk, patient: str, *, search: bool = False) -> Entries:
    """All entries of one person; by searches where `search` says so, or the server does not offer $everything.

    Raises UnreadableInput where the person or the results cannot be read. What else cannot be read is a trouble.
    """
    found = None if search else _by_operation(talk, patient)
    return _only(patient, _by_searches(talk, patient) if found is None else found)


def _by_operation(talk: Talk, patient: str) -> Entries | None:
    try:
        return follow(talk, f"{talk.base}/Patient/{patient}/$everything?_count={_PAGE}")
    except Refusal as refusal:
        if refusal.status in _NOT_OFFERED:
            return None
        raise


def _by_searches(talk: Talk, patient: str) -> Entries:
    url, found = f"{talk.base}/Patient/{patient}", Entries()
    found.entries[msgspec.json.encode({"fullUrl": url, "resource": talk.decoded(url, msgspec.Raw)})] = None
    has = offered(talk)
    for kind in has.kinds:
        if kind not in {"Patient", "Medication"}:
            _add(talk, kind, patient, found)
    if has.missing:
        found.troubles.append(f"the server has no {', '.join(has.missing)}")
    return found


def _add(talk: Talk, kind: str, patient: str, found: Entries) -> None:
    """Search one kind; only the results (Observation) must be readable."""
    by = "subject" if kind in _BY_SUBJECT else "patient"
    words = {by: f"Patient/{patient}" if by == "subject" else patient, "_count": str(_PAGE)}
    with_medication = {**words, "_include": f"{kind}:medication"} if kind in _WITH_MEDICATION else None
    status = 0
    for asked in filter(None, (with_medication, words)):
        try:
            found.add(follow(talk, f"{talk.base}/{kind}?{urlencode(asked)}"))
        except Refusal as refusal:
            status = refusal.status
            if kind == "Observation" or status not in _NOT_OFFERED:
                raise
        else:
            return
    found.troubles.append(f"{kind} could not be searched: the server answered {status}")


def _only(patient: str, found: Entries) -> Entries:
    """The entries without those of other people, as a server gives that does not understand the question."""
    own = Entries(
        entries={raw: None for raw in found.entries if not _of_another(raw, patient)}, troubles=found.troubles
    )
    others = len(found.entries) - len(own.entries)
    if others:
        own.troubles.append(f"the server gave {others} resources of other people, which were not kept")
    return own


def _of_another(raw: bytes, patient: str) -> bool:
    resource = msgspec.json.decode(raw, type=_Holder).resource
    if resource is None:
        return False
    if resource.resource_type == "Patient":
        return resource.id is not None and resource.id != patient
    reference = resource.subject or resource.patient
    about = _PATIENT.search(reference.reference) if reference is not None and reference.reference else None
    return about is not None and about[1] != patient
