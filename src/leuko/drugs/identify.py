"""Which medicine a dose is of: by RxNorm ingredient, by ATC, or by name; several matches or none are said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from leuko.drugs.names import (
    Index,
    Words,
    index_of,
    inner_parts,
    key_of,
    known_as,
    parts_of,
    qualified,
    readings_of,
    tokens_of,
)
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.drugs import DrugRow
from leuko.record import Dose
from leuko.wording import say_list

How = Literal["rxnorm", "atc", "name", "none"]
_ATC_LENGTH: Final = 7


class Identified(Frozen, frozen=True, kw_only=True):
    """What a dose was read as: one row for each ingredient that leuko knows, the ingredients it does not, and why.

    `rows` is empty where nothing, or nothing certain, was found. `text` says how. `local` is true where code, name or
    route tell that the medicine acts locally (eye, skin, nose) and hardly reaches the blood.
    """

    rows: tuple[DrugRow, ...]
    unmatched: tuple[str, ...] = ()
    how: How = "none"
    text: str
    local: bool = False


def identify(dose: Dose, *, library: Library) -> DrugRow | None:
    """The row of the one medicine that a dose is of; None where none, or more than one, is certain.

    Codes before names: an RxNorm code of an ingredient, an ATC code of the fifth level. The code of a clinical drug
    (strength and form) cannot be resolved by itself; then its display is read. A name must be the name of a medicine
    exactly (INN, US name, other names, brands, in any case, with or without salt, strength and form): a name that is
    merely like one is not matched. `identified` tells why, and the ingredients of a combination.
    """
    found = identified(dose, index_of(library)).rows
    return found[0] if len(found) == 1 else None


def identified(dose: Dose, index: Index) -> Identified:
    """What a dose was read as, with the reason."""
    local = _local(dose, index.words)
    by_code = _by_rxnorm(dose, index) or _by_atc(dose, index)
    by_name = _by_names(dose, index)
    if by_code is None:
        return _with(by_name, local)
    named = {row.id for row in by_name.rows}
    coded = {row.id for row in by_code.rows}
    if named and coded and not named & coded:
        both = f"{_inns(by_code.rows)} by code, {_inns(by_name.rows)} by name"
        return Identified(rows=(), text=f"code and name say different medicines: {both}", local=local)
    return _with(by_code if by_code.rows else by_name, local)


def is_growth_factor(dose: Dose, words: Words) -> bool:
    """Whether a dose is of a medicine that raises neutrophils."""
    coded = any(_is_atc(c.system) and c.code.upper().startswith(words.growth_atc) for c in dose.codes)
    named = any(token in words.growth or token[:-5] in words.growth for token in tokens_of(dose.drug))
    return bool(words.growth_atc) and (coded or named)


def _with(found: Identified, local: bool) -> Identified:
    return Identified(rows=found.rows, unmatched=found.unmatched, how=found.how, text=found.text, local=local)


def _inns(rows: Sequence[DrugRow]) -> str:
    return say_list([row.inn for row in rows])


def _is_rxnorm(system: str) -> bool:
    return "rxnorm" in system.casefold()


def _is_atc(system: str) -> bool:
    folded = system.casefold()
    return "whocc" in folded or folded.endswith("atc") or "2.16.840.1.113883.6.73" in folded


def _by_rxnorm(dose: Dose, index: Index) -> Identified | None:
    codes = [code.code for code in dose.codes if _is_rxnorm(code.system) and code.code in index.rxnorm]
    return _coded(codes, [index.rxnorm[code] for code in codes], "rxnorm", index) if codes else None


def _by_atc(dose: Dose, index: Index) -> Identified | None:
    """By ATC code of the fifth level; a national code may go on after it. A group code names no one medicine."""
    atc = [code.code.upper().replace(" ", "") for code in dose.codes if _is_atc(code.system)]
    codes = [code[:_ATC_LENGTH] for code in atc if code[:_ATC_LENGTH] in index.atc]
    return _coded(codes, [index.atc[code] for code in codes], "atc", index) if codes else None


def _coded(codes: Sequence[str], found: Sequence[frozenset[str]], how: How, index: Index) -> Identified:
    ids = sorted(set().union(*found))
    rows = tuple(index.rows[one] for one in ids)
    label = f"{'RxNorm' if how == 'rxnorm' else 'ATC'} {say_list(sorted(set(codes)))}"
    if any(len(one) > 1 for one in found):
        return Identified(rows=(), text=f"{label} leads to {_inns(rows)}: not decided")
    return Identified(rows=rows, how=how, text=f"{label} is {_inns(rows)}")


def _by_names(dose: Dose, index: Index) -> Identified:
    texts = [dose.drug, *(code.display for code in dose.codes if code.display), dose.origin.name_text]
    readings = [_by_name(text, index) for text in dict.fromkeys(texts) if text and text.strip()]
    found = [reading for reading in readings if reading.rows]
    if not found:
        return readings[0] if readings else Identified(rows=(), text="the dose names no medicine")
    first = max(found, key=lambda reading: len(reading.rows))
    every = {row.id for reading in found for row in reading.rows}
    if every - {row.id for row in first.rows}:
        said = "; ".join(dict.fromkeys(reading.text for reading in found))
        return Identified(rows=(), text=f"its names say different medicines: {said}")
    return first


def _by_name(text: str, index: Index) -> Identified:
    special = qualified(text, index.words)
    if special is not None:
        return Identified(
            rows=(),
            unmatched=(text,),
            text=f"“{text}” is a product of its own ({special}); it is not taken as the plain medicine",
        )
    whole = known_as(text, index)
    if whole:
        return _named(text, whole, index)
    readings = [_reading(part, index) for part in readings_of(text)]
    found = [reading for reading in readings if reading.rows]
    if not found:
        name = readings[0].unmatched if readings else (text,)
        return Identified(rows=(), unmatched=name, text=_nothing(text, readings))
    every = {row.id for reading in found for row in reading.rows}
    if any({row.id for row in reading.rows} != every for reading in found):
        return Identified(
            rows=(),
            unmatched=(text,),
            text=f"“{text}” names several medicines: {_inns([index.rows[i] for i in sorted(every)])}",
        )
    return found[0]


def _nothing(text: str, readings: Sequence[Identified]) -> str:
    said = next((reading.text for reading in readings if "several" in reading.text), "")
    return said or f"no medicine of the name “{text}” is in leuko’s table"


def _reading(text: str, index: Index) -> Identified:
    whole = known_as(text, index)
    if whole:
        return _named(text, whole, index)
    parts = parts_of(text)
    parts = parts if len(parts) > 1 else inner_parts(text, index)
    if len(parts) < 2:
        return Identified(rows=(), unmatched=(text,), text=f"“{text}” is not known")
    combined = index.combinations.get(frozenset(key_of(part, index.words) for part in parts))
    if combined is not None:
        return _named(text, frozenset({combined}), index)
    known = [(part, known_as(part, index)) for part in parts]
    if any(len(ids) > 1 for _, ids in known):
        return Identified(rows=(), unmatched=(text,), text=f"“{text}” leads to several medicines")
    rows = tuple(index.rows[one] for _, ids in known for one in ids)
    unmatched = tuple(key_of(part, index.words) or part for part, ids in known if not ids)
    return Identified(
        rows=tuple(dict.fromkeys(rows)),
        unmatched=unmatched,
        how="name",
        text=f"“{text}” is a combination with {_inns(rows)}" if rows else f"“{text}” is not known",
    )


def _named(text: str, ids: frozenset[str], index: Index) -> Identified:
    rows = tuple(index.rows[one] for one in sorted(ids))
    if len(rows) > 1:
        return Identified(rows=(), unmatched=(text,), text=f"“{text}” leads to several medicines: {_inns(rows)}")
    return Identified(rows=rows, how="name", text=f"“{text}” is {rows[0].inn}")


def _local(dose: Dose, words: Words) -> bool:
    """Whether the medicine acts locally: every ATC code is of a local group, or the route or name says so."""
    atc = [code.code.upper() for code in dose.codes if _is_atc(code.system)]
    by_code = bool(atc) and bool(words.local_atc) and all(code.startswith(words.local_atc) for code in atc)
    return by_code or any(token in words.qualifiers for token in tokens_of(dose.route or ""))
