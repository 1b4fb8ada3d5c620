"""Tables of knowledge as keys of a cache, by which object they are: to hash all rows takes longer than to use them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Generic, TypeVar

Kept = TypeVar("Kept")
Made = TypeVar("Made")
_LAST = 8


class Same(Generic[Kept]):
    """An object that is equal to itself only; it lives as long as the cache that it is a key of."""

    __slots__ = ("value",)

    def __init__(self, value: Kept) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


def once_for(make: Callable[[Kept], Made]) -> Callable[[Kept], Made]:
    """`make`, which gives the same for the same object always, called once for each; of the last few it is kept."""

    @lru_cache(maxsize=_LAST)
    def kept(same: Same[Kept]) -> Made:
        return make(same.value)

    @wraps(make)
    def again(value: Kept) -> Made:
        return kept(Same(value))

    return again
