"""Every citation that a result rests on, wherever inside it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from leuko.result.core import Citation


def citations_in(value: Any) -> Iterator[Citation]:
    """Every citation in a result, or in a tuple or mapping of results, in order of appearance."""
    if isinstance(value, Citation):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from citations_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from citations_in(item)
    elif is_dataclass(value):
        for name in value.__dataclass_fields__:
            yield from citations_in(getattr(value, name))
