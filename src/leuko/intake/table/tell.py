"""Collect the notices of one table; the same finding on many lines becomes one notice that names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from leuko.errors import Notice, Place
from leuko.frozen import replace
from leuko.knowledge import Library

SHOWN = 20  # notices of the same kind about the same column that are told one by one; the rest is summed up


@dataclass(slots=True, kw_only=True)
class Teller:
    """The notices of one source so far."""

    source: str
    library: Library
    notices: list[Notice] = field(default_factory=list)
    _tally: dict[tuple[str, str], _Sum] = field(default_factory=dict)
    _alike: dict[tuple[str, str, str | None], list[Notice]] = field(default_factory=dict)

    def say(
        self,
        code: str,
        text: str,
        *,
        line: int | None = None,
        pointer: str | None = None,
        read: str | None = None,
        do: str | None = None,
        lost: bool = False,
    ) -> None:
        """One finding."""
        entry = self.library.notices[code]
        place = Place(source=self.source, line=line, pointer=pointer)
        self.notices.append(
            Notice(
                code=code,
                severity=entry.severity,
                text=text,
                place=place,
                read=read,
                help=do or entry.help or None,
                data_lost=lost,
            )
        )

    def tally(self, code: str, text: str, line: int, *, do: str | None = None, lost: bool = False) -> None:
        """A finding that may be made on many lines; told once, by `finish`, with all of them."""
        self._tally.setdefault((code, text), _Sum(do=do, lost=lost)).lines.append(line)

    def pass_on(self, notices: Iterable[Notice], *, about: str, person: str | None = None) -> None:
        """Notices that interpretation made of a person's value; beyond the first ones of a kind they are summed up."""
        for notice in notices:
            self._alike.setdefault((notice.code, about, person), []).append(replace(notice, person=person))

    def finish(self) -> tuple[Notice, ...]:
        """All notices."""
        for (code, text), total in self._tally.items():
            self.say(code, f"{text} ({lines_text(total.lines)})", line=total.lines[0], do=total.do, lost=total.lost)
        self._tally.clear()
        for (_, about, _), alike in self._alike.items():
            told = _same_text(alike)
            self.notices += told[:SHOWN]
            if len(told) > SHOWN:
                self.notices.append(_sum_up(told[SHOWN:], about))
        self._alike.clear()
        return tuple(self.notices)


@dataclass(slots=True, kw_only=True)
class _Sum:
    lines: list[int] = field(default_factory=list)
    do: str | None
    lost: bool


def _same_text(alike: Sequence[Notice]) -> list[Notice]:
    """One notice for each wording; where nothing was lost, the lines are named in it."""
    groups: dict[tuple[str, object], list[Notice]] = {}
    for number, notice in enumerate(alike):
        groups.setdefault((notice.text, number if notice.data_lost else None), []).append(notice)
    told = []
    for group in groups.values():
        lines = [notice.place.line for notice in group if notice.place.line is not None]
        first = group[0]
        told.append(first if len(group) == 1 else replace(first, text=f"{first.text} ({lines_text(lines)})"))
    return told


def _sum_up(rest: Sequence[Notice], about: str) -> Notice:
    first = rest[0]
    lines = [notice.place.line for notice in rest if notice.place.line is not None]
    return Notice(
        code=first.code,
        severity=first.severity,
        text=f"{len(rest)} more of the same kind in {about} ({lines_text(lines)})",
        place=Place(source=first.place.source, line=first.place.line),
        help=first.help,
        person=first.person,
        data_lost=any(notice.data_lost for notice in rest),
    )


def lines_text(lines: Sequence[int], most: int = 40) -> str:
    """ "line 3" or "lines 3-5, 9"; of very many, the first ones, how many and the last."""
    unique = sorted(set(lines))
    if len(unique) == 1:
        return f"line {unique[0]}"
    ranges = [f"{a}-{b}" if b > a else str(a) for a, b in _ranges(unique)]
    if len(ranges) <= most:
        return "lines " + ", ".join(ranges)
    return f"{len(unique)} lines: {', '.join(ranges[:most])} … {unique[-1]}"


def _ranges(lines: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1] = (found[-1][0], line)
        else:
            found.append((line, line))
    return found
