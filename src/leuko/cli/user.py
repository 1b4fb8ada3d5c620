"""`leuko user`: who may come in."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from leuko.cli._notices import say
from leuko.cli._store import actor, opened, store_option
from leuko.errors import UnreadableInput, UsageError

if TYPE_CHECKING:
    from leuko.service.roles import Role
    from leuko.service.store import Store
    from leuko.service.store.accounts import Account

_ROLES: Final = ("viewer", "clinician", "admin")  # those of service.roles, which loads when it is needed
_VARIABLE: Final = "LEUKO_PASSWORD"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_name = click.argument("name", metavar="NAME")
_password_file = click.option(
    "--password-file",
    type=_FILE,
    metavar="FILE",
    help=f"A file that holds the password. [else ${_VARIABLE}, else asked]",
)


_ADD = """\b
Examples:
  leuko user add ada --role clinician --store hospital.sqlite
  leuko user add engine --role clinician --machine --store hospital.sqlite"""
_CHANGE = """\b
Examples:
  leuko user change ada --role admin --store hospital.sqlite
  leuko user change ada --password --store hospital.sqlite"""


@click.group("user", short_help="Accounts of the service: people and machines.")
def command() -> None:
    """Accounts of this site, for the pages and interfaces of `leuko serve --http`.

    A password is asked for, or read from a file or from the variable LEUKO_PASSWORD; never from the command line, where
    every user of the machine could read it.
    """


@command.command("add", epilog=_ADD)
@_name
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the account may do.")
@_password_file
@click.option(
    "--machine", is_flag=True, help="An account of a program: prints a token, once, for Authorization: Bearer."
)
@store_option
def add(*, name: str, role: str, password_file: Path | None, machine: bool, where: str) -> None:
    """Make an account for a person, or with --machine for a program."""
    name = _checked(name)
    with _open(where, make=True) as store:
        if _find(store, name) is not None:
            raise UsageError(f"there is an account {name!r} already", do=f"leuko user change {name}")
        if machine:
            _keep(store, _account(name, role, machine=True, secret=(token := secrets.token_urlsafe(32))))
            say("the token, which is shown only now:")
            click.echo(token)
            return
        _keep(store, _account(name, role, machine=False, secret=_password(password_file, name)))
    say(f"{name} may log in as {role}")


@command.command("list", short_help="List every account.")
@store_option
def list_(*, where: str) -> None:
    """List every account: name, role, kind, state and since when, between tabs."""
    from leuko.service.store.accounts import accounts  # noqa: PLC0415 (loads the database)

    with _open(where) as store, store.read() as connection:
        for one in accounts(connection):
            state = "enabled" if one.enabled else "disabled"
            click.echo("\t".join((one.name, one.role.word, one.kind, state, one.at)))


@command.command("disable", short_help="Let an account in no more.")
@_name
@store_option
def disable(*, name: str, where: str) -> None:
    """Let an account in no more; logins that it has end with their next request."""
    from leuko.service.store.accounts import disable as shut  # noqa: PLC0415 (loads the database)

    with _open(where) as store:
        _existing(store, name)
        with store.write() as connection:
            done = shut(connection, store.now(), name, actor=actor())
    say(f"{name} is disabled" if done else f"{name} was disabled before")


@command.command("change", short_help="Change the role or password of an account, or let it in again.", epilog=_CHANGE)
@_name
@click.option("--role", type=click.Choice(_ROLES), help="Give it another role.")
@click.option("--password", "new_password", is_flag=True, help="Give it another password, or a machine another token.")
@_password_file
@click.option("--enable", is_flag=True, help="Let it in again.")
@store_option
def change(
    *, name: str, role: str | None, new_password: bool, password_file: Path | None, enable: bool, where: str
) -> None:
    """Give an account another role or password, or enable it again; logins that it has end."""
    if role is None and not new_password and not enable:
        raise UsageError("nothing is to be changed", do="give --role, --password or --enable")
    token = ""
    with _open(where) as store:
        found = _existing(store, name)
        if role is not None:
            found = replace(found, role=_role(role))
        if enable:
            found = replace(found, enabled=True)
        if new_password and found.kind == "machine":
            token = secrets.token_urlsafe(32)
            found = replace(found, secret=_digest(token))
        elif new_password:
            found = replace(found, secret=_password(password_file, name))
        _keep(store, found)
    say(f"{name} is changed")
    if token:
        say("the token, which is shown only now:")
        click.echo(token)


# ---- parts ----------------------------------------------------------------------------------------------------------


@contextmanager
def _open(where: str, *, make: bool = False) -> Iterator[Store]:
    """The store; only the first account may make one."""
    store = opened(where, make=make)
    try:
        yield store
    finally:
        store.close()


def _checked(name: str) -> str:
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise UsageError("this name cannot be an account's", do="use up to 200 letters and digits")
    return name.strip()


def _find(store: Store, name: str) -> Account | None:
    from leuko.service.store.accounts import account_of  # noqa: PLC0415 (loads the database)

    with store.read() as connection:
        return account_of(connection, name)


def _existing(store: Store, name: str) -> Account:
    found = _find(store, name)
    if found is None:
        raise UsageError(f"there is no account {name!r}", do="leuko user list")
    return found


def _keep(store: Store, kept: Account) -> None:
    from leuko.service.store.accounts import keep_account  # noqa: PLC0415 (loads the database)

    with store.write() as connection:
        keep_account(connection, store.now(), kept, actor=actor())


def _account(name: str, role: str, *, machine: bool, secret: str) -> Account:
    from leuko.service.store.accounts import Account  # noqa: PLC0415 (loads the database)

    return Account(
        name=name,
        kind="machine" if machine else "person",
        role=_role(role),
        enabled=True,
        secret=_digest(secret) if machine else secret,
    )


def _role(word: str) -> Role:
    from leuko.service.roles import Role  # noqa: PLC0415 (with the rest of the service)

    return Role.of(word)


def _digest(token: str) -> str:
    from leuko.service.store.accounts import digest_of  # noqa: PLC0415 (loads the database)

    return digest_of(token)


def _password(file: Path | None, name: str) -> str:
    """The hash of a password that is read from a file, from the environment, or asked for twice."""
    from leuko.service.passwords import hashed  # noqa: PLC0415 (loads the database)

    if file is not None:
        try:
            given = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableInput("the file of the password cannot be read", where=str(file)) from error
    elif _VARIABLE in os.environ:
        given = os.environ[_VARIABLE]
    else:
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return hashed(given, name=name)
