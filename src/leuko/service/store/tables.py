"""The tables of the store. Rows are only ever added: what is no longer true is superseded by a later row.

Times are text, ISO 8601 in UTC with microseconds, which sorts as time does and reads alike in every database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=False)


def _time(name: str) -> Column[str]:
    return Column(name, String(32), nullable=False)


# Every message that was acknowledged with AA, byte by byte. `identity` is sender and control id: what names a message.
message = Table(
    "message",
    metadata,
    _id(),
    _time("received_at"),
    Column("source", String(200), nullable=False),
    Column("identity", String(500), nullable=False),
    Column("control_id", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    UniqueConstraint("identity"),
)

# Whose a message is: each number of the person that it names, and who gave the number.
message_person = Table(
    "message_person",
    metadata,
    Column("message_id", _Id, ForeignKey("message.id"), primary_key=True, autoincrement=False),
    Column("number", String(200), primary_key=True),
    Column("authority", String(200), primary_key=True),
    Index("ix_message_person_number_authority", "number", "authority"),
)

# How far messages have been read into counts: the highest message of each run.
reading = Table("reading", metadata, _id(), _time("at"), Column("through", _Id, nullable=False))

# A result in its versions: the last row of a person and key says what holds now. `state`: current or withdrawn.
count = Table(
    "count",
    metadata,
    _id(),
    _time("at"),
    Column("person", String(500), nullable=False),
    Column("key", String(500), nullable=False),
    Column("state", String(10), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("through", _Id, nullable=False),
    Index("ix_count_person_key", "person", "key"),
)

# What leuko concluded, from which knowledge and under which settings: the last row of a person holds.
assessment = Table(
    "assessment",
    metadata,
    _id(),
    _time("at"),
    Column("person", String(500), nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("leuko_version", String(40), nullable=False),
    Column("knowledge_hash", String(80), nullable=False),
    Column("record_digest", String(80), nullable=False),
    Column("site_digest", String(64), nullable=False, server_default=""),
    Column("through", _Id, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("ix_assessment_person", "person"),
)

# Settings of the site: the last row of a name holds.
setting = Table(
    "setting",
    metadata,
    _id(),
    _time("at"),
    Column("actor", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("value", Text, nullable=False),
    Index("ix_setting_name", "name"),
)

# Messages that could not be taken, for a person to look at, and what was done with them.
dead = Table(
    "dead",
    metadata,
    _id(),
    _time("at"),
    Column("source", String(200), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("identity", String(500), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    UniqueConstraint("digest", "reason"),
)
dead_event = Table(
    "dead_event",
    metadata,
    _id(),
    _time("at"),
    Column("dead_id", _Id, ForeignKey("dead.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Index("ix_dead_event_dead_id", "dead_id"),
)

# What was done, each row bound to the one before it by a hash.
audit = Table(
    "audit",
    metadata,
    _id(),
    _time("at"),
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(500), nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

# People (and machines) that may come in by an account of this site; the last row of a name holds. `kind`: person or
# machine; `secret` is what argon2 made of a password, or SHA-256 of a machine's token; `state`: enabled or disabled.
account = Table(
    "account",
    metadata,
    _id(),
    _time("at"),
    Column("actor", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("role", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    Column("secret", String(300), nullable=False),
    Index("ix_account_name", "name"),
)

# A login. `digest` is SHA-256 of the secret in the cookie; `via`: account or oidc; what became of it: seen, ended.
session = Table(
    "session",
    metadata,
    _id(),
    _time("at"),
    Column("digest", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("via", String(10), nullable=False),
    UniqueConstraint("digest"),
)
session_event = Table(
    "session_event",
    metadata,
    _id(),
    _time("at"),
    Column("session_id", _Id, ForeignKey("session.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Index("ix_session_event_session_id", "session_id"),
)

# An attempt to log in with a password. A row whose `good` is the number of another says that it was none that counts;
# what has no such row was a failure. `name` is empty where it is that of no account.
login_attempt = Table(
    "login_attempt",
    metadata,
    _id(),
    _time("at"),
    Column("name", String(200), nullable=False),
    Column("client", String(200), nullable=False),
    Column("good", _Id, ForeignKey("login_attempt.id"), nullable=True),
    Index("ix_login_attempt_name_at", "name", "at"),
    Index("ix_login_attempt_client_at", "client", "at"),
    UniqueConstraint("good"),
)
