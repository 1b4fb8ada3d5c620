"""Runs the migrations on the connection that `open_store` gives.

Alembic runs this file; it is no module of the package, and so is this folder none.
"""

from alembic import context

from leuko.service.store import card_tables, kept_tables

assert card_tables.metadata is kept_tables.metadata  # noqa: S101 (all tables stand in one)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=kept_tables.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
