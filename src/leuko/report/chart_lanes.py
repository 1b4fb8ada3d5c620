"""The lower part of the figure: a lane for every drug, and the key to the marks."""

from __future__ import annotations

import textwrap
from typing import Final

from leuko.record import Dose
from leuko.report.chart_frame import PLAIN, Frame, Spec, stamp
from leuko.report.series import MARKS, Lane, Point, wall_clock

LANE_HEIGHT: Final = 27
MOST_LANES: Final = 10
RAW_Y: Final[Spec] = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
LINES: Final = "dotted line: leads to a bound, or over a stretch without counts"
DAY: Final = "dotted upright line: the day of the assessment"


def treatment(frame: Frame, found: tuple[Lane, ...]) -> list[Spec]:
    """One lane a drug: filled where it was given, open where it is only ordered or stated."""
    visible = [(lane, _doses(frame, lane)) for lane in found]
    visible = [(lane, doses) for lane, doses in visible if doses]
    if not visible:
        return []
    names: list[Spec] = []
    rows: list[Spec] = []
    for number, (lane, doses) in enumerate(visible[:MOST_LANES]):
        y = number * LANE_HEIGHT + 20
        suffix = "" if lane.given else " (ordered or stated, not known to be given)"
        names.append({"y": y - 12, "text": lane.drug + suffix})
        rows += [{**_row(frame, dose), "y": y} for dose in doses]
    more = len(visible) - MOST_LANES
    title = "Treatment" if more <= 0 else f"Treatment (and {more} further drugs, in the table)"
    height = min(len(visible), MOST_LANES) * LANE_HEIGHT + 4
    return [
        {"width": frame.width, "height": height, "title": {"text": title}, "layer": _lane_layers(frame, names, rows)}
    ]


def _doses(frame: Frame, lane: Lane) -> list[Dose]:
    """The doses of a lane that fall into the figure's stretch of time."""
    return [
        dose
        for dose in lane.doses
        if dose.start is not None
        and wall_clock(dose.start.at) <= frame.end
        and wall_clock((dose.end or dose.start).at) >= frame.start
    ]


def _row(frame: Frame, dose: Dose) -> Spec:
    moment = dose.start or dose.end
    start = frame.start if moment is None else wall_clock(moment.at)
    until = start if dose.end is None else wall_clock(dose.end.at)
    colour = frame.theme.dose
    return {
        "at": stamp(max(start, frame.start)),
        "until": stamp(min(max(until, start), frame.end)),
        "fill": colour if dose.given else frame.theme.hollow,
        "stroke": colour,
        "bar": frame.theme.dose_bar,
        "cycle": "" if dose.cycle is None else f"cycle {dose.cycle}",
    }


def _lane_layers(frame: Frame, names: list[Spec], rows: list[Spec]) -> list[Spec]:
    time, text = frame.time(grid=False), {"type": "text", "align": "left", "fontSize": 10}
    return [
        {**frame.span(), "encoding": {"x": time}},
        {
            "data": {"values": names},
            "mark": {**text, "dx": 3, "color": frame.theme.soft_ink},
            "encoding": {"x": {"value": 0}, "y": RAW_Y, "text": {"field": "text", "type": "nominal"}},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 5, "strokeCap": "butt"},
            "encoding": {"x": time, "x2": {"field": "until"}, "y": RAW_Y, "color": {"field": "bar", **PLAIN}},
        },
        {
            "data": {"values": rows},
            "mark": {"type": "point", "shape": "diamond", "size": 60, "opacity": 1, "strokeWidth": 1.5},
            "encoding": {
                "x": time,
                "y": RAW_Y,
                "fill": {"field": "fill", **PLAIN},
                "stroke": {"field": "stroke", **PLAIN},
            },
        },
        {
            "data": {"values": rows},
            "mark": {**text, "dx": 8, "color": frame.theme.dose},
            "encoding": {"x": time, "y": RAW_Y, "text": {"field": "cycle", "type": "nominal"}},
        },
    ]


def key_words(rows: tuple[Point, ...]) -> tuple[str, ...]:
    """What the marks that occur mean, in words."""
    seen = {row.mark for row in rows}
    return (*(words for mark, words in MARKS.items() if mark in seen), LINES, DAY)


def key(frame: Frame, rows: tuple[Point, ...]) -> Spec:
    """The key as a panel of text, for a figure that stands alone."""
    lines = textwrap.wrap("; ".join(key_words(rows)), width=max(30, frame.width // 5))
    values = [{"text": line, "y": number * 13 + 8} for number, line in enumerate(lines)]
    return {
        "width": frame.width,
        "height": len(lines) * 13 + 2,
        "view": {"stroke": None},
        "data": {"values": values},
        "mark": {"type": "text", "align": "left", "fontSize": 10, "color": frame.theme.soft_ink},
        "encoding": {"x": {"value": 0}, "y": RAW_Y, "text": {"field": "text", "type": "nominal"}},
    }
