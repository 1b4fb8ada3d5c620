"""An Observation as results: one for its own value, one for each component, as written and not yet believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, cast, get_args

import msgspec

from leuko.frozen import Frozen
from leuko.intake.fhir.context import Context
from leuko.intake.fhir.pool import Item
from leuko.intake.fhir.ranges import printed
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.times import moment
from leuko.intake.fhir.versions import status_of
from leuko.intake.fhir.wire import Observation, Quantity, Valued
from leuko.intake.fhir.words import clean, codes, concepts, label, names, number_text, unit
from leuko.intake.raw import RawResult
from leuko.record import Bound, Moment, Patient, ResultStatus

_COMPARATORS: tuple[str, ...] = get_args(Bound)
_STATUSES: dict[str, ResultStatus] = {
    "registered": "registered",
    "specimen-in-process": "registered",
    "preliminary": "preliminary",
    "final": "final",
    "amended": "amended",
    "corrected": "corrected",
    "appended": "amended",
    "unknown": "unknown",
}


class Surroundings(Frozen, frozen=True, kw_only=True):
    """What holds for the whole Observation: whose it is, its context, its times."""

    item: Item
    patient: Patient
    context: Context
    taken: Moment | None
    issued: Moment | None
    status: ResultStatus


def surroundings(item: Item, patient: Patient, context: Context, zone: tzinfo, tell: Teller) -> Surroundings:
    """Times and status of an Observation, with a notice for whatever is missing or borrowed."""
    return Surroundings(
        item=item,
        patient=patient,
        context=context,
        taken=_taken(item, context, zone, tell),
        issued=_moment(context.issued, "/issued", item, zone, tell),
        status=_status(item, tell),
    )


def _taken(item: Item, context: Context, zone: tzinfo, tell: Teller) -> Moment | None:
    if context.doubt:
        tell.say("LK431", "its reports give differing times of collection; none is used", item.found.place())
        return None
    taken = _moment(context.taken, "/effectiveDateTime", item, zone, tell)
    if taken is not None and context.time_from:
        text = f"{{n}} results give no time of collection; it was taken from {context.time_from}"
        one = f"1 result gives no time of collection; it was taken from {context.time_from}"
        tell.add("LK430", text, item.found.place(), one=one, read=f"taken {_shown(taken.at)}")
    end = moment(context.end, zone)
    if taken is not None and end is not None and (end.day - taken.day).days > 1:
        text = "the time of collection is a period of several days; the result stands at its start"
        tell.say("LK436", text, item.found.place("/effectivePeriod"))
    return taken


def _shown(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M %z")


def _moment(text: str | None, below: str, item: Item, zone: tzinfo, tell: Teller) -> Moment | None:
    found = moment(text, zone)
    if text and found is None:
        tell.say("LK432", "the date or time cannot be read", item.found.place(below), lost=True)
    elif found is not None and found.has_time and found.zone_assumed:
        one = f"1 time names no time zone; read as {zone}"
        tell.add("LK434", f"{{n}} times name no time zone; read as {zone}", item.found.place(below), one=one)
    return found


def _status(item: Item, tell: Teller) -> ResultStatus:
    written = status_of(item)
    if written not in _STATUSES:
        text = f"the status “{clean(written)[:40]}” is none of FHIR's" if written else "the result has no status"
        place, one = item.found.place("/status"), f"1 result: {text}"
        tell.add("LK423", f"{{n}} results: {text}", place, one=one, read="status unknown")
    return _STATUSES.get(written, "unknown")


# ---- values ---------------------------------------------------------------------------------------------------------


def raw_results(around: Surroundings, tell: Teller) -> Iterator[tuple[RawResult, Valued]]:
    """The Observation's own result, valued or not, and one for each component."""
    observation: Observation = around.item.resource
    components = observation.component or []
    yield from _raw(around, observation, around.item.key, "", tell)
    suffixes = _suffixes(components)
    for index, (component, suffix) in enumerate(zip(components, suffixes, strict=True)):
        if component.modifier_extension:
            place = around.item.found.place(f"/component/{index}/modifierExtension")
            text = "this component carries a modifierExtension, which may turn its meaning round; it was set aside"
            tell.say("LK406", text, place, lost=True)
            continue
        yield from _raw(around, component, f"{around.item.key}:{suffix}", f"/component/{index}", tell)


def _suffixes(components: list[Any]) -> list[str]:
    """A component is named after its code, or its number where the code is not its own."""
    said = [next((code.code for code in codes(component.code)), "") for component in components]
    shared = Counter(said)
    return [text if text and shared[text] == 1 else str(index) for index, text in enumerate(said)]


def only_holds_others(observation: Observation) -> bool:
    """Whether an Observation says nothing itself, as panels do: what it says stands in its components or members."""
    has_parts = bool(observation.component or observation.has_member)
    return has_parts and not _value_field(observation) and observation.data_absent_reason is None


def _raw(
    around: Surroundings, valued: Valued, key: str, pointer: str, tell: Teller
) -> Iterator[tuple[RawResult, Valued]]:
    item, context = around.item, around.context
    field = _value_field(valued)
    value = _value(valued, field)
    if value.comparator and value.comparator not in _COMPARATORS:
        text = f"the comparator “{value.comparator[:8]}” is unknown, so the value cannot be read; set aside"
        tell.say("LK441", text, item.found.place(f"{pointer}/{field}"), lost=True)
        return
    interval = printed(valued.reference_range, around.patient, around.taken, item, tell)
    observation: Observation = item.resource
    result = RawResult(
        id=key,
        place=item.found.place(f"{pointer}/{field}" if field else pointer),
        codes=codes(valued.code),
        names=names(valued.code),
        value_text=value.text or None,
        bound=cast("Bound", value.comparator or "="),
        absent=_absent(valued),
        unit_text=value.unit,
        unit_code=value.unit_code,
        unit_system=value.unit_system,
        low_text=interval.low,
        high_text=interval.high,
        interval_unit_text=interval.unit if interval.unit not in {value.unit, value.unit_code} else None,
        interval_text=interval.text,
        specimen=context.specimen,
        method_text=" ".join(names(observation.method)),
        status=around.status,
        flags=tuple(_flag(concept) for concept in concepts(valued.interpretation)),
        taken=around.taken,
        issued=around.issued,
        draw=context.draw or (item.key if observation.component else None),
        resource_id=item.key,
    )
    yield result, valued


def _absent(valued: Valued) -> str | None:
    return label(valued.data_absent_reason) or None


def _flag(concept: Any) -> str:
    found = codes(concept)
    return found[0].code if found else label(concept)


class _Value(Frozen, frozen=True, kw_only=True):
    """A value as text, with comparator and unit as far as the source separates them."""

    text: str = ""
    comparator: str = ""
    unit: str = ""
    unit_code: str = ""
    unit_system: str = ""


_FIELDS = (
    "value_quantity",
    "value_string",
    "value_integer",
    "value_codeable_concept",
    "value_boolean",
    "value_range",
    "value_ratio",
    "value_sampled_data",
    "value_time",
    "value_date_time",
    "value_period",
)


def _value_field(valued: Valued) -> str:
    """The FHIR name of the value that is there, or nothing."""
    for name in _FIELDS:
        value = getattr(valued, name)
        if value is not None and not (isinstance(value, msgspec.Raw) and bytes(value) in {b"", b"null"}):
            head, *rest = name.split("_")
            return head + "".join(part.title() for part in rest)
    return ""


def _value(valued: Valued, field: str) -> _Value:
    if valued.value_quantity is not None:
        return _quantity(valued.value_quantity)
    if valued.value_string is not None:
        return _Value(text=clean(valued.value_string))  # number, comparator and unit are told apart by the checks
    if field == "valueRange":
        return _range(valued)
    return _Value(text=_plain_text(valued, field))


def _range(valued: Valued) -> _Value:
    ends = (valued.value_range.low, valued.value_range.high) if valued.value_range is not None else ()
    shown = " - ".join(number_text(end.value) if end is not None else "?" for end in ends)
    return _Value(text=shown, unit=next((text for end in ends if (text := unit(end))), ""))


def _quantity(quantity: Quantity) -> _Value:
    return _Value(
        text=number_text(quantity.value),
        comparator=clean(quantity.comparator),
        unit=clean(quantity.unit),
        unit_code=clean(quantity.code),
        unit_system=clean(quantity.system),
    )


def _plain_text(valued: Valued, field: str) -> str:
    """Whole numbers, words, times, periods, ratios and curves, as the source wrote them."""
    if field == "valueBoolean":
        return "true" if valued.value_boolean else "false"
    if field == "valueCodeableConcept":
        return label(valued.value_codeable_concept)
    if valued.value_period is not None:
        return f"{valued.value_period.start or '?'} to {valued.value_period.end or '?'}"
    numeric = {
        "valueInteger": valued.value_integer,
        "valueRatio": valued.value_ratio,
        "valueSampledData": valued.value_sampled_data,
    }
    return number_text(numeric[field])[:200] if field in numeric else clean(valued.value_time or valued.value_date_time)
