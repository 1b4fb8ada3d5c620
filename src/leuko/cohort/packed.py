"""Tables as bytes, and back: how batches and answers travel to other processes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping

import polars as pl

from leuko.cohort.engine import Said


def pack(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Tables as bytes: a line of JSON with names and lengths, then each as an Arrow file."""
    parts = list(contents(tables))
    head = json.dumps([[name, len(content)] for name, content in parts]).encode() + b"\n"
    return head + b"".join(content for _, content in parts)


def unpack(content: bytes) -> dict[str, pl.DataFrame]:
    """The tables that `pack` made bytes of."""
    head, _, rest = bytes(content).partition(b"\n")
    tables, at = {}, 0
    for name, length in json.loads(head):
        tables[name] = pl.read_ipc(io.BytesIO(rest[at : at + length]))
        at += length
    return tables


def contents(tables: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """Each table as an Arrow file."""
    for name, table in tables.items():
        room = io.BytesIO()
        table.write_ipc(room, compression="lz4")
        yield name, room.getvalue()


def said_bytes(said: Said) -> bytes:
    """What there is to say of a batch, as JSON."""
    return json.dumps(
        {"batches": said.batches, "people": said.people, "results": said.results, "scalar": dict(said.scalar)}
    ).encode()


def said_of(content: bytes) -> Said:
    """What `said_bytes` wrote."""
    return Said(**json.loads(content))
