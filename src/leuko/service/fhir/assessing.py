"""From what was sent to a Bundle of conclusions: read, choose the person, assess, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Final

from leuko.assessment import Asked, assess
from leuko.errors import Notice
from leuko.forecast.wish import Wish
from leuko.intake import fhir, merge
from leuko.intake.base import Blob, Intake, ReadOptions
from leuko.intake.whose import told_of
from leuko.knowledge import Library
from leuko.record import Record
from leuko.report.fhir import encode
from leuko.service.day import AHEAD, day_of
from leuko.service.fhir.asked import Request
from leuko.service.fhir.outcome import Refused
from leuko.site import SiteSettings

_NAMED: Final = 10  # people whose ids are listed
SOURCE: Final = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The person of a request, the day to assess by, and what was found about the input."""

    record: Record = field(repr=False)
    as_of: date
    notices: tuple[Notice, ...] = field(repr=False)


def read(request: Request, *, now: datetime, zone: tzinfo, library: Library) -> Read:
    """The record of the one person that the request is about, and its day. Raises Refused where that is not one."""
    options = ReadOptions(zone=zone, as_of=request.as_of or (now + AHEAD).astimezone(zone).date())
    found = fhir.read([Blob(name=SOURCE, data=request.body)], options=options, library=library)
    merged = merge(found.records)
    whole = Intake(records=merged.records, notices=(*found.notices, *merged.notices))
    chosen = _chosen(whole.records, request.patient, whole.notices)
    ((record, own),) = told_of(whole, [chosen])
    as_of = request.as_of or day_of(record.counts, now=now, zone=zone)
    return Read(record=record, as_of=as_of, notices=own)


def _chosen(records: Sequence[Record], wanted: str | None, notices: Sequence[Notice]) -> Record:
    ids = [record.patient.id for record in records]
    if not records:
        raise Refused(422, "nothing that was sent is about a person", code="required", notices=notices)
    if wanted is not None:
        found = [record for record in records if record.patient.id == wanted]
        if not found:
            raise Refused(
                422, f"nothing that was sent is about the patient named; it is about {_listed(ids)}", code="not-found"
            )
        return found[0]
    if len(records) > 1:
        raise Refused(
            422,
            f"what was sent is about {len(ids)} people ({_listed(ids)}); name one by the parameter `patient`",
            code="multiple-matches",
        )
    return records[0]


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def concluded(read: Read, request: Request, *, site: SiteSettings, library: Library) -> bytes:
    """The assessment as a FHIR Bundle (JSON, UTF-8)."""
    asked = Asked(regimen=request.regimen, site=site, wish=Wish() if request.forecast else None)
    made = assess(read.record, as_of=read.as_of, library=library, notices=read.notices, asked=asked)
    return encode(made, library=library, pretty=False)
