"""Which version of a resource counts: later corrects earlier, withdrawn ends all, and a late preliminary never wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC

import msgspec

from leuko.frozen import Frozen
from leuko.intake.fhir.pool import Item
from leuko.intake.fhir.times import moment
from leuko.intake.fhir.wire import Observation
from leuko.intake.fhir.words import clean, codes

WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
REVISED = frozenset({"amended", "corrected", "appended"})
_OPEN = frozenset({"", "registered", "preliminary", "partial", "specimen-in-process"})


class Chain(Frozen, frozen=True, kw_only=True):
    """One result: the version that counts, and what it replaced, oldest first. `unclear`: others claim the same id."""

    current: Item
    older: tuple[Item, ...] = ()
    unclear: bool = False

    @property
    def withdrawn(self) -> bool:
        """Whether the newest version says that the result counts for nothing."""
        return status_of(self.current) in WITHDRAWN


def status_of(item: Item) -> str:
    """The status as written, in lower case."""
    return clean(getattr(item.resource, "status", None)).lower()


def chains(items: Iterable[Item], person_of: Callable[[Item], Hashable]) -> list[Chain]:
    """Versions of the same resource id of one person, each group in the order of its history.

    Where nothing says which of two differing versions is newer, both are kept, each as a chain of its own.
    """
    groups: dict[Hashable, list[Item]] = defaultdict(list)
    for item in items:
        groups[(item.key, person_of(item))].append(item)
    return [chain for group in groups.values() for chain in _chains_of(group)]


def _chains_of(group: Sequence[Item]) -> list[Chain]:
    if len(group) == 1:
        return [Chain(current=group[0])]
    ordered = sorted(_distinct(group), key=_rank)
    runs: list[list[Item]] = [[ordered[0]]]
    for item in ordered[1:]:
        if _content(item) == _content(runs[-1][-1]):
            runs[-1][-1] = item  # a new version that says nothing new
        elif _is_newer(item, runs[-1][-1]):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [Chain(current=run[-1], older=tuple(run[:-1]), unclear=len(runs) > 1) for run in runs]


def _distinct(group: Sequence[Item]) -> list[Item]:
    """Without copies of the same version; a copy that lost the server's bookkeeping gives way to one that has it."""
    seen: dict[bytes, set[bytes]] = defaultdict(set)
    kept: list[Item] = []
    for item in sorted(group, key=lambda item: (item.resource.meta is None, str(item.found.place()))):
        metas, meta = seen[_content(item)], msgspec.json.encode(item.resource.meta)
        if meta not in metas and (item.resource.meta is not None or not metas):
            kept.append(item)
        metas.add(meta)
    return kept


def _content(item: Item) -> bytes:
    """What the resource says, the server's own bookkeeping aside."""
    return msgspec.json.encode(msgspec.structs.replace(item.resource, meta=None))


def _rank(item: Item) -> tuple[bool, float, int, float, int, int, bytes, str]:
    return (*_evidence(item), msgspec.json.encode(item.resource), str(item.found.place()))


def _evidence(item: Item) -> tuple[bool, float, int, float, int, int]:
    status = status_of(item)
    meta = item.resource.meta
    version = clean(meta.version_id) if meta is not None else ""
    return (
        status not in _OPEN,
        _stamp(meta.last_updated if meta is not None else None),
        int(version) if version.isascii() and version.isdigit() and len(version) < 18 else -1,
        _stamp(getattr(item.resource, "issued", None)),
        2 if status in WITHDRAWN else 1 if status in REVISED else 0,
        item.found.order if item.found.order is not None else -(1 << 62),
    )


def _stamp(text: str | None) -> float:
    when = moment(text, UTC)
    return float("-inf") if when is None else when.at.timestamp()


def _is_newer(item: Item, than: Item) -> bool:
    """Whether some evidence that both carry puts `item` after `than`."""
    one, other = _evidence(item), _evidence(than)
    if one[0] != other[0] or one[4] != other[4]:
        return True
    unknown = (None, float("-inf"), -1, float("-inf"), None, -(1 << 62))
    return any(one[i] > other[i] for i in (1, 2, 3, 5) if unknown[i] not in {one[i], other[i]})


def join_by_identifier(found: Iterable[Chain], person_of: Callable[[Item], Hashable]) -> list[Chain]:
    """Join chains of differing ids where a revised Observation repeats the identifier of another.

    An identifier alone may name a whole order, so code and time must agree as well. A withdrawn Observation ends only
    itself: a right result that took its place may well carry the same identifier.
    """
    groups: dict[Hashable, list[Chain]] = defaultdict(list)
    single: list[Chain] = []
    for chain in found:
        token = _token(chain.current, person_of)
        single.append(chain) if token is None else groups[token].append(chain)
    return [*single, *(chain for group in groups.values() for chain in _joined(group))]


def _token(item: Item, person_of: Callable[[Item], Hashable]) -> Hashable | None:
    resource = item.resource
    if not isinstance(resource, Observation) or resource.identifier is None:
        return None
    many = resource.identifier if isinstance(resource.identifier, list) else [resource.identifier]
    names = tuple(sorted((clean(one.system), clean(one.value)) for one in many if clean(one.value)))
    code = tuple(sorted((one.system, one.code) for one in codes(resource.code)))
    when = (resource.effective_date_time, resource.effective_instant)
    return (person_of(item), names, code, when) if names and code else None


def _joined(group: list[Chain]) -> list[Chain]:
    revised = [chain for chain in group if status_of(chain.current) in REVISED]
    plain = [chain for chain in group if chain not in revised]
    if len(revised) != 1 or len(plain) != 1 or not _is_newer(revised[0].current, plain[0].current):
        return group
    older = (*plain[0].older, plain[0].current, *revised[0].older)
    return [Chain(current=revised[0].current, older=older)]
