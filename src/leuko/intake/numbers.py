"""Numbers as laboratories write them: bounds, decimal commas, grouped thousands, flags behind the number.

Nothing is guessed: "1,234" without evidence is refused, because one reading is a thousand times the other.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from leuko.errors import LeukoError
from leuko.frozen import Frozen
from leuko.record import Bound

Refusal = Literal["text", "ambiguous", "not_finite", "empty"]
_LONGEST = 48  # characters of a number with everything around it
_BOUND_WORDS: dict[Bound, tuple[str, ...]] = {
    "<": ("<", "less than", "below", "under", "kleiner", "unter", "moins de", "menor que"),
    "<=": ("<=", "=<", "≤", "⩽"),
    ">": (">", "greater than", "more than", "above", "over", "grösser", "größer", "über", "plus de", "mayor que"),
    ">=": (">=", "=>", "≥", "⩾"),
    "=": ("=",),
}
_BOUNDS: dict[str, Bound] = {word: bound for bound, words in _BOUND_WORDS.items() for word in words}
_BOUND = re.compile("|".join(re.escape(b) for b in sorted(_BOUNDS, key=len, reverse=True)), re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:[ ']\d{3})+(?!\d)(?:[.,]\d+)?|[.,]*\d[\d.,]*)(?:[eE][+-]?\d{1,2}(?!\d))?")
_MARKS = re.compile(r"(?:[\s(\[]*(?:HH|LL|H|L|N|A|\*+|↑+|↓+|!+)[)\]]?)*", re.IGNORECASE)
_MARK = re.compile(r"HH|LL|[HLNA]|\*+|↑+|↓+|!+", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?")
_SIGNED_TEXT = str.maketrans({"\u2212": "-", "\u2019": "'", "\u02bc": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "})
_WIDEST = 18  # digits; no count, however scaled, has more


class NumberRefused(LeukoError):  # noqa: N818 (named for people: the number was refused)
    """A text that is no number, or could be two; `kind` says which."""

    def __init__(self, what: str, *, kind: Refusal, why: str) -> None:
        super().__init__(what, why=why)
        self.kind = kind


class Number(Frozen, frozen=True, kw_only=True):
    """A number as written: its bound, the exact value, flags written behind it, and any text left over (a unit)."""

    bound: Bound
    value: Decimal
    marks: tuple[str, ...] = ()
    rest: str = ""


def read_number(text: str, *, decimal_comma: bool = False) -> Number:
    """Read a number with nothing but a bound before and flags behind it. Raises NumberRefused, saying why."""
    number = read_leading_number(text, decimal_comma=decimal_comma)
    if number.rest:
        raise NumberRefused(f"{text!r} is not a number", kind="text", why=f"{number.rest!r} stands behind the number")
    return number


@lru_cache(maxsize=8192)
def read_leading_number(text: str, *, decimal_comma: bool = False) -> Number:
    """As `read_number`, but text behind the number is given back as `rest` ("0.8 10*9/L")."""
    cleaned = _first_component(_clean(text), text)
    bound_text, body = _split_bound(cleaned)
    found = _NUMBER.match(body)
    if found is None:
        raise NumberRefused(f"{text[:_LONGEST]!r} is not a number", kind=_kind_of(cleaned), why="no digits stand first")
    value = _to_decimal(found.group().rstrip(".,"), text, decimal_comma=decimal_comma)
    marks, rest = _split_marks(body[found.end() :])
    if rest and rest[0] in "-/:+^=<>" and (len(rest) == 1 or rest[1:2].isdigit() or rest[1:2] == " "):
        raise NumberRefused(
            f"{text!r} is not one number", kind="text", why="it is a range, a ratio, a date or a graded answer"
        )
    return Number(bound=_BOUNDS[bound_text.casefold()] if bound_text else "=", value=value, marks=marks, rest=rest)


def _clean(text: str) -> str:
    if len(text) > _LONGEST:
        raise NumberRefused(
            "the value is a text, not a number", kind="text", why=f"it is longer than {_LONGEST} characters"
        )
    text = text.translate(_SIGNED_TEXT)
    return "".join(c for c in text if unicodedata.category(c) not in {"Cf", "Cc"} or c == " ").strip()


def _first_component(cleaned: str, text: str) -> str:
    """HL7 v2 components: "6.01^^1" carries the number first; a structured numeric ("<^0.1") its comparator."""
    parts = [part.strip() for part in cleaned.split("^")]
    if len(parts) == 1 or " " in parts[0] or any(c.isalpha() for c in parts[0]):
        return cleaned  # a caret further on belongs to a unit: "0.8 10^9/L"
    if parts[0] in _BOUNDS or not parts[0]:
        if len(parts) > 2 and parts[2] in {"-", "/", ":"}:
            raise NumberRefused(f"{text!r} is not one number", kind="text", why="it is a range or a ratio")
        return parts[0] + parts[1]
    return parts[0]


def _split_bound(cleaned: str) -> tuple[str, str]:
    found = _BOUND.match(cleaned)
    return (found.group(), cleaned[found.end() :].strip()) if found else ("", cleaned)


def _split_marks(tail: str) -> tuple[tuple[str, ...], str]:
    """Flags directly behind the number; anything else is the rest, and then nothing of it is a flag."""
    found = _MARKS.fullmatch(tail.rstrip())
    if found is None:
        return (), tail.strip()
    return tuple(m.upper() for m in _MARK.findall(tail)), ""


def _kind_of(cleaned: str) -> Refusal:
    if not cleaned:
        return "empty"
    return "not_finite" if cleaned.lstrip("+-").casefold() in {"nan", "inf", "infinity"} else "text"


def _to_decimal(digits: str, text: str, *, decimal_comma: bool) -> Decimal:
    plain = _plain(digits, text, decimal_comma=decimal_comma)
    mantissa = re.sub(r"[eE].*|[+-]|\.", "", plain)
    if not mantissa.isdigit() or not plain.isascii() or len(mantissa) > _WIDEST:
        raise NumberRefused(f"{text!r} is not a number", kind="text", why="its digits cannot be read")
    return Decimal(plain)


def _plain(digits: str, text: str, *, decimal_comma: bool) -> str:
    """The number with "." as its decimal mark and no grouping."""
    sign, body = (digits[0], digits[1:]) if digits[0] in "+-" else ("", digits)
    if _GROUPED.fullmatch(body):
        body = body.replace(" ", "").replace("'", "")
    elif " " in body or "'" in body:
        raise NumberRefused(f"{text!r} is not one number", kind="text", why="a gap stands inside the digits")
    if "," not in body and not (decimal_comma and "." in body):
        return sign + _no_second_point(body, text)
    return sign + _marks_resolved(body, text, decimal_comma=decimal_comma)


def _marks_resolved(body: str, text: str, *, decimal_comma: bool) -> str:
    """Points and commas: the last of two kinds is the decimal mark; one kind alone may need evidence."""
    if "," in body and "." in body:
        decimal = max(",.", key=body.rindex)
        group = "," if decimal == "." else "."
        return _ungroup(body, group, decimal, text)
    mark = "," if "," in body else "."
    if body.count(mark) > 1:
        return _ungroup(body, mark, ".", text)
    head, _, tail = body.partition(mark)
    groupable = len(tail) == 3 and 1 <= len(head) <= 3 and not head.startswith("0") and tail.isdigit()
    if not groupable or (mark == "," and decimal_comma):
        return f"{head or '0'}.{tail}"
    if mark == "." and decimal_comma:
        return head + tail  # where the comma is the decimal mark, a point between groups of three parts thousands
    raise NumberRefused(
        f"{text!r} can be read in two ways",
        kind="ambiguous",
        why=f"the comma may part thousands ({head + tail}) or decimals ({head}.{tail}); nothing in the source decides",
    )


def _ungroup(body: str, group: str, decimal: str, text: str) -> str:
    whole, _, fraction = body.partition(decimal) if decimal in body and decimal != group else (body, "", "")
    parts = whole.split(group)
    if not (1 <= len(parts[0]) <= 3 and all(len(p) == 3 and p.isdigit() for p in parts[1:]) and group not in fraction):
        raise NumberRefused(f"{text!r} is not one number", kind="text", why="its groups are not groups of three digits")
    return "".join(parts) + (f".{fraction}" if fraction else "")


def _no_second_point(body: str, text: str) -> str:
    if body.count(".") > 1:
        return _ungroup(body, ".", ",", text)
    return f"0{body}" if body.startswith(".") else body
