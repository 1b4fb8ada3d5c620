"""Login with an OpenID provider: authorisation code with PKCE (RFC 7636), ID tokens checked as OIDC Core says.

Only the issuer of the settings vouches for anybody. What the provider says of a person (name, groups) is read from the
ID token alone, which its keys have signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from leuko.errors import LeukoError, UsageError
from leuko.service.http.settings import OidcSettings
from leuko.service.mllp import reach_of
from leuko.service.roles import Role

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_SECONDS: Final = 10.0  # to wait for the provider
_SKEW: Final = timedelta(seconds=60)  # by which the clocks may differ
_PENDING: Final = timedelta(minutes=10)  # to log in at the provider
_OLDEST: Final = timedelta(minutes=10)  # age of an ID token that was just issued to us
_MOST_PENDING: Final = 10_000
_AGAIN: Final = timedelta(minutes=1)  # between two looks for new keys
_BYTES: Final = 1 << 20  # of an answer of the provider


class ProviderError(LeukoError):
    """The provider cannot be asked, or what it says cannot be believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where to send people, where to redeem a code, and where the keys are."""

    authorization: str
    token: str
    keys: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """Whom the provider vouches for: the name for the audit, and the highest role of their groups; None for none."""

    name: str
    subject: str
    role: Role | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A login that was begun: what must come back, and until when."""

    browser: str
    nonce: str
    verifier: str = field(repr=False)
    until: datetime


def discover(settings: OidcSettings) -> Provider:
    """Ask the issuer for its addresses. Raises ProviderError, UsageError where the issuer's own address is not safe."""
    _safe(settings.issuer, "http.oidc.issuer")
    found = _ask("GET", f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != settings.issuer:
        raise ProviderError(
            "the provider calls itself by another name",
            where="http.oidc.issuer",
            do="write the issuer exactly as its configuration does, with or without a slash at the end",
        )
    addresses = [found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(one, str) and one for one in addresses):
        raise ProviderError("the configuration of the provider lacks an address", where=settings.issuer)
    for one in addresses:
        _safe(str(one), "the configuration of the provider")
    return Provider(authorization=str(addresses[0]), token=str(addresses[1]), keys=str(addresses[2]))


class Oidc:
    """The logins of one provider; safe to use from several threads."""

    def __init__(self, settings: OidcSettings, *, back: str) -> None:
        self.settings, self.back = settings, back
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._lock = threading.Lock()
        self._provider: Provider | None = None
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._keys_at: datetime | None = None

    def begin(self, now: datetime) -> tuple[str, str]:
        """Where to send the browser, and the secret for its cookie. Raises ProviderError."""
        provider = self._discovered()
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        pending = Pending(browser=_digest(browser), nonce=nonce, verifier=verifier, until=now + _PENDING)
        with self._lock:
            self._pending[state] = pending
            while len(self._pending) > _MOST_PENDING:
                self._pending.popitem(last=False)
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(provider.authorization).query else "?"
        return f"{provider.authorization}{joint}{urlencode(asked)}", browser

    def finish(self, *, state: str, code: str, browser: str, now: datetime) -> Vouched:
        """Redeem the code that the browser brought back, once. Raises ProviderError where anything does not fit."""
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or now > pending.until or not hmac.compare_digest(pending.browser, _digest(browser)):
            raise ProviderError("this login was not begun in this browser, or too long ago", do="log in again")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "client_id": self.settings.client_id,
            "code_verifier": pending.verifier,
        }
        if self.settings.client_secret:
            form["client_secret"] = self.settings.client_secret
        token = _ask("POST", self._discovered().token, form=form).get("id_token")
        if not isinstance(token, str):
            raise ProviderError("the provider gave no ID token", do='is "openid" among http.oidc.scopes?')
        return self._vouched(self._checked(token, pending.nonce, now))

    def _checked(self, token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        """The claims of an ID token that is signed, for us, of this login and of now."""
        try:
            key = self._key(str(jwt.get_unverified_header(token).get("kid", "")), now)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                # times are held against the clock of the service, below
                options={
                    "require": ["exp", "iat", "sub", "aud", "iss"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            begins = datetime.fromtimestamp(float(claims["iat"]), now.tzinfo)
            ends = datetime.fromtimestamp(float(claims["exp"]), now.tzinfo)
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError, OSError) as error:
            raise ProviderError("the ID token cannot be believed", why=type(error).__name__) from None
        if now > ends + _SKEW or not now - _OLDEST <= begins <= now + _SKEW:
            raise ProviderError(
                "the ID token is not of now", do="compare the clocks of the provider and of this machine"
            )
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.client_id:
            raise ProviderError("the ID token is for somebody else")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ProviderError("the ID token belongs to another login")
        return claims

    def _vouched(self, claims: Mapping[str, Any]) -> Vouched:
        name = claims.get(self.settings.name_claim)
        given = claims.get(self.settings.role_claim, [])
        groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = [
            Role.of(self.settings.roles[one]) for one in groups if isinstance(one, str) and one in self.settings.roles
        ]
        own = name if isinstance(name, str) and name.strip() and name.isprintable() else str(claims["sub"])
        host = urlsplit(self.settings.issuer).hostname or ""
        return Vouched(name=f"{own[:120]} ({host[:70]})", subject=str(claims["sub"]), role=max(roles, default=None))

    def _discovered(self) -> Provider:
        if self._provider is None:
            self._provider = discover(self.settings)
        return self._provider

    def _key(self, name: str, now: datetime) -> jwt.PyJWK:
        """The provider's key of a name; asked for again where it is not known, now and then."""
        if name not in self._keys and (self._keys_at is None or now - self._keys_at >= _AGAIN):
            self._keys_at = now
            found = _ask("GET", self._discovered().keys)
            try:
                keys = jwt.PyJWKSet.from_dict(found).keys
            except jwt.PyJWTError as error:
                raise ProviderError("the keys of the provider cannot be read", why=type(error).__name__) from None
            signing = [key for key in keys if key.public_key_use in {None, "sig"} and key.key_type in {"RSA", "EC"}]
            self._keys = {str(key.key_id or ""): key for key in signing}
        if not name and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if name not in self._keys:
            raise ProviderError("the ID token is signed with a key that the provider does not publish")
        return self._keys[name]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _safe(address: str, where: str) -> None:
    parts = urlsplit(address)
    local = parts.scheme == "http" and reach_of(parts.hostname or "") == "loopback"
    if parts.scheme != "https" and not local:
        raise UsageError("an OpenID provider is asked by HTTPS only", where=where, do='write "https://…"')


def _ask(method: str, address: str, *, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One question to the provider; its answer is a JSON object of bounded size, and it is not followed elsewhere."""
    try:
        with (
            httpx.Client(timeout=_SECONDS, follow_redirects=False, headers={"Accept": "application/json"}) as client,
            client.stream(method, address, data=form) as response,
        ):
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > _BYTES:
                    raise ProviderError("the provider's answer is too long")
            status = response.status_code
        found = httpx.Response(status, content=content).json() if status == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ProviderError("the provider cannot be reached", why=type(error).__name__, do="try again later") from None
    except ValueError:
        raise ProviderError("the provider's answer is no JSON") from None
    if not isinstance(found, dict):
        raise ProviderError("the provider refused", why=f"it answered {status}")
    return found
