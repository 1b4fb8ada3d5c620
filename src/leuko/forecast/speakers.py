"""Which models may speak of a person: those of the medicines given, in whose domain the person lies."""

from __future__ import annotations

from leuko.forecast.case import Case
from leuko.forecast.dosing import Dosing, missing_amounts
from leuko.forecast.library import Candidate, model_row, models_for
from leuko.result import Gap
from leuko.wording import say_list


def speakers(case: Case, analyte: str, dosing: Dosing) -> tuple[tuple[Candidate, ...], tuple[Gap, ...]]:
    """The models that may speak, best first; and why none does."""
    doses = dosing.doses()
    every = models_for(
        doses.drugs,
        covariates=case.covariates,
        library=case.library,
        line=analyte,
        factors=doses.factors,
        per_m2=doses.per_m2,
        outside=True,
    )
    if case.wish.model is not None:
        asked = model_row(case.wish.model, case.library)
        every = tuple(one for one in every if one.row.id == case.wish.model)
        if not every and asked.line == analyte:
            why = f"{asked.title} does not speak of {say_list(list(doses.drugs))}"
            return (), (Gap(what="the coming counts", why=why, settle="another model: `leuko knowledge show model`"),)
    usable = [one for one in every if not _why_not(one, dosing, case)]
    usable = [one for one in usable if one.row.role == "medicine"] or usable
    if usable:
        inside = [one for one in usable if one.domain == usable[0].domain]
        return tuple(inside[: int(case.rules["models_most"])]), ()
    return (), tuple(
        Gap(
            what="the coming counts",
            why=f"{one.row.title}: {_why_not(one, dosing, case)}",
            settle=_settles(one, dosing),
        )
        for one in every
    )


def _settles(one: Candidate, dosing: Dosing) -> str:
    return "the doses" if missing_amounts(dosing, one.model) else "a model for people like this one"


def _why_not(one: Candidate, dosing: Dosing, case: Case) -> str:
    """Why a model may not speak of this person; "" where it may."""
    if one.domain == "outside":
        return one.domain_text
    age = case.covariates.get("age")
    if age is not None and age < case.rules["adult_years"] and not one.row.domain.children:
        return "it was not made for children"
    if not one.personal:
        return "how people differ is not known, so it cannot speak of one person"
    missing = missing_amounts(dosing, one.model)
    return f"the dose of {say_list(list(missing))} is not known" if missing else ""
