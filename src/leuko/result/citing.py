"""Every citation that a result rests on, wherever inside it stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import Any, Final, Literal, get_origin

from leuko.frozen import names_of
from leuko.result.core import Citation, Reason

_PLAIN: Final = frozenset({str, float, int, bool, NoneType, date, datetime})
_CHOICE: Final = re.compile(r"Literal\[[^\]]*\]")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_SHAPES: Final = frozenset({"tuple", "None", "str", "float", "int", "bool", "date", "datetime"})


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
        elif (
            kind is Reason or kind is Citation
        ):  # a reason is what nearly all citations stand in, and holds nothing else
            for cited in one.citations if kind is Reason else (one,):
                if id(cited) not in told:
                    told.add(id(cited))  # it lives as long as `value`, which holds it
                    yield cited
        elif (parts := _parts_of(kind)) is not None and id(one) not in told:
            told.add(id(one))
            left.extend(parts(one))


@cache
def _parts_of(kind: Any) -> Callable[[Any], tuple[Any, ...]] | None:
    """What gives the fields of a class that may hold a citation, the last first; None where none may."""
    names = [name for name in reversed(names_of(kind)) if name in _leading(kind)]
    if not names:
        return None
    return attrgetter(*names, names[-1])  # two names at least, as it gives a tuple then; what is told of is left out


@cache
def _leading(kind: Any) -> frozenset[str]:
    """The fields of a class that may hold a citation, by how they are annotated; all that cannot be told."""
    return frozenset(name for name, hint in _hints(kind) if _leads(hint, kind, set()))


def _hints(kind: Any) -> Iterator[tuple[str, Any]]:
    known: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        known |= vars(base).get("__annotations__", {})
    yield from ((name, known.get(name, Any)) for name in names_of(kind))


def _leads(hint: Any, kind: Any, asked: set[Any]) -> bool:
    """Whether something that is annotated so, in the module of a class, may hold a citation."""
    if not isinstance(hint, str):
        return hint not in _PLAIN
    module = sys.modules[kind.__module__].__dict__
    words = _WORD.findall(_CHOICE.sub("", hint))
    return any(_may_hold(module.get(word, Any), asked) for word in words if word not in _SHAPES)


def _may_hold(named: Any, asked: set[Any]) -> bool:
    if named is Citation:
        return True
    if not isinstance(named, type):
        return get_origin(named) is not Literal
    if not names_of(named):
        return True
    if named in asked:
        return False  # it is looked at already
    asked.add(named)
    return any(_leads(hint, named, asked) for _, hint in _hints(named))
