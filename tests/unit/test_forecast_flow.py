"""What a forecast is put together from: options against the same draws, rules of the day, searches, words, views."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest

from fixtures.forecasts import assessed, of
from leuko.cli._what_if import asked_changes, asked_limits
from leuko.errors import UsageError
from leuko.forecast import choose
from leuko.forecast.case import Case
from leuko.forecast.choose import OWN_STRENGTH, pareto
from leuko.forecast.counted import seen_of
from leuko.forecast.outcome import Courses, first_return
from leuko.forecast.ready import rules_for
from leuko.forecast.treated import weighings
from leuko.forecast.what_if import case_of
from leuko.forecast.wish import Change, Limits, Wish
from leuko.knowledge import load_library
from leuko.report import terminal, terminal_forecast
from leuko.report.chart_forecast import forecast_spec
from leuko.report.document import decode, encode, encode_forecasts
from leuko.report.fhir import bundle
from leuko.report.page import html
from leuko.result import Assessment
from leuko.result.forecast import Chance, Option
from leuko.standing import standing_of

PERSON = {
    "person": {"age": 55, "sex": "female", "height": 165, "weight": 60},
    "doses": ["docetaxel, given, 0, 165 mg"],
    "counts": ["-1 4.6", "8 0.4"],
    "regimen": "docetaxel 100",
    "model": "docetaxel-kloft",
    "as_of": 9,
}
CHANGES = (
    Change(dose={"": 0.8}),
    Change(dose={"docetaxel": 0.8}),
    Change(delay=7.0),
    Change(factor=2),
)


@cache
def person() -> Assessment:
    return assessed(PERSON)


@cache
def weighed() -> Assessment:
    return assessed(PERSON, wish=Wish(model="docetaxel-kloft", changes=CHANGES))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(dose={"docetaxal": 0.5}), "planned: docetaxel"),
        (Change(drop=8), "treatment is planned for day 1"),
        (Change(drop=1), ""),
    ],
)
def test_a_change_of_what_is_not_planned_is_refused_rather_than_without_effect(change: Change, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        assessed(PERSON, wish=Wish(model="docetaxel-kloft", changes=(change,)))
    assert refused.value.why == why
    assert refused.value.do


def test_a_next_cycle_in_the_past_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot begin on 5 January 2026"):
        assessed(PERSON, wish=Wish(model="docetaxel-kloft", next_day_1=date(2026, 1, 5)))


def test_changes_of_a_cycle_that_nobody_plans_are_told_as_a_gap() -> None:
    untreated = {**PERSON, "doses": [], "regimen": None}
    (one,) = assessed(untreated, wish=Wish(changes=CHANGES)).forecasts
    assert one.options == ()
    assert "the changes that were asked for" in one.gaps[-1].what


def test_a_model_of_a_medicine_that_nobody_takes_is_told_as_a_gap_and_never_drawn() -> None:
    chronic = {"person": {"age": 35, "sex": "female"}, "counts": ["-90 1.2", "-60 1.1", "-30 1.3", "0 1.1"], "as_of": 1}
    (one,) = assessed(chronic, wish=Wish(model="docetaxel-kloft")).forecasts
    assert one.method == "state_space"
    assert [model.id for model in one.models] == ["neutrophils-untreated"]
    assert one.gaps[-1].what == "what the model docetaxel-kloft would say"


@pytest.mark.parametrize(
    ("regimen", "why"),
    [
        ("XYZ-9", "'XYZ-9' is none of the regimens on file"),
        ("TAC", "TAC is named, and no dose of these weeks is on record"),
        ("carboplatin + paclitaxel", "means several regimens"),
    ],
)
def test_a_regimen_that_is_named_and_of_which_no_dose_is_known_withholds_what_would_be_a_level_of_one_s_own(
    regimen: str, why: str
) -> None:
    chronic = {"person": {"age": 35, "sex": "female"}, "counts": ["-90 1.2", "-60 1.1", "-30 1.3", "0 1.1"], "as_of": 1}
    assert assessed(chronic).forecasts[0].outcome is not None
    (one,) = assessed({**chronic, "regimen": regimen}).forecasts
    assert one.outcome is None
    assert why in one.gaps[0].why
    assert "doses" in one.gaps[0].settle


def test_a_regimen_that_nobody_knows_is_a_gap_beside_the_doses_on_record() -> None:
    (one,) = assessed({**PERSON, "regimen": "XYZ-9"}).forecasts
    assert one.outcome is not None
    assert one.options == ()
    assert "'XYZ-9' is none of the regimens on file" in one.gaps[0].why


def test_a_dose_that_the_regimen_plans_and_the_record_has_not_is_a_caution_of_the_whole_forecast() -> None:
    on_eribulin = {
        "person": {"age": 55, "sex": "female", "height": 165, "weight": 60},
        "doses": ["eribulin, given, 0, 2.4 mg"],
        "counts": ["-1 4.6", "6 2.4"],
        "regimen": "eribulin",
        "as_of": 9,
    }
    (one,) = assessed(on_eribulin).forecasts
    said = "eribulin of day 8 (8 January 2026): not on record, taken as not given"
    assert f"{said}; if given, counts fall lower than is said" in one.cautions
    given = {**on_eribulin, "doses": [*on_eribulin["doses"], "eribulin, given, 7, 2.4 mg"]}
    (whole,) = assessed(given).forecasts
    assert not any("not on record" in text for text in whole.cautions)
    assert one.outcome is not None
    assert whole.outcome is not None
    assert whole.outcome.nadir.median < one.outcome.nadir.median


def test_a_daily_medicine_whose_record_ends_today_is_said_to_be_taken_as_stopped() -> None:
    given = [f"mercaptopurine, given, {day}, 41 mg" for day in range(40)]
    child = {"person": {"age": 7, "sex": "male", "height": 120, "weight": 22}, "counts": ["-1 2.6", "38 1.9"]}
    child |= {"as_of": 40, "model": "mercaptopurine-jost"}
    (one,) = assessed({**child, "doses": given}).forecasts
    assert any(text.startswith("mercaptopurine: no dose after 9 February 2026 is on record") for text in one.cautions)
    assert "none beyond them" in one.fan_text
    (on,) = assessed({**child, "doses": ["mercaptopurine, stated, 0, 41 mg"]}).forecasts
    assert not any("as if it were stopped" in text for text in on.cautions)
    assert on.outcome is not None
    assert one.outcome is not None
    assert on.fan is not None
    assert one.fan is not None
    assert on.fan.quantiles[3][-1] < one.fan.quantiles[3][-1]


def test_counts_that_are_only_bounds_are_said() -> None:
    (one,) = assessed({**PERSON, "counts": ["-1 4.6", "7 <0.5", "8 0.4"]}).forecasts
    assert "1 of 3 counts is only a bound: at most, or at least, so much" in one.dosing


def test_a_growth_factor_on_top_of_one_that_is_planned_is_told_as_a_gap() -> None:
    planned = {**PERSON, "doses": [*PERSON["doses"], "filgrastim, ordered, 22, 300 ug"]}
    found = assessed(planned, wish=Wish(model="docetaxel-kloft", changes=(Change(factor=2), Change(delay=7.0))))
    (one,) = found.forecasts
    assert [option.id for option in one.options] == ["as-planned", "asked-2"]
    assert any("growth factor that was asked for" in gap.what for gap in one.gaps)


def test_a_treatment_that_begins_beyond_the_days_of_a_forecast_makes_none() -> None:
    far = {**PERSON, "doses": ["docetaxel, ordered, 300, 165 mg"], "regimen": None, "model": None, "as_of": 9}
    assert all(one.method != "marrow" for one in assessed(far).forecasts)


def test_the_same_record_gives_the_same_forecast() -> None:
    assert assessed(PERSON).forecasts == person().forecasts


def test_less_dose_is_less_severe_and_costs_intensity() -> None:
    plan, lower, by_drug, later, grown = weighed().forecasts[0].options
    assert plan.dose_intensity == 1.0
    assert lower.severe < plan.severe
    assert lower.dose_intensity == pytest.approx(0.8)
    assert later.dose_intensity == pytest.approx(21 / 28)
    assert grown.severe < plan.severe
    assert grown.factor_days > 0
    # the same draws: a change that is the same in other words gives the same numbers
    assert (by_drug.severe, by_drug.outcome) == (lower.severe, lower.outcome)


def test_a_search_keeps_to_its_limits_and_nothing_it_finds_is_beaten() -> None:
    limits = Limits(severe=0.5, delay=4.0, intensity=0.6)
    one = assessed(PERSON, wish=Wish(model="docetaxel-kloft", limits=limits)).forecasts[0]
    assert one.front
    assert all(option.severe <= 0.5 for option in one.front)
    assert all(option.delay_days <= 4.0 for option in one.front)
    assert all(option.dose_intensity >= 0.6 for option in one.front)
    assert all(option.pareto for option in pareto(one.front))
    assert "severe neutropenia in at most 50 %" in one.front_text


def test_a_search_looks_at_the_limit_itself_the_usual_delays_and_the_days_of_a_growth_factor() -> None:
    limits = Limits(delay=7.0)
    weighing = weighings(case_of(of(PERSON), person(), load_library()), "neutrophils")[0].weighing
    looked: list[Change] = []

    def weighed_as(change: Change, *_: object, **__: object) -> Option:
        looked.append(change)
        return replace(person().forecasts[0].options[0], delay_days=change.delay)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "option_of", weighed_as)
        choose.front_of(weighing, limits)
    assert {change.delay for change in looked} == {0.0, 2.0, 3.0, 4.0, 6.0, 7.0}
    assert {change.factor for change in looked} == {None, 2, 3, 4}
    assert min(change.share("docetaxel") for change in looked) == 0.5


def test_limits_that_nothing_keeps_to_are_said() -> None:
    limits = Limits(severe=0.0, delay=0.0, intensity=1.0)
    (one,) = assessed(PERSON, wish=Wish(model="docetaxel-kloft", limits=limits)).forecasts
    assert one.front == ()
    assert one.gaps[-1].what == "a way to go on that keeps to the limits"
    assert "severe neutropenia in at most 0 %" in one.gaps[-1].why
    assert "delays up to 0 days" in one.gaps[-1].why


def test_an_option_that_another_beats_is_marked() -> None:
    plan = person().forecasts[0].options[0]
    worse = replace(plan, id="worse", severe=plan.severe + 0.1)
    other = replace(plan, id="other", severe=plan.severe + 0.1, delay_days=-1.0)
    marks = {option.id: option.pareto for option in pareto((plan, worse, other))}
    assert marks == {"as-planned": True, "worse": False, "other": True}


def test_the_rule_of_the_label_is_held_against_a_measured_count() -> None:
    made, library = person(), load_library()
    standing = standing_of(of(PERSON), library=library, as_of=made.as_of)
    case = Case(
        record=of(PERSON),
        series=standing.cleaned.series,
        latest=standing.latest,
        courses=standing.courses,
        lines=standing.lines,
        drug_links=(),
        infection=None,
        plan=made.plan,
        library=library,
        as_of=made.as_of,
    )
    (rule,) = rules_for(case, "neutrophils")
    assert rule.met(np.array([0.4, 1.49, 1.5, 9.0])).tolist() == [0, 0, 1, 1]
    assert len(seen_of(case, "neutrophils")) == 2
    ready = [chance for chance in made.forecasts[0].outcome.chances if chance.on is not None]
    assert [chance.id for chance in ready] == ["ready:docetaxel"]


def test_without_numba_the_forecast_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("leuko.forecast.flow.find_spec", lambda name: None if name == "numba" else real(name))
    one = assessed(PERSON).forecasts[0]
    assert one.outcome is None
    assert "leuko[forecast]" in one.gaps[0].settle


def test_the_first_return_to_the_own_count_is_after_the_nadir() -> None:
    days = np.arange(6.0)
    counts = np.array([4.0, 1.0, 2.0, 5.0, 3.9, 4.1])[:, None]
    day, never, was = first_return(Courses(days=days, counts=counts, baseline=np.array([4.0])), 4.0)
    assert 2.0 < day[0] < 3.0
    assert not never[0]
    assert was[0]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("delay=7,dose=80%,gcsf=2", Change(delay=7.0, dose={"": 0.8}, factor=2)),
        ("dose:Docetaxel=75", Change(dose={"docetaxel": 0.75})),
        ("drop=8", Change(drop=8)),
    ],
)
def test_what_if_is_read(text: str, change: Change) -> None:
    assert asked_changes([text]) == (change,)


@pytest.mark.parametrize(
    "text",
    [
        "delay",
        "later=7",
        "delay=soon",
        "dose=-5",
        "gcsf=0",
        "",
        "delay=7,,",
        "gcsf=2.5",
        "drop=1.5",
        "gcsf:pegfilgrastim=2",
    ],
)
def test_what_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        asked_changes([text])


@pytest.mark.parametrize("text", ["delay=7,delay=3", "dose=80%,dose=50%", "dose:docetaxel=80%,dose:Docetaxel=50%"])
def test_what_is_said_twice_is_refused_rather_than_the_last_taken(text: str) -> None:
    with pytest.raises(UsageError, match="twice"):
        asked_changes([text])


@pytest.mark.parametrize(
    "asked", [lambda text: asked_changes([f"dose={text}"]), lambda text: asked_limits(f"severe={text}")]
)
def test_a_share_that_may_be_meant_as_a_percentage_is_refused(asked: Callable[[str], object]) -> None:
    """0.8 of a dose taken for 0.8 % of it would show next to no risk."""
    with pytest.raises(UsageError, match=r"'0\.8' may be 0\.8 % or 80 %") as refused:
        asked("0.8")
    assert "80%" in refused.value.do
    assert asked("0.8%")
    assert asked("80")
    assert asked("0")


def test_limits_are_read() -> None:
    assert asked_limits("severe=20%,delay=7") == Limits(severe=0.2, delay=7.0)
    assert asked_limits(None) is None
    with pytest.raises(UsageError):
        asked_limits("speed=3")


# --- views ------------------------------------------------------------------------------------------------------------


def test_the_document_is_read_again_as_it_was() -> None:
    assert decode(encode(person())) == person()
    alone = json.loads(encode_forecasts([person()]))
    assert alone["forecasts"][0]["analyte"] == "neutrophils"


def test_a_forecast_alone_says_which_counts_it_does_not_know_where_they_stand_and_what_to_do() -> None:
    made = assessed({**PERSON, "counts": ["-1 4.6", "7 -4"]})
    (lost,) = (notice for notice in made.notices if notice.data_lost)
    said = " ".join(terminal_forecast.render(made, width=200).split())
    for piece in (f"error[{lost.code}] {lost.text} (content set aside)", f"--> {lost.place}", lost.help):
        assert piece in said
    assert not any(notice.text in said for notice in made.notices if notice.severity == "info")
    (written,) = (notice for notice in json.loads(encode_forecasts([made]))["notices"] if notice["data_lost"])
    assert (written["code"], written["text"]) == (lost.code, lost.text)


def test_every_view_says_how_low_and_when() -> None:
    headline = person().forecasts[0].headline
    brief, full, alone = (
        " ".join(text.split())
        for text in (
            terminal.render(person()),
            terminal.render(person(), full=True),
            terminal_forecast.render(person()),
        )
    )
    page = html(person())
    for text in (brief, full, alone, page):
        assert headline[:60] in text
    assert "Ways to go on with the next cycle" in full
    assert "━" in alone


def test_every_view_says_whose_setting_the_strength_of_a_growth_factor_is() -> None:
    """Numbers of an option with a growth factor rest on it, wherever they are read."""
    found = [entry["resource"] for entry in bundle(person())["entry"]]
    views = (
        terminal.render(person()),
        terminal.render(person(), full=True),
        terminal_forecast.render(person()),
        html(person()),
        encode(person()).decode(),
        json.dumps(found, ensure_ascii=False),
    )
    for text in views:
        assert OWN_STRENGTH in " ".join(text.replace("&#39;", "'").split())


def test_the_figure_holds_fan_courses_and_doses() -> None:
    made = forecast_spec(person(), person().forecasts[0])
    (panel,) = made["vconcat"]
    marks = [layer["mark"]["type"] for layer in panel["layer"]]
    assert marks.count("area") == 3
    assert "next dose planned" in json.dumps(made)
    assert "single courses" in made["description"]


def test_fhir_carries_each_chance_and_recommends_nothing() -> None:
    found = [entry["resource"] for entry in bundle(person())["entry"]]
    (risk,) = [
        one for one in found if one["resourceType"] == "RiskAssessment" and one["code"]["text"].startswith("Forecast")
    ]
    assert risk["status"] == "preliminary"
    assert any("not recommended" in note["text"] for note in risk["note"])
    assert any(note["text"].startswith("Assumed: ") for note in risk["note"])
    assert all({"start", "end"} == set(each["whenPeriod"]) for each in risk["prediction"])


def test_probabilities_of_fhir_are_percentages_and_never_certain() -> None:
    """R4: "decimal values are expressed as percentages as well (max = 100)", so 0.81 would be less than one percent."""
    (one,) = person().forecasts
    assert one.outcome is not None
    chances = tuple(chance_of(share, one.outcome.chances[0]) for share in (0.0, 0.004, 0.0123, 0.81, 0.99, 0.9951, 1.0))
    made = replace(person(), forecasts=(replace(one, outcome=replace(one.outcome, chances=chances)),))
    (risk,) = [
        entry["resource"]
        for entry in bundle(made)["entry"]
        if entry["resource"]["resourceType"] == "RiskAssessment"
        and entry["resource"]["code"]["text"].startswith("Forecast")
    ]
    low, lower, few, most, sure, surer, surest = risk["prediction"]
    assert [each["probabilityDecimal"] for each in (few, most, sure)] == [1.2, 81.0, 99.0]
    for each, ends in ((low, (0.0, 1.0)), (lower, (0.0, 1.0)), (surer, (99.0, 100.0)), (surest, (99.0, 100.0))):
        assert "probabilityDecimal" not in each
        found = each["probabilityRange"]
        assert (found["low"]["value"], found["high"]["value"]) == ends
        assert {end["code"] for end in found.values()} == {"%"}


def chance_of(share: float, like: Chance) -> Chance:
    return replace(like, probability=share)


def test_what_is_to_come_of_a_level_of_the_person_s_own_begins_now_not_at_the_last_count() -> None:
    chronic = {
        "person": {"age": 35, "sex": "female"},
        "counts": ["-200 1.2", "-150 1.1", "-100 1.3", "-50 1.2", "-40 0.9", "0 1.1"],
        "as_of": 40,
    }
    (one,) = assessed(chronic).forecasts
    assert one.outcome is not None
    assert one.start_text == "day 0 is 1 January 2026, the last count"
    # the headline says "lowest in 42 days": of the days that are to come, as its chances are
    assert one.outcome.nadir_day.outer is not None
    assert one.outcome.nadir_day.outer[0] >= 40
    (severe,) = (chance for chance in one.outcome.chances if chance.id == "below:0.5")
    (cut,) = (cut for cut in one.outcome.cuts if cut.cut == 0.5)
    assert cut.below == severe.probability
    longest = next(cut for cut in one.outcome.cuts if cut.cut == 1.5).days_below.outer
    assert longest is not None
    assert longest[1] <= 42.0
    assert "from 6 counts of this person" in one.models[0].domain_text
