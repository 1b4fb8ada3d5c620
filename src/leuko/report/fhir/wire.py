"""The small parts of FHIR R4: times, quantities, names, references, narratives. Nothing empty is ever written."""

from __future__ import annotations

import hashlib
import html
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final

from leuko.frozen import Frozen
from leuko.record import Code, Moment
from leuko.report.document import encode
from leuko.report.outline import harmless
from leuko.result import Assessment
from leuko.wording import say_number, say_unit

Json = dict[str, Any]
UCUM: Final = "http://unitsofmeasure.org"
LOINC: Final = "http://loinc.org"
HL7: Final = "http://terminology.hl7.org/CodeSystem"
RECORD: Final = "urn:leuko:record"
MADE: Final = "urn:leuko:fhir:made"
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:leuko:fhir")


class Naming(Frozen, frozen=True, kw_only=True):
    """Gives every resource of one assessment its id: the same content always gets the same ids."""

    root: str
    held: Mapping[str, str]

    @classmethod
    def of(cls, assessment: Assessment) -> Naming:
        """The names for one assessment, by all that it says; no resource is held yet.

        The record, day and knowledge alone would not do: settings of the site, a regimen or a forecast say more.
        """
        return cls(root=hashlib.sha256(encode(assessment)).hexdigest(), held=MappingProxyType({}))

    def holding(self, names: Mapping[str, str]) -> Naming:
        """The same names, with the evidence (id of the record -> name) that the bundle holds as resources."""
        return Naming(root=self.root, held=MappingProxyType(dict(names)))

    def id(self, name: str) -> str:
        """The id of the resource of that name."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.root}/{name}"))

    def to(self, name: str, kind: str) -> Json:
        """A reference to a resource of the same bundle."""
        return {"reference": f"urn:uuid:{self.id(name)}", "type": kind}

    def evidence(self, ids: Iterable[str]) -> list[Json]:
        """References to what a conclusion rests on; what the bundle does not hold is named by its id in the record."""
        return [self._evidence(each) for each in dict.fromkeys(ids)]

    def _evidence(self, each: str) -> Json:
        name = self.held.get(each)
        return self.to(name, "Observation") if name is not None else logical(RECORD, each)


def logical(system: str, value: str, *, display: str = "") -> Json:
    """A reference by an identifier, to what stands elsewhere."""
    return filled({"identifier": {"system": system, "value": text(value)}, "display": text(display)})


def filled(resource: Mapping[str, Any]) -> Json:
    """The members that hold something: FHIR knows no empty string, list or object."""
    return {name: value for name, value in resource.items() if value not in (None, "", [], {}, ())}


def text(words: str) -> str:
    """Text as FHIR takes it: no control signs, no blanks at the ends."""
    return harmless(words).strip()


def number(value: float) -> float:
    """A number as precise as leuko says it: a product of two counts is not sent with sixteen digits."""
    return float(say_number(value))


def when(moment: Moment | None) -> str | None:
    """A time exactly as precise as the source wrote it."""
    if moment is None:
        return None
    day = f"{moment.at.year:04d}-{moment.at.month:02d}-{moment.at.day:02d}"
    if not moment.has_time:
        return {"year": day[:4], "month": day[:7]}.get(moment.precision, day)
    return instant(moment.at)


def instant(at: datetime) -> str:
    """An instant to the second; a zone that is no whole minute from UTC cannot be written, UTC stands for it."""
    offset = at.utcoffset()
    aware = at.astimezone(UTC) if offset is None or offset.seconds % 60 or offset.microseconds else at
    written = aware.replace(microsecond=0).isoformat()
    return "0" * (25 - len(written)) + written


def day_as_instant(day: date) -> str:
    """The first instant of a day, in UTC: leuko keeps no clock, so that equal input gives equal output."""
    return instant(datetime.combine(day, datetime.min.time(), UTC))


def quantity(value: float, unit: str, bound: str = "=") -> Json:
    """An amount in a UCUM unit, with its comparator where it is only a bound."""
    comparator = None if bound == "=" else bound
    return filled(
        {"value": number(value), "comparator": comparator, "unit": say_unit(unit), "system": UCUM, "code": unit}
    )


def measured(value: float, unit: str | None) -> Json:
    """An amount whose unit may be none of UCUM's: it is sent as it was written."""
    return filled({"value": number(value), "unit": text(unit or "")})


def concept(words: str, codings: Iterable[Json] = ()) -> Json:
    """A coded thing with its name in words."""
    return filled({"coding": list(codings), "text": text(words)})


def coding(system: str, code: str, display: str | None = None) -> Json:
    """One code of a code system."""
    return filled({"system": system, "code": code, "display": text(display or "")})


def sent(codes: Iterable[Code]) -> list[Json]:
    """Codes as the source wrote them; a system that is no URI is left away, its code is not."""
    found = [(code, code.system if _is_uri(code.system) else None) for code in codes if code.code.strip()]
    return [
        filled({"system": system, "code": " ".join(code.code.split()), "display": text(code.display or "")})
        for code, system in found
    ]


def _is_uri(system: str) -> bool:
    return ":" in system and not any(sign.isspace() for sign in system)


def narrative(*lines: str) -> Json:
    """The human-readable part, made from the same words."""
    inner = "".join(f"<p>{html.escape(text(line), quote=False)}</p>" for line in lines if text(line)) or "<p>-</p>"
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>'}


def notes(*words: str) -> list[Json]:
    """Annotations."""
    return [{"text": text(each)} for each in words if text(each)]
