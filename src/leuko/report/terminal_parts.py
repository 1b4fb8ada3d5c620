"""What everything in the terminal is made of: safe text, indents, headings, tables, grids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from leuko.report.outline import harmless

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.text import Text

POSITION_STYLES: Final = {"below": "bold red", "within": "green", "above": "yellow", "cannot_say": "magenta"}
TONES: Final = {
    "plain": "",
    "alert": "bold red",
    "for": "green",
    "against": "yellow",
    "unsure": "magenta",
    "quiet": "dim",
}


def text(*pieces: str | tuple[str, str]) -> RenderableType:
    """Text that may carry styles, without what could repaint the terminal."""
    from rich.text import Text  # noqa: PLC0415

    safe = [harmless(piece) if isinstance(piece, str) else (harmless(piece[0]), piece[1]) for piece in pieces]
    return Text.assemble(*safe)


def indented(renderable: RenderableType, left: int = 2) -> RenderableType:
    """The same, moved to the right."""
    from rich.text import Text  # noqa: PLC0415

    return _Moved(Text(" " * left), renderable) if isinstance(renderable, Text) else _Indented(renderable, left)


def hanging(name: str, words: str, left: int = 2) -> RenderableType:
    """A short name, and words beside it that are wrapped to the right of it."""
    from rich.text import Text  # noqa: PLC0415

    first = Text(" " * left).append_text(Text(harmless(name), style="dim")).append("  ")
    return _Moved(first, Text(harmless(words), overflow="fold"))


class _Moved:
    """Text set to the right of what stands before its first line: what `Padding` and a grid of one row would print.

    Everything in the terminal is made of these, and rich measures, pads and crops either of them first.
    """

    def __init__(self, before: Text, text: Text) -> None:
        self._before, self._text = before, text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text  # noqa: PLC0415

        width = max(options.max_width - self._before.cell_len, 1)
        lines: Iterable[Text] = (self._text,)
        if self._text.cell_len > width or not {"\n", "\t"}.isdisjoint(self._text.plain):
            lines = self._text.wrap(console, width, justify="default", overflow=self._text.overflow or "fold")
        blank = Text(" " * self._before.cell_len)
        moved = (Text().join((blank if at else self._before, line)) for at, line in enumerate(lines))
        yield from Text("\n").join(moved).render(console, end="\n")


class _Indented:
    """A table moved to the right: `Padding`, without rendering every line a second time."""

    def __init__(self, table: RenderableType, left: int) -> None:
        self._table, self._left = table, left

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.segment import Segment  # noqa: PLC0415

        blank, begins = Segment(" " * self._left), True
        for segment in console.render(self._table, options.update(width=max(options.max_width - self._left, 1))):
            if begins:
                yield blank
            begins = segment.text.endswith("\n")
            yield segment


def fitting(wide: RenderableType, narrow: RenderableType, *, room: int) -> RenderableType:
    """The first where there is so much room [columns], else the second."""
    return _Fitting(wide, narrow, room)


class _Fitting:
    """One of two tables, chosen by the width that there is."""

    def __init__(self, wide: RenderableType, narrow: RenderableType, room: int) -> None:
        self._wide, self._narrow, self._room = wide, narrow, room

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._wide if self._room <= options.max_width else self._narrow


def title(words: str) -> Iterator[RenderableType]:
    """A heading with a blank line before it."""
    yield ""
    yield text((words, "bold underline"))


def table(*columns: str, right: Iterable[int] = ()) -> Any:
    """An empty table; the columns numbered in `right` are set to the right."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number in set(right) else "left", overflow="fold")
    return table


def grid(rows: Iterable[tuple[str, str]]) -> RenderableType:
    """Names and what belongs to them, side by side."""
    from rich.table import Table  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, words in rows:
        grid.add_row(text((name, "dim")), text(words))
    return grid
