"""Medicines: which one a dose is of, when it was taken, and what it could have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from msgspec.structs import replace as replace_row

from fixtures.medicines import ATC, LIBRARY, RXNORM, dose, fact, links, moment, named
from fixtures.series import ADULT, counts
from leuko.drugs import exposures_of, identify, links_of
from leuko.drugs.identify import identified
from leuko.drugs.names import index_of
from leuko.knowledge.schema.drugs import CausalityItemRow, DrugRow, DrugWindow
from leuko.record import Record

INDEX = index_of(LIBRARY)
FALL = [(-3, 4.2), (14, 3.9), (28, 3.6), (49, 1.9), (56, 0.3), (60, 0.1), (66, 0.9), (70, 2.2), (73, 3.5), (80, 4.0)]
AS_OF = date(2026, 7, 20)


def only(found):
    (link,) = found
    return link


def exposures(*doses):
    return exposures_of(Record(patient=ADULT, doses=doses), library=LIBRARY, as_of=AS_OF)


def item(link, scheme: str, number: int):
    causality = next(one for one in link.causality if one.scheme == scheme)
    return next(one for one in causality.items if one.number == number)


class TestKnowledge:
    def test_all_medicines_of_the_table_are_there(self) -> None:
        assert len(LIBRARY.rows(DrugRow)) == 182

    @pytest.mark.parametrize("row", LIBRARY.rows(DrugRow), ids=lambda row: row.id)
    def test_every_medicine_is_found_by_its_own_names_and_codes(self, row: DrugRow) -> None:
        if row.group != "class":
            assert identify(dose(row.inn), library=LIBRARY) == row
        for name in filter(None, (row.us_name, *row.names, *row.brands)):
            assert identify(dose(name), library=LIBRARY) == row, name
        for code in row.atc:
            assert identify(named("?", (ATC, code)), library=LIBRARY) == row, code
        for code in row.rxnorm:
            assert identify(named("?", (RXNORM, code)), library=LIBRARY) == row, code

    def test_windows_belong_to_medicines_and_run_forward(self) -> None:
        known = {row.id for row in LIBRARY.rows(DrugRow)}
        for window in LIBRARY.rows(DrugWindow):
            assert window.drug in known
            assert 0 <= window.low_days <= window.high_days
            assert window.id == f"{window.drug}:{window.what}"

    def test_no_two_medicines_share_a_name_or_code(self) -> None:
        assert all(len(ids) == 1 for table in (INDEX.names, INDEX.rxnorm, INDEX.atc) for ids in table.values())

    def test_a_confirmed_row_says_where(self) -> None:
        for row in (*LIBRARY.rows(DrugRow), *LIBRARY.rows(DrugWindow)):
            if row.basis.drives:
                assert row.basis.locator or row.basis.says, row.id
                assert row.basis.source != "label-not-opened", row.id

    def test_naranjo_as_published(self) -> None:
        """Typed a second time from the published table: yes, no, unknown."""
        rows = [row for row in LIBRARY.rows(CausalityItemRow) if row.scheme == "naranjo"]
        points = [(row.yes, row.no, row.unknown) for row in sorted(rows, key=lambda row: row.number)]
        assert points == [
            (1, 0, 0),
            (2, -1, 0),
            (1, 0, 0),
            (2, -1, 0),
            (-1, 2, 0),
            (-1, 1, 0),
            (1, 0, 0),
            (1, 0, 0),
            (1, 0, 0),
            (1, 0, 0),
        ]


class TestIdentify:
    def test_the_code_of_a_clinical_drug_is_read_by_its_name(self) -> None:
        given = named("10 ML doxorubicin hydrochloride 2 MG/ML Injection", (RXNORM, "1790099"))
        assert identify(given, library=LIBRARY).id == "doxorubicin"

    def test_a_national_code_may_go_on_after_atc(self) -> None:
        assert identify(named("?", (ATC, "N05AH02XX")), library=LIBRARY).id == "clozapine"

    def test_a_group_code_names_no_one_medicine(self) -> None:
        assert identify(named("antipsychotic", (ATC, "N05AH")), library=LIBRARY) is None

    def test_code_and_name_that_disagree_are_not_decided(self) -> None:
        given = named("docetaxel", (RXNORM, "2626"))
        assert identify(given, library=LIBRARY) is None
        assert "different medicines" in identified(given, INDEX).text

    def test_a_combination_names_what_it_does_not_know(self) -> None:
        found = identified(dose("piperacillin 4000 MG / tazobactam 500 MG Injection"), INDEX)
        assert [row.id for row in found.rows] == ["piperacillin"]
        assert found.unmatched == ("tazobactam",)

    def test_two_known_ingredients_are_two_medicines(self) -> None:
        given = dose("lenalidomide / dexamethasone")
        assert identify(given, library=LIBRARY) is None
        assert {row.id for row in identified(given, INDEX).rows} == {"lenalidomide", "dexamethasone"}

    def test_several_is_said(self) -> None:
        rows = LIBRARY.rows(DrugRow)
        own = next(row for row in rows if row.brands)
        twin = replace_row(own, id="twin", inn="twin of another", atc=(), rxnorm=())
        kept = {**LIBRARY.further.kept, DrugRow: (*rows, twin)}
        doubled = replace(LIBRARY, further=replace(LIBRARY.further, kept=kept))
        name = own.brands[0]
        assert identify(dose(name), library=doubled) is None
        assert "several" in identified(dose(name), index_of(doubled)).text

    @pytest.mark.parametrize("text", ["", "   ", "()", "[]", "/", "5 mg", "sodium chloride 0.9 %", "💊", "a" * 3000])
    def test_odd_names_find_nothing_and_break_nothing(self, text: str) -> None:
        assert identify(dose(text), library=LIBRARY) is None

    def test_eye_drops_are_local(self) -> None:
        assert identified(named("dexamethasone", (ATC, "S01BA01")), INDEX).local
        assert not identified(named("dexamethasone", (ATC, "H02AB02")), INDEX).local


class TestExposure:
    def test_doses_a_week_apart_are_one_stretch_and_more_are_two(self) -> None:
        one = exposures(*(dose("vancomycin", day, kind="given") for day in range(0, 15, 7)))
        assert len(one) == 1
        assert one[0].inferred_stop
        assert one[0].running is False
        two = exposures(dose("vancomycin", 0, 3), dose("vancomycin", 12, 15))
        assert [exposure.text for exposure in two] == [
            "vancomycin, stated from 1 January 2026, to 4 January 2026",
            "vancomycin, stated from 13 January 2026, to 16 January 2026",
        ]

    def test_given_ordered_and_stated_are_told_apart(self) -> None:
        (found,) = exposures(dose("clozapine", 0, 9, kind="ordered"), dose("clozapine", 3, kind="given"))
        assert found.kinds == ("administered", "ordered")
        assert len(found.given) == 1

    def test_no_stop_date_is_unknown_and_active_is_running(self) -> None:
        (unknown,) = exposures(dose("clozapine", 0))
        assert (unknown.stop, unknown.running) == (None, None)
        (active,) = exposures(dose("clozapine", 0, kind="active"))
        assert active.running is True

    def test_over_on_an_unknown_day(self) -> None:
        (found,) = exposures(dose("clozapine", 0, kind="ordered"))
        assert (found.running, found.stop.latest) == (False, None)
        assert found.text.endswith("ended on an unknown day")

    def test_an_end_to_come_is_running(self) -> None:
        (found,) = exposures(dose("clozapine", 0, 400))
        assert found.running is True

    @pytest.mark.parametrize("status", ["cancelled", "not-done", "entered-in-error", "active (plan)"])
    def test_what_was_never_taken_is_no_exposure(self, status: str) -> None:
        assert exposures(dose("clozapine", 0, 9, status=status)) == ()

    def test_a_dose_to_come_is_none_yet(self) -> None:
        assert exposures(dose("clozapine", 300)) == ()

    def test_a_month_is_a_month_long(self) -> None:
        start = replace(moment(0), precision="month")
        (found,) = exposures(replace(dose("clozapine", 0, 60), start=start))
        assert found.start.latest.date() == date(2026, 1, 31)


class TestLinks:
    def test_no_low_count_no_link(self) -> None:
        assert links([dose("clozapine", 0)], [(-3, 4.2), (28, 3.6), (60, 4.0)]) == ()

    def test_no_medicine_no_link(self) -> None:
        assert links([], FALL) == ()

    def test_a_medicine_that_spares_the_line_has_no_link(self) -> None:
        assert links([dose("prednisone", 0, 60)], FALL) == ()

    def test_prednisone_lowers_lymphocytes(self) -> None:
        pairs = [(-3, 1.9), (1, 0.5), (2, 0.6), (10, 1.8), (12, 1.9), (14, 2.0)]
        link = only(links([dose("prednisone", 0, 3)], pairs, analyte="lymphocytes"))
        assert (link.analyte, link.role) == ("lymphocytes", "candidate")
        assert {one.scheme for one in link.causality} == {"naranjo", "who_umc"}

    def test_every_conclusion_has_a_source(self) -> None:
        link = only(links([dose("clozapine", 0, 56)], FALL))
        assert {cite.source for cite in link.citations} >= {"myles-2018"}
        assert all(one.reason.citations for one in link.causality)
        assert all(reason.text and reason.evidence for reason in (*link.clues_for, link.reason))

    def test_an_old_order_that_is_over_is_no_candidate(self) -> None:
        link = only(links([dose("amoxicillin", -300, kind="ordered")], FALL))
        assert (link.timing, link.strength) == ("unknown", "unknown")
        assert "is not recorded" in link.reason.text

    def test_undated_doses_are_said(self) -> None:
        link = only(links([dose("clozapine")], FALL))
        assert (link.timing, link.strength) == ("unknown", "unknown")
        assert link.missing[0].why == "one dose without a date"
        assert next(one for one in link.causality if one.scheme == "who_umc").category == "conditional"

    def test_another_disease_is_another_explanation(self) -> None:
        facts = [fact("Infectious mononucleosis", 40), fact("Asthma", 40)]
        link = only(links([dose("clozapine", 0, 56)], FALL, facts=facts))
        assert item(link, "naranjo", 5).answer == "yes"
        assert item(link, "naranjo", 5).evidence == ("fact:Infectious mononucleosis",)
        assert item(link, "benichou", 4).answer == "no"
        assert any("mononucleosis" in reason.text for reason in link.clues_against)

    def test_a_virus_of_last_year_is_none(self) -> None:
        link = only(links([dose("clozapine", 0, 56)], FALL, facts=[fact("influenza", -400)]))
        assert item(link, "naranjo", 5).answer == "unknown"

    def test_an_earlier_reaction_on_record_counts(self) -> None:
        known = fact("Clozapine", -500, kind="allergy", detail="agranulocytosis")
        assert item(only(links([dose("clozapine", 0, 56)], FALL, facts=[known])), "naranjo", 9).answer == "yes"
        rash = fact("Clozapine", -500, kind="allergy", detail="rash")
        assert item(only(links([dose("clozapine", 0, 56)], FALL, facts=[rash])), "naranjo", 9).answer == "unknown"

    def test_a_growth_factor_weakens_the_recovery(self) -> None:
        found = links([dose("clozapine", 0, 56), dose("filgrastim", 60, kind="given")], FALL)
        link = next(link for link in found if link.drug_id == "clozapine")
        assert any("filgrastim was given" in reason.text for reason in link.clues_against)

    def test_an_ordered_medicine_is_never_strong(self) -> None:
        link = only(links([dose("clozapine", 0, 56, kind="ordered")], FALL))
        assert link.strength == "moderate"
        assert any("only ordered" in reason.text for reason in link.clues_against)

    def test_given_again_and_tolerated_speaks_against(self) -> None:
        pairs = [*FALL, (95, 3.9), (120, 4.0), (150, 4.1), (180, 4.0)]
        link = only(links([dose("clozapine", 0, 56), dose("clozapine", 90, 190)], pairs))
        assert link.rechallenge == "negative"
        assert item(link, "naranjo", 4).points == -1

    def test_recovery_while_it_goes_on_speaks_against(self) -> None:
        link = only(links([dose("clozapine", 0, kind="active")], FALL))
        assert link.dechallenge == "negative"
        assert item(link, "naranjo", 3).answer == "no"

    def test_two_cytotoxics_of_one_day_cannot_be_told_apart(self) -> None:
        pairs = [(-1, 4.2), (8, 0.4), (12, 0.9), (19, 3.5), (22, 3.6), (24, 4.0)]
        found = links([dose("doxorubicin", 0, kind="given"), dose("cyclophosphamide", 0, kind="given")], pairs)
        assert [link.role for link in found] == ["cycle", "cycle"]
        assert all("cannot be told apart" in link.reason.text for link in found)

    def test_a_cycle_is_another_explanation_for_an_antibiotic(self) -> None:
        pairs = [(-1, 4.2), (8, 0.4), (12, 0.9), (19, 3.5), (22, 3.6), (24, 4.0)]
        found = links([dose("docetaxel", 0, kind="given"), dose("vancomycin", 1, 12)], pairs)
        assert [link.drug_id for link in found] == ["docetaxel", "vancomycin"]
        assert item(found[1], "naranjo", 5).answer == "yes"

    def test_cycles_that_fall_again_and_again(self) -> None:
        one = [(-1, 4.2), (8, 0.4), (12, 0.9), (16, 3.5), (18, 3.6), (20, 4.0)]
        pairs = [*one, *((day + 21, value) for day, value in one[1:])]
        found = links([dose("docetaxel", 0, kind="given"), dose("docetaxel", 21, kind="given")], pairs)
        assert [link.rechallenge for link in found] == ["positive", "positive"]
        assert "2 cycles" in found[0].clues_for[2].text

    def test_the_white_count_speaks_only_where_no_line_does(self) -> None:
        white = counts([(-3, 7.0), (30, 2.1), (36, 2.0), (50, 5.0), (53, 6.0), (60, 6.0)], analyte="wbc")
        from leuko.course import course_of

        course = course_of("wbc", white, patient=ADULT, library=LIBRARY, as_of=AS_OF)
        record = Record(patient=ADULT, counts=white, doses=(dose("clozapine", 0, 36),))
        (link,) = links_of(record, series={"wbc": white}, courses={"wbc": course}, library=LIBRARY, as_of=AS_OF)
        assert (link.analyte, link.drug_id) == ("wbc", "clozapine")

    def test_agranulocytosis_on_one_day_asks_for_a_second_count(self) -> None:
        pairs = [(-3, 4.2), (49, 1.9), (56, 0.3), (66, 0.9), (70, 2.2), (73, 3.5), (80, 4.0)]
        link = only(links([dose("clozapine", 0, 56)], pairs))
        assert "second count" in item(link, "benichou", 1).because

    def test_death_before_recovery_cannot_be_assessed(self) -> None:
        pairs = [(-3, 4.2), (49, 1.9), (56, 0.3), (60, 0.1)]
        series = counts(pairs)
        from leuko.course import course_of

        patient = replace(ADULT, died=date(2026, 3, 4))
        course = course_of("neutrophils", series, patient=patient, library=LIBRARY, as_of=AS_OF)
        record = Record(patient=patient, counts=series, doses=(dose("clozapine", 0, 56),))
        (link,) = links_of(
            record, series={"neutrophils": series}, courses={"neutrophils": course}, library=LIBRARY, as_of=AS_OF
        )
        benichou = next(one for one in link.causality if one.scheme == "benichou")
        assert "cannot be assessed" in benichou.possible
