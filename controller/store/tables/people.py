"""Administrators, their logins, and the keys of other programs. Only digests of secrets are kept."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from controller.store.columns import UtcTime, table_of

__all__ = ["ADMINS", "API_KEYS", "SESSIONS"]


class Admin(SQLModel, table=True):
    """Somebody who may log in; the password is an argon2id hash."""

    __tablename__ = "admins"

    name: str = Field(primary_key=True)
    password_hash: str
    added_at: datetime = Field(sa_type=UtcTime)


class Session(SQLModel, table=True):
    """A login; `digest` is the SHA-256 of the cookie's secret."""

    __tablename__ = "sessions"

    digest: str = Field(primary_key=True)
    admin: str = Field(foreign_key="admins.name")
    began_at: datetime = Field(sa_type=UtcTime)
    ends_at: datetime = Field(sa_type=UtcTime)


class ApiKey(SQLModel, table=True):
    """Another program's key; `digest` is its SHA-256. `channel` is where its citizens asked; `per_minute`
    limits its requests, `per_day` its tickets and appointments; none of them is no limit.
    """

    __tablename__ = "api_keys"

    name: str = Field(primary_key=True)
    digest: str = Field(unique=True)
    added_at: datetime = Field(sa_type=UtcTime)
    channel: str | None = None
    per_minute: int | None = None
    per_day: int | None = None


ADMINS = table_of(Admin)
SESSIONS = table_of(Session)
API_KEYS = table_of(ApiKey)
