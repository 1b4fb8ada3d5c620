"""CDS Hooks: who is let in, whose data are used, what is said, and that a failure is never an empty list of cards."""

from __future__ import annotations

import base64
import gc
import hmac
import json
import pickle
import random
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st

from fhir_build import WBC, observation, patient
from fixtures.forecasts import coming
from fixtures.hl7 import message as hl7_message
from fixtures.hl7 import msh, obr, obx, pid
from fixtures.hooks import (
    FHIR,
    ISSUER,
    JKU,
    LEFT_OUT,
    NOW,
    OTHER_SECRET,
    PUBLIC,
    RSA_SECRET,
    Desk,
    anc,
    desk,
    drafts,
    order,
    prefetch,
    request,
    searchset,
    wbc,
)
from fixtures.stores import take
from leuko.knowledge import load_library
from leuko.knowledge.schema.cards import SUMMARY_LIMIT, CardRow, OfferRow, OverrideRow, PrefetchRow, ServiceRow
from leuko.record import Patient, Record
from leuko.report.outline import harmless
from leuko.result import Assessment
from leuko.service.grade import grade
from leuko.service.hooks import beside
from leuko.service.hooks import desk as desk_module
from leuko.service.hooks.cards import placeholders, summary_of
from leuko.service.hooks.fetch import within
from leuko.service.hooks.settings import ALGORITHMS
from leuko.service.store import Store, audit, cards, open_store
from leuko.service.store.cards import tally
from leuko.site import site_of

VIEW = "/cds-services/leuko-patient-view"
ORDERS, RELEASE, DISCHARGE = "leuko-orders", "leuko-release", "leuko-discharge"
LIBRARY = load_library()
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
ACCESS = {"access_token": "secret-access", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}


@pytest.fixture
def ehr(tmp_path: Path) -> Iterator[Desk]:
    store = open_store(tmp_path / "store.sqlite")
    with desk(store) as found:
        yield found
    store.close()


@pytest.fixture
def both(store: Store) -> Iterator[Desk]:
    """The same on each kind of database."""
    with desk(store) as found:
        yield found


def failed(answer: httpx.Response, status: int) -> str:
    """The text of an error: never a list of cards."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    assert "cards" not in body
    return str(body["issue"][0]["details"]["text"])


def filled(value: Any) -> bool:
    """Whether nothing in it is null or empty, as the standard asks of what is sent."""
    if isinstance(value, dict):
        return bool(value) and all(filled(one) for one in value.values())
    return bool(value) and all(filled(one) for one in value) if isinstance(value, list) else value not in {None, ""}


# ---- discovery ------------------------------------------------------------------------------------------------------


def test_discovery_names_every_service_and_the_data_it_asks_for(ehr: Desk) -> None:
    services = ehr.get().json()["services"]
    assert filled(services)
    assert {one["hook"] for one in services} == {
        "patient-view",
        "order-select",
        "order-sign",
        "encounter-discharge",
        "medication-verify",
    }
    for one in services:
        assert {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version"} <= one.keys()
        assert one["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        for query in one["prefetch"].values():
            assert "{{" not in query.replace("{{context.patientId}}", "")  # the only token that every client knows
            assert "{counts}" not in query
    counts = services[0]["prefetch"]["counts"]
    assert WBC in counts
    assert "751-8" in counts


def test_orders_are_looked_at_twice_by_one_service_whose_later_cards_replace_the_earlier(ehr: Desk) -> None:
    hooks = {(one["id"], one["hook"]) for one in ehr.get().json()["services"]}
    assert {("leuko-orders", "order-select"), ("leuko-orders", "order-sign")} <= hooks


# ---- the token ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/cds-services", VIEW, f"{VIEW}/feedback"])
def test_every_call_needs_a_token(ehr: Desk, path: str) -> None:
    ask = ehr.client.get if path == "/cds-services" else ehr.client.post
    answer = ask(path)
    assert failed(answer, 401) == "each call needs a bearer token"
    assert answer.headers["www-authenticate"].startswith("Bearer")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "of another issuer": ({"iss": "https://evil.example/"}, "issuer"),
    "for another address": ({"aud": "https://leuko.example/cds-services"}, "aud"),
    "for another host": ({"aud": f"https://other.example{VIEW}"}, "aud"),
    "without an audience": ({"aud": None}, "claim"),
    "without a name": ({"jti": None}, "claim"),
    "without a time of issue": ({"iat": None}, "claim"),
    "without an end": ({"exp": None}, "claim"),
    "with an empty name": ({"jti": ""}, "jti"),
    "with a name that is no text": ({"jti": 7}, "jti"),
    "expired": ({"exp": int(NOW.timestamp()) - 61}, "expired"),
    "of the future": ({"iat": int(NOW.timestamp()) + 61, "exp": int(NOW.timestamp()) + 90}, "future"),
    "not yet valid": ({"nbf": int(NOW.timestamp()) + 61}, "future"),
    "valid for too long": ({"exp": int(NOW.timestamp()) + 7200}, "longer"),
    "with an end that is no number": ({"exp": "tomorrow"}, "number"),
    "signed with another key": ({"key": OTHER_SECRET}, "signature"),
    "signed with an unknown key": ({"header": {"kid": "nobody"}}, "not known"),
    "without the name of its key": ({"header": {"kid": None}}, "kid"),
    "with keys from elsewhere": ({"header": {"jku": "https://evil.example/jwks.json"}}, "jku"),
    "with keys from nearly there": ({"header": {"jku": JKU + "?x"}}, "jku"),
    "of another type": ({"header": {"typ": "at+jwt"}}, "typ"),
    "signed with a shared secret": ({"key": "s" * 64, "header": {"alg": "HS512"}}, "ES384"),
    "not signed": ({"key": "", "header": {"alg": "none"}}, "ES384"),
    "signed with the key of another kind": ({"key": RSA_SECRET, "header": {"alg": "RS384"}}, "another"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_is_refused_that_is(ehr: Desk, name: str) -> None:
    claims, words = BAD[name]
    assert words in failed(ehr.ask(token=ehr.token(VIEW, **claims)), 401)


def test_a_token_signed_by_the_public_key_as_a_secret_is_refused(ehr: Desk) -> None:
    """What the library refuses to make, an attacker makes by hand."""
    claims = {"iss": ISSUER, "aud": f"https://leuko.example{VIEW}", "iat": 1, "exp": 2, "jti": "x"}
    head = {"alg": "HS384", "kid": "one", "typ": "JWT", "jku": JKU}
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims)]
    digest = hmac.digest(json.dumps(PUBLIC).encode(), b".".join(parts), "sha384")
    token = b".".join([*parts, base64.urlsafe_b64encode(digest).rstrip(b"=")]).decode()
    assert "ES384" in failed(ehr.ask(token=token), 401)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.e30", "." * 40_000, "\N{GREEK SMALL LETTER MU}"])
def test_junk_is_no_token(ehr: Desk, token: str) -> None:
    answer = ehr.client.post(VIEW, json=request(), headers={"Authorization": f"Bearer {token}".encode()})
    failed(answer, 401)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [f"https://leuko.example{VIEW}", "https://else.example"]},
        {"exp": int(NOW.timestamp()) - 59},
        {"iat": int(NOW.timestamp()) + 59},
        {"key": RSA_SECRET, "header": {"alg": "RS384", "kid": "two"}},
        {"header": {"jku": None}},
    ],
    ids=["several audiences", "within the skew", "of a clock that is ahead", "RS384", "without jku"],
)
def test_a_token_is_taken_that_is_sound(ehr: Desk, claims: dict[str, Any]) -> None:
    assert ehr.ask(token=ehr.token(VIEW, **claims)).status_code == 200


def test_a_token_opens_once_whatever_came_of_it(both: Desk) -> None:
    token = both.token(VIEW)
    assert both.ask(token=token).status_code == 200
    assert "before" in failed(both.ask(token=token), 401)
    token = both.token(VIEW)
    failed(both.ask(token=token, given=prefetch(counts=LEFT_OUT)), 412)
    assert "before" in failed(both.ask(token=token), 401)
    token = both.token("/cds-services")
    assert both.get(token=token).status_code == 200
    failed(both.get(token=token), 401)


def test_keys_are_fetched_once_and_again_when_they_were_exchanged(ehr: Desk) -> None:
    for _ in range(3):
        assert ehr.get().status_code == 200
    assert [str(one.url) for one in ehr.server.requests] == [JKU]
    assert "authorization" not in ehr.server.requests[0].headers
    ehr.server.answers[JKU] = {"keys": [PUBLIC | {"kid": "new"}]}
    path = "/cds-services"
    failed(ehr.get(token=ehr.token(path, header={"kid": "new"})), 401)  # not asked again within the same moment
    ehr.watch.at += timedelta(seconds=31)
    assert ehr.get(token=ehr.token(path, header={"kid": "new"})).status_code == 200
    failed(ehr.get(token=ehr.token(path)), 401)  # the old one was withdrawn


def test_keys_that_cannot_be_fetched_are_no_refusal(ehr: Desk) -> None:
    ehr.server.answers[JKU] = httpx.Response(500)
    failed(ehr.get(), 503)


@pytest.mark.parametrize("name", ["HS256", "none"])
def test_no_settings_let_weak_signatures_in(name: str) -> None:
    assert name not in ALGORITHMS


# ---- browsers -------------------------------------------------------------------------------------------------------


def test_a_page_of_a_listed_origin_may_call(ehr: Desk) -> None:
    origin = {"Origin": "https://ehr.example"}
    asked = ehr.client.options(VIEW, headers=origin)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://ehr.example"
    assert "Authorization" in asked.headers["access-control-allow-headers"]
    for answer in (ehr.get(Origin="https://ehr.example"), ehr.client.get("/cds-services", headers=origin)):
        assert answer.headers["access-control-allow-origin"] == "https://ehr.example"


def test_a_page_of_another_origin_may_not(ehr: Desk) -> None:
    other = {"Origin": "https://evil.example"}
    assert "access-control-allow-origin" not in ehr.client.options(VIEW, headers=other).headers
    assert "access-control-allow-origin" not in ehr.get(Origin="https://evil.example").headers


# ---- requests that break the interface ------------------------------------------------------------------------------

BROKEN: dict[str, tuple[Any, str]] = {
    "no object": ([], ""),
    "no hook": ({"hookInstance": "x", "context": {}}, "CDS Hooks"),
    "another hook": (request(hook="order-sign"), "patient-view"),
    "no UUID": (request(instance="abc"), "UUID"),
    "no user": (request(context={"userId": None}), "user"),
    "a user of no kind": (request(user="Device/1"), "user"),
    "no person": (request(context={"patientId": None}), "id"),
    "a person with a path": (request(context={"patientId": "../Patient"}), "id"),
    "no FHIR": (request(given=prefetch(counts=7)), "no FHIR"),
    "a token without a server": (request(fhirAuthorization=ACCESS), "fhirServer"),
    "a token for another person": (
        request(fhirServer=FHIR, fhirAuthorization=ACCESS | {"patient": "eve"}),
        "another person",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_request_is_refused_with(ehr: Desk, name: str) -> None:
    body, words = BROKEN[name]
    assert words in failed(ehr.post(VIEW, body), 400)


def test_what_is_no_json_is_refused(ehr: Desk) -> None:
    head = {"Authorization": f"Bearer {ehr.token(VIEW)}"}
    failed(ehr.client.post(VIEW, content=b'{"hook": "patient-view"', headers=head), 400)


JUNK: tuple[Any, ...] = (
    None,
    7,
    -1.5e300,
    True,
    "",
    "x",
    "\x00",
    "Patient/eve",
    [],
    [None],
    {},
    {"reference": 3},
    "9" * 5000,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a request."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def test_junk_anywhere_in_a_request_is_no_fault_of_ours(ehr: Desk) -> None:
    chance = random.Random(7)  # noqa: S311 (places of a test)
    whole = request(anc(1.1), wbc(2.0), hook="order-sign", context=drafts(order()), fhirServer=FHIR)
    every = list(places(whole))
    for path in chance.sample(every, min(len(every), 90)):
        body = json.loads(json.dumps(whole))
        at = body
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = chance.choice(JUNK)
        answer = ehr.post(f"/cds-services/{ORDERS}", body)
        assert answer.status_code in {200, 400, 403, 412}, (path, at[path[-1]], answer.text)


def test_further_fields_are_ignored(ehr: Desk) -> None:
    assert len(ehr.cards(anc(), extension={"com.example.x": None}, somethingNew=1)) == 1


def test_there_is_no_other_service(ehr: Desk) -> None:
    failed(ehr.post("/cds-services/nothing", request()), 404)


def test_cards_are_for_professionals(ehr: Desk) -> None:
    assert "leaflet" in failed(ehr.ask(user="Patient/ada"), 403)


def test_a_fault_is_an_error(ehr: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("Jane Roe 0.4")

    monkeypatch.setattr(desk_module, "assess", broken)
    text = failed(ehr.ask(anc()), 500)
    assert "Roe" not in text + caplog.text
    assert "RuntimeError" in caplog.text


def test_a_store_that_is_down_is_an_error(ehr: Desk) -> None:
    ehr.store.close()
    file = ehr.store.file
    assert file is not None
    for name in (file, f"{file}-wal", f"{file}-shm"):
        Path(name).unlink(missing_ok=True)
    Path(file).mkdir()
    failed(ehr.ask(anc()), 503)


# ---- the prefetch ---------------------------------------------------------------------------------------------------


def test_null_is_no_data_and_nothing_to_say(ehr: Desk) -> None:
    assert ehr.ask(given=prefetch(counts=None)).json() == {"cards": []}


def test_a_person_whom_the_ehr_does_not_have_is_assessed_without_age_and_sex(ehr: Desk) -> None:
    (card,) = ehr.cards(given=prefetch(anc(), patient=None))
    assert card["summary"].startswith("Severe neutropenia")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patient", LEFT_OUT),
        ("patient", OUTCOME),
        ("counts", LEFT_OUT),
        ("counts", OUTCOME),
        ("counts", searchset(OUTCOME, anc())),
    ],
    ids=["no person", "person failed", "no counts", "counts failed", "counts in part"],
)
def test_needed_data_that_cannot_be_had_are_412(ehr: Desk, key: str, value: Any) -> None:
    answer = ehr.ask(given=prefetch(anc(), **{key: value}))
    failed(answer, 412)
    assert answer.json()["issue"][0]["expression"] == [f"prefetch.{key}"]


def test_without_any_prefetch_is_412(ehr: Desk) -> None:
    body = request()
    del body["prefetch"]
    failed(ehr.post(VIEW, body), 412)


@pytest.mark.parametrize("value", [LEFT_OUT, OUTCOME], ids=["absent", "failed"])
def test_other_data_that_cannot_be_had_are_named_on_the_card(ehr: Desk, value: Any) -> None:
    (card,) = ehr.cards(given=prefetch(anc(), administrations=value))
    assert "Not known to leuko here: medicines given" in card["detail"]


def test_a_warning_of_the_ehr_is_no_failure(ehr: Desk) -> None:
    mild = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
    assert len(ehr.cards(given=prefetch(counts=searchset(mild, anc())))) == 1


def test_the_record_of_another_person_is_refused(ehr: Desk) -> None:
    assert "another person" in failed(ehr.ask(given=prefetch(anc(), patient=patient("eve"))), 400)


@pytest.mark.parametrize(
    "subject",
    [{"reference": "Patient/eve"}, {"reference": "https://other.example/fhir/Patient/ada"}, {"display": "Ada"}, None],
)
def test_results_of_another_person_are_refused(ehr: Desk, subject: Any) -> None:
    body = request(anc(subject=subject), fhirServer=FHIR)
    assert "another person" in failed(ehr.post(VIEW, body), 400)


def test_results_of_others_among_those_of_the_person_are_left_out(ehr: Desk) -> None:
    eve = {"reference": "Patient/eve"}
    counts = [anc(1.2), *(anc(0.01, f"e{at}", subject=eve) for at in range(30))]
    (card,) = ehr.cards(*counts)
    assert card["indicator"] == "info"
    assert "1.2" in card["summary"]
    assert "30 results of other people" in card["detail"]


@pytest.mark.parametrize("reference", ["Patient/ada", "Patient/ada/_history/3", f"{FHIR}/Patient/ada"])
def test_a_person_is_named_in_several_ways(ehr: Desk, reference: str) -> None:
    answer = ehr.ask(anc(subject={"reference": reference}), fhirServer=FHIR)
    assert len(answer.json()["cards"]) == 1


def test_unrelated_results_are_not_read(ehr: Desk) -> None:
    """A sandbox whose server ignored the query handed over every result of the person."""
    others = [observation(f"g{at}", code="2339-0", value=5.0) for at in range(800)]
    assert len(ehr.cards(anc(), *others)) == 1


def test_a_local_code_is_left_to_the_reader(ehr: Desk) -> None:
    local = {"coding": [{"system": "https://lab.example", "code": "NEUT"}], "text": "Neutrophils, absolute"}
    assert len(ehr.cards(anc() | {"code": local})) == 1


# ---- asking the FHIR server -----------------------------------------------------------------------------------------


def further(url: str) -> dict[str, Any]:
    return searchset(wbc(3.0), link=[{"relation": "next", "url": url}])


def test_what_was_not_sent_is_asked_of_a_listed_server(ehr: Desk) -> None:
    ehr.server.answers[f"{FHIR}/Observation"] = searchset(anc(0.3))
    ehr.server.answers[f"{FHIR}/Patient/ada"] = patient()
    sent = prefetch(counts=LEFT_OUT, patient=LEFT_OUT)
    (card,) = ehr.cards(given=sent, fhirServer=FHIR, fhirAuthorization=ACCESS)
    assert card["indicator"] == "critical"
    asked = [one for one in ehr.server.requests if str(one.url) != JKU]
    assert [one.url.path for one in asked] == ["/fhir/Patient/ada", "/fhir/Observation"]
    assert {one.headers["authorization"] for one in asked} == {"Bearer secret-access"}
    assert asked[1].url.params["patient"] == "ada"


def test_further_pages_are_fetched(ehr: Desk) -> None:
    page = f"{FHIR}/Observation?_page=2"
    ehr.server.answers[page] = searchset(anc(0.3))
    (card,) = ehr.cards(given=prefetch(counts=further(page)), fhirServer=FHIR, fhirAuthorization=ACCESS)
    assert "0.3" in card["summary"]


def test_a_part_of_the_counts_is_no_answer(ehr: Desk) -> None:
    assert "part" in failed(ehr.ask(given=prefetch(counts=further(f"{FHIR}/Observation?_page=2"))), 412)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/fhir/Observation",
        "https://ehr.example/admin",
        "https://ehr.example/fhir/../admin",
        "https://ehr.example/fhir/%2e%2e/admin",
        "https://ehr.example:8443/fhir/Observation",
        "https://ehr.example@evil.example/fhir/",
        "http://ehr.example/fhir/Observation",
        "http://169.254.169.254/latest/meta-data",
        "//evil.example/fhir",
        "file:///etc/passwd",
        "https://ehr.example/fhirsomething",
    ],
)
def test_no_page_leads_elsewhere(ehr: Desk, url: str) -> None:
    assert not within(url, FHIR)
    given = prefetch(counts=further(url))
    failed(ehr.ask(given=given, fhirServer=FHIR, fhirAuthorization=ACCESS), 412)
    assert [str(one.url) for one in ehr.server.requests] == [JKU]


@pytest.mark.parametrize("server", ["https://evil.example/fhir", "http://127.0.0.1:8080", "https://ehr.example"])
def test_a_server_that_is_not_listed_is_not_asked(ehr: Desk, server: str) -> None:
    failed(ehr.ask(given=prefetch(counts=LEFT_OUT), fhirServer=server, fhirAuthorization=ACCESS), 412)
    assert [str(one.url) for one in ehr.server.requests] == [JKU]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(401),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, json=OUTCOME),
        httpx.ConnectError("no route"),
        httpx.Response(200, content=b" " * (17 << 20)),
    ],
    ids=["redirect", "refused", "no JSON", "outcome", "down", "too large"],
)
def test_a_server_that_does_not_give_them_is_an_error(ehr: Desk, answer: Any) -> None:
    ehr.server.answers[f"{FHIR}/Observation"] = answer
    got = ehr.ask(given=prefetch(counts=LEFT_OUT), fhirServer=FHIR, fhirAuthorization=ACCESS)
    assert got.status_code in {400, 412}
    failed(got, got.status_code)
    assert "secret-access" not in got.text


def test_pages_without_end_are_not_followed(ehr: Desk) -> None:
    page = f"{FHIR}/Observation?_page=2"
    ehr.server.answers[page] = further(page)
    failed(ehr.ask(given=prefetch(counts=further(page)), fhirServer=FHIR, fhirAuthorization=ACCESS), 412)


# ---- what is said ---------------------------------------------------------------------------------------------------


def test_only_what_may_be_dangerous_is_critical(ehr: Desk) -> None:
    said = {value: ehr.cards(anc(value, f"a{value}"))[0]["indicator"] for value in (0.1, 0.45, 0.7, 1.2)}
    assert said == {0.1: "critical", 0.45: "critical", 0.7: "warning", 1.2: "info"}
    assert ehr.cards(anc(3.0), wbc(6.0)) == []


def test_an_old_count_is_no_finding_of_today(ehr: Desk) -> None:
    cards = ehr.cards(anc(0.4, day="2023-06-01"))
    assert not any(card["indicator"] == "critical" for card in cards)
    (old,) = [card for card in cards if "cannot be said" in card["summary"]]
    assert old["indicator"] == "info"


def test_a_result_that_was_not_believed_is_told(ehr: Desk) -> None:
    mixed = {"coding": [{"system": "http://loinc.org", "code": "751-8"}], "text": "LYM#"}
    (card,) = [one for one in ehr.cards(anc(1.1) | {"code": mixed}, wbc(6.0)) if "be used" in one["summary"]]
    assert card["indicator"] == "warning"
    assert "LK302" in card["detail"]


def test_a_card_is_as_the_standard_has_it(ehr: Desk) -> None:
    for card in (*ehr.cards(anc(0.4)), *ehr.cards(service=ORDERS, **signing(anc(1.1)))):
        assert filled(card)
        assert {"uuid", "summary", "indicator", "source", "detail"} <= card.keys()
        assert len(card["summary"]) < SUMMARY_LIMIT
        assert card["source"]["label"]
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert all(reason["display"] for reason in card.get("overrideReasons", []))
        assert all(link["url"].startswith("https://") for link in card.get("links", []))
        assert "appContext" not in str([link for link in card.get("links", []) if link["type"] == "absolute"])


def test_a_smart_app_can_be_started_from_a_card(store: Store) -> None:
    with desk(store, smart_launch="https://leuko.example/launch") as ehr:
        links = ehr.cards(anc(0.4))[0]["links"]
    assert links[-1] | {"label": ""} == {
        "label": "",
        "url": "https://leuko.example/launch",
        "type": "smart",
        "appContext": '{"card":"count-critical"}',
    }


def test_words_from_a_record_neither_format_nor_link(ehr: Desk) -> None:
    drug = "Docetaxel <img src=x> [x](https://evil.example) *b*"
    cards = ehr.cards(service=ORDERS, **signing(anc(1.1), drug=drug))
    shown = "".join(card["detail"] for card in cards)
    assert "<img" not in shown.replace("\\<", "")
    assert "](" not in shown.replace("\\]", "")


# ---- said once ------------------------------------------------------------------------------------------------------


def test_what_was_said_of_a_count_is_not_said_again_to_the_same_clinician(both: Desk) -> None:
    assert len(both.cards(anc(0.4))) == 1
    assert both.cards(anc(0.4)) == []
    assert len(both.cards(anc(0.4), user="Practitioner/p2")) == 1
    assert len(both.cards(anc(0.4), anc(0.3, "a2"))) == 1  # another count
    assert both.cards(service=DISCHARGE, hook="encounter-discharge", **more(anc(0.4), anc(0.3, "a2"))) != []


def more(*counts: Any) -> dict[str, Any]:
    return {"given": prefetch(*counts)}


def test_the_same_call_again_gets_the_same_cards(ehr: Desk) -> None:
    instance = "5f7c1f30-0000-4000-8000-00000000000a"
    first = ehr.cards(anc(0.4), instance=instance)
    assert ehr.cards(anc(0.4), instance=instance) == first != []


def test_a_card_that_came_too_late_may_be_said_again(store: Store) -> None:
    with desk(store, late_seconds=0.0) as ehr:
        assert len(ehr.cards(anc(0.4))) == len(ehr.cards(anc(0.4))) == 1


def test_a_final_result_of_the_same_value_is_no_news(ehr: Desk) -> None:
    assert len(ehr.cards(anc(0.4, status="preliminary"))) == 1
    assert ehr.cards(anc(0.4)) == []


def test_a_correction_withdraws_what_was_said_and_tells_whoever_saw_it(both: Desk) -> None:
    (before,) = both.cards(anc(0.4), user="Practitioner/p2")
    assert len(both.cards(anc(0.4))) == 1
    (gone,) = both.cards(anc(3.0, status="corrected"), wbc(6.0))
    assert "no longer holds" in gone["summary"]
    assert "Severe neutropenia" in gone["detail"]
    assert both.cards(anc(3.0, status="corrected"), wbc(6.0)) == []  # and told once
    (other,) = both.cards(anc(3.0, status="corrected"), wbc(6.0), user="Practitioner/p2")
    assert before["summary"] in other["detail"].replace("\\", "")
    with both.store.read() as connection:
        found = {one.kind: one for one in tally(connection)}
    assert found["count-critical"].withdrawn == 2


def test_what_was_withdrawn_is_told_of_once_each_time(ehr: Desk) -> None:
    told = [ehr.cards(anc(value), wbc(6.0)) for value in (0.4, 0.3, 0.2, 0.2)]
    assert [sum("no longer holds" in card["summary"] for card in one) for one in told] == [0, 1, 1, 0]


def test_a_result_entered_in_error_withdraws_too(ehr: Desk) -> None:
    assert len(ehr.cards(anc(0.4))) == 1
    (gone,) = ehr.cards(anc(0.4, status="entered-in-error"), wbc(6.0))
    assert "no longer holds" in gone["summary"]


def test_a_correction_in_the_feed_withdraws_and_the_card_is_made_again(both: Desk) -> None:
    me = patient(identifier=[{"system": "https://ehr.example/mrn", "value": "4711"}])
    take(both.store, hl7_message(msh("M1"), pid(), obr(), obx("0.4")))
    grade(both.store)
    (card,) = both.cards(given=prefetch(anc(0.4), patient=me))
    take(both.store, hl7_message(msh("M2", sent="20260110100000+0100"), pid(), obr(), obx("3.4", status="C")))
    assert grade(both.store).withdrawn == 1
    after = both.cards(given=prefetch(anc(0.4), patient=me))  # the EHR still has the old value
    assert [one["uuid"] == card["uuid"] for one in after] == [False, False]
    assert sum("no longer holds" in one["summary"] for one in after) == 1


def test_every_answer_is_in_the_audit(both: Desk) -> None:
    both.cards(anc(0.4))
    with both.store.read() as connection:
        rows = connection.execute(audit.select(audit.audit)).all()
    (row,) = [one for one in rows if one.action == "person-execute"]
    assert row.subject == f"{ISSUER}|Patient/ada"
    assert row.actor == f"{ISSUER}|Practitioner/p1"
    assert json.loads(row.detail)["cards"] == 1
    assert audit.verify(both.store).sound


# ---- orders ---------------------------------------------------------------------------------------------------------


def signing(*counts: Any, drug: str = "Docetaxel", hook: str = "order-sign", **more: Any) -> dict[str, Any]:
    return {"hook": hook, "given": prefetch(*counts), "context": {**drafts(order(drug)), **more}}


def test_an_order_that_a_rule_speaks_against(ehr: Desk) -> None:
    (card,) = ehr.cards(service=ORDERS, **signing(anc(1.1), day=1))
    assert card["summary"].startswith("docetaxel for 2 March 2024: not enough: withhold")
    (place, take_out) = card["suggestions"]
    assert place["actions"][0]["resource"]["intent"] == "proposal"
    assert take_out["actions"] == [
        {
            "type": "delete",
            "description": take_out["actions"][0]["description"],
            "resourceId": "MedicationRequest/o1",
        }
    ]
    assert not any("isRecommended" in one for one in card["suggestions"])


def test_an_order_is_spoken_of_each_time(ehr: Desk) -> None:
    for hook in ("order-select", "order-sign", "order-sign"):
        assert len(ehr.cards(service=ORDERS, **signing(anc(1.1), hook=hook))) == 1


def test_an_old_count_does_not_release_an_order(ehr: Desk) -> None:
    (card,) = ehr.cards(service=ORDERS, **signing(anc(3.0, day="2024-02-01")))
    assert "cannot be said" in card["summary"]
    assert [one["label"] for one in card["suggestions"]] == ["Order a blood count with differential"]


def test_no_count_does_not_release_an_order(ehr: Desk) -> None:
    (card,) = ehr.cards(service=ORDERS, **signing())
    assert card["indicator"] == "warning"
    assert "cannot be said" in card["summary"]


def test_a_good_count_is_no_news_at_signing_and_an_answer_to_the_pharmacist(ehr: Desk) -> None:
    assert ehr.cards(service=ORDERS, **signing(anc(3.0))) == []
    verified = order(status="active")
    for context in ({"medication": verified}, {"order": {"resource": verified}}):
        (card,) = ehr.cards(service=RELEASE, hook="medication-verify", given=prefetch(anc(3.0)), context=context)
        assert card["indicator"] == "info"
        assert "enough by this rule" in card["summary"]


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda *orders: {"medication": list(orders)},
        lambda *orders: {"medication": searchset(*orders)},
        lambda *orders: {"order": {"resource": searchset(*orders)}},
        lambda *orders: {"medication": orders[0], "order": {"resource": orders[1]}},
        lambda *orders: {"draftOrders": searchset(*orders), "medication": orders[1]},
    ],
)
def test_every_order_that_is_to_be_released_is_spoken_of(ehr: Desk, wrapped: Callable[..., dict[str, Any]]) -> None:
    """A count that is enough for the first says nothing of the second."""
    orders = (order("Docetaxel", "o1", status="active"), order("fludarabine", "o2", status="active"))
    cards = ehr.cards(service=RELEASE, hook="medication-verify", given=prefetch(anc(3.0)), context=wrapped(*orders))
    told = " ".join(card["summary"] for card in cards)
    assert "docetaxel" in told
    assert "fludarabine" in told


def test_one_of_several_orders_for_another_person_is_refused(ehr: Desk) -> None:
    orders = [order(status="active"), order(name="o2", status="active", subject={"reference": "Patient/eve"})]
    call = {"hook": "medication-verify", "given": prefetch(anc(3.0)), "context": {"medication": orders}}
    assert "another person" in failed(ehr.ask(service=RELEASE, **call), 400)


@pytest.mark.parametrize("nothing", [None, [], {"resourceType": "Bundle"}, [[[[[[order()]]]]]], "x", 7, [None]])
def test_a_release_of_nothing_is_an_error(ehr: Desk, nothing: Any) -> None:
    failed(ehr.ask(service=RELEASE, hook="medication-verify", context={"medication": nothing}), 400)


def test_the_order_itself_is_no_dose_that_was_given(ehr: Desk) -> None:
    verified = order(status="active", authoredOn="2024-03-02")
    given = prefetch(anc(3.0), requests=searchset(verified))
    (card,) = ehr.cards(service=RELEASE, hook="medication-verify", given=given, context={"medication": verified})
    assert "enough by this rule" in card["summary"]


def test_a_cytotoxic_medicine_without_a_rule_is_not_passed_over(ehr: Desk) -> None:
    (card,) = ehr.cards(service=ORDERS, **signing(anc(3.0), drug="fludarabine"))
    assert card["summary"].startswith("No rule on file on the counts before fludarabine")


def test_only_what_was_selected_is_looked_at(ehr: Desk) -> None:
    both = drafts(order(), order("Paracetamol", "o2"))
    chosen = {"hook": "order-select", "given": prefetch(anc(1.1))}
    assert ehr.cards(service=ORDERS, **chosen, context={**both, "selections": ["MedicationRequest/o2"]}) == []
    assert len(ehr.cards(service=ORDERS, **chosen, context={**both, "selections": ["MedicationRequest/o1"]})) == 1


def test_an_order_for_another_person_is_refused(ehr: Desk) -> None:
    wrong = drafts(order(subject={"reference": "Patient/eve"}))
    call = {"hook": "order-sign", "given": prefetch(anc(3.0)), "context": wrong}
    assert "another person" in failed(ehr.ask(service=ORDERS, **call), 400)


@pytest.mark.parametrize("kind", ["MedicationOrder", "MedicationPrescription"])
def test_orders_of_an_older_fhir_are_refused(ehr: Desk, kind: str) -> None:
    call = {"hook": "order-sign", "given": prefetch(anc(3.0)), "context": drafts(order(resourceType=kind))}
    assert "R4" in failed(ehr.ask(service=ORDERS, **call), 400)


def test_missing_orders_are_an_error(ehr: Desk) -> None:
    failed(ehr.ask(service=ORDERS, hook="order-sign"), 400)
    failed(ehr.ask(service=RELEASE, hook="medication-verify"), 400)


# ---- feedback -------------------------------------------------------------------------------------------------------


def report(card: dict[str, Any], outcome: str = "overridden", **more: Any) -> dict[str, Any]:
    body = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": "2024-03-02T10:00:00Z"}
    return {"feedback": [body | more.pop("instead", {}) | more]}


def test_feedback_is_kept_once_and_counted(both: Desk) -> None:
    (card,) = both.cards(service=ORDERS, **signing(anc(1.1)))
    path = "/cds-services/leuko-orders/feedback"
    chosen = report(card, "accepted", acceptedSuggestions=[{"id": card["suggestions"][0]["uuid"]}])
    why = {"reason": {"code": "judged", "system": "urn:leuko:override-reason"}, "userComment": "seen"}
    for body in (chosen, chosen, report(card, overrideReason=why), report(card, overrideReason=why), report(card)):
        assert both.post(path, body).status_code == 200
    with both.store.read() as connection:
        (found,) = tally(connection)
    assert (found.kind, found.shown, found.accepted, found.overridden) == ("order-against", 1, 1, 1)


def test_the_same_moment_said_otherwise_is_the_same_feedback(ehr: Desk) -> None:
    (card,) = ehr.cards(anc(0.4))
    for time in ("2024-03-02T10:00:00Z", "2024-03-02T11:00:00+01:00"):
        assert ehr.post(f"{VIEW}/feedback", report(card, outcomeTimestamp=time)).status_code == 200
    with ehr.store.read() as connection:
        assert len(connection.execute(cards.card_event.select()).all()) == 1


def test_feedback_on_a_card_that_was_not_shown_is_told_and_the_rest_kept(ehr: Desk) -> None:
    (card,) = ehr.cards(anc(0.4))
    body = report(card)
    body["feedback"].append(body["feedback"][0] | {"card": "5f7c1f30-0000-4000-8000-00000000dead"})
    assert failed(ehr.post(f"{VIEW}/feedback", body), 404).startswith("1 of the reports")
    with ehr.store.read() as connection:
        assert tally(connection)[0].overridden == 1


def test_feedback_belongs_to_the_service_that_showed_the_card(ehr: Desk) -> None:
    (card,) = ehr.cards(anc(0.4))
    failed(ehr.post("/cds-services/leuko-discharge/feedback", report(card)), 404)


@pytest.mark.parametrize(
    "more",
    [
        {"outcome": "ignored"},
        {"outcome": "accepted"},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2024-03-02T10:00:00"},
        {"overrideReason": {}},
        {"card": "not a uuid"},
    ],
)
def test_feedback_is_refused_with(ehr: Desk, more: dict[str, Any]) -> None:
    (card,) = ehr.cards(anc(0.4))
    failed(ehr.post(f"{VIEW}/feedback", report(card, instead=more)), 400)


# ---- forecasts ------------------------------------------------------------------------------------------------------


def told() -> Assessment:
    """An assessment with a forecast."""
    made = coming()
    assert made.forecasts[0].outcome is not None
    return made


def test_a_forecast_is_said_when_it_is_ready_and_not_before(ehr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    later: Future[Any] = Future()
    monkeypatch.setattr(desk_module, "begin", lambda *_: later)
    with desk(ehr.store, forecasts=True) as found:
        assert [card["indicator"] for card in found.cards(anc(0.4))] == ["critical"]
        later.set_result(told().forecasts)
        (card,) = found.cards(anc(0.4))
        assert card["indicator"] == "info"
        assert told().forecasts[0].headline.split(":")[0] in card["detail"]
        assert found.cards(anc(0.4)) == []


def test_a_forecast_that_fails_takes_no_card_away(ehr: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failed: Future[Any] = Future()
    failed.set_exception(RuntimeError("0.4"))
    monkeypatch.setattr(desk_module, "begin", lambda *_: failed)
    with desk(ehr.store, forecasts=True) as found:
        assert [card["indicator"] for card in found.cards(anc(0.4))] == ["critical"]


def test_what_goes_to_the_process_of_forecasts_and_comes_back_can_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    class Far(ThreadPoolExecutor):
        def submit(self, work: Any, /, *words: Any, **named: Any) -> Future[Any]:
            return super().submit(work, *pickle.loads(pickle.dumps(words)), **named)  # noqa: S301 (our own)

    def assessed(record: Any, *, as_of: Any, asked: Any) -> Assessment:
        seen.append((record, as_of, asked.site))
        return told()

    monkeypatch.setattr(beside, "assess", assessed)
    site = site_of({"name": "Ward", "country": "UK", "phones": {"helpline": "+49 30 1"}})
    record = Record(patient=Patient(id="ada"))
    with Far(1) as far:
        got = beside.begin(far, record, date(2024, 3, 2), site).result(timeout=60)
    assert pickle.loads(pickle.dumps(got)) == told().forecasts  # noqa: S301 (our own)
    assert seen == [(record, date(2024, 3, 2), site)]


def test_a_process_that_is_gone_is_a_failed_forecast() -> None:
    gone = ThreadPoolExecutor(1)
    gone.shutdown()
    future = beside.begin(gone, Record(patient=Patient(id="ada")), date(2024, 3, 2), site_of({}))
    assert isinstance(future.exception(), RuntimeError)


# ---- the tables -----------------------------------------------------------------------------------------------------

WORDS = {
    "withdrawn": {"said", "day"},
    "emergency": {"text", "label", "value", "day"},
    "urgent": {"text", "label", "value", "day"},
    "count": {"label", "value", "day", "named", "since"},
    "old_count": {"label", "value", "day"},
    "lines": {"named", "counts", "day"},
    "order": {"drugs", "day", "verdict", "counts", "why"},
    "unruled_order": {"drugs", "day"},
    "treatment_today": {"title", "verdict", "counts"},
    "monitoring": {"title", "drug", "verdict", "counts"},
    "overdue": {"day", "title"},
    "unusable": {"text", "number"},
    "forecast": {"text", "label"},
    "going_home": {"label", "value", "day"},
}


@pytest.mark.parametrize("row", LIBRARY.rows(CardRow), ids=lambda row: row.id)
def test_every_card_has_words_that_always_fit(row: CardRow) -> None:
    assert not placeholders(row.summaries[-1])
    assert len(row.summaries[-1]) < SUMMARY_LIMIT
    assert {name for wording in row.summaries for name in placeholders(wording)} <= WORDS[row.finding]
    assert set(row.services) <= {one.id for one in LIBRARY.rows(ServiceRow)}
    assert set(row.offers) <= {one.id for one in LIBRARY.rows(OfferRow)}
    assert set(row.overrides) <= {one.id for one in LIBRARY.rows(OverrideRow)}


def test_every_service_names_its_data() -> None:
    known = {row.id for row in LIBRARY.rows(PrefetchRow)}
    for row in LIBRARY.rows(ServiceRow):
        assert set(row.prefetch) <= known
        assert row.hooks


@given_by(st.sampled_from(LIBRARY.rows(CardRow)), st.text(max_size=200))
def test_a_summary_is_never_cut(row: CardRow, text: str) -> None:
    words = dict.fromkeys(WORDS[row.finding], text)
    said = summary_of(row.summaries, words)
    assert len(said) < SUMMARY_LIMIT
    assert "\n" not in said
    assert said in {" ".join(harmless(wording.format_map(words)).split()) for wording in row.summaries}


def test_what_the_start_has_made_is_not_looked_through_again() -> None:
    before = gc.get_threshold()
    try:
        beside.settle(load_library())
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] < 200_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
