"""The assessment as one self-contained HTML page."""

from __future__ import annotations

from typing import Final

from leuko.report.page import html
from leuko.report.view import View
from leuko.result import Assessment


def _write(assessment: Assessment) -> bytes:
    return html(assessment).encode()


VIEW: Final = View(name="html", suffix=".html", media_type="text/html; charset=utf-8", write=_write)
