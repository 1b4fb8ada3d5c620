"""The findings on one medicine as answers to what the causality schemes ask."""

from __future__ import annotations

from collections.abc import Sequence

from leuko.drugs.causality import SILENT, Answer, Answers
from leuko.drugs.findings import FITTING, Finding
from leuko.drugs.record import Explanation, died_in, earlier_reactions, evidence_of
from leuko.drugs.spans import days_between, say_range, say_span, span_of
from leuko.drugs.timing import began_after
from leuko.grading import below, edges
from leuko.knowledge.schema.drugs import CausalityItemRow
from leuko.record import Count, Record
from leuko.result import Between
from leuko.wording import say_count, say_list, say_moment


def answers_of(
    found: Finding, *, record: Record, others: Sequence[str], faint: Sequence[str], other: Sequence[Explanation]
) -> Answers:
    """Every answer the record gives for one medicine.

    `others` are strong or moderate candidates for the same episode, `faint` those too weak or not reviewed.
    """
    explained = _other_cause(others, faint, other)
    answers = {
        "reports": _reports(found),
        "after_start": _after_start(found),
        "time": _time(found),
        "onset_on_drug": _onset_on_drug(found),
        "withdrawal": _withdrawal(found),
        "rechallenge": _rechallenge(found),
        "other_cause": explained,
        "no_other_cause": _turned(explained),
        "placebo": SILENT,
        "toxic_level": Answer(answer="unknown", because="no level of the medicine is read from the record"),
        "dose_response": Answer(answer="unknown", because="whether the fall followed the dose is not judged"),
        "earlier_reaction": _earlier(found, record),
        "objective": _objective(found),
        "agranulocytosis": _agranulocytosis(found),
        "full_recovery": _full_recovery(found),
        "death": _death(found, record),
    }
    if found.taken.contradictions and found.timed.exposure is None:
        answers["contradiction"] = Answer(answer="yes", because=found.taken.contradictions[0][1])
    elif found.timed.timing == "unknown":
        answers["undated"] = Answer(answer="yes", because="the doses cannot be placed against the onset")
    return answers


def _reports(found: Finding) -> Answer:
    row = found.row
    assert row is not None  # noqa: S101 (of the table)
    level = f"evidence {row.evidence}: {row.evidence_text}" if row.evidence and row.evidence_text else "on file"
    if not found.reviewed:
        return Answer(answer="unknown", because=f"the association with {row.inn} is not reviewed")
    if row.reports == "conclusive":
        return Answer(answer="yes", because=f"{row.inn} is an established cause ({level})")
    return Answer(answer="unknown", because=f"{row.inn} is listed as a cause, without conclusive reports on file")


def _after_start(found: Finding) -> Answer:
    after = began_after(found.timed, found.low.episode)
    evidence = found.low.episode.counts[:1]
    if after is None:
        why = "no dose has a date" if found.timed.exposure is None else "no count from before the start is on record"
        return Answer(answer="unknown", because=why, evidence=evidence)
    if not after:
        return Answer(answer="no", because="the counts were low before the first dose", evidence=evidence)
    return Answer(answer="yes", because=f"first low {_first_low(found)}, after the start", evidence=evidence)


def _first_low(found: Finding) -> str:
    return say_span(Between(earliest=found.low.episode.onset.latest, latest=found.low.episode.onset.latest))


def _time(found: Finding) -> Answer:
    timing = found.timed.timing
    if timing in {"before_start", "after_stop"}:
        why = "it began after the onset" if timing == "before_start" else "it had been stopped too long before"
        return Answer(answer="no", because=why)
    if timing in {"early", "late"}:
        return Answer(answer="unknown", because=f"the onset is {timing} for it, which does not exclude it")
    if timing == "unknown" or found.low.episode.onset.earliest is None:
        return Answer(answer="unknown", because="when the fall began, or the doses, is not known well enough")
    return Answer(answer="yes", because=f"{say_range(found.timed.latency)} from dose to fall")


def _onset_on_drug(found: Finding) -> Answer:
    if found.timed.exposure is None:
        return Answer(answer="unknown", because="no dose has a date")
    if found.timed.timing == "before_start":
        return Answer(answer="no", because="the counts were low before the first dose")
    after = began_after(found.timed, found.low.episode)
    if after is None:
        return Answer(answer="unknown", because="no count from before the start is on record")
    limit = _item(found, "onset_on_drug").days or 0.0
    least, most = found.timed.since_stop
    if found.timed.exposure.stop is None or (most is not None and most <= limit):
        return Answer(
            answer="yes", because=f"{found.taken.name} was running, or had ended at most {limit:g} days before"
        )
    if least is not None and least > limit:
        return Answer(answer="no", because=f"it began {say_range((least, most))} after the last dose")
    return Answer(answer="unknown", because="the counts lie too far apart to tell the onset from the last dose")


def _item(found: Finding, asks: str) -> CausalityItemRow:
    return found.low.book.item("benichou", asks)


def _withdrawal(found: Finding) -> Answer:
    response = found.response
    assert response is not None  # noqa: S101 (of the table)
    words = {"positive": "yes", "negative": "no"}
    answer = (
        "yes" if words.get(response.dechallenge) == "yes" else "no" if response.dechallenge == "negative" else "unknown"
    )
    return Answer(
        answer="yes" if answer == "yes" else "no" if answer == "no" else "unknown", because=response.dechallenge_text
    )


def _rechallenge(found: Finding) -> Answer:
    response = found.response
    assert response is not None  # noqa: S101 (of the table)
    text, evidence = response.rechallenge_text, response.evidence
    if response.rechallenge == "positive":
        return Answer(answer="yes", because=text, evidence=evidence)
    if response.rechallenge == "negative":
        return Answer(answer="no", because=text, evidence=evidence)
    return Answer(answer="not_done" if response.rechallenge == "not_done" else "unknown", because=text)


def _other_cause(others: Sequence[str], faint: Sequence[str], other: Sequence[Explanation]) -> Answer:
    named = [*others, *(one.name for one in other)]
    if named:
        return Answer(answer="yes", because=f"also in the record: {say_list(named)}", evidence=evidence_of(other))
    hint = f" ({say_list(list(faint))} ran too, too weak a candidate)" if faint else ""
    return Answer(answer="unknown", because=f"none found in the record{hint}; that does not exclude one")


def _turned(answer: Answer) -> Answer:
    """The same finding for the opposite question."""
    if answer.answer == "yes":
        return Answer(answer="no", because=answer.because, evidence=answer.evidence)
    return answer


def _earlier(found: Finding, record: Record) -> Answer:
    assert found.row is not None  # noqa: S101 (of the table)
    start = found.timed.exposure.start if found.timed.exposure is not None else None
    facts = earlier_reactions(record, found.row, start, found.low.book)
    if not facts:
        return Answer(answer="unknown", because="none recorded; a second fall in these counts is item 4")
    return Answer(answer="yes", because=facts[0].name, evidence=tuple(fact.id for fact in facts))


def _objective(found: Finding) -> Answer:
    nadir = found.low.episode.nadir_count
    return Answer(
        answer="yes", because=f"measured: {say_count(nadir)} on {say_moment(nadir.taken)}", evidence=(nadir.id,)
    )


def _agranulocytosis(found: Finding) -> Answer:
    limit = _item(found, "agranulocytosis").value or 0.0
    own = [count for count in found.low.counts if count.id in found.low.episode.counts]
    low = [count for count in own if below(edges(count.value, count.bound)[1], limit, inclusive=False)]
    if not low:
        may = any(below(edges(count.value, count.bound)[0], limit, inclusive=False) for count in own)
        why = "only a bound is known" if may else f"lowest {say_count(found.low.episode.nadir_count)}"
        return Answer(answer="unknown" if may else "no", because=why, evidence=(found.low.episode.nadir_count.id,))
    days = {count.taken.day for count in low if count.taken is not None}
    confirmed = "on one day only: a second count would confirm it" if len(days) < 2 else f"on {len(days)} days"
    return Answer(answer="yes", because=f"below {limit:g} {confirmed}", evidence=tuple(count.id for count in low))


def _full_recovery(found: Finding) -> Answer:
    item = _item(found, "full_recovery")
    exposure = found.timed.exposure
    stop = None if exposure is None or exposure.running else exposure.stop
    if stop is None or stop.latest is None or found.timed.timing not in {*FITTING, "early", "late"}:
        return Answer(answer="unknown", because="no stop of the medicine is known that a recovery could follow")
    within = [count for count in found.low.counts if _high_again(count, found, stop, item)]
    if within:
        count = within[0]
        return Answer(answer="yes", because=f"{say_count(count)} on {say_moment(count.taken)}", evidence=(count.id,))
    late = [count for count in found.low.counts if _days_after(count, stop) > (item.days or 0.0)]
    if late and any(count.id in found.low.episode.counts for count in late):
        return Answer(answer="no", because=f"still low more than {item.days:g} days after the last dose")
    return Answer(answer="unknown", because=f"no count above {item.value:g} within {item.days:g} days is on record")


def _high_again(count: Count, found: Finding, stop: Between, item: CausalityItemRow) -> bool:
    """Whether a count is back above the limit of the item, in its time, and no low one of the episode follows."""
    nadir = found.low.episode.nadir_count
    later = count.taken is not None and nadir.taken is not None and count.taken.at > nadir.taken.at
    above = not below(edges(count.value, count.bound)[0], item.value or 0.0, inclusive=True)
    in_time = 0.0 <= _days_after(count, stop) <= (item.days or 0.0)
    return later and above and in_time and not _low_again(count, found)


def _low_again(count: Count, found: Finding) -> bool:
    own = [one for one in found.low.counts if one.id in found.low.episode.counts]
    return any(one.taken is not None and count.taken is not None and one.taken.at > count.taken.at for one in own)


def _days_after(count: Count, stop: Between) -> float:
    most = days_between(stop, span_of(count.taken))[1] if count.taken is not None else None
    return -1.0 if most is None else most


def _death(found: Finding, record: Record) -> Answer:
    died = died_in(record, found.low.episode, _item(found, "full_recovery").days or 0.0)
    if died is None:
        return Answer(answer="no", because="no death is recorded")
    return Answer(
        answer="yes" if died else "no", because="died before the counts recovered" if died else "not in this time"
    )
