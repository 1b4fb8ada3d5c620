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

from leuko.knowledge import load_library
from leuko.service.grade import Grading, grade
from leuko.service.store import StoreDown, open_store

_PAUSE: Final = 0.5  # seconds between looks for new messages
_PAUSE_DOWN: Final = 5.0  # seconds before a store that is down is asked again
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the grading process is told: which store, the zone of times without one, whether to forecast."""

    where: str
    zone: tzinfo
    forecasts: bool = False


def start(job: Job) -> BaseProcess:
    """Begin to grade in another process, which ends with this one."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_forever, args=(job, os.getpid()), name="leuko-grading", daemon=True)
    process.start()
    return process


def _forever(job: Job, parent: int) -> None:
    """Grade until the service is gone, however it ended."""
    grading = Grading(library=load_library(), zone=job.zone, forecasts=job.forecasts)
    store = None
    while os.getppid() == parent:
        try:
            store = store or open_store(job.where)
            done = grade(store, grading)
            if not done.people and not done.failed:
                time.sleep(_PAUSE)
        except StoreDown as down:
            _LOG.warning("grading waits: %s", down.why)
            time.sleep(_PAUSE_DOWN)
        except KeyboardInterrupt:
            return
