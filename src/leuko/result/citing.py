"""Every citation that a result rests on, wherever inside it stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from types import NoneType
from typing import Any, Final

from leuko.result.core import Citation

_PLAIN: Final = frozenset({str, float, int, bool, NoneType, date, datetime})


def citations_in(value: Any) -> Iterator[Citation]:
    """Every citation in a result, or in a tuple or mapping of results, in order of appearance."""
    left = [value]  # what stands first is taken first: the last of the list
    while left:
        one = left.pop()
        kind = type(one)
        if kind in _PLAIN:
            continue
        if kind is Citation:
            yield one
        elif kind is tuple:
            left.extend(reversed(one))
        elif kind is dict:
            left.extend(reversed(one.values()))
        elif names := getattr(kind, "__dataclass_fields__", None):
            left.extend([getattr(one, name) for name in reversed(names)])
