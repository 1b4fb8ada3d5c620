"""Predicates on test results that are no blood count: serology, vitamins, hormones, antibodies, what a smear showed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from leuko.ages import first_day, last_day
from leuko.causes.finding import Finding, unknown
from leuko.causes.phrases import holds_any, sense_of
from leuko.causes.scene import Scene
from leuko.grading import Edge, above, below, edges
from leuko.knowledge.schema import Band
from leuko.knowledge.schema.causes import ResultPredicate
from leuko.record import Bound, Sign
from leuko.wording import say_moment, say_unit

LOINC: Final = frozenset({"http://loinc.org", "loinc", "ln", "urn:oid:2.16.840.1.113883.6.1"})
_TITRE: Final = re.compile(r"^\s*([<>≥≤]?)\s*1\s*[:/]\s*(\d+)")
_NUMBER: Final = re.compile(r"^\s*(<=|>=|[<>≤≥]?)\s*(\d+(?:[.,]\d+)?)\s*$")
_RANGE: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)")
_BOUNDS: Final[dict[str, Bound]] = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}
_ONE_END: Final = re.compile(r"^\s*([<>]|<=|>=|≤|≥)\s*(\d+(?:\.\d+)?)")


def result_met(row: ResultPredicate, scene: Scene) -> Finding:
    """Whether a test result says so: the latest one that answers; any yes where the finding lasts."""
    told = [(sign, _answer(row, sign, scene)) for sign in scene.record.signs if _meant(row, sign)]
    answers = [
        (sign, answer) for sign, answer in told if answer is not None and _counts(row, sign, answer=answer, scene=scene)
    ]
    if not answers:
        return unknown(*_why_none(row, told, scene))
    sure = [sign for sign, answer in answers if answer]
    if row.lasting and sure:
        return _finding(sure[-1], answer=True)
    sign, answer = max(answers, key=lambda pair: (_day(pair[0]), pair[1]))
    return _finding(sign, answer=answer)


def read_now(row: ResultPredicate, wanted: str, scene: Scene) -> Sign | None:
    """The latest result in words, of the wanted kind, that is recent enough for the question; None where there is none.

    Only a kind that the predicate is read from by name is meant ("blood film"), not what else it can be read from.
    """
    if not row.texts or wanted not in row.words:
        return None
    told = [sign for sign in scene.record.signs if _meant(row, sign) and (sign.text or sign.origin.value_text).strip()]
    kind = [sign for sign in told if holds_any(sign.name, (wanted,)) or _is_coded(row, sign)]
    return max((sign for sign in kind if _counts(row, sign, answer=False, scene=scene)), key=_day, default=None)


def _why_none(row: ResultPredicate, told: list[tuple[Sign, bool | None]], scene: Scene) -> tuple[str, ...]:
    if not told:
        return (f"no result in the record tells of {row.label}",)
    sign = told[-1][0]
    dated = sign.taken is not None and first_day(sign.taken) <= scene.as_of
    why = "it is too old or undated" if told[-1][1] is not None or not dated else "it cannot be read as yes or no"
    return (f"{_said(sign)} does not answer: {why}", sign.id)


def _finding(sign: Sign, *, answer: bool) -> Finding:
    return Finding(met=answer, text=_said(sign), evidence=(sign.id,))


def _meant(row: ResultPredicate, sign: Sign) -> bool:
    return _is_coded(row, sign) or (holds_any(sign.name, row.words) and not holds_any(sign.name, row.unless))


def _is_coded(row: ResultPredicate, sign: Sign) -> bool:
    return any(code.system.casefold() in LOINC and code.code in row.loinc for code in sign.codes)


def _counts(row: ResultPredicate, sign: Sign, *, answer: bool, scene: Scene) -> bool:
    """Whether an answer is recent enough: a no, and a yes that does not last, must not be older than `valid_days`."""
    if sign.taken is not None and first_day(sign.taken) > scene.as_of:
        return False
    if row.lasting and answer:
        return True
    return sign.taken is not None and last_day(sign.taken) >= scene.first_low - timedelta(days=row.valid_days)


def _answer(row: ResultPredicate, sign: Sign, scene: Scene) -> bool | None:
    if sign.present is not None:
        return sign.present
    if sign.value is not None:
        return _of_number(row, sign, sign.value, "=")
    return _of_text(row, sign, sign.text or sign.origin.value_text, scene)


def _of_text(row: ResultPredicate, sign: Sign, text: str, scene: Scene) -> bool | None:
    if row.titre is not None and (found := _TITRE.match(text)):
        return _of_titre(row.titre, found[1], float(found[2]))
    if found := _NUMBER.match(text):
        return _of_number(row, sign, float(found[2].replace(",", ".")), _BOUNDS.get(found[1], "="))
    sense = sense_of(text, row.texts, scene.rules)
    if sense is not None:
        return {"said": True, "past": True, "denied": False}.get(sense)
    if holds_any(text, scene.rules.negative):
        return False
    return True if holds_any(text, scene.rules.positive) and not row.texts else None


def _of_titre(wanted: float, sign: str, titre: float) -> bool | None:
    if sign in {"<", "≤"}:
        return False if titre <= wanted else None
    return True if titre >= wanted else None if sign else False


def _of_number(row: ResultPredicate, sign: Sign, number: float, bound: Bound) -> bool | None:
    """The answer of a number, or of every number that a bound leaves; None where these answer differently."""
    answers = {_of_edge(row, sign, edge) for edge in edges(number, bound)}
    return answers.pop() if len(answers) == 1 else None


def _of_edge(row: ResultPredicate, sign: Sign, edge: Edge) -> bool | None:
    if row.titre is not None and not row.yes:
        return edge.value >= row.titre
    if row.by_interval is not None and (ends := _interval(sign.origin.interval_text)):
        low, high = ends
        return edge.value < low if row.by_interval == "low" else edge.value > high
    yes, no = _of_unit(row.yes, sign), _of_unit(row.no, sign)
    if yes is None:
        return None
    if _inside(edge, yes):
        return True
    return False if no is None or _inside(edge, no) else None


def _of_unit(bands: Mapping[str, Band], sign: Sign) -> Band | None:
    written = _plain_unit(sign.unit or "")
    return next((band for unit, band in bands.items() if _plain_unit(unit) == written), None)


def _plain_unit(unit: str) -> str:
    plain = unit.casefold().replace("µ", "u").replace("μ", "u").replace("mcg", "ug").replace(" ", "")
    return plain.replace("[", "").replace("]", "").replace("x10", "10").replace("^", "*")


def _inside(edge: Edge, band: Band) -> bool:
    lower = band.lower if not isinstance(band.lower, str) else None
    upper = band.upper if not isinstance(band.upper, str) else None
    return above(edge, lower, inclusive=band.lower_inclusive) and below(edge, upper, inclusive=band.upper_inclusive)


def _interval(text: str) -> tuple[float, float] | None:
    if found := _RANGE.match(text):
        return float(found[1]), float(found[2])
    if found := _ONE_END.match(text):
        return (-math.inf, float(found[2])) if found[1] in {"<", "<=", "≤"} else (float(found[2]), math.inf)
    return None


def _day(sign: Sign) -> date:
    return sign.taken.day if sign.taken is not None else date.min


def _said(sign: Sign) -> str:
    value = sign.origin.value_text or sign.text or ""
    if not value and sign.present is not None:
        value = "present" if sign.present else "absent"
    unit = f" {say_unit(sign.unit)}" if sign.unit else ""
    return f"{sign.name} {value}{unit} ({say_moment(sign.taken)})"
