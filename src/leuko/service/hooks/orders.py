"""The orders about to be signed or released, as doses; never a part of the record that is assessed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import msgspec
from msgspec import Raw

from leuko.errors import Notice
from leuko.intake import fhir, merge
from leuko.intake.base import Blob, ReadOptions
from leuko.knowledge import Library
from leuko.record import Dose
from leuko.service.hooks.prefetch import Asked, belongs, bundled
from leuko.service.hooks.problems import HookProblem, unreadable

_ORDER: Final = "MedicationRequest"
_OTHER_FHIR: Final = frozenset({"MedicationOrder", "MedicationPrescription"})  # DSTU2 and DSTU1
_VERIFIED: Final = ("medication", "order", "draftOrders")
_DEEPEST: Final = 4  # a list, of entries, of Bundles, of entries
_BROKEN: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str | None = None
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


class _Entry(msgspec.Struct):
    resource: Raw = Raw()


class _Bundle(msgspec.Struct):
    entry: list[_Entry] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Orders of medicines as doses, what was told while reading them, and which of them are still drafts."""

    doses: tuple[Dose, ...] = ()
    notices: tuple[Notice, ...] = ()
    drafts: frozenset[str] = frozenset()


def orders_of(hook: str, context: Mapping[str, Raw], asked: Asked, *, zone: tzinfo, library: Library) -> Orders:
    """The orders of a hook's context; none where the hook has none. Raises HookProblem where they cannot be read."""
    if hook in {"order-select", "order-sign"}:
        if "draftOrders" not in context:
            raise unreadable("the orders are missing", "context.draftOrders")
        raws = _entries(context["draftOrders"], "context.draftOrders")
        return _read(raws, asked, zone, library, chosen=_selections(hook, context), drafts=True)
    if hook == "medication-verify":
        return _read(_verified(context), asked, zone, library, chosen=None, drafts=False)
    return Orders()


def _entries(raw: Raw, where: str) -> list[Raw]:
    try:
        bundle = msgspec.json.decode(raw, type=_Bundle)
    except _BROKEN as error:
        raise unreadable("this is no Bundle of FHIR", where) from error
    return [entry.resource for entry in bundle.entry or [] if bytes(entry.resource) not in {b"", b"null"}]


def _selections(hook: str, context: Mapping[str, Raw]) -> frozenset[str] | None:
    """The orders that were just selected; None: all of them."""
    if hook != "order-select" or "selections" not in context:
        return None
    try:
        return frozenset(msgspec.json.decode(context["selections"], type=list[str]))
    except _BROKEN as error:
        raise unreadable("the selections are no list of references", "context.selections") from error


def _verified(context: Mapping[str, Raw]) -> list[Raw]:
    """The orders of medication-verify, each once.

    Its definition calls the field `medication`, its examples `order`, and both hold one order; a client that releases
    a whole cycle sends a list or a Bundle, or the field of the other hooks. All that is there is read.
    """
    found: dict[bytes, Raw] = {}
    for name in _VERIFIED:
        if name in context:
            found |= {bytes(raw): raw for raw in _flat(context[name], f"context.{name}")}
    if not found:
        raise unreadable("the order to verify is missing", "context.medication")
    return list(found.values())


def _flat(raw: Raw, where: str, deep: int = 0) -> list[Raw]:
    """The resources of a field that holds one, a list, a Bundle, or one of these as the resource of an entry."""
    if deep > _DEEPEST:
        raise unreadable("the orders to verify lie too deep", where)
    try:
        if bytes(raw).lstrip()[:1] == b"[":
            parts = msgspec.json.decode(raw, type=list[Raw])
        else:
            inner = msgspec.json.decode(raw, type=_Entry).resource
            if bytes(inner) not in {b"", b"null"}:
                parts = [inner]
            elif _head(raw).resource_type == "Bundle":
                parts = _entries(raw, where)
            else:
                return [raw]
    except _BROKEN as error:
        raise unreadable("the order to verify is no FHIR", where) from error
    return [one for part in parts for one in _flat(part, where, deep + 1)]


def _read(
    raws: Iterable[Raw],
    asked: Asked,
    zone: tzinfo,
    library: Library,
    *,
    chosen: frozenset[str] | None,
    drafts: bool,
) -> Orders:
    kept: list[Raw] = []
    names: set[str] = set()
    for raw in raws:
        head = _head(raw)
        if head.resource_type in _OTHER_FHIR:
            raise unreadable("these orders are not of FHIR R4 (MedicationRequest)", "context")
        if head.resource_type == "Medication":
            kept.append(raw)
        if head.resource_type != _ORDER or (chosen is not None and f"{_ORDER}/{head.id}" not in chosen):
            continue
        if (head.subject is not None or head.patient is not None) and not belongs(head, asked):
            raise HookProblem(400, "security", "an order is of another person; nothing of it was used", "context")
        kept.append(raw)
        names.add(f"{_ORDER}/{head.id}")
    if not names:
        return Orders()
    person = msgspec.json.encode({"resourceType": "Patient", "id": asked.patient})
    blob = Blob(name="orders", data=bundled([person, *kept]))
    taken = fhir.read([blob], options=ReadOptions(zone=zone), library=library)
    doses = tuple(
        dose for record in merge(taken.records).records if record.patient.id == asked.patient for dose in record.doses
    )
    lost = tuple(notice for notice in taken.notices if notice.data_lost)
    return Orders(doses=doses, notices=lost, drafts=frozenset(names) if drafts else frozenset())


def _head(raw: Raw) -> Any:
    try:
        return msgspec.json.decode(raw, type=_Head)
    except _BROKEN as error:
        raise unreadable("an order is no FHIR", "context") from error
