"""Everybody of a batch through the flow for one person, each as of a day; the rows of the parts that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import polars as pl

from leuko.assessment import Asked, assess
from leuko.cohort import frames
from leuko.cohort.each import causes, forecast
from leuko.cohort.each.records import Records, records_of
from leuko.cohort.tables import Rules
from leuko.forecast.wish import Wish
from leuko.record import Record
from leuko.result import Assessment

FAILED: Final = "LK781"
_MAKERS: Final[Mapping[str, Any]] = {"causes": causes, "forecast": forecast}
_NO_COUNT: Final = "no count of this person could be used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The tables of the parts, and the notices of what failed."""

    tables: Mapping[str, pl.DataFrame]
    notices: pl.DataFrame


def each_of(tables: Mapping[str, pl.DataFrame], rules: Rules, parts: Sequence[str], *, as_of: date | None) -> Told:
    """The parts for everybody of a batch, as of a day, or (None) as of the day of their last count.

    `tables` holds what was read, and `persons` and `counts` of `leuko.cohort.batch`. Counts drawn after the day are set
    aside; medicines that are given after it count as planned.
    """
    person = tables["persons"].schema["person"]
    telling = _Telling(rules=rules, parts=tuple(parts))
    rows: dict[str, list[dict[str, Any]]] = {part: [] for part in parts}
    with _one_order("forecast" in parts):
        for who, day, record in _everybody(tables, rules, as_of):
            for part, told in telling.of(who, day, record):
                rows[part] += told
    kinds = {part: {name: kind for name, (kind, _) in _MAKERS[part].COLUMNS.items()} for part in parts}
    return Told(
        tables={part: pl.DataFrame(rows[part], schema=frames.schema(kinds[part], person=person)) for part in parts},
        notices=pl.DataFrame(telling.failed, schema=dict(tables["notices"].schema)),
    )


def _one_order(forecasts: bool) -> AbstractContextManager[Any]:
    """Sums of many numbers in one order, whichever engine asks: several threads of BLAS would share them out."""
    if not forecasts:
        return nullcontext()
    import numpy as np  # noqa: F401, PLC0415 (only what is loaded is held to it)
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 (of the extra `forecast`)

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return limits


def _everybody(
    tables: Mapping[str, pl.DataFrame], rules: Rules, as_of: date | None
) -> Iterator[tuple[Any, date | None, Record]]:
    """Everybody with the day as of which they are told of; None for those without a count."""
    last = tables["counts"].group_by("person").agg(pl.col("taken").max().dt.date())
    days = dict(last.iter_rows())
    for who, record in records_of(Records.of(tables, rules), tables["persons"]["person"], rules):
        day = days.get(who)
        yield who, day if day is None or as_of is None else as_of, record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Telling:
    rules: Rules
    parts: tuple[str, ...]
    failed: list[dict[str, Any]] = field(default_factory=list)

    def of(self, who: Any, day: date | None, record: Record) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The rows of each part for one person."""
        said, why = self._assessed(who, day, record)
        for part in self.parts:
            rows = [] if said is None else list(_MAKERS[part].rows_of(said))
            if not rows:
                rows = [{"said": False, "text": why if said is None else _MAKERS[part].NOTHING}]
            yield part, [{"person": who, "as_of": day, **row} for row in rows]

    def _assessed(self, who: Any, day: date | None, record: Record) -> tuple[Assessment | None, str]:
        """The assessment, or why there is none: one person whom the program fails stops no cohort."""
        if day is None:
            return None, _NO_COUNT
        asked = Asked(wish=Wish() if "forecast" in self.parts else None)
        try:
            return assess(record, as_of=day, library=self.rules.library, asked=asked), ""
        except Exception as error:  # noqa: BLE001 (told as a notice, with the person)
            why = f"{type(error).__name__}: {error}"
            entry = self.rules.library.notices[FAILED]
            text = f"{why}: {entry.title}"
            said = {"code": FAILED, "severity": entry.severity, "person": who, "text": text, "rows": 0, "lost": False}
            self.failed.append(said)
            return None, f"the program failed for this person ({why})"
