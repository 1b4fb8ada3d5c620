"""Five invented people, end to end: what a haematologist must find, what the patient is told, what is never guessed.

The people are the shipped examples (scripts/people.py). Each statement of common patient information on a low white
count stands in `PAGE` in our own words, with the person on whom it runs and what shows that it works.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import leuko
from leuko.assessment import Asked, assess
from leuko.intake import read
from leuko.intake.symptoms import parse_symptom
from leuko.knowledge import load_library
from leuko.report.leaflet import leaflet
from leuko.result import Assessment

PEOPLE = Path(leuko.__file__).parent / "data" / "examples" / "people"
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "people.py"
LIBRARY = load_library()
AS_OF = {
    "chemotherapy-fever": date(2026, 5, 13),
    "clozapine": date(2026, 3, 12),
    "pancytopenia": date(2026, 6, 17),
    "duffy-null": date(2026, 2, 10),
    "duffy-untested": date(2026, 2, 10),
    "child-after-virus": date(2026, 3, 12),
}


@cache
def found(name: str, as_of: date | None = None, asked: tuple[str, ...] = ()) -> Assessment:
    """The assessment of one shipped person, on the day of the story or another."""
    taken = read(PEOPLE / f"{name}.json")
    signs = tuple(parse_symptom(text, library=LIBRARY) for text in asked)
    return assess(
        taken.records[0],
        as_of=as_of or AS_OF[name],
        library=LIBRARY,
        notices=taken.notices,
        asked=Asked(symptoms=signs),
    )


def changed(name: str, folder: Path, change: Callable[[dict[str, Any]], None], **asked: Any) -> Assessment:
    """A shipped person with the bundle changed: `change` gets every resource and edits it in place."""
    bundle = json.loads((PEOPLE / f"{name}.json").read_text("utf-8"))
    for entry in bundle["entry"]:
        change(entry["resource"])
    path = folder / f"{name}.json"
    path.write_text(json.dumps(bundle), "utf-8")
    taken = read(path)
    return assess(taken.records[0], as_of=AS_OF[name], library=LIBRARY, notices=taken.notices, asked=Asked(**asked))


def test_the_shipped_people_are_what_the_script_writes() -> None:
    told = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


def supported(person: Assessment) -> list[str]:
    return [cause.name for cause in person.causes if cause.standing == "supported"]


def steps(person: Assessment) -> dict[str, str]:
    """Steps in order: id -> urgency."""
    return {step.id: step.urgency for step in person.steps}


def asked_tests(person: Assessment) -> set[str]:
    return {test for step in person.steps for test in step.tests}


def verdicts(person: Assessment) -> dict[str, bool | None]:
    return {one.body: one.met for one in person.infection.verdicts}


def score(person: Assessment, name: str) -> Any:
    return next(one for one in person.scores if one.id == name)


def texts(value: Any) -> Iterator[str]:
    """Every text of an assessment that a reader may be shown, without what knowledge rows and sources are called."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for one in value:
            yield from texts(one)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            if name not in {"citations", "sources", "origin", "evidence", "rule", "id", "knowledge_hash"}:
                yield from texts(getattr(value, name))


# ---- breast cancer, TAC, fever of 38.6 with ANC 0.3 -----------------------------------------------------------------


class TestChemotherapyWithFever:
    def test_the_emergency_comes_first(self) -> None:
        person = found("chemotherapy-fever")
        assert person.headline.startswith("Febrile neutropenia")
        assert "emergency" in person.headline.split("Severe")[0]
        assert "severe neutropenia: Neutrophils 0.3" in person.headline
        assert person.infection.urgency.level == "emergency"
        assert next(iter(steps(person).items())) == ("fever-emergency", "emergency")
        assert "two sets of blood cultures, one from each lumen of a central line" in asked_tests(person)

    def test_chemotherapy_explains_it_and_is_not_asked_for(self) -> None:
        top = found("chemotherapy-fever").causes[0]
        assert (top.name, top.standing, top.strength) == ("Cytotoxic chemotherapy", "supported", "strong")
        assert top.unexplained == ()
        assert "dates of chemotherapy cycles" not in {clue.settle for clue in top.missing}

    def test_every_body_in_force_calls_it_febrile_neutropenia(self) -> None:
        said = verdicts(found("chemotherapy-fever"))
        assert {said[body] for body in ("IDSA", "ASCO/IDSA", "NCCN", "ESMO", "NICE", "SEOM", "CTCAE 5")} == {True}

    def test_bodies_disagree_at_38_2_and_each_says_why(self, tmp_path: Path) -> None:
        def cooler(resource: dict[str, Any]) -> None:
            if resource["id"].startswith("chemotherapy-fever-temp"):
                resource["valueQuantity"]["value"] = 38.2

        person = changed("chemotherapy-fever", tmp_path, cooler)
        said = verdicts(person)
        assert said["NICE"] is True
        assert said["ESMO"] is not True
        assert said["IDSA"] is not True
        esmo = next(one for one in person.infection.verdicts if one.body == "ESMO")
        assert "38.2" in esmo.reason.text
        assert "38.3" in esmo.reason.text

    def test_scores_give_ranges_and_name_what_is_missing(self) -> None:
        person = found("chemotherapy-fever")
        mascc = score(person, "mascc")
        assert mascc.total is None
        assert mascc.band is None
        assert (mascc.least, mascc.most) == (6, 26)
        assert "systolic blood pressure" in mascc.says
        assert mascc.gap is not None
        assert "Systolic blood pressure" in mascc.gap.settle
        assert score(person, "qsofa").most == 2  # the respiratory rate is known and scores nothing
        assert score(person, "cisne").eligible is None
        assert score(person, "spog").eligible is False

    def test_the_plan_treats_now_and_looks_at_the_next_cycle(self) -> None:
        plan = found("chemotherapy-fever").plan
        assert (plan.regimen.told, plan.regimen.id) == ("drugs", "TAC") or plan.regimen.name.startswith("TAC")
        standing = {option.id: option.standing for option in plan.options}
        assert standing["antimicrobial:timing"] == "recommended"
        assert standing["growth:therapeutic"] == "not_routine"
        assert standing["growth:secondary"] == "consider"
        assert any(day.verdict == "reduce" and "75 to 60" in day.then for day in plan.treat_days)
        today = next(day for day in plan.treat_days if day.on_count == "withhold")
        assert today.verdict == "cannot_say"
        assert (plan.next_counts[0].due, plan.next_counts[0].overdue) == (date(2026, 5, 14), False)
        assert "every day" in plan.next_counts[0].text

    def test_the_patient_calls_at_once(self) -> None:
        advice = found("chemotherapy-fever").advice
        fever = next(call for call in advice.calls if call.id == "call:fever-high")
        assert fever.active
        assert fever.speed == "at_once"
        assert advice.situation.tier == "high"

    def test_no_search_for_other_causes_while_the_cycle_explains_it(self) -> None:
        assert "anticancer-later" in steps(found("chemotherapy-fever"))
        assert "marrow" not in steps(found("chemotherapy-fever"))


# ---- clozapine, week 9 ----------------------------------------------------------------------------------------------


class TestClozapine:
    def test_the_headline_says_what_the_schemes_ask_for(self) -> None:
        person = found("clozapine")
        assert person.headline.startswith("Clozapine at these counts: stop by UK (MHRA) and interrupt by US label.")
        assert "Moderate neutropenia: Neutrophils 0.8" in person.headline

    def test_clozapine_before_valproate_and_both_are_named(self) -> None:
        person = found("clozapine")
        links = {link.drug: link.strength for link in person.drug_links}
        assert links == {"clozapine": "moderate", "valproic acid": "weak"}
        assert person.causes[0].drugs == ("clozapine",)
        assert person.causes[0].standing == "supported"

    def test_each_country_has_its_band_and_next_count(self) -> None:
        watched = {one.scheme: one for one in found("clozapine").plan.monitoring}
        assert (watched["clozapine-uk"].band, watched["clozapine-uk"].action) == ("red", "stop")
        assert (watched["clozapine-us"].band, watched["clozapine-us"].action) == ("moderate", "withhold")
        assert watched["clozapine-us"].on_drug_days == 59
        assert {watched[name].due for name in ("clozapine-uk", "clozapine-us")} == {date(2026, 3, 13)}
        assert watched["clozapine-eu"].due is None  # the weekly schedule of good counts does not hold here
        assert any("Schemes differ" in clash.text for clash in found("clozapine").plan.conflicts)
        assert any("Duffy" in gap.why for gap in found("clozapine").plan.gaps)

    def test_the_medicine_is_acted_on_before_the_search(self) -> None:
        order = list(steps(found("clozapine")))
        assert order.index("clozapine") < order.index("look-and-ask") < order.index("neutropenia-tests")
        assert steps(found("clozapine"))["clozapine"] == "same_day"
        assert not any("within 90 days" in step.by_when for step in found("clozapine").steps)

    def test_infection_is_asked_for_and_nothing_known_is_asked_again(self) -> None:
        urgency = found("clozapine").infection.urgency
        assert urgency.level == "cannot_say"
        assert "chills" in urgency.text
        assert "fever and chills" not in urgency.text
        assert verdicts(found("clozapine"))["NICE"] is False

    def test_a_sore_throat_makes_it_urgent(self) -> None:
        person = found("clozapine", asked=("sore throat",))
        assert person.infection.urgency.level in {"urgent", "emergency"}
        assert any(call.active for call in person.advice.calls)

    def test_the_leaflet_says_to_call_today_before_the_next_dose(self) -> None:
        person = found("clozapine")
        lead = " ".join(leaflet(person, person.advice, library=LIBRARY).lead)
        assert "below a limit for clozapine" in lead
        assert "before you take the next dose" in lead
        assert any("clozapin" in line.lower() for line in leaflet(person, person.advice, language="de").lead)

    def test_no_words_of_chemotherapy(self) -> None:
        person = found("clozapine")
        assert person.advice.situation.treatment is False
        assert person.plan.regimen.told == "none"
        assert not person.plan.options
        shown = (person.headline, person.answers, person.causes[0].name, person.steps, person.plan.next_counts)
        assert not [text for text in texts(shown) if "chemotherapy" in text.lower()]


# ---- pancytopenia, MCV 118 ------------------------------------------------------------------------------------------


class TestPancytopenia:
    def test_the_headline_names_all_three_lines(self) -> None:
        assert found("pancytopenia").headline.startswith("Pancytopenia with mild neutropenia: Neutrophils 1.2")
        assert "haemoglobin 84 g/L and platelets 94" in found("pancytopenia").headline
        assert found("pancytopenia").lines.name == "pancytopenia"

    def test_vitamin_b12_first_and_dysplasia_not_forgotten(self) -> None:
        person = found("pancytopenia")
        assert supported(person) == ["Vitamin B12 deficiency", "Folate deficiency", "Myelodysplastic neoplasm"]
        top = person.causes[0]
        assert top.strength == "strong"
        assert any("Metformin" in clue.text and "B12" in clue.text for clue in top.clues_for)
        assert any("hypersegmented" in clue.text for clue in top.clues_for)
        assert "serum vitamin B12" in {clue.settle for clue in top.missing}

    def test_b12_and_folate_are_asked_for_the_film_is_not(self) -> None:
        person = found("pancytopenia")
        assert {"vitamin B12", "folate"} <= asked_tests(person)
        assert "blood film" not in asked_tests(person)
        film = next(step for step in person.steps if step.id == "film")
        assert film.done
        assert "hypersegmented" in film.already[0].text
        assert steps(person)["refer-urgent"] == "urgent"
        marrow = next(step for step in person.steps if step.id == "marrow")
        assert "after B12" in marrow.by_when

    def test_no_rule_for_an_isolated_mild_neutropenia_is_applied(self) -> None:
        plan = found("pancytopenia").plan
        assert plan.next_counts == ()
        assert any(gap.what == "when to count again" for gap in plan.gaps)

    def test_metformin_is_not_blamed_for_the_counts(self) -> None:
        (link,) = found("pancytopenia").drug_links
        assert (link.drug, link.role) == ("Metformin", "unlisted")

    def test_nobody_of_71_is_asked_for_a_pregnancy(self) -> None:
        assert score(found("pancytopenia"), "news2").eligible is True


# ---- a healthy adult with the Duffy-null phenotype ------------------------------------------------------------------


class TestDuffyNull:
    def test_a_count_usual_for_the_person_is_not_called_neutropenia(self) -> None:
        person = found("duffy-null")
        assert "Duffy-null" in person.headline
        assert "neutropenia" not in person.headline.lower()
        is_low = next(answer for answer in person.answers if answer.question == "is_it_low")
        assert is_low.text.startswith("Only by the general limits, not for this person")
        how_bad = next(answer for answer in person.answers if answer.question == "how_bad")
        assert "do not know the Duffy-null phenotype" in how_bad.text

    def test_it_is_the_top_cause_and_nothing_further_is_asked(self) -> None:
        person = found("duffy-null")
        assert person.causes[0].name == "Duffy-null associated neutrophil count"
        assert person.causes[0].strength == "strong"
        assert list(steps(person)) == ["duffy"]
        assert not asked_tests(person)
        assert person.plan.next_counts == ()

    def test_nobody_frightens_the_patient(self) -> None:
        advice = found("duffy-null").advice
        assert (advice.situation.benign, advice.situation.tier) == (True, "usual")
        assert any("no more than other people" in one.text for one in advice.outlook)

    def test_the_years_are_told_as_they_were(self) -> None:
        since = next(answer for answer in found("duffy-null").answers if answer.question == "since_when")
        assert "5 occasions" in since.text
        assert "Lowest on record 1.1" in since.text
        assert "All its counts lie inside" not in since.text  # 1.1 and 1.2 lay below 1.21

    def test_untested_the_phenotype_is_asked_for_and_never_inferred(self) -> None:
        person = found("duffy-untested")
        assert person.headline.startswith("Mild neutropenia: Neutrophils 1.3")
        assert person.patient.duffy_null is None
        assert "red cell phenotype Fy(a)/Fy(b), or ACKR1 genotype" in asked_tests(person)
        assert not supported(person)  # what remains by exclusion is no finding while nothing is excluded
        assert not any(figure for one in person.advice.outlook for figure in one.figures)
        assert any(step.conflict is not None for step in person.steps)


# ---- a child of 4 after a virus -------------------------------------------------------------------------------------


class TestChildAfterVirus:
    def test_recovered_but_not_yet_confirmed(self) -> None:
        person = found("child-after-virus")
        assert person.headline.startswith("Neutrophils not low: Neutrophils 1.9")
        since = next(answer for answer in person.answers if answer.question == "since_when")
        assert "not yet confirmed" in since.text
        (step,) = person.steps
        assert step.gap is not None
        assert "recovery" in step.gap.what

    def test_the_virus_is_the_cause(self) -> None:
        top = found("child-after-virus").causes[0]
        assert (top.name, top.standing) == ("Neutropenia after a viral illness", "supported")
        outlook = found("child-after-virus").advice.outlook
        assert any(one.figures and one.cause == top.id for one in outlook)

    def test_on_the_day_of_the_low_count(self) -> None:
        person = found("child-after-virus", date(2026, 2, 24))
        assert person.headline.startswith("Moderate neutropenia: Neutrophils 0.6")
        assert {step.path for step in person.steps} == {"child"}
        assert any("count" in test for test in asked_tests(person))
        assert not any(step.id == "marrow" for step in person.steps)

    def test_no_rule_of_adults_judges_the_child(self) -> None:
        for day in (date(2026, 2, 24), date(2026, 3, 12)):
            person = found("child-after-virus", day)
            assert {score(person, name).eligible for name in ("mascc", "cisne", "news2", "qsofa")} == {False}
            assert not any("ANC 1.0 to 1.5" in one.text for one in person.plan.next_counts)
            assert person.advice.situation.child is True
            assert person.advice.fever_limit == 38.0
            assert any(call.id == "call:sepsis-child" for call in person.advice.calls)


# ---- bad input ------------------------------------------------------------------------------------------------------


class TestBadInput:
    def test_half_a_score_is_a_range_never_a_band(self) -> None:
        for one in found("chemotherapy-fever").scores:
            if one.eligible is not False and one.gap is not None:
                assert one.total is None
                assert one.band is None or len(one.possible) <= 1

    def test_a_medicine_stopped_before_it_started_is_said(self, tmp_path: Path) -> None:
        def turned(resource: dict[str, Any]) -> None:
            if resource["id"] == "clozapine-clozapine":
                resource["effectivePeriod"] = {"start": "2026-01-12", "end": "2025-12-01"}

        person = changed("clozapine", tmp_path, turned)
        gaps = [gap.why for one in person.plan.monitoring for gap in one.gaps]
        assert any("stopped on 1 December 2025, before it started on 12 January 2026" in why for why in gaps)
        link = next(link for link in person.drug_links if link.drug == "clozapine")
        assert link.strength not in {"strong", "moderate"}

    def test_a_medicine_begun_after_the_fall_is_not_blamed(self, tmp_path: Path) -> None:
        def later(resource: dict[str, Any]) -> None:
            if resource["id"] == "clozapine-valproate":
                resource["effectivePeriod"] = {"start": "2026-03-11"}

        person = changed("clozapine", tmp_path, later)
        link = next(link for link in person.drug_links if link.drug == "valproic acid")
        assert (link.timing, link.role) == ("before_start", "excluded")
        assert "valproic acid" not in person.causes[0].drugs

    def test_symptoms_without_a_date_are_said(self, tmp_path: Path) -> None:
        def undated(resource: dict[str, Any]) -> None:
            if resource["id"].startswith("chemotherapy-fever-temp"):
                del resource["effectiveDateTime"]

        person = changed("chemotherapy-fever", tmp_path, undated)
        said = [gap.why for gap in person.infection.gaps] + [one.reason.text for one in person.infection.verdicts]
        assert any("without a day" in why for why in said)
        assert not any(one.met for one in person.infection.verdicts)
        assert person.infection.urgency.level in {"emergency", "urgent"}

    def test_an_unknown_regimen_is_not_guessed(self, tmp_path: Path) -> None:
        person = changed("chemotherapy-fever", tmp_path, lambda _: None, regimen="Xyzzy protocol 7")
        assert person.plan.regimen.told == "unknown"
        assert person.plan.regimen.id is None
        assert not person.plan.regimen.risks
        assert any("Xyzzy" in gap.why or "Xyzzy" in gap.what for gap in person.plan.gaps)


# ---- the page, statement by statement -------------------------------------------------------------------------------


def _low_by_the_page(person: Assessment) -> bool:
    white = next(status for status in person.latest if status.count.analyte == "wbc")
    return any(met.met and "4" in met.reason.text for met in white.definitions if met.house)


def _age_and_sex_choose(person: Assessment) -> bool:
    rows = [row for row in LIBRARY.intervals if row.analyte == "wbc" and row.house]
    return len({(row.ages.text, row.sex) for row in rows}) > 3 and person.latest[0].interval.low is not None


def _signs(person: Assessment) -> bool:
    signs = person.infection.page_signs
    return len(signs) == 10 and all(sign.present is not None or not sign.symptoms for sign in signs)


def _prevention(person: Assessment) -> bool:
    return len([one for one in person.advice.advice if one.on_page and one.id != "P00"]) == 11


def _leaflet(person: Assessment, words: str) -> bool:
    return words in " ".join(texts(leaflet(person, person.advice, library=LIBRARY)))


COUGH = ("cough",)
PAGE: tuple[tuple[str, str, tuple[str, ...], Callable[[Assessment], bool]], ...] = (
    ("a white count below 4 is low", "clozapine", (), _low_by_the_page),
    ("normal counts vary with age and sex", "child-after-virus", (), _age_and_sex_choose),
    (
        "it is above all the neutrophils",
        "clozapine",
        (),
        lambda person: "Low: neutrophils" in next(a.text for a in person.answers if a.question == "which_line"),
    ),
    (
        "cancer treatment may cause it",
        "chemotherapy-fever",
        (),
        lambda person: person.causes[0].group == "cancer treatment",
    ),
    (
        "leukaemia and other marrow disease may cause it",
        "pancytopenia",
        (),
        lambda person: any(cause.group == "marrow" or "Myelodys" in cause.name for cause in person.causes),
    ),
    (
        "counts rise and fall: one low count is not yet a low count that stays",
        "pancytopenia",
        (),
        lambda person: any("often rise and fall" in answer.text for answer in person.answers),
    ),
    (
        "a drop that does not rise is followed over time",
        "duffy-untested",
        (),
        lambda person: next(c.kind for c in person.courses if c.analyte == "neutrophils") == "chronic",
    ),
    (
        "medicines cause it",
        "clozapine",
        (),
        lambda person: person.causes[0].group == "medicine",
    ),
    (
        "lack of vitamins causes it",
        "pancytopenia",
        (),
        lambda person: person.causes[0].group == "nutrition",
    ),
    (
        "infections such as HIV cause it, autoimmune disease too",
        "duffy-untested",
        (),
        lambda person: {"HIV infection", "Systemic lupus erythematosus"} <= {c.name for c in person.causes},
    ),
    (
        "viral infections cause it",
        "child-after-virus",
        (),
        lambda person: person.causes[0].group == "infection",
    ),
    ("no symptoms of its own; ten signs of infection are looked for", "chemotherapy-fever", (), _signs),
    (
        "the complete blood count makes the diagnosis",
        "clozapine",
        (),
        lambda person: "complete blood count with differential" in asked_tests(person),
    ),
    (
        "urine tests where an infection is thought of",
        "chemotherapy-fever",
        (),
        lambda person: "urinalysis" in asked_tests(person),
    ),
    (
        "a chest X-ray where pneumonia is thought of",
        "chemotherapy-fever",
        COUGH,
        lambda person: any("chest" in test.lower() for test in asked_tests(person)),
    ),
    (
        "the cause is treated: the medicine is stopped",
        "clozapine",
        (),
        lambda person: any(one.action == "stop" for one in person.plan.monitoring),
    ),
    (
        "antibiotics fight the infection",
        "chemotherapy-fever",
        (),
        lambda person: any(one.topic == "antimicrobial_therapy" for one in person.plan.options),
    ),
    (
        "growth factors may raise the count",
        "chemotherapy-fever",
        (),
        lambda person: any(one.topic == "growth_factor" for one in person.plan.options),
    ),
    (
        "chemotherapy may be delayed until the count has risen",
        "chemotherapy-fever",
        (),
        lambda person: any(day.on_count in {"delay", "withhold"} for day in person.plan.treat_days),
    ),
    (
        "the outlook depends on the cause",
        "chemotherapy-fever",
        (),
        lambda person: any("depends on the cancer" in one.text for one in person.advice.outlook),
    ),
    (
        "after an infection the count comes back",
        "child-after-virus",
        (),
        lambda person: any("back to normal" in one.text for one in person.advice.outlook),
    ),
    (
        "it is no cancer, and the leaflet says so",
        "clozapine",
        (),
        lambda person: _leaflet(person, "is not cancer"),
    ),
    ("eleven ways to prevent infection", "chemotherapy-fever", (), _prevention),
    (
        "whom to call, and when",
        "chemotherapy-fever",
        (),
        lambda person: any(call.active and call.speed == "at_once" for call in person.advice.calls),
    ),
)


@pytest.mark.parametrize(("statement", "name", "asked", "shows"), PAGE, ids=[row[0] for row in PAGE])
def test_every_statement_of_the_page_works_on_a_person(
    statement: str, name: str, asked: tuple[str, ...], shows: Callable[[Assessment], bool]
) -> None:
    assert shows(found(name, asked=asked)), statement


# ---- for everybody --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AS_OF)
def test_what_is_said_reads_as_sentences(name: str) -> None:
    said = [text for text in texts(found(name)) if text]
    assert not [text for text in said if ".." in text.replace("...", "") or "  " in text or " ." in text]
    assert not [text for text in said if "None" in text.split() or "nan" in text.split()]
