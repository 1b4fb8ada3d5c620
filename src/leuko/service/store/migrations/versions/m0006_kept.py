"""What people of the site keep by hand: uploads, signs that were told, and their withdrawal."""

import sqlalchemy as sa
from alembic import op

from leuko.service.store.append_only import statements

revision = "0006"
down_revision = "0005"
TABLES = ("upload", "entry", "entry_event")


def upgrade() -> None:
    """Make the tables, and the triggers that refuse to change or remove a row."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "upload",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("digest", name=op.f("uq_upload_digest")),
    )
    op.create_table(
        "entry",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("person", sa.String(length=500), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("upload_id", number, nullable=True),
        sa.Column("named", sa.String(length=500), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_entry_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_person", "entry", ["person"], unique=False)
    op.create_table(
        "entry_event",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("entry_id", number, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_event_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_event")),
    )
    op.create_index("ix_entry_event_entry_id", "entry_event", ["entry_id"], unique=False)
    for statement in statements(op.get_context().dialect.name, TABLES):
        op.execute(statement)
