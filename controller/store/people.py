"""Queries about administrators and sessions."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from controller.store.bulk import upsert
from controller.store.database import Tx
from controller.store.tables import ADMINS, SESSIONS

__all__ = [
    "add_session",
    "any_admin",
    "end_session",
    "password_hash",
    "put_admin",
    "session_admin",
]

Row = dict[str, Any]


def any_admin(tx: Tx) -> bool:
    """True when somebody can log in."""
    return tx.execute(select(ADMINS.c.name).limit(1)).first() is not None


def put_admin(tx: Tx, row: Row) -> None:
    """Add an administrator or give a new password; all their sessions end."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.admin == row["name"]))
    upsert(tx, ADMINS, [row])


def password_hash(tx: Tx, name: str) -> str | None:
    """The administrator's argon2id hash."""
    return tx.execute(select(ADMINS.c.password_hash).where(ADMINS.c.name == name)).scalar()


def add_session(tx: Tx, row: Row, now: datetime) -> None:
    """Begin a session; those that have ended are cleared away."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.ends_at < now))
    tx.execute(insert(SESSIONS), row)


def end_session(tx: Tx, digest: str) -> None:
    """Log out."""
    tx.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest))


def session_admin(tx: Tx, digest: str, now: datetime) -> str | None:
    """Whose session this is, while it lasts."""
    query = select(SESSIONS.c.admin).where(SESSIONS.c.digest == digest, SESSIONS.c.ends_at > now)
    return tx.execute(query).scalar()
