"""The figure of ways to go on: one panel each, on the same axes, so that two plans can be compared by eye."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from leuko.report.chart import VEGA_LITE, figure_config
from leuko.report.chart_forecast import Axis, cut_layers, fan_layers, median_layer, seen_layer
from leuko.report.chart_frame import STRUCK, Frame, Spec, stamp
from leuko.report.coming import UNIT, FanRow, fan_rows
from leuko.report.series import points, wall_clock
from leuko.report.themes import THEMES
from leuko.result import Assessment
from leuko.result.forecast import Option

HEIGHT: Final = 170


def options_spec(
    assessment: Assessment,
    named: Sequence[tuple[str, Option]],
    planned: Option,
    *,
    analyte: str,
    theme: str = "page",
    width: int = 620,
) -> Spec:
    """One panel a named option, the median of the plan as a dashed line; all on one axis of time and one of counts.

    Every option and the plan need a fan.
    """
    fans = [list(fan_rows(option.fan)) for _, option in named if option.fan is not None]
    plan = list(fan_rows(planned.fan)) if planned.fan is not None else []
    frame = _frame(assessment, [*fans, plan], theme, width)
    seen = [row for row in points(assessment) if row.analyte == analyte and frame.holds(row.at)]
    used = [row for row in seen if row.mark not in STRUCK]
    cuts = tuple(at.cut for at in planned.outcome.cuts)
    axis = Axis([row for rows in [*fans, plan] for row in rows], used, cuts)
    before = [_dashed(frame, axis, plan), *cut_layers(frame, axis, cuts)]
    after = [seen_layer(frame, axis, used)]
    panels = [
        {
            "width": width,
            "height": HEIGHT,
            "title": {"text": f"{title}: {option.text}, {UNIT}"},
            "layer": [frame.span(), *fan_layers(frame, axis, rows), *before, *_own(frame, axis, rows, option), *after],
        }
        for (title, option), rows in zip(named, fans, strict=True)
    ]
    return {
        "$schema": VEGA_LITE,
        "description": described(named, planned),
        "background": frame.theme.paper,
        "padding": 4,
        "vconcat": panels,
        "config": figure_config(frame.theme),
    }


def described(named: Sequence[tuple[str, Option]], planned: Option) -> str:
    """The figure in words."""
    told = "; ".join(f"{title}: {option.text}" for title, option in named)
    return (
        f"Courses of the next cycle, one panel a plan, on the same axes. {told}. The line is the median of the true"
        " count, the bands hold the central 50, 80 and 95 % of the courses; the dashed line is the median as planned"
        f" ({planned.text}); circles are the counts measured."
    )


def _frame(assessment: Assessment, fans: Sequence[Sequence[FanRow]], theme: str, width: int) -> Frame:
    as_of = datetime.combine(assessment.as_of, datetime.min.time())
    times = [wall_clock(row.at) for rows in fans for row in rows] or [as_of]
    return Frame(start=min(times), end=max(times), as_of=as_of, theme=THEMES[theme], width=width)


def _own(frame: Frame, axis: Axis, rows: list[FanRow], option: Option) -> list[Spec]:
    return [median_layer(frame, axis, rows), *_days(frame, option)]


def _dashed(frame: Frame, axis: Axis, rows: Sequence[FanRow]) -> Spec:
    """The median as planned, to compare with."""
    values = [{"at": stamp(wall_clock(row.at)), "y": axis.place(row.median)} for row in rows]
    mark = {"type": "line", "color": frame.theme.soft_ink, "strokeWidth": 1.4, "strokeDash": [5, 3], "clip": True}
    return {"data": {"values": values}, "mark": mark, "encoding": {"x": frame.time(), "y": axis.channel()}}


def _days(frame: Frame, option: Option) -> list[Spec]:
    """The day of the assessment, and day 1 of the next cycle."""
    today = {"at": stamp(frame.as_of + timedelta(days=1))}
    found: list[Spec] = [
        {
            "data": {"values": [today]},
            "mark": {"type": "rule", "strokeDash": [1, 3], "color": frame.theme.soft_ink},
            "encoding": {"x": frame.time()},
        }
    ]
    if option.start is not None:
        at = stamp(wall_clock(option.start))
        found += [
            {
                "data": {"values": [{"at": at}]},
                "mark": {"type": "rule", "strokeDash": [5, 3], "color": frame.theme.dose, "strokeWidth": 1.3},
                "encoding": {"x": frame.time()},
            },
            {
                "data": {"values": [{"at": at, "text": "day 1"}]},
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 10, "color": frame.theme.dose},
                "encoding": {
                    "x": frame.time(),
                    "y": {"value": 10},
                    "text": {"field": "text", "type": "nominal"},
                },
            },
        ]
    return found
