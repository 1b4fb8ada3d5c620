"""The data of one person for one call: what the EHR sent, what its server gives for the rest, and what nobody gave.

Of each key four things are told apart: absent (not sent), null (there are no data), an OperationOutcome (the EHR tried
and failed) and data. Data are held against the question: resources of other people and of other codes are left out,
whatever the EHR meant by sending them, and data of nobody else but another person are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Raw

from leuko.intake.base import Blob
from leuko.knowledge import Library
from leuko.knowledge.same import once_for
from leuko.knowledge.schema.cards import PrefetchRow
from leuko.service.hooks.fetch import FetchFailed, Server
from leuko.service.hooks.problems import HookProblem, lacking, unreadable

LOINC: Final = "http://loinc.org"
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_VERSION: Final = re.compile(r"/_history/[^/]*$")
_WITHDRAWN: Final = frozenset({"entered-in-error", "cancelled"})
_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Part(msgspec.Struct, rename="camel"):
    """Base: what is not named here is skipped."""


class _Reference(_Part):
    reference: str | None = None


class _Coding(_Part):
    system: str | None = None
    code: str | None = None


class _Concept(_Part):
    coding: list[_Coding] | None = None


class _Head(_Part):
    """Enough of a resource to know what it is, whose, and of what."""

    resource_type: str | None = None
    id: str | None = None
    status: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


class _Observed(_Part):
    code: _Concept | None = None


class _Link(_Part):
    relation: str | None = None
    url: str | None = None


class _Entry(_Part):
    resource: Raw = Raw()


class _Bundle(_Part):
    link: list[_Link] | None = None
    entry: list[_Entry] | None = None


class _Issue(_Part):
    severity: str | None = None


class _Outcome(_Part):
    issue: list[_Issue] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """For whom data are wanted; `server` is where more may be had, `base` the address of the EHR's FHIR server.

    `pages` is how many further pages of one key are read at most.
    """

    patient: str
    base: str = ""
    server: Server | None = None
    pages: int = 20


@dataclass(slots=True, kw_only=True)
class Given:
    """What came: a file for the reader of FHIR from each key, and what is to be told of it.

    `missing` names data that nobody gave, with why; `others` counts resources of other people that were left out;
    `withdrawn` are ids of results that are marked as errors.
    """

    blobs: list[Blob] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    others: int = 0
    withdrawn: set[str] = field(default_factory=set)
    identifiers: tuple[tuple[str, str], ...] = ()


def templates(rows: Iterable[PrefetchRow], library: Library) -> dict[str, str]:
    """The queries of a service, as discovery publishes them."""
    codes = ",".join(count_codes(library))
    return {row.id: row.query.replace("{counts}", codes) for row in rows}


@once_for
def count_codes(library: Library) -> tuple[str, ...]:
    """The LOINC codes that leuko reads as blood counts."""
    found = {
        code for (system, code), row in library.codes.items() if system == LOINC and row.analyte and not row.refuse
    }
    return tuple(sorted(found, key=lambda code: (len(code), code)))


def check_id(text: Any, where: str) -> str:
    """An id of a FHIR resource; anything else could be more than a part of an address."""
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise unreadable("this is no id of a FHIR resource", where)
    return text


async def gather(sent: Mapping[str, Raw] | None, rows: Sequence[PrefetchRow], asked: Asked, library: Library) -> Given:
    """The data of one person for a service. Raises HookProblem: 400 for data that break the interface or are of
    another person, 412 where data that are needed cannot be had."""
    given, queries = Given(), templates(rows, library)
    for row in rows:
        raw = None if sent is None else sent.get(row.id)
        try:
            resources = await _of_key(raw, row, queries[row.id], asked)
        except _NotGiven as why:
            if row.required:
                raise lacking(f"{row.name}: {why}; leuko cannot answer without", f"prefetch.{row.id}") from why
            given.missing[row.name] = str(why)
            continue
        kept = _sorted_out(resources, row, asked, given, library)
        if kept:
            given.blobs.append(Blob(name=f"prefetch:{row.id}", data=bundled(kept)))
    return given


def bundled(resources: Iterable[Raw | bytes]) -> bytes:
    """Resources as one file for the reader of FHIR, their bytes untouched."""
    entries = b",".join(b'{"resource":' + bytes(one) + b"}" for one in resources)
    return b'{"resourceType":"Bundle","type":"collection","entry":[' + entries + b"]}"


class _NotGiven(Exception):  # noqa: N818 (what happened, in words for people)
    """Data of one key that cannot be had."""


# ---- one key --------------------------------------------------------------------------------------------------------


async def _of_key(raw: Raw | None, row: PrefetchRow, query: str, asked: Asked) -> list[Raw]:
    if raw is None:
        if asked.server is None:
            raise _NotGiven("neither sent nor to be had from a FHIR server")
        return await _fetched(query, row, asked)
    if bytes(raw).strip() == b"null":
        return []
    return await _unfolded(raw, row, asked)


async def _fetched(query: str, row: PrefetchRow, asked: Asked) -> list[Raw]:
    path = query.replace("{{context.patientId}}", quote(asked.patient, safe=""))
    return await _unfolded(Raw(await _page(path, asked)), row, asked)


async def _page(path: str, asked: Asked) -> bytes:
    if asked.server is None:
        raise _NotGiven("sent in part only, and the other pages cannot be had from a FHIR server")
    try:
        return await asked.server.get(path)
    except FetchFailed as error:
        raise _NotGiven(f"the FHIR server could not be used: {error}") from error


async def _unfolded(raw: Raw, row: PrefetchRow, asked: Asked) -> list[Raw]:
    """The resources of a value: itself, or all entries of all its pages."""
    kind = _head(raw, row).resource_type
    if kind == "OperationOutcome":
        raise _NotGiven("the EHR could not get them")
    if kind != "Bundle":
        return [raw]
    found: list[Raw] = []
    seen: set[str] = set()
    while True:
        bundle = _decoded(raw, _Bundle, row)
        found += [entry.resource for entry in bundle.entry or [] if bytes(entry.resource) not in {b"", b"null"}]
        further = next((link.url for link in bundle.link or [] if link.relation == "next" and link.url), None)
        if further is None:
            return found
        if further in seen or len(seen) >= asked.pages:
            raise _NotGiven("more pages than can be read")
        seen.add(further)
        raw = Raw(await _page(further, asked))
        if _head(raw, row).resource_type != "Bundle":
            raise _NotGiven("a further page could not be had")


def _head(raw: Raw | bytes, row: PrefetchRow) -> _Head:
    found: _Head = _decoded(raw, _Head, row)
    return found


def _decoded(raw: Raw | bytes, kind: Any, row: PrefetchRow) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _BROKEN as error:
        raise unreadable(f"{row.name}: this is no FHIR", f"prefetch.{row.id}") from error


# ---- whose, and of what ---------------------------------------------------------------------------------------------


def _sorted_out(resources: Sequence[Raw], row: PrefetchRow, asked: Asked, given: Given, library: Library) -> list[Raw]:
    """The resources that were asked for."""
    kept: list[Raw] = []
    others = 0
    for raw in resources:
        head = _head(raw, row)
        if head.resource_type == "OperationOutcome":
            if _failed(raw, row):
                _tell_partial(row, given)
            continue
        if head.resource_type not in row.kinds:
            continue
        if not belongs(head, asked):
            others += 1
            continue
        if row.filtered and not _asked_code(raw, row, library):
            continue
        if head.status in _WITHDRAWN and head.id:
            given.withdrawn.add(f"{head.resource_type}/{head.id}")
        if head.resource_type == "Patient":
            given.identifiers = identifiers_of(raw)
        kept.append(raw)
    given.others += others
    if others and not any(_head(one, row).resource_type != "Medication" for one in kept):
        raise HookProblem(
            400,
            "security",
            f"{row.name}: what was sent is of another person; nothing of it was used",
            f"prefetch.{row.id}",
        )
    return kept


def _tell_partial(row: PrefetchRow, given: Given) -> None:
    """An error among the results: they may be incomplete."""
    if row.required:
        raise lacking(
            f"{row.name}: the EHR reported an error beside them; they may be incomplete", f"prefetch.{row.id}"
        )
    given.missing[row.name] = "the EHR reported an error beside them; they may be incomplete"


def _failed(raw: Raw, row: PrefetchRow) -> bool:
    outcome = _decoded(raw, _Outcome, row)
    return any(issue.severity in {"error", "fatal"} for issue in outcome.issue or [])


def belongs(head: Any, asked: Asked) -> bool:
    """Whether a resource is of the person who was asked for; a Medication is of nobody."""
    if head.resource_type == "Medication":
        return True
    if head.resource_type == "Patient":
        return bool(head.id == asked.patient)
    reference = head.subject or head.patient
    return reference is not None and _means(reference.reference or "", asked)


def _means(text: str, asked: Asked) -> bool:
    text = _VERSION.sub("", text)
    if text.startswith("urn:uuid:"):
        return text.removeprefix("urn:uuid:") == asked.patient
    if text.startswith(("http://", "https://")):
        tail = f"/Patient/{asked.patient}"
        return text == f"{asked.base.rstrip('/')}{tail}" if asked.base else text.endswith(tail)
    return text == f"Patient/{asked.patient}"


def _asked_code(raw: Raw, row: PrefetchRow, library: Library) -> bool:
    """Whether a result has a code that was asked for, or none of LOINC: then the reader decides by its name."""
    concept = _decoded(raw, _Observed, row).code
    codes = [one.code for one in (concept.coding or [] if concept is not None else []) if one.system == LOINC]
    return not codes or any((LOINC, code) in library.codes for code in codes)


class _Identifier(_Part):
    system: str | None = None
    value: str | None = None


class _Person(_Part):
    identifier: list[_Identifier] | None = None


def identifiers_of(raw: Raw) -> tuple[tuple[str, str], ...]:
    """System and number of each identifier of a Patient; none where they cannot be read."""
    try:
        person = msgspec.json.decode(raw, type=_Person)
    except _BROKEN:
        return ()
    return tuple((one.system or "", one.value) for one in person.identifier or [] if one.value)
