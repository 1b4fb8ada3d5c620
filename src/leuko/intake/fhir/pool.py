"""All decoded resources of one reading, and the links between them."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from leuko.frozen import replace
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.unpack import BROKEN, Found, plain
from leuko.intake.fhir.wire import RESOURCES, Head, Reference, Resource, decode
from leuko.intake.fhir.words import clean

_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-._~]+)$")
_HISTORY = re.compile(r"/_history/[^/]*$|\|[^|]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One decoded resource. `key` is `Observation/abc`; where the source gives no id, a hash of the content."""

    found: Found
    resource: Any = field(repr=False)
    key: str
    named: bool

    @property
    def kind(self) -> str:
        """The resource type."""
        return self.found.kind

    @property
    def source(self) -> str:
        """The file."""
        return self.found.source

    @property
    def base(self) -> str | None:
        """The server that the Bundle names for it, where it does."""
        url = self.found.full_url
        tail = f"/{self.key}"
        return url.removesuffix(tail) if url and url.startswith("http") and url.endswith(tail) else None


class Pool:
    """Decoded resources by kind, and look-up of references: first in the same file, then in all."""

    def __init__(self) -> None:
        self.items: dict[str, list[Item]] = defaultdict(list)
        self._by_key: dict[str, list[Item]] = defaultdict(list)
        self._by_url: dict[str, list[Item]] = defaultdict(list)

    def add(self, item: Item) -> None:
        """Take one resource in."""
        self.items[item.kind].append(item)
        self._by_key[_local_key(item)].append(item)
        if item.found.full_url:
            self._by_url[item.found.full_url].append(item)

    def find(self, reference: Reference | None, kind: str, holder: Item) -> Item | None:
        """The resource that a reference of `holder` points to, or None where the input does not hold it.

        Of several versions the newest; None where other files hold several that differ, as any could be meant.
        """
        found = self.find_all(reference, kind, holder)
        if not found or (found[0].source != holder.source and kind != "Patient" and not _alike(found)):
            return None
        return max(found, key=_newest)

    def find_all(self, reference: Reference | None, kind: str, holder: Item) -> list[Item]:
        """All versions that a reference may mean: those of the same file, or where it has none, those of the others."""
        text = target(reference)
        if not text:
            return []
        if text.startswith("#"):
            return _nearest(self._by_key.get(f"{kind}/{_root(holder)}{text}", ()), holder)
        exact = _nearest((item for item in self._by_url.get(text, ()) if item.kind == kind), holder)
        if exact:
            return exact
        return _nearest(
            (item for item in self._by_key.get(self._key(text, kind), ()) if _same_base(item, text)), holder
        )

    @staticmethod
    def _key(text: str, kind: str) -> str:
        if text.startswith("urn:uuid:"):
            return f"{kind}/{text.removeprefix('urn:uuid:')}"
        tail = _TAIL.search(text)
        return f"{tail[1]}/{tail[2]}" if tail else f"{kind}/{text}"


def target(reference: Reference | None) -> str:
    """The reference's text without the version it may name."""
    return "" if reference is None else _HISTORY.sub("", clean(reference.reference))


def _same_base(item: Item, text: str) -> bool:
    """An absolute reference to one server does not mean a resource of another server."""
    return not text.startswith("http") or item.base is None or text.startswith(item.base + "/")


def _root(item: Item) -> str:
    """The resource that a `#id` in `item` is looked up in: its container, or the item itself."""
    return item.found.container or _scope(item.found)


def _scope(found: Found) -> str:
    return f"{found.source}:{found.line or 0}:{found.pointer}"


def _local_key(item: Item) -> str:
    if item.found.container is None:
        return item.key
    return f"{item.kind}/{item.found.container}#{item.resource.id}"


def _nearest(items: Iterable[Item], holder: Item) -> list[Item]:
    found = list(items)
    return [item for item in found if item.source == holder.source] or found


def _alike(found: list[Item]) -> bool:
    return len({item.source for item in found}) == 1 or all(item.resource == found[0].resource for item in found)


def _newest(item: Item) -> tuple[str, int, str, bytes]:
    """Newest by the server's own time and version; the content decides between equals, so that order does not."""
    meta = item.resource.meta
    updated, version = (clean(meta.last_updated), clean(meta.version_id)) if meta is not None else ("", "")
    return (updated, len(version), version, msgspec.json.encode(item.resource))


# ---- decoding -------------------------------------------------------------------------------------------------------


def fill(pool: Pool, found: Iterable[Found], tell: Teller) -> None:
    """Decode every resource, those contained in others too; what breaks FHIR is told and left out."""
    for one in found:
        for item in _decoded(one, tell):
            pool.add(item)


def _decoded(found: Found, tell: Teller) -> Iterator[Item]:
    if found.deleted is not None:
        yield _tombstone(found)
        return
    try:
        resource = decode(found.kind, found.raw)
    except BROKEN as error:
        text = f"this {found.kind} breaks FHIR and was set aside: {plain(error)}"
        tell.say("LK401", text, found.place(), lost=True)
        return
    if resource.modifier_extension:
        text = f"this {found.kind} carries a modifierExtension, which may turn its meaning round; it was set aside"
        tell.say("LK406", text, found.place("/modifierExtension"), lost=True)
        return
    item = _item(found, resource)
    yield item
    yield from _contained(item, tell)


def _contained(item: Item, tell: Teller) -> Iterator[Item]:
    for index, raw in enumerate(item.resource.contained or []):
        try:
            head = msgspec.json.decode(raw, type=Head)
        except BROKEN:
            head = Head()
        if head.resource_type in RESOURCES:
            here = replace(
                item.found,
                kind=head.resource_type,
                raw=raw,
                pointer=f"{item.found.pointer}/contained/{index}",
                full_url=None,
                container=_scope(item.found),
            )
            yield from _decoded(here, tell)


def _item(found: Found, resource: Resource) -> Item:
    name = clean(resource.id)
    if found.container is not None:
        name = f"{name or 'contained'}@{_content_hash(resource)}"
    elif not name and found.full_url and found.full_url.startswith("urn:uuid:"):
        name = found.full_url.removeprefix("urn:uuid:")
    return Item(found=found, resource=resource, key=f"{found.kind}/{name or _content_hash(resource)}", named=bool(name))


def _content_hash(resource: Resource) -> str:
    """A name for a resource without id: the same content has the same name, wherever it stands."""
    return "~" + hashlib.sha256(msgspec.json.encode(resource)).hexdigest()[:12]


def _tombstone(found: Found) -> Item:
    tail = _TAIL.search(found.full_url or "")
    name = tail[2] if tail else "?"
    meta = {"lastUpdated": found.deleted} if found.deleted else None
    body = {"resourceType": found.kind, "id": name, "meta": meta, "status": "entered-in-error"}
    resource = decode(found.kind, msgspec.json.encode(body))
    return Item(found=replace(found, full_url=None), resource=resource, key=f"{found.kind}/{name}", named=True)
