"""What is said of a medicine: what speaks for it, against it, what contradicts itself, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leuko.drugs.findings import Finding
from leuko.drugs.record import Explanation
from leuko.drugs.spans import days_between, say_range, say_span
from leuko.record import Dose
from leuko.result import Citation, Gap, Reason
from leuko.result.drugs import Causality
from leuko.wording import say_list

_LINES: Final = {"wbc": "white cells", "cd4": "CD4 cells"}
_REPORTS: Final = {"conclusive": "an established cause", "listed": "listed as a cause", "weak": "a doubtful cause"}
_SCORED: Final = frozenset({"inside", "partly", "during", "early", "late"})
_FOR: Final = frozenset({"inside", "partly", "during"})


def line_of(found: Finding) -> str:
    """The line in words."""
    return _LINES.get(found.low.analyte, found.low.analyte)


def pros_and_cons(
    found: Finding, others: Sequence[Finding], other: Sequence[Explanation], growth: Sequence[Dose]
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What speaks for a medicine and what against it."""
    if found.row is None:
        return (), ()
    pros = [_timing(found)] if found.timed.timing in _FOR else []
    cons = [_timing(found)] if found.timed.timing not in {*_FOR, "unknown"} else []
    for reason, positive in (*_responses(found), _known(found)):
        (pros if positive else cons).append(reason)
    cons += _competition(found, others, other)
    cons += [_growth(found, growth)] if growth and found.response and found.response.dechallenge == "positive" else []
    cons += [_local(found)] if found.taken.local else []
    cons += [_unproven(found)] if found.timed.exposure is not None and not found.proven else []
    return tuple(pros), tuple(cons)


def _reason(
    found: Finding, rule: str, text: str, citations: Sequence[Citation] = (), ids: Sequence[str] = ()
) -> Reason:
    key = found.row.id if found.row is not None else "unlisted"
    doses = found.timed.exposure.doses if found.timed.exposure is not None else ()
    return Reason(
        rule=f"drugs:{key}:{rule}", text=text, evidence=tuple(ids) or doses, citations=tuple(dict.fromkeys(citations))
    )


def _timing(found: Finding) -> Reason:
    place, book = found.timed, found.low.book
    cites = [*book.cite(place.window)] if place.window is not None else []
    if place.timing == "after_stop":
        cites = [book.cite_rule("after_stop")]
    return _reason(found, "timing", timing_words(found), cites)


def timing_words(found: Finding) -> str:
    """Where the onset, or the nadir of a cycle, lies."""
    place, name = found.timed, found.taken.name
    assert found.row is not None  # noqa: S101 (of the table)
    cycle = found.row.pattern == "cytotoxic"
    if place.anchor is None:
        return f"when {name} was taken is not known"
    if place.timing == "unknown":
        return f"whether {name} was still taken when {line_of(found)} fell is not recorded"
    if place.timing == "before_start":
        return f"{name} began {say_span(place.anchor)}, when {line_of(found)} were already low"
    event = f"{line_of(found)} lowest" if cycle else f"{line_of(found)} first low"
    since = f"{event} {_counted(found)} after {_anchor_words(found)}"
    if place.timing == "after_stop":
        stopped = "" if cycle else f"; it had ended {say_range(place.since_stop)} before the onset"
        return f"{since}{stopped}: too long after the last dose"
    return f"{since}{_window_words(found)}"


def _counted(found: Finding) -> str:
    """Days to the onset; where the last normal count lies before the start, to the first low count at most."""
    return say_range(found.timed.latency)


def _anchor_words(found: Finding) -> str:
    place = found.timed
    assert found.row is not None  # noqa: S101 (of the table)
    from_last = place.window is not None and place.window.after == "last_dose"
    what = "the dose" if found.row.pattern == "cytotoxic" else "the last dose" if from_last else "the start"
    return f"{what} of {found.taken.name} ({say_span(place.anchor)})"


def _window_words(found: Finding) -> str:
    place, window = found.timed, found.timed.window
    if window is None:
        return "; no confirmed window of days is on file for it"
    what = "nadir" if window.what == "nadir" else "onset"
    usual = f"{window.low_days:g} to {window.high_days:g} days"
    whose = "" if place.own else " with medicines of its kind"
    fit = {
        "inside": f": where the {what} usually lies{whose} ({usual})",
        "partly": f": possibly where the {what} usually lies{whose} ({usual}), the counts leave it open",
        "during": f": outside the {usual} often seen with medicines of its kind, which does not exclude it",
        "early": f": earlier than usual ({usual})",
        "late": f": later than usual ({usual})",
    }[place.timing]
    if found.low.episode.onset.earliest is None and place.timing in {"inside", "partly"} and what == "onset":
        return f"; the first count on record is already low, so how soon it fell is not known (usual{whose}: {usual})"
    again = "; it had been taken before, and may then act faster" if place.again and what == "onset" else ""
    return fit + again


def _responses(found: Finding) -> list[tuple[Reason, bool]]:
    response, book = found.response, found.low.book
    if response is None:
        return []
    assert found.row is not None  # noqa: S101 (of the table)
    cites = book.cite(book.window(found.row, "recovery"))
    said: list[tuple[Reason, bool]] = []
    if response.dechallenge in {"positive", "negative"}:
        reason = _reason(found, "dechallenge", response.dechallenge_text, cites)
        said.append((reason, response.dechallenge == "positive"))
    if response.rechallenge in {"positive", "negative"}:
        reason = _reason(found, "rechallenge", response.rechallenge_text, ids=response.evidence)
        said.append((reason, response.rechallenge == "positive"))
    return said


def _known(found: Finding) -> tuple[Reason, bool]:
    row = found.row
    assert row is not None  # noqa: S101 (of the table)
    if not found.reviewed:
        return _reason(
            found, "reports", f"that {row.inn} lowers {line_of(found)} is not reviewed: it is only listed"
        ), False
    level = {"conclusive": "an established cause", "listed": "listed as a cause", "weak": "a doubtful cause"}[
        row.reports
    ]
    text = f"{row.inn} is {level} of low {line_of(found)}"
    text += f" (evidence {row.evidence}: {row.evidence_text})" if row.evidence and row.evidence_text else ""
    return _reason(found, "reports", text, found.low.book.cite(row)), row.reports != "weak"


def _competition(found: Finding, others: Sequence[Finding], other: Sequence[Explanation]) -> list[Reason]:
    said = []
    if others:
        names = say_list([one.taken.name for one in others])
        said.append(_reason(found, "others", f"{names} could explain it too"))
    for one in other:
        cites = found.low.book.cite(one.row)
        said.append(
            _reason(found, "other_cause", f"{one.name} ({one.row.name}) could explain it too", cites, (one.fact,))
        )
    return said


def _growth(found: Finding, growth: Sequence[Dose]) -> Reason:
    names = say_list(list(dict.fromkeys(dose.drug for dose in growth)))
    text = f"{names} was given: the recovery says less of stopping {found.taken.name}"
    return _reason(found, "growth_factor", text, ids=tuple(dose.id for dose in growth))


def _local(found: Finding) -> Reason:
    return _reason(found, "local", f"{found.taken.name} was used locally: little of it reaches the blood")


def _unproven(found: Finding) -> Reason:
    exposure = found.timed.exposure
    kinds = say_list(list(exposure.kinds)) if exposure is not None else "recorded"
    return _reason(found, "unproven", f"{found.taken.name} is only {kinds}: that it was taken is not recorded")


def contradictions_of(found: Finding) -> tuple[Reason, ...]:
    """Doses that contradict themselves, and a stop after which the medicine is still said to run."""
    return tuple(_reason(found, "contradiction", text, ids=(dose,)) for dose, text in found.taken.contradictions)


def missing_of(found: Finding) -> tuple[Gap, ...]:
    """What is not known of a medicine, and what would settle it."""
    name, place = found.taken.name, found.timed
    gaps = list(found.taken.gaps)
    if found.row is None:
        return (*gaps, Gap(what=f"whether {name} lowers counts", why=found.taken.read_as, settle="its label"))
    if place.exposure is not None and place.exposure.stop is None and place.exposure.running is None:
        gaps.append(Gap(what=f"whether {name} is still taken", why="no stop date is recorded", settle="its stop date"))
    if place.exposure is not None and place.exposure.stop is not None and place.exposure.stop.latest is None:
        gaps.append(
            Gap(what=f"when {name} was stopped", why="it is over, the day is not recorded", settle="its stop date")
        )
    if place.exposure is not None and place.exposure.inferred_stop and place.timing in _FOR and not _cytotoxic(found):
        why = "only the last recorded dose is known, not that it was stopped"
        gaps.append(Gap(what=f"when {name} was stopped", why=why, settle="its stop date"))
    if found.low.episode.onset.earliest is None and place.timing != "before_start":
        why = "the first count on record is already low"
        gaps.append(Gap(what=f"whether counts fell after {name}", why=why, settle="a count from before it was started"))
    elif _straddles(found):
        why = f"the last normal count is from before {name} was started"
        gaps.append(
            Gap(what=f"how soon counts fell after {name}", why=why, settle="counts in between, if any were taken")
        )
    return tuple(dict.fromkeys(gaps))


def _cytotoxic(found: Finding) -> bool:
    return found.row is not None and found.row.pattern == "cytotoxic"


def _straddles(found: Finding) -> bool:
    exposure = found.timed.exposure
    if exposure is None or exposure.start is None or found.timed.timing == "before_start":
        return False
    least = days_between(exposure.start, found.low.episode.onset)[0]
    return least is not None and least < 0


def summary_of(found: Finding, causality: Sequence[Causality], others: Sequence[Finding]) -> Reason:
    """The link in two or three sentences."""
    exposure = found.timed.exposure or (found.taken.exposures[0] if found.taken.exposures else None)
    first = f"{exposure.text}." if exposure is not None else f"{found.taken.name}: no dose can be placed in time."
    if found.row is None:
        text = f"{first} Not in leuko’s table of medicines that lower counts: nothing is known of it here."
        return _reason(found, "link", _capital(text))
    parts = [_capital(first), f"{_capital(timing_words(found))}."]
    late = found.row.pattern == "late_onset"
    if found.response is not None and (late or found.response.dechallenge != "cannot_say"):
        parts.append(f"{_capital(found.response.dechallenge_text)}.")
    if found.response is not None and found.response.rechallenge in {"positive", "negative"}:
        parts.append(f"{_capital(found.response.rechallenge_text)}.")
    parts.append(_verdict(found, others))
    if found.role != "cycle" and found.reviewed and found.timed.timing in _SCORED:
        parts += [one.reason.text for one in causality if one.scheme == "naranjo"]
    citations = [cite for one in causality for cite in one.reason.citations]
    return _reason(found, "link", " ".join(parts), [*found.low.book.cite(found.row, found.timed.window), *citations])


def _verdict(found: Finding, others: Sequence[Finding]) -> str:
    assert found.row is not None  # noqa: S101 (of the table)
    timing = found.timed.timing
    if timing == "before_start":
        return "It cannot have caused this fall."
    if timing == "after_stop":
        return "It is unlikely to have caused this fall."
    if not found.reviewed:
        return "Its association with low counts is not reviewed, so nothing is concluded."
    if timing == "unknown":
        return "So nothing can be said of it."
    if found.role == "cycle":
        return _cycle_words(found, others)
    also = f" Also in time: {say_list([one.taken.name for one in others])}." if others else ""
    return f"{_capital(found.strength)} candidate.{also}"


def _cycle_words(found: Finding, others: Sequence[Finding]) -> str:
    sure = "explains" if found.timed.timing == "inside" else "can explain"
    together = [one.taken.name for one in others if one.role == "cycle"]
    also = f"; given with {say_list(together)}, from which it cannot be told apart" if together else ""
    ordered = "" if found.proven else ", if it was given"
    return f"The chemotherapy cycle {sure} this fall{ordered}{also}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
