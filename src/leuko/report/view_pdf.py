"""The assessment as PDF, for paper and the archive."""

from __future__ import annotations

from typing import Final

from leuko.report.pdf import pdf
from leuko.report.view import View
from leuko.result import Assessment


def _write(assessment: Assessment) -> bytes:
    return pdf(assessment)


VIEW: Final = View(name="pdf", suffix=".pdf", media_type="application/pdf", write=_write)
