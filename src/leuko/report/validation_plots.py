"""Pictures of how good forecasts are: predictive checks, ranks, coverages. Vega-Lite, as `chart`; written as SVG.

Nothing is told by colour alone: lines differ in dashes, points in shape, and a legend in words stands below each.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from leuko.forecast.score.predictive import Against, Simulated
from leuko.forecast.score.rules import Score
from leuko.forecast.score.validation import Validation
from leuko.frozen import Frozen
from leuko.report.chart import VEGA_LITE, to_svg
from leuko.report.extras import vl_convert
from leuko.report.themes import LIGHT

Spec = dict[str, Any]
WIDTH: Final = 560
HEIGHT: Final = 300
_FLOOR: Final = 0.01
_SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")


class Picture(Frozen, frozen=True, kw_only=True):
    """One figure: the name of its file without ending, its title, the words below it, and the Vega-Lite data."""

    name: str
    title: str
    text: str
    spec: Spec


def ready() -> None:
    """Raises UsageError where pictures cannot be made, before anything long is begun."""
    vl_convert()


def write(found: Validation, folder: Path) -> tuple[Path, ...]:
    """Every picture as SVG into a folder, and a page that shows them all; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made, files = [], []
    for picture in pictures(found):
        svg = to_svg({**picture.spec, "title": {"text": picture.title, "anchor": "start", "color": LIGHT.ink}})
        files.append(folder / f"{picture.name}.svg")
        files[-1].write_text(svg, "utf-8")
        made.append((picture, svg))
    page = folder / "index.html"
    page.write_text(_page(found, made), "utf-8")
    return (*files, page)


def pictures(found: Validation) -> Iterator[Picture]:
    """All pictures that the results give."""
    yield from (_simulated(one) for one in found.simulated)
    yield from (_against(one) for one in found.against)
    if found.calibration:
        yield _calibration(found)
    if found.real is not None:
        horizons = dict.fromkeys(one.horizon for one in found.real.scores)
        for horizon in horizons:
            scores = [one for one in found.real.scores if one.horizon == horizon]
            yield _ranks(horizon, scores)
            yield _coverage(horizon, scores)


def _simulated(one: Simulated) -> Picture:
    line = "white cells" if one.line == "wbc" else "neutrophils"
    low, lower, middle, upper, high = one.true
    frame = [
        {"day": d, "a": a, "b": b, "m": m, "c": c, "e": e, "r": r, "s": s, "t": t}
        for d, a, b, m, c, e, r, s, t in zip(
            one.days, low, lower, middle, upper, high, *one.reported, one.typical, strict=True
        )
    ]
    data = {"values": [{key: max(value, _FLOOR) for key, value in row.items()} | {"day": row["day"]} for row in frame]}
    axis = _counts(line, [*low, *high, *one.reported[0], *one.reported[1]])
    layers: list[Spec] = [
        _area(data, axis, ("r", "s"), "#e6edf3"),
        _area(data, axis, ("a", "e"), "#c3d3e2"),
        _area(data, axis, ("b", "c"), "#8fb0cd"),
        _line(data, axis, "m", LIGHT.ink, dash=[1, 0], width=2.0),
        _line(data, axis, "t", LIGHT.struck, dash=[6, 4], width=1.8),
        *_marks(one, axis),
    ]
    marks = f"; diamond: {one.marks[0].text}" if one.marks else ""
    text = (
        f"{one.people} people made by {one.model}. Bands of true counts: central 50 % and 90 %; palest: central 90 % of"
        f" counts with their error. Line: middle person; dashes: typical person{marks}."
    )
    return Picture(name=f"people-{one.model}", title=f"{one.model}: {one.title}", text=text, spec=_framed(layers, text))


def _marks(one: Simulated, axis: Spec) -> list[Spec]:
    if not one.marks:
        return []
    values = [{"day": mark.day, "y": max(mark.count, _FLOOR)} for mark in one.marks]
    mark = {"type": "point", "shape": "diamond", "size": 110, "filled": True, "color": LIGHT.struck, "opacity": 1}
    return [{"data": {"values": values}, "mark": mark, "encoding": {"x": _day(), "y": {"field": "y", **axis}}}]


def _against(one: Against) -> Picture:
    names = ("5 %", "median", "95 %")
    values = [
        {
            "day": stretch.day,
            "start": stretch.start,
            "end": stretch.end,
            "low": max(stretch.low[at], _FLOOR),
            "high": max(stretch.high[at], _FLOOR),
            "seen": max(stretch.seen[at], _FLOOR),
            "what": name,
            "inside": "inside" if stretch.low[at] <= stretch.seen[at] <= stretch.high[at] else "outside",
        }
        for stretch in one.stretches
        for at, name in enumerate(names)
    ]
    data = {"values": values}
    axis = _counts(
        "neutrophils",
        [count for part_of in one.stretches for line in (part_of.low, part_of.high, part_of.seen) for count in line],
    )
    band = {
        "data": data,
        "mark": {"type": "rect", "opacity": 0.75, "color": "#a9c1d6"},
        "encoding": {
            "x": {"field": "start", **_days()},
            "x2": {"field": "end"},
            "y": {"field": "low", **axis},
            "y2": {"field": "high"},
        },
    }
    lines = {
        "data": data,
        "mark": {"type": "line", "color": LIGHT.ink, "strokeWidth": 1.6},
        "encoding": {
            "x": _day(),
            "y": {"field": "seen", **axis},
            "strokeDash": {
                "field": "what",
                "scale": {"domain": list(names), "range": [[2, 3], [1, 0], [7, 4]]},
                "legend": _legend("real counts"),
            },
        },
    }
    points = {
        "data": data,
        "mark": {"type": "point", "size": 60, "filled": True, "opacity": 1},
        "encoding": {
            "x": _day(),
            "y": {"field": "seen", **axis},
            "shape": {
                "field": "inside",
                "scale": {"domain": ["inside", "outside"], "range": ["circle", "cross"]},
                "legend": _legend("percentile"),
            },
            "color": {
                "field": "inside",
                "scale": {"domain": ["inside", "outside"], "range": [LIGHT.ink, LIGHT.struck]},
                "legend": None,
            },
        },
    }
    text = (
        f"Percentiles of {one.counts} real counts of {one.people} people ({one.source}) in stretches of time; boxes:"
        f" where 95 % of cohorts made by {one.model} under the same doses have theirs. {one.inside:.0%} of the"
        " percentiles lie in their box; crosses lie outside."
    )
    return Picture(
        name=f"real-{one.model}",
        title=f"{one.model} against real counts",
        text=text,
        spec=_framed([band, lines, points], text),
    )


def _calibration(found: Validation) -> Picture:
    """Promised against found coverage of every quantity, with what chance allows about the diagonal."""
    values = [
        {"promised": level, "off": share - level, "what": one.quantity, "design": f"{one.model}, {at + 1}"}
        for at, design in enumerate(dict.fromkeys(one.design for one in found.calibration))
        for one in found.calibration
        if one.design == design
        for level, share in one.coverage
    ]
    people = min(one.people for one in found.calibration)
    layers = _off_diagonal(values, people, ("what", "quantity"))
    designs = "; ".join(
        f"{at + 1}: {name}" for at, name in enumerate(dict.fromkeys(x.design for x in found.calibration))
    )
    text = (
        f"Share of {people} people made by the model whose true value lies in the central 50, 80 and 95 % of their"
        f" posterior, less what was promised. Grey: where 99 % of calibrated coverages lie, each on its own."
        f" Of each group the first points are design 1: {designs}."
    )
    return Picture(
        name="calibration",
        title="Calibration on people made by the model",
        text=text,
        spec=_framed(layers, text),
    )


def _coverage(horizon: str, scores: Sequence[Score]) -> Picture:
    values = [
        {"promised": level, "off": share - level, "what": one.forecaster}
        for one in scores
        for level, share in one.coverage
    ]
    text = (
        f"Real counts, {horizon}: share of {scores[0].count} counts of {scores[0].people} people in the central 50, 80"
        " and 95 % of what was forecast, less what was promised. Counts of one person go together, so chance moves"
        " these more than the grey shows (99 %, if they did not)."
    )
    layers = _off_diagonal(values, scores[0].count, ("what", "forecaster"))
    return Picture(
        name=f"coverage-{_slug(horizon)}",
        title=f"Coverage, {horizon}",
        text=text,
        spec=_framed(layers, text),
    )


def _off_diagonal(values: list[Spec], count: int, named: tuple[str, str]) -> list[Spec]:
    """Points at the promised level, spread sideways by name, above or below zero; grey where chance puts 99 %."""
    names = list(dict.fromkeys(row["what"] for row in values))
    places = list(dict.fromkeys((row.get("design", ""), row["what"]) for row in values))
    levels = sorted({row["promised"] for row in values})
    for row in values:
        place = places.index((row.get("design", ""), row["what"]))
        row["x"] = levels.index(row["promised"]) + 0.8 * ((place + 0.5) / len(places) - 0.5)
    chance = [
        {"x": at - 0.42, "x2": at + 0.42, "low": -reach, "high": reach, "text": f"{level:.0%}", "mid": at}
        for at, level in enumerate(levels)
        for reach in [2.576 * (level * (1 - level) / count) ** 0.5]
    ]
    x = {"type": "quantitative", "scale": {"domain": [-0.6, len(levels) - 0.4]}, "axis": None}
    reach = 1.25 * max(*(abs(row["off"]) for row in values), *(row["high"] for row in chance))
    y = {
        "type": "quantitative",
        "title": "share found - share promised",
        "axis": {"format": "+.0%"},
        "scale": {"domain": [-reach, reach], "nice": False},
    }
    return [
        {
            "data": {"values": chance},
            "mark": {"type": "rect", "color": LIGHT.grid, "opacity": 0.8},
            "encoding": {
                "x": {"field": "x", **x},
                "x2": {"field": "x2"},
                "y": {"field": "low", **y},
                "y2": {"field": "high"},
            },
        },
        {
            "data": {"values": [{"y": 0}]},
            "mark": {"type": "rule", "color": LIGHT.line},
            "encoding": {"y": {"field": "y", **y}},
        },
        {
            "data": {"values": chance},
            "mark": {"type": "text", "fontSize": 12, "color": LIGHT.soft_ink},
            "encoding": {"x": {"field": "mid", **x}, "y": {"value": 12}, "text": {"field": "text"}},
        },
        {
            "data": {"values": values},
            "mark": {"type": "point", "size": 55, "filled": True, "opacity": 0.95},
            "encoding": {
                "x": {"field": "x", **x},
                "y": {"field": "off", **y},
                "shape": {
                    "field": "what",
                    "sort": names,
                    "scale": {"domain": names, "range": list(_SHAPES[: len(names)])},
                    "legend": _legend(named[1]),
                },
                "color": {
                    "field": "what",
                    "sort": names,
                    "scale": {"domain": names, "range": _colours(len(names))},
                    "legend": _legend(named[1]),
                },
            },
        },
    ]


def _colours(many: int) -> list[str]:
    """Told apart by people who do not see red or green (Okabe and Ito 2008)."""
    known = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"]
    return [known[at % len(known)] for at in range(many)]


def _ranks(horizon: str, scores: Sequence[Score]) -> Picture:
    """Histograms of where each count lay among its forecasts: flat where forecasts are honest."""
    bins = len(scores[0].pit)
    values = [
        {"from": at / bins, "to": (at + 1) / bins, "share": share * bins, "what": one.forecaster}
        for one in scores
        for at, share in enumerate(one.pit)
    ]
    text = (
        f"Real counts, {horizon}: where {scores[0].count} counts of {scores[0].people} people lay among their forecasts"
        " (PIT), relative to an even spread (line at 1). A hump: intervals too wide; horns: too narrow; a slope: too"
        " low or too high."
    )
    spec: Spec = {
        **_outer(text),
        "data": {"values": values},
        "facet": {
            "field": "what",
            "title": None,
            "sort": [one.forecaster for one in scores],
            "header": {"labelFontSize": 12, "labelColor": LIGHT.ink},
        },
        "columns": 3,
        "spec": {
            "width": 190,
            "height": 130,
            "layer": [
                {
                    "mark": {"type": "rect", "color": "#8fb0cd", "stroke": LIGHT.paper},
                    "encoding": {
                        "x": {
                            "field": "from",
                            "type": "quantitative",
                            "title": "place among forecasts",
                            "scale": {"domain": [0, 1]},
                        },
                        "x2": {"field": "to"},
                        "y": {"field": "share", "type": "quantitative", "title": "relative share"},
                        "y2": {"datum": 0},
                    },
                },
                {
                    "mark": {"type": "rule", "color": LIGHT.struck, "strokeDash": [4, 3]},
                    "encoding": {"y": {"datum": 1, "type": "quantitative"}},
                },
            ],
        },
    }
    return Picture(name=f"ranks-{_slug(horizon)}", title=f"Ranks, {horizon}", text=text, spec=spec)


def _slug(text: str) -> str:
    return "-".join(text.lower().split())


def _day() -> Spec:
    return {"field": "day", **_days()}


def _days() -> Spec:
    return {"type": "quantitative", "title": "day", "scale": {"nice": False}}


def _counts(line: str, values: Sequence[float]) -> Spec:
    """The axis of counts: logarithmic, over all that is drawn."""
    low = max(min(value for value in values if value > 0), _FLOOR)
    ticks = [
        tick
        for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
        if low * 0.9 <= tick <= max(values) * 1.1
    ]
    return {
        "type": "quantitative",
        "title": f"{line} [10*9/L]",
        "scale": {"type": "log", "domain": [low * 0.9, max(values) * 1.1], "nice": False},
        "axis": {"values": ticks, "format": "~g"},
    }


def _area(data: Spec, axis: Spec, fields: tuple[str, str], colour: str) -> Spec:
    low, high = fields
    encoding = {"x": _day(), "y": {"field": low, **axis}, "y2": {"field": high}}
    return {"data": data, "mark": {"type": "area", "color": colour, "clip": True}, "encoding": encoding}


def _line(data: Spec, axis: Spec, field: str, colour: str, *, dash: Sequence[int], width: float) -> Spec:
    mark = {"type": "line", "color": colour, "strokeDash": list(dash), "strokeWidth": width, "clip": True}
    return {"data": data, "mark": mark, "encoding": {"x": _day(), "y": {"field": field, **axis}}}


def _legend(title: str) -> Spec:
    return {
        "title": title,
        "orient": "bottom",
        "columns": 4,
        "labelColor": LIGHT.ink,
        "titleColor": LIGHT.soft_ink,
        "symbolFillColor": LIGHT.ink,
    }


def _framed(layers: list[Spec], text: str) -> Spec:
    return {**_outer(text), "width": WIDTH, "height": HEIGHT, "layer": layers}


def _outer(text: str) -> Spec:
    axis = {"labelColor": LIGHT.soft_ink, "titleColor": LIGHT.soft_ink, "labelFontSize": 11, "gridColor": LIGHT.grid}
    return {
        "$schema": VEGA_LITE,
        "description": text,
        "background": LIGHT.paper,
        "padding": 6,
        "config": {"font": LIGHT.font, "axis": axis, "view": {"stroke": LIGHT.grid}},
    }


def _page(found: Validation, made: Sequence[tuple[Picture, str]]) -> str:
    figures = "\n".join(
        f'<figure><h2>{html.escape(one.title)}</h2><div role="img" aria-label="{html.escape(one.text)}">{svg}</div>'
        f"<figcaption>{html.escape(one.text)}</figcaption></figure>"
        for one, svg in made
    )
    style = (
        f"body{{font-family:{LIGHT.font};color:{LIGHT.ink};max-width:52rem;margin:2rem auto;padding:0 1rem}}"
        f"h2{{font-size:1.1rem}}figure{{margin:0 0 2.5rem}}figcaption{{color:{LIGHT.soft_ink};font-size:.9rem}}"
        "svg{max-width:100%;height:auto}"
    )
    sample = "a quick sample" if found.quick else "everything"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>How good the forecasts are</title>'
        f"<style>{style}</style></head><body><h1>How good the forecasts are</h1>"
        f"<p>Written by leuko validate forecast: {sample}, seed {found.seed}.</p>\n{figures}\n</body></html>\n"
    )
