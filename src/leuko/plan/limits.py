"""How counts meet the limits of a rule: yes, no or open, and which line of a table speaks.

Lines of one table are judged together, and the strictest that holds speaks. What a bound or a missing count leaves open
stays open: the verdict is then "cannot_say", with what remains possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol, TypeVar

from leuko.frozen import Frozen
from leuko.knowledge.schema import Band, Basis
from leuko.knowledge.schema.plan import Action
from leuko.record import Count
from leuko.result.plan import Advice
from leuko.status.knownness import inside

STRICTNESS: Final[tuple[Advice, ...]] = (
    "escalate",
    "give",
    "not_barred",
    "titrate",
    "caution",
    "reduce",
    "delay",
    "withhold",
    "stop",
    "contraindicated",
)
FREE: Final[frozenset[Advice]] = frozenset({"escalate", "give", "not_barred"})


class Line(Protocol):
    """One line of a rule's table."""

    @property
    def id(self) -> str:
        """The row's id."""
        ...

    @property
    def limits(self) -> dict[str, Band]:
        """The bands that the line asks for, by analyte."""
        ...

    @property
    def join(self) -> Literal["all", "any"]:
        """Whether one band is enough or all are needed."""
        ...

    @property
    def action(self) -> Action:
        """What the line says where it holds."""
        ...

    @property
    def basis(self) -> Basis:
        """What the line rests on."""
        ...


AnyLine = TypeVar("AnyLine", bound=Line)


class Spoken(Frozen, frozen=True, kw_only=True):
    """What a table says: the verdict, what remains possible (mildest first), and the ids of the lines that spoke."""

    verdict: Advice
    possible: tuple[Advice, ...]
    rows: tuple[str, ...]


def strictness(advice: Advice) -> int:
    """The place of an advice from mild to strict; "cannot_say" has none."""
    return STRICTNESS.index(advice)


def strictest(found: Iterable[Advice]) -> Advice | None:
    """The strictest advice, without those that say nothing."""
    said = [advice for advice in found if advice != "cannot_say"]
    return max(said, key=strictness, default=None)


def meets(line: Line, counts: Mapping[str, Count]) -> bool | None:
    """Whether the counts meet a line; None: open. A missing count leaves its band open."""
    found = [inside(counts[analyte], band) if analyte in counts else None for analyte, band in line.limits.items()]
    if line.join == "all":
        return False if False in found else None if None in found else True
    return True if True in found else None if None in found else False


def speak(lines: Sequence[AnyLine], counts: Mapping[str, Count], otherwise: Mapping[str, Action]) -> Spoken:
    """What the lines of one table say of counts. `otherwise` has, by row id, what holds where a line is not met."""
    sure: list[tuple[Advice, str]] = []
    open_: list[tuple[Advice, str]] = []
    for line in lines:
        met = meets(line, counts)
        opposite = otherwise.get(line.id)
        if met is True or met is None:
            (sure if met else open_).append((line.action, line.id))
        if opposite is not None and met is not True:
            (sure if met is False else open_).append((opposite, line.id))
    held = strictest(advice for advice, _ in sure)
    beyond = [pair for pair in open_ if held is None or strictness(pair[0]) > strictness(held)]
    if beyond:
        floor = [held] if held is not None else ["not_barred"] if all(a not in FREE for a, _ in beyond) else []
        remain = sorted({*floor, *(advice for advice, _ in beyond)}, key=strictness)
        return Spoken(verdict="cannot_say", possible=tuple(remain), rows=_ids([*sure, *beyond]))
    if held is not None:
        return Spoken(verdict=held, possible=(), rows=_ids([pair for pair in sure if pair[0] == held]))
    return _beyond(lines, counts)


def _ids(pairs: Iterable[tuple[Advice, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, name in pairs))


def _beyond(lines: Sequence[AnyLine], counts: Mapping[str, Count]) -> Spoken:
    """No line holds: a count beyond every limit of a table without a go-ahead is not barred; else nothing is said."""
    ids = tuple(line.id for line in lines)
    bands = [(counts[analyte], band) for line in lines for analyte, band in line.limits.items() if analyte in counts]
    above_all = bool(bands) and all(inside(count, _at_or_under(band)) is False for count, band in bands)
    if above_all and not any(line.action in FREE for line in lines):
        return Spoken(verdict="not_barred", possible=(), rows=ids)
    return Spoken(verdict="cannot_say", possible=(), rows=ids)


def _at_or_under(band: Band) -> Band:
    return Band(upper=band.upper, upper_inclusive=band.upper_inclusive)


def meets_limits(limits: Mapping[str, Band], counts: Mapping[str, Count]) -> bool:
    """Whether one of the bands is surely met."""
    return any(name in counts and inside(counts[name], band) is True for name, band in limits.items())
