"""The files that pages load: style, scripts, the icon. All of them ship with leuko; none comes from elsewhere.

Vega, its interpreter and the style of the report are those of `leuko.report`; they lie there once.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fastapi import APIRouter

FOLDER: Final = "/static"
_OF_REPORT: Final = ("leaflet.css", "page.css", "page.js", "vega.min.js", "vega-lite.min.js", "vega-interpreter.js")
_OWN: Final = (
    "app.css",
    "app.js",
    "desk.css",
    "htmx.min.js",
    "hx-sse.min.js",
    "icon.svg",
    "print.css",
    "print.js",
    "read.js",
    "what_if.js",
)
_KINDS: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_KEPT: Final = "public, max-age=31536000, immutable"  # the address changes with the content


@lru_cache
def content(name: str) -> bytes:
    """A file by its name; KeyError for a name that is none of ours."""
    if name in _OWN:
        return (resources.files("leuko.web") / "static" / name).read_bytes()
    if name in _OF_REPORT:
        text = (resources.files("leuko.report") / "static" / name).read_text(encoding="utf-8")
        kept = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL=")]
        return "\n".join(kept).encode()
    raise KeyError(name)


@lru_cache
def address(name: str) -> str:
    """Where a page loads a file from; another content has another address."""
    return f"{FOLDER}/{name}?v={hashlib.sha256(content(name)).hexdigest()[:12]}"


def router() -> APIRouter:
    """The files by their names; nothing in them is about a person."""
    from fastapi import APIRouter, HTTPException, Response  # noqa: PLC0415 (only a service needs it)

    found = APIRouter()

    @found.get(f"{FOLDER}/{{name}}")
    def file(name: str) -> Response:
        try:
            body = content(name)
        except KeyError as error:
            raise HTTPException(404, f"there is no file {name}") from error
        kind = _KINDS[name.rpartition(".")[2]]
        return Response(body, media_type=kind, headers={"Cache-Control": _KEPT, "X-Content-Type-Options": "nosniff"})

    return found
