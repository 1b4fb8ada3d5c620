"""Whether a record names something: yes, perhaps, or not at all. Silence is never a no."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

from leuko.frozen import Frozen
from leuko.knowledge.schema.scores import ConceptRow
from leuko.record import Dose, Fact, Moment, Patient
from leuko.scores.setting import Setting
from leuko.wording import say_moment

State = Literal["yes", "no", "maybe", "silent"]
_DOUBT: Final = ("provisional", "differential", "unconfirmed", "refuted", "inactive", "resolved", "remission")
_ORDER: Final[tuple[State, ...]] = ("yes", "maybe", "silent")
_CATEGORY: Final = re.compile(r"[A-Z]\d[0-9A-Z]")


class Named(Frozen, frozen=True, kw_only=True):
    """What the record says of a concept; "no" only where somebody said so. `clash`: record and answer contradict."""

    state: State
    text: str = ""
    evidence: tuple[str, ...] = ()
    clash: bool = False


def concept(name: str, setting: Setting) -> Named:
    """Whether the record or an answer names a concept by its id; silent where its row is not confirmed."""
    row = setting.tables.concepts.get(name)
    return named(row, setting) if row is not None else Named(state="silent")


def named(row: ConceptRow, setting: Setting) -> Named:
    """Whether the record or an answer names the concept on the day."""
    found = _in_record(row, setting)
    answer = setting.answers.words.get(row.id)
    if answer is None:
        return found
    if answer == "no" and found.state == "yes":
        text = f"{found.text}, but the answer given is no"
        return Named(state="maybe", text=text, evidence=found.evidence, clash=True)
    return Named(state="yes" if answer == "yes" else "no", text=f"{row.label}: {answer} (given by hand)")


def _in_record(row: ConceptRow, setting: Setting) -> Named:
    if row.person:
        return _of_person(row, setting.record.patient)
    found = [_of_fact(fact, row, setting.as_of) for fact in setting.record.facts]
    found += [_of_dose(dose, row, setting.as_of) for dose in setting.record.doses] if row.drugs or row.atc else []
    return min(reversed(found), key=lambda one: _ORDER.index(one.state), default=Named(state="silent"))


def _of_person(row: ConceptRow, patient: Patient) -> Named:
    pregnant = False if patient.sex == "male" else patient.pregnant
    if pregnant is None:
        return Named(state="silent")
    text = "pregnant" if pregnant else "male" if patient.sex == "male" else "not pregnant, as recorded"
    return Named(state="yes" if pregnant is (row.person == "pregnant") else "no", text=text)


# ---- facts ----------------------------------------------------------------------------------------------------------


def _of_fact(fact: Fact, row: ConceptRow, as_of: date) -> Named:
    state = matches(fact, row)
    begun = fact.start or fact.recorded
    if state == "silent" or (begun is not None and begun.day > as_of) or _over(fact.end, row, as_of):
        return Named(state="silent")
    ended = fact.end is not None and fact.end.day <= as_of and fact.kind == "condition"
    doubt = next((word for word in _DOUBT if word in fact.status.lower()), "ended" if ended else "")
    since = f" since {say_moment(fact.start)}" if fact.start is not None else ""
    text = f"{fact.name}{since}" + (f" ({doubt})" if doubt else "")
    return Named(state="maybe" if doubt else state, text=text, evidence=(fact.id,))


def matches(fact: Fact, row: ConceptRow) -> State:
    """Whether a fact is the concept, by its codes or its name: yes, perhaps or not ("silent")."""
    if fact.kind not in row.kinds or any(word in fact.name.lower() for word in row.unless):
        return "silent"
    codes = [code.code for code in fact.codes if _is_icd10(code.system)]
    if _any_code(codes, row.icd10) or _any_word(fact.name, row.words):
        return "yes"
    return "maybe" if _any_code(codes, row.maybe) or _any_word(fact.name, row.maybe_words) else "silent"


def _is_icd10(system: str) -> bool:
    low = system.lower()
    return "icd-10" in low or "icd10" in low


def _any_code(codes: Iterable[str], wanted: Iterable[str]) -> bool:
    return any(_is_code(code, one) for code in codes for one in wanted)


def _is_code(code: str, wanted: str) -> bool:
    bare = code.upper().replace(".", "")
    if "-" not in wanted:
        return bare.startswith(wanted.replace(".", ""))
    first, last = wanted.split("-")
    return _CATEGORY.match(bare) is not None and first <= bare[:3] <= last


def _any_word(name: str, words: Iterable[str]) -> bool:
    low = name.lower()
    return any(re.search(rf"\b{re.escape(word)}", low) is not None for word in words)


def _over(end: Moment | None, row: ConceptRow, as_of: date) -> bool:
    return row.max_age_days is not None and end is not None and (as_of - end.day).days > row.max_age_days


# ---- medicines ------------------------------------------------------------------------------------------------------


def _of_dose(dose: Dose, row: ConceptRow, as_of: date) -> Named:
    atc = [code.code for code in dose.codes if "atc" in code.system.lower() or "whocc" in code.system.lower()]
    meant = _any_word(dose.drug, row.drugs) or any(code.startswith(one) for code in atc for one in row.atc)
    planned = "(" in dose.status or dose.status in {"draft", "cancelled", "not-done", "entered-in-error"}
    if not meant or planned or (dose.start is not None and dose.start.day > as_of):
        return Named(state="silent")
    last = dose.end or dose.start
    text = f"{dose.drug} {'until' if dose.end is not None else 'from'} {say_moment(last)}" if last else dose.drug
    running = dose.end is None and dose.status == "active"
    if last is None:
        return Named(state="maybe", text=f"{text} on an unknown day", evidence=(dose.id,))
    if not running and row.max_age_days is not None and (as_of - last.day).days > row.max_age_days:
        return Named(state="silent")
    return Named(state="yes", text=text, evidence=(dose.id,))
