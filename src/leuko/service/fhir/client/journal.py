"""What an export has brought so far, kept beside its files, so that an interruption costs no file that is whole.

A line is written and flushed to the disk after each file that was checked. The last line may be half: it counts for
nothing, and its file is fetched again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

import msgspec

from leuko.errors import UsageError

NAME: Final = "export.journal"
_CHUNK: Final = 1 << 20


class Asked(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What was asked of which server, and where it tells how the export stands."""

    base: str
    path: str
    types: tuple[str, ...] = ()
    since: str = ""
    status: str = ""
    missing: tuple[str, ...] = ()

    def same_as(self, other: Asked) -> bool:
        """Whether the other one asks for the same of the same server."""
        return (self.base, self.path, self.types, self.since) == (other.base, other.path, other.types, other.since)


class Made(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The server's time of the export, which names it: files of another time do not go together with these."""

    transaction: str


class Got(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A file that was fetched and checked: where from, under which name, and what is in it."""

    url: str
    kind: str
    file: str
    sha256: str
    resources: dict[str, int]


class Journal:
    """The journal of a folder. Raises UsageError where another fetch is at work there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / NAME
        self.asked: Asked | None = None
        self.made: Made | None = None
        self.got: list[Got] = []
        for line in _lines(self.path):
            self._take(line)
        self._file: IO[bytes] = self.path.open("ab")
        _alone(self._file, folder)
        if self.path.stat().st_size and not self.path.read_bytes().endswith(b"\n"):
            self._file.write(b"\n")

    def close(self) -> None:
        """Let the folder go."""
        self._file.close()

    def add(self, line: Asked | Made | Got) -> None:
        """Keep a line for good."""
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._take(line)

    def _take(self, line: Asked | Made | Got) -> None:
        if isinstance(line, Asked):
            self.asked, self.made, self.got = line, None, []
        elif isinstance(line, Made):
            self.made = line
        else:
            self.got.append(line)

    def clear(self) -> None:
        """Begin anew: neither a line nor a file of the export is left."""
        self.keep_only({})
        self._file.truncate(0)
        self.asked, self.made, self.got = None, None, []

    def name_for(self, url: str, kind: str) -> str:
        """The name of the file of a URL: the one that it had, else one that no file has."""
        known = [one.file for one in self.got if (one.url, one.kind) == (url, kind)]
        numbers = [int(one.file.removesuffix(".ndjson").rpartition("-")[2]) for one in self.got]
        return known[-1] if known else f"{kind}-{max(numbers, default=0) + 1:04d}.ndjson"

    def whole(self, url: str, kind: str, *, alone: bool) -> Got | None:
        """The file of a URL, where it was fetched and still is as it was.

        Links that end may be signed anew each time the list is asked for. So where a list has no other file of that
        kind whose URL is the same up to its query (`alone`), one that was fetched from such a URL is taken for it.
        """
        found = [one for one in self.got if (one.url, one.kind) == (url, kind)]
        if not found and alone:
            found = [one for one in self.got if (bare(one.url), one.kind) == (bare(url), kind)]
            found = found if len({one.url for one in found}) == 1 else []
        return found[-1] if found and digest_of(self.folder / found[-1].file) == found[-1].sha256 else None

    def keep_only(self, used: Mapping[str, Got]) -> None:
        """Remove files that the server does not list (any more)."""
        for path in self.folder.glob("*.ndjson"):
            if path.name not in used:
                path.unlink()


def bare(url: str) -> str:
    """A URL without its query, where the signatures of links stand."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _lines(path: Path) -> Iterator[Asked | Made | Got]:
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            yield msgspec.json.decode(line, type=Asked | Made | Got)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue


def digest_of(path: Path) -> str:
    """SHA-256 of a file; empty where it is not there."""
    if not path.is_file():
        return ""
    found = hashlib.sha256()
    with path.open("rb") as content:
        while part := content.read(_CHUNK):
            found.update(part)
    return found.hexdigest()


def _alone(file: IO[bytes], folder: Path) -> None:
    """Refuse to work beside another fetch, where the system can tell."""
    try:
        import fcntl  # noqa: PLC0415 (not on every system)
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise UsageError("another fetch is at work there", where=str(folder), do="wait for it, or end it") from error
