"""Runs the cases that show one entry each of the tables about CDS Hooks at work: tests/cases/entries-cards.toml.

Each person is sent to the service as an EHR would: a token, a hook, a prefetch of FHIR, and cards come back.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_build import concept, observation, quantity
from fixtures.forecasts import coming
from fixtures.hooks import LEFT_OUT, NOW, Desk, desk, drafts, order, prefetch, searchset
from leuko.knowledge import load_library
from leuko.knowledge.schema.cards import CardRow, OfferRow, OverrideRow, PrefetchRow, ServiceRow
from leuko.service.hooks import desk as desk_module
from leuko.service.hooks.cards import placeholders, summary_of
from leuko.service.hooks.cards import row_of as spoken
from leuko.service.hooks.findings import Finding
from leuko.service.store import open_store

CASES = tomllib.loads(
    (Path(__file__).resolve().parents[1] / "cases" / "entries-cards.toml").read_text(encoding="utf-8")
)
LIBRARY = load_library()
KEYS = {"row", "name"}
MORE = {
    "service": {"hooks", "title", "description", "usage", "prefetch"},
    "prefetch": {"called", "query", "codes", "never", "kinds", "needed", "only_counts", "person", "card"},
    "card": {
        *("person", "also", "beside", "before", "of", "speaks", "silent", "again", "services", "indicator"),
        *("summary", "offers", "overrides", "wordings"),
    },
    "offer": {"label", "description", "creates", "deletes", "on", "not_on"},
    "override": {"system", "display", "on", "not_on"},
}
LOINC = {
    "neutrophils": ("751-8", "10*9/L"),
    "wbc": ("6690-2", "10*9/L"),
    "lymphocytes": ("731-0", "10*9/L"),
    "platelets": ("777-3", "10*9/L"),
    "haemoglobin": ("718-7", "g/dL"),
}
HOOKS = {
    "leuko-patient-view": "patient-view",
    "leuko-orders": "order-sign",
    "leuko-release": "medication-verify",
    "leuko-discharge": "encounter-discharge",
}
EVERY_HOOK = ("patient-view", "order-select", "order-sign", "medication-verify", "encounter-discharge")
OTHER = "Paracetamol"
"""What is ordered where an order is needed and the case names none: no rule speaks of it."""


def moment(day: float) -> str:
    return (NOW + timedelta(days=day)).strftime("%Y-%m-%dT07:00:00Z")


def counts_of(person: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [
        observation(
            f"{name}{day}", LOINC[name][0], effectiveDateTime=moment(day), valueQuantity=quantity(value, LOINC[name][1])
        )
        for day, values in person.get("counts", ())
        for name, value in values.items()
    ]
    if "named" in person:
        found[0]["code"]["text"] = person["named"]
    return found


def medicine(kind: str, name: str, drug: str, **more: Any) -> dict[str, Any]:
    """What is known of a medicine; one that is written `Medication/…` stands in a resource of its own."""
    body = {"resourceType": kind, "id": name, "subject": {"reference": "Patient/ada"}} | more
    if drug.startswith("Medication/"):
        return body | {"medicationReference": {"reference": drug}}
    return body | {"medicationCodeableConcept": {"text": drug}}


def sent(person: Mapping[str, Any]) -> dict[str, Any]:
    """The prefetch of a person."""
    more: dict[str, list[dict[str, Any]]] = {
        "signs": [
            observation(f"t{day}", "8310-5", effectiveDateTime=moment(day), valueQuantity=quantity(value, "Cel"))
            for day, value in person.get("temperature", ())
        ],
        "conditions": [
            {
                "resourceType": "Condition",
                "id": f"c{at}",
                "subject": {"reference": "Patient/ada"},
                "code": {"text": text},
                "clinicalStatus": concept("active", system="http://terminology.hl7.org/CodeSystem/condition-clinical"),
                "onsetDateTime": moment(day),
            }
            for at, (day, text) in enumerate(person.get("conditions", ()))
        ],
        "administrations": [
            medicine("MedicationAdministration", f"m{at}", drug, status="completed", effectiveDateTime=moment(day))
            for at, (day, drug) in enumerate(person.get("given", ()))
        ],
        "requests": [
            medicine("MedicationRequest", f"r{at}", drug, status="active", intent="order", authoredOn=moment(day))
            for at, (day, drug) in enumerate(person.get("prescribed", ()))
        ],
        "statements": [
            medicine("MedicationStatement", f"s{at}", drug, status="active", effectivePeriod={"start": moment(day)})
            for at, (day, drug) in enumerate(person.get("takes", ()))
        ],
    }
    for found in more.values():
        apart = [one["medicationReference"]["reference"] for one in found if "medicationReference" in one]
        found += [
            {"resourceType": "Medication", "id": name.partition("/")[2], "code": {"text": name.partition("/")[2]}}
            for name in apart
        ]
    return prefetch(*counts_of(person), **{key: searchset(*found) if found else None for key, found in more.items()})


def context_of(service: str, person: Mapping[str, Any]) -> dict[str, Any]:
    orders = [order(drug, f"o{at}") for at, drug in enumerate(person.get("orders", [OTHER]))]
    if service == "leuko-orders":
        return drafts(*orders)
    return {"medication": orders[0] | {"status": "active"}} if service == "leuko-release" else {}


def asked(ehr: Desk, person: Mapping[str, Any], service: str, user: str) -> dict[str, dict[str, Any]]:
    """The cards for a person at a service, by their rows."""
    given, context = sent(person), context_of(service, person)
    cards = ehr.cards(service=service, hook=HOOKS[service], user=f"Practitioner/{user}", given=given, context=context)
    return {row_of(card): card for card in cards}


def row_of(card: Mapping[str, Any]) -> str:
    """The row of a card, by what it hands to the app that can be started from it."""
    (context,) = [link["appContext"] for link in card["links"] if link["type"] == "smart"]
    return str(json.loads(context)["card"])


def driving(kind: type[Any], name: str) -> Any:
    row = next(row for row in LIBRARY.rows(kind) if row.id == name)
    assert row.basis.drives
    return row


def cases(kind: str) -> list[Any]:
    assert all(set(case) <= KEYS | MORE[kind] for case in CASES[kind])
    return [pytest.param(case, id=f"{case['row']}: {case['name']}") for case in CASES[kind]]


def card_case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(case for case in CASES["card"] if case["row"] == name)
    return found


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path / "store.sqlite")
    with desk(store, smart_launch="https://leuko.example/launch") as found:
        yield found
    store.close()


@pytest.fixture
def forecasting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The same, where a forecast is ready."""
    ready: Future[Any] = Future()
    ready.set_result(coming().forecasts)
    monkeypatch.setattr(desk_module, "begin", lambda *_: ready)
    store = open_store(tmp_path / "forecasts.sqlite")
    with desk(store, smart_launch="https://leuko.example/launch", forecasts=True) as found:
        yield found
    store.close()


# ---- services and data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("service"))
def test_a_service_is_as_discovery_prints_it_and_answers_its_hooks(ehr: Desk, case: dict[str, Any]) -> None:
    driving(ServiceRow, case["row"])
    found = [one for one in ehr.get().json()["services"] if one["id"] == case["row"]]
    assert [one["hook"] for one in found] == case["hooks"]
    for one in found:
        assert (one["title"], one["description"], one["usageRequirements"]) == (
            case["title"],
            case["description"],
            case["usage"],
        )
        assert list(one["prefetch"]) == case["prefetch"]
    for hook in EVERY_HOOK:
        context = context_of(case["row"], {})
        answer = ehr.ask(service=case["row"], hook=hook, context=context)
        assert answer.status_code == (200 if hook in case["hooks"] else 400)


@pytest.mark.parametrize("case", cases("prefetch"))
def test_the_query_of_data_is_as_discovery_prints_it(ehr: Desk, case: dict[str, Any]) -> None:
    driving(PrefetchRow, case["row"])
    for service in ehr.get().json()["services"]:
        query = service["prefetch"][case["row"]]
        before, placed, after = case["query"].partition("{counts}")
        if not placed:
            assert query == case["query"]
            continue
        assert query.startswith(before)
        assert query.endswith(after)
        codes = query.removeprefix(before).removesuffix(after).split(",")
        assert set(case["codes"]) <= set(codes)
        assert not set(case["never"]) & set(codes)


@pytest.mark.parametrize("case", cases("prefetch"))
def test_data_are_needed_or_missed(ehr: Desk, case: dict[str, Any]) -> None:
    row = driving(PrefetchRow, case["row"])
    given = sent({"counts": [[0, {"neutrophils": 0.4}]]}) | {case["row"]: LEFT_OUT}
    answer = ehr.ask(given={name: value for name, value in given.items() if value is not LEFT_OUT})
    if case.get("needed", False):
        assert answer.status_code == 412
        assert answer.json()["issue"][0]["details"]["text"].startswith(f"{case['called']}: ")
    else:
        (card,) = answer.json()["cards"]
        assert f"Not known to leuko here: {case['called']} (" in card["detail"]
    assert row.filtered is case.get("only_counts", False)


@pytest.mark.parametrize("case", cases("prefetch"))
def test_data_are_used_and_only_those_of_the_person(ehr: Desk, case: dict[str, Any]) -> None:
    name = case["row"]
    if "person" in case:
        given = sent(case["person"])
        kinds = [entry["resource"]["resourceType"] for entry in given[name]["entry"]]
        assert set(kinds) == set(case["kinds"])
        for user, value in (("with", given[name]), ("without", None)):
            cards = ehr.cards(user=f"Practitioner/{user}", given=given | {name: value})
            assert (case["card"] in map(row_of, cards)) is (value is not None)
    for kind in case["kinds"]:
        body = {"resourceType": kind, "id": "eve", "subject": {"reference": "Patient/eve"}, "code": {"text": "x"}}
        answer = ehr.ask(given=prefetch(**{name: body if kind == "Patient" else searchset(body)}))
        assert answer.status_code == (200 if kind == "Medication" else 400)  # a medicine is nobody's


def test_a_temperature_among_the_counts_was_not_asked_for(ehr: Desk) -> None:
    """As the row of the counts says `filtered`, and that of the signs does not."""
    given = sent({"counts": [[0, {"neutrophils": 0.3}]], "temperature": [[0, 38.6]]})
    among = searchset(*(entry["resource"] for name in ("counts", "signs") for entry in given[name]["entry"]))
    cards = [ehr.cards(user="Practitioner/p1", given=given)]
    cards += [ehr.cards(user="Practitioner/p2", given=given | {"counts": among, "signs": None})]
    assert ["emergency" in map(row_of, found) for found in cards] == [True, False]


# ---- cards ----------------------------------------------------------------------------------------------------------


def told(ehr: Desk, case: Mapping[str, Any], person: Mapping[str, Any], service: str, user: str) -> dict[str, Any]:
    if "before" in case:
        asked(ehr, case["before"], service, user)
    return asked(ehr, person, service, user)


@pytest.mark.parametrize("case", cases("card"))
def test_a_card_is_there_and_nowhere_else(ehr: Desk, case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    name = case["row"]
    at = request.getfixturevalue("forecasting") if case["person"].get("forecast") else ehr
    for service in HOOKS:
        found = told(at, case, case["person"], service, service)
        assert (name in found) is (service in case["services"]), service
        again = asked(at, case["person"], service, service)
        assert (name in again) is (service in case["services"] and case.get("again", False))


@pytest.mark.parametrize("case", cases("card"))
def test_somebody_just_beside_has_not_that_card(ehr: Desk, case: dict[str, Any]) -> None:
    for service in HOOKS:
        assert case["row"] not in told(ehr, case, case["beside"], service, service)


@pytest.mark.parametrize("case", [case for case in cases("card") if "also" in case.values[0]])
def test_further_people_have_that_card(ehr: Desk, case: dict[str, Any]) -> None:
    for number, person in enumerate(case["also"]):
        assert case["row"] in told(ehr, case, person, case["services"][0], f"p{number}")


@pytest.mark.parametrize("case", cases("card"))
def test_a_card_says_and_offers(ehr: Desk, case: dict[str, Any], request: pytest.FixtureRequest) -> None:
    at = request.getfixturevalue("forecasting") if case["person"].get("forecast") else ehr
    card = told(at, case, case["person"], case["services"][0], "somebody")[case["row"]]
    assert card["indicator"] == case["indicator"]
    assert card["summary"] == case["summary"]
    assert [one["label"] for one in card.get("suggestions", [])] == case.get("offers", [])
    assert [one["code"] for one in card.get("overrideReasons", [])] == case.get("overrides", [])


@pytest.mark.parametrize("case", cases("card"))
def test_the_fullest_wording_whose_parts_are_known_is_taken(case: dict[str, Any]) -> None:
    row = driving(CardRow, case["row"])
    assert row.once is not case.get("again", False)
    for wording in case["wordings"]:
        words = {name: name.upper() for name in placeholders(wording)}
        assert summary_of(row.summaries, words) == wording.format_map(words)


@pytest.mark.parametrize("case", cases("card"))
def test_a_card_speaks_of_its_levels_only(case: dict[str, Any]) -> None:
    rows = LIBRARY.rows(CardRow)
    for service in case["services"]:
        for level, analyte in case["speaks"]:
            row = spoken(Finding(kind=case["of"], level=level, analyte=analyte), service, rows)
            assert row is not None
            assert row.id == case["row"]
        for level, analyte in case.get("silent", ()):
            row = spoken(Finding(kind=case["of"], level=level, analyte=analyte), service, rows)
            assert row is None or row.id != case["row"]


# ---- what may be done -----------------------------------------------------------------------------------------------


def shown(ehr: Desk, name: str) -> dict[str, Any]:
    """The card of a case of this file, at its first service."""
    case = card_case(name)
    found: dict[str, Any] = told(ehr, case, case["person"], case["services"][0], name)[name]
    return found


@pytest.mark.parametrize("case", cases("offer"))
def test_a_suggestion_and_what_it_would_do(ehr: Desk, case: dict[str, Any]) -> None:
    driving(OfferRow, case["row"])
    labels = [one["label"] for one in shown(ehr, case["not_on"]).get("suggestions", [])]
    assert case["label"] not in labels
    (offer,) = [one for one in shown(ehr, case["on"])["suggestions"] if one["label"] == case["label"]]
    (action,) = offer["actions"]
    assert action["description"] == case["description"]
    if "creates" in case:
        assert action["type"] == "create"
        assert action["resource"]["intent"] == "proposal"
        assert action["resource"]["code"]["coding"] == [case["creates"]]
    else:
        assert (action["type"], action["resourceId"]) == ("delete", case["deletes"])


@pytest.mark.parametrize("case", cases("override"))
def test_a_reason_to_set_a_card_aside(ehr: Desk, case: dict[str, Any]) -> None:
    driving(OverrideRow, case["row"])
    reason = {"code": case["row"], "system": case["system"], "display": case["display"]}
    assert reason in shown(ehr, case["on"])["overrideReasons"]
    assert case["row"] not in [one["code"] for one in shown(ehr, case["not_on"]).get("overrideReasons", [])]


def test_every_row_has_its_case() -> None:
    tables = {
        "service": ServiceRow,
        "prefetch": PrefetchRow,
        "card": CardRow,
        "offer": OfferRow,
        "override": OverrideRow,
    }
    for table, kind in tables.items():
        assert [case["row"] for case in CASES[table]] == [row.id for row in LIBRARY.rows(kind)]
