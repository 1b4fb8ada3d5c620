"""Which of the three lines, white, red and platelets, are low together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from leuko.knowledge import Library
from leuko.knowledge.schema import DefinitionRow
from leuko.record import Count
from leuko.result import DefinitionMet, Gap, Lines, Reason, Status
from leuko.wording import say_count, say_date, say_list

Name = Literal["none", "isolated", "bicytopenia", "pancytopenia", "cannot_say"]
LINES: Final = {"white": ("wbc", "neutrophils"), "red": ("haemoglobin",), "platelets": ("platelets",)}
COUNTED: Final = "lines"
_BARE: Final = Gap(
    what="whether the neutrophils are low",
    why="the white count is not low, and the neutrophils of this draw are not known: one does not exclude the other",
    settle="a differential with the white count",
)


def is_low(status: Status) -> bool | None:
    """Whether a count is low: by the house definition, or below its reference interval; None where neither can say."""
    house = house_definition(status)
    verdicts = {True if status.position == "below" else False if status.position in {"within", "above"} else None}
    verdicts |= {house.met} if house is not None else set()
    if True in verdicts:
        return True
    if house is not None:
        return house.met
    return verdicts.pop()


def house_definition(status: Status) -> DefinitionMet | None:
    """The definition that leuko's own answer uses."""
    return next((met for met in status.definitions if met.house), None)


def lines_of(statuses: Mapping[str, Status], *, library: Library) -> Lines:
    """Which lines are low at the draw of the white count; a line last counted on another day is unknown.

    `statuses` is the latest status by analyte (wbc, neutrophils, haemoglobin, platelets; others are not looked at).
    """
    white = [statuses[name].count for name in LINES["white"] if name in statuses]
    if not white:
        return _nothing()
    day = max((count for count in white), key=_when)
    verdicts = {line: _verdict(names, statuses, day) for line, names in LINES.items()}
    low = tuple(line for line, verdict in verdicts.items() if verdict is True)
    fine = tuple(line for line, verdict in verdicts.items() if verdict is False)
    unknown = tuple(line for line, verdict in verdicts.items() if verdict is None)
    row = None if unknown else _row(len(low), library)
    name = _name(row, low, unknown)
    used = [statuses[one].count for names in LINES.values() for one in names if one in statuses]
    together = [count for count in used if _same_draw(count, day)]
    return Lines(
        low=low,
        not_low=fine,
        unknown=unknown,
        name=name,
        reason=Reason(
            rule=row.id if row is not None else "lines:none",
            text=_text(name, low, fine, unknown, day),
            evidence=tuple(count.id for count in together),
            citations=(library.cite(row.basis),) if row is not None else (),
        ),
        gap=_gap(unknown, statuses, day),
    )


def _verdict(names: tuple[str, ...], statuses: Mapping[str, Status], day: Count) -> bool | None:
    """Whether a line is low: any of its counts is; not low where one is known not to be and none is low."""
    found = [is_low(statuses[name]) for name in names if name in statuses and _same_draw(statuses[name].count, day)]
    if True in found:
        return True
    return False if False in found else None


def _same_draw(count: Count, other: Count) -> bool:
    if count.taken is None or other.taken is None:
        return count.draw is not None and count.draw == other.draw
    return count.taken.day == other.taken.day


def _when(count: Count) -> float:
    return count.taken.at.timestamp() if count.taken is not None else 0.0


def _row(low: int, library: Library) -> DefinitionRow | None:
    """The definition in `definitions/lines.toml` that a number of low lines meets."""
    rows = [row for row in library.definitions if row.analyte == COUNTED and row.basis.drives]
    return next((row for row in rows if row.band.lower == low == row.band.upper), None)


def _name(row: DefinitionRow | None, low: tuple[str, ...], unknown: tuple[str, ...]) -> Name:
    if unknown:
        return "cannot_say"
    if row is not None:
        return next((name for name in get_args(Name) if name == row.concept), "cannot_say")
    return "isolated" if len(low) == 1 else "none" if not low else "cannot_say"


def _text(name: Name, low: tuple[str, ...], fine: tuple[str, ...], unknown: tuple[str, ...], day: Count) -> str:
    when = f" on {say_date(day.taken.day)}" if day.taken is not None else ""
    parts = [f"low{when}: {say_list(_said(low))}" if low else f"no line known to be low{when}"]
    parts += [f"not low: {say_list(_said(fine))}"] if fine else []
    parts += [f"not known: {say_list(_said(unknown))}"] if unknown else []
    ends = {"pancytopenia": " (pancytopenia)", "bicytopenia": " (bicytopenia)", "isolated": " (one line alone)"}
    return "; ".join(parts) + ends.get(name, "")


def _said(lines: tuple[str, ...]) -> list[str]:
    words = {"white": "white cells", "red": "red cells", "platelets": "platelets"}
    return [words[line] for line in lines]


def _gap(unknown: tuple[str, ...], statuses: Mapping[str, Status], day: Count) -> Gap | None:
    if not unknown:
        return None if _verdict(("neutrophils",), statuses, day) is not None or _white_low(statuses, day) else _BARE
    why = [_why_unknown(line, statuses, day) for line in unknown]
    return Gap(
        what="which of the three lines are low together",
        why="; ".join(why),
        settle="a full blood count with haemoglobin and platelets from one draw",
    )


def _white_low(statuses: Mapping[str, Status], day: Count) -> bool:
    return _verdict(LINES["white"], statuses, day) is True


def _why_unknown(line: str, statuses: Mapping[str, Status], day: Count) -> str:
    counts = [statuses[name].count for name in LINES[line] if name in statuses]
    if not counts:
        return f"no count of the {_said((line,))[0]} is in the record"
    elsewhere = [count for count in counts if not _same_draw(count, day)]
    if elsewhere and elsewhere[0].taken is not None:
        return f"the {_said((line,))[0]} were last counted on {say_date(elsewhere[0].taken.day)}"
    return f"the {_said((line,))[0]} ({say_count(counts[0])}) cannot be placed"


def _nothing() -> Lines:
    why = "no white count is in the record"
    return Lines(
        low=(),
        not_low=(),
        unknown=tuple(LINES),
        name="cannot_say",
        reason=Reason(rule="lines:none", text=why),
        gap=Gap(
            what="which of the three lines are low together",
            why=why,
            settle="a full blood count with haemoglobin and platelets from one draw",
        ),
    )
