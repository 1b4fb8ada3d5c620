"""The shipped knowledge, read once and kept for the next start: to read it from TOML takes a tenth of a short command.

What is kept is named after the content of every file, the code that reads them, and msgspec: where one is another, it
is not found, and the files are read. It is decoded into the types of the rows, which check it as they check the files;
what cannot be decoded counts as absent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from leuko.keeping import can_keep, find, keep

_HERE: Final = Path(__file__).parent
_READERS: Final = ("library.py", "further.py", "stored.py", "schema/*.py")
Stored = Mapping[str, msgspec.Raw]
"""The rows of each kind, not decoded yet, by `name_of` the kind."""


def name_of(kind: Any) -> str:
    """What the rows of a kind are kept under."""
    return f"{kind.__module__}.{kind.__qualname__}"


def rows_in(stored: Stored | None, kind: Any) -> tuple[Any, ...] | None:
    """The rows of a kind; None where they are not kept, or cannot be decoded as that kind."""
    if stored is None or name_of(kind) not in stored:
        return None
    try:
        found: tuple[Any, ...] = msgspec.msgpack.decode(stored[name_of(kind)], type=tuple[kind, ...])
    except msgspec.MsgspecError:
        return None
    return found


def stored_for(digest: str) -> Stored | None:
    """What is kept of the knowledge with this hash; None where there is nothing, or it cannot be used."""
    found = find(_file(digest), _HERE)
    if found is None:
        return None
    try:
        return msgspec.msgpack.decode(found, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return None


def store(digest: str, every: Callable[[], Iterable[tuple[Any, tuple[Any, ...]]]]) -> None:
    """Keep the rows of every kind, where anything can be kept and they come back as they went."""
    if not can_keep(_HERE):
        return
    stored = {}
    for kind, rows in every():
        stored[name_of(kind)] = msgspec.Raw(msgspec.msgpack.encode(rows))
        if rows_in(stored, kind) != rows:
            return
    keep(_file(digest), msgspec.msgpack.encode(stored), _HERE, instead_of=_file("*", "*"))


def _file(digest: str, edition: str = "") -> str:
    return f"knowledge-{digest[:32]}-{edition or _edition()}.msgpack"


def _edition() -> str:
    """The code that makes rows of the files."""
    found = sha256(f"{sys.implementation.cache_tag} msgspec {msgspec.__version__}".encode())
    for pattern in _READERS:
        for path in sorted(_HERE.glob(pattern)):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]
