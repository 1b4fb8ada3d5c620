"""A store with the shipped examples, to look around in: invented people, whose days are moved to end just now."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from leuko.assessment import Asked, assess
from leuko.errors import Notice
from leuko.intake import read
from leuko.intake.base import Intake
from leuko.knowledge import load_library
from leuko.record import Moment, Record, digest_of
from leuko.service.http.context import context
from leuko.service.http.guard import cookies
from leuko.service.http.problems import Problem
from leuko.service.keep import By, tell
from leuko.service.roles import Role
from leuko.service.store import Store
from leuko.service.store.accounts import Account, begin_login, keep_account
from leuko.service.store.kept import Held, NewEntry, keep_entry
from leuko.service.store.people import keep_assessment, keep_counts

NAME: Final = "demo"
ENTER: Final = "/enter/"
_SHUT: Final = "no password opens this"  # no hash, so that none fits
_FOLDER: Final = "examples"
_KINDS: Final = (".json", ".csv", ".hl7")
_DAY: Final = timedelta(days=1)
# Days since the last entry, where it is not today: a worklist also shows what is overdue, and what is too old.
_AGO: Final = {"clozapine": 2, "duffy-untested": 44, "example-feed": 1, "child-after-virus": 3}
_T = TypeVar("_T")


def fill(store: Store, *, now: datetime) -> int:
    """Keep every shipped example, its days moved so that its last entry lies within the day before `now`; how many."""
    library, number = load_library(), 0
    for intake in _examples():
        for record in intake.records:
            moved = _moved(record, now)
            own = tuple(one for one in intake.notices if one.person in {None, record.patient.id})
            made = assess(moved, as_of=now.date(), library=library, notices=own, asked=Asked(wish=None))
            with store.write() as connection:
                keep_counts(connection, store.now(), moved.patient.id, moved.counts, 0)
                kept = keep_entry(connection, store.now(), _entry(moved, own), actor=NAME)
                tell(connection, store.now(), moved.patient.id, [kept] if kept else [], By(actor=NAME, detail={}))
                keep_assessment(connection, store.now(), moved.patient.id, made, 0)
            number += 1
    return number


def _entry(record: Record, notices: tuple[Notice, ...]) -> NewEntry:
    """The record as it is kept by hand, so that what is added to it on a page is read together with it."""
    held = msgspec.json.encode(Held(record=record, notices=notices))
    return NewEntry(person=record.patient.id, kind="record", digest=record.digest, payload=held)


def _examples() -> Iterator[Intake]:
    with resources.as_file(resources.files("leuko") / "data" / _FOLDER) as folder:
        for path in sorted(each for each in Path(folder).rglob("*") if each.suffix in _KINDS):
            yield read(path)


def _moved(record: Record, now: datetime) -> Record:
    taken = [*(one.taken for one in record.counts), *(one.taken for one in record.signs)]
    last = max(moment.at for moment in taken if moment is not None)
    days = (now - last) // _DAY - _AGO.get(record.patient.id, 0)
    moved: Record = replace(_later(record, days * _DAY), patient=record.patient)
    return replace(moved, digest=digest_of(moved))


def _later(value: _T, days: timedelta) -> Any:
    """The value with every moment in it moved; the words of the source stay as they were."""
    if isinstance(value, Moment):
        return replace(value, at=value.at + days)
    if isinstance(value, tuple):
        return tuple(_later(each, days) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _later(getattr(value, one.name), days) for one in fields(value) if one.init})
    return value


class Door:
    """A link that signs its first reader in, as a clinician of the demo, and then opens to nobody."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(32)
        self._open, self._lock = True, Lock()

    def _take(self, key: str) -> bool:
        with self._lock:
            fits = self._open and hmac.compare_digest(key.encode(), self.key.encode())
            self._open = self._open and not fits
        return fits

    def router(self) -> APIRouter:
        """The address of the link."""
        found = APIRouter(include_in_schema=False)

        @found.get(f"{ENTER}{{key}}")
        def enter(request: Request, key: str) -> Response:
            if not self._take(key):
                raise Problem(
                    403, "this link was used already, or is none of this demo", do="run leuko demo --web again"
                )
            given = context(request)
            client = request.client.host if request.client is not None else ""
            with given.store.write() as connection:
                made = Account(name=NAME, kind="person", role=Role.ADMIN, enabled=True, secret=_SHUT)
                keep_account(connection, given.store.now(), made, actor=NAME)
            with given.store.write() as connection:
                secret = begin_login(
                    connection, given.store.now(), name=NAME, role=Role.ADMIN, via="account", client=client
                )
            answer = RedirectResponse("/", status_code=303)
            cookies.put(answer, given.settings, "session", secret)
            return answer

        return found
