"""Antimicrobials as options: prophylaxis and treatment by class and indication, start and stop; never a dose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leuko.drugs.shelf import in_group
from leuko.frozen import Frozen
from leuko.knowledge.schema.plan import AntimicrobialRow, RegimenRow, SituationRow
from leuko.plan.person import Known, facts_named
from leuko.plan.regimen import classes_of
from leuko.plan.since import febrile
from leuko.result import Gap, Reason
from leuko.result.plan import Option, Regimen, Standing, Topic
from leuko.wording import say_list

_TITLES: Final[dict[str, str]] = {
    "bacterial_prophylaxis": "Prophylaxis against bacteria",
    "fungal_prophylaxis": "Prophylaxis against fungi",
    "pjp_prophylaxis": "Prophylaxis against Pneumocystis pneumonia",
    "viral_prophylaxis": "Prophylaxis against herpes simplex",
    "hbv_prophylaxis": "Prophylaxis against hepatitis B reactivation",
    "vaccine": "Influenza vaccine, inactivated",
    "timing": "Time to the first antibiotic",
    "empirical_low_risk": "Empirical treatment, low risk",
    "empirical_high_risk": "Empirical treatment, high risk",
    "add_on": "Antibiotics against resistant Gram-positive bacteria",
    "antifungal_empirical": "Empirical antifungal treatment",
    "stop_rule": "When antibiotics may stop",
    "cultures": "Tests before antibiotics",
    "chronic": "Chronic neutropenia",
}
_TREATMENT: Final = frozenset(
    {"timing", "empirical_low_risk", "empirical_high_risk", "add_on", "antifungal_empirical", "stop_rule", "cultures"}
)
_NO_CLASS: Final = frozenset({"any", "all", "tests"})
_HBV: Final = "hbv_prophylaxis"


class Situation(Frozen, frozen=True, kw_only=True):
    """A situation that the record shows, and where."""

    id: str
    reason: Reason


def antimicrobial_options(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> tuple[Option, ...]:
    """One option for each use that the person's situations raise."""
    met = _situations(known, regimen, rows)
    spoken = [row for row in known.rows(AntimicrobialRow) if _speaks(row, met)]
    uses = [use for use in _TITLES if any(row.use == use for row in spoken)]
    return tuple(_option(use, [row for row in spoken if row.use == use], met, known) for use in uses)


def _speaks(row: AntimicrobialRow, met: dict[str, Situation]) -> bool:
    return bool(row.needs) and set(row.needs) <= set(met) and not set(row.unless) & set(met)


def _situations(known: Known, regimen: Regimen, rows: Sequence[RegimenRow]) -> dict[str, Situation]:
    classes = classes_of(rows)
    found = {}
    for row in known.rows(SituationRow):
        reason = _met(row, known, regimen, classes)
        if reason is not None:
            found[row.id] = Situation(id=row.id, reason=reason)
    fever, evidence = febrile(known, known.as_of)
    if fever:
        text = "a definition of febrile neutropenia is met"
        found["fn"] = Situation(id="fn", reason=known.reason("plan:situation:fn", text, evidence=evidence))
        low = _low_risk(known)
        if low is not None:
            found["low_risk"] = Situation(id="low_risk", reason=low)
    return found


def _met(row: SituationRow, known: Known, regimen: Regimen, classes: frozenset[str]) -> Reason | None:
    facts = facts_named(known.record.facts, words=row.words, icd10=row.icd10)
    since = row.recent_days
    late = [one for one in known.taken if since is None or (known.as_of - one.day).days <= since]
    drugs = [o for o in late if o.drug in row.drugs or any(in_group((o.drug,), g, known.shelf) for g in row.groups)]
    chemo = row.id == "chemotherapy" and regimen.told != "none"
    if not (facts or drugs or chemo or set(row.risk) & classes):
        return None
    named = [fact.name for fact in facts] + sorted({one.drug for one in drugs})
    text = f"{row.name}: {say_list(named)}" if named else f"{row.name}: {regimen.text}"
    evidence = [fact.id for fact in facts] + [one.dose.id for one in drugs]
    return known.reason(f"plan:situation:{row.id}", text, row.basis, evidence=evidence)


def _low_risk(known: Known) -> Reason | None:
    """Low risk by MASCC, where its total is certain and it may be used; else nobody is low risk."""
    for score in known.scores:
        named = str(getattr(score, "id", "")).startswith("mascc")
        if named and getattr(score, "eligible", None) and "low" in str(getattr(score, "band", "") or "").casefold():
            reason: Reason = score.reason
            return Reason(
                rule="plan:situation:low_risk",
                text=str(score.says),
                evidence=reason.evidence,
                citations=tuple(score.citations) or reason.citations,
            )
    return None


def _option(use: str, rows: Sequence[AntimicrobialRow], met: dict[str, Situation], known: Known) -> Option:
    pro = [row for row in rows if not row.against]
    con = [row for row in rows if row.against]
    topic: Topic = "antimicrobial_therapy" if use in _TREATMENT else "antimicrobial_prophylaxis"
    if use == "vaccine":
        topic = "prevention"
    why = [met[name].reason for name in dict.fromkeys(name for row in rows for name in row.needs)]
    what = "; ".join(f"{row.body}: {_of_what(row)}" for row in rows)
    every = (*why, *(_say(known, row) for row in rows))
    return Option(
        id=f"antimicrobial:{use}",
        topic=topic,
        title=_TITLES[use],
        standing=_standing(rows),
        what=what,
        when="; ".join(f"{row.body}: {row.start}" for row in rows if row.start),
        until="; ".join(f"{row.body}: {row.stop}" for row in rows if row.stop),
        speaks_for=(*why, *(_say(known, row) for row in pro)),
        speaks_against=tuple(_say(known, row) for row in con),
        conflicts=_clash(use, rows, known),
        missing=_missing(use, rows, met, known),
        reason=Reason(
            rule=f"plan:antimicrobial:{use}",
            text=what,
            evidence=tuple(dict.fromkeys(one for reason in every for one in reason.evidence)),
            citations=tuple(dict.fromkeys(c for reason in every for c in reason.citations)),
        ),
    )


def _say(known: Known, row: AntimicrobialRow) -> Reason:
    return known.reason(f"plan:antimicrobial:{row.id}", f"{row.body}: {_class_first(row)}{row.trigger}", row.basis)


def _standing(rows: Sequence[AntimicrobialRow]) -> Standing:
    """The strongest wording; the person's fit to the other triggers of a row stays with the reader."""
    order: tuple[Standing, ...] = ("not_routine", "consider", "recommended")
    return max((row.standing for row in rows), key=order.index, default="cannot_say")


def _clash(use: str, rows: Sequence[AntimicrobialRow], known: Known) -> tuple[Reason, ...]:
    """Bodies that differ: one for and one against, another start, another stop."""
    said = {(row.against, row.start if use == "timing" else row.stop if use == "stop_rule" else "") for row in rows}
    if len(said) < 2:
        return ()
    text = f"{_TITLES[use]}: {'; '.join(f'{row.body}: {row.trigger}' for row in rows)}"
    return (known.reason(f"conflict:antimicrobial:{use}", text, *(row.basis for row in rows)),)


def _missing(use: str, rows: Sequence[AntimicrobialRow], met: dict[str, Situation], known: Known) -> tuple[Gap, ...]:
    del known
    gaps = []
    if use == _HBV:
        gaps.append(
            Gap(
                what="hepatitis B serology",
                why="the recommendation rests on surface antigen and core antibody",
                settle="HBsAg and anti-HBc before treatment",
            )
        )
    if use == "bacterial_prophylaxis" and any(row.needs == ("chemotherapy",) for row in rows):
        gaps.append(
            Gap(
                what="how deep and how long the neutropenia will be",
                why="the bodies ask for the expected ANC and its days, which no count on record tells",
                settle="the regimen's usual course, or a forecast",
            )
        )
    if use in {"empirical_high_risk", "add_on"} and "low_risk" not in met:
        gaps.append(
            Gap(
                what="whether the risk is low",
                why="no score that may be used says so with all its items",
                settle="MASCC with every item, by a clinician",
            )
        )
    return tuple(gaps)


def _of_what(row: AntimicrobialRow) -> str:
    """The class and the people; a statement about no class in particular names the people only."""
    return row.population if row.drug_class in _NO_CLASS else f"{row.drug_class} ({row.population})"


def _class_first(row: AntimicrobialRow) -> str:
    return "" if row.drug_class in _NO_CLASS else f"{row.drug_class}. "
