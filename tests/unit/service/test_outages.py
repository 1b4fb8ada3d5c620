"""The database goes and comes back, the disk is full: monitors see it; nobody gets what the audit cannot tell of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, Request
from sqlalchemy import event
from starlette.testclient import TestClient

from fixtures.http import asked, log_in
from fixtures.stores import outage
from leuko.service.http import probes
from leuko.service.http.guard import Role, Who, audited, needs
from leuko.service.store import Store, open_store

HELD = "0.4 neutrophils of 4711"


def routes() -> APIRouter:
    made = APIRouter()

    @made.get("/people/{person}")
    def person(request: Request, person: str, who: Annotated[Who, Depends(needs(Role.VIEWER))]) -> str:
        audited(request, who, person=person, what="assessment")
        return HELD

    return made


def status(client: TestClient) -> tuple[int, str]:
    answer = client.get("/ready")
    return answer.status_code, answer.json()["checks"]["store"]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_a_database_that_goes_and_comes_back_is_seen(store: Store, address: str) -> None:
    with asked(store, [routes()]) as client:
        log_in(client, Role.VIEWER)
        assert status(client) == (200, "good")
        assert client.get("/people/1").json() == HELD
        with outage(address):
            code, why = status(client)
            assert (code, why) == (503, "the database said OperationalError")
            refused = client.get("/people/1")
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
            assert client.get("/health").status_code == 200
            assert 'leuko_ready{check="store"} 0.0' in client.get("/metrics").text
        assert status(client) == (200, "good")
        assert client.get("/people/1").json() == HELD


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Store]:
    """A store whose file cannot grow by a page once `fill` was called."""
    opened = open_store(tmp_path / "store.sqlite")
    yield opened
    opened.close()


def fill(store: Store) -> None:
    @event.listens_for(store.engine, "connect")
    def _limit(connection: Any, _: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    store.engine.dispose()


def test_on_a_full_disk_nothing_is_given_that_the_audit_cannot_tell_of(full: Store) -> None:
    with asked(full, [routes()]) as client:
        log_in(client, Role.VIEWER)
        assert client.get("/people/1").json() == HELD
        fill(full)
        answers = [client.get(f"/people/{'x' * 400}{number}") for number in range(40)]
        refused = [one for one in answers if one.status_code != 200]
        assert refused
        assert {one.status_code for one in refused} == {503}
        assert all(HELD not in one.text and "the disk is full" in one.text for one in refused)
        with full.read() as connection:
            kept = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE action = 'person-read'").scalar_one()
        assert kept == 1 + len(answers) - len(refused)


def test_a_disk_that_is_nearly_full_is_seen(full: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with asked(full) as client:
        assert client.get("/ready").status_code == 200
        monkeypatch.setattr(probes, "_LEAST_FREE", 1 << 62)
        answer = client.get("/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["disk"].endswith("MiB are free")


def test_tables_of_another_leuko_are_seen(full: Store) -> None:
    with asked(full) as client:
        with full.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        answer = client.get("/ready")
        assert (answer.status_code, answer.json()["checks"]["store"]) == (503, "good")
        assert answer.json()["checks"]["migrations"].startswith("the tables are not those")
