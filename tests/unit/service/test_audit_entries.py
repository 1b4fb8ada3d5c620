"""Rows of the audit are found alike on every database."""

from __future__ import annotations

from datetime import date

from leuko.service.store.audit import Wanted, actions, entries, record


def _write(store) -> None:
    with store.write() as connection:
        for n in range(1, 6):
            at = f"2026-01-{n:02d}T23:59:59.000000+00:00"
            record(
                connection, at, actor="bert_1%", action="read", subject=f"p{n}", detail={"what": "assessment", "n": n}
            )
        record(connection, "2026-01-09T00:00:00.000000+00:00", actor="Anna", action="set", detail={})


def test_words_need_only_be_a_part_and_are_taken_as_they_are(store):
    _write(store)
    with store.read() as connection:
        rows, total = entries(connection, Wanted(subject="P", actor="BERT"), skip=1, most=2)
        assert total == 5
        assert [row.subject for row in rows] == ["p4", "p3"]
        assert rows[0].detail == {"what": "assessment", "n": 4}
        assert entries(connection, Wanted(actor="bert_1%"))[1] == 5
        assert entries(connection, Wanted(actor="bert11"))[1] == 0
        assert entries(connection, Wanted(detail='"n": 3'))[1] == 1
        assert entries(connection, Wanted(action="rea"))[1] == 0, "an action is asked for whole"


def test_days_are_whole_days(store):
    _write(store)
    with store.read() as connection:
        found, _ = entries(connection, Wanted(since=date(2026, 1, 2), until=date(2026, 1, 3)))
        assert [row.subject for row in found] == ["p3", "p2"]
        assert actions(connection) == ("read", "set")
