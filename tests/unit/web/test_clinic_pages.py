"""The worklist, a person's page and what-if without a browser: what they hold, who may see it, what is audited."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import resources

import pytest

from fixtures.http import asked, log_in
from leuko.assessment import Asked, assess
from leuko.forecast.what_if import case_of, what_ifs
from leuko.forecast.wish import Change, Wish
from leuko.knowledge import load_library
from leuko.record import Record
from leuko.result import Assessment
from leuko.service.roles import Role
from leuko.service.store import Store, open_store
from leuko.service.store.audit import verify
from leuko.service.store.people import keep_assessment
from leuko.service.store.tables import audit
from leuko.web import router
from leuko.web.demo import Door, fill
from leuko.web.people import Kept, People, concluded, known, record_of
from leuko.web.worklist import CHOICES, Worklist, as_of, row_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = open_store(tmp_path_factory.mktemp("clinic") / "store.sqlite", clock=lambda: NOW)
    assert fill(found, now=NOW) == 10
    yield found
    found.close()


@pytest.fixture
def client(store):
    with asked(store, [router()]) as found:
        log_in(found, Role.VIEWER)
        yield found


def number_of(store: Store, person: str) -> int:
    with store.read() as connection:
        return next(one.number for one in known(connection) if one.person == person)


def made_of(store: Store, person: str) -> tuple[Record, Assessment]:
    with store.read() as connection:
        one = next(each for each in known(connection) if each.person == person)
        made = concluded(connection, [one.last])[one.last]
        return record_of(connection, person, made), made


# ---- people of the store --------------------------------------------------------------------------------------------


def test_a_record_of_the_store_gives_the_assessment_it_was_kept_with(store):
    """Nothing that a conclusion rests on is lost between the record and the page."""
    with store.read() as connection:
        everyone = known(connection)
    assert len(everyone) == 10
    for one in everyone:
        record, made = made_of(store, one.person)
        again = assess(record, as_of=made.as_of, asked=Asked(wish=None))
        same = replace(again, notices=(), sources=())
        assert same == replace(made, notices=(), sources=()), one.person


def test_a_number_stays_when_more_is_concluded_and_says_nothing_of_the_person(store):
    before = number_of(store, "pancytopenia")
    _, made = made_of(store, "pancytopenia")
    with store.write() as connection:
        assert keep_assessment(connection, store.now(), "pancytopenia", replace(made, record_digest="f" * 16), 0)
    assert number_of(store, "pancytopenia") == before
    assert People().seen(store, before, NOW.date()).known.last > before


def test_what_takes_long_is_made_once_and_a_fault_keeps_nothing():
    kept, asked_for = Kept[int](most=2), []

    def make(value: int) -> int:
        asked_for.append(value)
        return 10 // value

    assert [kept.get("a", lambda: make(5)) for _ in range(3)] == [2, 2, 2]
    with pytest.raises(ZeroDivisionError):
        kept.get("b", lambda: make(0))
    assert not kept.has("b")
    assert kept.get("b", lambda: make(1)) == 10
    kept.get("c", lambda: make(2))
    assert not kept.has("a"), "only the last are kept"
    assert asked_for == [5, 0, 1, 2]


# ---- the worklist ---------------------------------------------------------------------------------------------------


def test_the_order_is_danger_then_what_is_missed_then_how_low(store):
    shown = Worklist().shown(store, NOW.date())
    names = [one.row.name for one in shown]
    assert names[:2] == ["chemotherapy-fever", "clozapine"]
    assert [one.rank for one in shown] == sorted(one.rank for one in shown)
    usual = next(one for one in shown if one.row.name == "duffy-null")
    assert [badge.text for badge in usual.badges] == ["Low, usual for this person"]


def test_days_that_pass_make_a_count_overdue_without_a_new_assessment(store):
    worklist = Worklist()
    today = next(one for one in worklist.shown(store, NOW.date()) if one.row.name == "BEISPIEL-2")
    assert today.overdue == 0
    late = today.due.day + timedelta(days=3)
    then = as_of(today.row, late)
    assert then.overdue == 3
    told = [badge.text for badge in then.badges]
    assert "Count overdue by 3 days" in told
    assert f"As concluded {(late - NOW.date()).days} days ago" in told
    assert CHOICES["due"][1](then, late)
    assert not CHOICES["due"][1](today, NOW.date())


def test_a_white_count_alone_is_not_called_not_low(store):
    """Where the neutrophils were not counted and the white cells are not low, the row cannot say."""
    record, _ = made_of(store, "example-child")
    bare = replace(record, counts=(), digest="0" * 16)
    with store.read() as connection:
        one = known(connection)[0]
    row = row_of(one, assess(bare, as_of=NOW.date(), asked=Asked(wish=None)))
    assert row.low is None
    assert row.count == "no count"
    assert [badge.text for badge in as_of(row, NOW.date()).badges][-1] == "Cannot say"


def test_rows_are_given_only_when_something_has_changed(store, client):
    page = client.get("/").text
    mark = re.search(r"seen=([0-9-]+)", page)[1]
    assert client.get(f"/worklist/rows?show=all&seen={mark}").status_code == 204
    last, dash, day = mark.partition("-")
    older = f"{int(last) - 1}{dash}{day}"
    answer = client.get(f"/worklist/rows?show=all&seen={older}")
    assert answer.status_code == 200
    assert "1 person has new results" in answer.text


def test_a_page_that_renews_itself_keeps_no_login_alive(tmp_path):
    at = [NOW]
    own = open_store(tmp_path / "store.sqlite", clock=lambda: at[0])
    with asked(own, [router()]) as client:
        log_in(client, Role.VIEWER)
        for _ in range(4):
            at[0] += timedelta(minutes=10)
            answer = client.get("/worklist/rows?seen=", headers={"X-Leuko-By-Itself": "1"})
        assert answer.status_code in {303, 401}, "nobody sat there for longer than a login holds"
    own.close()


# ---- a person -------------------------------------------------------------------------------------------------------


def test_every_access_to_a_person_is_audited_and_the_chain_holds(store, client):
    number = number_of(store, "clozapine")
    assert client.get(f"/people/{number}").status_code == 200
    with store.read() as connection:
        last = connection.execute(audit.select().order_by(audit.c.id.desc()).limit(1)).one()
    assert (last.actor, last.action, last.subject) == ("test-viewer", "person-read", "clozapine")
    assert verify(store).sound


def test_nobody_comes_in_without_a_login(store):
    with asked(store, [router()]) as client:
        number = number_of(store, "clozapine")
        for path in ("/", "/worklist/rows", f"/people/{number}", f"/people/{number}/past", f"/people/{number}/what-if"):
            answer = client.get(path)
            assert answer.status_code in {303, 401}, path
            assert "clozapine" not in answer.text


def test_a_person_of_no_number_is_nobody(client):
    assert client.get("/people/4711").status_code == 404
    assert client.get("/people/nobody").status_code == 422


def test_signs_are_not_scored_without_the_token_of_the_form(store, client):
    del client.headers["X-CSRF-Token"]
    answer = client.post(f"/people/{number_of(store, 'clozapine')}/infection", data={"temperature": "38.6"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"temperature": "38.6"}, "Febrile neutropenia by"),
        ({"temperature": "386"}, "cannot be a person"),
        ({"temperature": "38.6", "when": "2026-03-02T23:00"}, "The time lies ahead"),
        ({"temperature": "38.6", "when": "yesterday"}, "The time cannot be read"),
        ({"temperature": "38.6", "route": "by hand"}, "The way of measuring is not known"),
        ({"present": "telepathy"}, "A symptom of the form is not known"),
        ({}, "Nothing was told"),
        ({"temperature": "<script>alert(1)</script>"}, "cannot be read"),
    ],
)
def test_what_is_told_is_scored_or_refused_in_words(store, client, form, words):
    path = f"/people/{number_of(store, 'example-adult')}/infection"
    answer = client.post(path, data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert words in answer.text
    assert "<script" not in answer.text


def test_an_unknown_edition_is_refused(store, client):
    assert client.get(f"/people/{number_of(store, 'clozapine')}?edition=ctcae-9").status_code == 404


# ---- what if --------------------------------------------------------------------------------------------------------


def test_what_if_gives_the_numbers_of_the_forecast_itself(store):
    record, made = made_of(store, "example-adult")
    asked_for = (Change(delay=7.0), Change(dose={"": 0.8}), Change(factor=2))
    whole = assess(record, as_of=made.as_of, asked=Asked(wish=Wish(changes=asked_for)))
    (one,) = what_ifs(case_of(record, made, load_library()))
    told = {option.text: option for option in whole.forecasts[0].options}
    for change in (Change(), *asked_for):
        option = one.option(change, name="asked")
        expected = told[option.text]
        assert (option.severe, option.ready, option.outcome) == (expected.severe, expected.ready, expected.outcome)
        assert option.fan is not None
        assert option.fan.times[0] < NOW < option.fan.times[-1]


def test_what_hides_behind_the_numbers_is_said_beside_them(store, client):
    """A fever is on record, and no model knows of an infection."""
    text = client.get(f"/people/{number_of(store, 'chemotherapy-fever')}/what-if").text
    assert text.count("an infection may be under way") == 2, "on the page, and in the note"


def test_without_a_next_cycle_there_is_nothing_to_ask(store, client):
    answer = client.get(f"/people/{number_of(store, 'child-after-virus')}/what-if")
    assert answer.status_code == 200
    assert "nothing to ask here" in answer.text


# ---- the demo, the files --------------------------------------------------------------------------------------------


def test_the_link_of_the_demo_opens_once(store):
    door = Door()
    with asked(store, [router(), door.router()]) as client:
        assert client.get("/enter/guessed").status_code == 403
        assert client.get("/").status_code in {303, 401}
        assert client.get(f"/enter/{door.key}").headers["location"] == "/"
        assert client.get("/").status_code == 200
        assert client.get(f"/enter/{door.key}").status_code == 403


def test_files_of_others_are_as_published_with_their_licence():
    folder = resources.files("leuko.web") / "static"
    listed = tomllib.loads((folder / "vendored.toml").read_text("utf-8"))["file"]
    for one in listed:
        assert sha256((folder / one["name"]).read_bytes()).hexdigest() == one["sha256"]
        assert (folder / one["licence_file"]).is_file()
    own = {"app", "what_if", "read", "print"}
    others = {each.name for each in folder.iterdir() if each.name.endswith(".js") and each.name[:-3] not in own}
    assert others == {one["name"] for one in listed}


def test_pages_load_nothing_from_elsewhere_and_hold_no_inline_script(store, client):
    for path in ("/", f"/people/{number_of(store, 'example-adult')}?forecast=true"):
        text = client.get(path).text
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//[^\"]*\"[^>]*(?:></script|rel=\"stylesheet)", text)
        assert not re.search(r"<script(?![^>]*(?:src=|application/json))", text)
        assert not re.search(r"<[^>]+\son[a-z]+=", text)
        assert " style=" not in text


def test_a_count_that_has_turned_up_again_is_not_called_falling(store):
    """What has fallen below a person's own counts is told with the count before it, and where it turned, says so."""
    _, made = made_of(store, "example-adult")
    row = row_of(known_one(store, "example-adult"), made)
    assert re.fullmatch(r"fallen to \d+ % of own baseline; 0\.49 the time before", row.trend)
    assert "Fallen, higher than the time before" in [badge.text for badge in as_of(row, NOW.date()).badges]
    assert CHOICES["falling"][1](as_of(row, NOW.date()), NOW.date()), "who has fallen stays on the list"
    _, other = made_of(store, "clozapine")
    row = row_of(known_one(store, "clozapine"), other)
    assert "Falling" in [badge.text for badge in as_of(row, NOW.date()).badges]


def known_one(store, person):
    with store.read() as connection:
        return next(one for one in known(connection) if one.person == person)
