"""SMART backend services: a signed statement of who we are is exchanged for an access token, kept until it ends.

https://hl7.org/fhir/smart-app-launch/backend-services.html: the assertion is a JWT signed with ES384 or RS384, its
audience the token endpoint, its life at most five minutes, its `jti` never used twice.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
import msgspec

from leuko.errors import LeukoError
from leuko.service.fhir.client.key import Key
from leuko.service.fhir.client.talk import Answer, Talk, checked_base, fault, said, skew

_LIFE: Final = timedelta(minutes=4)  # of an assertion; the standard allows five
_EARLY: Final = timedelta(seconds=30)  # a token is renewed before it ends, not after
_SHORTEST: Final = 60.0  # seconds a token holds where the server does not say
_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ODD_CLOCK: Final = 60.0  # seconds of difference that are told where a login fails


class Published(msgspec.Struct):
    """What of .well-known/smart-configuration is used."""

    token_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    token_endpoint_auth_signing_alg_values_supported: list[str] | None = None
    capabilities: list[str] | None = None


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str = "bearer"  # noqa: S105 (the kind of token, no token)
    expires_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How the server knows us: client id and key; `scope` and `token_url` where the server's own word is not taken."""

    client_id: str
    key: Key
    scope: str = ""
    token_url: str = ""


@dataclass(slots=True)
class Login:
    """Access tokens by a registration; each is kept until shortly before it ends. `fresh` gives ids never used.

    `talk` speaks with the server without a token.
    """

    talk: Talk
    registration: Registration
    network_without_tls: bool = False
    fresh: Callable[[], str] = field(default=lambda: str(uuid.uuid4()))
    _token: str = field(default="", repr=False)
    _until: datetime | None = None
    _where: tuple[str, str] | None = None

    def token(self) -> str:
        """A token that holds now. Raises UnreadableInput where the server gives none."""
        if self._until is None or self.talk.now() >= self._until:
            self._ask()
        return self._token

    def drop(self) -> None:
        """Forget the token."""
        self._token, self._until = "", None

    def _ask(self) -> None:
        url, scope = self._endpoint()
        asked_at = self.talk.now()

        def form() -> dict[str, str]:
            """With an assertion of its own for each try: none may come twice."""
            return {
                "grant_type": "client_credentials",
                "scope": scope,
                "client_assertion_type": _TYPE,
                "client_assertion": self._assertion(url, self.talk.now()),
            }

        granted = self._granted(self.talk.ask("POST", url, {"Accept": "application/json"}, form=form))
        life = timedelta(seconds=max(granted.expires_in or _SHORTEST, 0.0))
        self._token, self._until = granted.access_token, asked_at + max(life - _EARLY, life / 2)

    def _granted(self, answer: Answer) -> _Granted:
        if answer.status != 200:
            raise self._not_let_in(answer)
        try:
            granted = msgspec.json.decode(answer.body, type=_Granted)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise fault("the server's login gave no token", answer.url) from error
        if granted.token_type.casefold() != "bearer" or not granted.access_token.isascii():
            raise fault("the server's login gave a token that cannot be sent", answer.url)
        return granted

    def _not_let_in(self, answer: Answer) -> LeukoError:
        advice = "check the client id, the key and its name (--kid), and that the server has its public half"
        difference = skew(answer.headers, self.talk.now())
        if difference is not None and abs(difference) > _ODD_CLOCK:
            way = "ahead of" if difference > 0 else "behind"
            advice = f"set this machine's clock: it is {abs(difference):.0f} seconds {way} the server's"
        return fault("the server does not let this client in", answer.url, why=said(answer), do=advice)

    def _assertion(self, url: str, at: datetime) -> str:
        who, key = self.registration.client_id, self.registration.key
        claims: dict[str, Any] = {"iss": who, "sub": who, "aud": url, "jti": self.fresh(), "iat": at, "exp": at + _LIFE}
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.kid, "typ": "JWT"})

    # -- where to ask --

    def _endpoint(self) -> tuple[str, str]:
        """The token endpoint and the scope, as the server publishes them, unless the registration says otherwise."""
        if self._where is None:
            own = self.registration
            found = Published() if own.token_url and own.scope else self._published()
            url = own.token_url or found.token_endpoint or ""
            if not url:
                raise fault("the server does not say where its login is", self.talk.base, do="name it by --token-url")
            self._where = (
                checked_base(url, network_without_tls=self.network_without_tls),
                own.scope or _scope(found),
            )
        return self._where

    def _published(self) -> Published:
        url = f"{self.talk.base}/.well-known/smart-configuration"
        answer = self.talk.get(url, accept="application/json")
        if answer.status != 200:
            if self.registration.token_url:
                return Published()
            raise fault(
                "the server does not publish how to log in",
                url,
                why=said(answer),
                do="check the address of the server, or name its login by --token-url",
            )
        try:
            found = msgspec.json.decode(answer.body, type=Published)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise fault("what the server publishes of its login cannot be read", url) from error
        self._can(found, url)
        return found

    def _can(self, found: Published, url: str) -> None:
        methods, algorithms = (
            found.token_endpoint_auth_methods_supported,
            found.token_endpoint_auth_signing_alg_values_supported,
        )
        if methods is not None and "private_key_jwt" not in methods:
            raise fault("the server's login knows no clients with a key", url, why=f"it takes {json.dumps(methods)}")
        if algorithms is not None and self.registration.key.algorithm not in algorithms:
            why = f"it takes {', '.join(map(str, algorithms))}; the key given signs {self.registration.key.algorithm}"
            raise fault("the server's login does not take this kind of key", url, why=why, do="give another key")


def _scope(found: Published) -> str:
    """Read what there is, in the version of SMART that the server speaks."""
    said_ = found.capabilities or []
    return "system/*.read" if "permission-v1" in said_ and "permission-v2" not in said_ else "system/*.rs"
