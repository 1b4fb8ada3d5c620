"""FHIR R4 as JSON: Bundles of any type, NDJSON, lists, Parameters, single resources.

The way of a resource: `unpack` finds it, `pool` decodes and links it, `people` says whose it is, `versions` which
version counts, `context` what report and specimen add, `results` and `events` what it says. `checks.interpret` then
decides whether a result is a blood count.
"""

from __future__ import annotations

from collections.abc import Sequence

from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.fhir.person import records_of
from leuko.intake.fhir.pool import Pool, fill
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.unpack import Unpacked, unpack
from leuko.intake.fhir.words import clean, code_of, label
from leuko.knowledge import Library

NAME = "fhir"
_START = 512
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def claims(blob: Blob) -> bool:
    """JSON of any kind, and XML that names FHIR: what is none of FHIR's is then told by the right name."""
    start = blob.data[:_START]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    start = start.replace(b"\0", b"").lstrip()
    return start[:1] in {b"{", b"["} or (start[:1] == b"<" and b"http://hl7.org/fhir" in blob.data[:4096])


def read(blobs: Sequence[Blob], *, options: ReadOptions, library: Library) -> Intake:
    """Read all FHIR files together, as references may cross files."""
    tell, unpacked, pool = Teller(library), Unpacked(), Pool()
    for blob in blobs:
        unpack(blob, unpacked, tell)
    fill(pool, unpacked.found, tell)
    _tell_unused(unpacked, tell)
    _tell_pages(unpacked, tell)
    _tell_outcomes(pool, tell)
    records = records_of(pool, options, library, tell)
    return Intake(records=records, notices=tell.all())


def _tell_unused(unpacked: Unpacked, tell: Teller) -> None:
    if unpacked.unused:
        kinds = ", ".join(f"{len(places)} {kind}" for kind, places in sorted(unpacked.unused.items()))
        first = min((places[0] for places in unpacked.unused.values()), key=str)
        tell.say("LK402", f"resources that hold no count, medicine or diagnosis were not used: {kinds}", first)


def _tell_pages(unpacked: Unpacked, tell: Teller) -> None:
    for url, place in unpacked.missing_pages:
        if url not in unpacked.pages:
            text = "the Bundle is one page of several, and its next page is not among the files"
            tell.say("LK404", text, place, lost=True)


def _tell_outcomes(pool: Pool, tell: Teller) -> None:
    for item in pool.items["OperationOutcome"]:
        for index, issue in enumerate(item.resource.issue or []):
            if clean(issue.severity) != "information":
                what = " ".join(
                    text for text in (clean(issue.severity), code_of(issue.code), label(issue.details)) if text
                )
                place = item.found.place(f"/issue/{index}")
                tell.say("LK405", f"the server reported a problem with this answer: {what}", place)
