"""The store: one SQLite file by default, PostgreSQL by URL. Everything in it is added, nothing changed or removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, create_engine, event, func, inspect, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from leuko.errors import ExitCode, LeukoError, UsageError

HEAD: Final = "0006"  # the newest migration
DEFAULT: Final = "leuko.sqlite"
_LOCK: Final = 0x6C65756B6F  # "leuko": who writes to PostgreSQL holds this lock, so that numbers and hashes follow on
_RUNS: Final = "check that the database runs, and that this user may write to it"
_FAULTS: Final = {  # SQLite's own names of what is wrong with a file
    "SQLITE_NOTADB": ("the file is no store: it holds something else", "name another file with --store"),
    "SQLITE_CANTOPEN": ("the file cannot be opened", "check that its folder is there, and who may write in it"),
    "SQLITE_READONLY": ("the file cannot be written", "check who may write to it"),
}
Clock = Callable[[], datetime]

__all__ = [
    "DEFAULT",
    "HEAD",
    "Clock",
    "Store",
    "StoreDown",
    "fitted",
    "next_id",
    "open_as_it_is",
    "open_store",
    "require_store",
    "up_to_date",
    "version_of",
]


class StoreDown(LeukoError):  # noqa: N818 (named for people: the store is down)
    """The database cannot be reached or written just now: nothing was stored; try again later."""

    exit_code = ExitCode.UNREADABLE


class Store:
    """An open store. `write` and `read` give connections; a write is durable when its block has ended."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine, self.clock = engine, clock

    def now(self) -> str:
        """The time of the clock, as the tables keep it."""
        return self.clock().astimezone(UTC).isoformat(timespec="microseconds")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that nobody else writes beside; raises StoreDown where it cannot be committed."""
        try:
            with self.engine.connect().execution_options(leuko_writes=True) as connection, connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                yield connection
        except DBAPIError as error:
            raise _down(error) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for questions; raises StoreDown where the database cannot be reached."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            raise _down(error) from error

    @property
    def file(self) -> str | None:
        """The file of an SQLite store; None where the store is a database elsewhere, or in memory."""
        path = self.engine.url.database
        return path if self.engine.dialect.name == "sqlite" and path and path != ":memory:" else None

    def close(self) -> None:
        """Let all connections go."""
        self.engine.dispose()


def next_id(connection: Connection, table: Table) -> int:
    """The next number of a table; the caller writes alone."""
    return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one()) + 1


def fitted(text: str, width: int) -> str:
    """Text that fits a column in every database: what is too long ends in its hash, NUL characters go."""
    text = text.replace("\0", "")
    if len(text) <= width:
        return text
    return f"{text[: width - 65]}#{hashlib.sha256(text.encode()).hexdigest()}"


def _down(error: Exception) -> StoreDown:
    """The fault in words that hold nothing of the data: the driver's message may quote a row."""
    cause = getattr(error, "orig", error)
    full = "full" in str(cause).casefold()
    code = getattr(cause, "sqlite_errorname", "")
    why, do = _FAULTS.get(code, (f"the database said {type(cause).__name__}", _RUNS))
    if full:
        why, do = "the disk is full", "free some space"
    return StoreDown("the store cannot be written or read", why=why, do=do)


# ---- opening --------------------------------------------------------------------------------------------------------


def open_store(where: str | Path = DEFAULT, *, clock: Clock | None = None) -> Store:
    """Open a store, made or brought up to date where needed. `where` is a file, or the URL of a database.

    Raises UsageError for a URL that cannot be understood or a store of a newer leuko, StoreDown where it is down.
    """
    engine = _engine(where, make=True)
    store = Store(engine, clock or (lambda: datetime.now(UTC)))
    try:
        _bring_up_to_date(store)
    except BaseException:
        store.close()
        raise
    return store


def _engine(where: str | Path, *, make: bool) -> Engine:
    url = str(where) if "://" in str(where) else f"sqlite:///{where}"
    url = url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        engine = create_engine(url, pool_pre_ping=url.startswith("postgresql"), pool_size=4)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:  # another database, or none
        raise _no_address() from error
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        raise _no_address()
    if engine.dialect.name == "sqlite":
        if make:
            _make_private(engine.url.database)
        _prepare_sqlite(engine)
    return engine


def _no_address() -> UsageError:
    return UsageError("the address of the store cannot be understood", do="give a file, or postgresql://…")


def open_as_it_is(where: str | Path) -> Store:
    """A store that is only looked at: neither made nor brought up to date. Raises UsageError."""
    return Store(_engine(where, make=False), lambda: datetime.now(UTC))


def version_of(where: str | Path) -> str | None:
    """The newest migration of a store, without making or changing anything; None where there is no store yet.

    Raises UsageError for an address that cannot be understood, StoreDown where the store is down.
    """
    store = open_as_it_is(where)
    try:
        return None if store.file is not None and not Path(store.file).exists() else _version(store)
    finally:
        store.close()


def require_store(where: str | Path) -> str:
    """The newest migration of a store that must be there. Raises UsageError where it is not."""
    version = version_of(where)
    if version is None:
        place = "" if "://" in str(where) else str(where)  # an address of a database may hold a password
        raise UsageError(
            "there is no store at that place",
            where=place,
            do="name it with --store or in LEUKO_STORE; leuko serve, leuko feed FILE and leuko user add make one",
        )
    return version


def _make_private(path: str | None) -> None:
    """A new file that only its owner may read: it holds people's results. SQLite gives its helper files the same."""
    if path and path != ":memory:" and not Path(path).exists():
        with contextlib.suppress(OSError):  # where it cannot be made, SQLite says so in a moment
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(engine: Engine) -> None:
    """Durable commits, and transactions that begin when we say so: the driver's own would begin too late."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("leuko_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up_to_date(store: Store) -> None:
    version = _version(store)
    if version == HEAD:
        return
    if version is not None and version > HEAD:
        raise UsageError(
            "the store was made by a newer leuko", why=f"it is at {version}, this leuko knows {HEAD}", do="update leuko"
        )
    from alembic import command  # noqa: PLC0415 (only where something is to be made)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def up_to_date(store: Store) -> bool:
    """Whether the tables are those that this leuko knows. Raises StoreDown."""
    return _version(store) == HEAD


def _version(store: Store) -> str | None:
    with store.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        return None if found is None else str(found)
