"""Requests to one FHIR server: sent with the token, tried again where that can help, never to another server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import IO, Any, Final, Protocol, TypeVar

import httpx
import msgspec

from leuko.errors import UnreadableInput, UsageError
from leuko.intake.sources import printable
from leuko.service.mllp import reach_of

T = TypeVar("T")
Form = Callable[[], Mapping[str, str]]
JSON: Final = "application/fhir+json"
_BUSY: Final = frozenset({429, 502, 503, 504})
_MOST_BYTES: Final = 256 << 20  # of one answer that is held in memory, unfolded
_WORDS: Final = 300  # characters of the server's own words that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a request is sent before it counts as failed, and how long is waited between [s].

    The wait doubles from `first_wait`; where the server says how long, that holds, up to `longest_wait`.
    """

    tries: int = 6
    first_wait: float = 1.0
    longest_wait: float = 120.0


class Tokens(Protocol):
    """Where access tokens come from."""

    def token(self) -> str:
        """A token that holds now."""
        ...

    def drop(self) -> None:
        """Forget the token: the server no longer takes it."""
        ...


class _Again(Exception):  # noqa: N818 (no error yet: the request may be sent again)
    def __init__(self, why: str, wait: float | None = None) -> None:
        self.why, self.wait = why, wait
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer of the server."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes


class Talk:
    """The server at `base`. `sleep` waits, `now` is the time, `say` is given a line before a long wait."""

    def __init__(
        self,
        base: str,
        *,
        client: httpx.Client,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        tokens: Tokens | None = None,
        patience: Patience | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.base, self.client, self.tokens = base.rstrip("/"), client, tokens
        self.now, self.sleep, self.say, self.patience = now, sleep, say, patience or Patience()
        # httpx tells each URL at INFO, and URLs of a search hold ids of people
        logging.getLogger("httpx").setLevel(logging.WARNING)

    # -- asking --

    def get(self, url: str, *, accept: str = JSON, more: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET, whatever its status, once the server is not busy. Raises UnreadableInput."""
        return self.ask("GET", url, {"Accept": accept, **(more or {})})

    def ask(self, method: str, url: str, headers: Mapping[str, str], *, form: Form | None = None) -> Answer:
        """The answer to a request; `form` makes the body of each try anew."""

        def once() -> Answer:
            data = None if form is None else dict(form())
            with self.client.stream(method, url, headers=self._headers(url, headers), data=data) as response:
                body = _whole(response)
                self._ready(response, body)
                return Answer(url=url, status=response.status_code, headers=response.headers, body=body)

        return self._tried(url, once)

    def download(self, url: str, into: IO[bytes], *, accept: str, authorised: bool) -> int:
        """Write a file of the server to `into`, which is emptied before each try; gives its bytes."""
        if authorised and self.tokens is not None and not self.ours(url):
            raise fault("a file of the export lies on another server and wants our token", url, do="ask its operator")

        def once() -> int:
            into.seek(0)
            into.truncate()
            headers = self._headers(url, {"Accept": accept}) if authorised else {"Accept": accept}
            with self.client.stream("GET", url, headers=headers) as response:
                if response.status_code != 200:
                    body = _whole(response)
                    self._ready(response, body)
                    raise refused(Answer(url=url, status=response.status_code, headers=response.headers, body=body))
                for part in response.iter_bytes():
                    into.write(part)
            return into.tell()

        return self._tried(url, once)

    def decoded(self, url: str, kind: type[T], *, accept: str = JSON) -> T:
        """The JSON of an answer with status 200; asked for again where it breaks off. Raises UnreadableInput."""
        why = ""
        for _ in range(2):
            answer = self.get(url, accept=accept)
            if answer.status != 200:
                raise refused(answer)
            try:
                return msgspec.json.decode(answer.body, type=kind)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                why = str(error)
        raise fault("the server's answer cannot be read", url, why=why)

    # -- where --

    def ours(self, url: str) -> bool:
        """Whether a URL leads to the very server that was named."""
        return origin(url) == origin(self.base)

    def joined(self, url: str, link: str) -> str:
        """A link of an answer as a URL of the same server; UnreadableInput where it leads elsewhere."""
        try:
            found = str(httpx.URL(url).join(link))
        except httpx.InvalidURL as error:
            raise fault("a link of the server is no URL", url) from error
        if not self.ours(found):
            raise fault(
                "a link of the server leads to another server",
                url,
                why=f"to {shown(found)}; people's data and our token are sent to {shown(self.base)} only",
                do="give the address by which the server names itself, or have its links mended",
            )
        return found

    # -- sending --

    def _headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.tokens.token()}"} if self.tokens is not None and self.ours(url) else {}
        return {**headers, **own}

    def _ready(self, response: httpx.Response, body: bytes) -> None:
        """Raises where the request should be sent again."""
        if response.status_code in _BUSY:
            raise _Again(f"the server answered {response.status_code}", retry_after(response.headers, self.now()))
        if response.status_code == 401 and self.tokens is not None and self.ours(str(response.url)):
            self.tokens.drop()
            answer = Answer(url=str(response.url), status=401, headers=response.headers, body=body)
            raise _Again(f"the server no longer takes our token: {said(answer)}", 0.0)

    def _tried(self, url: str, once: Callable[[], T]) -> T:
        why, refused_token = "", 0
        for number in range(self.patience.tries):
            wait: float | None = None
            try:
                return once()
            except _Again as again:
                why, wait = again.why, again.wait
                refused_token += wait == 0.0
            except httpx.RequestError as error:
                why = f"{type(error).__name__}: {printable(str(error))[:_WORDS]}"
            except httpx.InvalidURL as error:
                raise fault("this is no URL", url) from error
            if refused_token > 1 or number + 1 == self.patience.tries:
                break
            self._wait(url, self.patience.first_wait * 2**number if wait is None else wait, why)
        raise fault("the server does not answer", url, why=why, do="try again later, or ask its operator")

    def _wait(self, url: str, seconds: float, why: str) -> None:
        if seconds > self.patience.longest_wait:
            raise fault(
                "the server asks to wait too long", url, why=f"{why}: {seconds:.0f} seconds", do="try again then"
            )
        if seconds > 5:
            self.say(f"{why}; waiting {seconds:.0f} seconds")
        if seconds:
            self.sleep(seconds)


# ---- words and addresses --------------------------------------------------------------------------------------------


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what makes two URLs lead to one server."""
    parsed = httpx.URL(url)
    return parsed.scheme, parsed.host, parsed.port or {"http": 80, "https": 443}.get(parsed.scheme)


def checked_base(base: str, *, network_without_tls: bool = False) -> str:
    """The address of a server. UsageError where it is none, or people's data would cross a network in the clear."""
    try:
        parsed = httpx.URL(base)
    except httpx.InvalidURL as error:
        raise UsageError(f"{printable(base)!r} is no URL", do="write https://ehr.example/fhir") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise UsageError(f"{printable(base)!r} is no URL of a server", do="write https://ehr.example/fhir")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageError("the address of the server holds more than an address", do="write https://ehr.example/fhir")
    if parsed.scheme == "http" and reach_of(parsed.host) == "network" and not network_without_tls:
        raise UsageError(
            f"{shown(base)} is not encrypted",
            why="people's data and the token would cross the network in the clear",
            do="give an https address, or --network-without-tls where the way is protected otherwise",
        )
    return base.rstrip("/")


def shown(url: str) -> str:
    """A URL fit for people: without what stands behind it, where searches hold ids."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "a URL"
    port = f":{parsed.port}" if parsed.port else ""
    return printable(f"{parsed.scheme}://{parsed.host}{port}{parsed.path}")


def fault(what: str, url: str, *, why: str = "", do: str = "") -> UnreadableInput:
    """An error that names the server's place."""
    return UnreadableInput(what, where=shown(url), why=why, do=do)


class Refusal(UnreadableInput):
    """The server answered, and the answer is no success."""

    def __init__(self, status: int, what: str, *, where: str, why: str, do: str) -> None:
        self.status = status
        super().__init__(what, where=where, why=why, do=do)


def refused(answer: Answer) -> Refusal:
    """The error for an answer that is no success."""
    advice = {
        401: "check the client id, the key and what the server knows of them",
        403: "the server does not allow this client to read it: ask its operator for the scope",
        404: "check the address, and the id",
    }
    if answer.status in range(300, 400):
        target = printable(answer.headers.get("location", ""))[:_WORDS]
        what, why, do = "the server sends us elsewhere", f"to {shown(target)}", "give that address"
    else:
        what, why = f"the server refused with status {answer.status}", said(answer)
        do = advice.get(answer.status, "")
    return Refusal(answer.status, what, where=shown(answer.url), why=why, do=do)


class _Text(msgspec.Struct):
    text: str | None = None


class _Issue(msgspec.Struct):
    severity: str | None = None
    code: str | None = None
    diagnostics: str | None = None
    details: _Text | None = None


class Said(msgspec.Struct, rename={"resource_type": "resourceType"}):
    """An OperationOutcome, or an error of OAuth."""

    resource_type: str | None = None
    issue: list[_Issue] | None = None
    error: str | None = None
    error_description: str | None = None


def said(answer: Answer) -> str:
    """What the server says is wrong, in its own words, cut short."""
    try:
        found = msgspec.json.decode(answer.body, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return f"status {answer.status}"
    return printable(words_of(found))[:_WORDS] or f"status {answer.status}"


def words_of(found: Said) -> str:
    """The issues of an OperationOutcome, or the error of OAuth, as one line."""
    lines = [
        " ".join(
            part for part in (one.severity, one.code, (one.details and one.details.text) or one.diagnostics) if part
        )
        for one in found.issue or []
    ]
    return "; ".join(part for part in (*lines, found.error, found.error_description) if part)


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """The seconds that the server asks to wait; None where it does not say. By the server's own clock, where told."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    when, sent = _date(text), _date(headers.get("date", ""))
    return None if when is None else max(0.0, (when - (sent or now)).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def skew(headers: Mapping[str, Any], now: datetime) -> float | None:
    """By how many seconds our clock is ahead of the server's; None where it does not tell its time."""
    sent = _date(str(headers.get("date", "")))
    return None if sent is None else (now - sent).total_seconds()


def _whole(response: httpx.Response) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > _MOST_BYTES:
            raise fault("the server's answer is too long", str(response.url), why=f"more than {_MOST_BYTES >> 20} MiB")
    return bytes(content)
