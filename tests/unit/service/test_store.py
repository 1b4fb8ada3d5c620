"""The store keeps everything, acknowledges what is durable, and changes nothing; on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
import itertools
import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from fixtures.hl7 import message, msh, obr, obx, oru, pid
from fixtures.stores import Clock, codes, take
from leuko.__main__ import main
from leuko.errors import UsageError
from leuko.intake.hl7 import results
from leuko.intake.hl7.wire import Message
from leuko.knowledge import load_library
from leuko.service import grade as grading
from leuko.service.background import Again
from leuko.service.grade import grade, grade_again
from leuko.service.inbox import Inbox, Incoming, Reason
from leuko.service.roles import Role
from leuko.service.store import HEAD, Store, StoreDown, audit, card_tables, cards, open_store, tables
from leuko.service.store import __file__ as store_file
from leuko.service.store import people as kept
from leuko.service.store.accounts import Account, begin_login, end_login, keep_account, login_of
from leuko.service.store.attempts import keep_attempt
from leuko.service.store.dead import letters
from leuko.service.store.kept import File, NewEntry, Upload, keep_entry, withdraw_entry
from leuko.service.store.site import SOURCE, set_site, site_now
from leuko.site import SiteSettings

ADA = "4711^HOSP"
LATER, LAST = "20260110100000+0100", "20260110110000+0100"


def rows(store: Store, table: sqlalchemy.Table) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def now(store: Store, person: str = ADA) -> list[tuple[float, str]]:
    with store.read() as connection:
        return [(count.value, count.status) for count in kept.counts_now(connection, person)]


def shown(connection: sqlalchemy.Connection, at: str) -> str:
    """A card that was shown of Ada; gives its id."""
    call = cards.Call(issuer="https://ehr.example/", jti=at, status=200)
    number = cards.keep_call(connection, at, call)
    new = cards.NewCard(id="5f7c1f30-0000-4000-8000-000000000001", kind="count", about="x", counts={}, payload=b"{}")
    cards.keep_cards(connection, at, number, clinician="Practitioner/p1", people=[ADA, "ehr|1"], cards=[new])
    return new.id


def corrected(value: str = "3.8", status: str = "C", control: str = "M2", sent: str = LATER) -> str:
    return oru(value, control=control, sent=sent, status=status)


# ---- the tables -----------------------------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_of_the_code(store: Store) -> None:
    with store.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    folder = Path(store_file).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == HEAD


def test_a_store_is_opened_again_as_it_was(address: str) -> None:
    first = open_store(address)
    take(first, oru())
    first.close()
    again = open_store(address)
    assert rows(again, tables.message) == 1
    again.close()


def test_a_store_of_a_newer_leuko_is_not_touched(store: Store, address: str) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="newer leuko"):
        open_store(address)


def test_no_row_can_be_changed_or_removed(store: Store) -> None:
    take(store, oru(), oru("0.9"), "MSH||")
    grade(store)
    with store.write() as connection:
        at = store.now()
        cards.add_card_event(connection, at, shown(connection, at), "accepted", b"{}")
        kept.set_setting(connection, at, "country", '"UK"', actor="admin")
        dead = connection.execute(select(tables.dead.c.id)).scalars().first()
        connection.execute(
            tables.dead_event.insert(), {"id": 1, "at": at, "dead_id": dead, "kind": "tried", "actor": "x", "text": ""}
        )
        made = Account(name="ada", kind="person", role=Role.ADMIN, enabled=True, secret="x")  # noqa: S106
        keep_account(connection, at, made, actor="admin")
        secret = begin_login(connection, at, name="ada", role=Role.ADMIN, via="account", client="test")
        login = login_of(connection, secret)
        assert login is not None
        end_login(connection, at, login.id, actor="ada")
        keep_attempt(connection, at, name="ada", client="127.0.0.1")
        sent = Upload(files=(File(name="a.csv", data=b"x"),), as_of=date(2026, 1, 11))
        entry = keep_entry(connection, at, NewEntry(person="x", kind="sent", digest="1", upload=sent), actor="ada")
        assert entry is not None
        withdraw_entry(connection, at, entry, actor="ada")
    for table in tables.metadata.sorted_tables:
        first = table.c[0].name
        for statement in (f'DELETE FROM "{table}"', f'UPDATE "{table}" SET "{first}" = "{first}"'):  # noqa: S608
            with pytest.raises((StoreDown, DBAPIError)), store.write() as connection:
                connection.execute(text(statement))
        assert rows(store, table) > 0


def test_an_address_that_is_none_is_explained() -> None:
    with pytest.raises(UsageError, match="address of the store"):
        open_store("oracle-of-delphi://x")


# ---- messages -------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_byte_by_byte(store: Store) -> None:
    raw = oru().encode("utf-8") + b"\xb5 \x00"
    (verdict,) = take(store, raw)
    assert (verdict.code, verdict.new) == ("AA", True)
    with store.read() as connection:
        (row,) = connection.execute(select(tables.message)).all()
    assert (bytes(row.raw), row.identity, row.kind) == (raw, "LAB@HOSP|M1", "ORU^R01")


def test_a_duplicate_has_no_second_effect(store: Store) -> None:
    first = take(store, oru(), oru())
    assert [(one.code, one.new) for one in (*first, *take(store, oru()))] == [
        ("AA", True),
        ("AA", False),
        ("AA", False),
    ]
    assert rows(store, tables.message) == 1
    grade(store)
    before = rows(store, tables.count)
    assert codes(take(store, *[oru()] * 500)) == ["AA"] * 500
    grade(store)
    assert rows(store, tables.count) == before


def test_one_control_id_on_other_bytes_alarms_and_is_put_aside(store: Store) -> None:
    take(store, oru("0.8"))
    (verdict,) = take(store, oru("0.9"))
    assert (verdict.code, verdict.reason) == ("AR", "id-reused")
    with store.read() as connection:
        assert [letter.reason for letter in letters(connection)] == ["id-reused"]
        actions = list(connection.execute(select(tables.audit.c.action).order_by(tables.audit.c.id)).scalars())
    assert "alarm" in actions
    grade(store)
    assert now(store) == [(0.8, "final")]


def test_the_same_control_id_of_two_senders_is_two_messages(store: Store) -> None:
    other = message(msh(facility="OTHER"), pid("9^^^OTHER^MR"), obr(), obx("0.5"))
    assert codes(take(store, oru(), other)) == ["AA", "AA"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("MSH||", "unreadable"),
        ("hello", "unreadable"),
        (oru().replace("|2.5.1|", "|9|"), "unreadable"),
        (oru().replace("ORU^R01^ORU_R01", ""), "unreadable"),
        (oru().replace("|M1|", "||"), "no-control-id"),
        (message(msh(processing="T"), pid(), obr(), obx()), "not-for-production"),
        (message(msh(processing="D"), pid(), obr(), obx()), "not-for-production"),
    ],
)
def test_what_can_never_be_taken_is_refused_and_put_aside(store: Store, text: str, reason: str) -> None:
    for _ in range(2):
        (verdict,) = take(store, text)
        assert (verdict.code, verdict.reason) == ("AR", reason)
    with store.read() as connection:
        assert [letter.reason for letter in letters(connection)] == [reason]
    assert rows(store, tables.message) == 0


def test_test_messages_are_taken_where_the_site_says_so(store: Store) -> None:
    assert codes(take(store, message(msh(processing="T"), pid(), obr(), obx()), accept_test=True)) == ["AA"]


def test_long_and_strange_names_fit_every_database(store: Store) -> None:
    long = message(msh("M" * 900, facility="H" * 900), pid("4" * 900 + "^^^" + "A" * 900), obr("F" * 900), obx("0.4"))
    strange = message(msh("N\0", facility="H\u0416\0"), pid("7\0^^^\U0001f9ea"), obr("F\0"), obx("0.5"))
    assert codes(take(store, long, strange)) == ["AA", "AA"]
    assert grade(store).people == 2
    assert grade(store).people == 0


# ---- grading --------------------------------------------------------------------------------------------------------


def test_a_correction_grades_again_and_keeps_what_was(store: Store) -> None:
    take(store, oru("0.4"))
    assert grade(store).assessments == 1
    take(store, corrected())
    done = grade(store)
    assert (done.counts, done.assessments) == (1, 1)
    assert now(store) == [(3.8, "corrected")]
    with store.read() as connection:
        history = kept.history_of(connection, ADA, "F1/751-8@20260110083000")
        assert [(one.state, one.count.value) for one in history] == [("current", 0.4), ("current", 3.8)]
        assert [old.value for old in history[-1].count.superseded] == [0.4]
        last = kept.latest_assessment(connection, ADA)
        assert last is not None
        assert last.knowledge_hash == load_library().hash
        assert "0.4" not in json.loads(last.payload)["headline"]
    assert rows(store, tables.assessment) == 2


def test_a_withdrawal_takes_the_count_away_and_grades_again(store: Store) -> None:
    take(store, oru("0.4"))
    grade(store)
    take(store, corrected("0.4", "W"))
    assert grade(store).assessments == 1
    assert now(store) == []
    with store.read() as connection:
        assert [one.state for one in kept.history_of(connection, ADA, "F1/751-8@20260110083000")] == [
            "current",
            "withdrawn",
        ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_messages_in_any_order_end_in_the_same_counts(tmp_path: Path, order: tuple[int, ...]) -> None:
    story = [
        oru("0.4", status="P"),
        oru("0.5", control="M2", sent=LATER),
        corrected("0.6", control="M3", sent=LAST),
        oru("9.9", control="M4", sent="20260110120000+0100", status="P"),
    ]
    opened = open_store(tmp_path / "x.sqlite", clock=Clock())
    for at in order:
        take(opened, story[at])
        grading_of(opened)
    assert now(opened) == [(0.6, "corrected")]
    opened.close()


def grading_of(opened: Store) -> None:
    """Counts only, as 24 orders of assessments would take long."""
    with opened.read() as connection:
        raws = [(row.id, bytes(row.raw)) for row in connection.execute(select(tables.message))]
    records, _ = grading.read_messages(raws, grading.Grading(library=load_library()))
    with opened.write() as connection:
        for record in records:
            kept.keep_counts(connection, opened.now(), record.patient.id, record.counts, raws[-1][0])


def test_the_store_and_the_files_tell_the_same(store: Store) -> None:
    from fixtures.hl7 import counts

    story = [oru("0.4", status="P"), oru("0.5", control="M2", sent=LATER), corrected("0.6", control="M3", sent=LAST)]
    take(store, *reversed(story))
    grade(store)
    with store.read() as connection:
        stored = kept.counts_now(connection, ADA)
    assert [(one.value, one.status, one.taken) for one in stored] == [
        (one.value, one.status, one.taken) for one in counts(*story)
    ]


def test_people_are_joined_when_a_message_ties_their_numbers(store: Store) -> None:
    take(store, oru("0.4"), message(msh("B"), pid("77^^^NHS^NH"), obr("F2", taken="20260111"), obx("0.5")))
    assert grade(store).people == 2
    take(store, message(msh("C", kind="ADT^A08"), pid("4711^^^HOSP^MR~77^^^NHS^NH")))
    grade(store)
    assert [value for value, _ in now(store)] == [0.4, 0.5]
    assert now(store, "77^NHS") == []
    with store.read() as connection:
        gone = kept.latest_assessment(connection, "77^NHS")
    assert gone is not None
    assert gone.payload == b""


def test_a_merge_moves_the_counts_to_the_number_that_stays(store: Store) -> None:
    take(store, message(msh("B"), pid("12^^^HOSP^MR"), obr("F2", taken="20260111"), obx("0.5")), oru("0.4"))
    grade(store)
    take(store, message(msh("C", kind="ADT^A40", sent=LATER), pid(), "MRG|12^^^HOSP^MR"))
    grade(store)
    assert [value for value, _ in now(store)] == [0.4, 0.5]
    assert now(store, "12^HOSP") == []


def test_nothing_new_is_no_new_assessment(store: Store) -> None:
    take(store, oru("0.4"))
    grade(store)
    take(store, message(msh("Z", kind="SIU^S12"), pid()))
    done = grade(store)
    assert (done.people, done.counts, done.assessments) == (1, 0, 0)


def test_a_fault_in_one_person_does_not_stop_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real = grading.assess

    def faulty(record: object, **more: object) -> object:
        if "4711" in repr(record):
            raise ZeroDivisionError("0.4")
        return real(record, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(grading, "assess", faulty)
    take(store, oru("0.4"), message(msh("B"), pid("12^^^HOSP^MR"), obr("F2"), obx("0.5")))
    done = grade(store)
    assert (done.failed, done.assessments) == (1, 1)
    with store.read() as connection:
        (letter,) = letters(connection)
    assert letter.reason == "not-graded"
    assert "0.4" not in letter.text


def test_messages_that_come_while_a_person_is_read_are_not_lost(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    real, sent = grading.read_messages, [corrected()]

    def slowly(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type]
        if sent:
            take(store, sent.pop())
        return found

    monkeypatch.setattr(grading, "read_messages", slowly)
    take(store, oru("0.4"))
    grade(store)
    assert now(store) == [(3.8, "corrected")]


def test_other_knowledge_grades_everyone_again(store: Store) -> None:
    take(store, oru("0.4"), message(msh("B"), pid("12^^^HOSP^MR"), obr("F2"), obx("0.5")))
    grade(store)
    same = grade_again(store)
    assert (same.people, same.counts, same.assessments) == (2, 0, 0)
    library = dataclasses.replace(load_library(), hash="another")
    again = grade_again(store, grading.Grading(library=library))
    assert (again.counts, again.assessments) == (0, 2)
    with store.read() as connection:
        last = kept.latest_assessment(connection, ADA)
    assert last is not None
    assert last.knowledge_hash == "another"


# ---- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "taken", "counts_now"),
    [
        ("2026-01-10T23:30:00+00:00", "20260111001500+0100", True),  # past midnight there, and not here
        ("2026-01-10T23:30:00+00:00", "20260111093000+1400", True),
        ("2026-01-10T22:00:00+00:00", "20260111013000+0000", True),  # the clock of the sender is hours ahead
        ("2026-01-10T12:00:00+00:00", "20270110083000+0000", False),  # another year: a slip
    ],
)
def test_a_result_does_not_wait_until_our_day_has_come(tmp_path: Path, now: str, taken: str, counts_now: bool) -> None:
    at = datetime.fromisoformat(now)
    opened = open_store(tmp_path / "x.sqlite", clock=lambda: at)
    take(opened, message(msh(sent=taken), pid(), obr(taken=taken), obx("0.3")))
    grade(opened)
    with opened.read() as connection:
        last = kept.latest_assessment(connection, ADA)
    opened.close()
    assert last is not None
    told = json.loads(last.payload)
    assert told["headline"].startswith("Severe neutropenia" if counts_now else "Cannot say")
    assert any(notice["code"] == "LK602" for notice in told["notices"]) is not counts_now


def test_a_clock_that_is_set_back_changes_nothing(store: Store) -> None:
    """What is later is what was stored later, whatever the time it was stored at."""
    take(store, oru("0.4"))
    grade(store)
    real = store.clock
    store.clock = lambda: real() - timedelta(days=3)
    take(store, corrected("3.8"))
    grade(store)
    assert now(store) == [(3.8, "corrected")]
    with store.read() as connection:
        last = kept.latest_assessment(connection, ADA)
        history = kept.history_of(connection, ADA, "F1/751-8@20260110083000")
    assert last is not None
    assert "0.4" not in json.loads(last.payload)["headline"]
    assert [one.count.value for one in history] == [0.4, 3.8]
    assert history[1].at < history[0].at
    assert audit.verify(store).sound


# ---- cards, settings ------------------------------------------------------------------------------------------------


def test_a_card_is_withdrawn_when_its_counts_change(store: Store) -> None:
    take(store, oru("0.4"))
    grade(store)
    with store.write() as connection:
        card = shown(connection, store.now())
    take(store, corrected())
    assert grade(store).withdrawn == 1
    with store.read() as connection:
        assert cards.cards_shown(connection, ADA) == []
    assert rows(store, card_tables.card) == 1
    with store.write() as connection:
        assert cards.add_card_event(connection, store.now(), card, "accepted", b'{"outcome": "accepted"}')
        assert not cards.add_card_event(connection, store.now(), card, "accepted", b'{"outcome": "accepted"}')
        (tally,) = cards.tally(connection)
    assert tally == cards.Tally(kind="count", shown=1, accepted=1, overridden=0, withdrawn=1)


def test_a_new_count_withdraws_no_card_of_an_earlier_one(store: Store) -> None:
    take(store, oru("0.4"))
    grade(store)
    with store.write() as connection:
        card = shown(connection, store.now())
    take(store, message(msh("M9", sent=LATER), pid(), obr("A9", taken="20260111080000+0100"), obx("0.9")))
    assert grade(store).counts > 0
    with store.read() as connection:
        assert cards.cards_shown(connection, ADA) == [card]


def test_a_token_opens_once(store: Store) -> None:
    call = cards.Call(issuer="https://ehr.example/", jti="j" * 300, status=200)
    with store.write() as connection:
        assert not cards.used(connection, call.issuer, call.jti)
        assert cards.keep_call(connection, store.now(), call) == 1
        assert cards.used(connection, call.issuer, call.jti)
    with pytest.raises(cards.Replayed), store.write() as connection:
        cards.keep_call(connection, store.now(), call)
    assert rows(store, card_tables.hook_call) == 1


def test_the_last_value_of_a_setting_holds(store: Store) -> None:
    with store.write() as connection:
        for value in ("US", "UK"):
            kept.set_setting(connection, store.now(), "country", value, actor="admin")
    with store.read() as connection:
        assert kept.settings(connection) == {"country": "UK"}
    assert rows(store, tables.setting) == 2


def test_the_settings_of_the_site_hold_for_what_is_graded_from_then_on(store: Store) -> None:
    take(store, oru("0.4"))
    grade(store)
    before = _fever_limit(store)
    with store.write() as connection:
        assert set_site(connection, store.now(), {"fever_limit": 38.3, "name": "Ward 7"}, actor="admin") == (
            "name",
            "fever_limit",
        )
        assert site_now(connection).fever_limit == 38.3
    assert grading.outdated(store, load_library())
    assert (grade(store).assessments, grade_again(store).assessments) == (0, 1)
    assert not grading.outdated(store, load_library())
    assert grade_again(store).assessments == 0
    assert (before, _fever_limit(store)) != (38.3, before)
    assert _fever_limit(store) == 38.3
    with store.write() as connection:
        assert set_site(connection, store.now(), {}, actor="admin") == ("name", "fever_limit")
        assert site_now(connection) == SiteSettings(source=SOURCE)
    assert grade_again(store).assessments == 1
    assert _fever_limit(store) == before


def _fever_limit(store: Store) -> float:
    with store.read() as connection:
        last = kept.latest_assessment(connection, ADA)
    assert last is not None
    return float(json.loads(last.payload)["advice"]["fever_limit"])


def test_settings_that_cannot_be_meant_are_not_kept(store: Store) -> None:
    with pytest.raises(UsageError), store.write() as connection:
        set_site(connection, store.now(), {"country": "UK", "fever_limit": "hot"}, actor="admin")
    assert rows(store, tables.setting) == 0


def test_everyone_is_graded_again_in_small_steps_when_a_setting_changes(store: Store) -> None:
    take(store, *[message(msh(f"B{n}"), pid(f"{n}^^^HOSP^MR"), obr(f"F{n}"), obx("0.5")) for n in range(60)])
    while grade(store).people:
        pass
    again, how = Again(), grading.Grading(library=load_library())
    assert not again.step(store, how)
    with store.write() as connection:
        set_site(connection, store.now(), {"country": "UK"}, actor="admin")
    steps = 0
    while again.step(store, how):
        steps += 1
    assert steps > 1
    assert not grading.outdated(store, load_library())
    assert rows(store, tables.assessment) == 120


# ---- audit ----------------------------------------------------------------------------------------------------------


def test_the_audit_is_whole_and_knows_its_head(store: Store) -> None:
    take(store, oru("0.4"))
    early = audit.verify(store)
    take(store, corrected(), "junk")
    grade(store)
    found = audit.verify(store, head=early.head)
    assert (found.sound, found.has_head) == (True, True)
    assert found.rows > early.rows
    assert not audit.verify(store, head="0" * 63 + "1").sound


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET detail = '{}' WHERE id = 2",
        "UPDATE audit SET actor = 'someone else' WHERE id = 1",
        "DELETE FROM audit WHERE id = 2",
        "UPDATE audit SET hash = '00' WHERE id = 3",
    ],
)
def test_a_changed_audit_is_found(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.sqlite"
    opened = open_store(path, clock=Clock())
    for number in range(3):
        take(opened, oru(control=f"M{number}"))
    assert audit.verify(opened).sound
    with sqlite3.connect(path) as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_{verb}_refused")
        connection.execute(change)
    connection.close()
    assert audit.verify(opened).broken_at is not None
    opened.close()
    assert main(["audit", "verify", "--store", str(path)]) == 4


COPIED = "SELECT 9, received_at, source, 'x', control_id, kind, digest, raw FROM message WHERE id = 2"
REPLACED = "raw = (SELECT raw FROM message WHERE id = 1), digest = (SELECT digest FROM message WHERE id = 1)"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE message SET raw = 'x' WHERE id = 2",
        "UPDATE message SET raw = x'00' WHERE id = 2",
        f"UPDATE message SET {REPLACED} WHERE id = 2",  # noqa: S608 (constants of this test)
        "DELETE FROM message WHERE id = 2",
        f"INSERT INTO message {COPIED}",
    ],
)
def test_a_changed_message_is_found(tmp_path: Path, change: str) -> None:
    path = tmp_path / "x.sqlite"
    opened = open_store(path, clock=Clock())
    take(opened, *[oru(control=f"M{number}") for number in range(3)])
    take(opened, oru(control="M3"))
    assert audit.first_changed_message(opened) is None
    with sqlite3.connect(path) as connection:
        for verb in ("update", "delete"):
            connection.execute(f"DROP TRIGGER message_{verb}_refused")
        connection.execute(change)
    connection.close()
    assert audit.first_changed_message(opened) in {1, 2, 9}
    opened.close()
    assert main(["audit", "verify", "--store", str(path)]) == 0
    assert main(["audit", "verify", "--messages", "--store", str(path)]) == 4


def test_a_new_file_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    opened = open_store(path)
    take(opened, oru())
    assert {found.stat().st_mode & 0o077 for found in tmp_path.iterdir()} == {0}
    opened.close()


def test_rows_cut_off_at_the_end_are_found_by_the_kept_head(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    opened = open_store(path, clock=Clock())
    take(opened, oru(control="M1"))
    take(opened, oru(control="M2"))
    head = audit.verify(opened).head
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_delete_refused")
        connection.execute("DELETE FROM audit WHERE id = 2")
    connection.close()
    assert audit.verify(opened).sound
    assert not audit.verify(opened, head=head).sound
    opened.close()


def test_no_name_and_no_value_is_in_the_audit(store: Store) -> None:
    take(store, oru("0.4"), "junk Roe^Jane")
    grade(store)
    with store.read() as connection:
        told = " ".join(str(row) for row in connection.execute(select(tables.audit)))
    assert not any(word in told for word in ("Roe", "Jane", "4711", "19600101", "0.4"))


# ---- faults ---------------------------------------------------------------------------------------------------------


class Fault:
    """Makes the database fail as a lost server or a full disk does, as long as `on` is true."""

    def __init__(self, store: Store) -> None:
        self.on = False
        event.listen(store.engine, "before_cursor_execute", self)

    def __call__(self, _: object, __: object, statement: str, *___: object) -> None:
        if self.on and statement.lstrip().upper().startswith("INSERT"):
            raise OperationalError(statement, {}, Exception("server closed the connection unexpectedly"))


@pytest.fixture
def fault(store: Store) -> Iterator[Fault]:
    made = Fault(store)
    yield made
    event.remove(store.engine, "before_cursor_execute", made)


def test_a_store_that_is_down_says_try_again_and_loses_nothing(store: Store, fault: Fault) -> None:
    fault.on = True
    verdicts = take(store, oru("0.4"), corrected(), "junk")
    assert codes(verdicts) == ["AE", "AE", "AE"]
    assert rows(store, tables.message) == 0
    fault.on = False
    assert codes(take(store, oru("0.4"), corrected(), "junk")) == ["AA", "AA", "AR"]
    assert rows(store, tables.message) == 2


def test_a_full_disk_says_try_again(tmp_path: Path) -> None:
    opened = open_store(tmp_path / "x.sqlite", clock=Clock())
    take(opened, oru("0.4", control="first"))
    pages: list[int] = []

    @event.listens_for(opened.engine, "begin")
    def _full(connection: sqlalchemy.Connection) -> None:
        if pages:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")

    with opened.read() as connection:
        pages.append(int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()))
    big = message(msh("big"), pid(), obr(), obx("0.4"), "NTE|1||" + "x" * 2_000_000)
    (verdict,) = take(opened, big)
    assert verdict.code == "AE"
    assert codes(take(opened, oru("0.4", control="first"))) == ["AA"]  # what is stored is known all the same
    pages[0] = 1_000_000
    assert codes(take(opened, big)) == ["AA"]
    assert rows(opened, tables.message) == 2
    opened.close()


def test_grading_waits_for_a_disk_that_is_full_and_goes_on(store: Store, fault: Fault) -> None:
    """What was acknowledged is graded later; nothing half stands in the store."""
    take(store, oru("0.4"), corrected())
    fault.on = True
    for _ in range(2):
        with pytest.raises(StoreDown):
            grade(store)
    assert (rows(store, tables.count), rows(store, tables.assessment), rows(store, tables.reading)) == (0, 0, 0)
    fault.on = False
    assert grade(store).assessments == 1
    assert now(store) == [(3.8, "corrected")]


def test_a_message_that_the_database_refuses_does_not_block_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leuko.service import inbox

    real = inbox.people_of
    # a person twice in one message breaks the key of the table, as a row that no database takes would
    monkeypatch.setattr(inbox, "people_of", lambda one: real(one) * (2 if one.control_id == "bad" else 1))
    verdicts = take(store, oru(), oru(control="bad"), oru(control="M3"))
    assert codes(verdicts) == ["AA", "AR", "AA"]
    assert verdicts[1].reason == "refused-by-store"


def test_a_fault_of_our_own_with_one_message_does_not_block_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leuko.service import inbox

    real = inbox.people_of

    def faulty(one: Message) -> list[tuple[str, str]]:
        if one.control_id == "bad":
            raise ZeroDivisionError
        return real(one)

    monkeypatch.setattr(inbox, "people_of", faulty)
    assert codes(take(store, oru(), oru(control="bad"), oru(control="M3"))) == ["AA", "AR", "AA"]
    with store.read() as connection:
        assert [letter.reason for letter in letters(connection)] == ["refused-by-store"]


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
def test_connections_that_the_server_cut_are_made_again(store: Store) -> None:
    take(store, oru())
    other = sqlalchemy.create_engine(store.engine.url)
    with other.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()
    assert codes(take(store, oru(control="M2"))) == ["AA"]


def test_a_store_that_is_no_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StoreDown):
        open_store(tmp_path / "no" / "such" / "folder" / "x.sqlite")
    (tmp_path / "text").write_text("this is no database, and long enough to be looked at" * 20)
    with pytest.raises(StoreDown):
        open_store(tmp_path / "text")


# ---- the command ----------------------------------------------------------------------------------------------------


def test_files_are_fed_once_and_the_queue_is_settled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, where = tmp_path / "night.hl7", str(tmp_path / "x.sqlite")
    test = message(msh("T1", processing="T"), pid("12^^^HOSP^MR"), obr("F9"), obx("0.2"))
    path.write_text(oru("0.4") + oru("0.9") + corrected() + test)
    assert main(["feed", str(path), "--store", where]) == 0
    told = capsys.readouterr().err
    assert "2 messages stored" in told
    assert "1 put aside (id-reused)" in told
    assert main(["feed", str(path), "--store", where, "--strict"]) == 4
    assert "0 messages stored, 2 known already" in capsys.readouterr().err
    assert main(["feed", "--dead", "--store", where]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[3] for line in listed] == ["id-reused", "not-for-production"]
    assert main(["feed", "--show", "1", "--store", where]) == 0
    assert "|0.9|" in capsys.readouterr().out
    assert main(["feed", "--let-in", "2", "--store", where]) == 0
    assert main(["feed", "--regrade", "--store", where]) == 0
    assert "2 people looked at" in capsys.readouterr().err
    assert main(["feed", "--dismiss", "1", "--why", "a copy", "--store", where]) == 0
    assert main(["feed", "--dismiss", "1", "--store", where]) == 2
    assert main(["feed", "--show", "99", "--store", where]) == 2
    capsys.readouterr()
    assert main(["feed", "--dead", "--store", where]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "verify", "--store", where]) == 0
    opened = open_store(where)
    with opened.read() as connection:
        actions = set(connection.execute(select(tables.audit.c.action)).scalars())
    opened.close()
    assert {"dead-shown", "dead-let-in", "dead-dismissed", "graded", "received"} <= actions


def test_a_broken_letter_cannot_be_let_in(tmp_path: Path) -> None:
    path, where = tmp_path / "x.hl7", str(tmp_path / "x.sqlite")
    path.write_bytes(b"\x0bMSH|^~\\&|half\x0b" + oru().encode() + b"\x1c\r")
    assert main(["feed", str(path), "--store", where, "--no-grading"]) == 0
    assert main(["feed", "--let-in", "1", "--store", where]) == 2


def test_an_order_of_words_that_makes_no_sense_is_explained(tmp_path: Path) -> None:
    assert main(["feed", "--store", str(tmp_path / "x")]) == 2
    assert main(["feed", "--dead", "--show", "1", "--store", str(tmp_path / "x")]) == 2


def test_nothing_unknown_becomes_a_status() -> None:
    assert not results.WITHDRAWN & results.STATUSES.keys()


def test_a_batch_is_one_commit(store: Store) -> None:
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    Inbox(store).take([Incoming(raw=oru(control=f"M{n}").encode(), source="x") for n in range(50)])
    assert len(commits) == 1
    assert rows(store, tables.message) == 50


def test_a_placeholder_that_shows_itself_later_takes_the_counts_off_its_person(store: Store) -> None:
    """The first two messages look like one person's; the third shows that the number is nobody's."""
    texts = [
        message(msh(f"M{n}"), pid("UNKNOWN^^^HOSP^MR", born=f"19{n}00101"), obr(f"F{n}"), obx(f"0.{n}"))
        for n in range(4, 7)
    ]
    take(store, *texts[:2])
    grade(store)
    assert len(now(store, "UNKNOWN^HOSP")) == 2
    take(store, texts[2])
    grade(store)
    assert now(store, "UNKNOWN^HOSP") == []
    assert now(store, 'not named, sample "F4" of LAB@HOSP^') == [(0.4, "final")]


def test_a_kill_in_the_middle_of_grading_doubles_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    take(store, oru("0.4"), message(msh("B"), pid("12^^^HOSP^MR"), obr("F2"), obx("0.5")))
    real, left = grading._keep, [1]

    def killed(*given: object) -> object:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(grading, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        grade(store)
    assert (rows(store, tables.count), rows(store, tables.reading)) == (1, 0)
    monkeypatch.setattr(grading, "_keep", real)
    assert grade(store).people == 2
    assert (rows(store, tables.count), rows(store, tables.assessment), rows(store, tables.reading)) == (2, 2, 1)


def test_every_table_and_reason_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "service.md").read_text("utf-8")
    assert all(f"`{table.name}`" in page for table in tables.metadata.sorted_tables)
    assert all(f"`{reason}`" in page for reason in get_args(Reason))
