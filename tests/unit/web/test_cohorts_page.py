"""The cohort view: the summary of a finished run, as its own page shows it."""

from __future__ import annotations

import json
import re
from datetime import date
from types import MappingProxyType

import pytest

from fixtures.http import asked, log_in
from fixtures.stores import Clock
from leuko.cohort.flow import cohort
from leuko.service.http.settings import HttpSettings
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.web import router
from leuko.web.cohorts import Runs

ROWS = """patient,date,neutrophils (10^9/L),WBC (10^9/L)
a,2026-01-05,4.0,6.0
a,2026-01-12,0.4,1.2
a,2026-01-16,0.3,1.0
a,2026-01-23,2.4,4.4
b,2026-01-05,3.0,5.0
b,2026-01-14,1.2,2.6
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("cohorts")
    source = home.parent / f"{home.name}.csv"
    source.write_text(ROWS)
    cohort(source, out=home / "day unit", as_of=date(2026, 3, 1), workers=1)
    (home / "half-written").mkdir()
    (home / "half-written" / "account.json").write_text("{}")
    (home / "broken").mkdir()
    (home / "broken" / "manifest.json").write_text("[")
    return home


@pytest.fixture
def client(tmp_path, folder):
    store = open_store(tmp_path / "store.sqlite", clock=Clock())
    web = MappingProxyType({"web": MappingProxyType({"cohorts": str(folder)})})
    with asked(store, [router()], settings=HttpSettings(parts=web)) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.VIEWER)
        yield found
    store.close()


def test_finished_runs_are_listed_and_others_are_not(client):
    text = client.get("/cohorts").text
    assert re.findall(r'href="/cohorts/([^"]+)"', text) == ["day%20unit"]
    assert '<td class="number" data-name="People">2</td>' in text


def test_a_run_shows_every_section_table_and_figure_of_its_summary(client, folder):
    text = client.get("/cohorts/day%20unit").text
    summary = json.loads(client.get("/cohorts/day%20unit/summary.json").text)
    assert summary == json.loads((folder / "day unit" / "summary.json").read_text())
    for section in summary["sections"]:
        assert f'<h2 id="{section["id"]}">' in text
    tables = sum(len(section["tables"]) for section in summary["sections"])
    figures = sum(len(section["figures"]) for section in summary["sections"])
    assert text.count("<caption>") == tables > 5
    assert text.count("<figure>") == figures > 0
    assert " style=" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL), (
        "the policy allows no style in the page"
    )


@pytest.mark.parametrize("name", ["nothing", "half-written", "broken", "..%2f..", "%2e%2e"])
def test_nothing_else_of_the_disk_is_reached(client, name):
    assert client.get(f"/cohorts/{name}").status_code == 404


def test_without_a_folder_the_page_says_how_to_name_one(tmp_path):
    store = open_store(tmp_path / "store.sqlite", clock=Clock())
    with asked(store, [router()]) as client:
        log_in(client, Role.VIEWER)
        assert "cohorts = " in client.get("/cohorts").text
    store.close()


def test_a_summary_is_made_once_and_anew_where_the_run_is_another(folder, monkeypatch):
    from leuko.cohort import summary

    made = []
    really = summary.summarise
    monkeypatch.setattr(summary, "summarise", lambda *given: made.append(1) or really(*given))
    runs = Runs()
    (run,) = runs.within(folder)
    assert runs.words(run) is runs.words(run)
    assert len(made) == 1
