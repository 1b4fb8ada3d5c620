"""The leaflet as HTML, PDF and plain text."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib import resources
from typing import Final

from leuko.errors import LeukoError
from leuko.report.extras import typst
from leuko.report.leaflet import Box, Leaflet
from leuko.report.outline import harmless
from leuko.report.page import environment, policy, safe, static

STANDARD: Final = "ua-1"
BLANK: Final = "_" * 24
WIDTH: Final = 76
LONG: Final = 3000  # characters


def html(leaflet: Leaflet) -> str:
    """The leaflet as one self-contained HTML page: no request, no script, one A4 page in print."""
    style = static("leaflet.css")
    template = environment().get_template("leaflet.html.j2")
    return template.render(leaflet=leaflet, long=is_long(leaflet), policy=policy(style, ()), style=safe(style))


def is_long(leaflet: Leaflet) -> bool:
    """Whether it says so much that one A4 page needs smaller type, where a browser prints it."""
    return len(text(leaflet)) > LONG


def pdf(leaflet: Leaflet, *, as_of: date) -> bytes:
    """The leaflet as PDF: one A4 page, tagged, set as large as it fits (needs the extra `leuko[pdf]`)."""
    setter = typst()
    content = {**asdict(leaflet), "as_of": [as_of.year, as_of.month, as_of.day]}
    files = {
        "main.typ": (resources.files("leuko.report") / "templates" / "leaflet.typ").read_bytes(),
        "leaflet.json": harmless(json.dumps(content, ensure_ascii=False)).encode(),
    }
    stamp = datetime.combine(as_of, datetime.min.time(), UTC)
    try:
        made = setter.compile(
            files,
            format="pdf",
            ignore_system_fonts=True,
            pdf_standards=[STANDARD],
            timestamp=int(stamp.timestamp()),
        )
    except setter.TypstError as error:
        raise LeukoError("the leaflet could not be set", why=str(error), do="please report this as a bug") from error
    return bytes(made)


def text(leaflet: Leaflet) -> str:
    """The leaflet as plain text, to be read in a terminal or aloud."""
    parts = [leaflet.title.upper(), f"{leaflet.who}, {leaflet.day}", "\n".join(leaflet.lead)]
    boxes = (leaflet.call, leaflet.emergency, leaflet.means, leaflet.do, leaflet.avoid)
    parts += [_box(box, prose=box is leaflet.means) for box in boxes if box is not None]
    if (card := leaflet.card) is not None:
        lines = [f"[{card.title}] {card.cut}", f"{card.name}: {card.who}", f"{card.staff}:", *card.items]
        parts.append("\n".join([*lines, f"{card.line.label}: {card.line.number or BLANK}"]))
    parts += ["\n".join(leaflet.foot)]
    return harmless("\n\n".join(part for part in parts if part) + "\n")


def _box(box: Box, *, prose: bool) -> str:
    heading = [f"{box.heading}{'' if prose else ':'}"] if box.heading else []
    items = [" ".join(box.items)] if prose else [f"- {item}" for item in box.items]
    lines = [f"{line.label}: {line.number or BLANK}" for line in box.lines]
    return "\n".join([*heading, *items, *box.hints, *lines])
