"""Grading beside the endpoint, in a process of its own: an assessment takes longer than an acknowledgement may wait."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from dataclasses import dataclass
from datetime import tzinfo
from multiprocessing.process import BaseProcess
from typing import Final

from leuko.errors import LeukoError, place_of
from leuko.knowledge import load_library
from leuko.service.grade import Grading, grade, grade_again, outdated
from leuko.service.logs import Form, set_up
from leuko.service.store import Store, open_store
from leuko.service.store.people import last_setting

_PAUSE: Final = 0.5  # seconds between looks for new messages
_STEP: Final = 50  # messages whose people are graded again before new messages are looked for
_PAUSE_DOWN: Final = 5.0  # seconds before a store that is down is asked again
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the grading process is told: which store, the zone of times without one, whether to forecast, how to log."""

    where: str
    zone: tzinfo
    forecasts: bool = False
    log: Form = "text"


def start(job: Job) -> BaseProcess:
    """Begin to grade in another process, which ends with this one."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=(job, os.getpid()), name="leuko-grading", daemon=True)
    process.start()
    return process


def _run(job: Job, parent: int) -> None:
    """Grade; a fault that nobody foresaw ends the process without the words of the fault, which may quote a row."""
    set_up(job.log)
    try:
        _forever(job, parent)
    except Exception as error:  # noqa: BLE001 (Python would print the whole of it)
        _LOG.error("grading ended: %s%s", type(error).__name__, place_of(error))
        raise SystemExit(1) from None


@dataclass(slots=True)
class Again:
    """Grading everyone again, in small steps between new messages, after knowledge or settings of the site changed."""

    after: int | None = None  # the message up to which it came; None where nothing is under way
    _looked_at: object = None  # the settings when it was last asked whether anything is to do

    def step(self, store: Store, grading: Grading) -> bool:
        """Do a little; False where nothing is to do."""
        with store.read() as connection:
            seen = last_setting(connection)
        if seen != self._looked_at:  # the first time, and whenever a setting was made: begin anew
            self._looked_at, self.after = seen, 0 if outdated(store, grading.library) else None
        if self.after is None:
            return False
        self.after = grade_again(store, grading, after=self.after, most=_STEP).through or None
        return True


def _forever(job: Job, parent: int) -> None:
    """Grade until the service is gone, however it ended."""
    grading = Grading(library=load_library(), zone=job.zone, forecasts=job.forecasts)
    store, again = None, Again()
    while os.getppid() == parent:
        try:
            store = store or open_store(job.where)
            done = grade(store, grading)
            if not done.people and not done.failed and not again.step(store, grading):
                time.sleep(_PAUSE)
        except LeukoError as fault:  # the store is down, or its settings of the site cannot be understood
            _LOG.warning("grading waits: %s", fault.why or fault.what)
            time.sleep(_PAUSE_DOWN)
        except KeyboardInterrupt:
            return
