"""Attempts to log in, so that a restart forgets no failure."""

import sqlalchemy as sa
from alembic import op

from leuko.service.store.append_only import statements

revision = "0005"
down_revision = "0004"
TABLES = ("login_attempt",)


def upgrade() -> None:
    """Make the table, and the triggers that refuse to change or remove a row."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "login_attempt",
        sa.Column("id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("good", number, nullable=True),
        sa.ForeignKeyConstraint(["good"], ["login_attempt.id"], name=op.f("fk_login_attempt_good")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempt")),
        sa.UniqueConstraint("good", name=op.f("uq_login_attempt_good")),
    )
    op.create_index("ix_login_attempt_name_at", "login_attempt", ["name", "at"], unique=False)
    op.create_index("ix_login_attempt_client_at", "login_attempt", ["client", "at"], unique=False)
    for statement in statements(op.get_context().dialect.name, TABLES):
        op.execute(statement)
