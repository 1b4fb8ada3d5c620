"""Words, codes and numbers out of the wire types, as text fit to be kept and printed."""

from __future__ import annotations

import re

from msgspec import Raw

from leuko.intake.fhir.wire import CodeableConcept, Quantity
from leuko.record import Code

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def clean(text: str | None) -> str:
    """Text without zero-width and control characters, white space joined to single spaces."""
    if text is None:
        return ""
    if text.isascii() and text.isprintable() and "  " not in text:  # nearly all text: nothing to look for
        return text.strip()
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def concepts(value: list[CodeableConcept] | CodeableConcept | None) -> list[CodeableConcept]:
    """A list, whether the source wrote a list (R4) or a single one (earlier editions)."""
    return [] if value is None else value if isinstance(value, list) else [value]


def codes(concept: CodeableConcept | None) -> tuple[Code, ...]:
    """The codes of a concept that carry a code, in the source's order."""
    if concept is None:
        return ()
    return tuple(
        Code(system=clean(coding.system), code=clean(coding.code), display=clean(coding.display) or None)
        for coding in concept.coding or []
        if clean(coding.code)
    )


def names(concept: CodeableConcept | None) -> tuple[str, ...]:
    """What the source calls the concept: its own words first, then the displays; each once."""
    if concept is None:
        return ()
    said = [concept.text, *(coding.display for coding in concept.coding or [])]
    return tuple(dict.fromkeys(text for text in map(clean, said) if text))


def label(concept: CodeableConcept | None) -> str:
    """One name for the concept: words, else its first code, else nothing."""
    found = names(concept) or tuple(code.code for code in codes(concept))
    return found[0] if found else ""


def code_of(concept: CodeableConcept | str | None) -> str:
    """The first code of a status, in lower case; earlier editions wrote it as plain text."""
    if isinstance(concept, str):
        return clean(concept).lower()
    found = codes(concept)
    return (found[0].code if found else label(concept)).lower()


def number_text(raw: Raw) -> str:
    """The text of a JSON number as written; a number in quotes is unquoted; anything else is empty."""
    text = bytes(raw).decode(errors="replace").strip().strip('"').strip()
    return "" if text == "null" else clean(text)


def number(quantity: Quantity | None) -> float | None:
    """The value as a finite float, or None; for amounts that nothing is graded on."""
    text = "" if quantity is None else number_text(quantity.value)
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < float("inf") else None


def unit(quantity: Quantity | None) -> str | None:
    """The unit as printed, else its code."""
    return None if quantity is None else clean(quantity.unit) or clean(quantity.code) or None
