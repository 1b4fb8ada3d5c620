"""The assessment as plain text of 80 columns."""

from __future__ import annotations

from typing import Final

from leuko.report.terminal import render
from leuko.report.view import View
from leuko.result import Assessment


def _write(assessment: Assessment) -> bytes:
    return render(assessment).encode()


VIEW: Final = View(name="terminal", suffix=".txt", media_type="text/plain; charset=utf-8", write=_write)
