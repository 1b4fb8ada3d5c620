"""The knowledge browser: every row with its source, place in it and confidence; found by words."""

from __future__ import annotations

import re
from html import unescape

import pytest

from fixtures.http import asked, log_in
from fixtures.stores import Clock
from leuko.knowledge import load_library
from leuko.knowledge.browsing import SOURCES, Shelf
from leuko.knowledge.library import core_rows, every_basis
from leuko.knowledge.showing import show
from leuko.service.roles import Role
from leuko.service.store import open_store
from leuko.web import router
from leuko.web.pages.knowledge import address


@pytest.fixture(scope="module")
def shelf():
    return Shelf(load_library())


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    store = open_store(tmp_path_factory.mktemp("knowledge") / "store.sqlite", clock=Clock())
    with asked(store, [router()]) as found:
        found.headers["Accept"] = "text/html"
        log_in(found, Role.VIEWER)
        yield found
    store.close()


def test_every_row_is_on_the_shelf_once(shelf):
    library = shelf.library
    keys = [card.key for id_, cards in shelf.cards.items() if id_ != SOURCES for card in cards]
    single = {f"course:{rules.analyte}.{name}" for rules in library.course.values() for name in rules.bases}
    assert len(keys) == len(set(keys))
    assert set(keys) == {key for key, _ in every_basis(library)} - single
    assert {card.key for card in shelf.cards[SOURCES]} == set(library.sources)
    assert len(list(core_rows(library))) <= len(keys) + len(single)


def test_a_card_is_the_one_that_explain_shows(shelf):
    for cards in shelf.cards.values():
        for card in (cards[0], cards[-1]):
            assert card in show(shelf.library, card.key)


def test_words_find_rows_the_named_ones_first(shelf):
    found = shelf.find("ctcae-5 neutrophils")
    assert found.cards[0].key == "ctcae-5:neutrophils"
    assert shelf.find("NEUTROPHILS").by_chapter["grades-ctcae-5"] >= 1
    assert shelf.find("no such word anywhere").cards == ()
    assert {card.citation.confidence for card in shelf.find("clozapine", confidence="confirmed").cards} == {"confirmed"}
    only = shelf.find("clozapine", chapter="monitoring")
    assert 0 < len(only.cards) < len(shelf.find("clozapine").cards)
    assert {card.key for card in only.cards} <= {card.key for card in shelf.cards["monitoring"]}


def test_a_row_says_its_numbers_source_place_and_confidence(client, shelf):
    rule = next(card for card in shelf.cards["grades-ctcae-5"] if card.key == "ctcae-5:neutrophils")
    text = unescape(client.get(address(rule.key)).text)
    assert rule.citation.title in text
    assert f"{rule.citation.confidence}: conclusions may rest on it" in text
    for label, words in rule.facts:
        assert f"<dt>{label}</dt><dd>{words}" in text
    listed = next(card for cards in shelf.cards.values() for card in cards if card.citation and not card.drives)
    assert "listed only, no conclusion rests on it" in client.get(address(listed.key)).text


def test_every_link_to_a_row_leads_to_one(client, shelf):
    text = client.get("/knowledge?chapter=definitions").text
    links = [unescape(each) for each in re.findall(r'href="(/knowledge/row\?[^"]+)"', text)]
    assert len(links) > 30
    for link in dict.fromkeys(links):
        assert client.get(link).status_code == 200, link
    assert client.get(address("http://loinc.org|751-8")).status_code == 200


def test_a_long_list_is_turned_page_by_page_and_loses_nothing(client, shelf):
    seen, link = [], "/knowledge?chapter=intervals"
    while link:
        text = client.get(link).text
        seen += re.findall(r'<code class="soft">(interval:[^<]+)</code>', text)
        after = re.search(r'href="([^"]+)" rel="next"', text)
        link = unescape(after[1]) if after else ""
    assert seen == [card.key for card in shelf.cards["intervals"]]


def test_an_unknown_key_is_told_with_near_ones(client):
    answer = client.get(address("ctcae-5:neutrophil"))
    assert answer.status_code == 404
    assert "ctcae-5:neutrophils" in answer.text
    assert "Nothing holds all of these words" in client.get("/knowledge?q=gloominess").text
    assert client.get("/knowledge?chapter=intervals&at=999").status_code == 200


def test_what_is_searched_for_cannot_break_out_of_the_page(client):
    text = client.get('/knowledge?q="><script>alert(1)</script>').text
    assert "<script>alert" not in text
    assert "<script>alert" not in client.get("/knowledge/row?key=<script>alert(1)</script>").text


def test_the_book_counts_what_is_confirmed(client, shelf):
    text = client.get("/knowledge").text
    for chapter in shelf.chapters:
        assert unescape(f">{chapter.title}<") in unescape(text)
    assert "How much of it is confirmed" in text
