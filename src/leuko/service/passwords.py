"""Passwords of local accounts: hashed with Argon2id, so that who steals the store still has to guess each one."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

from leuko.errors import UsageError
from leuko.service.store import Store
from leuko.service.store.accounts import Account, account_of, keep_account

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LEAST: Final = 12  # characters
_MOST: Final = 1024  # characters: what is longer only costs time


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 (only where someone logs in)

    return PasswordHasher()  # RFC 9106, second recommended option: 64 MiB, three passes


@cache
def _nobody() -> str:
    """A hash that no password opens: asking for a name that is not there takes as long as for one that is."""
    return _hasher().hash("")


def hashed(password: str, *, name: str) -> str:
    """The hash of a new password. Raises UsageError where it is too easy to guess."""
    password = _same(password)
    if not LEAST <= len(password) <= _MOST:
        raise UsageError(f"a password has {LEAST} characters or more", do="take several words")
    if len(set(password)) <= 2 or password.casefold() in {name.casefold() * n for n in range(1, 10)}:
        raise UsageError("this password would be guessed", do="take several words that do not belong together")
    return _hasher().hash(password)


def authenticate(store: Store, name: str, password: str) -> Account | None:
    """The account, where it is enabled and this is its password. Takes the same time where it is not."""
    with store.read() as connection:
        found = account_of(connection, name)
    good = found is not None and found.kind == "person" and found.enabled
    known = found.secret if found is not None and good else _nobody()
    if not _fits(known, password) or found is None or not good:
        return None
    if _hasher().check_needs_rehash(found.secret):
        found = replace(found, secret=_hasher().hash(_same(password)))
        with store.write() as connection:
            keep_account(connection, store.now(), found, actor="leuko")
    return found


def _fits(known: str, password: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415 (the same)

    if len(password) > _MOST:
        return False
    try:
        return _hasher().verify(known, _same(password))
    except (Argon2Error, InvalidHashError):
        return False


def _same(password: str) -> str:
    """The password as every keyboard writes it: letters with marks may be one sign or two."""
    return unicodedata.normalize("NFKC", password)
