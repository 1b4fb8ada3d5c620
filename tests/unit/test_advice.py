from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from fixtures.advised import AS_OF, LIBRARY, ORIGIN, PEOPLE, advised, assessed, count, dose, record
from leuko.advice import advice_for, advice_of
from leuko.assessment import assess
from leuko.errors import UsageError
from leuko.knowledge.library import every_basis
from leuko.knowledge.schema.advice import (
    AdviceRow,
    BlockRow,
    CallRow,
    FeverLimitRow,
    LanguageRow,
    OutlookRow,
    StatementRow,
)
from leuko.knowledge.schema.infection import SymptomRow
from leuko.record import Code, Fact, Record
from leuko.report.leaflet import leaflet, row_key
from leuko.result import Assessment
from leuko.result.advice import AdviceSet
from leuko.site import ROLES, SiteSettings, site_of

KEYS = {row_key(key) for key, _ in every_basis(LIBRARY)}
WHITE_PAGE = "cleveland-leukopenia"


class TestKnowledge:
    @pytest.mark.parametrize("row", LIBRARY.rows(StatementRow), ids=lambda row: row.id)
    def test_every_statement_of_the_page_is_carried(self, row: StatementRow) -> None:
        assert row.carried
        assert row.basis.source == WHITE_PAGE
        missing = [key for key in row.carried if key not in KEYS]
        assert not missing

    @pytest.mark.parametrize("row", LIBRARY.rows(BlockRow), ids=lambda row: row.id)
    def test_every_sentence_of_the_leaflet_rests_on_something(self, row: BlockRow) -> None:
        assert row.rests
        assert not [key for key in row.rests if key not in KEYS]

    def test_what_a_sentence_rests_on_is_confirmed(self) -> None:
        drives = {row_key(key): basis.drives for key, basis in every_basis(LIBRARY)}
        assert not [(row.id, key) for row in LIBRARY.rows(BlockRow) for key in row.rests if not drives[key]]

    def test_the_eleven_ways_of_the_page_are_carried(self) -> None:
        rows = {row.id for row in LIBRARY.rows(AdviceRow) if row.on_page}
        assert {f"P{number:02}" for number in range(1, 12)} <= rows

    def test_call_rules_name_known_signs_roles_and_medicines(self) -> None:
        symptoms = {row.id for row in LIBRARY.rows(SymptomRow)}
        for row in LIBRARY.rows(CallRow):
            assert set(row.signs) <= symptoms, row.id
            assert {row.whom, row.otherwise} <= {*ROLES, None}
            assert row.basis.drives

    def test_the_ten_signs_of_the_page_call_in_both_tiers(self) -> None:
        of_page = {row.id for row in LIBRARY.rows(SymptomRow) if row.page_sign}
        for tier in ("high", "raised"):
            signs = {sign for row in LIBRARY.rows(CallRow) if tier in row.tiers for sign in row.signs}
            assert of_page <= signs, tier

    def test_every_cause_of_an_outlook_exists(self) -> None:
        causes = {key.removeprefix("cause:") for key in KEYS if key.startswith("cause:")}
        assert {cause for row in LIBRARY.rows(OutlookRow) for cause in row.causes} <= causes

    def test_what_is_not_confirmed_is_kept_and_never_shown(self) -> None:
        kept = {row.id for row in LIBRARY.rows(OutlookRow) if not row.basis.drives}
        assert kept == {"O30-unmutated"}
        for name in PEOPLE:
            _, advice = advised(name)
            shown = {figure.id for one in advice.outlook for figure in one.figures} | {one.id for one in advice.advice}
            assert not shown & (kept | {"P15-gap", "P21-rule-of-thumb"})


class TestLimits:
    def test_the_default_is_the_most_cautious_confirmed_limit(self) -> None:
        _, advice = advised("chemotherapy-well")
        adults = [row for row in LIBRARY.rows(FeverLimitRow) if row.side == "high" and row.ages.low_days is not None]
        assert advice.fever_limit == min(row.celsius for row in adults if row.basis.drives)
        assert "No setting of the site" in advice.fever_reason.text
        assert advice.fever_reason.citations

    def test_the_most_cautious_low_limit_is_the_highest(self) -> None:
        _, advice = advised("chemotherapy-well")
        low = [row for row in LIBRARY.rows(FeverLimitRow) if row.side == "low"]
        assert advice.low_limit == max(row.celsius for row in low) == 36.0

    def test_bodies_disagree_and_it_is_said(self) -> None:
        _, advice = advised("chemotherapy-well")
        assert len({limit.celsius for limit in advice.limits}) > 3
        assert any("disagree" in caution.text for caution in advice.cautions)
        assert [limit.used for limit in advice.limits].count(True) == 2, "one fever limit, one low limit"

    def test_the_site_decides(self) -> None:
        _, advice = advised("chemotherapy-well", site_of({"fever_limit": 38.3, "low_limit": 35.0}))
        assert (advice.fever_limit, advice.low_limit) == (38.3, 35.0)
        assert "own setting" in advice.fever_reason.text
        assert next(rule for rule in advice.calls if rule.id == "call:fever-high").at_least == 38.3

    def test_a_child_has_a_limit_of_its_own(self) -> None:
        site = site_of({"fever_limit": 37.8, "fever_limit_child": 38.5})
        assert advised("child-after-virus", site)[1].fever_limit == 38.5
        assert advised("chemotherapy-well", site)[1].fever_limit == 37.8

    def test_an_unknown_age_takes_the_most_cautious_of_all(self) -> None:
        person = record("x", [count("neutrophils", 0.4)], born=None)
        assert advice_for(assess(person, as_of=AS_OF), library=LIBRARY, site=SiteSettings()).fever_limit == 37.5

    def test_fahrenheit_is_recognised(self) -> None:
        with pytest.raises(UsageError) as caught:
            advised("chemotherapy-well", site_of({"fever_limit": 100.4}, source="ward.toml"))
        assert caught.value.where == "ward.toml"
        assert "38" in caught.value.do

    @pytest.mark.parametrize("limit", [36.5, 39.5, 3.8, 0])
    def test_what_no_leaflet_could_mean_is_refused(self, limit: float) -> None:
        with pytest.raises(UsageError, match="cannot be meant"):
            advised("chemotherapy-well", site_of({"fever_limit": limit}))

    def test_a_low_limit_above_the_fever_limit_is_refused(self) -> None:
        with pytest.raises(UsageError, match="above the fever limit"):
            advised("chemotherapy-well", site_of({"low_limit": 38.0}))

    def test_a_limit_above_every_body_is_followed_and_said(self) -> None:
        _, advice = advised("chemotherapy-well", site_of({"fever_limit": 38.9}))
        assert advice.fever_limit == 38.9
        assert any("above every limit known" in caution.text for caution in advice.cautions)

    def test_a_body_without_a_definition_is_said(self) -> None:
        _, advice = advised("chemotherapy-well", site_of({"bodies": ["ESMO", "EMSO"]}))
        assert any("EMSO" in caution.text and "ESMO" not in caution.text for caution in advice.cautions)


class TestSituation:
    def test_treatment_is_never_denied_where_a_medicine_was_not_understood(self) -> None:
        person = record("x", [count("neutrophils", 1.2)], doses=[dose("study medicine XY-17", AS_OF)])
        _check_treatment(person, None)

    def test_treatment_is_denied_only_by_a_list_that_was_understood(self) -> None:
        _check_treatment(record("x", [count("neutrophils", 1.2)], doses=[dose("ibuprofen", AS_OF)]), expected=False)

    def test_a_regimen_by_name_is_treatment(self) -> None:
        _check_treatment(
            record("x", [count("neutrophils", 1.2)], doses=[dose("XY-17", AS_OF, regimen="AC")]), expected=True
        )

    def test_a_dose_that_was_not_given_is_none(self) -> None:
        _check_treatment(
            record("x", [count("neutrophils", 1.2)], doses=[dose("docetaxel", AS_OF, status="not-done")]), None
        )

    def test_the_reason_of_the_tier_is_cited_as_a_house_rule(self) -> None:
        _, advice = advised("pancytopenia")
        assert advice.situation.reason.citations[0].confidence == "house"
        assert "moderate" in advice.situation.reason.text


def _check_treatment(person: object, expected: bool | None) -> None:
    advice = advice_for(assess(person, as_of=AS_OF), library=LIBRARY, site=SiteSettings())  # type: ignore[arg-type]
    assert advice.situation.treatment is expected
    assert any("treatment for cancer" in gap.what for gap in advice.gaps) is (expected is None)


class TestOneRuleForOneSign:
    @pytest.mark.parametrize("name", ["clozapine", "carbimazole", "deferiprone"])
    @pytest.mark.parametrize("anc", [0.8, 0.3])
    def test_beside_at_once_nothing_waits_for_the_same_day(self, name: str, anc: float) -> None:
        made = _made(record("x", [count("neutrophils", anc)], doses=[dose(name, date(2026, 1, 5))]))
        assert {rule.speed for rule in made[1].calls} == {"at_once"}
        assert any(name in rule.text.casefold() for rule in made[1].calls)
        call = leaflet(*made, library=LIBRARY).call
        assert call is not None
        assert not any("same day" in text for text in (call.heading, *call.items, *call.hints))
        assert any(name in hint for hint in call.hints)

    def test_with_a_mildly_low_count_the_medicine_keeps_its_own_rule(self) -> None:
        _, advice = advised("clozapine")
        assert next(rule for rule in advice.calls if rule.id == "call:clozapine").speed == "same_day"


class TestWhatIsNotKnownOfTreatment:
    def test_metformin_treats_no_cancer(self) -> None:
        for said in ("Metformin", "metformin 500 mg tablet"):
            _check_treatment(record("x", [count("neutrophils", 1.2)], doses=[dose(said, AS_OF)]), expected=False)

    def test_metformin_with_something_unknown_stays_open(self) -> None:
        doses = [dose("metformin", AS_OF), dose("study medicine XY-17", AS_OF)]
        _check_treatment(record("x", [count("neutrophils", 1.2)], doses=doses), None)
        _check_treatment(record("x", [count("neutrophils", 1.2)], doses=[dose("metformin XY-17", AS_OF)]), None)

    def test_a_tested_benign_count_with_no_word_of_cancer_is_not_asked(self) -> None:
        person = record("x", [count("neutrophils", 1.4)], duffy_null=True)
        made = _made(person)
        assert made[1].situation.treatment is None
        assert any("treatment for cancer" in gap.what for gap in made[1].gaps), "never denied"
        assert _asked(made) == 0

    @pytest.mark.parametrize(
        "fact",
        [
            {"name": "Malignant neoplasm of breast"},
            {"name": "History of chemotherapy"},
            {"name": "x", "codes": (Code(system="icd-10-cm", code="C50.9"),)},
            {"name": ""},
        ],
    )
    def test_whatever_may_point_to_cancer_is_asked_about(self, fact: dict[str, object]) -> None:
        known: dict[str, object] = {"id": "f", "kind": "condition", "origin": ORIGIN, **fact}
        person = record("x", [count("neutrophils", 1.4)], duffy_null=True, facts=[Fact(**known)])  # type: ignore[arg-type]
        assert _asked(_made(person)) == 1

    def test_a_medicine_that_was_not_understood_is_asked_about(self) -> None:
        person = record("x", [count("neutrophils", 1.4)], duffy_null=True, doses=[dose("XY-17", AS_OF)])
        assert _asked(_made(person)) == 1

    @pytest.mark.parametrize("name", ["mild-and-no-medicines-listed", "not-low-and-no-medicines-listed"])
    def test_it_is_asked_once(self, name: str) -> None:
        made = advised(name)
        assert _asked(made) == 1
        assert not any("does not say" in one.because for one in made[1].advice)


def _made(person: Record) -> tuple[Assessment, AdviceSet]:
    assessment = assess(person, as_of=AS_OF, library=LIBRARY)
    return assessment, advice_for(assessment, library=LIBRARY, site=SiteSettings())


def _asked(made: tuple[Assessment, AdviceSet]) -> int:
    """How often the leaflet speaks of treatment for cancer."""
    page = leaflet(*made, library=LIBRARY)
    return sum("treatment for cancer" in text for text in (*page.lead, *(page.call.hints if page.call else ())))


class TestWords:
    def test_advice_names_what_holds_in_this_person(self) -> None:
        for name, words in (("pancytopenia", "moderately low or worse"), ("chemotherapy-well", "treatment for cancer")):
            held = [one for one in advised(name)[1].advice if one.id == "P20"]
            assert [one.because for one in held if words in one.because], name

    def test_a_mild_count_with_a_serious_cause_is_not_called_moderate(self) -> None:
        assessment = assessed("clozapine")
        cause = replace(assessment.causes[0], id="CA004", name="myelodysplasia", standing="supported")
        advice = advice_for(replace(assessment, causes=(cause,)), library=LIBRARY, site=SiteSettings())
        assert advice.situation.level == "mild"
        assert advice.situation.tier == "high"
        held = [one.because for one in advice.advice if one.id == "P20"]
        assert held == ["It applies: the record supports a cause that asks for the most cautious rules."]

    def test_why_it_is_low_is_not_denied_beside_a_medicine_that_lowers_it(self) -> None:
        said = " ".join(leaflet(*advised("clozapine"), library=LIBRARY).means.items)
        assert "Clozapine can lower these cells. There may be other causes too." in said
        assert "cannot say why" not in said

    @pytest.mark.parametrize(("language", "old"), [("en", "more than 8 years old"), ("de", "mehr als 8 Jahre alt")])
    def test_a_very_old_count_is_told_in_years(self, language: str, old: str) -> None:
        made = _made(record("x", [count("neutrophils", 0.8, AS_OF - timedelta(days=3083))]))
        assert old in " ".join(leaflet(*made, language=language, library=LIBRARY).means.items)
        assert "more than 8 years old" in made[1].situation.reason.text
        recent = _made(record("x", [count("neutrophils", 0.8, AS_OF - timedelta(days=729))]))
        assert "729 days old" in " ".join(leaflet(*recent, library=LIBRARY).means.items)


class TestOutlook:
    def test_conflicting_figures_stand_with_their_people(self) -> None:
        _, advice = advised("chemotherapy-with-fever")
        death = next(one for one in advice.outlook if (one.cause, one.question) == ("fever", "death in hospital"))
        assert death.differ
        assert {figure.id for figure in death.figures} == {"O01", "O06", "O07", "O11"}
        assert "41,779" in death.text
        assert "127 adults" in death.text
        assert all(figure.reason.citations for figure in death.figures)

    def test_no_number_is_made_up(self) -> None:
        _, advice = advised("pancytopenia")
        assert advice.outlook
        for one in advice.outlook:
            if not one.figures:
                assert one.gap is not None
                assert "cannot say" in one.text.casefold()
                assert not re.search(r"\d %", one.text)
                assert one.gap in advice.gaps

    def test_figures_of_agranulocytosis_are_not_shown_for_a_mildly_low_count(self) -> None:
        _, advice = advised("clozapine")
        assert not any(figure.id in {"O13", "O14"} for one in advice.outlook for figure in one.figures)

    def test_figures_of_children_are_not_shown_for_adults(self) -> None:
        def ids(name: str) -> set[str]:
            assessment = assessed(name)
            cause = replace(assessment.causes[0], id="CA041", name="virus", standing="supported")
            found = advice_for(replace(assessment, causes=(cause,)), library=LIBRARY, site=SiteSettings())
            return {figure.id for one in found.outlook for figure in one.figures}

        assert "outlook:viral-kuwait-2012" in ids("child-after-virus")
        assert ids("pancytopenia") == {"O28"}

    def test_a_count_that_is_normal_for_the_person_has_no_outlook_of_a_disease(self) -> None:
        _, advice = advised("duffy-null")
        assert {one.cause for one in advice.outlook} == {"CA070"}


class TestAdvice:
    def test_the_page_s_list_comes_first(self) -> None:
        _, advice = advised("pancytopenia")
        assert [one.id for one in advice.advice[:12]] == [*(f"P{n:02}" for n in range(1, 12)), "P00"]

    def test_live_vaccines_turn_on_treatment(self) -> None:
        def applies(name: str) -> bool | None:
            return next(one for one in advised(name)[1].advice if one.id == "P12").applies

        assert applies("chemotherapy-well") is True
        assert applies("child-after-virus") is False
        assert applies("mild-and-no-medicines-listed") is None

    def test_no_restrictive_diet(self) -> None:
        _, advice = advised("chemotherapy-well")
        diet = [one for one in advice.advice if one.area == "diet"]
        assert len(diet) == 3
        assert all(one.kind == "evidence" and one.applies for one in diet)
        assert "RR 1.16" in diet[0].text

    def test_nothing_is_asked_of_a_person_whose_count_is_normal(self) -> None:
        _, advice = advised("duffy-null")
        assert not [one.id for one in advice.advice if one.applies]

    def test_every_piece_says_what_stands_behind_it(self) -> None:
        for name in PEOPLE:
            for one in advised(name)[1].advice:
                assert one.evidence
                assert one.because
                assert one.reason.citations


class TestCalls:
    def test_a_missing_number_is_none_and_a_gap(self) -> None:
        _, advice = advised("pancytopenia")
        assert all(phone.number is None for phone in advice.phones)
        assert any("telephone number" in gap.what for gap in advice.gaps)
        _, advice = advised("pancytopenia", site_of({"phones": {"helpline": "1", "emergency": "2"}}))
        assert not any("telephone number" in gap.what for gap in advice.gaps)

    def test_without_infection_no_rule_is_known_to_be_met(self) -> None:
        assessment = assessed("chemotherapy-with-fever")
        assert assessment.advice is not None
        advice = advice_of(
            assessment.advice.situation,
            courses={course.analyte: course for course in assessment.courses},
            causes=(),
            infection=None,
            library=LIBRARY,
            site=SiteSettings(),
        )
        assert not any(rule.active for rule in advice.calls)
        assert not any(one.cause == "fever" for one in advice.outlook)

    def test_rules_that_the_record_shows_stand_first(self) -> None:
        _, advice = advised("chemotherapy-with-fever")
        assert advice.calls[0].id == "call:fever-high"
        assert "38.6 °C" in advice.calls[0].reason.text


def test_languages_have_the_same_texts_with_the_same_blanks() -> None:
    first, *others = LIBRARY.rows(LanguageRow)
    blocks = {row.id for row in LIBRARY.rows(BlockRow)}
    for row in (first, *others):
        assert blocks <= set(row.texts)
        assert len(row.months) == 12
        assert set(row.texts) == set(first.texts)
        for key, text in row.texts.items():
            wanted = set(re.findall(r"{(\w+)}", first.texts[key])) - {"fever_f", "low_f"}
            assert set(re.findall(r"{(\w+)}", text)) - {"fever_f", "low_f"} == wanted, key
