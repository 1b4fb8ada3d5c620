"""Options and opening of the store, for the commands of the service."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from leuko.errors import UsageError

if TYPE_CHECKING:
    from leuko.service.store import Store

store_option = click.option(
    "--store",
    "where",
    default="leuko.sqlite",
    envvar="LEUKO_STORE",
    metavar="FILE|URL",
    help="The store: a file of SQLite, or postgresql://… [LEUKO_STORE, else leuko.sqlite]",
)


def opened(where: str, *, make: bool = False) -> Store:
    """The store, made only where asked: elsewhere a slip of the pen would look like a store with nothing in it.

    UsageError where there is none, or what the service needs is not installed.
    """
    need_service()
    from leuko.service.store import open_store, require_store  # noqa: PLC0415 (loads the database)

    if not make:
        require_store(where)
    return open_store(where)


def need_service() -> None:
    """Say how to install what the service needs, where it is missing."""
    try:
        import alembic  # noqa: F401, PLC0415
        import sqlalchemy  # noqa: F401, PLC0415
    except ImportError as error:
        raise UsageError(
            "this command needs the libraries of the service", why=str(error), do="pip install 'leuko[service]'"
        ) from error


def actor() -> str:
    """Who runs this command, for the audit."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
