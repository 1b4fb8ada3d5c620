"""The assessment as JSON, indented, for programs."""

from __future__ import annotations

from typing import Final

from leuko.report.document import encode
from leuko.report.view import View
from leuko.result import Assessment


def _write(assessment: Assessment) -> bytes:
    return encode(assessment, pretty=True)


VIEW: Final = View(name="json", suffix=".json", media_type="application/json", write=_write)
