"""The app: every request is guarded, every fault is an answer, and no answer or log repeats what was sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel
from sqlalchemy import select
from starlette.testclient import TestClient

from fixtures.http import asked, log_in, token_for
from leuko.errors import UsageError
from leuko.service.http.app import create_app
from leuko.service.http.guard import Role, Who, audited, needs
from leuko.service.http.settings import HttpSettings, LimitSettings
from leuko.service.store import Store, StoreDown
from leuko.service.store.tables import audit

SECRET = "Mrs Example, born 1961, 0.4"  # noqa: S105 (of a person, no password)


class Told(BaseModel):
    number: int


def routes() -> APIRouter:
    """Routes as the other parts of the service write them."""
    made = APIRouter()

    @made.get("/people/{person}")
    def person(request: Request, person: str, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> dict[str, str]:
        audited(request, who, person=person, what="assessment")
        return {"who": who.name, "person": person}

    @made.post("/answers")
    def answers(text: Annotated[str, Form()], who: Annotated[Who, Depends(needs(Role.CLINICIAN))]) -> dict[str, str]:
        return {"who": who.name, "text": text}

    @made.post("/told")
    def told(body: Told) -> dict[str, int]:
        return {"number": body.number}

    @made.get("/fails")
    def fails() -> None:
        raise ValueError(SECRET)

    @made.get("/down")
    def down() -> None:
        raise StoreDown("the store cannot be read", why="the database said OperationalError")

    @made.get("/off")
    async def off(request: Request) -> dict[str, int]:
        return {"sum": await request.app.state.context.off_loop(sum, [1, 2])}

    return made


@pytest.fixture
def client(store: Store) -> Iterator[TestClient]:
    with asked(store, [routes()]) as made:
        yield made


def audited_rows(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id))
        return [(row.actor, row.action, row.subject) for row in rows if row.action.startswith("person-")]


# ---- who comes in ---------------------------------------------------------------------------------------------------


def test_nobody_comes_in_without_a_login(client: TestClient, store: Store) -> None:
    answer = client.get("/people/1")
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert audited_rows(store) == []


def test_what_is_read_of_a_person_stands_in_the_audit(client: TestClient, store: Store) -> None:
    log_in(client, Role.VIEWER, name="Ada")
    assert client.get("/people/4711^HOSP").json() == {"who": "Ada", "person": "4711^HOSP"}
    assert audited_rows(store) == [("Ada", "person-read", "4711^HOSP")]


def test_a_role_may_what_those_below_it_may_and_no_more(client: TestClient) -> None:
    log_in(client, Role.VIEWER)
    refused = client.post("/answers", data={"text": "a"})
    assert (refused.status_code, refused.json()["detail"]) == (403, "this needs the role clinician; yours is viewer")
    log_in(client, Role.ADMIN)
    assert client.post("/answers", data={"text": "a"}).json()["text"] == "a"


def test_a_change_needs_the_token_of_the_page(client: TestClient) -> None:
    token = log_in(client, Role.CLINICIAN)
    del client.headers["X-CSRF-Token"]
    assert client.post("/answers", data={"text": "a"}).status_code == 403
    assert client.post("/answers", data={"text": "a", "csrf": "0" * 64}).status_code == 403
    assert client.post("/answers", data={"text": "a", "csrf": "é"}).status_code == 403
    assert client.post("/answers", data={"text": "a", "csrf": token}).json()["text"] == "a"
    assert client.post("/answers", data={"text": "a"}, headers={"X-CSRF-Token": token}).status_code == 200


def test_a_machine_comes_in_by_its_token(client: TestClient) -> None:
    token = token_for(client, Role.CLINICIAN, name="engine")
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.post("/answers", data={"text": "a"}, headers=bearer).json() == {"who": "engine", "text": "a"}
    assert client.get("/people/1", headers={"Authorization": "Bearer other"}).status_code == 401


# ---- answers --------------------------------------------------------------------------------------------------------


def test_a_fault_of_our_own_tells_nothing_of_what_was_sent(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/fails")
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert SECRET not in answer.text + caplog.text
    assert "ValueError" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


def test_a_body_that_breaks_the_schema_is_not_repeated(client: TestClient) -> None:
    answer = client.post("/told", json={"number": SECRET})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "body.number", "rule": "int_parsing"}]
    assert SECRET not in answer.text


def test_a_store_that_is_down_is_told_as_such(client: TestClient) -> None:
    answer = client.get("/down")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


def test_people_get_pages_and_programs_get_json(client: TestClient) -> None:
    page = client.get("/down", headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    assert "Service Unavailable" in page.text
    assert json.loads(client.get("/nowhere").text)["title"] == "Not Found"


def test_long_work_is_done_off_the_event_loop(client: TestClient) -> None:
    assert client.get("/off").json() == {"sum": 3}


# ---- layers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/fails", "/people/1"])
def test_every_answer_tells_browsers_what_to_refuse(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers


def test_a_service_behind_https_says_so(store: Store) -> None:
    with asked(store, settings=HttpSettings(public_url="https://localhost")) as client:
        assert client.get("/health").headers["strict-transport-security"]


def test_a_name_that_is_not_ours_is_refused(client: TestClient) -> None:
    assert client.get("/login", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/login", headers={"Host": "[::1]:8080"}).status_code == 200
    assert client.get("/health", headers={"Host": "10.1.2.3"}).status_code == 200


def test_long_bodies_are_refused_also_when_they_do_not_say_how_long_they_are(store: Store) -> None:
    settings = HttpSettings(limits=LimitSettings(body_bytes=1000))
    with asked(store, [routes()], settings=settings) as client:
        assert client.post("/told", json={"number": 1}).status_code == 200
        assert client.post("/told", content=b" " * 1001).status_code == 413
        assert client.post("/told", content=iter([b" " * 600, b" " * 600])).status_code == 413


def test_a_client_that_asks_too_often_is_told_to_wait(store: Store) -> None:
    settings = HttpSettings(limits=LimitSettings(burst=2, requests_per_minute=0.001))
    with asked(store, [routes()], settings=settings) as client:
        codes = [client.post("/told", json={"number": 1}).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert client.get("/health").status_code == 200


def test_the_network_is_not_served_in_the_clear(store: Store) -> None:
    with pytest.raises(UsageError, match="no certificate"):
        create_app(HttpSettings(host="10.0.0.5"), store=store)


# ---- probes ---------------------------------------------------------------------------------------------------------


def test_the_service_is_ready_when_everything_holds(store: Store) -> None:
    with asked(store, grading=lambda: True) as client:
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        client.app.state.context.stopping.set()  # type: ignore[attr-defined]
        assert client.get("/ready").json()["checks"]["running"] == "the service is stopping"


def test_a_grading_process_that_ended_is_seen(store: Store) -> None:
    with asked(store, grading=lambda: False) as client:
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["grading"].startswith("the grading process has ended")


def test_details_are_for_monitors(store: Store) -> None:
    with asked(store, settings=HttpSettings(monitors=("10.1.0.0/16",))) as client:
        assert client.get("/ready").json() == {"status": "ready"}
