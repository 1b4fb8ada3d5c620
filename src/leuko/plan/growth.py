"""Growth factor as an option: primary and secondary prophylaxis, use in fever, timing, stop rule, cautions; no dose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from leuko.drugs.shelf import in_group
from leuko.frozen import Frozen
from leuko.knowledge.schema.plan import FactorRow, GrowthRow, RegimenRow
from leuko.plan.limits import meets_limits
from leuko.plan.person import Known, facts_named
from leuko.plan.regimen import classes_of
from leuko.plan.since import febrile, had_febrile_neutropenia
from leuko.result import Gap, Reason
from leuko.result.plan import Option, Regimen, Standing
from leuko.wording import say_count, say_date, say_list, say_moment

_ORDER: Final[tuple[Standing, ...]] = ("cannot_say", "not_routine", "consider", "recommended")


class Factor(Frozen, frozen=True, kw_only=True):
    """A personal risk factor that the record names, by the bodies that list it."""

    name: str
    bodies: tuple[str, ...]
    reason: Reason


def growth_options(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> tuple[Option, ...]:
    """The options that the situation raises: none without chemotherapy and without fever in neutropenia."""
    found: list[Option] = []
    if regimen.told != "none":
        second = _secondary(known, regimen)
        found.append(second if second is not None else _primary(known, regimen, rows))
    fever, evidence = febrile(known, regimen.day_1)
    if fever:
        found.append(_therapeutic(known, evidence))
    elif regimen.told != "none" and _afebrile_neutropenia(known):
        found.append(_afebrile(known))
    return tuple(found)


def factors_of(known: Known) -> tuple[Factor, ...]:
    """The personal factors that the record names, once each."""
    found: dict[str, list[tuple[FactorRow, tuple[str, ...]]]] = {}
    for row in known.rows(FactorRow):
        evidence = _evidence(row, known)
        if evidence is not None:
            found.setdefault(row.id.rpartition("-")[0], []).append((row, evidence))
    return tuple(_factor(pairs, known) for pairs in found.values())


def _evidence(row: FactorRow, known: Known) -> tuple[str, ...] | None:
    if row.ages is not None:
        return () if known.of_age(row.ages) else None
    facts = facts_named(known.record.facts, words=row.words, icd10=row.icd10)
    usable = [fact for fact in facts if fact.start is None or fact.start.day <= known.as_of]
    return tuple(fact.id for fact in usable) or None


def _factor(pairs: Sequence[tuple[FactorRow, tuple[str, ...]]], known: Known) -> Factor:
    rows = [row for row, _ in pairs]
    bodies = tuple(dict.fromkeys(row.body for row in rows))
    text = f"{rows[0].name} ({say_list(bodies)})"
    evidence = [one for _, found in pairs for one in found]
    reason = known.reason(f"plan:factor:{rows[0].id}", text, *(row.basis for row in rows), evidence=evidence)
    return Factor(name=rows[0].name, bodies=bodies, reason=reason)


def _rows(known: Known, *topics: str) -> list[GrowthRow]:
    return [row for row in known.rows(GrowthRow) if row.topic in topics]


def _say(known: Known, row: GrowthRow) -> Reason:
    return known.reason(f"plan:growth:{row.id}", f"{row.body}: {row.says}", row.basis)


# ---- prophylaxis ----


def _primary(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> Option:
    classes, factors = classes_of(rows), factors_of(known)
    spoken = [row for row in _rows(known, "primary") if set(row.risk) & classes]
    usable = [row for row in spoken if not row.needs_factor or factors]
    waiting = [row for row in spoken if row.needs_factor and not factors]
    standing = _standing(row.standing for row in usable)
    if not spoken:
        standing = "not_routine" if classes == {"low"} else "cannot_say"
    elif waiting and standing == "cannot_say":
        standing = "not_routine"
    against = [_say(known, row) for row in _rows(known, "harm")]
    against += [_say(known, row) for row in usable if row.standing == "not_routine"]
    if waiting:
        against.append(_without_factor(known, waiting))
    given = _given(known)
    return _option(
        "growth:primary",
        "Growth factor from the first cycle (primary prophylaxis)",
        standing,
        known,
        what=_what(regimen, classes, standing, factors, given),
        spoken_for=[
            *(risk.reason for risk in regimen.risks if risk.reviewed and risk.classes),
            *(_say(known, row) for row in usable if row.standing in {"recommended", "consider"}),
            *(factor.reason for factor in factors),
            *(_say(known, row) for row in _rows(known, "efficacy") if "Kuderer" in row.body),
        ],
        against=against,
        conflicts=_clashing(regimen),
        missing=_unknown_risk(regimen, classes),
    )


def _what(
    regimen: Regimen, classes: frozenset[str], standing: Standing, factors: Sequence[Factor], given: list[str]
) -> str:
    name = regimen.name or say_list(regimen.drugs) or "the regimen"
    known = say_list(sorted(classes), "or")
    risk = f"{name}: risk of febrile neutropenia {known}" if classes else f"{name}: no confirmed risk class"
    own = f"; own factors: {say_list([factor.name for factor in factors])}" if factors else "; no own factor on record"
    now = f". Already in the record: {say_list(given)}" if given else ""
    words = {
        "recommended": "growth factor is recommended",
        "consider": "growth factor may be considered",
        "not_routine": "not as a routine",
        "cannot_say": "what the bodies would say cannot be told",
    }
    return f"{risk}{own}: {words[standing]}{now}."


def _without_factor(known: Known, rows: Sequence[GrowthRow]) -> Reason:
    text = "At 10 to 20 % the bodies decide on personal factors, and the record names none: ask for them."
    return known.reason("plan:growth:no-factor", text, *(row.basis for row in rows))


def _given(known: Known) -> list[str]:
    late = [one for one in known.taken if (known.as_of - one.day).days <= known.rules.present_days]
    used = [one for one in late if in_group((one.drug,), "growth factor", known.shelf)]
    return [f"{used[-1].drug} on {say_date(used[-1].day)}"] if used else []


def _unknown_risk(regimen: Regimen, classes: frozenset[str]) -> list[Gap]:
    if classes:
        return []
    if regimen.told in {"ambiguous", "unknown"}:
        return list(regimen.gaps)
    listed = [risk.text for risk in regimen.risks if not risk.reviewed]
    why = f"only unconfirmed: {say_list(listed)}" if listed else "no body read lists it"
    settle = "the current list of regimens of a guideline"
    return [Gap(what=f"the risk of febrile neutropenia with {regimen.name}", why=why, settle=settle)]


def _clashing(regimen: Regimen) -> list[Reason]:
    """Two bodies that class one regimen differently."""
    risks = [risk for risk in regimen.risks if risk.reviewed and risk.classes and risk.classes != ("not_listed",)]
    if len({risk.classes for risk in risks}) < 2:
        return []
    text = f"{regimen.name} is classed differently: {say_list([risk.text for risk in risks])}"
    sources = tuple(dict.fromkeys(c for risk in risks for c in risk.reason.citations))
    return [Reason(rule=f"conflict:risk:{regimen.id}", text=text, citations=sources)]


def _secondary(known: Known, regimen: Regimen) -> Option | None:
    """After febrile or severe neutropenia under chemotherapy; None where the record holds neither."""
    fever, evidence = febrile(known, regimen.day_1)
    earlier = had_febrile_neutropenia(known)
    if not (fever or earlier):
        return None
    rows = _rows(known, "secondary")
    text = "febrile neutropenia since this cycle began" if fever else "the record names febrile neutropenia"
    why = known.reason("plan:growth:earlier", text, evidence=[*evidence, *earlier])
    return _option(
        "growth:secondary",
        "Growth factor with the next cycle (secondary prophylaxis)",
        _standing(row.standing for row in rows),
        known,
        what=f"After febrile neutropenia with {regimen.name or say_list(regimen.drugs)}: growth factor where a lower "
        "dose would cost outcome; else a lower dose or a delay.",
        spoken_for=[why, *(_say(known, row) for row in rows)],
        against=[
            known.reason(
                "plan:growth:alternative",
                "A lower dose or a delay is the alternative where dose intensity is not decisive.",
                *(row.basis for row in rows),
            ),
            *(_say(known, row) for row in _rows(known, "harm")),
        ],
        conflicts=[],
        missing=[Gap(what="the aim of treatment", why="not told from the record", settle="curative or palliative")],
    )


# ---- use in neutropenia ----


def _afebrile_neutropenia(known: Known) -> bool:
    status = known.latest.get("neutrophils")
    return status is not None and any(met.house and met.met for met in status.definitions)


def _afebrile(known: Known) -> Option:
    rows = _rows(known, "afebrile")
    status = known.latest["neutrophils"]
    text = f"ANC {say_count(status.count)} on {say_moment(status.count.taken)}, no fever on record"
    return _option(
        "growth:afebrile",
        "Growth factor for neutropenia without fever",
        _standing(row.standing for row in rows),
        known,
        what="Not as a routine while there is no fever; chronic and congenital neutropenia have rules of their own.",
        spoken_for=[],
        against=[
            known.reason("plan:growth:afebrile", text, evidence=[status.count.id]),
            *(_say(known, row) for row in rows),
        ],
        conflicts=[],
        missing=[Gap(what="fever", why="none is recorded, which does not rule it out", settle="ask and measure")],
    )


def _therapeutic(known: Known, evidence: Sequence[str]) -> Option:
    rows = _rows(known, "therapeutic")
    routine = [row for row in rows if row.standing == "not_routine"]
    at_risk = [row for row in rows if row.standing == "consider"]
    why = known.reason("plan:growth:fever", "a definition of febrile neutropenia is met", evidence=evidence)
    return _option(
        "growth:therapeutic",
        "Growth factor beside antibiotics in febrile neutropenia",
        _standing(row.standing for row in rows),
        known,
        what="Not as a routine; at high risk of a bad course it is weighed for the single person.",
        spoken_for=[_say(known, row) for row in at_risk],
        against=[why, *(_say(known, row) for row in routine)],
        conflicts=[],
        missing=[],
    )


# ---- what all have in common ----


def _standing(found: Iterable[str]) -> Standing:
    given = set(found)
    said: list[Standing] = [one for one in _ORDER if one in given]
    return said[-1] if said else "cannot_say"


def _option(
    name: str,
    title: str,
    standing: Standing,
    known: Known,
    *,
    what: str,
    spoken_for: Sequence[Reason],
    against: Sequence[Reason],
    conflicts: Sequence[Reason],
    missing: Sequence[Gap],
) -> Option:
    timing = _rows(known, "timing")
    stop = _rows(known, "stop_rule")
    clash = [_stop_clash(known, stop)] if len({row.number for row in stop}) > 1 else []
    own, other = _cautions(known)
    every = (*spoken_for, *against)
    return Option(
        id=name,
        topic="growth_factor",
        title=title,
        standing=standing,
        what=what,
        when=" ".join(f"{row.body}: {row.says}" for row in timing),
        until=" ".join(f"{row.body}: {row.says}" for row in stop),
        speaks_for=tuple(spoken_for),
        speaks_against=tuple(against),
        cautions=(*own, *other),
        conflicts=(*conflicts, *clash),
        missing=tuple(missing),
        reason=Reason(
            rule=f"plan:{name}",
            text=what,
            evidence=tuple(dict.fromkeys(one for reason in every for one in reason.evidence)),
            citations=tuple(dict.fromkeys(c for reason in every for c in reason.citations)),
        ),
    )


def _stop_clash(known: Known, rows: Sequence[GrowthRow]) -> Reason:
    text = f"When to stop: {say_list([f'{row.body}: {row.number}' for row in rows])}"
    return known.reason("conflict:growth:stop", text, *(row.basis for row in rows))


def _cautions(known: Known) -> tuple[list[Reason], list[Reason]]:
    """Cautions that the record makes the person's own, and the others."""
    own, other = [], []
    for row in _rows(known, "caution"):
        facts = facts_named(known.record.facts, words=row.watch)
        counts = [known.counts[name] for name in row.limits if name in known.counts]
        met = bool(row.limits) and meets_limits(row.limits, known.counts)
        if facts or met:
            named = say_list([fact.name for fact in facts]) or say_list([say_count(count) for count in counts])
            evidence = [fact.id for fact in facts] + [count.id for count in counts]
            words = f"In the record: {named}. {row.says}"
            own.append(known.reason(f"plan:growth:{row.id}", words, row.basis, evidence=evidence))
        else:
            other.append(known.reason(f"plan:growth:{row.id}", row.says, row.basis))
    return own, other
