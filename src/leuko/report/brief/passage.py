"""One part of the brief view: its lines, and how many things it leaves to the full one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from leuko.frozen import Frozen
from leuko.report.blocks import Line
from leuko.wording import say_list

FEW: Final = 3


class Passage(Frozen, frozen=True, kw_only=True):
    """A heading, the lines below it, and in words what is left out ("2 further causes"); empty where nothing is."""

    title: str
    lines: tuple[Line, ...] = ()
    left: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.lines and not self.left


def number(count: int, one: str, several: str) -> str:
    """So many of a thing, or nothing where there is none: "1 further cause", "3 further causes"."""
    return f"{count} {one if count == 1 else several}" if count else ""


def left_out(parts: Iterable[str]) -> str:
    """What is left out, the empty parts away."""
    return say_list([part for part in parts if part])


def first_few(names: Iterable[str]) -> str:
    """The first names of a list, and how many others there are."""
    every = list(names)
    more = len(every) - FEW
    # One name is no longer than the words that would stand for it.
    return say_list(every) if more <= 1 else say_list([*every[:FEW], f"{more} more"])
