"""The settings of the site: set by admins alone, kept with who and when, refused where they cannot be meant."""

from __future__ import annotations

import re
import tomllib
from html import unescape

import pytest

from fixtures.http import asked, log_in
from fixtures.stores import Clock
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.service.store.audit import verify
from leuko.service.store.site import changes, site_now
from leuko.site import site_of, table_of
from leuko.web import router

FULL = {
    "name": "Day unit",
    "language": "de",
    "country": "UK",
    "fever_limit": "38.0",
    "fever_limit_child": "38,5",
    "low_limit": "36",
    "bodies": "ESMO, IDSA",
    "phones.helpline": "+49 30 1234567",
    "phones.emergency": "112",
}


@pytest.fixture
def client(tmp_path):
    store = open_store(tmp_path / "store.sqlite", clock=Clock())
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.ADMIN, name="anna")
        yield found
    store.close()


def _store(client):
    return client.app.state.context.store


def _now(client):
    with _store(client).read() as connection:
        return site_now(connection)


def _seen(client) -> str:
    return re.search(r'name="seen" value="(\d+)"', client.get("/site").text)[1]


def test_only_an_admin_sees_and_sets_them(client):
    log_in(client, Role.CLINICIAN)
    assert client.get("/site").status_code == 403
    assert client.get("/site/site.toml").status_code == 403
    assert client.post("/site", data={**FULL, "seen": "0"}).status_code == 403
    assert _now(client).name == ""


def test_a_forged_request_changes_nothing(client):
    seen = _seen(client)
    client.headers.pop("X-CSRF-Token")
    assert client.post("/site", data={**FULL, "seen": seen}).status_code == 403
    assert _now(client).name == ""


def test_what_is_set_holds_and_is_kept_with_who_and_when(client):
    answer = client.post("/site", data={**FULL, "seen": _seen(client)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/site?kept=8")
    site = _now(client)
    assert (site.fever_limit, site.fever_limit_child, site.bodies) == (38.0, 38.5, ("ESMO", "IDSA"))
    assert dict(site.phones) == {"helpline": "+49 30 1234567", "emergency": "112"}
    again = client.post("/site", data={**FULL, "fever_limit": "38.3", "seen": _seen(client)})
    assert again.headers["location"] == "/site?kept=1"
    with _store(client).read() as connection:
        newest = changes(connection)[0]
    assert (newest.actor, newest.name, newest.before, newest.after) == ("anna", "fever_limit", 38.0, 38.3)
    text = unescape(client.get("/site").text)
    assert "38 °C" in text
    assert "38.3 °C" in text
    assert "anna" in text
    assert verify(_store(client)).sound


def test_an_empty_field_goes_back_to_leuko(client):
    client.post("/site", data={**FULL, "seen": _seen(client)})
    client.post("/site", data={**FULL, "fever_limit": "", "phones.helpline": "", "seen": _seen(client)})
    assert _now(client).fever_limit is None
    assert "helpline" not in _now(client).phones
    text = unescape(client.get("/site").text)
    assert "left to leuko" in text
    assert "a blank line for: Treating team, day and night" in text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("fever_limit", "380", "cannot be meant"),
        ("fever_limit", "101", "write 38.3"),
        ("fever_limit", "warm", "must be a number"),
        ("low_limit", "39", "low_limit lies above the fever limit"),
        ("phones.helpline", "ask at the desk", "has no digit"),
        ("country", "Mars", "no country"),
        ("language", "xx", "no leaflet"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_changed(client, field, value, words):
    answer = client.post("/site", data={**FULL, field: value, "seen": _seen(client)})
    assert answer.status_code == 422
    assert words in unescape(answer.text).lower() or words in unescape(answer.text)
    assert "Nothing was changed" in answer.text
    assert 'value="Day unit"' in answer.text, "what was filled in is not lost"
    assert _now(client) == site_of({}, source=_now(client).source)


def test_a_form_that_was_open_while_another_was_kept_does_not_undo_it(client):
    old = _seen(client)
    client.post("/site", data={**FULL, "seen": old})
    late = client.post("/site", data={**FULL, "phones.helpline": "1", "seen": old})
    assert late.status_code == 422
    assert "somebody changed the settings" in late.text
    assert _now(client).phones["helpline"] == "+49 30 1234567"


def test_a_body_that_is_not_known_and_a_limit_above_all_are_said(client):
    client.post("/site", data={**FULL, "bodies": "ESMO, Nobody", "fever_limit": "39", "seen": _seen(client)})
    text = unescape(client.get("/site").text)
    assert "prefers Nobody, which leuko knows no definition of" in text
    assert "above every limit known" in text


def test_the_file_of_the_command_line_goes_out_and_in(client):
    client.post("/site", data={**FULL, "seen": _seen(client)})
    table = tomllib.loads(client.get("/site/site.toml").text)
    assert site_of(table) == site_of(table_of(_now(client)))
    new = b'name = "Ward 7"\nfever_limit = 38.3\n[phones]\ndoctor = "12"\n'
    answer = client.post("/site/file", data={"seen": _seen(client)}, files={"file": ("site.toml", new)})
    assert answer.status_code == 303
    assert (_now(client).name, _now(client).language, dict(_now(client).phones)) == ("Ward 7", "en", {"doctor": "12"})
    for bad, words in ((b"name = ", "not valid TOML"), (b"fevr_limit = 38.0", "did you mean fever_limit")):
        refused = client.post("/site/file", data={"seen": _seen(client)}, files={"file": ("site.toml", bad)})
        assert refused.status_code == 422
        assert words.lower() in unescape(refused.text).lower()
