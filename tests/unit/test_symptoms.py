"""Symptoms from the command line and from the form: read, or refused in words that help."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from fixtures.infection import LIBRARY
from leuko.errors import UsageError
from leuko.intake.questionnaire import CANONICAL, Answers, questionnaire, signs_from_response
from leuko.intake.symptoms import parse_symptom


class TestCommandLine:
    def test_a_temperature_with_its_time(self) -> None:
        sign = parse_symptom("fever=38.4@2026-03-09T14:00", library=LIBRARY, zone=ZoneInfo("Europe/Berlin"))
        assert (sign.name, sign.value, sign.unit) == ("Body temperature", 38.4, "Cel")
        assert sign.taken is not None
        assert sign.taken.at.isoformat() == "2026-03-09T14:00:00+01:00"
        assert sign.taken.zone_assumed

    @pytest.mark.parametrize(
        ("text", "value", "unit", "loinc"),
        [
            ("fever=101.2F", 101.2, "[degF]", "8310-5"),
            ("fever=101.2", 101.2, "[degF]", "8310-5"),
            ("Fieber=38,4", 38.4, "Cel", "8310-5"),
            ("temperature=38.4 °C", 38.4, "Cel", "8310-5"),
            ("temp=38.4C/axillary", 38.4, "Cel", "8328-7"),
            ("temperature=38.4 (im Ohr)", 38.4, "Cel", "8333-7"),
            ("oral temperature=37", 37.0, "Cel", "8310-5"),
            ("systolic blood pressure=85", 85.0, "mm[Hg]", "8480-6"),
        ],
    )
    def test_measurements(self, text: str, value: float, unit: str, loinc: str) -> None:
        sign = parse_symptom(text, library=LIBRARY)
        assert (sign.value, sign.unit, sign.codes[0].code) == (value, unit, loinc)
        assert sign.taken is None

    @pytest.mark.parametrize(
        ("text", "name", "present"),
        [
            ("cough", "cough", True),
            ("Husten", "cough", True),
            ("cough=no", "cough", False),
            ("no sore throat", "sore_throat", False),
            ("kein Husten", "cough", False),
            ("cough=dry@2026-03-09", "cough", True),
            ("cough=unknown", "cough", None),
            ("Sore Throat", "sore_throat", True),
            ("painful_urination", "painful_urination", True),
            ("fever", "fever", True),
        ],
    )
    def test_answers(self, text: str, name: str, present: bool | None) -> None:
        sign = parse_symptom(text, library=LIBRARY)
        assert (sign.name, sign.present) == (name, present)

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("couhg", "did you mean cough"),
            ("", "has no name"),
            ("=38.4", "has no name"),
            ("cough=", "has no value"),
            ("no cough=yes", "denied and has a value"),
            ("fever=38.4@yesterday", "is no date"),
            ("cough@", "is no date"),
            ("fever=58", "cannot be a person's"),
            ("fever=38.4K", "is no way of measuring"),
            ("temperature", "write a number"),
            ("temperature=high", "write a number"),
            ("fever=38.4 somewhere", "is no way of measuring"),
            ("heart rate=fast", "needs a number"),
        ],
    )
    def test_what_cannot_be_read_is_said_with_what_to_do(self, text: str, says: str) -> None:
        with pytest.raises(UsageError) as error:
            parse_symptom(text, library=LIBRARY)
        assert says in str(error.value)
        assert error.value.do


class TestForm:
    def test_the_shipped_form_is_the_generated_one(self) -> None:
        shipped = resources.files("leuko") / "data" / "fhir" / "questionnaire-symptoms.json"
        assert json.loads(shipped.read_text(encoding="utf-8")) == questionnaire(LIBRARY)

    def test_every_item_has_a_text_in_two_languages_and_a_link_of_its_own(self) -> None:
        form = questionnaire(LIBRARY)
        items = [item for top in form["item"] for item in (top, *top.get("item", ()))]
        assert len({item["linkId"] for item in items}) == len(items)
        for item in items:
            assert item["text"]
            german = item["_text"]["extension"][0]["extension"]
            assert german[0] == {"url": "lang", "valueCode": "de"}
            assert german[1]["valueString"]
            assert item["type"] in {"group", "boolean", "quantity", "dateTime", "choice"}


def response(*items: dict, **more: object) -> Answers:
    resource = {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "questionnaire": f"{CANONICAL}|1.0",
        "status": "completed",
        "subject": {"reference": "Patient/p"},
        "authored": "2026-03-09T15:00:00+01:00",
        "item": list(items),
    }
    return signs_from_response({**resource, **more}, library=LIBRARY)


def yes_no(link: str, **answer: object) -> dict:
    return {"linkId": link, "answer": [answer]}


def reading(value: float, unit: str = "Cel", **more: object) -> dict:
    items = [{"linkId": "temperature-value", "answer": [{"valueQuantity": {"value": value, "code": unit}}]}]
    items += [{"linkId": f"temperature-{name}", "answer": [answer]} for name, answer in more.items()]
    return {"linkId": "temperature", "item": items}


class TestResponse:
    def test_answers_become_signs_with_the_time_of_authoring(self) -> None:
        found = response(
            {"linkId": "symptoms", "item": [yes_no("cough", valueBoolean=True), yes_no("chills", valueBoolean=False)]}
        )
        assert [(sign.name, sign.present) for sign in found.signs] == [("cough", True), ("chills", False)]
        assert {sign.taken.day for sign in found.signs if sign.taken} == {date(2026, 3, 9)}
        assert found.signs[0].origin.place.pointer == "/item/0/item/0/answer/0"
        assert found.subject == "Patient/p"
        assert found.notices == ()

    def test_several_temperatures_each_with_its_time_and_way(self) -> None:
        first = reading(
            38.4, taken={"valueDateTime": "2026-03-09T14:00:00+01:00"}, route={"valueCoding": {"code": "axillary"}}
        )
        found = response(first, reading(101.2, "[degF]"))
        assert [(sign.value, sign.unit, sign.codes[0].code) for sign in found.signs] == [
            (38.4, "Cel", "8328-7"),
            (101.2, "[degF]", "8310-5"),
        ]
        assert [sign.taken.at.hour for sign in found.signs if sign.taken] == [14, 15]
        assert len({sign.id for sign in found.signs}) == 2

    @pytest.mark.parametrize(
        ("answer", "present"),
        [
            ({"valueCoding": {"system": "http://snomed.info/sct", "code": "373066001", "display": "Yes"}}, True),
            ({"valueCoding": {"code": "N", "display": "No"}}, False),
            ({"valueString": "ja"}, True),
            ({"valueString": "Nein"}, False),
        ],
    )
    def test_other_ways_to_say_yes_and_no(self, answer: dict, present: bool) -> None:
        (sign,) = response({"linkId": "cough", "answer": [answer]}).signs
        assert sign.present is present

    def test_a_question_without_an_answer_is_unknown(self) -> None:
        assert response({"linkId": "cough"}).signs == ()

    @pytest.mark.parametrize(
        ("item", "code"),
        [
            (yes_no("q17", valueBoolean=True), "LK742"),
            (yes_no("cough", valueString="perhaps"), "LK743"),
            (yes_no("cough", valueInteger=3), "LK743"),
            (
                {
                    "linkId": "temperature",
                    "item": [{"linkId": "temperature-taken", "answer": [{"valueDateTime": "2026"}]}],
                },
                "LK743",
            ),
            (
                {
                    "linkId": "temperature",
                    "item": [{"linkId": "temperature-value", "answer": [{"valueString": "hot"}]}],
                },
                "LK743",
            ),
        ],
    )
    def test_what_cannot_be_read_is_told_with_its_place(self, item: dict, code: str) -> None:
        found = response(item)
        assert found.signs == ()
        (notice,) = found.notices
        assert (notice.code, notice.data_lost) == (code, True)
        assert notice.place.pointer

    def test_a_withdrawn_response_counts_for_nothing(self) -> None:
        found = response(yes_no("cough", valueBoolean=True), status="entered-in-error")
        assert found.signs == ()
        assert [notice.code for notice in found.notices] == ["LK744"]

    def test_another_form_an_unfinished_one_and_one_without_a_time(self) -> None:
        more = {"questionnaire": "http://example.org/q", "status": "in-progress", "authored": None}
        found = response(yes_no("cough", valueBoolean=True), **more)
        assert [notice.code for notice in found.notices] == ["LK741", "LK746", "LK745"]
        assert found.signs[0].taken is None

    def test_the_time_that_the_answers_speak_of_comes_first(self) -> None:
        at = yes_no("answered-at", valueDateTime="2026-03-07T09:00:00Z")
        (sign,) = response(at, yes_no("cough", valueBoolean=True)).signs
        assert sign.taken is not None
        assert sign.taken.day == date(2026, 3, 7)

    @pytest.mark.parametrize("item", [None, 3, "x", [1], {"linkId": 4}, {"item": {"linkId": "cough"}}])
    def test_broken_resources_are_survived(self, item: object) -> None:
        assert signs_from_response({"item": [item], "subject": 3, "status": None}, library=LIBRARY).signs == ()
        assert signs_from_response({"item": item}, library=LIBRARY).signs == ()
