"""What everything in the terminal is made of: safe text, indents, headings, tables, grids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from leuko.report.outline import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    from rich.padding import Padding  # noqa: PLC0415

    return Padding(renderable, (0, 0, 0, left))  # as wide as the view, which strips it: else rich measures it first


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
