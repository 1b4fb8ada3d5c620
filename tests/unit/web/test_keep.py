"""Keeping what was read and what was told: of whom, once, undone where it was wrong, with what follows from it."""

from __future__ import annotations

import html
import json
import re

import pytest
from sqlalchemy import select

from fixtures.http import asked, log_in
from fixtures.stores import Clock
from leuko.service.grade import grade
from leuko.service.inbox import Inbox, Incoming
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.service.store.audit import verify
from leuko.service.store.kept_tables import entry, entry_event, upload
from leuko.service.store.people import counts_now, history_of
from leuko.service.store.tables import assessment, audit, dead, message
from leuko.web import router
from leuko.web.people import known

REPORT = """Patient: 4711
Collected: 2026-01-05 08:30
WBC 2.1 L 10^9/L 4.0 - 10.0
Neutrophils 0.4 LL 10^9/L 1.8 - 7.5
"""
TWO = "patient,date,sex,WBC (10^9/L)\na,2026-01-05,F,5.0\nb,2026-01-05,M,2.0\n"
HL7 = (
    "MSH|^~\\&|LIS|LAB|||20260105090000+0000||ORU^R01|{control}|P|2.5.1\r"
    "PID|1||4711^^^HOSP^MR|||||F\r"
    "OBR|1||F1|58410-2^CBC^LN|||20260105083000+0000\r"
    "OBX|1|NM|751-8^Neutrophils^LN||{value}|10*9/L|1.8-7.5|L|||{status}\r"
)


@pytest.fixture
def store(tmp_path):
    found = open_store(tmp_path / "store.sqlite", clock=Clock())
    yield found
    found.close()


@pytest.fixture
def client(store):
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.CLINICIAN)
        yield found


def _post(client, path, files=(), **fields):
    sent = [("files", (name, data, "application/octet-stream")) for name, data in files]
    return client.post(path, files=[*sent, *((name, (None, value)) for name, value in fields.items())])


def _read(client, **fields):
    """What was read, and the fields of the form by which it is kept as it stands there."""
    answer = _post(client, "/read", **fields)
    assert answer.status_code == 200, answer.text[:500]
    tags = re.findall(r"<input [^>]*form=.again-form.[^>]*>", answer.text)
    form = dict(fields)
    for tag in tags:
        found = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if (found["type"] != "radio" if "type" in found else True) or tag.rstrip("> ").endswith("checked"):
            form[found["name"]] = found["value"]
    return answer, form


def _keep(client, **fields):
    return _post(client, "/read/keep", **_read(client, **fields)[1])


def _rows(store, table):
    with store.read() as connection:
        return connection.execute(select(table)).mappings().all()


def _values(store, person):
    with store.read() as connection:
        return {one.analyte: one.value for one in counts_now(connection, person)}


def _number(store, person):
    with store.read() as connection:
        return next(one.number for one in known(connection) if one.person == person)


def _feed(store, *, value="0.6", status="F", control="M1"):
    raw = HL7.format(value=value, status=status, control=control).encode()
    (verdict,) = Inbox(store).take([Incoming(raw=raw, source="test")])
    grade(store)
    return verdict


def test_a_report_is_kept_of_a_new_person_with_what_follows_from_it(client, store):
    answer, form = _read(client, text=REPORT, as_of="2026-01-11")
    words = " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
    assert "2 counts , 5 January 2026" in words
    assert form["keep-0"] == "new"
    done = _post(client, "/read/keep", **form)
    assert done.status_code == 303
    assert done.headers["location"] == f"/people/{_number(store, '4711')}?kept=1"
    assert _values(store, "4711") == {"neutrophils": 0.4, "wbc": 2.1}
    page = client.get(done.headers["location"]).text
    assert "Kept, and assessed with it" in page
    assert "Neutrophils 0.4" in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1]
    assert "Neutrophils 0.4" in client.get("/").text
    (row,) = (each for each in _rows(store, audit) if each["action"] == "person-create")
    assert (row["actor"], row["subject"]) == ("test-clinician", "4711")
    assert json.loads(row["detail"])["entries"] == [1]
    assert verify(store).sound


def test_the_same_again_has_no_second_effect(client, store):
    assert _keep(client, text=REPORT, as_of="2026-01-11").status_code == 303
    before = [len(_rows(store, table)) for table in (entry, upload, assessment)]
    again = _keep(client, text=REPORT, as_of="2026-01-11")
    assert again.headers["location"].endswith("?kept=0")
    assert [len(_rows(store, table)) for table in (entry, upload, assessment)] == before
    assert "nothing has changed" in client.get(again.headers["location"]).text


def test_a_text_that_was_changed_is_looked_at_first(client, store):
    _, form = _read(client, text=REPORT, as_of="2026-01-11")
    done = _post(client, "/read/keep", **{**form, "text": REPORT.replace("0.4", "4.0")})
    assert done.status_code == 422
    assert "changed after they were read" in done.text
    assert "Neutrophils 4" in done.text
    assert _rows(store, entry) == []


def test_only_clinicians_keep_and_only_from_our_own_page(client, store):
    _, form = _read(client, text=REPORT, as_of="2026-01-11")
    token = client.headers.pop("X-CSRF-Token")
    assert _post(client, "/read/keep", **form).status_code == 403
    assert _post(client, "/read/keep", **form, csrf=token).status_code == 303, "without a script, by the form alone"
    log_in(client, Role.VIEWER)
    assert _post(client, "/read/keep", **form).status_code == 403
    assert "Keep in the store" not in _post(client, "/read", text=REPORT).text
    assert client.post(f"/people/{_number(store, '4711')}/signs", data={"temperature": "38.9"}).status_code == 403


def test_what_was_kept_can_be_taken_back_and_kept_again(client, store):
    _keep(client, text=REPORT, as_of="2026-01-11")
    number = _number(store, "4711")
    page = client.get(f"/people/{number}").text
    assert "Take back" in page
    gone = client.post(f"/people/{number}/kept/1/withdraw")
    assert (gone.status_code, gone.headers["location"]) == (303, "/"), "nothing else is known of the person"
    assert _values(store, "4711") == {}
    assert client.get(f"/people/{number}").status_code == 404
    assert client.post(f"/people/{number}/kept/1/withdraw").status_code == 404
    assert len(_rows(store, entry)) == 1, "the row itself stays"
    assert [row["kind"] for row in _rows(store, entry_event)] == ["withdrawn"]
    assert _keep(client, text=REPORT, as_of="2026-01-11").headers["location"].endswith("?kept=1")
    assert _values(store, "4711") == {"neutrophils": 0.4, "wbc": 2.1}
    assert verify(store).sound


def test_a_report_is_joined_to_the_person_of_the_feed_that_was_chosen(client, store):
    _feed(store)
    answer, form = _read(client, text=REPORT.replace("WBC", "Sex: F\nWBC"), as_of="2026-01-11")
    assert "4711^HOSP" in answer.text
    assert "keep-0" not in form, "the number alone does not say who it is: somebody must choose"
    assert "with another value for the same sample: 1" in answer.text
    number = _number(store, "4711^HOSP")
    refused = _post(client, "/read/keep", **form)
    assert "Choose for each person" in refused.text
    done = _post(client, "/read/keep", **form, **{"keep-0": str(number)})
    assert done.headers["location"] == f"/people/{number}?kept=1"
    assert {one.person for one in _known(store)} == {"4711^HOSP"}
    with store.read() as connection:
        values = sorted((one.analyte, one.value) for one in counts_now(connection, "4711^HOSP"))
    assert values == [("neutrophils", 0.4), ("neutrophils", 0.6), ("wbc", 2.1)]
    # a result that comes later is read together with what was kept
    _feed(store, value="0.9", status="C", control="M2")
    assert _values(store, "4711^HOSP")["wbc"] == 2.1
    page = client.get(f"/people/{number}").text
    assert "Neutrophils 0.9" in re.search(r"<h1>(.*?)</h1>", page, re.DOTALL)[1], "the correction stands above"


def _known(store):
    with store.read() as connection:
        return known(connection)


def test_nobody_is_joined_to_somebody_of_another_sex_or_birth(client, store):
    _feed(store)
    answer, form = _read(client, text="patient,date,sex,WBC (10^9/L)\n4711,2026-01-05,M,5.0\n", as_of="2026-01-11")
    assert "has another sex on record" in answer.text
    done = _post(client, "/read/keep", **form, **{"keep-0": str(_number(store, "4711^HOSP"))})
    assert done.status_code == 422
    assert "cannot be meant" in done.text
    assert _rows(store, entry) == []


def test_several_people_are_chosen_one_by_one(client, store):
    _, form = _read(client, text=TWO, as_of="2026-01-11")
    done = _post(client, "/read/keep", **{**form, "keep-0": "none", "as-1": "Bea"})
    assert done.headers["location"].endswith("?kept=1")
    assert {one.person for one in _known(store)} == {"Bea"}
    twice = _post(client, "/read/keep", **{**form, "as-0": "one", "as-1": "one"})
    assert "given one name" in twice.text
    taken = _post(client, "/read/keep", **{**form, "as-0": "Bea", "keep-1": "none"})
    assert "Bea is in the store already" in taken.text


def test_results_of_nobody_are_not_kept_until_it_is_said_whose_they_are(client, store):
    text = REPORT.replace("Patient: 4711\n", "")
    answer, form = _read(client, text=text, as_of="2026-01-11")
    assert "whose results these are" in answer.text
    assert _post(client, "/read/keep", **form).status_code == 422
    assert _keep(client, text=text, as_of="2026-01-11", person="Ada").status_code == 303
    assert _values(store, "Ada") == {"neutrophils": 0.4, "wbc": 2.1}


def test_hl7_messages_go_the_way_of_the_feed(client, store):
    _feed(store)
    same = HL7.format(value="0.6", status="F", control="M1")
    fresh = HL7.format(value="0.5", status="C", control="M2")
    done = _keep(client, text=fresh.replace("\r", "\n"), as_of="2026-01-11")
    assert done.headers["location"] == "/?kept=1"
    assert _values(store, "4711^HOSP") == {"neutrophils": 0.5}
    with store.read() as connection:
        (key,) = {one.id for one in counts_now(connection, "4711^HOSP")}
        assert [one.count.value for one in history_of(connection, "4711^HOSP", key)] == [0.6, 0.5]
    assert _keep(client, text=same.replace("\r", "\n"), as_of="2026-01-11").headers["location"] == "/?kept=0"
    assert len(_rows(store, message)) == 2
    clash = _keep(client, text=HL7.format(value="5.5", status="F", control="M1"), as_of="2026-01-11")
    assert clash.status_code == 422
    assert "1 of 1 messages were not taken" in clash.text
    assert [row["reason"] for row in _rows(store, dead)] == ["id-reused"]


def test_signs_that_were_told_are_kept_and_count_in_the_worklist(client, store):
    _keep(client, text=REPORT.replace("2026-01-05", "2026-01-11"), as_of="2026-01-11")
    number = _number(store, "4711")
    assert "Emergency" not in client.get("/").text
    asked = client.post(f"/people/{number}/infection", data={"temperature": "39.1"}, headers={"HX-Request": "true"})
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    assert form["when"].startswith("2026-01-11T")
    done = client.post(f"/people/{number}/signs", data=form)
    assert done.headers["location"] == f"/people/{number}?kept=1"
    assert "Emergency" in client.get("/").text
    page = client.get(f"/people/{number}").text
    assert "39.1 °C" in page
    assert client.post(f"/people/{number}/signs", data=form).headers["location"].endswith("?kept=0")
    assert client.post(f"/people/{number}/signs", data={}).status_code == 422
    told = next(row["id"] for row in _rows(store, entry) if row["kind"] == "told")
    client.post(f"/people/{number}/kept/{told}/withdraw")
    assert "Emergency" not in client.get("/").text
    assert "39.1" not in client.get(f"/people/{number}").text


def test_symptoms_beside_a_report_are_kept_with_their_time(client, store):
    answer, _ = _read(client, text=REPORT, as_of="2026-01-11", symptoms="fever=38.9")
    assert "write when they were there" in answer.text
    done = _keep(client, text=REPORT, as_of="2026-01-11", symptoms="fever=38.9@2026-01-10T21:00\nrigors@2026-01-10")
    assert done.headers["location"].endswith("?kept=2")
    assert {row["kind"] for row in _rows(store, entry)} == {"sent", "told"}


def test_a_fault_while_it_is_graded_keeps_nothing(client, store, monkeypatch):
    from leuko.errors import UsageError
    from leuko.service import grade as grading

    def broken(*_, **__):
        raise UsageError("this cannot be assessed")

    _, form = _read(client, text=REPORT, as_of="2026-01-11")
    monkeypatch.setattr(grading, "assess", broken)
    assert _post(client, "/read/keep", **form).status_code == 422
    assert _rows(store, entry) == _rows(store, upload) == _rows(store, assessment) == []


def test_other_knowledge_grades_again_who_has_no_message(client, store, monkeypatch):
    from dataclasses import replace

    from leuko.knowledge import load_library
    from leuko.service.grade import Grading, grade_again

    _keep(client, text=REPORT, as_of="2026-01-11")
    library = load_library()
    other = replace(library, hash="0" * 64)
    done = grade_again(store, Grading(library=other))
    assert (done.people, done.assessments) == (1, 1)
    assert _rows(store, assessment)[-1]["knowledge_hash"] == "0" * 64
    assert _values(store, "4711") == {"neutrophils": 0.4, "wbc": 2.1}
