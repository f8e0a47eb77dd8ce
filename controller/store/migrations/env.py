"""Alembic's entry: runs on the connection it is given, for SQLite and PostgreSQL alike."""

from alembic import context
from sqlmodel import SQLModel

from controller.store import tables

assert tables.FACTS is not None

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
