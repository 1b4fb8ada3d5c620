"""What each step of the cleaning gives: the counts that go on, those set aside, and what there is to say."""

from __future__ import annotations

from collections.abc import Iterable

from leuko.errors import Notice
from leuko.frozen import Frozen
from leuko.knowledge import Library
from leuko.record import Count
from leuko.result import Gap, SetAside


class Step(Frozen, frozen=True, kw_only=True):
    """Nothing is lost between two steps: a count is kept, set aside with its notice, or merged with a notice."""

    kept: tuple[Count, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[Notice, ...] = ()
    gaps: tuple[Gap, ...] = ()


def joined(steps: Iterable[Step]) -> Step:
    """All steps as one."""
    steps = tuple(steps)
    return Step(
        kept=tuple(count for step in steps for count in step.kept),
        set_aside=tuple(aside for step in steps for aside in step.set_aside),
        notices=tuple(notice for step in steps for notice in step.notices),
        gaps=tuple(gap for step in steps for gap in step.gaps),
    )


def notice(
    code: str, count: Count, text: str, library: Library, *, read: str | None = None, lost: bool = False
) -> Notice:
    """A notice about a count, with the severity and the help of its entry."""
    entry = library.notices[code]
    return Notice(
        code=code,
        severity=entry.severity,
        text=text,
        place=count.origin.place,
        read=read,
        help=entry.help,
        data_lost=lost,
    )


def aside(code: str, count: Count, text: str, library: Library, *, read: str | None = None, lost: bool = False) -> Step:
    """A count set aside, with its notice."""
    said = notice(code, count, text, library, read=read, lost=lost)
    return Step(set_aside=(SetAside(count=count, notice=said),), notices=(said,))
