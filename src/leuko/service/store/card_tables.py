"""The tables of the cards that EHRs were shown, and of the calls that asked for them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from leuko.service.store.tables import metadata

__all__ = ["card", "card_event", "card_person", "hook_call", "metadata"]
_Id = BigInteger().with_variant(Integer, "sqlite")

# A call of an EHR whose token was sound. Its token's `jti` names it: a second call with the same one is a replay.
# `elapsed_ms` is how long the answer took; `record_digest`, `knowledge_hash` and `as_of` say what it rests on.
hook_call = Table(
    "hook_call",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("issuer", String(300), nullable=False),
    Column("jti", String(200), nullable=False),
    Column("service", String(60), nullable=False),
    Column("hook", String(60), nullable=False),
    Column("instance", String(100), nullable=False),
    Column("clinician", String(500), nullable=False),
    Column("person", String(500), nullable=False),
    Column("status", Integer, nullable=False),
    Column("elapsed_ms", Integer, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("record_digest", String(80), nullable=False),
    Column("knowledge_hash", String(80), nullable=False),
    UniqueConstraint("issuer", "jti"),
)

# What was shown to a clinician. `kind` is the row of data/cards, `about` a digest of the counts and the verdict that it
# speaks of, `counts` a digest of each count by its id: a card falls with them.
card = Table(
    "card",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", String(32), nullable=False),
    Column("call_id", _Id, ForeignKey("hook_call.id"), nullable=False),
    Column("kind", String(60), nullable=False),
    Column("about", String(64), nullable=False),
    Column("clinician", String(500), nullable=False),
    Column("counts", LargeBinary, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_card_clinician", "clinician"),
)

# Whose a card is: the person as the EHR names them, and as the laboratory's feed does.
card_person = Table(
    "card_person",
    metadata,
    Column("card_id", String(36), ForeignKey("card.id"), primary_key=True),
    Column("person", String(500), primary_key=True),
    Index("ix_card_person_person", "person"),
)

# What became of a card: withdrawn, accepted, overridden.
card_event = Table(
    "card_event",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("card_id", String(36), ForeignKey("card.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("card_id", "digest"),
)
