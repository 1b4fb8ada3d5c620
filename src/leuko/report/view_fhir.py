"""The assessment as a FHIR R4 Bundle, for other programs."""

from __future__ import annotations

from typing import Final

from leuko.report.fhir import encode
from leuko.report.view import View
from leuko.result import Assessment


def _write(assessment: Assessment) -> bytes:
    return encode(assessment)


VIEW: Final = View(name="fhir", suffix=".fhir.json", media_type="application/fhir+json", write=_write)
