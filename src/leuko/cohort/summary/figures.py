"""The figures of a summary, in the colours of the house. Nothing is told by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from leuko.report.chart import VEGA_LITE, figure_config
from leuko.report.themes import LIGHT

Spec = dict[str, Any]
_WIDTH: Final = 560
_GREY: Final = "#c9d2da"
_DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4])
# Told apart by people who do not see red or green (Okabe and Ito 2008).
_LINES: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
_STROKES: Final = {"symbolType": "stroke", "symbolSize": 500, "symbolStrokeWidth": 2, "symbolOpacity": 1}
_OWN: Final = ("#eef3f6", *LIGHT.grades, _GREY)


def bars(values: Sequence[dict[str, Any]], text: str) -> Spec:
    """Stacked shares of the worst grade: a bar an arm, a row an edition; the grades carry their numbers."""
    order = list(dict.fromkeys(row["grade"] for row in values))
    placed = []
    for row in values:
        at = sum(
            other["share"]
            for other in values
            if (other["edition"], other["arm"]) == (row["edition"], row["arm"])
            and order.index(other["grade"]) < order.index(row["grade"])
        )
        placed.append({**row, "from": at, "to": at + row["share"], "middle": at + row["share"] / 2})
    arms = list(dict.fromkeys(row["arm"] for row in values))
    x = {"type": "quantitative", "title": "share of people", "axis": {"format": "%"}, "scale": {"domain": [0, 1]}}
    y = {"field": "arm", "type": "nominal", "title": None, "sort": arms}
    colour = {
        "field": "grade",
        "type": "nominal",
        "scale": {"domain": order, "range": list(_OWN[: len(order)])},
        "legend": {"title": "worst grade", "orient": "bottom", "labelColor": LIGHT.ink, "titleColor": LIGHT.soft_ink},
    }
    layers = [
        {
            "mark": {"type": "bar", "stroke": LIGHT.line, "strokeWidth": 0.6},
            "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "y": y, "color": colour},
        },
        {
            "transform": [{"filter": "datum.share >= 0.04"}],
            "mark": {"type": "text", "fontSize": 11, "color": LIGHT.ink},
            "encoding": {"x": {"field": "middle", **x}, "y": y, "text": {"field": "grade"}},
        },
    ]
    return {
        **_outer(text),
        "data": {"values": placed},
        "facet": {
            "row": {
                "field": "edition",
                "type": "nominal",
                "title": None,
                "header": {"labelOrient": "top", "labelAnchor": "start", "labelAngle": 0, "labelColor": LIGHT.ink},
            }
        },
        "spec": {"width": _WIDTH - 90, "height": {"step": 26}, "layer": layers},
    }


def curves(values: Sequence[dict[str, Any]], text: str, *, x_title: str, y_title: str, titles: dict[str, str]) -> Spec:
    """Step curves: rows of `day`, `share`, `low`, `high`, `arm`, `way`. A panel a way, with its title; arms differ in
    colour and in dashes. A row without a share is drawn as the two ends of its band."""
    arms = list(dict.fromkeys(row["arm"] for row in values))
    x = {"field": "day", "type": "quantitative", "title": x_title}
    y = {"type": "quantitative", "title": y_title, "scale": {"domain": [0, 1]}, "axis": {"format": "%"}}
    legend = {"orient": "bottom", "title": None, "labelColor": LIGHT.ink, **_STROKES}
    known = {"field": "arm", "type": "nominal", "sort": arms, "legend": legend if len(arms) > 1 else None}
    colour = {**known, "scale": {"domain": arms, "range": [_LINES[at % len(_LINES)] for at in range(len(arms))]}}
    dash = {**known, "scale": {"domain": arms, "range": [_DASHES[at % len(_DASHES)] for at in range(len(arms))]}}
    line: Spec = {"type": "line", "interpolate": "step-after"}
    band: Spec = {"mark": {"type": "area", "opacity": 0.14, "interpolate": "step-after"}}
    ends: list[Spec] = [
        {
            "transform": [{"filter": "datum.share == null"}],
            "mark": {**line, "strokeWidth": 1.2},
            "encoding": {"x": x, "y": {"field": end, **y}, "color": colour, "strokeDash": dash},
        }
        for end in ("low", "high")
    ]
    layers = [
        {
            **band,
            "transform": [{"filter": "datum.low != null"}],
            "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}, "color": colour},
        },
        *ends,
        {
            "transform": [{"filter": "datum.share != null"}],
            "mark": {**line, "strokeWidth": 1.8},
            "encoding": {"x": x, "y": {"field": "share", **y}, "color": colour, "strokeDash": dash},
        },
    ]
    return {
        **_outer(text),
        "data": {"values": [{**row, "facet": titles[row["way"]]} for row in values]},
        "facet": _facets(list(titles.values())),
        "spec": {"width": _WIDTH, "height": 200, "layer": layers},
        "resolve": {"scale": {"x": "shared"}},
    }


def ranges(values: Sequence[dict[str, Any]], text: str, *, x_title: str, y_title: str) -> Spec:
    """Means of the least and the most of something, as upright bars between two ends: rows of `x`, `least`, `most`."""
    x = {"field": "x", "type": "ordinal", "title": x_title, "axis": {"labelAngle": 0}}
    y = {"type": "quantitative", "title": y_title, "scale": {"zero": True}}
    arms = list(dict.fromkeys(row["arm"] for row in values))
    colour = {
        "field": "arm",
        "type": "nominal",
        "sort": arms,
        "scale": {"domain": arms, "range": [_LINES[at % len(_LINES)] for at in range(len(arms))]},
        "legend": {"orient": "bottom", "title": None, "labelColor": LIGHT.ink},
    }
    beside = {"field": "arm", "sort": arms}
    return {
        **_outer(text),
        "width": _WIDTH,
        "height": 220,
        "data": {"values": list(values)},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.65},
                "encoding": {
                    "x": x,
                    "xOffset": beside,
                    "y": {"field": "least", **y},
                    "y2": {"field": "most"},
                    "color": colour,
                },
            },
            *(
                {
                    "mark": {"type": "point", "filled": True, "size": 60, "shape": shape, "opacity": 1},
                    "encoding": {"x": x, "xOffset": beside, "y": {"field": end, **y}, "color": colour},
                }
                for end, shape in (("least", "triangle-up"), ("most", "triangle-down"))
            ),
        ],
    }


def stacks(values: Sequence[dict[str, Any]], text: str, order: Sequence[str], *, x_title: str) -> Spec:
    """Lying bars of numbers in parts: rows of `facet`, `row`, `part`, `number`. Parts are in `order`, each with its
    number in it."""
    placed: list[dict[str, Any]] = []
    ends: dict[tuple[str, str], int] = {}
    for value in sorted(values, key=lambda value: order.index(value["part"])):
        at = ends.get((value["facet"], value["row"]), 0)
        ends[value["facet"], value["row"]] = at + value["number"]
        placed.append({**value, "from": at, "to": at + value["number"], "middle": at + value["number"] / 2})
    rows, facets = (list(dict.fromkeys(value[name] for value in values)) for name in ("row", "facet"))
    most = max(ends.values(), default=0)
    whole = {"format": "d", "tickMinStep": 1}
    x = {"type": "quantitative", "title": x_title, "axis": whole, "scale": {"domain": [0, most], "nice": False}}
    y = {"field": "row", "type": "nominal", "title": None, "sort": rows, "axis": {"labelLimit": 320}}
    colour = {
        "field": "part",
        "type": "nominal",
        "scale": {"domain": list(order), "range": list(LIGHT.grades[::-1][: len(order)])},
        "legend": {"title": "evidence", "orient": "bottom", "labelColor": LIGHT.ink, "titleColor": LIGHT.soft_ink},
    }
    layers = [
        {
            "mark": {"type": "bar", "stroke": LIGHT.line, "strokeWidth": 0.6},
            "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "y": y, "color": colour},
        },
        {
            "mark": {"type": "text", "fontSize": 11, "color": LIGHT.ink},
            "encoding": {"x": {"field": "middle", **x}, "y": y, "text": {"field": "number"}},
        },
    ]
    return {
        **_outer(text),
        "data": {"values": [value for value in placed if value["number"]]},
        "facet": _facets(facets),
        "spec": {"width": _WIDTH - 220, "height": {"step": 24}, "layer": layers},
    }


def steps(values: Sequence[dict[str, Any]], text: str, *, x_title: str, y_title: str, axis: str) -> Spec:
    """Standing bars from one end to the next: rows of `facet`, `from`, `to`, `number`; `axis` is a format of d3."""
    facets = list(dict.fromkeys(value["facet"] for value in values))
    ends = sorted({value[end] for value in values for end in ("from", "to")})
    x = {"type": "quantitative", "title": x_title, "axis": {"format": axis, "values": ends}}
    most = max((value["number"] for value in values), default=0)
    ticks = list(range(0, most + 1, max(1, most // 4)))  # whole people
    y = {"field": "number", "type": "quantitative", "title": y_title, "axis": {"format": "d", "values": ticks}}
    placed = [{**value, "middle": (value["from"] + value["to"]) / 2} for value in values]
    layers = [
        {
            "mark": {"type": "bar", "color": LIGHT.grades[2], "stroke": LIGHT.line, "strokeWidth": 0.6},
            "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "y": y, "y2": {"datum": 0}},
        },
        {
            "transform": [{"filter": "datum.number > 0"}],
            "mark": {"type": "text", "dy": -7, "fontSize": 11, "color": LIGHT.ink},
            "encoding": {"x": {"field": "middle", **x}, "y": y, "text": {"field": "number", "format": ","}},
        },
    ]
    return {
        **_outer(text),
        "data": {"values": placed},
        "facet": _facets(facets),
        "spec": {"width": _WIDTH - 40, "height": 110, "layer": layers},
    }


def _facets(order: Sequence[str]) -> dict[str, Any]:
    """Rows of panels, each with its name above it."""
    header = {"labelOrient": "top", "labelAnchor": "start", "labelAngle": 0, "labelColor": LIGHT.ink}
    return {"row": {"field": "facet", "type": "nominal", "title": None, "sort": list(order), "header": header}}


def _outer(text: str) -> Spec:
    return {
        "$schema": VEGA_LITE,
        "description": text,
        "background": LIGHT.paper,
        "padding": {"left": 24, "top": 6, "right": 6, "bottom": 6},  # names of arms are measured short
        "config": {**figure_config(LIGHT), "aria": True},
    }
