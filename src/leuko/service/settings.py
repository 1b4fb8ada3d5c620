"""The settings file of the service: TOML, in which any text may be taken from the environment or a file.

    store = { env = "LEUKO_STORE" }
    [http.oidc]
    client_secret = { file = "/run/secrets/leuko-oidc" }

A secret may stand in the environment or in a file of its own, never in the settings file, which gets copied and shown.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from leuko.errors import UnreadableInput, UsageError
from leuko.service.http.settings import HttpSettings, LimitSettings, OidcSettings, SessionSettings
from leuko.service.logs import Form
from leuko.service.roles import Role
from leuko.service.serve import MllpSettings, Settings

PARTS: Final = ("hooks", "fhir", "web")  # tables that other parts of the service read for themselves
_SECRET: Final = frozenset({"client_secret", "private_key", "secret", "password", "token"})  # never in the file itself
_DEFAULT: Final = HttpSettings()


class _Mllp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    listen: str
    certificate: str = ""
    key: str = ""
    clients: str = ""
    network_without_tls: bool = False
    accept_test: bool = False


class _Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    idle_minutes: float = _DEFAULT.session.idle_minutes
    hours: float = _DEFAULT.session.hours


class _Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    body_bytes: int = _DEFAULT.limits.body_bytes
    requests_per_minute: float = _DEFAULT.limits.requests_per_minute
    burst: int = _DEFAULT.limits.burst
    login_failures: int = _DEFAULT.limits.login_failures
    login_minutes: float = _DEFAULT.limits.login_minutes


class _Oidc(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    issuer: str
    client_id: str
    roles: dict[str, str]
    client_secret: str = ""
    role_claim: str = "groups"
    name_claim: str = "preferred_username"
    scopes: list[str] = msgspec.field(default_factory=lambda: ["openid", "profile"])
    label: str = "Sign in with the hospital's account"


class _Http(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    listen: str
    certificate: str = ""
    key: str = ""
    network_without_tls: bool = False
    public_url: str = ""
    hosts: list[str] = []
    proxies: list[str] = []
    monitors: tuple[str, ...] = _DEFAULT.monitors
    drain_seconds: float = 0.0
    session: _Session = _Session()
    limits: _Limits = _Limits()
    oidc: _Oidc | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    store: str = "leuko.sqlite"
    zone: str = "UTC"
    grading: bool = True
    forecasts: bool = False
    log: Form = "text"
    mllp: _Mllp | None = None
    http: _Http | None = None
    hooks: dict[str, Any] = {}
    fhir: dict[str, Any] = {}
    web: dict[str, Any] = {}


def read_settings(path: Path, *, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file. Raises UnreadableInput where it cannot be read, UsageError that names line or key."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            "the settings are not valid TOML", where=str(path), why=str(error), do="correct that line"
        ) from error
    except OSError as error:
        raise UnreadableInput("the settings cannot be read", where=str(path), why=str(error.strerror)) from error
    filled = _filled(table, "", str(path), environment)
    try:
        file = msgspec.convert(filled, _File)
    except msgspec.ValidationError as error:
        do = "docs/how-to/run-the-service.md lists every setting"
        raise UsageError("a setting cannot be understood", where=str(path), why=str(error), do=do) from error
    return Settings(
        store=file.store,
        mllp=None if file.mllp is None else _mllp(file.mllp),
        http=None if file.http is None else _http(file.http, {part: filled.get(part, {}) for part in PARTS}),
        zone=_zone(file.zone),
        grading=file.grading,
        forecasts=file.forecasts,
        log=file.log,
    )


# ---- texts from elsewhere -------------------------------------------------------------------------------------------


def _filled(value: Any, key: str, source: str, environment: Mapping[str, str]) -> Any:
    """The value with every `{ env = … }` and `{ file = … }` replaced by what stands there."""
    if isinstance(value, dict):
        if set(value) == {"env"} and isinstance(value["env"], str):
            return _from_environment(value["env"], key, source, environment)
        if set(value) == {"file"} and isinstance(value["file"], str):
            return _from_file(value["file"], key, source)
        return {name: _filled(one, f"{key}.{name}".strip("."), source, environment) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, key, source, environment) for one in value]
    if isinstance(value, str):
        _refuse_secret(value, key, source)
    return value


def _from_environment(name: str, key: str, source: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise UsageError(f"the variable {name} is not set", where=f"{source}, {key}", do=f"set {name}")
    return environment[name]


def _from_file(name: str, key: str, source: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"the file {name} cannot be read", where=f"{source}, {key}", why=why) from error


def _refuse_secret(value: str, key: str, source: str) -> None:
    name = key.rpartition(".")[2]
    if (name in _SECRET and value) or (key == "store" and urlsplit(value).password):
        raise UsageError(
            "a secret stands in the settings file",
            where=f"{source}, {key}",
            why="settings get copied, shown and kept in repositories",
            do=f'put it into a file that only the service may read: {name} = {{ file = "/run/secrets/…" }}',
        )


# ---- parts ----------------------------------------------------------------------------------------------------------


def address_of(text: str, *, where: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises UsageError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(
            f"{where} {text!r} is not HOST:PORT", do=f"write for example 127.0.0.1:{8080 if 'http' in where else 2575}"
        )
    return host.strip("[]"), int(port)


def _mllp(table: _Mllp) -> MllpSettings:
    host, port = address_of(table.listen, where="mllp.listen")
    return MllpSettings(
        host=host,
        port=port,
        certificate=_path(table.certificate),
        key=_path(table.key),
        client_authority=_path(table.clients),
        network_without_tls=table.network_without_tls,
        accept_test=table.accept_test,
    )


def _http(table: _Http, parts: Mapping[str, Mapping[str, Any]]) -> HttpSettings:
    host, port = address_of(table.listen, where="http.listen")
    return HttpSettings(
        host=host,
        port=port,
        certificate=_path(table.certificate),
        key=_path(table.key),
        network_without_tls=table.network_without_tls,
        public_url=table.public_url.rstrip("/"),
        hosts=tuple(table.hosts),
        proxies=tuple(table.proxies),
        monitors=tuple(table.monitors),
        drain_seconds=table.drain_seconds,
        session=SessionSettings(**msgspec.structs.asdict(table.session)),
        limits=LimitSettings(**msgspec.structs.asdict(table.limits)),
        oidc=None if table.oidc is None else _oidc(table.oidc),
        parts=MappingProxyType({name: MappingProxyType(dict(part)) for name, part in parts.items()}),
    )


def _oidc(table: _Oidc) -> OidcSettings:
    for group, role in table.roles.items():
        try:
            Role.of(role)
        except ValueError as error:
            raise UsageError(str(error), where=f"http.oidc.roles, {group}") from error
    return OidcSettings(
        issuer=table.issuer,
        client_id=table.client_id,
        client_secret=table.client_secret,
        role_claim=table.role_claim,
        name_claim=table.name_claim,
        roles=MappingProxyType(dict(table.roles)),
        scopes=tuple(table.scopes),
        label=table.label,
    )


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        do = 'write for example zone = "Europe/Berlin"'
        raise UsageError(f"{name!r} is no time zone", where="zone", do=do) from error
