"""Upload and paste: read in memory, shown with every notice beside its line, kept nowhere."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest
from sqlalchemy import select

from fixtures.http import asked, log_in
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.service.store.tables import audit, metadata
from leuko.web import router
from leuko.web.in_memory import _Parser

from fixtures.stores import Clock  # isort: skip

REPORT = """Patient: 4711
Collected: 2026-01-05 08:30
WBC 2.1 L 10^9/L 4.0 - 10.0
Neutrophils 0.4 LL 10^9/L 1.8 - 7.5
Lymphocytes 1.1 1.3 10^9/L 1.0 - 4.0
"""
TWO = "patient,date,WBC (10^9/L)\na,2026-01-05,5.0\nb,2026-01-05,-4.0\n"


@pytest.fixture
def client(tmp_path):
    store = open_store(tmp_path / "store.sqlite", clock=Clock())
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.VIEWER)
        yield found
    store.close()


def _post(client, path="/read", files=(), **fields):
    sent = [("files", (name, data, "application/octet-stream")) for name, data in files]
    # a field as a file without a name: a form of several parts, as browsers send it
    parts = [*sent, *((name, (None, value)) for name, value in fields.items())]
    return client.post(path, files=parts)


def _words(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_nobody_reads_without_a_login(client):
    client.cookies.clear()
    assert client.get("/read").status_code in {303, 401}
    assert _post(client, text=REPORT).status_code in {303, 401}


def test_a_forged_request_is_refused(client):
    client.headers.pop("X-CSRF-Token")
    assert _post(client, text=REPORT).status_code == 403
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/read").text)
    assert _post(client, text=REPORT, csrf=token[1]).status_code == 200


def test_a_pasted_report_is_assessed_with_its_notices_beside_the_lines(client):
    answer = _post(client, text=REPORT, as_of="2026-01-06")
    assert answer.status_code == 200
    words = _words(answer)
    assert "4711" in words
    assert "0.4" in re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)[1]
    line = re.search(r'<li class="has warning">.*?</li>', answer.text, re.DOTALL)[0]
    assert "Lymphocytes 1.1 1.3" in line
    assert "LK545" in line
    assert 'data-line="5"' in line
    assert "1 set aside" in words
    field = re.search(r"<textarea id=.text.*?</textarea>", answer.text, re.DOTALL)[0]
    assert "Lymphocytes 1.1 1.3 10^9/L 1.0 - 4.0" in field


def test_a_person_is_told_beside_what_was_sent(client):
    answer = _post(client, text=REPORT, as_of="2026-01-06", symptoms="fever=38.9@2026-01-06T07:00\nrigors")
    assert "38.9" in _words(answer)
    wrong = _post(client, text=REPORT, symptoms="glooming")
    assert wrong.status_code == 422
    assert "glooming" in wrong.text
    assert "Neutrophils 0.4" in wrong.text, "what was pasted is not lost"


def test_several_people_are_listed_and_one_can_be_chosen(client):
    answer = _post(client, text=TWO, as_of="2026-01-06")
    assert "2 people were read" in answer.text
    assert "LK214" in answer.text
    alone = _post(client, text=TWO, as_of="2026-01-06", person="a")
    assert "White blood cells 5" in _words(alone)
    nobody = _post(client, text=TWO, person="c")
    assert nobody.status_code == 422
    assert "found: a, b" in _words(nobody).lower()


def test_what_cannot_be_read_says_why_and_nothing_is_invented(client):
    answer = _post(client, text="The count was low.", files=[("scan.pdf", b"%PDF-1.7 ...")])
    assert answer.status_code == 200
    words = _words(answer)
    assert "Nothing of this could be read" in words
    assert "this is a PDF document" in words
    assert "2 set aside" in words


def test_nothing_at_all_is_told(client):
    answer = _post(client, text="  ")
    assert answer.status_code == 422
    assert "There is nothing to read" in answer.text


@pytest.mark.parametrize("name", ["adult-on-docetaxel.json", "child-long.csv", "grown-up-wide-german.csv", "feed.hl7"])
def test_every_format_is_read_from_a_file_and_from_a_paste_alike(client, name):
    data = (resources.files("leuko") / "data" / "examples" / name).read_bytes()
    headline = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)
    uploaded = _post(client, files=[(name, data)], as_of="2026-03-01", person="")
    assert uploaded.status_code == 200
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    pasted = _post(client, text=text, as_of="2026-03-01", person="")
    assert headline.search(uploaded.text)[1] == headline.search(pasted.text)[1]
    assert "Nothing of this" not in uploaded.text


def test_files_travel_back_so_that_the_same_can_be_saved_and_printed(client):
    data = (resources.files("leuko") / "data" / "examples" / "adult-on-docetaxel.json").read_bytes()
    answer = _post(client, files=[("a.json", data)], as_of="2026-03-01")
    carried = re.search(r'name="carried" value="([^"]+)"', answer.text)[1]
    saved = _post(client, "/read/as/json", carried=carried, as_of="2026-03-01")
    assert saved.headers["content-disposition"] == 'attachment; filename="leuko.json"'
    assert json.loads(saved.content)["as_of"] == "2026-03-01"
    leaflet = _post(client, "/read/leaflet?lang=de", carried=carried, as_of="2026-03-01")
    assert '<html lang="de">' in leaflet.text
    changed = _post(client, "/read", carried="a.json\nnot base64!")
    assert changed.status_code == 400
    assert _post(client, "/read/as/nothing", text=REPORT).status_code == 404
    assert _post(client, "/read/as/json", text=TWO).status_code == 422


def test_nothing_of_it_is_kept_but_that_something_was_read(client):
    _post(client, text=REPORT, as_of="2026-01-06")
    store = client.app.state.context.store
    with store.read() as connection:
        rows = connection.execute(select(audit).where(audit.c.action == "person-execute")).mappings().all()
        everything = " ".join(
            str(dict(row)) for table in metadata.sorted_tables for row in connection.execute(select(table)).mappings()
        )
    assert [(row["subject"], json.loads(row["detail"])["people"]) for row in rows] == [("", 1)]
    assert "4711" not in everything
    assert "Neutrophils" not in everything


def test_files_stay_in_memory():
    assert _Parser.spool_max_size > 1 << 30


def test_a_large_file_reaches_no_disk(client, monkeypatch):
    import tempfile

    def never(*_, **__):
        raise AssertionError("a file was put on the disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", never)
    rows = "".join(f"a,2026-01-{1 + n % 28:02d},5.{n % 10},{'x' * 60}\n" for n in range(20_000))
    answer = _post(client, files=[("labs.csv", f"patient,date,WBC (10^9/L),remark\n{rows}".encode())])
    assert answer.status_code == 200
