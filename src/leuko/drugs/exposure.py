"""From doses to stretches of time on a medicine, with what the record knows of their start and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from leuko.drugs.identify import Identified, identified
from leuko.drugs.names import Index, key_of
from leuko.drugs.spans import say_span, span_of
from leuko.frozen import Frozen, replace
from leuko.knowledge.schema.drugs import DrugRow
from leuko.record import Dose
from leuko.result import Between, Gap
from leuko.result.drugs import Exposure, ExposureKind
from leuko.wording import say_list

NOT_TAKEN: Final = frozenset(
    {"cancelled", "entered-in-error", "not-done", "not-taken", "declined", "draft", "rejected"}
)
ENDED: Final = frozenset({"completed", "stopped", "ended"})
ONGOING: Final = frozenset({"active", "in-progress"})
_KINDS: Final[dict[str, ExposureKind]] = {"MedicationRequest": "ordered", "MedicationDispense": "dispensed"}
_ORDER: Final[tuple[ExposureKind, ...]] = ("administered", "stated", "dispensed", "ordered")


class Taken(Frozen, frozen=True, kw_only=True):
    """One medicine of the record with its exposures in order of time, and what could not be placed.

    `key` tells medicines apart: the id of the row, or the name where there is none. `local` is true where every dose
    acts locally. `contradictions` are sentences about doses that contradict themselves.
    """

    key: str
    name: str
    row: DrugRow | None
    read_as: str
    exposures: tuple[Exposure, ...]
    undated: tuple[str, ...] = ()
    local: bool = False
    gaps: tuple[Gap, ...] = ()
    contradictions: tuple[tuple[str, str], ...] = ()


class _Piece(Frozen, frozen=True, kw_only=True):
    """One dose on the time line. `stop` None: not recorded; `going` whether the source says that it goes on."""

    dose: Dose
    kind: ExposureKind
    start: Between
    stop: Between | None
    going: bool


def taken_of(doses: Iterable[Dose], *, index: Index, join_days: float, as_of: date) -> tuple[Taken, ...]:
    """Every medicine of a record, its doses put together; those never taken or yet to come are left out."""
    groups: dict[str, list[tuple[Dose, Identified]]] = {}
    names: dict[str, tuple[str, DrugRow | None]] = {}
    for dose in doses:
        if _left_out(dose, as_of):
            continue
        found = identified(dose, index)
        for key, name, row in _keys(dose, found, index):
            groups.setdefault(key, []).append((dose, found))
            names.setdefault(key, (name, row))
    return tuple(
        _taken(key, *names[key], members, join_days=join_days, as_of=as_of) for key, members in sorted(groups.items())
    )


def _left_out(dose: Dose, as_of: date) -> bool:
    status, _, intent = dose.status.partition(" (")
    to_come = dose.start is not None and dose.start.day > as_of
    return status in NOT_TAKEN or bool(intent) or to_come


def _keys(dose: Dose, found: Identified, index: Index) -> list[tuple[str, str, DrugRow | None]]:
    if found.rows:
        return [(row.id, row.inn, row) for row in found.rows]
    return [(f"?{key_of(dose.drug, index.words) or dose.drug}", dose.drug, None)]


def _taken(
    key: str,
    name: str,
    row: DrugRow | None,
    members: Sequence[tuple[Dose, Identified]],
    *,
    join_days: float,
    as_of: date,
) -> Taken:
    pieces, undated, contradictions = [], [], []
    for dose, _ in members:
        if dose.start is None and dose.end is None:
            undated.append(dose.id)
        elif dose.start is not None and dose.end is not None and dose.end.day < dose.start.day:
            contradictions.append((dose.id, _stopped_first(name, span_of(dose.start), span_of(dose.end))))
        else:
            pieces.append(_piece(dose))
    groups = _joined(sorted(pieces, key=_when), join_days)
    return Taken(
        key=key,
        name=name,
        row=row,
        read_as=members[0][1].text,
        exposures=tuple(_exposure(name, row, group, join_days=join_days, as_of=as_of) for group in groups),
        undated=tuple(undated),
        local=all(found.local for _, found in members),
        gaps=_gaps(name, undated),
        contradictions=tuple(contradictions),
    )


def _stopped_first(name: str, start: Between, stop: Between) -> str:
    return f"{name} is recorded as stopped ({say_span(stop)}) before it started ({say_span(start)})"


def _gaps(name: str, undated: Sequence[str]) -> tuple[Gap, ...]:
    if not undated:
        return ()
    many = "one dose" if len(undated) == 1 else f"{len(undated)} doses"
    return (Gap(what=f"when {name} was taken", why=f"{many} without a date", settle="when it was started and stopped"),)


def _piece(dose: Dose) -> _Piece:
    kind: ExposureKind = "administered" if dose.given else _kind(dose)
    end = span_of(dose.end) if dose.end is not None else None
    start = (
        span_of(dose.start) if dose.start is not None else Between(earliest=None, latest=end.latest if end else None)
    )
    if kind == "administered" and end is None:
        end = start
    if end is None and dose.status in ENDED:
        # it is over; on which day is not recorded
        end = Between(earliest=start.earliest, latest=None)
    return _Piece(dose=dose, kind=kind, start=start, stop=end, going=end is None and dose.status in ONGOING)


def _kind(dose: Dose) -> ExposureKind:
    resource = (dose.origin.resource_id or dose.id).partition("/")[0]
    return _KINDS.get(resource, "stated")


def _when(piece: _Piece) -> tuple[float, float, str]:
    start = piece.start.earliest or piece.start.latest
    end = piece.stop.latest if piece.stop is not None else None
    return start.timestamp() if start else 0.0, end.timestamp() if end else float("inf"), piece.dose.id


def _joined(pieces: Sequence[_Piece], join_days: float) -> list[list[_Piece]]:
    """Doses in runs. One without a recorded end may have gone on until the next, so it is never a gap."""
    runs: list[list[_Piece]] = []
    for piece in pieces:
        if runs and not _apart(runs[-1], piece, join_days):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _apart(run: Sequence[_Piece], piece: _Piece, join_days: float) -> bool:
    ends = [one.stop.latest for one in run if one.stop is not None and one.stop.latest is not None]
    last_open = any(one.stop is None and _when(one) >= max(map(_when_start, run)) for one in run)
    start = piece.start.earliest
    if last_open or not ends or start is None:
        return False
    return start - max(ends) > timedelta(days=join_days)


def _when_start(piece: _Piece) -> tuple[float, float, str]:
    return _when(piece)[0], 0.0, ""


def _exposure(name: str, row: DrugRow | None, run: Sequence[_Piece], *, join_days: float, as_of: date) -> Exposure:
    kinds = tuple(kind for kind in _ORDER if any(piece.kind == kind for piece in run))
    stop = _stop(run)
    inferred = stop is not None and all(piece.dose.end is None for piece in run if _ends_at(piece, stop))
    running = _running(run, stop, inferred=inferred, join_days=join_days, as_of=as_of)
    exposure = Exposure(
        drug=name,
        drug_id=row.id if row is not None else "",
        kinds=kinds,
        start=run[0].start if run[0].start.earliest is not None else None,
        stop=stop,
        running=running,
        inferred_stop=inferred,
        given=tuple(piece.start for piece in run if piece.kind == "administered"),
        doses=tuple(piece.dose.id for piece in run),
        text="",
    )
    return replace(exposure, text=_say(exposure))


def _ends_at(piece: _Piece, stop: Between) -> bool:
    return piece.stop is not None and piece.stop.latest == stop.latest


def _stop(run: Sequence[_Piece]) -> Between | None:
    """The latest end of a run; None where its last dose has none."""
    last_open = [piece for piece in run if piece.stop is None]
    ends = [piece.stop for piece in run if piece.stop is not None and piece.stop.latest is not None]
    if not ends:
        over = [piece.stop for piece in run if piece.stop is not None]
        return None if last_open or not over else over[-1]
    latest = max(ends, key=lambda end: end.latest.timestamp() if end.latest else 0.0)
    starts = [piece.start.earliest for piece in last_open if piece.start.earliest is not None]
    still_open = any(latest.earliest is None or start > latest.earliest for start in starts)
    return None if still_open or any(piece.going for piece in last_open) else latest


def _running(
    run: Sequence[_Piece], stop: Between | None, *, inferred: bool, join_days: float, as_of: date
) -> bool | None:
    if any(piece.going for piece in run):
        return True
    if stop is None:
        return None
    if stop.latest is None:
        return False
    if stop.latest.date() > as_of:
        return True
    if inferred and stop.latest.date() + timedelta(days=join_days) >= as_of:
        return None
    return False


def _say(exposure: Exposure) -> str:
    words = f"{exposure.drug}, {say_list(list(exposure.kinds))}"
    start = f"from {say_span(exposure.start)}" if exposure.start is not None else "from an unknown day"
    if len(exposure.given) == 1 and exposure.inferred_stop and exposure.kinds == ("administered",):
        return f"{words} on {say_span(exposure.start)}"
    if exposure.running:
        return f"{words} {start}, still running"
    if exposure.stop is None:
        return f"{words} {start}; no stop date is recorded"
    if exposure.stop.latest is None:
        return f"{words} {start}, ended on an unknown day"
    if say_span(exposure.stop) == say_span(exposure.start):
        return f"{words} on {say_span(exposure.start)}"
    until = (
        f"last recorded dose {say_span(exposure.stop)}" if exposure.inferred_stop else f"to {say_span(exposure.stop)}"
    )
    return f"{words} {start}, {until}"


def last_given_before(exposures: Iterable[Exposure], limit: datetime) -> Between | None:
    """The last administration that began before an instant."""
    given = [
        one for exposure in exposures for one in exposure.given if one.earliest is not None and one.earliest < limit
    ]
    return max(given, key=lambda one: one.earliest.timestamp() if one.earliest else 0.0) if given else None
