"""`leuko serve --check`: everything about a configuration that would hurt later, told before the service starts."""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from leuko.errors import LeukoError
from leuko.service.roles import Role
from leuko.service.serve import MllpSettings, Settings, tls_of
from leuko.service.store import HEAD, StoreDown, open_store, version_of

if TYPE_CHECKING:
    from leuko.service.http.settings import HttpSettings
    from leuko.service.store import Store

_SOON: Final = timedelta(days=30)  # a certificate that ends sooner is told of
Level = Literal["good", "warning", "problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. A problem keeps the service from starting or from doing its work."""

    level: Level
    what: str
    do: str = ""


def check(settings: Settings, *, assemble: Callable[[], object]) -> list[Finding]:
    """Look at everything. `assemble` puts the parts of HTTP together, and raises what is wrong with their settings."""
    found: list[Finding] = []
    for name, one in (("mllp", settings.mllp), ("http", settings.http)):
        if one is not None:
            found += _listener(name, one)
    if settings.http is not None:
        found += _browsers(settings.http)
        found += _provider(settings.http)
        found += _parts(settings.http, assemble)
    version = _version(settings.store, found)
    if version == HEAD:
        found += _inside(settings)
    return found


def _listener(name: str, settings: MllpSettings | HttpSettings) -> Iterator[Finding]:
    try:
        tls = tls_of(settings)
    except LeukoError as error:
        yield Finding(
            level="problem", what=f"{name}: {error.what}" + (f" ({error.why})" if error.why else ""), do=error.do
        )
        return
    how = "with TLS" if tls is not None else "in the clear"
    yield Finding(level="good", what=f"{name}: listens on {settings.host}:{settings.port} {how}")
    yield from _address(name, settings.host, settings.port)
    if settings.certificate is not None:
        yield from _certificate(name, settings.certificate)
    if settings.key is not None:
        yield from _private(f"{name}: the key {settings.key}", settings.key)


def _address(name: str, host: str, port: int) -> Iterator[Finding]:
    """Whether the address can be had; where it is in use, the service may be running already."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        level: Level = "warning" if error.errno == errno.EADDRINUSE else "problem"
        why = errno.errorcode.get(error.errno or 0, type(error).__name__)
        what = f"{name}: {host}:{port} cannot be had just now ({why})"
        yield Finding(level=level, what=what, do="is the service running already? else give another address")


def _certificate(name: str, path: Path) -> Iterator[Finding]:
    from cryptography import x509  # noqa: PLC0415 (only where there is one)

    ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    left = ends - datetime.now(UTC)
    if left < timedelta(0):
        yield Finding(level="problem", what=f"{name}: the certificate ended on {ends:%Y-%m-%d}", do="renew it")
    elif left < _SOON:
        yield Finding(level="warning", what=f"{name}: the certificate ends on {ends:%Y-%m-%d}", do="renew it")


def _private(what: str, path: Path) -> Iterator[Finding]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding(
            level="warning", what=f"{what} can be read by other users of this machine", do=f"chmod 600 {path}"
        )


def _browsers(settings: HttpSettings) -> Iterator[Finding]:
    if not settings.secure:
        yield Finding(
            level="warning",
            what="http: browsers are served without HTTPS, and cookies are not kept to it",
            do="good for a try on this machine; else set a certificate, or public_url where a proxy has one",
        )
    elif settings.certificate is None and not settings.proxies:
        yield Finding(
            level="warning",
            what="http: a proxy seems to stand before the service, and none is named",
            do='set http.proxies = ["127.0.0.1"]: else every client is taken for the proxy, in limits and audit',
        )


def _provider(settings: HttpSettings) -> Iterator[Finding]:
    if settings.oidc is None:
        return
    from leuko.service.http.guard.oidc import discover  # noqa: PLC0415 (only where there is one)

    try:
        discover(settings.oidc)
    except LeukoError as error:
        yield Finding(
            level="problem", what=f"oidc: {error.what}" + (f" ({error.why})" if error.why else ""), do=error.do
        )
    else:
        yield Finding(level="good", what=f"oidc: {settings.oidc.issuer} answers")
    if not settings.public_url:
        yield Finding(level="problem", what="oidc: the provider cannot send people back", do="set http.public_url")
    if not settings.oidc.roles:
        yield Finding(level="problem", what="oidc: no group has a role, so nobody is let in", do="set http.oidc.roles")


def _version(where: str, found: list[Finding]) -> str | None:
    try:
        version = version_of(where)
    except StoreDown as error:
        found.append(Finding(level="problem", what=f"store: {error.what} ({error.why})", do=error.do))
        return None
    except LeukoError as error:
        found.append(Finding(level="problem", what=f"store: {error.what}", do=error.do))
        return None
    if version is None:
        found.append(Finding(level="good", what="store: there is none yet; the first start makes it"))
    elif version > HEAD:
        found.append(Finding(level="problem", what="store: it was made by a newer leuko", do="update leuko"))
    elif version < HEAD:
        what = f"store: its tables are at {version}; the next start brings them to {HEAD}"
        found.append(Finding(level="warning", what=what, do="leuko store backup first"))
    else:
        found.append(Finding(level="good", what="store: it answers, and its tables are those of this leuko"))
    return version


def _parts(settings: HttpSettings, assemble: Callable[[], object]) -> Iterator[Finding]:
    from leuko.service.http.settings import checked  # noqa: PLC0415 (only with HTTP)

    try:
        checked(settings)
        assemble()
    except LeukoError as error:
        yield Finding(level="problem", what=f"{error.where or 'http'}: {error.what}", do=error.do)
    else:
        yield Finding(level="good", what="http: every part of the service can be put together")


def _inside(settings: Settings) -> Iterator[Finding]:
    """What can be looked at only in a store that is up to date."""
    store = open_store(settings.store)
    try:
        if store.file is not None:
            yield from _private(f"store: {store.file}", Path(store.file))
        if settings.http is not None:
            yield from _people(settings.http, store)
    finally:
        store.close()


def _people(settings: HttpSettings, store: Store) -> Iterator[Finding]:
    from leuko.service.store.accounts import accounts  # noqa: PLC0415 (only with HTTP)

    with store.read() as connection:
        admins = [one.name for one in accounts(connection) if one.enabled and one.role is Role.ADMIN]
    by_provider = settings.oidc is not None and "admin" in settings.oidc.roles.values()
    if not admins and not by_provider:
        yield Finding(level="warning", what="http: nobody may log in as admin", do="leuko user add NAME --role admin")
