"""The tables of what people of this site kept by hand: uploads, whose they are, signs that were told, withdrawals."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from leuko.service.store.tables import metadata

__all__ = ["entry", "entry_event", "metadata", "upload"]
_Id = BigInteger().with_variant(Integer, "sqlite")

# What was sent by hand, byte by byte, with the day and the names that were given with it; the same again is no new row.
upload = Table(
    "upload",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    UniqueConstraint("digest"),
)

# Something that was kept of a person. `kind`: sent (what an upload says of `named`), told (signs), record (a record
# that was made elsewhere, with its notices). `digest` is of its content: it names what was made of it.
entry = Table(
    "entry",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("person", String(500), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("upload_id", _Id, ForeignKey("upload.id"), nullable=True),
    Column("named", String(500), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_entry_person", "person"),
)

# What became of an entry: withdrawn, by whom.
entry_event = Table(
    "entry_event",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("entry_id", _Id, ForeignKey("entry.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Index("ix_entry_event_entry_id", "entry_id"),
)
