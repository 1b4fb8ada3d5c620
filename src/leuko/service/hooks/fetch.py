"""Asking other servers, only those that this site lists, within limits; nothing of an answer or a token is logged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

_HEADER: Final = 8 << 10  # characters of an access token


class FetchFailed(Exception):  # noqa: N818 (what happened, told to the caller in its own words)
    """A server gave no answer that can be used; the text names no address and no content."""


class Fetcher:
    """One pool of connections. It follows no redirect, and takes nothing from the environment."""

    def __init__(self, *, seconds: float, most: int, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._seconds, self._most, self._transport = seconds, most, transport
        self._client: httpx.AsyncClient | None = None

    async def get(self, url: str, *, accept: str, token: str = "", most: int | None = None) -> bytes:
        """The body at an address that the caller has held against its list. Raises FetchFailed."""
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
        try:
            async with asyncio.timeout(self._seconds):
                return await self._read(url, headers, most or self._most)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            raise FetchFailed(f"no answer ({type(error).__name__})") from error

    async def _read(self, url: str, headers: dict[str, str], most: int) -> bytes:
        async with self._opened().stream("GET", url, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise FetchFailed(f"the server answered {answer.status_code}")
            parts, size = [], 0
            async for part in answer.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > most:
                    raise FetchFailed("the answer is too large")
            return b"".join(parts)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport, follow_redirects=False, trust_env=False, timeout=self._seconds
            )
        return self._client

    async def close(self) -> None:
        """Let all connections go."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


@dataclass(frozen=True, slots=True)
class Server:
    """A FHIR server that an EHR lets leuko ask for one call, with the token for it."""

    base: str
    token: str
    fetcher: Fetcher

    def __repr__(self) -> str:
        return "Server(…)"  # neither address nor token may come into a log

    async def get(self, path: str) -> bytes:
        """A read or search below the server's address, or a further page that the server itself named."""
        url = urljoin(f"{self.base}/", path)
        if not within(url, self.base):
            raise FetchFailed("the address is not below that of the FHIR server")
        return await self.fetcher.get(url, accept="application/fhir+json", token=self.token)


def within(url: str, base: str) -> bool:
    """Whether an address lies below a base: same scheme, host and port, a path below it, no way back up."""
    try:
        one, other = urlsplit(url), urlsplit(base)
        same = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False
    up = ".." in one.path or "%2e" in one.path.casefold() or "\\" in url
    plain = one.username is None and one.password is None and not up
    root = other.path.rstrip("/")
    return same and plain and (one.path == root or one.path.startswith(f"{root}/"))


def usable_token(authorization: Any) -> str:
    """The access token of `fhirAuthorization`; empty where there is none that can be sent."""
    if not isinstance(authorization, dict):
        return ""
    token, kind = authorization.get("access_token"), str(authorization.get("token_type", "")).casefold()
    fine = isinstance(token, str) and 0 < len(token) <= _HEADER and token.isascii() and token.isprintable()
    return str(token) if fine and kind == "bearer" else ""
