"""A small plot in plain characters: counts over time on a logarithmic axis, with the cut lines of the course."""

from __future__ import annotations

import math
from typing import Final

from leuko.frozen import Frozen
from leuko.report.chart_frame import STRUCK
from leuko.report.series import Point, points
from leuko.result import Assessment
from leuko.wording import say_number

HEIGHT: Final = 9
MARGIN: Final = 9
SIGNS: Final = {"measured": "●", "derived": "○", "at_most": "▽", "at_least": "△", "zero": "■"}
FEWEST: Final = 3


def sketch(assessment: Assessment, analyte: str, *, width: int = 78) -> str:
    """The plot, at most `width` columns wide; empty where fewer than three dated counts could be drawn."""
    rows = [row for row in points(assessment) if row.analyte == analyte and row.at and row.mark not in STRUCK]
    if len(rows) < FEWEST or width < MARGIN * 4:
        return ""
    plot = _Plot.of(rows, _cuts(assessment, analyte), width - MARGIN)
    cells = plot.cells(rows)
    left = [f"{plot.name(line):>{MARGIN - 2}} ┤" for line in range(HEIGHT)]
    lines = [name + "".join(row).rstrip() for name, row in zip(left, cells, strict=True)]
    return "\n".join([*lines, _time_line(rows, width - MARGIN), _key(rows)])


def _cuts(assessment: Assessment, analyte: str) -> tuple[float, ...]:
    episodes = [e for course in assessment.courses if course.analyte == analyte for e in course.episodes]
    found = {days.cut for episode in episodes for days in episode.days_below} | {e.cut for e in episodes}
    return tuple(sorted(found))


class _Plot(Frozen, frozen=True, kw_only=True):
    """Maps counts to character cells; the axis is logarithmic, line 0 on top."""

    low: float
    high: float
    start: float
    end: float
    width: int
    cuts: tuple[float, ...]

    @classmethod
    def of(cls, rows: list[Point], cuts: tuple[float, ...], width: int) -> _Plot:
        held = [value for value in (*(row.value for row in rows), *cuts) if value > 0] or [1.0]
        times = [row.at.timestamp() for row in rows if row.at is not None]
        return cls(
            low=min(held) / 1.3, high=max(held) * 1.1, start=min(times), end=max(times), width=width, cuts=cuts
        )  # fmt: skip

    def line(self, value: float) -> int:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return round((HEIGHT - 1) * (1 - share))

    def column(self, row: Point) -> int:
        at = self.start if row.at is None else row.at.timestamp()
        return round((self.width - 1) * (at - self.start) / ((self.end - self.start) or 1))

    def name(self, line: int) -> str:
        """What stands at the left of a line: its cut, if one lies there, else the ends of the axis."""
        cut = next((cut for cut in self.cuts if self.line(cut) == line), None)
        if cut is not None:
            return say_number(cut)
        return f"{self.high:.2g}" if line == 0 else f"{self.low:.2g}" if line == HEIGHT - 1 else ""

    def cells(self, rows: list[Point]) -> list[list[str]]:
        cells = [[" "] * self.width for _ in range(HEIGHT)]
        for cut in self.cuts:
            cells[self.line(cut)] = ["┄"] * self.width
        for row in rows:
            cells[self.line(row.value)][self.column(row)] = SIGNS[row.mark]
        return cells


def _time_line(rows: list[Point], width: int) -> str:
    first, last = rows[0].when.split(",")[0], rows[-1].when.split(",")[0]
    return " " * MARGIN + first + last.rjust(width - len(first))


def _key(rows: list[Point]) -> str:
    words = {"measured": "measured", "derived": "derived", "at_most": "at most", "at_least": "at least", "zero": "zero"}
    seen = [mark for mark in words if any(row.mark == mark for row in rows)]
    return " " * MARGIN + "  ".join(f"{SIGNS[mark]} {words[mark]}" for mark in seen)
