"""Answers given by hand: checked against what can be asked, so that a slip of the hand is told and never counted."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain
from typing import Final

from leuko.errors import UsageError
from leuko.frozen import Frozen
from leuko.grading import edges
from leuko.knowledge.schema.scores import ObservableRow
from leuko.record import Bound
from leuko.scores.reading import Reading, believable, in_unit
from leuko.scores.tables import Tables

UNSAID: Final = frozenset({"", "?", "unknown", "not known"})
YES, NO = "yes", "no"
_WORDS: Final = {"y": YES, "true": YES, "present": YES, "n": NO, "false": NO, "absent": NO}
_MEASURED: Final = re.compile(r"\s*(<=|>=|<|>|≤|≥|)\s*(\d+(?:[.,]\d+)?)\s*(.*?)\s*")
_BOUNDS: Final[dict[str, Bound]] = {"": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≤": "<=", "≥": ">="}


class Answers(Frozen, frozen=True, kw_only=True):
    """What was answered: words by key, readings by observable, days by key."""

    words: Mapping[str, str]
    readings: Mapping[str, Reading]
    days: Mapping[str, date]


def read_answers(given: Mapping[str, str] | None, tables: Tables) -> Answers:
    """The answers, read.

    Raises UsageError, with what is known, for a key that nothing asks, a value that is none of the item's options, a
    number without sense or in an unknown unit. "unknown" and an empty value are no answer.
    """
    said = {key: value.strip() for key, value in (given or {}).items() if value.strip().lower() not in UNSAID}
    observables = tables.observables
    untils = {row.until for row in observables.values() if row.until}
    options = _options(tables)
    _refuse_unknown(said, {*observables, *untils, *options})
    words: dict[str, str] = {}
    readings: dict[str, Reading] = {}
    days: dict[str, date] = {}
    for key, value in said.items():
        if key in untils:
            days[key] = _day(key, value)
        elif (word := _word(value)) in options.get(key, ()):
            words[key] = word
        elif key in observables and (reading := _measured(value, observables[key])) is not None:
            readings[key] = reading
        else:
            raise _unreadable(key, value, options.get(key, ()), observables.get(key))
    return Answers(words=words, readings=readings, days=days)


def _options(tables: Tables) -> dict[str, tuple[str, ...]]:
    """The words that each key takes."""
    found: dict[str, dict[str, None]] = {name: {YES: None, NO: None} for name in tables.concepts}
    for criterion in chain.from_iterable(tables.criteria.values()):
        answers = (*criterion.met_answers, *criterion.unmet_answers)
        found.setdefault(criterion.asks, {}).update(dict.fromkeys(answers))
    for item in chain.from_iterable(tables.items.values()):
        for key in (item.asks, item.id):
            found.setdefault(key, {}).update(dict.fromkeys(option.value for option in item.options))
    return {key: tuple(words) for key, words in found.items()}


def _refuse_unknown(said: Iterable[str], known: set[str]) -> None:
    for key in said:
        if key not in known:
            close = difflib.get_close_matches(key, sorted(known), n=3, cutoff=0.5)
            raise UsageError(
                f"no score asks for {key!r}",
                why=f"near it: {', '.join(close)}" if close else "",
                do="`leuko assess --full` names the items of each score (Asked as)",
            )


def _word(value: str) -> str:
    low = value.lower()
    return _WORDS.get(low, low)


def _measured(value: str, row: ObservableRow) -> Reading | None:
    found = _MEASURED.fullmatch(value)
    if found is None:
        return None
    sign, number, unit = found.groups()
    number = number.replace(",", ".")
    turned = in_unit(Decimal(number), unit or row.unit, row)
    if turned is None or not believable(turned.middle, row):
        return None
    low, high = (turned.low, turned.high) if not sign else edges(turned.middle, _BOUNDS[sign])
    said = f"{sign}{number} {unit}".strip() if unit else f"{sign}{number} {row.unit}".removesuffix("{score}").strip()
    exact = None if sign else turned.middle
    return Reading(low=low, high=high, middle=exact, text=f"{row.label} {said} (given by hand)")


def _day(key: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise UsageError(f"{key}: {value!r} is no day", do="write it as 2026-03-31") from error


def _unreadable(key: str, value: str, options: tuple[str, ...], row: ObservableRow | None) -> UsageError:
    takes = ", ".join(options)
    if row is not None:
        number = (
            f"a number from {row.least:g} to {row.most:g}" if row.least is not None and row.most is not None else ""
        )
        units = " or ".join(dict.fromkeys(unit.names[0] for unit in row.units))
        takes = "; or ".join(part for part in (f"{number} in {units}".strip(), takes) if part and part != "in")
    return UsageError(f"{key}: {value!r} cannot be read", why=f"it takes {takes}", do="give one of these, or unknown")
