from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.assessments import bare, rich
from fixtures.golden import check
from leuko.report.notebook import fragment
from leuko.report.outline import all_gaps
from leuko.report.page import html
from leuko.report.series import points


class Page(HTMLParser):
    """The page as a tree of what matters: tags, attributes, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[dict[str, str | None], str]] = []
        self.words: list[str] = []
        self._open: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._open = (tag, dict(attrs))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open is None:
            self.words.append(data)
        else:
            self.blocks.append(({**self._open[1], "tag": self._open[0]}, data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def policy(self) -> str:
        return next(a["content"] for t, a in self.tags if a.get("http-equiv") == "Content-Security-Policy")


@pytest.fixture(scope="module")
def page():
    return Page(html(rich(), still=False))


def test_the_policy_names_every_script_and_style_and_nothing_else(page):
    assert "unsafe" not in page.policy
    assert "default-src 'none'" in page.policy
    run = [(a, text) for a, text in page.blocks if a.get("type") != "application/json"]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for _, t in run}
    assert hashes == set(re.findall(r"'sha256-[^']+'", page.policy))
    assert len(run) == 5


def test_the_page_loads_nothing(page):
    for tag, attributes in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes), "no inline handlers"
        assert "style" not in attributes, "the policy forbids it"


def test_input_cannot_become_markup_or_script():
    evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>"&'
    status = rich().latest[0]
    count = replace(status.count, id=evil, origin=replace(status.count.origin, value_text=evil))
    hostile = replace(
        rich(),
        headline=evil,
        patient=replace(rich().patient, id=evil),
        history=(*rich().history, replace(status, count=count, label=evil)),
        latest=(replace(status, count=count, label=evil),),
        doses=(replace(rich().doses[0], drug=evil),),
    )
    page = Page(html(hostile, still=False))
    assert not any(tag == "img" for tag, _ in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 6
    assert evil in page.text


def test_the_table_twin_holds_every_count_of_the_figure(page):
    for row in points(rich()):
        assert row.when in page.text
        assert f"{row.text} " in page.text
    rows = html(rich(), still=False).split('id="twin"')[1].split("</table>")[0].count("<tr")
    assert rows == len(points(rich())) + 1


def test_the_cursor_stops_at_every_dated_count(page):
    data = {a["id"]: json.loads(text) for a, text in page.blocks if a.get("type") == "application/json"}
    stops = {one["id"] for panel in data["figure-points"] for one in panel["points"]}
    assert stops == {row.id for row in points(rich()) if row.at is not None}
    assert data["figure-spec"]["description"]


def test_gaps_notices_and_sources_are_all_there(page):
    for gap in all_gaps(rich()):
        assert gap.what in page.text
        assert gap.settle in page.text
    for notice in rich().notices:
        assert notice.text in page.text
    for citation in rich().sources:
        assert citation.title in page.text
    assert "no medical device" in page.text


def test_headings_step_down_by_one_and_the_headline_is_the_first(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for t, a in page.tags if t == "a" and (a.get("href") or "").startswith("#")}
    assert targets <= set(ids)


def test_the_structure_is_the_one_somebody_looked_at(page):
    told = []
    for tag, attributes in page.tags:
        if tag in {"header", "main", "footer", "section", "article", "h1", "h2", "h3", "table", "figure", "details"}:
            named = " ".join(
                f"{k}={v}" for k, v in attributes.items() if k in {"id", "class", "aria-labelledby", "open"}
            )
            told.append(f"{tag} {named}".strip())
    check("page-structure.txt", "\n".join(told) + "\n")


def test_a_record_without_counts_is_a_page_too():
    text = html(bare())
    assert "Cannot say" in text
    assert "<script" not in text
    assert "script-src 'none'" in Page(text).policy


def test_the_page_imports_neither_altair_nor_vl_convert():
    script = (
        "import sys; from fixtures.assessments import rich; from leuko.report.page import html; html(rich());"
        "sys.exit(', '.join({'altair', 'vl_convert', 'polars', 'typst', 'rich'} & set(sys.modules)) or 0)"
    )
    tests = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", script], cwd=tests, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_static_drawing_is_in_the_page_where_it_can_be_made():
    pytest.importorskip("vl_convert")
    text = html(rich(), still=True)
    assert "<svg" in text
    assert "var(--grade-4)" in text.split("<svg")[1], "the page's own colours, so that dark mode and print fit"
    assert " style=" not in text.split("<svg")[1].split("</svg>")[0], "the policy forbids inline style"


def test_the_notebook_fragment_stands_alone():
    text = fragment(rich())
    assert text == rich()._repr_html_()
    assert "<script" not in text
    assert rich().headline in text
    assert Page(text).tags[0][0] == "div"
