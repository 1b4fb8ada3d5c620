"""A long list, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """Some rows of a list: `first` and `last` are their numbers of `total`, from 1; `before` and `after` addresses."""

    rows: Sequence[Item]
    first: int
    last: int
    total: int
    before: str
    after: str


def paged(rows: Sequence[Item], at: int, most: int, path: str, asked: Mapping[str, str]) -> Page[Item]:
    """The page of that number (from 1; one that does not exist is the nearest that does) of a list held in memory."""
    pages = max(1, -(-len(rows) // most))
    at = min(max(at, 1), pages)
    shown = rows[(at - 1) * most : at * most]
    return page_of(shown, at=at, most=most, total=len(rows), path=path, asked=asked)


def page_of(
    shown: Sequence[Item], *, at: int, most: int, total: int, path: str, asked: Mapping[str, str]
) -> Page[Item]:
    """The same where the rows of the page alone were fetched."""
    first = (at - 1) * most

    def address(number: int) -> str:
        return f"{path}?{urlencode({**{name: text for name, text in asked.items() if text}, 'at': number})}"

    return Page(
        rows=shown,
        first=first + 1 if shown else 0,
        last=first + len(shown),
        total=total,
        before=address(at - 1) if at > 1 else "",
        after=address(at + 1) if first + len(shown) < total else "",
    )
