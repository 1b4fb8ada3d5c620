"""Which version of a result counts, whatever the order in which the messages came.

A preliminary result never replaces a final one. A correction, an amendment or a withdrawal replaces what was sent
before it. Where the messages do not say which of two is newer, both are kept and the counts decide, with a notice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from leuko.frozen import Frozen, replace
from leuko.intake.hl7.results import Sent, made_final

_OPEN = frozenset({"preliminary", "registered"})
_REVISED = frozenset({"corrected", "amended"})
_FINAL, _CORRECTED, _GONE = 1, 2, 3  # ranks of versions; a preliminary one has 0


class Chain(Frozen, frozen=True, kw_only=True):
    """One result: the version that counts, and those it replaced, oldest first.

    `unclear` where nothing says which of several versions is newer, so that each stands by itself; `again` where a
    result was sent again after it had been withdrawn; `alone` where a correction or withdrawal found nothing to act on.
    """

    current: Sent
    older: tuple[Sent, ...] = ()
    unclear: bool = False
    again: bool = False

    @property
    def alone(self) -> bool:
        """Whether it corrects or withdraws something that was never seen."""
        return not self.older and (self.current.withdrawn or self.current.raw.status in _REVISED)


def chains(sent: Iterable[tuple[int, Sent]]) -> list[Chain]:
    """The results of one person, each with its history; the number beside each is that of its message."""
    groups: dict[tuple[str, ...], list[tuple[int, Sent]]] = defaultdict(list)
    found: list[Chain] = []
    for number, one in sent:
        if one.key is None:
            found.append(Chain(current=one))
        else:
            groups[one.key].append((number, one))
    for group in groups.values():
        found += _chains_of(group)
    return found


def _chains_of(group: Sequence[tuple[int, Sent]]) -> list[Chain]:
    """The versions of one result; a message that holds it twice at one time leaves open which is which."""
    times: dict[float | None, list[tuple[int, Sent]]] = defaultdict(list)
    for number, one in group:
        times[_time(one)].append((number, one))
    found: list[Chain] = []
    for at, same in list(times.items()):
        twice = max(Counter(number for number, _ in same).values()) > 1
        if twice:
            distinct = _distinct([one for _, one in same])
            found += [Chain(current=one, unclear=len(distinct) > 1) for one in distinct]
            del times[at]
    found += _over_time([[one for _, one in same] for same in times.values()])
    return found


def _time(one: Sent) -> float | None:
    return None if one.raw.taken is None else one.raw.taken.at.timestamp()


def _over_time(groups: list[list[Sent]]) -> list[Chain]:
    """Chains of the versions at each time; a change that names another time joins the only result it can mean."""
    folded = [_fold(group) for group in groups]
    settled = [runs for runs in folded if len(runs) > 1]
    single = [runs[0] for runs in folded if len(runs) == 1]
    changes = [chain for chain in single if chain.alone]
    plain = [chain for chain in single if not chain.alone]
    if len(changes) == 1 and len(plain) == 1 and not settled:
        return _fold([*_all(plain[0]), *_all(changes[0])])
    return [*(chain for runs in settled for chain in runs), *single]


def _all(chain: Chain) -> tuple[Sent, ...]:
    return (*chain.older, chain.current)


def _fold(versions: Sequence[Sent]) -> list[Chain]:
    """One chain from the versions of one result, or several where nothing orders them."""
    ordered = sorted(_distinct(versions), key=_order)
    runs = [Chain(current=ordered[0])]
    for one in ordered[1:]:
        runs[-1:] = _after(runs[-1], one)
    return [replace(chain, unclear=len(runs) > 1) for chain in runs]


def _distinct(versions: Sequence[Sent]) -> list[Sent]:
    """Without versions that were sent twice."""
    seen: dict[tuple[object, ...], Sent] = {}
    for one in sorted(versions, key=_order):
        seen.setdefault((_content(one), one.letter, one.stamp), one)
    return list(seen.values())


def _content(one: Sent) -> tuple[object, ...]:
    raw = one.raw
    return (raw.value_text, raw.unit_text, raw.interval_text, raw.taken, one.withdrawn)


def _order(one: Sent) -> tuple[float, int, str, str, str, str]:
    raw = one.raw
    return (one.stamp, _rank(one), one.letter, raw.value_text or "", raw.resource_id or "", str(raw.place))


def _rank(one: Sent) -> int:
    if one.withdrawn:
        return _GONE
    return 0 if one.raw.status in _OPEN else _CORRECTED if one.raw.status in _REVISED else _FINAL


def _after(chain: Chain, one: Sent) -> list[Chain]:
    """What becomes of a chain when a version comes that is no older than it."""
    now = chain.current
    same_rank = _rank(one) == _rank(now)
    if _says_nothing(one) and not _says_nothing(now) and not now.withdrawn:
        if same_rank or _rank(one) < _rank(now):
            return [chain]  # an empty value changes nothing: to delete one, HL7 has the null value and OBX-11
        one = replace(one, raw=made_final(now.raw, one.raw))
    if _is_late(one, now):
        return [replace(chain, older=(*chain.older, one))]
    if same_rank and _content(one) == _content(now):
        return [chain]  # sent again, with nothing new
    if _rank(now) == _CORRECTED and _rank(one) == _FINAL:
        # Final again after a correction: the same value says nothing new, of two values nothing says which holds.
        same = one.raw.value_text == now.raw.value_text
        return [replace(chain, older=(*chain.older, one))] if same else [chain, Chain(current=one)]
    if same_rank and now.stamp == one.stamp:
        return [chain, Chain(current=one)]
    return [replace(chain, current=one, older=(*chain.older, now), again=now.withdrawn and not one.withdrawn)]


def _says_nothing(one: Sent) -> bool:
    """Whether a version gives no value, and does not take one back either."""
    return one.raw.value_text is None and _rank(one) in {0, _FINAL}


def _is_late(one: Sent, now: Sent) -> bool:
    """Whether a preliminary result comes after a final one."""
    return _rank(one) == 0 and _rank(now) in {_FINAL, _CORRECTED}
