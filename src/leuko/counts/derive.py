"""What a draw's results say together: absolute counts from the white count and its differential, and bounds.

    absolute = WBC x percent / 100            for each line of the differential, of the same draw
    ANC      = WBC x (segments + bands) / 100; metamyelocytes and younger forms do not count; a percentage of all
               neutrophils already holds the bands

after UpToDate, Overview of neutropenia in children and adolescents (Coates TD), quoted in the notices. A measured
absolute count is never replaced; where it disagrees with what the percentages give, both are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from leuko.counts.findings import Step, joined, notice
from leuko.counts.numbers import PERCENT, Bounded, Span, exactly, plus, product, span_of, times, total
from leuko.frozen import Frozen, replace
from leuko.knowledge import Library
from leuko.record import Count, Method, Origin, ResultStatus
from leuko.result import Gap, SetAside
from leuko.wording import say_bounded, say_count, say_list, say_moment, say_number

ByAnalyte = Mapping[str, Count]

WBC: Final = "wbc"
ANC: Final = "neutrophils"
ALL: Final = "neutrophils_percent"
SEGMENTS: Final = "segments"
BANDS: Final = "bands"
GRANULOCYTES: Final = "granulocytes"
LINES: Final = ("lymphocytes", "monocytes", "eosinophils", "basophils")
HUNDRED: Final = Fraction(100)


class Made(Frozen, frozen=True, kw_only=True):
    """A count made from others, with the values that the rounding of their printed digits leaves open."""

    count: Count
    span: Span
    notices: tuple[Step, ...] = ()


def derive(by: ByAnalyte, library: Library) -> Step:
    """All counts of one sample, one per analyte, with what can be derived from them."""
    made = (_settled(made, by.get(made.count.analyte), library) for made in _made(by, library))
    return joined((Step(kept=tuple(by.values())), *made, sum_check(by, library)))


def _made(by: ByAnalyte, library: Library) -> Iterable[Made]:
    wbc = by.get(WBC)
    if wbc is not None:
        for row in library.analytes.values():
            part = by.get(row.id)
            if row.quantity == "percent" and row.absolute not in {None, ANC} and part is not None:
                made = _share(str(row.absolute), wbc, (part,), library)
                if made is not None:
                    yield made
    neutrophils = _neutrophils(by, library)
    if neutrophils is not None:
        yield neutrophils


def _settled(made: Made, measured: Count | None, library: Library) -> Step:
    """A derived count where none was measured; else the measured one stands, and a disagreement is told."""
    if measured is None:
        return joined((*made.notices, Step(kept=(made.count,))))
    if not span_of(measured).apart(made.span):
        return Step()
    text = (
        f"{_label(measured.analyte, library)} of {say_moment(measured.taken)}: reported {say_count(measured)}, but "
        f"{made.count.derivation}"
    )
    said = notice("LK608", measured, text, library, read=f"the reported {say_count(measured)} is used")
    return Step(set_aside=(SetAside(count=made.count, notice=said),), notices=(said,))


# The neutrophils


def _neutrophils(by: ByAnalyte, library: Library) -> Made | None:
    wbc = by.get(WBC)
    whole = by.get(ALL)
    if whole is not None and wbc is not None:
        parts, notices = _with_bands(by, whole, library)
        made = _share(ANC, wbc, parts, library)
        return None if made is None else replace(made, notices=notices)
    segments = by.get(f"{SEGMENTS}_percent")
    if segments is not None and wbc is not None:
        return _from_segments(by, wbc, segments, library)
    return _from_absolute(by, library)


def _with_bands(by: ByAnalyte, whole: Count, library: Library) -> tuple[tuple[Count, ...], tuple[Step, ...]]:
    """The parts that make up the neutrophils where they are reported as a whole, perhaps beside the bands."""
    bands = by.get(f"{BANDS}_percent")
    if bands is None or bands.value == 0 or whole.method == "automated":
        return (whole,), ()
    held, apart = _adds_up(by, (whole,)), _adds_up(by, (whole, bands))
    segments = by.get(f"{SEGMENTS}_percent")
    if segments is not None:
        both = plus((span_of(segments), span_of(bands)))
        held, apart = not span_of(whole).apart(both), not span_of(whole).apart(span_of(segments))
    if held == apart:
        text = (
            f"{_label(ALL, library)} {say_count(whole)} and {_label(bands.analyte, library)} {say_count(bands)} of "
            f"{say_moment(whole.taken)}: the record does not show whether the first already holds the second"
        )
        said = notice("LK615", whole, text, library, read="the bands are not added, which gives the lower ANC")
        return (whole,), (Step(notices=(said,)),)
    return ((whole, bands), ()) if apart else ((whole,), ())


def _from_segments(by: ByAnalyte, wbc: Count, segments: Count, library: Library) -> Made | None:
    bands = by.get(f"{BANDS}_percent")
    if bands is not None:
        return _share(ANC, wbc, (segments, bands), library)
    made = _share(ANC, wbc, (segments,), library)
    if made is None or _adds_up(by, (segments,)):
        return made
    return _at_least(made, library)


def _from_absolute(by: ByAnalyte, library: Library) -> Made | None:
    segments, bands = by.get(SEGMENTS), by.get(BANDS)
    if segments is None:
        return None
    parts = (segments,) if bands is None else (segments, bands)
    value = total(exactly(part) for part in parts)
    if value is None:
        return None
    span = plus(span_of(part) for part in parts)
    says = " + ".join(f"{_short(part, library)} {say_bounded(part.value, part.bound)}" for part in parts)
    made = _as_count(ANC, value, parts, f"{says} = {value}", span)
    return made if bands is not None else _at_least(made, library)


def _at_least(made: Made, library: Library) -> Made:
    """Segments alone: bands were not reported, and may be there."""
    if made.count.bound not in {"=", ">", ">="}:
        return made
    bound = ">=" if made.count.bound == "=" else made.count.bound
    text = f"{made.count.derivation}; the bands are not reported, so this is the least that the ANC can be"
    count = replace(made.count, bound=bound, derivation=text)
    said = Step(notices=(notice("LK616", count, text, library, read=say_count(count)),))
    return Made(count=count, span=Span(least=made.span.least, most=None), notices=(said,))


def bounded(by: ByAnalyte, library: Library) -> Step:
    """Without a differential, neutrophils are at most the white count, or at most the granulocytes they are part of."""
    if ANC in by:
        return Step()
    tops = [top for name in (WBC, GRANULOCYTES) if (top := by.get(name)) is not None and top.bound in {"=", "<", "<="}]
    if WBC in by and f"{GRANULOCYTES}_percent" in by and GRANULOCYTES not in by:
        share = _share(GRANULOCYTES, by[WBC], (by[f"{GRANULOCYTES}_percent"],), library)
        tops += [share.count] if share is not None and share.count.bound in {"=", "<", "<="} else []
    if not tops:
        return Step()
    top = min(tops, key=lambda count: count.value)
    text = (
        f"neutrophils are a part of {_label(top.analyte, library).lower()} {say_count(top)}, so they are at most that"
    )
    value = Bounded(value=exactly(top).value, bound="<" if top.bound == "<" else "<=")
    made = _as_count(ANC, value, (top,), text, Span(least=Fraction(0), most=span_of(top).most))
    step = Step(kept=(made.count,))
    if top.analyte != GRANULOCYTES:
        return step
    said = f"{_label(GRANULOCYTES, library)} {say_count(top)} of {say_moment(top.taken)} are no neutrophil count"
    gap = Gap(
        what=f"the neutrophil count of {say_moment(top.taken)}",
        why="granulocytes also hold eosinophils and basophils, and an analyser of three parts tells them by size only",
        settle="a five-part or manual differential",
    )
    noted = notice("LK614", top, said, library, read=f"ANC at most {say_bounded(top.value)}")
    return joined((step, Step(notices=(noted,), gaps=(gap,))))


# Shares of the white count


def _share(analyte: str, wbc: Count, parts: tuple[Count, ...], library: Library) -> Made | None:
    """WBC x percentages / 100, exactly; None where bounds point in opposite directions."""
    percent = total(exactly(part) for part in parts)
    whole = None if percent is None else product(exactly(wbc), percent)
    if percent is None or whole is None:
        return None
    value = replace(whole, value=whole.value * PERCENT)
    share = times(span_of(wbc), plus(span_of(part) for part in parts))
    span = Span(least=share.least * PERCENT, most=None if share.most is None else share.most * PERCENT)
    shares = [say_bounded(part.value, part.bound) for part in parts]
    shown = f"({' + '.join(shares)})" if len(shares) > 1 else shares[0]
    names = say_list([_short(part, library) for part in parts])
    text = f"WBC {say_bounded(wbc.value, wbc.bound)} x {shown} % ({names}) = {value}"
    if value.bound == "=":
        text += f" ({span} within the rounding of the printed digits)"
    return _as_count(analyte, value, (wbc, *parts), text, span)


def _as_count(analyte: str, value: Bounded, parts: tuple[Count, ...], text: str, span: Span) -> Made:
    first = parts[0]
    timed = next((part for part in parts if part.taken is not None and part.taken.has_time), first)
    ids = tuple(part.id for part in parts)
    count = Count(
        id=f"derived:{analyte}:{'+'.join(ids)}",
        analyte=analyte,
        value=float(value.value),
        bound=value.bound,
        unit=first.unit,
        taken=timed.taken,
        kind="derived",
        method=_method(parts),
        status=_status(parts),
        draw=first.draw,
        issued=None,
        origin=Origin(place=first.origin.place),
        derived_from=ids,
        derivation=text,
    )
    return Made(count=count, span=span)


def _method(parts: tuple[Count, ...]) -> Method | None:
    methods = {part.method for part in parts[1:] or parts}
    return methods.pop() if len(methods) == 1 else None


_SURE: Final[tuple[ResultStatus, ...]] = ("corrected", "amended", "final", "unknown", "preliminary", "registered")


def _status(parts: tuple[Count, ...]) -> ResultStatus:
    """A derived count is as sure as the least sure result that it rests on."""
    return max((part.status for part in parts), key=_SURE.index)


# Whether a differential adds up


def sum_check(by: ByAnalyte, library: Library) -> Step:
    """Tell a differential whose lines add up to more than everything, or leave cells unnamed."""
    neutrophils = _neutrophil_parts(by)
    perhaps = (*_beside(by), *(by[name] for name in (f"{BANDS}_percent",) if name in by and ALL in by))
    parts = (*neutrophils, *_lines(by))
    if not parts or any(part.bound != "=" for part in (*parts, *perhaps)):
        return Step()
    span = _span(by, neutrophils, perhaps)
    over = span.least > HUNDRED
    under = bool(neutrophils) and _whole(by) and span.most is not None and span.most < HUNDRED
    if not over and not under:
        return Step()
    summed = sum((exactly(part).value for part in parts), Fraction(0))
    first = parts[0]
    names = say_list([f"{_short(part, library)} {say_number(part.value)}" for part in parts])
    why = "more than all white cells" if over else "so some white cells are not named"
    text = f"the differential of {say_moment(first.taken)} adds up to {say_number(float(summed))} %, {why}: {names}"
    return Step(notices=(notice("LK609", first, text, library, read="each line as it stands"),))


def _adds_up(by: ByAnalyte, neutrophils: tuple[Count, ...]) -> bool:
    """Whether a whole differential makes 100 %, within rounding, with these as its neutrophils."""
    span = _span(by, neutrophils, _beside(by))
    return _whole(by) and span.least <= HUNDRED and (span.most is None or span.most >= HUNDRED)


def _span(by: ByAnalyte, neutrophils: tuple[Count, ...], perhaps: tuple[Count, ...]) -> Span:
    """What a differential adds up to within rounding, without and with the lines that may stand within others."""
    sure = plus(span_of(part) for part in (*neutrophils, *_lines(by)))
    return Span(least=sure.least, most=plus([sure, *map(span_of, perhaps)]).most)


def _whole(by: ByAnalyte) -> bool:
    return all(f"{line}_percent" in by for line in LINES)


def _neutrophil_parts(by: ByAnalyte) -> tuple[Count, ...]:
    names = (ALL,) if ALL in by else (f"{SEGMENTS}_percent", f"{BANDS}_percent")
    return tuple(by[name] for name in names if name in by)


def _lines(by: ByAnalyte) -> tuple[Count, ...]:
    """The lines of the differential beside the neutrophils that overlap with no other."""
    names = (f"{line}_percent" for line in (*LINES, "metamyelocytes", "myelocytes", "promyelocytes", "blasts"))
    return tuple(by[name] for name in names if name in by)


def _beside(by: ByAnalyte) -> tuple[Count, ...]:
    """Lines that one laboratory lists beside the others and the next one within them.

    Analysers count immature granulocytes within the neutrophils or beside them; variant lymphocytes stand beside the
    lymphocytes in a manual differential.
    """
    names = ("immature_granulocytes_percent", "variant_lymphocytes_percent")
    return tuple(by[name] for name in names if name in by)


def _label(analyte: str, library: Library) -> str:
    return library.analytes[analyte].label


def _short(count: Count, library: Library) -> str:
    return library.analytes[count.analyte].short.removesuffix(" %")
