"""The plan: its knowledge, the recognition of medicines and regimens, and what it never says."""

from __future__ import annotations

import csv
import os
import re
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from fixtures.plans import LIBRARY, day, dose, plan, record
from leuko.drugs.shelf import medicines_of, shelf_of
from leuko.knowledge.schema.plan import (
    AntimicrobialRow,
    FactorRow,
    GrowthRow,
    MonitorBand,
    MonitorInterval,
    MonitorNote,
    MonitorScheme,
    PlanDrug,
    RegimenRow,
    SituationRow,
    TreatDayRow,
    TumourRow,
)
from leuko.result import Reason
from leuko.result.plan import Plan

SHELF = shelf_of(LIBRARY)
SHARED = Path(os.environ.get("LEUKO_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")


def regimens() -> tuple[RegimenRow, ...]:
    return LIBRARY.rows(RegimenRow)


class TestKnowledge:
    def test_every_basis_inside_a_row_names_a_source(self) -> None:
        for row in regimens():
            bases = [row.dose_basis, *(risk.basis for risk in row.risks)]
            bases += [row.reported_basis] if row.reported_basis else []
            for basis in bases:
                assert basis.source in LIBRARY.sources, row.id

    def test_every_drug_of_a_rule_has_names(self) -> None:
        known = {row.id for row in LIBRARY.rows(PlanDrug)}
        used = {drug for row in LIBRARY.rows(TreatDayRow) for drug in (*row.drugs, *row.any_of)}
        used |= {drug for row in regimens() for phase in row.phases for drug in (*phase.drugs, *phase.optional)}
        used |= {drug for row in LIBRARY.rows(MonitorScheme) for drug in row.drugs}
        assert used <= known

    def test_a_name_means_one_medicine(self) -> None:
        names = [name.casefold() for row in LIBRARY.rows(PlanDrug) for name in {row.id, *row.names}]
        assert len(names) == len(set(names))

    def test_bands_and_intervals_belong_to_a_scheme(self) -> None:
        schemes = {row.id for row in LIBRARY.rows(MonitorScheme)}
        assert {row.scheme for row in LIBRARY.rows(MonitorBand)} <= schemes
        assert {row.scheme for row in LIBRARY.rows(MonitorInterval)} <= schemes

    def test_intervals_of_a_scheme_do_not_overlap(self) -> None:
        for scheme in LIBRARY.rows(MonitorScheme):
            own = sorted(
                (row for row in LIBRARY.rows(MonitorInterval) if row.scheme == scheme.id), key=lambda row: row.from_days
            )
            for one, after in pairwise(own):
                assert one.to_days is not None
                assert one.to_days <= after.from_days

    def test_needs_are_situations_that_can_be_told(self) -> None:
        known = {row.id for row in LIBRARY.rows(SituationRow)} | {"fn", "low_risk"}
        for row in LIBRARY.rows(AntimicrobialRow):
            assert {*row.needs, *row.unless} <= known

    def test_tumours_of_regimens_can_be_named(self) -> None:
        known = {tumour for row in LIBRARY.rows(TumourRow) for tumour in row.tumours}
        assert {row.tumour for row in regimens()} <= known

    def test_recalled_risk_classes_never_drive(self) -> None:
        for row in regimens():
            for risk in row.risks:
                assert not (risk.basis.drives and "recall" in risk.text), row.id

    def test_the_clozapine_table_for_duffy_null_is_marked(self) -> None:
        marked = {row.id for row in LIBRARY.rows(MonitorScheme) if row.population == "duffy_null"}
        assert marked == {"clozapine-us-ben", "clozapine-uk-ben", "clozapine-eu-ben"}

    @pytest.mark.shared
    def test_every_fact_is_carried(self) -> None:
        if not (SHARED / "facts").is_dir():
            pytest.skip("the clinical facts are not beside this checkout")
        carried = {
            "regimens": {row.id for row in regimens()},
            "treat_day_rules": {row.id.split("-")[0] for row in LIBRARY.rows(TreatDayRow)},
            "gcsf": {row.id.split("-")[0] for row in LIBRARY.rows(GrowthRow)},
            "antimicrobials": {row.id.split("-")[0] for row in LIBRARY.rows(AntimicrobialRow)},
            "monitored_drugs": {
                row.id.split("-")[0]
                for kind in (MonitorBand, MonitorInterval, MonitorNote)
                for row in LIBRARY.rows(kind)
            },
        }
        for name, ids in carried.items():
            with (SHARED / "facts" / f"{name}.csv").open() as file:
                assert {row["id"] for row in csv.DictReader(file)} <= ids, name


class TestMedicines:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("Docetaxel 75 mg/m2", ("docetaxel",)),
            ("TAXOTERE", ("docetaxel",)),
            ("5-FU", ("fluorouracil",)),
            ("Fluorouracil 50 MG/ML", ("fluorouracil",)),
            ("trastuzumab deruxtecan", ("trastuzumab deruxtecan",)),
            ("pegylated liposomal doxorubicin", ("pegylated liposomal doxorubicin",)),
            ("paclitaxel albumin-bound", ("nab-paclitaxel",)),
            ("docetaxel + cyclophosphamide", ("docetaxel", "cyclophosphamide")),
            ("pegfilgrastim", ("pegfilgrastim",)),
            ("Clozapin", ()),
            ("aspirin", ()),
        ],
    )
    def test_names(self, text: str, found: tuple[str, ...]) -> None:
        assert medicines_of(dose(0, text), SHELF, LIBRARY) == found

    def test_a_dose_into_the_spine_is_no_part_of_a_cycle(self) -> None:
        assert medicines_of(dose(0, "methotrexate", route="intrathecal"), SHELF, LIBRARY) == ()

    def test_a_dose_that_was_not_given_is_none(self) -> None:
        assert medicines_of(dose(0, "docetaxel", status="not-done", given=False), SHELF, LIBRARY) == ()


class TestPlan:
    def test_a_risk_that_is_only_recalled_decides_nothing(self) -> None:
        found = plan(record(doses=[[0, "carboplatin"], [0, "etoposide"]]), day(1))
        (primary,) = [one for one in found.options if one.id == "growth:primary"]
        assert found.regimen.name == "carboplatin + etoposide"
        assert primary.standing == "cannot_say"
        assert "R39" in found.unreviewed

    def test_ages_at_the_edge_of_65(self) -> None:
        """EORTC counts from the 65th birthday on, ASCO from 66 completed years on."""
        rchop = [[0, drug, {"regimen": "R-CHOP"}] for drug in ("cyclophosphamide", "doxorubicin", "vincristine")]

        def named(born: date) -> str:
            found = plan(record(doses=rchop, patient={"born": born}), day(1))
            (primary,) = [one for one in found.options if one.id == "growth:primary"]
            return primary.what

        assert "age of 65" not in named(date(1961, 1, 3))
        assert "age of 65" in named(date(1961, 1, 2))
        assert "age of 65 years or more and age above 65" not in named(date(1960, 1, 1))

    def test_growth_factor_options_never_name_a_dose(self) -> None:
        tac = [[0, drug] for drug in ("docetaxel", "doxorubicin", "cyclophosphamide")]
        found = plan(record(doses=tac, counts=[[1, {"neutrophils": 0.4}]]), day(1))
        said = " ".join(f"{one.what} {one.when} {one.until}" for one in found.options)
        assert said
        assert not re.search(r"\d\s*(mg|ug|µg|mcg)\b", said)

    def test_planned_doses_tell_the_next_day(self) -> None:
        known = record(doses=[[0, "docetaxel"], [25, "docetaxel", {"status": "active", "given": False}]])
        assert plan(known, day(7)).regimen.next_day_1 == day(25)

    def test_a_medicine_of_the_chemotherapy_is_not_monitored_as_well(self) -> None:
        cmf = [[0, drug] for drug in ("cyclophosphamide", "methotrexate", "fluorouracil")]
        found = plan(record(doses=cmf, counts=[[1, {"neutrophils": 2.0}]]), day(1))
        assert found.regimen.name == "CMF IV q21"
        assert not [one for one in found.monitoring if one.drug == "methotrexate"]

    def test_a_stopped_medicine_has_no_count_due(self) -> None:
        known = record(
            counts=[[21, {"neutrophils": 3.0}]], doses=[[0, "clozapine", {"end": 14, "status": "completed"}]]
        )
        for one in plan(known, day(30)).monitoring:
            assert one.running is False
            assert one.due is None

    def test_it_survives_a_record_without_days(self) -> None:
        found = plan(record(doses=[[None, "docetaxel"]]), day(1))
        assert found.regimen.told == "none"
        assert "have no day" in found.gaps[0].why

    def test_it_can_be_written_as_json(self) -> None:
        found = plan(record(doses=[[0, "docetaxel"]], counts=[[21, {"neutrophils": 1.0}]]), day(21))
        assert b'"treat_days"' in msgspec.json.encode(found)

    def test_every_conclusion_has_a_source(self) -> None:
        tac = [[0, drug] for drug in ("docetaxel", "doxorubicin", "cyclophosphamide")]
        known = record(doses=[*tac, [0, "clozapine"]], counts=[[21, {"neutrophils": 1.2, "platelets": 90}]])
        found = plan(known, day(21))
        for one in (*found.treat_days, *found.options, *found.monitoring, *found.next_counts):
            assert one.reason.citations, one

    def test_factors_are_listed_by_some_body(self) -> None:
        assert {row.body for row in LIBRARY.rows(FactorRow)} == {"EORTC", "ASCO 2015"}


class TestFever:
    """Febrile neutropenia as the infection part tells it."""

    def verdict(self, *, met: bool, applies: bool = True) -> SimpleNamespace:
        reason = Reason(rule="fever:test", text="38.7 and 0.3", evidence=("t",))
        return SimpleNamespace(verdicts=(SimpleNamespace(met=met, applies=applies, reason=reason),))

    def made(self, infection: object, scores: tuple[object, ...] = ()) -> Plan:
        tac = [[0, drug] for drug in ("docetaxel", "doxorubicin", "cyclophosphamide")]
        known = record(doses=tac, counts=[[10, {"neutrophils": 0.3}]])
        return plan(known, day(10), infection=infection, scores=scores)

    def test_treatment_comes_first_and_bodies_differ_on_the_hour(self) -> None:
        found = self.made(self.verdict(met=True))
        assert found.options[0].id == "antimicrobial:timing"
        assert [o.standing for o in found.options if o.id == "antimicrobial:add_on"] == ["not_routine"]
        assert any(one.rule == "conflict:antimicrobial:timing" for one in found.conflicts)
        assert any(one.id == "growth:therapeutic" for one in found.options)

    def test_without_a_certain_score_nobody_is_low_risk(self) -> None:
        ids = {one.id for one in self.made(self.verdict(met=True)).options}
        assert "antimicrobial:empirical_high_risk" in ids
        assert "antimicrobial:empirical_low_risk" not in ids

    def test_low_risk_by_mascc_opens_treatment_by_mouth(self) -> None:
        reason = Reason(rule="score:mascc", text="26", evidence=("t",))
        mascc = SimpleNamespace(
            id="mascc", eligible=True, band="low risk", says="MASCC 26", reason=reason, citations=()
        )
        ids = {one.id for one in self.made(self.verdict(met=True), (mascc,)).options}
        assert "antimicrobial:empirical_low_risk" in ids
        assert "antimicrobial:empirical_high_risk" not in ids

    def test_a_score_that_may_not_be_used_lowers_nothing(self) -> None:
        reason = Reason(rule="score:mascc", text="26")
        mascc = SimpleNamespace(
            id="mascc", eligible=None, band="low risk", says="MASCC 26", reason=reason, citations=()
        )
        ids = {one.id for one in self.made(self.verdict(met=True), (mascc,)).options}
        assert "antimicrobial:empirical_low_risk" not in ids

    @pytest.mark.parametrize("infection", [None, "unmet", "other people"])
    def test_no_fever_on_record_is_no_answer(self, infection: str | None) -> None:
        said = {"unmet": self.verdict(met=False), "other people": self.verdict(met=True, applies=False)}
        found = self.made(said.get(infection or ""))
        assert not any(one.topic == "antimicrobial_therapy" for one in found.options)
        (afebrile,) = [one for one in found.options if one.id == "growth:afebrile"]
        assert afebrile.standing == "not_routine"
        assert "does not rule it out" in afebrile.missing[0].why
