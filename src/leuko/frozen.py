"""What never changes once it is made: the base of results, rows of work and whatever else parts hand to each other.

A `msgspec.Struct` that the functions of `dataclasses` take for a dataclass: `replace`, `fields`, `asdict` and
`is_dataclass` work as on one. About three hundred such classes are made at each start; a Struct costs a thirtieth of a
dataclass, whose methods are compiled from text one by one, and together that was a sixth of an assessment.

The collector of cycles does not look at them (`gc=False`): what is made whole and never changed is made of what was
there before, and cannot hold itself. A class whose fields may come to hold it, through a dictionary or a function that
is filled later, stays a dataclass (tests/unit/test_frozen.py runs assessments and sees that nothing is left over).

A class that leaves a field out of comparing or showing stays a dataclass. Modules with classes of either kind keep
`from __future__ import annotations`: nothing here evaluates an annotation.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

__all__ = ["Frozen", "names_of", "replace"]

if TYPE_CHECKING:
    from dataclasses import Field, replace  # so that mypy knows the names of the fields
else:

    def replace(one, /, **changes):
        """As `dataclasses.replace`, for classes of either sort; of a Struct without describing its fields first."""
        if isinstance(one, Frozen):
            return msgspec.structs.replace(one, **changes)
        import dataclasses  # noqa: PLC0415

        return dataclasses.replace(one, **changes)


@cache
def names_of(kind: Any) -> tuple[str, ...]:
    """The names of the fields of a class, of either sort; none where it has no fields."""
    return tuple(getattr(kind, "__struct_fields__", ()) or getattr(kind, "__dataclass_fields__", ()))


class _Fields:
    """The fields of a class as `dataclasses` describes them, made when they are first asked for."""

    def __init__(self) -> None:
        self._kept: dict[type, dict[str, Field[Any]]] = {}

    def __get__(self, one: object, kind: type) -> dict[str, Field[Any]]:
        found = self._kept.get(kind)
        if found is None:
            found = self._kept[kind] = _described(kind)
        return found


def _described(kind: Any) -> dict[str, Field[Any]]:
    import inspect  # noqa: PLC0415 (most commands never ask)
    from dataclasses import field, make_dataclass  # noqa: PLC0415

    words: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        words |= inspect.get_annotations(base)
    names, defaults = kind.__struct_fields__, kind.__struct_defaults__
    made: list[Any] = []
    for name, default in zip(names, (msgspec.NODEFAULT,) * (len(names) - len(defaults)) + defaults, strict=True):
        told: dict[str, Any] = {} if default is msgspec.NODEFAULT else {"default": default}
        if factory := getattr(default, "factory", None):
            told = {"default_factory": factory}
        made.append((name, words[name], field(**told)))
    described: Any = make_dataclass(kind.__name__, made, kw_only=True)
    return dict(described.__dataclass_fields__)


class Frozen(msgspec.Struct, frozen=True, gc=False):
    """The base. Each class says `frozen=True, kw_only=True` itself, so that checkers of types and readers know."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Fields()
