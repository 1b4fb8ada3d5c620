"""Which keys of a knowledge row mean nothing: msgspec stops at the first, a person wants to see them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

from leuko.frozen import Frozen
from leuko.knowledge.schema import Row


def unknown_keys(row: Mapping[str, Any], kind: type[Row]) -> set[str]:
    """The keys of a row, and of the tables inside it, that its type does not have, as `ages.low_day`."""
    inner = _fields_of(kind)
    wrong = set(row.keys() - inner.keys())
    for name, value in row.items():
        nested = inner.get(name)
        if nested is not None:
            for table in _tables(value, named=nested.named):
                wrong |= {f"{name}.{key}" for key in unknown_keys(table, nested.kind)}
    return wrong


class _Nested(Frozen, frozen=True):
    """A type of row that a field holds: alone or in a tuple, or under free names (`named`)."""

    kind: type[Row]
    named: bool


def _tables(value: Any, *, named: bool) -> Iterator[Mapping[str, Any]]:
    """The tables in a value of a row; what is no table is left to the conversion, which knows the type."""
    if named and isinstance(value, dict):
        value = list(value.values())
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


@cache
def _fields_of(kind: type[Row]) -> Mapping[str, _Nested | None]:
    hints = get_type_hints(kind)
    return MappingProxyType({name: _nested_in(hints[name]) for name in kind.__struct_fields__})


def _nested_in(hint: Any) -> _Nested | None:
    for candidate in (hint, *get_args(hint)):
        if isinstance(candidate, type) and issubclass(candidate, Row):
            return _Nested(candidate, get_origin(hint) is dict)
    return None
