"""Every citation that a result rests on, wherever inside it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType
from typing import Any, Final

from leuko.frozen import names_of
from leuko.result.core import Citation

_PLAIN: Final = frozenset({str, float, int, bool, NoneType, date, datetime})


def citations_in(value: Any) -> Iterator[Citation]:
    """Every citation in a result, or in a tuple or mapping of results, in order of appearance; what stands in several
    places is told of once."""
    left, told = [value], set[int]()  # what stands first is taken first: the last of the list
    while left:
        one = left.pop()
        kind: Any = type(one)
        if kind in _PLAIN:
            continue
        if kind is tuple:
            left.extend(reversed(one))
        elif kind is dict:
            left.extend(reversed(one.values()))
        elif id(one) not in told and (names := names_of(kind)):
            told.add(id(one))  # it lives as long as `value`, which holds it
            if kind is Citation:
                yield one
            else:
                left.extend([getattr(one, name) for name in reversed(names)])
