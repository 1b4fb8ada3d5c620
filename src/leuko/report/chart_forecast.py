"""The figure of a forecast: fan, sample courses and the counts measured, above the doses given and planned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from leuko.report.chart import VEGA_LITE, figure_config
from leuko.report.chart_frame import PLAIN, STRUCK, Frame, Spec, stamp
from leuko.report.chart_panel import SHAPES
from leuko.report.coming import UNIT, FanRow, described, fan_rows
from leuko.report.series import Point, points, wall_clock
from leuko.report.themes import THEMES
from leuko.result import Assessment
from leuko.result.forecast import Forecast
from leuko.wording import say_number

HEIGHT: Final = 260
MOST_PATHS: Final = 8
RAW_Y: Final[Spec] = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
KEY: Final = (
    "heavy line: median of the true count",
    "bands, dark to light: the central 50, 80 and 95 % of the courses",
    "thin lines: single courses that are possible",
    "dotted lines: the central 80 % of a measured count, with its error",
    "circles: counts measured; triangle pointing down: at most this",
    "dashed upright lines: doses planned; dotted upright line: the day of the assessment",
)


def forecast_spec(assessment: Assessment, forecast: Forecast, *, theme: str = "light", width: int = 620) -> Spec:
    """The figure of one forecast as a Vega-Lite specification; UsageError never: a forecast without a fan has none."""
    fan = forecast.fan
    rows = list(fan_rows(fan)) if fan is not None else []
    frame = _frame(assessment, rows, theme, width)
    seen = [row for row in points(assessment) if row.analyte == forecast.analyte and frame.holds(row.at)]
    cuts = () if forecast.outcome is None else tuple(at.cut for at in forecast.outcome.cuts)
    axis = Axis(rows, [row for row in seen if row.mark not in STRUCK], cuts)
    layers = [
        *fan_layers(frame, axis, rows),
        *cut_layers(frame, axis, cuts),
        *_measured(frame, axis, forecast),
        *_paths(frame, axis, forecast),
        median_layer(frame, axis, rows),
        *_upright(frame, assessment, forecast),
        seen_layer(frame, axis, seen),
    ]
    named = (s.label for s in assessment.history if s.count.analyte == forecast.analyte)
    label = next(named, forecast.analyte.capitalize())  # without any count only the neutrophils are told
    return {
        "$schema": VEGA_LITE,
        "description": described(forecast),
        "background": frame.theme.paper,
        "padding": 4,
        "vconcat": [
            {
                "width": width,
                "height": HEIGHT,
                "title": {"text": f"{label} to come, {UNIT}"},
                "layer": [frame.span(), *layers],
            }
        ],
        "config": figure_config(frame.theme),
    }


def _frame(assessment: Assessment, rows: list[FanRow], theme: str, width: int) -> Frame:
    as_of = datetime.combine(assessment.as_of, datetime.min.time())
    times = [wall_clock(row.at) for row in rows] or [as_of]
    return Frame(start=min(times), end=max(times), as_of=as_of, theme=THEMES[theme], width=width)


class Axis:
    """A logarithmic axis that holds the counts and the central 95 %, to a tenth of the lowest cut at most."""

    def __init__(self, rows: Iterable[FanRow], seen: Iterable[Point], cuts: Sequence[float]) -> None:
        held = [*(end for row in rows for end in row.outer), *(row.value for row in seen if row.value > 0), *cuts]
        least = min(cuts, default=0.1) / 5
        self.low = max(min(held, default=0.1), least) / 1.3
        self.high = max(held, default=10.0) * 1.3

    def place(self, value: float) -> float:
        """Where a value is drawn."""
        return min(max(value, self.low), self.high)

    def channel(self) -> Spec:
        """The y channel."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        ticks = [float(f"{step}e{decade}") for decade in decades for step in (1, 2, 5)]
        return {
            "field": "y",
            "type": "quantitative",
            "title": None,
            "scale": {"type": "log", "domain": [self.low, self.high], "nice": False},
            "axis": {
                "values": [tick for tick in ticks if self.low <= tick <= self.high],
                "format": "~g",
                "grid": False,
                "minExtent": 34,
                "maxExtent": 34,
            },
        }


def fan_layers(frame: Frame, axis: Axis, rows: list[FanRow]) -> list[Spec]:
    """Three bands, the widest first: each darkens the one below it."""
    bands = [("outer", 0.16), ("middle", 0.22), ("inner", 0.30)]
    at = [stamp(wall_clock(row.at)) for row in rows]
    return [
        {
            "data": {
                "values": [
                    {
                        "at": when,
                        "y": axis.place(getattr(row, name)[0]),
                        "y2": axis.place(getattr(row, name)[1]),
                    }
                    for when, row in zip(at, rows, strict=True)
                ]
            },
            "mark": {"type": "area", "color": frame.theme.focus, "opacity": shade, "clip": True},
            "encoding": {"x": frame.time(), "y": axis.channel(), "y2": {"field": "y2"}},
        }
        for name, shade in bands
    ]


def cut_layers(frame: Frame, axis: Axis, cuts: tuple[float, ...]) -> list[Spec]:
    """The cuts as dashed lines with their numbers."""
    values = [{"y": cut, "text": say_number(cut)} for cut in cuts if axis.low < cut < axis.high]
    if not values:
        return []
    return [
        {
            "data": {"values": values},
            "mark": {"type": "rule", "strokeDash": [6, 3], "color": frame.theme.struck, "strokeWidth": 1},
            "encoding": {"y": axis.channel()},
        },
        {
            "data": {"values": values},
            "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 10, "color": frame.theme.soft_ink},
            "encoding": {
                "x": {"value": "width"},
                "y": axis.channel(),
                "text": {"field": "text", "type": "nominal"},
            },
        },
    ]


def _paths(frame: Frame, axis: Axis, forecast: Forecast) -> list[Spec]:
    fan = forecast.fan
    if fan is None or not fan.paths:
        return []
    values = [
        {"at": stamp(wall_clock(at)), "y": axis.place(value), "path": number}
        for number, path in enumerate(fan.paths[:MOST_PATHS])
        for at, value in zip(fan.times, path, strict=True)
    ]
    return [
        {
            "data": {"values": values},
            "mark": {"type": "line", "color": frame.theme.line, "strokeWidth": 0.7, "opacity": 0.55, "clip": True},
            "encoding": {"x": frame.time(), "y": axis.channel(), "detail": {"field": "path", "type": "nominal"}},
        }
    ]


def _measured(frame: Frame, axis: Axis, forecast: Forecast) -> list[Spec]:
    """Between these lines four of five measured counts should lie."""
    fan = forecast.fan
    if fan is None or not fan.measured:
        return []
    values = [
        {"at": stamp(wall_clock(at)), "y": axis.place(value), "path": number}
        for number, ends in enumerate(fan.measured)
        for at, value in zip(fan.times, ends, strict=True)
    ]
    mark = {"type": "line", "color": frame.theme.focus, "strokeWidth": 1, "strokeDash": [1, 3], "clip": True}
    return [
        {
            "data": {"values": values},
            "mark": mark,
            "encoding": {"x": frame.time(), "y": axis.channel(), "detail": {"field": "path", "type": "nominal"}},
        }
    ]


def median_layer(frame: Frame, axis: Axis, rows: list[FanRow]) -> Spec:
    """The heavy line: the median of the true count."""
    values = [{"at": stamp(wall_clock(row.at)), "y": axis.place(row.median)} for row in rows]
    return {
        "data": {"values": values},
        "mark": {"type": "line", "color": frame.theme.focus, "strokeWidth": 2.2},
        "encoding": {"x": frame.time(), "y": axis.channel()},
    }


def _upright(frame: Frame, assessment: Assessment, forecast: Forecast) -> list[Spec]:
    """The day of the assessment, doses given, and the next dose that is planned."""
    today = frame.as_of + timedelta(days=1)
    given = [
        {"at": stamp(wall_clock(dose.start.at)), "y": 8, "fill": frame.theme.dose}
        for dose in assessment.doses
        if dose.given and dose.start is not None and frame.holds(wall_clock(dose.start.at))
    ]
    found: list[Spec] = [
        {
            "data": {"values": [{"at": stamp(today)}]},
            "mark": {"type": "rule", "strokeDash": [1, 3], "color": frame.theme.soft_ink},
            "encoding": {"x": frame.time()},
        },
        {
            "data": {"values": given},
            "mark": {"type": "point", "shape": "diamond", "size": 60, "opacity": 1, "filled": True},
            "encoding": {"x": frame.time(), "y": RAW_Y, "color": {"field": "fill", **PLAIN}},
        },
    ]
    if forecast.next_dose is not None:
        at = stamp(wall_clock(forecast.next_dose))
        found += [
            {
                "data": {"values": [{"at": at}]},
                "mark": {"type": "rule", "strokeDash": [5, 3], "color": frame.theme.dose, "strokeWidth": 1.3},
                "encoding": {"x": frame.time()},
            },
            {
                "data": {"values": [{"at": at, "y": 10, "text": "next dose planned"}]},
                "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 10, "color": frame.theme.dose},
                "encoding": {"x": frame.time(), "y": RAW_Y, "text": {"field": "text", "type": "nominal"}},
            },
        ]
    return found


def seen_layer(frame: Frame, axis: Axis, rows: list[Point]) -> Spec:
    """The counts measured, those set aside left away."""
    used = [row for row in rows if row.mark not in STRUCK]
    values = [
        {
            "id": row.id,
            "at": stamp(row.at),
            "y": axis.place(row.value),
            "shape": SHAPES[row.mark],
            "fill": frame.theme.ink if row.mark == "measured" else frame.theme.hollow,
            "stroke": frame.theme.ink,
        }
        for row in used
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "point", "size": 46, "strokeWidth": 1.6, "opacity": 1},
        "encoding": {
            "x": frame.time(),
            "y": axis.channel(),
            "shape": {"field": "shape", **PLAIN},
            "fill": {"field": "fill", **PLAIN},
            "stroke": {"field": "stroke", **PLAIN},
        },
    }
