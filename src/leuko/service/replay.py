"""Files into the store, as if their messages had come over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from leuko.intake.hl7.wire import pieces
from leuko.intake.sources import gather
from leuko.service.inbox import Inbox, Incoming
from leuko.service.store import Store, StoreDown
from leuko.service.store.dead import put_aside

_BATCH: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the messages of files: stored, known already, refused (by reason), torn or junk."""

    stored: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def replay(store: Store, paths: Iterable[Path], *, accept_test: bool = False) -> Replayed:
    """Store every message of the files. Raises StoreDown where the store is down: what was stored before stays."""
    inbox = Inbox(store, accept_test=accept_test)
    stored = known = 0
    refused: Counter[str] = Counter()
    for blob in gather(list(paths)).blobs:
        found = _incoming(store, blob.name, blob.data, refused)
        while batch := list(islice(found, _BATCH)):
            for verdict in inbox.take(batch):
                if verdict.code == "AE":
                    raise StoreDown("the store cannot be written", why=verdict.text, do="feed the files again later")
                stored += verdict.new
                known += verdict.code == "AA" and not verdict.new
                refused.update([str(verdict.reason)] if verdict.reason is not None else [])
    return Replayed(stored=stored, known=known, refused=refused)


def _incoming(store: Store, name: str, data: bytes, refused: Counter[str]) -> Iterator[Incoming]:
    for piece in pieces(data):
        if piece.kind == "message":
            yield Incoming(raw=piece.data, source=f"file {name}")
            continue
        refused["torn" if piece.kind == "torn" else "junk"] += 1
        what = "the frame has no end" if piece.kind == "torn" else "bytes outside of all messages"
        with store.write() as connection:
            text = f"{what} (line {piece.line})"
            put_aside(connection, store.now(), source=f"file {name}", reason="unreadable", text=text, raw=piece.data)
