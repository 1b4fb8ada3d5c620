"""The forecast alone in the terminal: a small plot of the fan, the section as in the full view, and what was not used
of the input: a count set aside is one that the forecast does not know."""

from __future__ import annotations

import io
import math
import sys
from datetime import datetime, time
from typing import Any, Final

from leuko.report.chart_frame import STRUCK
from leuko.report.coming import FanRow, fan_rows
from leuko.report.outline import patient_words
from leuko.report.references import References
from leuko.report.sections.forecast import forecast
from leuko.report.series import points
from leuko.report.terminal import foot, notices, source_list
from leuko.report.terminal_parts import indented, text
from leuko.report.terminal_sections import drawn
from leuko.result import Assessment
from leuko.result.forecast import Forecast
from leuko.wording import say_about, say_date, say_number

HEIGHT: Final = 14
MARGIN: Final = 9
SHADES: Final = ("░", "▒", "▓")
DEFAULT_WIDTH: Final = 80


def show(assessment: Assessment, *, width: int | None = None) -> None:
    """Print the forecasts of a person to stdout, plain where it is no terminal."""
    sys.stdout.write(render(assessment, width=width, color=sys.stdout.isatty()))


def render(assessment: Assessment, *, width: int | None = None, color: bool = False) -> str:
    """The forecasts as text."""
    from rich.console import Console  # noqa: PLC0415 (only this view needs rich)

    kind: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False}
    console = Console(
        file=io.StringIO(), width=width or (None if color else DEFAULT_WIDTH), force_terminal=color, **kind
    )
    with console.capture() as capture:
        console.print(text((f"{patient_words(assessment.patient)}; as of {say_date(assessment.as_of)}", "dim")))
        for one in assessment.forecasts:
            plot = fan_sketch(assessment, one, width=console.width - 2)
            if plot:
                console.print("")
                console.print(indented(text(plot)))
        refs = References.over(assessment.forecasts)
        said = (*drawn(forecast(assessment), refs), *notices(assessment, all_=False), *source_list(refs))
        for part in (*said, "", *foot(assessment)):
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def fan_sketch(assessment: Assessment, one: Forecast, *, width: int = 78) -> str:
    """The fan in plain characters on a logarithmic axis: bands, median, counts measured, the day of the assessment."""
    if one.fan is None or one.outcome is None or width < MARGIN * 4:
        return ""
    rows = list(fan_rows(one.fan))
    seen = [row for row in points(assessment) if row.analyte == one.analyte and row.at and row.mark not in STRUCK]
    plot = _Plot(rows, [row.value for row in seen if row.value > 0], one, width - MARGIN)
    cells = plot.fan(rows)
    plot.cut_lines(cells)
    today = datetime.combine(assessment.as_of, time.max, tzinfo=rows[0].at.tzinfo)
    plot.upright(cells, today, "┊")
    if one.next_dose is not None:
        plot.upright(cells, one.next_dose, "╎")
    for row in seen:
        if row.at is not None:
            sign = "▽" if row.mark == "at_most" else "●"
            plot.put(cells, row.at.replace(tzinfo=rows[0].at.tzinfo), row.value, sign)
    names = [f"{plot.name(line):>{MARGIN - 2}} ┤" for line in range(HEIGHT)]
    first, last = say_date(rows[0].at), say_date(rows[-1].at)
    foot = " " * MARGIN + first + last.rjust(width - MARGIN - len(first))
    planned = "  ╎ next dose" if one.next_dose is not None else ""
    key = f"━ median  ▓ 50 %  ▒ 80 %  ░ 95 %  ● measured  ┊ today{planned}"
    lines = [name + "".join(row).rstrip() for name, row in zip(names, cells, strict=True)]
    return "\n".join([*lines, foot, " " * MARGIN + key])


class _Plot:
    """Maps counts to character cells; line 0 on top."""

    def __init__(self, rows: list[FanRow], seen: list[float], one: Forecast, width: int) -> None:
        cuts = [] if one.outcome is None else [at.cut for at in one.outcome.cuts]
        held = [end for row in rows for end in row.outer] + seen
        self.cuts, self.width = cuts, width
        self.low = max(min(held), min(cuts, default=0.1) / 5) / 1.2
        self.high = max(held) * 1.1
        self.start, self.end = rows[0].at, rows[-1].at

    def line(self, value: float) -> int:
        """The line of a count."""
        inside = min(max(value, self.low), self.high)
        return round((HEIGHT - 1) * (1 - math.log(inside / self.low) / math.log(self.high / self.low)))

    def column(self, at: datetime) -> int:
        """The column of a time; below 0 or beyond the width where it is not drawn."""
        return round((self.width - 1) * ((at - self.start) / (self.end - self.start)))

    def name(self, line: int) -> str:
        """What stands at the left of a line."""
        cut = next((cut for cut in self.cuts if self.line(cut) == line and self.low < cut), None)
        if cut is not None:
            return say_number(cut)
        return say_about(self.high) if line == 0 else say_about(self.low) if line == HEIGHT - 1 else ""

    def fan(self, rows: list[FanRow]) -> list[list[str]]:
        """Bands and median."""
        cells = [[" "] * self.width for _ in range(HEIGHT)]
        for row in rows:
            column = self.column(row.at)
            for shade, (low, high) in zip(SHADES, (row.outer, row.middle, row.inner), strict=True):
                for line in range(self.line(high), self.line(low) + 1):
                    cells[line][column] = shade
        for row in rows:
            cells[self.line(row.median)][self.column(row.at)] = "━"
        return cells

    def cut_lines(self, cells: list[list[str]]) -> None:
        """The cuts, where nothing else stands."""
        for cut in self.cuts:
            if cut > self.low:
                own = cells[self.line(cut)]
                own[:] = ["┄" if sign == " " else sign for sign in own]

    def upright(self, cells: list[list[str]], at: datetime, sign: str) -> None:
        """A line from top to foot, where nothing else stands."""
        column = self.column(at)
        if 0 <= column < self.width:
            for own in cells:
                own[column] = sign if own[column] in " ┄" else own[column]

    def put(self, cells: list[list[str]], at: datetime, value: float, sign: str) -> None:
        """One sign."""
        column = self.column(at)
        if 0 <= column < self.width:
            cells[self.line(value)][column] = sign
