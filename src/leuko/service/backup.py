"""Copies of a store, made while the service runs, checked before they are called one; and stores made from copies.

SQLite by its own online backup; PostgreSQL by its own pg_dump and pg_restore, whose version must fit the server's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, make_url

from leuko.errors import ExitCode, LeukoError, UnreadableInput, UsageError
from leuko.service.store import HEAD, open_as_it_is, require_store, version_of
from leuko.service.store.audit import Verified, verify

_MAGIC: Final = b"SQLite format 3\0"
_DUMP: Final = b"PGDMP"  # what a dump of pg_dump in its custom format begins with


class BackupFailed(LeukoError):  # noqa: N818 (named for people)
    """No copy was made, or what was made is not whole."""

    exit_code = ExitCode.UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A copy that was checked: its size, and what its audit says; None where only the database can look inside."""

    bytes: int
    audit: Verified | None


def backup(where: str, to: Path) -> Copied:
    """Copy a store into a new file. Raises UsageError where the file exists, BackupFailed where it is not whole."""
    if to.exists():
        raise UsageError(f"{to} exists", why="a backup never overwrites another one", do="give another name")
    _require_store(where)
    with _whole_or_nothing(to) as part:
        if _is_postgresql(where):
            _run("pg_dump", where, "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
            return Copied(bytes=part.stat().st_size, audit=None)
        _copy(Path(_file(where)), part)
        return Copied(bytes=part.stat().st_size, audit=_sound(part))


def restore(copy: Path, where: str) -> Copied:
    """Make a store from a copy. Raises UsageError where there is a store already: nothing is ever overwritten."""
    kind = _kind(copy)
    if (kind == "postgresql") is not _is_postgresql(where):
        raise UsageError(f"{copy} is a copy of {kind}", do="restore it into a store of the same kind")
    if version_of(where) is not None:
        raise UsageError(
            "there is a store already", why="nothing is overwritten", do="name a new file, or an empty database"
        )
    if kind == "postgresql":
        words = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", where, *words, str(copy))
        store = open_as_it_is(where)
        try:
            return Copied(bytes=copy.stat().st_size, audit=_require_sound(verify(store)))
        finally:
            store.close()
    target = Path(_file(where))
    if target.exists():
        raise UsageError(f"{target} exists", why="nothing is overwritten", do="name a new file")
    with _whole_or_nothing(target) as part:
        _copy(copy, part)
        return Copied(bytes=part.stat().st_size, audit=_sound(part))


# ---- parts ----------------------------------------------------------------------------------------------------------


def _require_store(where: str) -> None:
    if require_store(where) > HEAD:
        raise UsageError("the store was made by a newer leuko", do="back it up with that one")


@contextlib.contextmanager
def _whole_or_nothing(to: Path) -> Iterator[Path]:
    """A file beside it for its owner alone, which takes its place, on the disk, when everything went well."""
    part = to.with_name(f"{to.name}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupFailed("the copy cannot be written", where=str(part), why=str(error.strerror)) from error
    try:
        yield part
        for path in (part, part.parent):
            number = os.open(path, os.O_RDONLY)
            os.fsync(number)
            os.close(number)
        os.link(part, to)  # unlike a move it fails where the name was taken meanwhile
    except FileExistsError as error:
        raise UsageError(f"{to} exists", why="a backup never overwrites another one") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, to: Path) -> None:
    """One state of the database, with everything that was committed before; writers go on meanwhile (WAL)."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(to)) as new,
        ):
            old.backup(new)  # in one step: between steps a writer would make it begin anew, for ever on a busy store
            new.execute("PRAGMA journal_mode=DELETE")  # one file, without helpers beside it
            broken = new.execute("PRAGMA integrity_check").fetchone()[0]
    except (sqlite3.Error, OSError) as error:
        full = "full" in str(error)
        why = "the disk is full" if full else f"the database said {type(error).__name__}"
        raise BackupFailed("the copy cannot be made", why=why, do="free some space" if full else "") from error
    if broken != "ok":
        raise BackupFailed("the copy is damaged", why="SQLite's own check of it failed", do="check the disk")


def _sound(path: Path) -> Verified:
    store = open_as_it_is(path)  # not brought up to date: an older leuko may have to read it again
    try:
        found = verify(store)
    finally:
        store.close()
    return _require_sound(found)


def _require_sound(found: Verified) -> Verified:
    if not found.sound:
        raise BackupFailed(
            "the audit in the copy is broken",
            where=f"row {found.broken_at}",
            do="leuko audit verify, on the store itself",
        )
    return found


def _kind(copy: Path) -> str:
    try:
        with copy.open("rb") as file:
            begin = file.read(16)
    except OSError as error:
        raise UnreadableInput("the copy cannot be read", where=str(copy), why=str(error.strerror)) from error
    if begin.startswith(_DUMP):
        return "postgresql"
    if begin == _MAGIC:
        return "sqlite"
    raise UnreadableInput("this is no copy of a store", where=str(copy), do="give a file that leuko store backup made")


def _is_postgresql(where: str) -> bool:
    return where.startswith("postgresql")


def _file(where: str) -> str:
    return make_url(where).database or "" if "://" in where else where


def _run(program: str, where: str, *words: str) -> None:
    """One of PostgreSQL's programs. The password goes by the environment: others can read a command line."""
    found = shutil.which(program) or next(
        map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))[::-1]), ""
    )
    if not found:
        raise UsageError(
            f"{program} is not installed", do="install PostgreSQL's client programs of the server's version"
        )
    address, environment = _address(make_url(where))
    done = subprocess.run(  # noqa: S603 (our own words, no shell)
        [found, f"--dbname={address}", *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        # what the program says may quote a row; its first line is about the connection or the version
        raise BackupFailed(f"{program} failed", why=f"exit code {done.returncode}", do=_hint(done.stderr))


def _hint(said: str) -> str:
    if "version mismatch" in said:
        return "install the client programs of the server's version"
    if "connection to server" in said:
        return "check that the database runs, and that this user may connect"
    return f"run it by hand to see what it says; {len(said)} characters were kept back, which may quote people's data"


def _address(url: URL) -> tuple[str, Mapping[str, str]]:
    environment = dict(os.environ)
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    bare = url.set(drivername="postgresql", password=None)
    return bare.render_as_string(), environment
