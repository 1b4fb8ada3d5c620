"""A score in words: the total or its range, the band or the bands left, what is missing, whom it was validated on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.knowledge.schema.scores import BandRow, FindingRow, ObservableRow, ScoreRow
from leuko.result import Citation, Gap, Reason
from leuko.result.scores import Score, ScoreCriterion, ScoreItem
from leuko.scores.eligible import eligible
from leuko.scores.items import Judged
from leuko.scores.observe import Observed, observe
from leuko.scores.setting import Setting
from leuko.scores.total import Sums, bands_of, sums
from leuko.wording import say_list, say_number

_UNITS: Final = {"d": "days", "d/uL": "days × cells/µL", "points": "points"}
_WARNING: Final = frozenset({"warning", "criticism"})
_MOST_NAMED: Final = 4


class Parts(Frozen, frozen=True, kw_only=True):
    """What every score is told from."""

    row: ScoreRow
    criteria: tuple[ScoreCriterion, ...]
    bands: tuple[BandRow, ...]
    findings: tuple[FindingRow, ...]
    observables: Mapping[str, ObservableRow]
    library: Library


class _Banded(Frozen, frozen=True, kw_only=True):
    """The band, where there is only one; else what is left. `withheld`: it would reassure, and may not apply."""

    band: BandRow | None
    possible: tuple[str, ...]
    withheld: bool = False


# ---- points ---------------------------------------------------------------------------------------------------------


def told_points(parts: Parts, items: tuple[Judged, ...]) -> Score:
    """A score that adds the points of its items."""
    may = eligible(parts.criteria)
    if may is False:
        return _not_for(parts)
    left = sums(items, parts.bands)
    banded = _banded(left.bands, may)
    numbered = bool(parts.row.unit)
    least, most = (left.totals[0], left.totals[-1]) if numbered else (None, None)
    missing = [item for item in items if _matters(item, left, numbered=numbered)]
    missing = missing if numbered or banded.band is None else []
    return _score(
        parts,
        may=may,
        says=_says_points(parts, left, banded, _names(missing, parts.observables), may),
        items=tuple(_item(item, left, parts, numbered=numbered) for item in items),
        span=(least, most),
        banded=banded,
        gap=_gap(parts, missing, may, banded),
        citations=_cited(parts, items),
    )


def _matters(item: Judged, left: Sums, *, numbered: bool) -> bool:
    """Whether more than one answer to an item remains, in points or (in groups) in words."""
    return len(left.points[item.item.id]) > 1 if numbered else len(item.options) > 1


def _names(missing: Sequence[Judged], observables: Mapping[str, ObservableRow]) -> list[str]:
    """What is missing, as one would ask for it."""
    labels = {name: row.label for name, row in observables.items()}
    names = (one.item.missing or labels.get(one.item.asks) or one.item.label for one in missing)
    return list(dict.fromkeys(names))


def _item(judged: Judged, left: Sums, parts: Parts, *, numbered: bool) -> ScoreItem:
    row, possible = judged.item, left.points[judged.item.id]
    known = len(possible) == 1
    measured = parts.observables.get(row.asks)
    found = say_list(judged.found)
    points = _points(possible) if numbered else ""
    text = ": ".join(
        part for part in (row.label, "; ".join((*([found] if found else []), *judged.why)), points) if part
    )
    return ScoreItem(
        item=row.id,
        question=row.question,
        value=found,
        points=possible[0] if known else None,
        least=possible[0],
        most=possible[-1],
        possible=possible,
        asked=row.asks,
        choices=tuple(option.value for option in row.options),
        unit=measured.unit if measured is not None else "",
        evidence=judged.evidence,
        reason=Reason(
            rule=f"score:item:{row.id}", text=text, evidence=judged.evidence, citations=(parts.library.cite(row.basis),)
        ),
    )


def _points(possible: Sequence[int]) -> str:
    if len(possible) > 1:
        return f"{say_list([str(one) for one in possible], 'or')} points"
    return f"{possible[0]} point" if possible[0] == 1 else f"{possible[0]} points"


def _says_points(parts: Parts, left: Sums, banded: _Banded, missing: Sequence[str], may: bool | None) -> str:
    """The summary: whether it applies, the total or what is missing, the band or the bands left."""
    least, most = left.totals[0], left.totals[-1]
    out_of = f" of {parts.row.highest}" if parts.row.highest is not None else ""
    total = f"{least}{out_of}" if least == most else f"range {least}-{most}{out_of}"
    texts = [f"cannot say whether it applies ({_open_questions(parts)})"] if may is None else []
    if parts.row.unit:
        settled = least == most or may is None or banded.band is not None
        texts.append(total if settled else f"{_cannot(missing)} ({total})")
    elif banded.band is None and may is not None:
        texts.append(_cannot(missing))
    if banded.band is not None and not banded.withheld:
        texts.append(banded.band.name + ("" if least == most else f", whatever is missing ({_shown(missing)})"))
    elif 1 < len(banded.possible) < len(parts.bands):
        texts.append(say_list(banded.possible, "or"))
    return f"{parts.row.name}: {'; '.join(texts)}"


def _cannot(missing: Sequence[str]) -> str:
    return f"cannot score: {_shown(missing)} missing"


def _shown(missing: Sequence[str]) -> str:
    shown = list(missing)
    if len(shown) > _MOST_NAMED:
        shown = [*shown[: _MOST_NAMED - 1], f"{len(shown) - _MOST_NAMED + 1} more"]
    return say_list(shown)


def _open_questions(parts: Parts) -> str:
    return " ".join(criterion.question for criterion in parts.criteria if criterion.met is None)


def _gap(parts: Parts, missing: Sequence[Judged], may: bool | None, banded: _Banded) -> Gap | None:
    open_ = [criterion.question for criterion in parts.criteria if criterion.met is None]
    if not missing and may is not None:
        return None
    why = [f"missing: {say_list(_names(missing, parts.observables))}"] if missing else []
    why += [f"not known: {' '.join(open_)}"] if open_ else []
    if banded.withheld:
        why.append("its band would reassure, and is withheld until it is known that the score applies")
    settle = [item.item.question for item in missing] + open_
    return Gap(what=parts.row.name, why="; ".join(why), settle="; ".join(dict.fromkeys(settle)))


def _cited(parts: Parts, items: Iterable[Judged]) -> tuple[Citation, ...]:
    return tuple(parts.library.cite(item.item.basis) for item in items)


# ---- measures -------------------------------------------------------------------------------------------------------


def told_measure(parts: Parts, setting: Setting) -> Score:
    """A score that is one measure of the record: days, or an area."""
    row = parts.observables[parts.row.observable]
    observed, may = observe(row, setting), eligible(parts.criteria)
    if may is False or observed.never:
        return _not_for(parts, observed.why if observed.never else "")
    if not observed.readings:
        return _unmeasured(parts, observed, may)
    reading = observed.readings[0]
    banded = _banded(bands_of(reading, parts.bands), may)
    low, high = reading.low.value, reading.high.value
    doubt = f"cannot say whether it applies ({_open_questions(parts)}); " if may is None else ""
    text = f"{parts.row.name}: {doubt}{_span_words(low, high, parts.row.unit)}"
    text += f" ({reading.text})" if row.found != "days_below" else ""
    if banded.band is not None and not banded.withheld:
        text = f"{text}; {banded.band.name}"
    return _score(
        parts,
        may=may,
        says=text,
        items=(),
        span=(low, None if math.isinf(high) else high),
        banded=banded,
        gap=_open_end(parts, low, high) or _gap(parts, (), may, banded),
        citations=(parts.library.cite(row.basis),),
        evidence=reading.evidence,
    )


def _span_words(low: float, high: float, unit: str) -> str:
    words = _UNITS[unit]
    if low == high:
        return "1 day" if unit == "d" and low == 1 else f"{say_number(low)} {words}"
    if math.isinf(high):
        return f"at least {say_number(low)} {words}"
    return f"{say_number(low)} to {say_number(high)} {words}"


def _unmeasured(parts: Parts, observed: Observed, may: bool | None) -> Score:
    gap = Gap(what=parts.row.name, why=observed.why, settle="a neutrophil count every day of the low stretch")
    says = f"{parts.row.name}: cannot be told, {observed.why}"
    nothing = _Banded(band=None, possible=())
    return _score(parts, may=may, says=says, items=(), span=(None, None), banded=nothing, gap=gap, citations=())


def _open_end(parts: Parts, low: float, high: float) -> Gap | None:
    if low == high:
        return None
    why = "the sampling leaves a least and a most"
    return Gap(what=parts.row.name, why=why, settle="more counts around the fall and the rise")


# ---- both -----------------------------------------------------------------------------------------------------------


def _banded(bands: Sequence[BandRow | None], may: bool | None) -> _Banded:
    """The band that everything possible leads to; a reassuring one is withheld while the score may not apply."""
    names = tuple(band.name if band is not None else "no band" for band in bands)
    if len(bands) != 1 or bands[0] is None:
        return _Banded(band=None, possible=names if len(bands) > 1 else ())
    only = bands[0]
    withheld = may is None and only.reassuring
    return _Banded(band=only, possible=() if withheld else names, withheld=withheld)


def _not_for(parts: Parts, why: str = "") -> Score:
    """A score that may not be used: it says why, and scores nothing."""
    against = [criterion for criterion in parts.criteria if criterion.met is False]
    reason = why or "; ".join(f"{criterion.question} No: {criterion.reason.text}" for criterion in against)
    nothing = _Banded(band=None, possible=())
    says = f"{parts.row.name}: does not apply. {reason}"
    return _score(parts, may=False, says=says, items=(), span=(None, None), banded=nothing, gap=None, citations=())


def _score(
    parts: Parts,
    *,
    may: bool | None,
    says: str,
    items: tuple[ScoreItem, ...],
    span: tuple[float | None, float | None],
    banded: _Banded,
    gap: Gap | None,
    citations: tuple[Citation, ...],
    evidence: tuple[str, ...] = (),
) -> Score:
    row, library = parts.row, parts.library
    least, most = span
    band = None if banded.withheld else banded.band
    findings = parts.findings
    said = (library.cite(row.basis), *([library.cite(band.basis)] if band is not None else []), *citations)
    return Score(
        id=row.id,
        name=row.name,
        edition=row.edition,
        unit=row.unit,
        says=says if says.endswith((".", "?")) else f"{says}.",
        eligible=may,
        reason=_why(parts, may, evidence),
        criteria=parts.criteria,
        items=items,
        total=least if least is not None and least == most else None,
        least=least,
        most=most,
        lowest=row.lowest,
        highest=row.highest,
        band=band.name if band is not None else None,
        possible=banded.possible,
        meaning=band.text if band is not None else "",
        validated=(f"For {row.population}.", *(one.text for one in findings if one.kind not in _WARNING)),
        warnings=tuple(one.text for one in findings if one.kind in _WARNING),
        citations=tuple(dict.fromkeys((*said, *(library.cite(one.basis) for one in findings)))),
        gap=gap,
    )


def _why(parts: Parts, may: bool | None, evidence: tuple[str, ...]) -> Reason:
    """Why the score may be used, may not, or why that is open."""
    shown = [criterion for criterion in parts.criteria if criterion.met is may] or list(parts.criteria)
    words = {True: "yes", False: "no", None: "not known"}
    texts = [
        f"{criterion.question} {words[criterion.met].capitalize()}: {criterion.reason.text}" for criterion in shown
    ]
    found = tuple(dict.fromkeys((*(one for c in shown for one in c.reason.evidence), *evidence)))
    return Reason(
        rule=f"score:{parts.row.id}:use",
        text=". ".join(texts) or f"for {parts.row.population}",
        evidence=found,
        citations=tuple(dict.fromkeys(one for c in shown for one in c.reason.citations)),
    )
