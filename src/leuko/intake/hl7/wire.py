"""HL7 v2 on the wire: messages out of bytes, segments, fields, components; nothing of their meaning.

Delimiters are those that MSH-1 and MSH-2 name, characters those of MSH-18. A segment is split only when a field of it
is asked for: of a message with megabytes of embedded data, nothing but the line is touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from leuko.frozen import Frozen

START, END = 0x0B, 0x1C  # MLLP: <VT> message <FS><CR>
NULL = '""'  # a field that says: delete what you hold

_HEAD = re.compile(rb"(?:^|(?<=[\r\n\x0b\x1c]))[ \t]*(?=MSH[^\w\s])")
_LINES = re.compile(r"\r\n|\r|\n")
_SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}")
_ENVELOPE = frozenset({"FHS", "BHS", "BTS", "FTS"})
_BOM = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# HL7 table 0211, and how senders spell it. The ISO 2022 families begin in ASCII, as these codecs do.
_CHARSETS = {
    "": "ascii",
    "ASCII": "ascii",
    "8859": "iso8859-1",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_2",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
}
_LATIN = re.compile(r"(?:ISO[ -]?)?8859[-/ ](\d{1,2})")


class NoMessage(ValueError):  # noqa: N818 (named for what it says)
    """Bytes that are no HL7 v2 message; the text says why, and holds nothing of the content."""


class Delimiters(Frozen, frozen=True):
    """The characters that part a message; an empty one is not in use."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    sub: str = "&"

    def unescape(self, text: str) -> str:
        """Text with its escape sequences resolved; one that is not known stays as it stands."""
        if not self.escape or self.escape not in text:
            return text
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([^{mark}]*){mark}", self._sequence, text)

    def _sequence(self, match: re.Match[str]) -> str:
        said = match[1]
        plain = {
            "F": self.field,
            "S": self.component,
            "T": self.sub,
            "R": self.repetition,
            "E": self.escape,
            ".br": "\n",
            ".sp": "\n",
            "H": "",
            "N": "",
        }
        if said in plain:
            return plain[said]
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", said):
            data = bytes.fromhex(said[1:])
            try:
                return data.decode("utf-8")
            except UnicodeDecodeError:
                return data.decode("latin-1")
        return match[0]


@dataclass(slots=True)
class Segment:
    """One segment; `line` is the line of the file that it begins on. Fields are numbered as HL7 numbers them."""

    name: str
    text: str
    line: int
    delimiters: Delimiters
    _fields: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """The raw fields; the first is the segment's name."""
        if self._fields is None:
            parts = self.text.split(self.delimiters.field)
            self._fields = [parts[0], self.delimiters.field, *parts[1:]] if self.name == "MSH" else parts
        return self._fields

    def raw(self, number: int) -> str:
        """A field as it stands, with every delimiter; empty where it is missing."""
        fields = self.fields
        return fields[number] if number < len(fields) else ""

    def repeats(self, number: int) -> list[str]:
        """The repetitions of a field, raw; none where the field is empty."""
        text, mark = self.raw(number), self.delimiters.repetition
        return [] if not text else text.split(mark) if mark and mark in text else [text]

    def components(self, number: int) -> list[str]:
        """The components of a field's first repetition, unescaped."""
        return split_components(next(iter(self.repeats(number)), ""), self.delimiters)

    def text_of(self, number: int, component: int = 1) -> str:
        """One component of a field's first repetition, unescaped and trimmed; null (`""`) is empty too."""
        parts = self.components(number)
        found = parts[component - 1].strip() if component <= len(parts) else ""
        return "" if found == NULL else found

    def is_null(self, number: int) -> bool:
        """Whether the field says: delete what you hold."""
        return self.raw(number).strip() == NULL


def split_components(text: str, delimiters: Delimiters) -> list[str]:
    """The components of one repetition, unescaped."""
    mark = delimiters.component
    parts = text.split(mark) if mark and mark in text else [text]
    return [delimiters.unescape(part) for part in parts] if delimiters.escape in text else parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: its bytes without framing, its segments, and what was odd about its characters or lines."""

    raw: bytes = field(repr=False)
    header: Segment
    segments: tuple[Segment, ...]
    delimiters: Delimiters
    charset: str
    odd_characters: str = ""
    strays: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """The message code of MSH-9: ORU, ADT, RDE …"""
        return self.header.text_of(9, 1).upper()

    @property
    def event(self) -> str:
        """The trigger event of MSH-9: R01 …"""
        return self.header.text_of(9, 2).upper()

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.text_of(10)

    @property
    def sender(self) -> str:
        """Sending application and facility (MSH-3, MSH-4), as `APP@FACILITY`."""
        return f"{self.header.text_of(3)}@{self.header.text_of(4)}"

    @property
    def processing(self) -> str:
        """MSH-11: P production, T training, D debugging; empty where it is not said."""
        return self.header.text_of(11).upper()

    def parts(self) -> tuple[Part, ...]:
        """The message by person: an ORU may speak of several, each after a PID of its own."""
        starts = [at for at, segment in enumerate(self.segments) if segment.name == "PID"] or [0]
        ends = [*starts[1:], len(self.segments)]
        return tuple(Part(self, self.segments[a:b]) for a, b in zip(starts, ends, strict=True))


class Part(Frozen, frozen=True):
    """What a message says of one person."""

    message: Message
    segments: tuple[Segment, ...]

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        return next((segment for segment in self.segments if segment.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a file, and the line that it begins on.

    `kind`: a message; one that is torn, because its frame has no end; or junk, outside of all messages.
    """

    data: bytes = field(repr=False)
    line: int
    kind: Literal["message", "torn", "junk"] = "message"


# ---- a file ---------------------------------------------------------------------------------------------------------


def looks_like_hl7(data: bytes) -> bool:
    """Whether bytes begin as HL7 v2 does: MSH or a batch header, perhaps framed, perhaps in UTF-16."""
    start = _plain(data[:256]).lstrip(b"\x0b \t\r\n")
    # Two different marks after the name: a table may have a column MSH (the hormone), "MSH,date,…"
    return re.match(rb"(?:MSH|FHS|BHS)([^\w\s])(?!\1)[^\w\s]", start) is not None


def pieces(data: bytes) -> Iterator[Piece]:
    """The messages of a file in their order; MLLP framing and batch envelopes fall away."""
    data = _plain(data)
    starts = [match.end() for match in _HEAD.finditer(data)]
    if _is_junk(data[: starts[0]] if starts else data):
        yield Piece(data=data[: starts[0]] if starts else data, line=1, kind="junk")
    line, counted = 1, 0
    for start, following in zip(starts, [*starts[1:], len(data)] if starts else [], strict=True):
        line, counted = line + _count_lines(data, counted, start), start
        yield from _framed(data[start:following], line, data[max(start - 4, 0) : start].rstrip(b" \t")[-1:] == b"\x0b")


def _framed(chunk: bytes, line: int, framed: bool) -> Iterator[Piece]:
    end = chunk.find(END)
    if end < 0:
        yield Piece(data=chunk.rstrip(b"\x0b"), line=line, kind="torn" if framed else "message")
        return
    yield Piece(data=chunk[:end], line=line)
    if _is_junk(chunk[end + 1 :]):
        yield Piece(data=chunk[end + 1 :], line=line + _count_lines(chunk, 0, end), kind="junk")


def _is_junk(data: bytes) -> bool:
    """Whether bytes outside of messages hold anything beside framing and the envelopes of batches."""
    lines = (line.strip(b" \t\x00\x0b\x1c\x1a") for line in re.split(rb"[\r\n]", data))
    return any(line and line[:3].decode("latin-1") not in _ENVELOPE for line in lines)


def _plain(data: bytes) -> bytes:
    """A file in UTF-16 as UTF-8, others without a mark of byte order."""
    if data[:2] in _BOM:
        return data.decode(_BOM[data[:2]], errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _count_lines(data: bytes, start: int, end: int) -> int:
    return data.count(b"\n", start, end) + data.count(b"\r", start, end) - data.count(b"\r\n", start, end)


# ---- a message ------------------------------------------------------------------------------------------------------


def parse(data: bytes, *, line: int = 1) -> Message:
    """A message from its bytes, without framing. Raises NoMessage where no MSH with usable delimiters stands first."""
    delimiters = _delimiters(data)
    text, charset, odd = _decode(data, delimiters)
    segments, strays = _segments(text, line, delimiters)
    return Message(
        raw=data,
        header=segments[0],
        segments=tuple(segments),
        delimiters=delimiters,
        charset=charset,
        odd_characters=odd,
        strays=tuple(strays),
    )


def _delimiters(data: bytes) -> Delimiters:
    head = data[:9].decode("latin-1")
    if not head.startswith("MSH") or len(head) < 5:
        raise NoMessage("it does not begin with MSH")
    mark = head[3]
    named = head[4:].split(mark)[0]
    marks = [mark, *named[:4]]
    if any(one.isalnum() or one.isspace() or not one.isprintable() for one in marks) or len(set(marks)) < len(marks):
        raise NoMessage("its delimiters (MSH-1, MSH-2) cannot be used")
    if not named:
        raise NoMessage("it names no delimiters (MSH-2)")
    return Delimiters(*marks, *("" for _ in range(5 - len(marks))))


def _decode(data: bytes, delimiters: Delimiters) -> tuple[str, str, str]:
    """The text, the charset that it was read in, and what was odd about it, if anything was."""
    declared = _declared(data, delimiters)
    latin = _LATIN.fullmatch(declared)
    codec = f"iso8859-{latin[1]}" if latin else _CHARSETS.get(declared)
    if data.isascii() and codec not in {"iso2022_jp", "iso2022_jp_2"}:
        return data.decode("ascii"), "ascii", "" if codec else f"the character set “{declared[:30]}” is not known"
    if codec not in {None, "ascii", "utf-8"} and not str(codec).startswith("iso8859"):
        text = _in(data, str(codec))
        if text is not None:
            return text, str(codec), ""
        codec = None
    return _western(data, declared, codec)


def _in(data: bytes, codec: str) -> str | None:
    """The text in a codec; None where the bytes are none of it."""
    try:
        text = data.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None
    return text if text[:4] == data[:4].decode("latin-1") else None


def _western(data: bytes, declared: str, codec: str | None) -> tuple[str, str, str]:
    """Bytes beyond ASCII: what is valid UTF-8 is nothing else; the rest is Latin, whatever the label says."""
    said = f"“{declared[:30]}”" if declared else "no character set"
    try:
        text, real = data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        real = codec if codec is not None and codec.startswith("iso8859") else "cp1252"
        try:
            text = data.decode(real)
        except (UnicodeDecodeError, LookupError):
            text, real = data.decode("latin-1"), "iso8859-1"
    odd = "" if real == codec else f"the message declares {said}, but its characters are {real}"
    return text, real, odd


def _declared(data: bytes, delimiters: Delimiters) -> str:
    head = re.split(rb"[\r\n]", data[:4000], maxsplit=1)[0].decode("latin-1")
    fields = head.split(delimiters.field)
    first = fields[17] if len(fields) > 17 else ""
    return (first.split(delimiters.repetition)[0] if delimiters.repetition else first).strip().upper()


def _segments(text: str, line: int, delimiters: Delimiters) -> tuple[list[Segment], list[int]]:
    """The segments, and the lines that are none: those continue the segment before them, as a broken line does."""
    found: list[tuple[int, list[str]]] = []
    strays: list[int] = []
    for number, piece in enumerate(_LINES.split(text), start=line):
        name = piece[:3]
        if _SEGMENT.fullmatch(name) and (len(piece) == 3 or piece[3] == delimiters.field):
            if name == "ADD":
                found[-1][1].append(piece[4:])
            elif name not in _ENVELOPE:
                found.append((number, [piece]))
        elif piece.strip(" \t\x00\x0b\x1c\x1a"):
            strays.append(number)
            found[-1][1].extend(("\n", piece))
    return [Segment(parts[0][:3], "".join(parts), number, delimiters) for number, parts in found], strays
