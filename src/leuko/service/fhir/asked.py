"""What `$leuko-assess` was sent: a Bundle, or Parameters with a record and what the caller knows beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from leuko.intake.fhir.unpack import BROKEN, plain
from leuko.service.fhir.outcome import Refused

_EARLIEST, _LATEST = date(1900, 1, 1), date(2199, 12, 31)  # beyond, a day is a slip, and calendars end
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_LONGEST: Final = 500  # characters of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, understood. `body` is what the reader of FHIR reads; None stands for what was not said."""

    body: bytes = field(repr=False)
    patient: str | None = None
    as_of: date | None = None
    zone: tzinfo | None = None
    regimen: str | None = None
    forecast: bool = False


class _Head(msgspec.Struct, rename="camel"):
    resource_type: Any = None
    parameter: Any = None


_HEAD: Final = msgspec.json.Decoder(_Head)
_PARTS: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])


def understood(body: bytes) -> Request:
    """The request that a body holds. Raises Refused, which says what is wrong and where."""
    head = _head(body)
    if head.resource_type == "Bundle":
        return Request(body=body)
    if head.resource_type == "Parameters":
        return _of_parameters(body)
    said = head.resource_type if isinstance(head.resource_type, str) and head.resource_type.isalpha() else "no FHIR"
    raise Refused(
        422, f"the body is {said[:64]}; send a Bundle, or Parameters with a parameter `record`", code="invalid"
    )


def _head(body: bytes) -> _Head:
    if not body.strip():
        raise Refused(400, "the body is empty; send a Bundle or Parameters as JSON", code="structure")
    try:
        body.decode()
        return _HEAD.decode(body)
    except UnicodeDecodeError as error:
        raise Refused(400, "the body is not UTF-8", code="structure") from error
    except msgspec.ValidationError as error:
        raise Refused(422, "the body is JSON, but no FHIR resource", code="structure") from error
    except BROKEN as error:
        raise Refused(400, f"the body is no JSON that can be read: {plain(error)}", code="structure") from error


# ---- Parameters -----------------------------------------------------------------------------------------------------


def _of_parameters(body: bytes) -> Request:
    found: dict[str, Any] = {}
    records = 0
    for index, raw in enumerate(_listed(body)):
        where = f"Parameters.parameter[{index}]"
        parts = _decoded(_PARTS, raw, where)
        name = _text(parts.get("name"), f"{where}.name")
        if name == "record":
            if "resource" not in parts:
                raise Refused(422, f"{where}: `record` is a resource", code="structure")
            records += 1
        elif name not in _KINDS:
            known = ", ".join(("record", *_KINDS))
            raise Refused(422, f"{where}: unknown parameter; known are {known}", code="not-supported")
        elif name in found:
            raise Refused(422, f"{where}: `{name}` stands twice", code="invalid")
        else:
            kinds, read = _KINDS[name]
            found[name] = read(_value(parts, kinds, f"{where} (`{name}`)"), f"{where} (`{name}`)")
    if not records:
        raise Refused(422, "the Parameters hold no parameter `record`: a Bundle, or a resource", code="required")
    return Request(body=body, **{_FIELDS.get(name, name): value for name, value in found.items()})


def _listed(body: bytes) -> list[Raw]:
    class Parameters(msgspec.Struct):
        parameter: Raw = Raw(b"[]")

    whole: Any = _decoded(msgspec.json.Decoder(Parameters), body, "Parameters")
    return list(_decoded(_LIST, whole.parameter, "Parameters.parameter"))


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes | Raw, where: str) -> Any:
    try:
        return decoder.decode(raw)
    except BROKEN as error:
        raise Refused(422, f"{where}: {plain(error)}", code="structure") from error


def _value(parts: Mapping[str, Raw], kinds: tuple[str, ...], where: str) -> Any:
    """The one value[x] of a parameter, which must be of a kind that is meant for it."""
    given = [name for name in parts if name.startswith("value")]
    if len(given) != 1 or given[0] not in kinds:
        raise Refused(422, f"{where}: give {' or '.join(kinds)}", code="value")
    return _decoded(msgspec.json.Decoder(), parts[given[0]], where)


def _text(value: Any, where: str) -> str:
    text = _decoded(msgspec.json.Decoder(), value, where) if isinstance(value, Raw) else value
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise Refused(422, f"{where}: a text of 1 to {_LONGEST} characters is needed", code="value")
    return text.strip()


def _patient(value: Any, where: str) -> str:
    """An id, `Patient/<id>` or the whole address of one; of a Reference its `reference`."""
    text = _text(value.get("reference") if isinstance(value, dict) else value, where)
    return re.sub(r"^(?:.*/)?Patient/|^urn:uuid:", "", text)


def _day(value: Any, where: str) -> date:
    text = _text(value, where)
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise Refused(422, f"{where}: a day is needed, as 2026-01-31", code="value")
    return day


def _zone(value: Any, where: str) -> tzinfo:
    text = _text(value, where)
    found = zone_of(text)
    if found is None:
        raise Refused(422, f"{where}: no time zone known here; write it as Europe/Berlin", code="value")
    return found


def zone_of(name: str) -> tzinfo | None:
    """The time zone of a name, None where this machine knows none of that name."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _yes(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise Refused(422, f"{where}: true or false is needed", code="value")
    return value


_KINDS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Any, str], Any]]]] = {
    "patient": (("valueReference", "valueString", "valueId", "valueUri"), _patient),
    "asOf": (("valueDate",), _day),
    "zone": (("valueString", "valueCode"), _zone),
    "regimen": (("valueString",), _text),
    "forecast": (("valueBoolean",), _yes),
}
_FIELDS: Final[Mapping[str, str]] = {"asOf": "as_of"}
