"""From bytes to single resources: Bundles of any type, NDJSON, lists, Parameters, single resources."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from leuko.errors import Place
from leuko.frozen import replace
from leuko.intake.base import Blob
from leuko.intake.fhir.tell import Teller
from leuko.intake.fhir.wire import RESOURCES, Bundle, Entry, Head, Link, Parameter, Parameters, decode
from leuko.intake.fhir.words import clean

BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
MOST_NESTED = 32
_LIST = msgspec.json.Decoder(list[Raw])
_HEAD = msgspec.json.Decoder(Head)
_BYTE = re.compile(r"\(byte (\d+)\)")
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_PROBED_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One resource in its place. `order` is higher for the newer of two versions in one history Bundle."""

    kind: str
    raw: Raw | bytes = field(repr=False)
    source: str
    line: int | None = None
    pointer: str = ""
    full_url: str | None = None
    order: int | None = None
    deleted: str | None = None
    container: str | None = None

    def place(self, below: str = "") -> Place:
        """Where the resource, or a part of it, stands."""
        return Place(source=self.source, line=self.line, pointer=f"{self.pointer}{below}" or None)


@dataclass(slots=True)
class Unpacked:
    """The resources of all files, what was skipped, and which pages are known to be there or missing."""

    found: list[Found] = field(default_factory=list)
    unused: dict[str, list[Place]] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    missing_pages: list[tuple[str, Place]] = field(default_factory=list)


def unpack(blob: Blob, into: Unpacked, tell: Teller) -> None:
    """Add the resources of one file; what cannot be read is told."""
    data = _as_utf8(blob, tell)
    here = Found(kind="", raw=b"", source=blob.name)
    if data.lstrip()[:1] == b"<":
        tell.say("LK115", "this is XML; leuko reads FHIR as JSON", here.place(), lost=True)
        return
    try:
        top = _LIST.decode(data) if data.lstrip()[:1] == b"[" else _HEAD.decode(data)
    except msgspec.ValidationError as error:
        tell.say("LK114", f"this JSON is no FHIR: {plain(error)}", here.place(), lost=True)
    except BROKEN as error:
        _unpack_broken(data, error, here, into, tell)
    else:
        _unpack_whole(data, top, here, into, tell)


def _as_utf8(blob: Blob, tell: Teller) -> bytes:
    data = blob.data.removeprefix(codecs.BOM_UTF8)
    encoding = _UTF16.get(data[:2])
    if encoding is not None:
        return data.decode(encoding, errors="replace").encode()
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        text = "the file is not UTF-8; it was read as Windows-1252, so check letters with accents and the unit µL"
        tell.say("LK116", text, Place(source=blob.name))
        return data.decode("cp1252", errors="replace").encode()
    return data


def _unpack_whole(data: bytes, top: Head | list[Raw], here: Found, into: Unpacked, tell: Teller) -> None:
    if isinstance(top, Head):
        if top.resource_type is None:
            tell.say("LK114", "this JSON is no FHIR: it names no resourceType", here.place(), lost=True)
        else:
            _sort_in(replace(here, raw=data), into, tell)
        return
    before = len(into.found) + len(into.unused)
    quiet = Teller(tell.library)
    for index, raw in enumerate(top):
        _sort_in(replace(here, raw=raw, pointer=f"/{index}"), into, quiet)
    if len(into.found) + len(into.unused) == before and not any(n.code != "LK403" for n in quiet.notices):
        tell.say("LK114", "this JSON is a list without any FHIR resource", here.place(), lost=True)
    else:
        tell.notices += quiet.notices


# ---- what is no JSON as a whole -------------------------------------------------------------------------------------


def _unpack_broken(data: bytes, error: Exception, here: Found, into: Unpacked, tell: Teller) -> None:
    if _is_lines(data):
        for number, line in _lines(data):
            _unpack_line(replace(here, raw=line, line=number), into, tell)
        return
    code, text, row = _syntax(data, error)
    tell.say(code, text, Place(source=here.source, line=row), lost=True)


def _is_lines(data: bytes) -> bool:
    """NDJSON: one of the first lines is a whole resource by itself, and there is more than one line."""
    if not data.lstrip().startswith(b"{"):
        return False
    probes = [line for _, line in zip(range(_PROBED_LINES), (text for _, text in _lines(data)), strict=False)]
    return len(probes) > 1 and any(_head(line) is not None for line in probes)


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    start, number = 0, 1
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        line = data[start:end].strip()
        if line:
            yield number, line
        start, number = end + 1, number + 1


def _head(raw: Raw | bytes) -> Head | None:
    try:
        head = _HEAD.decode(raw)
    except BROKEN:
        return None
    return head if head.resource_type else None


def _unpack_line(found: Found, into: Unpacked, tell: Teller) -> None:
    try:
        msgspec.json.decode(found.raw, type=Raw)
    except BROKEN as error:
        _, text, _ = _syntax(bytes(found.raw), error)
        tell.say("LK119", f"this line is no JSON: {text}", found.place(), lost=True)
    else:
        _sort_in(found, into, tell)


def _syntax(data: bytes, error: Exception) -> tuple[str, str, int]:
    """Code, words and line of a syntax error."""
    if isinstance(error, RecursionError):
        return "LK112", "the JSON is nested too deeply to be read", 1
    match = _BYTE.search(str(error))
    if match is None:
        line, column = _position(data, len(data))
        return "LK113", f"the JSON breaks off at line {line}, column {column}: its end is missing", line
    line, column = _position(data, int(match[1]))
    why = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ").strip()
    return "LK112", f"the JSON is malformed at line {line}, column {column}: {why}", line


def _position(data: bytes, byte: int) -> tuple[int, int]:
    before = data[:byte]
    return before.count(b"\n") + 1, byte - (before.rfind(b"\n") + 1) + 1


def plain(error: Exception) -> str:
    """What msgspec says, in words for people, with the path inside the resource and without any value."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "text that is not UTF-8"
    words = {"`": "", "$.": "", " | null": "", "str": "text", "int": "number", "float": "number"}
    text = str(error)
    for word, other in words.items():
        text = text.replace(word, other) if not word.isalpha() else re.sub(rf"\b{re.escape(word)}\b", other, text)
    return text.replace(" - at ", " at ").replace("[...]", "").replace("Expected", "expected", 1)


# ---- containers -----------------------------------------------------------------------------------------------------


def _sort_in(found: Found, into: Unpacked, tell: Teller, depth: int = 0) -> None:
    """Put one resource where it belongs: open containers, keep what is read, count what is not."""
    head = _head(found.raw)
    if head is None or head.resource_type is None:
        tell.say("LK403", "this is no FHIR resource: it names no resourceType", found.place(), lost=True)
        return
    kind = clean(head.resource_type)
    if kind in {"Bundle", "Parameters"}:
        _open(replace(found, kind=kind), into, tell, depth)
    elif kind in RESOURCES:
        into.found.append(replace(found, kind=kind))
    else:
        into.unused.setdefault(kind[:64], []).append(found.place())


def _open(found: Found, into: Unpacked, tell: Teller, depth: int) -> None:
    if depth >= MOST_NESTED:
        tell.say("LK401", "Bundles inside Bundles too deep to be read", found.place(), lost=True)
        return
    try:
        container = decode(found.kind, found.raw)
    except BROKEN as error:
        tell.say(
            "LK401", f"this {found.kind} breaks FHIR and cannot be opened: {plain(error)}", found.place(), lost=True
        )
        return
    if isinstance(container, Bundle):
        _note_pages(container.link or [], found, into)
        _open_bundle(container, found, into, tell, depth)
    elif isinstance(container, Parameters):
        here = replace(found, pointer=f"{found.pointer}/parameter")
        _open_parameters(container.parameter or [], here, into, tell, depth)


def _note_pages(links: list[Link], found: Found, into: Unpacked) -> None:
    for link in links:
        if link.relation in {"self", "first", "previous"} and link.url:
            into.pages.add(link.url)
        if link.relation == "next" and link.url:
            into.missing_pages.append((link.url, found.place("/link")))


def _open_bundle(bundle: Bundle, found: Found, into: Unpacked, tell: Teller, depth: int) -> None:
    for index, raw in enumerate(bundle.entry or []):
        here = replace(found, raw=raw, pointer=f"{found.pointer}/entry/{index}")
        try:
            entry = msgspec.json.decode(raw, type=Entry)
        except BROKEN as error:
            tell.say("LK401", f"this entry breaks FHIR: {plain(error)}", here.place(), lost=True)
            continue
        order = -index if bundle.type == "history" else None
        _take_entry(entry, replace(here, full_url=entry.full_url, order=order), into, tell, depth)


def _take_entry(entry: Entry, here: Found, into: Unpacked, tell: Teller, depth: int) -> None:
    if bytes(entry.resource) not in {b"", b"null"}:
        inner = replace(here, raw=entry.resource, pointer=f"{here.pointer}/resource")
        _sort_in(inner, into, tell, depth + 1)
    elif entry.request is not None and entry.request.method == "DELETE" and entry.request.url:
        _take_deletion(entry.request.url, entry, here, into)
    elif entry.response is None:
        tell.say("LK403", "this entry holds no resource", here.place(), lost=True)
    elif not clean(entry.response.status).startswith(("2", "3")):
        status = clean(entry.response.status)[:40] or "none"
        tell.say("LK405", f"the server answered this part with status {status}", here.place("/response"))


def _take_deletion(url: str, entry: Entry, here: Found, into: Unpacked) -> None:
    """A deletion is a version like any other: the newest one, which says that the resource counts for nothing."""
    kind = url.rstrip("/").split("/")[-2:][0]
    when = entry.response.last_modified if entry.response is not None else None
    if kind in RESOURCES:
        into.found.append(replace(here, kind=kind, raw=b"", full_url=url, deleted=when or ""))


def _open_parameters(parameters: list[Parameter], found: Found, into: Unpacked, tell: Teller, depth: int) -> None:
    for index, parameter in enumerate(parameters):
        here = f"{found.pointer}/{index}"
        if bytes(parameter.resource) not in {b"", b"null"}:
            inner = replace(found, raw=parameter.resource, pointer=f"{here}/resource", full_url=None)
            _sort_in(inner, into, tell, depth + 1)
        if parameter.part:
            _open_parameters(parameter.part, replace(found, pointer=f"{here}/part"), into, tell, depth + 1)
