"""Which keys a knowledge row may use: a mistyped key must stop the load, not be ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_type_hints


def unknown_keys(row: Mapping[str, Any], kind: type) -> set[str]:
    """The keys of a row, and of the tables inside it, that its dataclass does not have, as `ages.low_day`."""
    inner = _fields_of(kind)
    wrong = set(row.keys() - inner.keys())
    for name, value in row.items():
        nested = inner.get(name)
        if nested is not None:
            for table in value if isinstance(value, list) else [value]:
                if isinstance(table, dict):
                    wrong |= {f"{name}.{key}" for key in unknown_keys(table, nested)}
    return wrong


@cache
def _fields_of(kind: type) -> Mapping[str, type | None]:
    """The fields of a dataclass, with the dataclass that each holds (alone or in a tuple), or None."""
    hints = get_type_hints(kind)
    return MappingProxyType({field.name: _dataclass_in(hints[field.name]) for field in fields(kind)})


def _dataclass_in(hint: Any) -> type | None:
    candidates = (hint, *get_args(hint))
    return next((c for c in candidates if isinstance(c, type) and is_dataclass(c)), None)
