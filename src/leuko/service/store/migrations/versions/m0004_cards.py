"""Calls of EHRs, and cards that rest on what an EHR sent rather than on the feed.

The first shape of the tables of cards asked for an assessment of the feed behind each card; nothing ever filled them.
"""

import sqlalchemy as sa
from alembic import op

from leuko.service.store.append_only import statements

revision = "0004"
down_revision = "0003"
TABLES = ("hook_call", "card", "card_person", "card_event")


def upgrade() -> None:
    """Make the tables, and the triggers that refuse to change or remove a row."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.drop_table("card_event")
    op.drop_table("card")
    op.create_table(
        "hook_call",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("jti", sa.String(length=200), nullable=False),
        sa.Column("service", sa.String(length=60), nullable=False),
        sa.Column("hook", sa.String(length=60), nullable=False),
        sa.Column("instance", sa.String(length=100), nullable=False),
        sa.Column("clinician", sa.String(length=500), nullable=False),
        sa.Column("person", sa.String(length=500), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("elapsed_ms", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.String(length=10), nullable=False),
        sa.Column("record_digest", sa.String(length=80), nullable=False),
        sa.Column("knowledge_hash", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hook_call")),
        sa.UniqueConstraint("issuer", "jti", name=op.f("uq_hook_call_issuer_jti")),
    )
    op.create_table(
        "card",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("call_id", number, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("clinician", sa.String(length=500), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["hook_call.id"], name=op.f("fk_card_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
    )
    op.create_index("ix_card_clinician", "card", ["clinician"], unique=False)
    op.create_table(
        "card_person",
        sa.Column("card_id", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_person_card_id")),
        sa.PrimaryKeyConstraint("card_id", "person", name=op.f("pk_card_person")),
    )
    op.create_index("ix_card_person_person", "card_person", ["person"], unique=False)
    op.create_table(
        "card_event",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("card_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_card_event_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_event")),
        sa.UniqueConstraint("card_id", "digest", name=op.f("uq_card_event_card_id_digest")),
    )
    for statement in statements(op.get_context().dialect.name, TABLES):
        op.execute(statement)
