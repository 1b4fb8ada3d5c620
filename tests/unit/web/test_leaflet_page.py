"""The leaflet of a person of the store: the site's numbers, every language, PDF, and who looked."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from fixtures.http import asked, log_in
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.service.store.audit import Wanted, entries
from leuko.service.store.site import set_site
from leuko.web import router
from leuko.web.demo import fill
from leuko.web.people import known

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("leaflet") / "store.sqlite", clock=lambda: NOW)
    fill(store, now=NOW)
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.VIEWER, name="lindqvist")
        yield found
    store.close()


def _address(client) -> str:
    with client.app.state.context.store.read() as connection:
        number = next(one.number for one in known(connection) if one.person == "clozapine")
    return f"/people/{number}/leaflet"


def test_it_carries_the_numbers_of_the_site_and_says_which_are_missing(client):
    store = client.app.state.context.store
    before = client.get(_address(client)).text
    assert "No number is set for emergency, helpline" in before
    with store.write() as connection:
        set_site(connection, store.now(), {"language": "de", "phones": {"helpline": "+49 30 99"}}, actor="test")
    after = client.get(_address(client)).text
    assert '<html lang="de">' in after, "the site's language, where none is chosen"
    assert "+49 30 99" in after
    assert "No number is set for emergency, out of hours" in after
    assert '<html lang="en">' in client.get(_address(client) + "?lang=en").text
    assert client.get(_address(client) + "?lang=xx").status_code == 400


def test_it_is_a_pdf_where_that_is_asked(client):
    pytest.importorskip("typst")
    answer = client.get(_address(client) + "?lang=en&form=pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_nobody_of_that_number_is_told(client):
    assert client.get("/people/999999/leaflet").status_code == 404


def test_who_looked_at_whose_is_kept(client):
    client.get(_address(client))
    with client.app.state.context.store.read() as connection:
        rows, _ = entries(connection, Wanted(subject="clozapine", action="person-read"))
    assert rows[0].actor == "lindqvist"
    assert json.loads(json.dumps(dict(rows[0].detail)))["what"] == "leaflet"
