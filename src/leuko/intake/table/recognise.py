"""What a text of a table is: the name of an analyte, a unit, or a header that holds both."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from leuko.intake.names import index_of
from leuko.intake.table.numbers import is_number
from leuko.intake.table.words import key_of, split_header
from leuko.knowledge import Library
from leuko.units import UnitRefused, readings


class Names:
    """Which texts name an analyte, by the library's own names and the column map's."""

    def __init__(self, library: Library, mapped: Iterable[str] = ()) -> None:
        self._index = index_of(library)
        self._ids = frozenset(map(key_of, library.analytes))
        self._mapped = frozenset(map(key_of, mapped)) - {""}

    def holds(self, text: str) -> bool:
        """Whether a text names an analyte."""
        key = key_of(text)
        return bool(key) and (key in self._mapped or key in self._ids or bool(self._index.read(text).ids))


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether a text is a unit that leuko knows."""
    try:
        readings(text)
    except UnitRefused:
        return False
    return not is_number(text)


@lru_cache(maxsize=4096)
def unit_like(text: str) -> bool:
    """Whether a text looks like a unit, known or not: short, no number, no sentence."""
    if not text or len(text) > 25 or is_number(text):
        return False
    return (
        is_unit(text)
        or bool(re.search(r"[/%µμ^]", text))
        or key_of(text) in {"fl", "pg", "ul", "um3", "sec", "ratio", "s"}
    )


def analyte_in(header: str, names: Names) -> tuple[str, str] | None:
    """The analyte's name and its unit in a header: "WBC(10/uL)", "ANC_G_per_L", "WBC 10^9/L"; None where none is."""
    name, tail = split_header(header)
    if tail and unit_like(tail) and names.holds(name):
        return name, tail
    if names.holds(header) or (tail and names.holds(name)):
        return header, ""
    for match in re.finditer(r"[\s_,;:/]+(?:in\s)?", header):
        name, tail = header[: match.start()].strip(), header[match.end() :].strip().strip("()[]")
        unit = re.sub(r"[_\s]per[_\s]", "/", tail, flags=re.IGNORECASE)
        if names.holds(name) and tail and is_unit(unit):
            return name, unit
    return None
