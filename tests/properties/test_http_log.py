"""Whatever is sent to the service, wherever it stands in the request: neither the log nor a refusal repeats it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import pytest
from fastapi import APIRouter, Depends, Form
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.testclient import TestClient

from fixtures.http import asked, log_in
from leuko.service.http.guard import Role, Who, needs
from leuko.service.http.settings import HttpSettings, LimitSettings
from leuko.service.logs import formatter
from leuko.service.store import open_store

MARK = "Zq7"  # stands in everything that is sent, and nowhere else
SENT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), max_size=20).map(
    lambda text: f"{MARK}{text}"
)


class Body(BaseModel):
    number: int
    model_config = {"extra": "forbid"}


def routes() -> APIRouter:
    made = APIRouter()

    @made.get("/people/{person}")
    def person(person: str, who: Annotated[Who, Depends(needs(Role.VIEWER))], number: int = 0) -> dict[str, int]:
        raise ValueError(person)

    @made.post("/form")
    def form(text: Annotated[str, Form()], who: Annotated[Who, Depends(needs(Role.ADMIN))]) -> str:
        return text

    @made.post("/body")
    def body(sent: Body) -> int:
        return sent.number

    return made


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = open_store(Path(tmp_path_factory.mktemp("log")) / "store.sqlite")
    with asked(store, [routes()], settings=HttpSettings(limits=LimitSettings(requests_per_minute=0))) as made:
        log_in(made, Role.VIEWER)
        yield made
    store.close()


class Caught(logging.Handler):
    """Every line of the log of leuko and its libraries, as it would be written."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] not in {"httpx", "hypothesis"}:  # the client is not the service
            self.lines += [formatter("json").format(record), formatter("text").format(record)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=SENT)
def test_nothing_that_is_sent_is_logged_or_told_back(client: TestClient, sent: str) -> None:
    caught, root = Caught(), logging.getLogger()
    level = root.level
    root.addHandler(caught)
    root.setLevel(logging.INFO)
    try:
        word = quote(sent, safe="")
        answers = [
            client.get(f"/people/{word}"),
            client.get("/people/1", params={"number": sent, sent: sent}),
            client.get(f"/nowhere/{word}"),
            client.post("/form", data={"text": sent}),
            client.post("/form", data={"text": sent, "csrf": sent}, headers={"X-CSRF-Token": ""}),
            client.post("/body", json={"number": sent}),
            client.post("/body", json={"number": 1, sent: sent}),
            client.post("/body", content=sent.encode()),
            client.post("/login", data={"name": sent, "password": sent, "csrf": sent}),
            client.get("/people/1", headers={"Authorization": f"Bearer {word}"}),
            client.get("/login", headers={"Host": f"{MARK.casefold()}.example", "X-Request-Id": word}),
            client.request(f"{MARK}X", "/people/1"),
        ]
    finally:
        root.removeHandler(caught)
        root.setLevel(level)
    assert [answer.status_code for answer in answers] == [500, 422, 404, 403, 403, 422, 422, 422, 403, 401, 421, 405]
    for answer in answers:
        assert MARK.casefold() not in answer.text.casefold()
    assert len(caught.lines) >= 2 * (len(answers) - 1)
    assert MARK.casefold() not in "\n".join(caught.lines).casefold()
