"""A copy is whole, is made while the service writes, overwrites nothing, and becomes a store again."""

from __future__ import annotations

import sqlite3
import stat
import threading
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select, text

from fixtures.hl7 import oru
from fixtures.stores import codes, take
from leuko.__main__ import main
from leuko.errors import UnreadableInput, UsageError
from leuko.service.backup import BackupFailed, backup, restore
from leuko.service.grade import grade
from leuko.service.store import Store, audit, open_store, version_of
from leuko.service.store.tables import message


def elsewhere(address: str, tmp_path: Path) -> str:
    """The address of another, empty store of the same kind."""
    if not address.startswith("postgresql"):
        return str(tmp_path / "restored.sqlite")
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    before, _, rest = address.partition("@/")
    return f"{before}@/{name}?{rest.partition('?')[2]}"


def raws(store: Store) -> list[bytes]:
    with store.read() as connection:
        return [bytes(raw) for raw in connection.execute(select(message.c.raw).order_by(message.c.id)).scalars()]


def test_a_copy_becomes_the_same_store(
    store: Store, address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    take(store, oru(), oru("0.9", control="M2"))
    grade(store)
    copy, new = tmp_path / "copy", elsewhere(address, tmp_path)
    assert main(["store", "backup", str(copy), "--store", address]) == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert main(["store", "restore", str(copy), "--store", new]) == 0
    assert audit.verify(store).head in capsys.readouterr().out
    again = open_store(new)
    assert raws(again) == raws(store)
    assert audit.first_changed_message(again) is None
    assert codes(take(again, oru("1.9", control="M3"))) == ["AA"]
    again.close()


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "verify"),
        ("audit", "export"),
        ("store", "backup", "copy"),
        ("feed", "--dead"),
        ("feed", "--show", "1"),
        ("feed", "--regrade"),
        ("user", "list"),
    ],
)
def test_a_store_that_is_not_there_is_no_empty_one(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--store", "hopsital.sqlite"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "no store at that place\n  --> hopsital.sqlite" in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        ("mysql://localhost/x", "give a file, or postgresql", 2),
        ("nowhere/x.sqlite", "the file cannot be opened", 3),
        ("letter.txt", "it holds something else", 3),
    ],
)
def test_what_cannot_be_a_store_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, *, told: str, code: int
) -> None:
    (tmp_path / "letter.txt").write_text("Dear colleague, thank you for this patient. " * 20, encoding="utf-8")
    address = words if "://" in words else str(tmp_path / words)
    assert main(["user", "add", "ada", "--role", "viewer", "--machine", "--store", address]) == code
    assert told in capsys.readouterr().err


def test_nothing_is_overwritten(store: Store, address: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    backup(address, copy)
    before = copy.read_bytes()
    with pytest.raises(UsageError, match="exists"):
        backup(address, copy)
    with pytest.raises(UsageError, match="a store already"):
        restore(copy, address)
    assert copy.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_what_was_acknowledged_before_is_in_a_copy_that_is_made_while_others_write(tmp_path: Path) -> None:
    where = str(tmp_path / "busy.sqlite")
    store = open_store(where)
    take(store, *(oru(control=f"A{number}") for number in range(50)))
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            take(store, oru(control=f"B{number}"))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            found = backup(where, tmp_path / f"copy-{number}").audit
            assert found is not None
            assert found.sound
    finally:
        stop.set()
        writer.join()
    store.close()
    copied = open_store(tmp_path / "copy-0")
    assert raws(copied)[:50] == [oru(control=f"A{number}").encode() for number in range(50)]
    assert audit.first_changed_message(copied) is None
    copied.close()


def test_a_damaged_copy_is_not_called_one(tmp_path: Path) -> None:
    where = tmp_path / "store.sqlite"
    store = open_store(where)
    take(store, oru())
    store.close()
    with sqlite3.connect(where) as connection:
        connection.execute("DROP TRIGGER audit_update_refused")
        connection.execute("UPDATE audit SET detail = '{}' WHERE id = 1")
    connection.close()
    with pytest.raises(BackupFailed, match="audit"):
        backup(str(where), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_copy_of_an_older_store_stays_one_that_the_older_leuko_reads(tmp_path: Path) -> None:
    where = tmp_path / "store.sqlite"
    store = open_store(where)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    store.close()
    backup(str(where), tmp_path / "copy")
    assert version_of(tmp_path / "copy") == "0001"


def test_what_is_no_copy_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("no copy")
    with pytest.raises(UnreadableInput, match="no copy"):
        restore(other, str(tmp_path / "new.sqlite"))
    with pytest.raises(UsageError, match="no store"):
        backup(str(tmp_path / "missing.sqlite"), tmp_path / "copy")
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "store.sqlite"
    store = open_store(where)
    take(store, *(oru(control=f"A{number}") for number in range(30)))
    store.close()
    connect = sqlite3.connect

    def small(*words: object, **named: object) -> sqlite3.Connection:
        made = connect(*words, **named)  # type: ignore[call-overload]
        if str(words[0]).endswith(".part"):
            made.execute("PRAGMA max_page_count=10")
        return made  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(BackupFailed) as error:
        backup(str(where), tmp_path / "copy")
    assert error.value.why == "the disk is full"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("copy")] == []
