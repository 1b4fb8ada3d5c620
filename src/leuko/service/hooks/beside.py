"""What runs beside the calls: forecasts in a process of their own, and a first assessment when the service starts."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import fields
from datetime import date
from importlib import resources
from typing import Any, Final

from leuko.assessment import Asked, assess
from leuko.intake import fhir, merge
from leuko.intake.base import Blob, ReadOptions
from leuko.knowledge import Library
from leuko.record import Record
from leuko.result.forecast import Forecast
from leuko.site import SiteSettings

_NEW_OBJECTS: Final = 10_000
"""So many may come before the collector of cycles looks through them: a look is a few milliseconds of some call."""
_EXAMPLE: Final = ("data", "examples", "adult-on-docetaxel.json")


class OwnProcess:
    """One process for forecasts, begun when the first is asked for: they take long, and would hold up the calls."""

    def __init__(self) -> None:
        self._executor: ProcessPoolExecutor | None = None

    def __call__(self) -> Executor:
        """The process; a new one where it died."""
        if self._executor is None or getattr(self._executor, "_broken", False):
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(max_workers=1, mp_context=context)
        return self._executor

    def close(self) -> None:
        """End it; what it was doing is not waited for."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None


def begin(executor: Executor, record: Record, as_of: date, site: SiteSettings) -> Future[tuple[Forecast, ...]]:
    """Begin to forecast; the settings travel as plain values, which another process can take."""
    plain = {one.name: getattr(site, one.name) for one in fields(site)} | {"phones": dict(site.phones)}
    try:
        return executor.submit(_forecasts, record, as_of, plain)
    except RuntimeError as error:  # the process is gone
        failed: Future[tuple[Forecast, ...]] = Future()
        failed.set_exception(error)
        return failed


def _forecasts(record: Record, as_of: date, site: Mapping[str, Any]) -> tuple[Forecast, ...]:
    return assess(record, as_of=as_of, asked=Asked(site=SiteSettings(**site))).forecasts


def warm_up(library: Library) -> None:
    """Read and assess the shipped example, so that every table is parsed before somebody waits."""
    data = resources.files("leuko").joinpath(*_EXAMPLE).read_bytes()
    taken = fhir.read([Blob(name="example", data=data)], options=ReadOptions(), library=library)
    for record in merge(taken.records).records:
        days = [count.taken.day for count in record.counts if count.taken is not None]
        assess(record, as_of=max(days), library=library, asked=Asked(wish=None))


def settle(library: Library) -> None:
    """`warm_up`, and let the collector of cycles never look again at what the start has made.

    To look through all of it takes a tenth of a second, in the middle of some call.
    """
    warm_up(library)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
