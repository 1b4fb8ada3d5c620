"""Which analyte a result is: code, name, specimen and unit held against one another.

A code alone is not believed: laboratories send lymphocytes under the neutrophils' code and cerebrospinal fluid under
the white cells' code. Where two of them contradict each other the result is refused and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from leuko.frozen import Frozen
from leuko.intake.findings import Finding, fault, note
from leuko.intake.names import REMEMBERED, Index, SpecimenKind, method_in, specimen_of, tokens_of
from leuko.intake.raw import RawResult
from leuko.knowledge.schema import CodeRow
from leuko.record import Code, Method

_LOINC = "http://loinc.org"
_LOINC_SHAPE = re.compile(r"\d{1,6}-\d")
_SYSTEMS = {
    "ln": _LOINC,
    "loinc": _LOINC,
    "lnc": _LOINC,
    "http://loinc.org/": _LOINC,
    "https://loinc.org": _LOINC,
    "urn:oid:2.16.840.1.113883.6.1": _LOINC,
    "2.16.840.1.113883.6.1": _LOINC,
}


class Claim(Frozen, frozen=True, kw_only=True):
    """What a result claims to be: the candidates that its unit will choose from, and what was found on the way.

    `kind` "none": nothing of ours; "panel": a container; "refused": `findings` say why; "ours": `ids` are candidates.
    `coded` is the analyte of its code, `sure` whether code or name alone already decide between count and percentage.
    `stranger` is a LOINC code that is not known here and that nothing else places in blood. `mentions` is what a name
    speaks of that is not understood as a whole (`odd_name`).
    """

    kind: Literal["none", "panel", "refused", "ours"]
    ids: frozenset[str] = frozenset()
    coded: str | None = None
    method: Method | None = None
    stranger: str | None = None
    mentions: frozenset[str] = frozenset()
    odd_name: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether one candidate is left before the unit was looked at."""
        return len(self.ids) == 1


class _Names(Frozen, frozen=True, kw_only=True):
    ids: frozenset[str]
    mentions: frozenset[str]
    text: str
    conflict: tuple[str, str] | None
    specimen: SpecimenKind
    specimen_word: str
    method: Method | None


def claim_of(raw: RawResult, *, index: Index, codes: Mapping[tuple[str, str], CodeRow], counts_cells: bool) -> Claim:
    """Hold codes, names and specimen against one another.

    `counts_cells` says whether value and unit look like a number of cells per volume: a result under a code that is no
    count (a morphology) claims to be one only then.
    """
    key = (raw.codes, raw.names, raw.specimen, raw.method_text, counts_cells)
    held = index.claims.get(key)
    if isinstance(held, Claim):
        return held
    claim = _claim(raw, index, codes, counts_cells=counts_cells)
    if len(index.claims) < REMEMBERED:
        index.claims[key] = claim
    return claim


def _claim(raw: RawResult, index: Index, codes: Mapping[tuple[str, str], CodeRow], *, counts_cells: bool) -> Claim:
    rows = _rows(raw.codes, codes)
    names = _names(raw, index)
    coded = frozenset(row.analyte for row in rows if row.analyte)
    if not coded and any(row.panel for row in rows):
        return Claim(kind="panel")
    if not coded and rows:
        return _under_a_wrong_code(rows, raw, names, counts_cells=counts_cells)
    if not coded and not names.ids and names.conflict is None:
        return _perhaps(raw, names)
    trouble = _trouble(raw, coded, names, index)
    if trouble is not None:
        return Claim(kind="refused", findings=(trouble,))
    return _settled(raw, rows, coded, names, index)


def _settled(raw: RawResult, rows: list[CodeRow], coded: frozenset[str], names: _Names, index: Index) -> Claim:
    method = next((row.method for row in rows if row.method), None) or method_in(raw.method_text) or names.method
    own = next(iter(coded), None)
    ids = coded or names.ids
    stranger = None if own or names.specimen == "blood" else _unknown_loinc(raw.codes)
    remarks = _remarks(raw, own, names, index)
    return Claim(kind="ours", ids=ids, coded=own, method=method, stranger=stranger, findings=remarks)


def _unknown_loinc(given: tuple[Code, ...]) -> str | None:
    return next((c.code for c in given if _SYSTEMS.get(c.system.casefold(), c.system) == _LOINC), None)


def _rows(given: tuple[Code, ...], codes: Mapping[tuple[str, str], CodeRow]) -> list[CodeRow]:
    return [row for code in given if (row := _row(code, codes)) is not None]


def _row(code: Code, codes: Mapping[tuple[str, str], CodeRow]) -> CodeRow | None:
    value = code.code.strip()
    system = code.system.strip()
    found = codes.get((_SYSTEMS.get(system.casefold(), system), value))
    if found is None and not system and _LOINC_SHAPE.fullmatch(value):
        found = codes.get((_LOINC, value))
    return found if found is not None and found.basis.drives else None


def _perhaps(raw: RawResult, names: _Names) -> Claim:
    """Nothing of ours, or a name that speaks of our analytes with a word that is not known."""
    if names.specimen == "other" or _unknown_loinc(raw.codes):
        return Claim(kind="none")
    return Claim(kind="none", mentions=names.mentions, odd_name=names.text)


def _labels(raw: RawResult) -> tuple[str, ...]:
    """Everything that names the result in words; without any, a local code such as NEUT# is a name too."""
    displays = tuple(c.display for c in raw.codes if c.display and c.display.strip())
    words = tuple(dict.fromkeys((*(n for n in raw.names if n.strip()), *displays)))
    return words or tuple(dict.fromkeys(c.code for c in raw.codes if _is_local(c)))


def _is_local(code: Code) -> bool:
    return code.system.strip().casefold() not in _SYSTEMS and "://" not in code.system


def _names(raw: RawResult, index: Index) -> _Names:
    labels = _labels(raw)
    readings = [index.read(label) for label in labels]
    ids: frozenset[str] = frozenset()
    text, conflict = "", None
    for label, reading in zip(labels, readings, strict=True):
        if not reading.ids:
            continue
        if not ids:
            ids, text = reading.ids, label
        elif ids & reading.ids:
            ids = ids & reading.ids
        elif not _kin(ids, reading.ids, index):
            conflict = (text, label)
    specimen = _graver(
        *((r.specimen, r.specimen_word) for r in readings), *(specimen_of(tokens_of(s)) for s in raw.specimen)
    )
    return _Names(
        ids=ids,
        mentions=frozenset().union(*(r.mentions for r in readings)),
        text=text or next((n for n, r in zip(labels, readings, strict=True) if r.mentions), ""),
        conflict=conflict,
        specimen=specimen[0],
        specimen_word=specimen[1],
        method=next((r.method for r in readings if r.method), None),
    )


def _graver(*specimens: tuple[SpecimenKind, str]) -> tuple[SpecimenKind, str]:
    for kind in ("other", "blood", "doubtful"):
        for specimen in specimens:
            if specimen[0] == kind:
                return specimen
    return "unknown", ""


def _families(ids: frozenset[str], index: Index) -> frozenset[str]:
    """The absolute analytes behind ids, and those that they are a part of."""
    own = {index.family(i) for i in ids}
    return frozenset(own | {b for i in own if (b := index.analytes[i].broader)})


def _kin(one: frozenset[str], other: frozenset[str], index: Index) -> bool:
    """Whether two sets of ids can mean one thing: the same family, or one a part of the other."""
    mine, theirs = {index.family(i) for i in one}, {index.family(i) for i in other}
    return bool(mine & theirs or mine & _families(other, index) or _families(one, index) & theirs)


def _trouble(raw: RawResult, coded: frozenset[str], names: _Names, index: Index) -> Finding | None:
    if len(coded) > 1:
        return fault("LK303", f"its codes mean different things: {_label(coded, index)}")
    odd = _odd_label(coded, names, index)
    if odd is not None:
        return fault("LK302", f"the code says {_label(coded, index)}, but the label says {odd!r}")
    if not coded and names.conflict:
        return fault("LK304", f"its labels {names.conflict[0]!r} and {names.conflict[1]!r} mean different things")
    return _not_blood(raw, coded, names, index) if names.specimen == "other" else None


def _odd_label(coded: frozenset[str], names: _Names, index: Index) -> str | None:
    """A label that cannot mean what the code means."""
    if not coded:
        return None
    said = names.ids or names.mentions
    if said and not _kin(coded, said, index):
        return names.text
    return next((label for label in names.conflict or () if not _kin(coded, index.read(label).ids, index)), None)


def _not_blood(raw: RawResult, coded: frozenset[str], names: _Names, index: Index) -> Finding:
    where = ", ".join(raw.specimen) or names.specimen_word
    if coded:
        return fault("LK305", f"the code says {_label(coded, index)} in blood, but the specimen is {where!r}")
    return note("LK305", f"{names.text!r} was measured in {where!r}, not in blood", severity="info", lost=True)


def _label(ids: frozenset[str], index: Index) -> str:
    return " or ".join(sorted(index.analytes[i].label for i in ids))


def _remarks(raw: RawResult, own: str | None, names: _Names, index: Index) -> tuple[Finding, ...]:
    """What is worth saying of a result that is still believed."""
    found: list[Finding] = []
    if names.specimen == "doubtful":
        text = f"blood cells are not counted in {', '.join(raw.specimen) or names.specimen_word!r}"
        found.append(note("LK309", text))
    if own and names.ids and not ({index.family(own)} & {index.family(i) for i in names.ids}):
        label = index.analytes[own].label
        found.append(note("LK308", f"the code says {label}, the label {names.text!r}: one is a part of the other"))
    return tuple(found)


def _under_a_wrong_code(rows: list[CodeRow], raw: RawResult, names: _Names, *, counts_cells: bool) -> Claim:
    refusal = next(row for row in rows if row.refuse or not row.panel)
    if not counts_cells or not names.ids or names.specimen == "other":
        return Claim(kind="none")
    code = next(c.code for c in raw.codes if c.code.strip() == refusal.code)
    text = f"{names.text!r} was sent under {code}, which is no blood count: {refusal.refuse}"
    return Claim(kind="refused", findings=(fault("LK301", text),))
