"""Keeping by hand in the store, SQLite and PostgreSQL: once, with what follows, taken back with no row changed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from leuko.intake.symptoms import parse_symptom
from leuko.knowledge import load_library
from leuko.service.grade import Grading, grade
from leuko.service.inbox import Inbox, Incoming
from leuko.service.keep import By, keep, withdraw
from leuko.service.store import Store, open_store
from leuko.service.store.audit import verify
from leuko.service.store.kept import File, NewEntry, Upload, entries_of, first_changed_entry
from leuko.service.store.kept_tables import entry, entry_event, upload
from leuko.service.store.people import counts_now, latest_assessment
from leuko.web.keeping import told_entry

BY = By(actor="weiss", detail={"via": "test"})
CSV = b"patient,date,WBC (10^9/L)\nada,2026-01-05,2.1\n"
SENT = Upload(files=(File(name="labs.csv", data=CSV),), as_of=date(2026, 1, 11))
HL7 = (
    b"MSH|^~\\&|LIS|LAB|||20260106090000+0000||ORU^R01|M1|P|2.5.1\rPID|1||ada^^^HOSP^MR\r"
    b"OBR|1||F1|58410-2^CBC^LN|||20260106083000+0000\r"
    b"OBX|1|NM|751-8^Neutrophils^LN||0.6|10*9/L|1.8-7.5|L|||F\r"
)


@pytest.fixture
def grading() -> Grading:
    return Grading(library=load_library())


def sent(person: str) -> NewEntry:
    return NewEntry(person=person, kind="sent", digest="d" * 64, upload=SENT, named="ada")


def rows(store: Store) -> list[int]:
    with store.read() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (upload, entry, entry_event)
        ]


def held(store: Store, person: str) -> list[tuple[str, float]]:
    with store.read() as connection:
        return sorted((one.analyte, one.value) for one in counts_now(connection, person))


def test_what_is_kept_counts_once_until_it_is_taken_back(store: Store, grading: Grading) -> None:
    assert keep(store, grading, [sent("ada")], BY).added == 1
    again = keep(store, grading, [sent("ada")], BY)
    assert (again.added, again.known, again.graded.assessments) == (0, 1, 0)
    assert (held(store, "ada"), rows(store)) == ([("wbc", 2.1)], [1, 1, 0])
    with store.read() as connection:
        (number,) = [one.id for one in entries_of(connection, ["ada"])]
    assert withdraw(store, grading, "ada", number, BY)
    assert not withdraw(store, grading, "ada", number, BY)
    assert not withdraw(store, grading, "ada", 4711, BY)
    assert (held(store, "ada"), rows(store)) == ([], [1, 1, 1])
    assert keep(store, grading, [sent("ada")], BY).added == 1
    assert (held(store, "ada"), rows(store)) == ([("wbc", 2.1)], [1, 2, 1])
    assert verify(store).sound
    assert first_changed_entry(store) is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE upload SET raw = X'7B7D'",
        "UPDATE entry SET payload = X'5B5D' WHERE id = 2",
        "DELETE FROM entry WHERE id = 2",
        "INSERT INTO entry SELECT 3, at, actor, person, kind, 'e', upload_id, named, payload FROM entry WHERE id = 1",
    ],
)
def test_a_change_behind_our_back_is_found(tmp_path: Path, grading: Grading, change: str) -> None:
    store = open_store(tmp_path / "store.sqlite")
    signs = (parse_symptom("fever=39.1@2026-01-11T10:00", library=grading.library),)
    keep(store, grading, [sent("ada"), told_entry("ada", signs)], BY)
    assert first_changed_entry(store) is None
    with store.write() as connection:
        for table in ("upload", "entry"):
            for verb in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER {table}_{verb}_refused"))
        connection.execute(text(change))
    assert first_changed_entry(store) is not None
    store.close()


def test_the_feed_and_the_hand_make_one_record_in_either_order(store: Store, grading: Grading) -> None:
    keep(store, grading, [sent("ada^HOSP")], BY)
    Inbox(store).take([Incoming(raw=HL7, source="test")])
    grade(store, grading)
    assert held(store, "ada^HOSP") == [("neutrophils", 0.6), ("wbc", 2.1)]
    signs = (parse_symptom("fever=39.1@2026-01-11T10:00", library=grading.library),)
    keep(store, grading, [told_entry("ada^HOSP", signs)], BY)
    with store.read() as connection:
        last = latest_assessment(connection, "ada^HOSP")
    assert last is not None
    assert b"Febrile neutropenia" in last.payload
    with store.read() as connection:
        told = next(one.id for one in entries_of(connection, ["ada^HOSP"]) if one.kind == "told")
    withdraw(store, grading, "ada^HOSP", told, BY)
    assert held(store, "ada^HOSP") == [("neutrophils", 0.6), ("wbc", 2.1)], "what the feed brought stays"


def test_a_message_that_comes_while_it_is_kept_is_read_too(
    store: Store, grading: Grading, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leuko.service import grade as grading_module

    real, left = grading_module.with_entries, [HL7]

    def slowly(*given: object, **named: object) -> object:
        if left:
            Inbox(store).take([Incoming(raw=left.pop(), source="test")])
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(grading_module, "with_entries", slowly)
    keep(store, grading, [sent("ada^HOSP")], BY)
    assert held(store, "ada^HOSP") == [("neutrophils", 0.6), ("wbc", 2.1)]
