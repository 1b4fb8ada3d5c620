"""One call from data to answer: read, assess, make cards, and say what was not said before.

What was said to a clinician about counts is not said to them again; a call that is repeated (the same hookInstance)
gets the same cards, as its answer may never have arrived. A card whose counts were corrected is withdrawn, and whoever
saw it is told so.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from threading import Lock
from typing import Any, Final

import msgspec

from leuko.assessment import Asked as Wanted
from leuko.assessment import assess
from leuko.intake import fhir, merge
from leuko.intake.base import ReadOptions
from leuko.intake.hl7.people import qualified_name
from leuko.knowledge import Library
from leuko.knowledge.schema.cards import ServiceRow
from leuko.plan.release import release_of
from leuko.record import Patient, Record, digest_of
from leuko.result import Assessment
from leuko.result.forecast import Forecast
from leuko.service.day import day_of
from leuko.service.hooks.beside import begin
from leuko.service.hooks.cards import Made, Occasion, about_of, cards_of, one_line
from leuko.service.hooks.findings import Finding, count_digests, findings_of
from leuko.service.hooks.orders import Orders, orders_of
from leuko.service.hooks.prefetch import Given
from leuko.service.hooks.request import Request
from leuko.service.hooks.settings import HookSettings
from leuko.service.hooks.trust import Caller
from leuko.service.store import Store, fitted
from leuko.service.store.audit import record as told
from leuko.service.store.cards import Call, NewCard, Shown, add_card_event, keep_call, keep_cards, shown_of
from leuko.service.store.site import digest_of as site_digest_of
from leuko.service.store.site import site_now
from leuko.site import SiteSettings
from leuko.wording import say_date

_KEPT: Final = 256  # assessments held in memory: the same person is asked about several times in a contact
_WITHDRAWN: Final = "withdrawn"  # the finding, and the row of its card
_LOG: Final = logging.getLogger(__name__)
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an answer is made from: the call, its caller, the data, when it came [s of a monotonic clock] and now."""

    request: Request
    service: ServiceRow
    caller: Caller
    given: Given
    now: datetime
    started: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Concluded:
    """The assessment of the data of a call, with the name under which it is kept in memory."""

    key: Key
    assessment: Assessment
    orders: Orders


@dataclass(slots=True)
class _Memory:
    """The latest assessments, and the forecasts that are being made."""

    made: dict[Key, Assessment] = field(default_factory=dict)
    coming: dict[Key, Future[tuple[Forecast, ...]]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


class Desk:
    """Answers the calls of one service. `forecaster` gives what forecasts are made in, where they are."""

    def __init__(
        self,
        settings: HookSettings,
        library: Library,
        store: Store,
        *,
        forecaster: Callable[[], Executor] | None = None,
    ) -> None:
        self._settings, self._library, self._store = settings, library, store
        self._forecaster, self._memory = forecaster, _Memory()

    def answer(self, work: Work) -> bytes:
        """The body of the answer. Raises HookProblem, Replayed, StoreDown."""
        concluded = self.conclude(work)
        return self._say(work, concluded)

    # -- the record and its assessment --

    def conclude(self, work: Work) -> Concluded:
        """Read the data and assess them, without the orders that are about to be signed."""
        with self._store.read() as connection:
            site = site_now(connection)
        zone, library = self._settings.zone, self._library
        taken = fhir.read(work.given.blobs, options=ReadOptions(zone=zone), library=library)
        merged = merge(taken.records)
        orders = orders_of(work.request.hook, work.request.context, work.request.asked, zone=zone, library=library)
        record = _without(_of(work.request.patient, merged.records), orders)
        as_of = day_of(record.counts, now=work.now, zone=zone)
        key = (record.digest, as_of.isoformat(), site_digest_of(site), library.hash)
        assessment = self._assessed(key, record, as_of, site)
        notices = (*taken.notices, *merged.notices, *orders.notices, *assessment.notices)
        return Concluded(key=key, assessment=replace(assessment, notices=notices), orders=orders)

    def _assessed(self, key: Key, record: Record, as_of: date, site: SiteSettings) -> Assessment:
        with self._memory.lock:
            made = self._memory.made.pop(key, None)
        if made is None:
            made = assess(record, as_of=as_of, library=self._library, asked=Wanted(site=site, wish=None))
        if self._forecaster is not None and not made.forecasts:
            made = replace(made, forecasts=self._forecast(key, record, as_of, site))
        with self._memory.lock:
            self._memory.made[key] = made
            _shorten(self._memory.made)
        return made

    def _forecast(self, key: Key, record: Record, as_of: date, site: SiteSettings) -> tuple[Forecast, ...]:
        """The forecasts, where they are ready; begun where they are not. One that fails is told in the log only: what
        the counts say stands without it."""
        assert self._forecaster is not None  # noqa: S101 (asked by the caller)
        with self._memory.lock:
            coming = self._memory.coming.get(key)
            if coming is None:
                coming = self._memory.coming[key] = begin(self._forecaster(), record, as_of, site)
                _shorten(self._memory.coming)
        try:
            return coming.result(timeout=self._settings.forecast_seconds)
        except TimeoutError:
            return ()
        except Exception as error:  # noqa: BLE001 (a forecast is an extra)
            _LOG.warning("a forecast failed: %s", type(error).__name__)
            return ()

    # -- what is said --

    def _say(self, work: Work, concluded: Concluded) -> bytes:
        assessment, digests = concluded.assessment, count_digests(concluded.assessment)
        releases = release_of(assessment, concluded.orders.doses, library=self._library)
        findings = findings_of(assessment, releases, library=self._library)
        occasion = self._occasion(work, concluded)
        made = self._cards(findings, assessment, occasion, digests)
        person, clinician = self._names(work)
        with self._store.write() as connection:
            at = self._store.now()
            late = int(self._settings.late_seconds * 1000)
            shown = shown_of(connection, person[0], late_ms=late)
            fallen = [one for one in shown if not one.withdrawn and _fell(one, digests, work.given.withdrawn)]
            for one in fallen:
                add_card_event(connection, at, one.id, "withdrawn", b"the counts have changed")
            shown = tuple(replace(one, withdrawn=True) if one in fallen else one for one in shown)
            own = [one for one in shown if one.clinician == clinician]
            gone = self._cards(_gone(own, work.request.instance), assessment, occasion, digests)
            payloads, new = _sift((*gone, *made), own, work.request.instance)
            call = keep_call(connection, at, self._kept(work, concluded, person[0], clinician))
            keep_cards(connection, at, call, clinician=clinician, people=person, cards=new)
            detail = {"access": "execute", "what": "cards", "via": "cds-hooks", "call": call, "cards": len(payloads)}
            actor = fitted(clinician, 200)
            told(connection, at, actor=actor, action="person-execute", subject=fitted(person[0], 500), detail=detail)
        return b'{"cards":[' + b",".join(payloads) + b"]}"

    def _cards(
        self, findings: Iterable[Finding], assessment: Assessment, occasion: Occasion, digests: Mapping[str, str]
    ) -> tuple[Made, ...]:
        return cards_of(findings, assessment, occasion, digests=digests, library=self._library)

    def _occasion(self, work: Work, concluded: Concluded) -> Occasion:
        return Occasion(
            service=work.service.id,
            patient=work.request.patient,
            at=work.now.astimezone(self._settings.zone),
            smart_launch=self._settings.smart_launch,
            notes=tuple(_notes(work.given)),
            in_bundle=concluded.orders.drafts,
        )

    def _names(self, work: Work) -> tuple[tuple[str, ...], str]:
        """The person by the EHR's name and by the feed's, and the clinician."""
        caller = work.caller
        whose = "|".join((caller.ehr.issuer, *([caller.tenant] if caller.tenant else [])))
        authorities = caller.ehr.authorities
        feed = [qualified_name(number, authorities[by]) for by, number in work.given.identifiers if by in authorities]
        return (fitted(f"{whose}|Patient/{work.request.patient}", 500), *feed), fitted(
            f"{whose}|{work.request.user}", 500
        )

    def _kept(self, work: Work, concluded: Concluded, person: str, clinician: str) -> Call:
        return Call(
            issuer=work.caller.ehr.issuer,
            jti=work.caller.jti,
            service=work.service.id,
            hook=work.request.hook,
            instance=work.request.instance,
            clinician=clinician,
            person=person,
            status=200,
            elapsed_ms=int((time.monotonic() - work.started) * 1000),
            as_of=concluded.key[1],
            record_digest=concluded.key[0],
            knowledge_hash=concluded.key[3],
        )


def _shorten(kept: dict[Key, Any]) -> None:
    """Let the oldest go, so that memory stays bounded."""
    while len(kept) > _KEPT:
        kept.pop(next(iter(kept)))


def _of(patient: str, records: Sequence[Record]) -> Record:
    """The record of the person; one without anything where nothing was given of them."""
    found = next((record for record in records if record.patient.id == patient), None)
    if found is not None:
        return found
    empty = Record(patient=Patient(id=patient))
    return replace(empty, digest=digest_of(empty))


def _without(record: Record, orders: Orders) -> Record:
    """The record without the orders that are about to be signed or released: they are no doses yet."""
    named = {dose.id for dose in orders.doses}
    kept = tuple(dose for dose in record.doses if dose.id not in named)
    if len(kept) == len(record.doses):
        return record
    less = replace(record, doses=kept)
    return replace(less, digest=digest_of(less))


def _notes(given: Given) -> Iterable[str]:
    """What is told below every card: what nobody gave, and what was left out."""
    for name, why in given.missing.items():
        yield f"Not known to leuko here: {name} ({why})."
    if given.others:
        yield f"{given.others} results of other people were among the data and were left out."


# ---- said before ----------------------------------------------------------------------------------------------------


def _fell(one: Shown, digests: Mapping[str, str], withdrawn: set[str]) -> bool:
    """Whether a count that the card rests on is another one now, or is marked as an error."""
    return any(name in withdrawn or digests.get(name, digest) != digest for name, digest in one.counts.items())


def _gone(own: Sequence[Shown], instance: str) -> list[Finding]:
    """What a clinician was shown that no longer holds, and was not yet told so."""
    told_of = {one.about for one in own if one.kind == _WITHDRAWN and one.instance != instance and one.in_time}
    return [
        finding
        for one in own
        if one.withdrawn and one.in_time and one.instance != instance and one.kind != _WITHDRAWN
        for finding in [_no_longer(one)]
        if about_of(_WITHDRAWN, finding, {}) not in told_of
    ]


def _no_longer(one: Shown) -> Finding:
    said = one_line(str(msgspec.json.decode(one.payload).get("summary", "")))
    day = say_date(datetime.fromisoformat(one.at))
    lines = (f"Said on {day}: {said}", "What holds now stands on the other cards, where there is anything to say.")
    return Finding(kind=_WITHDRAWN, words={"said": said, "day": day}, lines=lines, about=(one.id,))


def _sift(made: Sequence[Made], own: Sequence[Shown], instance: str) -> tuple[list[bytes], list[NewCard]]:
    """The cards to send, and those of them that are new: without what this clinician has been told of these counts."""
    standing = [one for one in own if not one.withdrawn]
    same = {one.about: one.payload for one in standing if one.instance == instance}
    before = {one.about for one in standing if one.instance != instance and one.in_time}
    payloads: list[bytes] = []
    new: list[NewCard] = []
    for one in made:
        if one.about in same:
            payloads.append(same[one.about])
        elif not (one.row.once and one.about in before):
            payload = msgspec.json.encode(one.card)
            payloads.append(payload)
            new.append(NewCard(id=one.card.uuid, kind=one.row.id, about=one.about, counts=one.counts, payload=payload))
    return payloads, new
