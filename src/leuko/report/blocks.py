"""What the parts of an assessment say, as blocks that every view can lay out: sections, groups, entries, tables.

The sections are made once (`leuko.report.sections`); terminal, page and PDF only decide how much of them stands open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from leuko.frozen import Frozen
from leuko.result import Citation, Reason

Tone = Literal["plain", "alert", "for", "against", "unsure", "quiet"]


class Line(Frozen, frozen=True, kw_only=True):
    """One sentence, or one cell of a table, with what it is (`label`), its sources and the evidence it rests on."""

    text: str
    label: str = ""
    tone: Tone = "plain"
    citations: tuple[Citation, ...] = ()
    evidence: tuple[str, ...] = ()


class Table(Frozen, frozen=True, kw_only=True):
    """Rows of cells below named columns; a narrow view leaves away all columns but `narrow`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]
    caption: str = ""
    narrow: tuple[int, ...] = ()


class Entry(Frozen, frozen=True, kw_only=True):
    """One thing of a group: its name, where it stands (`tag`), what is said of it; `more` and `tables` are details."""

    title: str
    tag: str = ""
    tone: Tone = "plain"
    citations: tuple[Citation, ...] = ()
    lines: tuple[Line, ...] = ()
    more: tuple[Line, ...] = ()
    tables: tuple[Table, ...] = ()

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of all that its lines rest on, once each."""
        return tuple(dict.fromkeys(each for line in (*self.lines, *self.more) for each in line.evidence))


class Group(Frozen, frozen=True, kw_only=True):
    """Entries below one heading. A short view shows the first `shown`; `rest` names one other, and several.

    `folded` is said in their place where a number of entries would tell nothing.
    """

    title: str = ""
    table: Table | None = None
    entries: tuple[Entry, ...] = ()
    shown: int = 5
    rest: str = "more|more"
    folded: str = ""

    def left(self, number: int) -> str:
        """What so many others are called: "1 further cause", "3 further causes"."""
        if self.folded:
            return self.folded
        one, _, several = self.rest.partition("|")
        return f"{number} {one if number == 1 else several}"

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.entries and (self.table is None or not self.table.rows)


class Section(Frozen, frozen=True, kw_only=True):
    """One question a reader has, with what leads, and its groups."""

    id: str
    title: str
    lead: tuple[Line, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.lead and all(group.empty for group in self.groups)


def said(reason: Reason, label: str = "", tone: Tone = "plain") -> Line:
    """A reason as a line."""
    return Line(text=reason.text, label=label, tone=tone, citations=reason.citations, evidence=reason.evidence)


def cell(text: str, reason: Reason | None = None, tone: Tone = "plain") -> Line:
    """A cell of a table, with the sources of a reason."""
    return Line(text=text, tone=tone, citations=() if reason is None else reason.citations)


def unlike(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The lines without those that say a thing a second time; the sources of both stand behind it."""
    kept: dict[tuple[str, str], Line] = {}
    for line in lines:
        key = (line.label, line.text)
        before = kept.get(key)
        kept[key] = line if before is None else _joined(before, line)
    return tuple(line for line in kept.values() if line.text)


def beyond(lines: Iterable[Line], shown: Iterable[Line]) -> tuple[Line, ...]:
    """The lines, once each, whose words are not shown already, by whatever name."""
    told = {line.text for line in shown}
    return tuple(line for line in unlike(lines) if line.text not in told)


def _joined(first: Line, second: Line) -> Line:
    return Line(
        text=first.text,
        label=first.label,
        tone=first.tone,
        citations=tuple(dict.fromkeys((*first.citations, *second.citations))),
        evidence=tuple(dict.fromkeys((*first.evidence, *second.evidence))),
    )


def sentence(words: str) -> str:
    """The words with a capital at the start."""
    return words[:1].upper() + words[1:]
