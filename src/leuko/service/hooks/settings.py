"""Which EHRs may ask, and what leuko may ask of them: the table `hooks` of the settings file.

[hooks]
base_url = "https://leuko.example"        # how EHRs reach the service: the audience of their tokens begins with it
zone = "Europe/Berlin"                    # of times that name none; and the day of the assessment

[[hooks.ehr]]
issuer = "https://ehr.example/"           # "iss" of its tokens, exactly
jku = ["https://ehr.example/jwks.json"]   # where its public keys may be fetched; or a file of them:
keys = "/etc/leuko/ehr-keys.json"
fhir = ["https://ehr.example/fhir/r4"]    # FHIR servers that may be asked for what the prefetch lacks
origins = ["https://ehr.example"]         # browsers that may call (CORS)

[hooks.ehr.authorities]                   # what the laboratory's feed calls the EHR's number of a person
"https://ehr.example/mrn" = "HOSP"
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from leuko.errors import UsageError
from leuko.service.mllp import reach_of

ALGORITHMS: Final = ("ES384", "RS384")
_KNOWN: Final = frozenset({*ALGORITHMS, "ES256", "ES512", "RS256", "RS512", "PS256", "PS384", "PS512", "EdDSA"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ehr:
    """One EHR that may ask. `keys` are JSON Web Keys given by hand; `tenants` empty: any."""

    issuer: str
    jku: tuple[str, ...] = ()
    keys: tuple[Mapping[str, Any], ...] = ()
    fhir: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    authorities: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSettings:
    """How hooks are answered.

    `skew_seconds` is how far clocks may differ, `token_seconds` how long a token may hold at most. `late_seconds`: a
    card that took longer may not have been seen, and may be said again. `forecasts` are made beside the calls, which
    wait `forecast_seconds` for one. `fetch_seconds`, `fetch_bytes`, `fetch_pages` bound what is asked of a FHIR server.
    `smart_launch` is the launch URL of a SMART app that cards link to.
    """

    base_url: str
    ehrs: tuple[Ehr, ...] = ()
    zone: tzinfo = UTC
    algorithms: tuple[str, ...] = ALGORITHMS
    skew_seconds: float = 60.0
    token_seconds: float = 3600.0
    late_seconds: float = 5.0
    forecasts: bool = False
    forecast_seconds: float = 0.0
    fetch_seconds: float = 4.0
    fetch_bytes: int = 16 << 20
    fetch_pages: int = 20
    keys_seconds: float = 3600.0
    smart_launch: str = ""

    def ehr(self, issuer: str) -> Ehr | None:
        """The EHR of an issuer, where it may ask."""
        return next((one for one in self.ehrs if one.issuer == issuer), None)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin whose browsers may call."""
        return frozenset(origin for one in self.ehrs for origin in one.origins)


def read_settings(
    table: Mapping[str, Any], *, public_url: str = "", zone: tzinfo = UTC, where: str = "hooks"
) -> HookSettings | None:
    """The settings that a table holds; None where it is empty: then no hooks are served.

    `public_url` and `zone` are those of the service, and hold where the table has none of its own.
    Raises UsageError, naming the key, where one cannot be understood or is not safe.
    """
    if not table:
        return None
    base = _text(table.get("base_url", public_url), f"{where}.base_url").rstrip("/")
    if not base:
        raise UsageError(
            "the address by which EHRs reach the service is not given",
            where=f"{where}.base_url",
            why="the audience of each token is checked against it",
            do='write base_url = "https://leuko.example"',
        )
    _require_url(base, f"{where}.base_url")
    ehrs = tuple(_ehr(one, f"{where}.ehr[{at}]") for at, one in enumerate(table.get("ehr", ())))
    _refuse_twice([one.issuer for one in ehrs], where)
    read: dict[str, Callable[[Any, str], Any]] = {"zone": _zone, "algorithms": _algorithms, "smart_launch": _launch}
    own: dict[str, Any] = {"zone": zone}
    known = {one.name: one for one in fields(HookSettings) if one.name not in {"base_url", "ehrs"}}
    for key, value in table.items():
        if key in {"base_url", "ehr"}:
            continue
        if key not in known:
            raise UsageError(f"{key!r} is no setting of hooks", where=where, do=f"use one of {', '.join(known)}, ehr")
        make = read.get(key) or _like(known[key].default)
        own[key] = make(value, f"{where}.{key}")
    return HookSettings(base_url=base, ehrs=ehrs, **own)


def _ehr(table: Mapping[str, Any], where: str) -> Ehr:
    known = [one.name for one in fields(Ehr)]
    for key in table:
        if key not in known:
            raise UsageError(f"{key!r} is no setting of an EHR", where=where, do=f"use one of {', '.join(known)}")
    issuer = _text(table.get("issuer", ""), f"{where}.issuer")
    jku, file = _texts(table, "jku", where), table.get("keys", "")
    if not issuer or not (jku or file):
        raise UsageError(
            "an EHR needs an issuer, and where its keys are",
            where=where,
            do="write issuer, and jku (allowed addresses of its key set) or keys (a file with it)",
        )
    fhir = tuple(url.rstrip("/") for url in _texts(table, "fhir", where))
    for url in (*jku, *fhir):
        _require_url(url, where)
    return Ehr(
        issuer=issuer,
        jku=jku,
        keys=_keys(_text(file, f"{where}.keys"), where) if file else (),
        fhir=fhir,
        origins=tuple(origin.rstrip("/") for origin in _texts(table, "origins", where)),
        tenants=_texts(table, "tenants", where),
        authorities=MappingProxyType({str(a): str(b) for a, b in dict(table.get("authorities", {})).items()}),
    )


def _refuse_twice(issuers: list[str], where: str) -> None:
    if len(set(issuers)) < len(issuers):
        raise UsageError("two EHRs have the same issuer", where=where, do="give each issuer one entry")


def _keys(path: str, where: str) -> tuple[Mapping[str, Any], ...]:
    try:
        found = json.loads(Path(path).read_text("utf-8"))["keys"]
        keys = tuple(MappingProxyType(dict(one)) for one in found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "the file of keys cannot be read",
            where=f"{where}.keys",
            why=type(error).__name__,
            do='give a JSON Web Key Set: {"keys": [...]} with the public keys of the EHR',
        ) from error
    if any("d" in key or key.get("kty") == "oct" for key in keys):
        raise UsageError(
            "the file of keys holds a secret key",
            where=f"{where}.keys",
            why="leuko only checks signatures: it needs the public half, and the EHR's own key must not leave the EHR",
            do="give the public keys only",
        )
    return keys


def _require_url(url: str, where: str) -> None:
    parts = urlsplit(url)
    loopback = parts.hostname is not None and reach_of(parts.hostname) == "loopback"
    if parts.scheme == "https" or (parts.scheme == "http" and loopback):
        return
    raise UsageError(
        f"{url!r} is no https address",
        where=where,
        why="results of people and keys cross the network",
        do="write https://… (http:// is for an address of this machine only)",
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError("a text is expected", where=where, do='write it in quotes: "…"')
    return value.strip()


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) and one for one in value):
        raise UsageError(f"{key} must be a list of texts", where=where, do=f'write {key} = ["…"]')
    return tuple(value)


def _like(default: Any) -> Callable[[Any, str], Any]:
    """A reader of values of the kind of a default; numbers must be above or at zero."""

    def read(value: Any, where: str) -> Any:
        wanted = (int, float) if isinstance(default, float) else type(default)
        if default is MISSING or isinstance(value, bool) is not isinstance(default, bool):
            raise UsageError("this setting has another kind of value", where=where)
        if not isinstance(value, wanted) or (not isinstance(value, str) and value < 0):
            raise UsageError("this setting cannot be understood", where=where, do=f"write for example {default!r}")
        return type(default)(value)

    return read


def _zone(value: Any, where: str) -> tzinfo:
    try:
        return ZoneInfo(_text(value, where))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UsageError(f"{value!r} is no time zone", where=where, do='write zone = "Europe/Berlin"') from error


def _algorithms(value: Any, where: str) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, (list, tuple)) else ()
    if not names or any(name not in _KNOWN for name in names):
        raise UsageError(
            "these are no signatures that leuko may trust",
            where=where,
            why="only asymmetric ones can tell who signed",
            do=f"name some of {', '.join(sorted(_KNOWN))}",
        )
    return names


def _launch(value: Any, where: str) -> str:
    url = _text(value, where)
    if url:
        _require_url(url, where)
    return url
