"""Is the count enough for the next dose? Each label's or protocol's rule, held against the last counts.

A rule asks for the count of its day: an older one is said to be too old, and what the rule would say to it stands
beside. Rules on the cycle before are held against the counts since then, as far as counts were taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from leuko.drugs.shelf import cytotoxic
from leuko.frozen import Frozen
from leuko.knowledge.schema.plan import Action, RegimenRow, TreatDayRow
from leuko.plan.limits import FREE, Spoken, speak, strictest, strictness
from leuko.plan.person import Known
from leuko.plan.since import counts_since, febrile, nadir_met
from leuko.record import Count
from leuko.result import Gap, Reason
from leuko.result.plan import Advice, Regimen, TreatDay
from leuko.wording import say_count, say_date, say_days, say_list, say_moment

SAID: Final[dict[Advice, str]] = {
    "escalate": "enough; the rule allows more",
    "give": "enough by this rule",
    "not_barred": "not barred by this rule",
    "titrate": "titrated to a target",
    "caution": "see what the rule says",
    "reduce": "not enough for the full dose: reduce",
    "delay": "not enough: delay",
    "withhold": "not enough: withhold",
    "stop": "not enough: stop",
    "contraindicated": "contraindicated",
    "cannot_say": "cannot say",
}
_CALLS_FOR: Final[dict[Advice, str]] = {
    "caution": "the rule speaks",
    "reduce": "the rule asks for a lower dose",
    "delay": "the rule asks for a delay",
    "withhold": "the rule asks to withhold",
    "stop": "the rule asks to stop",
}
_PAST: Final = ("nadir", "previous_cycle")
LATER_DAYS: Final = {"day_8": 8, "day_15": 15}


class When(Frozen, frozen=True, kw_only=True):
    """The day that a rule speaks of; None: not known, or no day of its own."""

    due: date | None
    today: bool


def treat_days(
    known: Known, regimen: Regimen, rows: Sequence[RegimenRow], *, ordered: Iterable[str] = ()
) -> tuple[TreatDay, ...]:
    """What every rule that fits the drugs says; those of today first, the strictest first.

    `ordered` are medicines that are about to be given, beside those of the regimen.
    """
    drugs = _drugs(known, regimen) | frozenset(ordered)
    found = []
    for lines in _tables(known, drugs):
        first = lines[0]
        when = _when(first, known, regimen, rows)
        if when is None:
            continue
        judged = _past(lines, known, regimen) if first.checkpoint in _PAST else _present(lines, known, when)
        if judged is not None:
            found.append(judged)
    return tuple(sorted(found, key=_order))


def _order(found: TreatDay) -> tuple[bool, int, str]:
    rank = -strictness(found.on_count) if found.on_count != "cannot_say" else 1
    return (not found.today, rank, found.id)


def _drugs(known: Known, regimen: Regimen) -> frozenset[str]:
    """The drugs of the regimen, and other cytotoxic or targeted drugs taken of late."""
    late = known.as_of - timedelta(days=known.rules.present_days)
    taken = [one.drug for one in known.taken if (one.dose.end.day if one.dose.end is not None else one.day) >= late]
    return frozenset(regimen.drugs) | frozenset(cytotoxic(taken, known.shelf))


def _tables(known: Known, drugs: frozenset[str]) -> list[list[TreatDayRow]]:
    """The rules that fit, line by line; those for a start also where the medicine is only planned as yet."""
    found: dict[str, list[TreatDayRow]] = {}
    to_come = drugs | frozenset(cytotoxic([one.drug for one in known.planned], known.shelf))
    for row in known.rows(TreatDayRow):
        if _meant(row, to_come if row.checkpoint == "before_start" else drugs, known):
            found.setdefault(f"{row.table}:{row.checkpoint}", []).append(row)
    return list(found.values())


def _meant(row: TreatDayRow, drugs: frozenset[str], known: Known) -> bool:
    if not (row.drugs or row.any_of):
        return False
    named = set(row.drugs) <= drugs and (not row.any_of or bool(set(row.any_of) & drugs))
    return named and (not row.alone or set(cytotoxic(drugs, known.shelf)) == set(row.drugs))


def _when(row: TreatDayRow, known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> When | None:
    """The day of a checkpoint; None where it has passed, or a start that lies behind."""
    if row.checkpoint == "before_start":
        begun = any(one.drug in {*row.drugs, *row.any_of} for one in known.taken)
        return None if begun else When(due=_planned(row, known), today=True)
    if row.checkpoint in LATER_DAYS:
        due = regimen.day_1 + timedelta(days=LATER_DAYS[row.checkpoint] - 1) if regimen.day_1 else None
        return None if due is not None and due < known.as_of else When(due=due, today=due == known.as_of)
    if row.checkpoint == "day_1":
        due = regimen.next_day_1
        return When(due=due, today=due is not None and due <= known.as_of)
    if row.checkpoint == "treatment_day":
        due = _next_treatment(known, regimen, rows)
        return When(due=due, today=due is not None and due <= known.as_of)
    return When(due=None, today=True)


def _planned(row: TreatDayRow, known: Known) -> date | None:
    return min((one.day for one in known.planned if one.drug in row.drugs), default=None)


def _next_treatment(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> date | None:
    days = {day for row in rows for day in row.treatment_days}
    if regimen.day_1 is None:
        return regimen.next_day_1
    given = {one.day for one in known.taken}
    planned = [regimen.day_1 + timedelta(days=day - 1) for day in sorted(days)]
    left = [day for day in planned if day >= known.as_of and day not in given]
    return min([*left, *([regimen.next_day_1] if regimen.next_day_1 else [])], default=None)


# ---- the count of the day ----


def _present(lines: list[TreatDayRow], known: Known, when: When) -> TreatDay:
    first = lines[0]
    numbered = [line for line in lines if line.limits]
    if not numbered:
        return _spoken_only(lines, known, when)
    counts = {name: count for name, count in known.counts.items() if any(name in line.limits for line in numbered)}
    said = _held(numbered, counts, known)
    old = _too_old(first, counts, known, when)
    missing = _missing(numbered, counts, known)
    verdict: Advice = "cannot_say" if old is not None else said.verdict
    gap = old or _open(first, said, missing)
    return TreatDay(
        id=first.table,
        title=first.title,
        setting=first.setting,
        region=first.region,
        checkpoint=first.checkpoint,
        verdict=verdict,
        on_count=said.verdict,
        possible=said.possible,
        due=when.due,
        today=when.today,
        text=_text(first, said, counts, known, gap=gap, verdict=verdict, when=when),
        then=_then(lines, said),
        rows=said.rows,
        reason=_reason(lines, said.rows, known, counts.values()),
        gap=gap,
    )


def _then(lines: list[TreatDayRow], said: Spoken) -> str:
    """What follows by the rules that spoke; nothing, where the count is good enough for all of them."""
    spoke = [] if said.verdict in {"not_barred", "give"} else [line for line in lines if line.id in said.rows]
    return " ".join(line.then for line in spoke if line.then)


def _held(lines: Sequence[TreatDayRow], counts: Mapping[str, Count], known: Known) -> Spoken:
    """The lines that speak; those that also ask for fever speak only with it."""
    fever = febrile(known, None)[0]
    usable = [line for line in lines if not line.febrile or fever]
    otherwise: dict[str, Action] = {line.id: line.otherwise for line in usable if line.otherwise is not None}
    return speak(usable or lines[:0], counts, otherwise)


def _too_old(row: TreatDayRow, counts: Mapping[str, Count], known: Known, when: When) -> Gap | None:
    """The gap of counts that cannot speak for the day of the dose."""
    limit = known.rules.count_days if row.count_days is None else row.count_days
    day = max(when.due, known.as_of) if when.due is not None else known.as_of
    old = [(n, (day - c.taken.day).days) for n, c in counts.items() if c.taken and (day - c.taken.day).days > limit]
    if not old:
        return None
    asked = "of the day of treatment" if limit == 0 else f"at most {say_days(limit)} old on the day of treatment"
    ages = say_list([f"the last {_label(known, name)} is {say_days(float(age))} old" for name, age in old])
    whose = "the rule" if row.count_days is not None else "the house rule"
    when_words = f" by {say_date(day)}" if day > known.as_of else ""
    return Gap(
        what=f"whether the count is enough for {row.title}",
        why=f"{ages}{when_words}; {whose} asks for a count {asked}",
        settle=f"a blood count {'on' if limit == 0 else 'for'} the day of treatment",
    )


def _missing(lines: Iterable[TreatDayRow], counts: Mapping[str, Count], known: Known) -> list[str]:
    asked = dict.fromkeys(name for line in lines for name in line.limits)
    return [_label(known, name) for name in asked if name not in counts]


def _open(row: TreatDayRow, said: Spoken, missing: list[str]) -> Gap | None:
    if said.verdict != "cannot_say":
        return None
    if missing:
        why = f"no count of {say_list(missing)}"
    elif said.possible:
        why = f"the count is only a bound: {say_list([SAID[one] for one in said.possible], 'or')}"
    else:
        why = "the rule does not say what holds at this count"
    return Gap(what=f"whether the count is enough for {row.title}", why=why, settle="a measured count")


def _text(
    row: TreatDayRow,
    said: Spoken,
    counts: Mapping[str, Count],
    known: Known,
    *,
    gap: Gap | None,
    verdict: Advice,
    when: When,
) -> str:
    shown = say_list([f"{_label(known, n)} {say_count(c)} on {say_moment(c.taken)}" for n, c in counts.items()])
    day = f" on {say_date(when.due)}" if when.due is not None else ""
    where = f" ({row.setting})" if row.setting else ""
    words = [line.says for line in known.library.rows(TreatDayRow) if line.id in said.rows]
    quoted = f" The rule: {' '.join(words)}" if words else ""
    if verdict != "cannot_say":
        return f"{row.title}{where}{day}: {SAID[verdict]}; {shown}.{quoted}"
    would = f"; on that count: {SAID[said.verdict]}" if said.verdict != "cannot_say" else ""
    why = gap.why if gap is not None else "the rule does not say"
    shown = f" ({shown})" if shown else ""
    return f"{row.title}{where}{day}: cannot say: {why}{shown}{would}.{quoted}"


def _spoken_only(lines: list[TreatDayRow], known: Known, when: When) -> TreatDay:
    """Rows without a limit of their own: what they say is passed on."""
    first = lines[0]
    ids = tuple(line.id for line in lines)
    verdict = strictest(line.action for line in lines) or "caution"
    return TreatDay(
        id=first.table,
        title=first.title,
        setting=first.setting,
        region=first.region,
        checkpoint=first.checkpoint,
        verdict=verdict,
        on_count=verdict,
        due=when.due,
        today=when.today,
        text=f"{first.title}: {' '.join(line.says for line in lines)}",
        rows=ids,
        reason=_reason(lines, ids, known, ()),
    )


# ---- the cycle before ----


def _past(lines: list[TreatDayRow], known: Known, regimen: Regimen) -> TreatDay | None:
    """What the counts and fever since the last treatment call for; None where nothing of it is known or possible."""
    day_1, first = regimen.day_1, lines[0]
    if day_1 is None:
        return None
    fever, evidence = febrile(known, day_1)
    found = [(line, _triggered(line, known, day_1, fever=fever)) for line in lines]
    sure = [line for line, met in found if met]
    open_ = [line for line, met in found if met is None]
    verdict = strictest(line.action for line in sure)
    if verdict is None and not open_:
        verdict = "not_barred"
    counts = [c for name in _analytes(lines) for c in counts_since(known, name, day_1)]
    speaking = sure or open_ or lines
    gap = None if verdict is not None else _past_gap(first, open_, known, day_1)
    ids = tuple(line.id for line in speaking)
    possible = ("not_barred", *sorted({line.action for line in open_} - {"not_barred"}, key=strictness))
    return TreatDay(
        id=first.table,
        title=first.title,
        setting=first.setting,
        region=first.region,
        checkpoint=first.checkpoint,
        verdict=verdict or "cannot_say",
        on_count=verdict or "cannot_say",
        possible=possible if verdict is None else (),
        due=regimen.next_day_1,
        today=regimen.next_day_1 is not None and regimen.next_day_1 <= known.as_of,
        text=_past_text(speaking, counts, known, gap=gap, verdict=verdict, day_1=day_1),
        then=" ".join(line.then for line in sure if line.then),
        rows=ids,
        reason=_reason(lines, ids, known, counts, evidence),
        gap=gap,
    )


def _analytes(lines: Iterable[TreatDayRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for line in lines for name in line.nadir))


def _triggered(line: TreatDayRow, known: Known, day_1: date, *, fever: bool | None) -> bool | None:
    met = nadir_met(line, known, day_1) if line.nadir else False
    if met or (line.febrile and fever):
        return True
    return None if met is None or (line.febrile and fever is None) else False


def _past_gap(row: TreatDayRow, open_: Sequence[TreatDayRow], known: Known, day_1: date) -> Gap:
    why = []
    timed = [line for line in open_ if line.nadir and nadir_met(line, known, day_1) is None]
    missing = [name for name in _analytes(timed) if not counts_since(known, name, day_1)]
    if missing and len(missing) == len(_analytes(timed)):
        why.append("no count since the last treatment")
    elif missing:
        why.append(f"no count of {say_list([_label(known, name) for name in missing])} since the last treatment")
    elif timed:
        why.append("how long the count was low cannot be told from the counts there are")
    if any(line.febrile for line in open_):
        why.append("whether there was febrile neutropenia the record does not say")
    settle = "ask for fever since the last treatment; counts around the nadir"
    return Gap(what=f"whether the last cycle calls for less of {row.title}", why="; ".join(why), settle=settle)


def _past_text(
    lines: Sequence[TreatDayRow],
    counts: Sequence[Count],
    known: Known,
    *,
    gap: Gap | None,
    verdict: Advice | None,
    day_1: date,
) -> str:
    first = lines[0]
    lowest = [
        f"lowest {_label(known, name)} seen {say_count(min(own, key=lambda one: one.value))}"
        for name in _analytes(lines)
        if (own := [count for count in counts if count.analyte == name])
    ]
    seen = f"since {say_date(day_1)}{': ' if lowest else ''}{say_list(lowest)}"
    where = f" ({first.setting})" if first.setting else ""
    quoted = " ".join(line.says for line in lines)
    if verdict is None:
        why = gap.why if gap is not None else ""
        return f"{first.title}{where}, the last cycle: cannot say: {why} ({seen}). The rule: {quoted}"
    words = "nothing that the rule asks for was seen" if verdict in FREE else _CALLS_FOR.get(verdict, SAID[verdict])
    fever = "; febrile neutropenia" if any(line.febrile for line in lines) and febrile(known, day_1)[0] else ""
    return f"{first.title}{where}, the last cycle: {words}; {seen}{fever}. The rule: {quoted}"


def _label(known: Known, analyte: str) -> str:
    row = known.library.analytes.get(analyte)
    return row.short if row is not None and row.short else analyte


def _reason(
    lines: Sequence[TreatDayRow],
    ids: Sequence[str],
    known: Known,
    counts: Iterable[Count],
    evidence: Sequence[str] = (),
) -> Reason:
    own = [line for line in lines if line.id in ids]
    text = " ".join(line.says for line in own)
    rule = f"plan:treat_day:{lines[0].table}"
    return known.reason(
        rule, text, *(line.basis for line in own), evidence=[*(count.id for count in counts), *evidence]
    )
