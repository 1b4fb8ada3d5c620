"""A search followed to its last page; what the server says or leaves out on the way is kept, not passed over."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Raw

from leuko.service.fhir.client.talk import Refusal, Said, Talk, fault, words_of

_MOST_PAGES: Final = 100_000
_MOST_EMPTY: Final = 50  # pages without an entry, one after the other
_GRAVE: Final = frozenset({"fatal", "error", "warning"})
_ADDED: Final = frozenset({"include", "outcome"})  # entries that a search does not count


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


class _Mode(msgspec.Struct):
    mode: str | None = None


class _Entry(msgspec.Struct):
    resource: Raw = Raw()
    search: _Mode | None = None


class _Page(msgspec.Struct, rename={"resource_type": "resourceType"}):
    resource_type: str | None = None
    total: int | None = None
    link: list[_Link] | None = None
    entry: list[Raw] | None = None
    issue: Raw = Raw()


@dataclass(slots=True, kw_only=True)
class Entries:
    """The entries of Bundles, byte by byte, each once; and in what ways they may be less than there is."""

    entries: dict[bytes, None] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def add(self, other: Entries) -> None:
        """Take another search in."""
        self.entries |= other.entries
        self.troubles += other.troubles


@dataclass(slots=True)
class _Walk:
    """How far a search was followed: URLs and contents seen, and how many entries count as matches."""

    found: Entries = field(default_factory=Entries)
    urls: set[str] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)
    matches: int = 0
    empty: int = 0
    total: int | None = None


def follow(talk: Talk, url: str) -> Entries:
    """Every entry of a search, page after page. Raises UnreadableInput where it cannot be followed to its end.

    Refusal, which is one, where the server refuses the first page.
    """
    walk, link = _Walk(), url
    for _ in range(_MOST_PAGES):
        if link in walk.urls:
            raise fault("the pages of the server lead in a circle", url, why="a next page is one that was read before")
        walk.urls.add(link)
        page = _page(talk, link, first=link == url)
        _take(walk, page, url)
        onward = next((one.url for one in page.link or [] if one.relation == "next" and one.url), None)
        if onward is None:
            _count(walk)
            return walk.found
        link = talk.joined(link, onward)
    raise fault("the pages of the server do not end", url, why=f"more than {_MOST_PAGES}")


def _page(talk: Talk, link: str, *, first: bool) -> _Page:
    """One page. Only of the first one a refusal says that the search is not offered."""
    try:
        return talk.decoded(link, _Page)
    except Refusal as error:
        if first:
            raise
        raise fault("the server gave the first pages of a search and not the next", link, why=error.why) from error


def _take(walk: _Walk, page: _Page, url: str) -> None:
    if page.resource_type == "OperationOutcome":
        said = (
            msgspec.json.decode(msgspec.json.encode({"issue": page.issue}), type=Said) if bytes(page.issue) else Said()
        )
        raise fault("the server answers a page with a problem", url, why=words_of(said))
    if page.resource_type != "Bundle":
        raise fault("the server's answer is no Bundle", url, why=f"it is {page.resource_type or 'no FHIR'}"[:80])
    walk.total = page.total if walk.total is None else walk.total
    entries = [bytes(raw) for raw in page.entry or []]
    _guard(walk, entries, url)
    for raw in entries:
        _enter(walk, raw, url)


def _guard(walk: _Walk, entries: list[bytes], url: str) -> None:
    """Pages under ever new links that hold the same, or nothing, would be followed for ever."""
    walk.empty = 0 if entries else walk.empty + 1
    if walk.empty > _MOST_EMPTY:
        raise fault("the pages of the server do not end", url, why=f"{walk.empty} pages without an entry")
    if entries:
        content = hashlib.sha256(b"\n".join(entries)).digest()
        if content in walk.contents:
            raise fault("the pages of the server lead in a circle", url, why="a page holds the same as an earlier one")
        walk.contents.add(content)


def _enter(walk: _Walk, raw: bytes, url: str) -> None:
    try:
        entry = msgspec.json.decode(raw, type=_Entry)
        said = msgspec.json.decode(entry.resource, type=Said) if bytes(entry.resource) else Said()
    except (msgspec.MsgspecError, RecursionError) as error:
        raise fault("an entry of the server's answer cannot be read", url) from error
    mode = entry.search.mode if entry.search is not None else None
    if said.resource_type == "OperationOutcome":
        if any(one.severity in _GRAVE for one in said.issue or []):
            walk.found.troubles.append(f"the server reported a problem with its answer: {words_of(said)[:300]}")
        mode = "outcome"
    walk.matches += mode not in _ADDED
    walk.found.entries[raw] = None


def _count(walk: _Walk) -> None:
    """Hold what came against what the server said it has."""
    if walk.total is not None and walk.matches < walk.total:
        walk.found.troubles.append(f"the server counts {walk.total} results and gave {walk.matches}")
