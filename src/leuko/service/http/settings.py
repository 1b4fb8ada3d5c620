"""What the HTTP side of the service is told. `leuko.service.settings` reads it from a file and the environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from leuko.errors import UsageError
from leuko.service.mllp import reach_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How long a login holds: without a request (idle), and in any case (absolute)."""

    idle_minutes: float = 30.0
    hours: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What one client may ask of the service.

    `body_bytes` a request; `requests_per_minute` an address (0: no limit), `burst` of them at once; `login_failures`
    of one address for one account within `login_minutes` (four times as many for an account, ten times for an address).
    """

    body_bytes: int = 16 << 20
    requests_per_minute: float = 6000.0
    burst: int = 600
    login_failures: int = 5
    login_minutes: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """Who vouches for people: an OpenID provider, allow-listed by its issuer.

    `role_claim` names the claim of the ID token that holds groups or roles; `roles` says which of its values makes a
    viewer, clinician or admin. Who has none of them is not let in.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    role_claim: str = "groups"
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    name_claim: str = "preferred_username"
    scopes: tuple[str, ...] = ("openid", "profile")
    label: str = "Sign in with the hospital's account"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Where and how to listen for HTTP, and who may come in.

    `public_url` is how browsers reach the service (behind a proxy it differs from host and port). `proxies` are
    addresses whose X-Forwarded-For is believed. `monitors` are addresses and networks that may read /metrics and the
    details of /ready without an account. `drain_seconds` is how long /ready says "stopping" before the service stops.
    `parts` holds the tables of the settings file of other parts (`hooks`, `fhir`, `web`), each of which reads its own.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    certificate: Path | None = None
    key: Path | None = None
    network_without_tls: bool = False
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    drain_seconds: float = 0.0
    session: SessionSettings = SessionSettings()
    limits: LimitSettings = LimitSettings()
    oidc: OidcSettings | None = None
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by HTTPS, so that cookies may be kept to it."""
        return self.certificate is not None or self.public_url.startswith("https://")

    @property
    def known_hosts(self) -> frozenset[str]:
        """The names by which the service may be asked for: any other Host is refused, against DNS rebinding."""
        own = {self.host, *self.hosts, urlsplit(self.public_url).hostname or ""}
        if reach_of(self.host) == "loopback" or self.host in {"0.0.0.0", "::"}:  # noqa: S104 (only compared)
            own |= {"localhost", "127.0.0.1", "::1"}
        return frozenset(name.casefold() for name in own if name)

    def part(self, name: str) -> Mapping[str, Any]:
        """The table of the settings file for another part of the service; empty where there is none."""
        return self.parts.get(name, MappingProxyType({}))

    def may_monitor(self, address: str) -> bool:
        """Whether an address may read /metrics without an account."""
        try:
            client = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(client in ipaddress.ip_network(network) for network in self.monitors)


def checked(settings: HttpSettings) -> HttpSettings:
    """The settings, where they are safe. Raises UsageError, which says what to change."""
    if settings.certificate is None and reach_of(settings.host) == "network" and not settings.network_without_tls:
        raise UsageError(
            f"{settings.host} can be reached from the network, and no certificate was given",
            why="passwords and results of people would cross the network in the clear",
            do="give a certificate and key, or listen on 127.0.0.1 behind a proxy that has one",
        )
    for network in settings.monitors:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise UsageError(f"{network!r} is no network", where="http.monitors", do='write "10.0.0.0/24"') from error
    if settings.public_url and urlsplit(settings.public_url).scheme not in {"http", "https"}:
        raise UsageError(
            f"{settings.public_url!r} is no URL", where="http.public_url", do='write "https://leuko.example"'
        )
    return settings
