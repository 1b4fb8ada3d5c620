"""Who asks: the token that an EHR sends with each call, checked against its allow-listed keys.

A token is one JSON Web Token, signed with an asymmetric key of an EHR that this site lists, for this very address, for
a short time, and used once. Nothing of a token is kept but its `jti`, and nothing of it is logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import jwt
import msgspec

from leuko.service.hooks.fetch import Fetcher, FetchFailed
from leuko.service.hooks.problems import HookProblem, refused
from leuko.service.hooks.settings import Ehr, HookSettings

_LONGEST: Final = 16 << 10  # characters of a token
_KEY_BYTES: Final = 256 << 10  # of a key set
_LEAST_RSA_BITS: Final = 2048
_AGAIN: Final = 30.0  # seconds before a key set is asked again for a key that it did not hold
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_CLAIMS: Final = ("iss", "aud", "exp", "iat", "jti")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An EHR whose token is sound; `jti` names the token, `tenant` the hospital where the EHR serves several."""

    ehr: Ehr
    jti: str
    tenant: str = ""


@dataclass(slots=True)
class _KeySet:
    """The keys at one address, when they were fetched, and when that was last tried [seconds of the clock]."""

    keys: tuple[Mapping[str, Any], ...] = ()
    fetched: float = float("-inf")
    tried: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Gate:
    """Lets in calls whose token is sound."""

    def __init__(self, settings: HookSettings, fetcher: Fetcher) -> None:
        self._settings, self._fetcher = settings, fetcher
        self._sets: dict[str, _KeySet] = {}

    async def caller(self, authorization: str, audience: str, now: datetime) -> Caller:
        """Who calls the address `audience`. Raises HookProblem 401 where that cannot be told for sure."""
        token = _bearer(authorization)
        header, claims = _unverified(token)
        ehr = self._settings.ehr(str(claims.get("iss", "")))
        if ehr is None:
            raise refused("the issuer of the token is not on this site's list")
        if header.get("alg") not in self._settings.algorithms:
            raise refused(f"tokens must be signed with {' or '.join(self._settings.algorithms)}")
        key = await self._key(ehr, header, now.timestamp())
        sound = _verified(token, key, str(header["alg"]), audience, ehr)
        self._check_times(sound, now.timestamp())
        if ehr.tenants and sound.get("tenant") not in ehr.tenants:
            raise refused("the tenant of the token is not on this site's list")
        jti = sound["jti"]
        if not isinstance(jti, str) or not jti:
            raise refused("the token has no jti")
        tenant = sound.get("tenant", "")
        return Caller(ehr=ehr, jti=jti, tenant=tenant if isinstance(tenant, str) else "")

    def _check_times(self, claims: Mapping[str, Any], now: float) -> None:
        """The clock is the service's own, so the library's checks against the system's are not used."""
        skew = self._settings.skew_seconds
        times = {name: claims.get(name) for name in ("exp", "iat", "nbf") if name in claims}
        if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in times.values()):
            raise refused("a time of the token is no number")
        expires, issued = float(claims["exp"]), float(claims["iat"])
        if now >= expires + skew:
            raise refused("the token has expired; are the clocks right?")
        if issued > now + skew or float(claims.get("nbf", issued)) > now + skew:
            raise refused("the token is of the future; are the clocks right?")
        if expires - issued > self._settings.token_seconds:
            raise refused(f"the token holds for longer than {self._settings.token_seconds:.0f} seconds")

    # -- keys --

    async def _key(self, ehr: Ehr, header: Mapping[str, Any], now: float) -> Any:
        kid, jku = header.get("kid"), header.get("jku")
        if not isinstance(kid, str) or not kid:
            raise refused("the token does not name its key (kid)")
        if jku is not None and jku not in ehr.jku:
            raise refused("the token names a key set (jku) that is not on this site's list")
        own = _named(ehr.keys, kid)
        if own is None and (jku is not None or len(ehr.jku) == 1):
            own = await self._from_set(str(jku or ehr.jku[0]), kid, now)
        if own is None:
            raise refused("the key of the token is not known")
        return _usable(own, str(header["alg"]))

    async def _from_set(self, url: str, kid: str, now: float) -> Mapping[str, Any] | None:
        kept = self._sets.setdefault(url, _KeySet())
        async with kept.lock:
            found = _named(kept.keys, kid)
            old = now - kept.fetched > self._settings.keys_seconds
            if (found is None or old) and now - kept.tried > _AGAIN:
                kept.tried = now
                await self._fetch(url, kept, now)
                found, old = _named(kept.keys, kid), now - kept.fetched > self._settings.keys_seconds
            return None if old else found

    async def _fetch(self, url: str, kept: _KeySet, now: float) -> None:
        try:
            body = await self._fetcher.get(url, accept="application/json", most=_KEY_BYTES)
            keys = msgspec.json.decode(body, type=dict[str, Any])["keys"]
            kept.keys = tuple(one for one in keys if isinstance(one, dict))
            kept.fetched = now
        except (FetchFailed, msgspec.MsgspecError, KeyError, TypeError) as error:
            if not kept.keys:
                raise HookProblem(503, "transient", "the keys of the EHR cannot be fetched") from error


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme.casefold() != "bearer" or not token.strip():
        raise refused("each call needs a bearer token")
    if len(token) > _LONGEST:
        raise refused("the token is too long")
    return token.strip()


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as written: only to find the key that must prove them."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise refused("the token is no JSON Web Token") from error
    if str(header.get("typ", "")).upper() != "JWT" or "crit" in header:
        raise refused("the header of the token is not as the standard asks (typ)")
    return header, claims


def _named(keys: Sequence[Mapping[str, Any]], kid: str) -> Mapping[str, Any] | None:
    found = [key for key in keys if key.get("kid") == kid]
    return found[0] if len(found) == 1 else None


def _usable(key: Mapping[str, Any], algorithm: str) -> Any:
    """The public key, where it is one for this signature."""
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        raise refused("the key of the token is for another use")
    if algorithm in _CURVES and key.get("crv") != _CURVES[algorithm]:
        raise refused("the key of the token is for another signature")
    if key.get("kty") == "oct":
        raise refused("the key of the token is no public key")
    try:
        made = jwt.PyJWK.from_dict(dict(key), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError) as error:
        raise refused("the key of the token cannot be used") from error
    if key.get("kty") == "RSA" and made.key.key_size < _LEAST_RSA_BITS:
        raise refused("the key of the token is too short")
    return made.key


def _verified(token: str, key: Any, algorithm: str, audience: str, ehr: Ehr) -> Mapping[str, Any]:
    options: Any = {
        "require": list(_CLAIMS),
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_sub": False,
        "verify_jti": False,
    }
    try:
        return jwt.decode(token, key, algorithms=[algorithm], audience=audience, issuer=ehr.issuer, options=options)
    except jwt.InvalidAudienceError as error:
        raise refused(f"the token is for another address (aud), not for {audience}") from error
    except jwt.MissingRequiredClaimError as error:
        raise refused(f"the token lacks a claim: {', '.join(_CLAIMS)} are needed") from error
    except (jwt.PyJWTError, ValueError) as error:
        raise refused("the signature of the token does not hold") from error


def fetching(settings: HookSettings, transport: httpx.AsyncBaseTransport | None = None) -> Fetcher:
    """What fetches keys and FHIR data, within the limits of the settings."""
    return Fetcher(seconds=settings.fetch_seconds, most=settings.fetch_bytes, transport=transport)
