"""The one figure of leuko: counts over time on a logarithmic axis, on grade bands, above the treatment.

It is a Vega-Lite 6 specification. `spec` gives it as plain data, for pages and files; `chart` gives it as an Altair
chart, checked against Altair's own schema, for notebooks. Both are the same figure. Writing the data directly spares
every report the second that importing Altair takes (docs/decisions/0007-figure.md).

Nothing is told by colour alone: marks differ in shape, bands and lines carry their names. Zero cannot stand on a
logarithmic axis; it stands at the foot, as a square with its number.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from leuko.errors import UsageError
from leuko.knowledge import Library, load_library
from leuko.report.chart_frame import Frame, Spec
from leuko.report.chart_lanes import key, treatment
from leuko.report.chart_panel import panel
from leuko.report.describe import describe
from leuko.report.extras import vl_convert
from leuko.report.series import Edition, Point, lanes, points, shown_analytes
from leuko.report.themes import THEMES, Theme
from leuko.result import Assessment

if TYPE_CHECKING:
    import altair as alt

VEGA_LITE: Final = "https://vega.github.io/schema/vega-lite/v6.json"
VEGA_LITE_VERSION: Final = "6.4"


def chart(
    assessment: Assessment,
    *,
    analytes: Iterable[str] | None = None,
    scheme: str = "ctcae",
    edition: str = "5",
    theme: str = "light",
    width: int = 620,
    library: Library | None = None,
) -> alt.VConcatChart:
    """The figure as an Altair chart; options as in `spec`."""
    altair = importlib.import_module("altair")
    made = spec(
        assessment, analytes=analytes, scheme=scheme, edition=edition, theme=theme, width=width, library=library
    )
    return altair.VConcatChart.from_dict(made)  # type: ignore[no-any-return]


def spec(
    assessment: Assessment,
    *,
    analytes: Iterable[str] | None = None,
    scheme: str = "ctcae",
    edition: str = "5",
    theme: str = "light",
    width: int = 620,
    with_key: bool = True,
    library: Library | None = None,
) -> Spec:
    """The figure as a Vega-Lite specification: one panel an analyte, the treatment below, the key to the marks last.

    `analytes` are drawn in this order (None: neutrophils, white cells, lymphocytes, platelets, haemoglobin, as far as
    they are on record). `scheme` and `edition` choose the grade bands. `width` is that of the plotting area [px].
    Raises UsageError for an unknown theme, scheme or edition.
    """
    if theme not in THEMES:
        raise UsageError(f"no theme {theme!r}", why=f"known: {', '.join(THEMES)}", do="name one of these")
    bands = Edition(scheme=scheme, edition=edition, library=library or load_library())
    bands.library.scheme(scheme, edition)  # refuses what does not exist, even where there is nothing to draw
    shown = shown_analytes(assessment, analytes)
    rows = points(assessment, scheme=scheme, edition=edition)
    frame = Frame.of(assessment, rows, THEMES[theme], width)
    panels = _panels(assessment, frame, rows, shown, bands)
    parts = [*panels, *treatment(frame, lanes(assessment))] or [_empty(frame)]
    return {
        "$schema": VEGA_LITE,
        "description": describe(assessment, analytes=shown, scheme=scheme, edition=edition, library=bands.library),
        "background": frame.theme.paper,
        "padding": 4,
        "spacing": 10,
        "params": [{"name": "cursor", "value": ""}],
        "vconcat": [*parts, key(frame, rows)] if with_key and panels else parts,
        "config": figure_config(frame.theme),
    }


def to_svg(figure: alt.TopLevelMixin | Spec) -> str:
    """The figure as static SVG, for paper and for pages without JavaScript (needs the extra `leuko[pdf]`)."""
    made = figure if isinstance(figure, dict) else figure.to_dict()
    return str(vl_convert().vegalite_to_svg(made, vl_version=VEGA_LITE_VERSION))


def _panels(
    assessment: Assessment, frame: Frame, rows: tuple[Point, ...], analytes: tuple[str, ...], bands: Edition
) -> list[Spec]:
    found = []
    for analyte in analytes:
        own = [row for row in rows if row.analyte == analyte]
        rules = bands.library.course.get(analyte)
        hole = None if rules is None else timedelta(days=rules.hole_days)
        found.append(panel(frame, own, bands.stripes(assessment, analyte), bands.name, hole))
    return found


def _empty(frame: Frame) -> Spec:
    return {
        "width": frame.width,
        "height": 60,
        "data": {"values": [{"text": "No blood count with a date to draw"}]},
        "mark": {"type": "text", "fontSize": 13, "color": frame.theme.soft_ink},
        "encoding": {"text": {"field": "text", "type": "nominal"}},
    }


def figure_config(theme: Theme) -> Spec:
    """How axes, titles and text look in every figure."""
    axis = {"labelColor": theme.soft_ink, "titleColor": theme.soft_ink, "labelFontSize": 11}
    lines = {"domainColor": theme.grid, "tickColor": theme.grid, "gridColor": theme.grid}
    title = {"anchor": "start", "frame": "group", "color": theme.ink, "fontSize": 12, "fontWeight": "bold", "offset": 6}
    return {
        "aria": False,
        "font": theme.font,
        "view": {"stroke": theme.grid},
        "axis": {**axis, **lines},
        "title": title,
    }


__all__ = ["Spec", "chart", "describe", "spec", "to_svg"]
