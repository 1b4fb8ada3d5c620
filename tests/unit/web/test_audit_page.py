"""The audit view: for admins, whole or broken in plain words, narrowed, page by page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import text

from fixtures.http import asked, log_in
from fixtures.stores import Clock
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.service.store.audit import record, verify
from leuko.web import router
from leuko.web.pages import audit as view


@pytest.fixture
def client(tmp_path):
    store = open_store(tmp_path / "store.sqlite", clock=Clock())
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.ADMIN, name="anna")
        yield found
    store.close()


def _write(store, number: int, **more: str) -> None:
    with store.write() as connection:
        for n in range(number):
            row = {"actor": "bert", "action": "person-read", "subject": f"p{n}", **more}
            record(connection, f"2026-01-{1 + n % 28:02d}T10:00:00.000000+00:00", detail={"what": "assessment"}, **row)


def _ids(answer) -> list[int]:
    return [int(each) for each in re.findall(r'<th scope="row">(\d+)</th>', answer.text)]


def test_only_an_admin_sees_it(client):
    log_in(client, Role.CLINICIAN)
    assert client.get("/audit").status_code == 403


def test_that_somebody_looked_is_kept_too(client):
    client.get("/audit")
    text_ = unescape(client.get("/audit?detail=audit").text)
    assert "person-search" in text_
    assert "what: audit" in text_


def test_rows_are_narrowed_in_every_way(client):
    store = client.app.state.context.store
    _write(store, 30)
    _write(store, 1, actor="carla_100%", action="setting", subject="fever_limit")
    one = client.get("/audit?actor=carla_100%25")
    assert "fever_limit" in one.text
    assert len(_ids(one)) == 1
    assert _ids(client.get("/audit?actor=carla_1000")) == []
    assert len(_ids(client.get("/audit?action=setting&subject=fever"))) == 1
    days = client.get("/audit?action=person-read&since=2026-01-03&until=2026-01-04")
    assert re.findall(r'datetime="(2026-01-\d\d)T', days.text) == ["2026-01-04", "2026-01-03"]
    assert "No row fits" in client.get("/audit?subject=nobody").text
    assert client.get("/audit?since=yesterday").status_code == 400


def test_a_long_audit_is_turned_page_by_page_and_loses_nothing(client):
    _write(client.app.state.context.store, 2 * view.SHOWN + 7, actor="dora")
    seen: list[int] = []
    link = "/audit?actor=dora"
    while link:
        answer = client.get(link)
        seen += _ids(answer)
        after = re.search(r'href="([^"]+)" rel="next"', answer.text)
        link = unescape(after[1]) if after else ""
    assert len(seen) == 2 * view.SHOWN + 7
    assert seen == sorted(seen, reverse=True)
    assert len(_ids(client.get("/audit?actor=dora&at=99"))) == 7, "a page beyond the end is the last one"


def test_a_whole_chain_gives_its_hash_and_a_kept_one_is_looked_for(client):
    store = client.app.state.context.store
    _write(store, 3)
    kept = verify(store).head
    answer = client.get(f"/audit?head={kept}")
    assert "Whole:" in answer.text
    assert "the hash that was kept is among them" in answer.text
    assert verify(store).head in answer.text
    gone = client.get("/audit?head=" + "0" * 63 + "1")
    assert "The hash that was kept is not in the chain" in gone.text


def test_a_row_that_was_changed_is_told(client):
    store = client.app.state.context.store
    _write(store, 3)
    with store.engine.connect() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type='trigger'")).scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE subject = 'p1'")
        connection.commit()
    answer = client.get("/audit")
    assert re.search(r'role="alert">Broken: row \d+ is not the one that was written', answer.text)


def test_a_long_chain_is_checked_when_asked(client, monkeypatch):
    monkeypatch.setattr(view, "AT_ONCE", 2)
    _write(client.app.state.context.store, 3)
    assert "was not checked for this page" in client.get("/audit").text
    assert "Whole:" in client.get("/audit?check=1").text
