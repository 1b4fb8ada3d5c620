"""Codes, names and values out of HL7 v2 fields, as text fit to be kept."""

from __future__ import annotations

from typing import Final

from leuko.frozen import Frozen
from leuko.intake.fhir.words import clean
from leuko.intake.hl7.wire import NULL, Segment, split_components
from leuko.record import Code

# HL7 table 0396, as far as it names systems that leuko's tables use; other names stay as the source wrote them.
_SYSTEMS: Final = {
    "LN": "http://loinc.org",
    "LNC": "http://loinc.org",
    "LOINC": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SNOMED": "http://snomed.info/sct",
    "SNOMEDCT": "http://snomed.info/sct",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "RXN": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "CVX": "http://hl7.org/fhir/sid/cvx",
    "ATC": "http://www.whocc.no/atc",
    "WHOCC": "http://www.whocc.no/atc",
    "I9C": "http://hl7.org/fhir/sid/icd-9-cm",
    "I9CDX": "http://hl7.org/fhir/sid/icd-9-cm",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "I10C": "http://hl7.org/fhir/sid/icd-10-cm",
    "I10G": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "ICD10GM": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "UCUM": "http://unitsofmeasure.org",
}
_TRIPLES: Final = ((0, 1, 2), (3, 4, 5), (9, 10, 11))  # code, text, system: primary, alternate, second alternate
_ORIGINAL: Final = 8  # the text as the user typed it
_LONGEST: Final = 2000  # characters of a value that is kept; more is a document, not a result
EMBEDDED: Final = frozenset({"ED", "RP"})
_CODED: Final = frozenset({"CE", "CWE", "CNE", "CF", "CK", "ID"})


class Concept(Frozen, frozen=True, kw_only=True):
    """A coded element (CE, CWE): its codes, and its names, each once."""

    codes: tuple[Code, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """One name: words, else its first code."""
        return next(iter((*self.names, *(code.code for code in self.codes))), "")


def concept(segment: Segment, number: int) -> Concept:
    """The coded element in a field's first repetition."""
    parts = ["" if part.strip() == NULL else clean(part) for part in segment.components(number)]
    codes: list[Code] = []
    names: list[str] = []
    for at in _TRIPLES:
        code, text, system = (parts[index] if index < len(parts) else "" for index in at)
        if code:
            codes.append(Code(system=_SYSTEMS.get(system.upper(), system), code=code, display=text or None))
        names += [text] if text else []
    if len(parts) > _ORIGINAL and parts[_ORIGINAL]:
        names.append(parts[_ORIGINAL])
    return Concept(codes=tuple(codes), names=tuple(dict.fromkeys(names)))


def flags(segment: Segment, number: int) -> tuple[str, ...]:
    """The abnormal flags of a field: the code of each repetition."""
    said = (clean(split_components(text, segment.delimiters)[0]) for text in segment.repeats(number))
    return tuple(dict.fromkeys(flag for flag in said if flag and flag != NULL))


def plain(segment: Segment, number: int) -> str:
    """A whole field in HL7's usual delimiters, unescaped: for units and printed intervals."""
    marks = segment.delimiters
    text = next(iter(segment.repeats(number)), "")
    parts = split_components(text, marks)
    return "" if text.strip() == NULL else clean("^".join(parts)).rstrip("^")


class Value(Frozen, frozen=True, kw_only=True):
    """OBX-5 as text: number and comparator together, or words; `unit` where the value itself carries one.

    `deleted` where the field says `""`: what was sent before is to be deleted.
    """

    text: str = ""
    unit: str = ""
    deleted: bool = False


def value_of(segment: Segment) -> Value:
    """What OBX-5 says under the type of OBX-2; an empty or unknown type is read as text."""
    kind = segment.text_of(2).upper()
    if segment.is_null(5):
        return Value(deleted=True)
    repeats = [text for text in segment.repeats(5) if text]
    if kind == "SN":
        return Value(text=" ~ ".join(filter(None, (_structured(segment, text) for text in repeats))))
    if kind == "CQ" and len(repeats) == 1:
        parts = split_components(repeats[0], segment.delimiters)
        return Value(text=clean(parts[0]), unit=clean("^".join(parts[1:]).rstrip("^")))
    said = [_words(segment, text, coded=kind in _CODED) for text in repeats]
    return Value(text=" ~ ".join(text for text in said if text))


def _structured(segment: Segment, text: str) -> str:
    """A structured numeric: comparator, number, separator, number; `<^0.1`, `^1^:^8`, `^2^+`."""
    parts = [clean(part) for part in split_components(text, segment.delimiters)]
    return "".join("" if part == NULL else part for part in parts[:4])


def _words(segment: Segment, text: str, *, coded: bool) -> str:
    parts = [clean(part[:_LONGEST]) for part in split_components(text[:_LONGEST], segment.delimiters)]
    if coded:
        return next((part for part in (*parts[1:2], *parts[:1], *parts[4:5], *parts[3:4]) if part), "")
    return "^".join(parts).rstrip("^")
