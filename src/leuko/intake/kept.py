"""What becomes of results beside their interpretation: measurements that are no counts, and the draws of counts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from leuko.frozen import replace
from leuko.intake.raw import RawResult
from leuko.record import Count, Origin, Sign

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def sign_of(raw: RawResult, *, present: bool | None = None) -> Sign:
    """A result that is no blood count, as a measurement; `present` where the source answers yes or no."""
    text = raw.value_text or ""
    is_number = _NUMBER.fullmatch(text) is not None and raw.bound == "="
    value = float(text) if is_number else None
    return Sign(
        id=raw.id,
        name=raw.names[0] if raw.names else (raw.codes[0].code if raw.codes else "measurement without a name"),
        codes=raw.codes,
        value=value if value is not None and abs(value) < float("inf") else None,
        unit=raw.unit_text or raw.unit_code or None,
        text=None if is_number or not text else (text if raw.bound == "=" else f"{raw.bound}{text}"),
        present=present,
        taken=raw.taken,
        origin=Origin(
            place=raw.place,
            value_text=text,
            unit_text=raw.unit_text or raw.unit_code,
            name_text=raw.names[0] if raw.names else "",
            codes=raw.codes,
            interval_text=_interval_text(raw),
            resource_id=raw.resource_id,
        ),
    )


def _interval_text(raw: RawResult) -> str:
    """The printed reference interval as one text: "0.4-4.0", ">0.4", "<4.0"."""
    if raw.interval_text or not (raw.low_text or raw.high_text):
        return raw.interval_text
    if raw.low_text and raw.high_text:
        return f"{raw.low_text}-{raw.high_text}"
    return f">{raw.low_text}" if raw.low_text else f"<{raw.high_text}"


def code_words(raw: RawResult) -> str:
    """How a notice names a result: its name and first code."""
    name = raw.names[0] if raw.names else "without a name"
    return f"{name} ({raw.codes[0].code})" if raw.codes else name


def own_draws(counts: Sequence[Count]) -> tuple[Count, ...]:
    """A sample name that recurs on other days (a stand-in for all samples) is no draw: the day is added to it."""
    days: dict[str, set[str]] = defaultdict(set)
    for count in counts:
        if count.draw is not None and count.taken is not None:
            days[count.draw].add(count.taken.day.isoformat())
    return tuple(
        replace(count, draw=f"{count.draw}@{count.taken.day.isoformat()}")
        if count.draw is not None and count.taken is not None and len(days[count.draw]) > 1
        else count
        for count in counts
    )
