"""One panel of the figure: the counts of one analyte on a logarithmic axis, on grade bands."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from leuko.frozen import Frozen
from leuko.report.chart_frame import PLAIN, STRUCK, Frame, Spec, stamp
from leuko.report.series import GradeStripe, Point
from leuko.wording import say_unit

HEIGHTS: Final = {"neutrophils": 220, "wbc": 150}
OTHER_HEIGHT: Final = 110
LABEL_GAP: Final = 11
EXACT: Final = frozenset({"measured", "derived"})
NUMBERED: Final = frozenset({"at_most", "at_least", "zero"})
CROSS: Final = "M-1,-1L1,1M1,-1L-1,1"
SHAPES: Final = {
    "measured": "circle",
    "derived": "circle",
    "at_most": "triangle-down",
    "at_least": "triangle-up",
    "zero": "square",
    "set_aside": CROSS,
    "superseded": CROSS,
}


def panel(frame: Frame, rows: list[Point], bands: tuple[GradeStripe, ...], named: str, hole: timedelta | None) -> Spec:
    """The panel of one analyte. `named` is the edition of the bands; gaps in sampling longer than `hole` are dotted."""
    drawn = [row for row in rows if row.at is not None]
    used = [row for row in drawn if row.mark not in STRUCK]
    axis = _Axis.of(used, bands, HEIGHTS.get(rows[0].analyte, OTHER_HEIGHT))
    struck = [row for row in drawn if row.mark in STRUCK and axis.holds(row.value) and frame.holds(row.at)]
    layers = [
        frame.span(),
        *_band_layers(frame, axis, bands, named),
        *_interval_layers(frame, axis, used),
        *_as_of_layer(frame),
        _links(frame, axis, used, hole),
        _marks(frame, axis, [*struck, *used]),
        *_labels(frame, axis, used),
        _cursor(frame, axis, [*used, *struck]),
    ]
    return {
        "width": frame.width,
        "height": axis.height,
        "title": {"text": f"{rows[0].label}, {say_unit(rows[0].unit)}"},
        "layer": layers,
    }


class _Axis(Frozen, frozen=True, kw_only=True):
    """The logarithmic axis of one panel [unit of the analyte]."""

    low: float
    high: float
    height: int

    @classmethod
    def of(cls, rows: Iterable[Point], bands: Iterable[GradeStripe], height: int) -> _Axis:
        """The stretch that holds every count that is used, the bands' limits and the reference intervals."""
        ends = [end for row in rows for end in (row.value, row.low, row.high)]
        ends += [end for band in bands for end in (band.lower, band.upper)]
        held = [end for end in ends if end is not None and end > 0] or [1.0]
        return cls(low=min(held) / 2, high=max(held) * 1.5, height=height)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the axis."""
        return self.low <= value <= self.high

    def place(self, value: float) -> float:
        """Where a value is drawn: zero stands at the foot."""
        return min(max(value, self.low), self.high)

    def pixel(self, value: float) -> float:
        """Distance from the top [px]."""
        share = math.log(self.place(value) / self.low) / math.log(self.high / self.low)
        return self.height * (1 - share)

    def channel(self) -> Spec:
        """The y channel."""
        return {
            "field": "y",
            "type": "quantitative",
            "title": None,
            "scale": {"type": "log", "domain": [self.low, self.high], "nice": False},
            "axis": {
                "values": _ticks(self.low, self.high),
                "format": "~g",
                "grid": False,
                "labelOverlap": "greedy",
                "minExtent": 34,
                "maxExtent": 34,
            },
        }


def _ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low > 8 else (1, 1.5, 2, 3, 4, 5, 7)
    # Written and read again, so that 0.5 is never 0.5000000000000001 on the axis.
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def _band_layers(frame: Frame, axis: _Axis, bands: tuple[GradeStripe, ...], named: str) -> list[Spec]:
    if not bands:
        return []
    values = [
        {
            "y": axis.place(band.lower or 0),
            "y2": axis.place(band.upper or axis.high),
            "fill": frame.theme.grade(band.grade),
        }
        for band in bands
    ]
    return [
        {
            "data": {"values": values},
            "mark": {"type": "rect", "clip": True},
            "encoding": {"y": axis.channel(), "y2": {"field": "y2"}, "color": {"field": "fill", **PLAIN}},
        },
        {
            "data": {"values": _band_names(axis, bands, named)},
            "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": 10, "color": frame.theme.soft_ink},
            "encoding": {
                "x": {"value": "width"},
                "y": {"field": "pixel", "type": "quantitative", "scale": None, "axis": None},
                "text": {"field": "text", "type": "nominal"},
            },
        },
    ]


def _band_names(axis: _Axis, bands: Iterable[GradeStripe], named: str) -> list[Spec]:
    """The bands' names, moved down just so far that none touches the one above."""
    names = [(axis.pixel(_middle(axis, band)), f"{band.grade}: {band.text}") for band in bands]
    top = min(pixel for pixel, _ in names)
    if all(band.grade > 1 for band in bands):
        names.append((top - LABEL_GAP * 1.4, "1: limit not known"))
    names.append((top - LABEL_GAP * 2.6, f"{named} grade"))
    placed: list[Spec] = []
    for pixel, text in sorted(names):
        lowest = placed[-1]["pixel"] + LABEL_GAP if placed else pixel
        placed.append({"text": text, "pixel": max(pixel, lowest)})
    return placed


def _middle(axis: _Axis, band: GradeStripe) -> float:
    return math.sqrt(axis.place(band.lower or 0) * axis.place(band.upper or axis.high))


def _interval_layers(frame: Frame, axis: _Axis, rows: list[Point]) -> list[Spec]:
    """The ends of the reference interval, each as long as it was the one that counts were held against."""
    stretches = [
        {"at": stamp(run[0].at), "until": stamp(until), "y": end}
        for run, until in _interval_runs(frame, rows)
        for end in (run[0].low, run[0].high)
        if end is not None
    ]
    if not stretches:
        return []
    last = next(row for row in reversed(rows) if row.low is not None or row.high is not None)
    label = {"at": stamp(frame.start), "y": last.high or last.low, "text": f"reference interval {last.interval}"}
    colour, y = frame.theme.interval, axis.channel()
    return [
        {
            "data": {"values": stretches},
            "mark": {"type": "rule", "strokeDash": [6, 3], "color": colour, "strokeWidth": 1.2},
            "encoding": {"x": frame.time(), "x2": {"field": "until"}, "y": y},
        },
        {
            "data": {"values": [label]},
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "bottom",
                "dx": 4,
                "dy": -3,
                "fontSize": 10,
                "color": colour,
            },
            "encoding": {"x": frame.time(), "y": y, "text": {"field": "text", "type": "nominal"}},
        },
    ]


def _interval_runs(frame: Frame, rows: list[Point]) -> list[tuple[list[Point], datetime]]:
    runs: list[list[Point]] = []
    for row in rows:
        if runs and (runs[-1][0].low, runs[-1][0].high) == (row.low, row.high):
            runs[-1].append(row)
        else:
            runs.append([row])
    ends = [run[0].at or frame.end for run in runs[1:]]
    return list(zip(runs, [*ends, frame.end], strict=False))


def _as_of_layer(frame: Frame) -> list[Spec]:
    if not frame.holds(frame.as_of):
        return []
    values = [{"at": stamp(frame.as_of), "text": "assessed"}]
    return [
        {
            "data": {"values": values},
            "mark": {"type": "rule", "strokeDash": [1, 3], "color": frame.theme.soft_ink},
            "encoding": {"x": frame.time()},
        }
    ]


def _links(frame: Frame, axis: _Axis, rows: list[Point], hole: timedelta | None) -> Spec:
    """A line from each count to the next; dotted where an end is no exact value, or nothing was measured for long."""
    values = [
        {
            "at": stamp(one.at),
            "until": stamp(two.at),
            "y": axis.place(one.value),
            "y2": axis.place(two.value),
            "dash": [1, 0] if _known_between(one, two, hole) else [2, 4],
        }
        for one, two in pairwise(rows)
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "rule", "color": frame.theme.line, "strokeWidth": 1.4},
        "encoding": {
            "x": frame.time(),
            "x2": {"field": "until"},
            "y": axis.channel(),
            "y2": {"field": "y2"},
            "strokeDash": {"field": "dash", **PLAIN},
        },
    }


def _known_between(one: Point, two: Point, hole: timedelta | None) -> bool:
    if one.at is None or two.at is None or not {one.mark, two.mark} <= EXACT:
        return False
    return hole is None or two.at - one.at <= hole


def _marks(frame: Frame, axis: _Axis, rows: list[Point]) -> Spec:
    theme = frame.theme
    values = [
        {
            "id": row.id,
            "at": stamp(row.at),
            "y": axis.place(row.value),
            "shape": SHAPES[row.mark],
            "fill": theme.ink if row.mark in {"measured", "zero"} else theme.hollow,
            "stroke": theme.struck if row.mark in STRUCK else theme.ink,
        }
        for row in rows
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


def _labels(frame: Frame, axis: _Axis, rows: list[Point]) -> list[Spec]:
    """Numbers beside the marks that need one: the lowest, the latest, bounds and zeros; each on a halo."""
    lowest = min(rows, key=lambda row: row.value, default=None)
    told = [row for row in rows if row in (lowest, rows[-1]) or row.mark in NUMBERED]
    values = [{"at": stamp(row.at), "pixel": _label_pixel(axis, row, row is lowest), "text": row.text} for row in told]
    encoding = {
        "x": frame.time(),
        "y": {"field": "pixel", "type": "quantitative", "scale": None, "axis": None},
        "text": {"field": "text", "type": "nominal"},
    }
    text = {"type": "text", "fontSize": 11, "fontWeight": "bold"}
    halo = {**text, "color": frame.theme.hollow, "stroke": frame.theme.hollow, "strokeWidth": 3, "opacity": 0.85}
    return [
        {"data": {"values": values}, "mark": mark, "encoding": encoding}
        for mark in (halo, {**text, "color": frame.theme.ink})
    ]


def _label_pixel(axis: _Axis, row: Point, below: bool) -> float:
    """Above the mark; the lowest stands below it where there is room."""
    pixel = axis.pixel(row.value)
    return pixel + 13 if below and pixel < axis.height - 22 else pixel - 12


def _cursor(frame: Frame, axis: _Axis, rows: list[Point]) -> Spec:
    """A ring around the count that the reader has stepped to; invisible until a page sets `cursor` to its id."""
    values = [{"id": row.id, "at": stamp(row.at), "y": axis.place(row.value)} for row in rows]
    return {
        "data": {"values": values},
        "transform": [{"filter": "datum.id === cursor"}],
        "mark": {"type": "point", "shape": "circle", "size": 260, "strokeWidth": 2.5, "color": frame.theme.focus},
        "encoding": {"x": frame.time(), "y": axis.channel()},
    }
