"""Halls, their devices, what they were granted, and what was wished of them."""

from datetime import date, datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["DEVICES", "DOCUMENTS", "GRANTS", "HALLS", "WISHES", "WISH_STREAMS"]


class Hall(SQLModel, table=True):
    """An enrolled hall. `stream` and `incarnation` are those of the box that was born last."""

    __tablename__ = "halls"

    hall: str = Field(primary_key=True)
    agent: str = Field(unique=True)
    name: str
    level: str
    parent: str | None = None
    incarnation: str | None = None
    stream: str | None = None
    boot: int = Field(default=0, sa_type=BigId)
    version: str = ""
    enrolled_at: datetime = Field(sa_type=UtcTime)
    last_seen: datetime | None = Field(default=None, sa_type=UtcTime)


class Device(SQLModel, table=True):
    """A device as its hall reported it last."""

    __tablename__ = "devices"

    hall: str = Field(primary_key=True, foreign_key="halls.hall")
    name: str = Field(primary_key=True)
    kind: str
    profile: str
    state: str
    since: str
    detail: str = Field(default="", sa_type=Text)
    counter: str | None = None


class Grant(SQLModel, table=True):
    """One box's right to a zone of numbers on the days `first_day` … `last_day`. Never changed or removed."""

    __tablename__ = "grants"

    grant_id: str = Field(primary_key=True)
    hall: str = Field(foreign_key="halls.hall", index=True)
    incarnation: str
    line: str
    zone: int
    first_day: date
    last_day: date
    adopted: bool = False
    granted_at: datetime = Field(sa_type=UtcTime)


class WishStream(SQLModel, table=True):
    """The numbered wishes to one incarnation of one box."""

    __tablename__ = "wish_streams"

    stream: str = Field(primary_key=True)
    agent: str = Field(index=True)
    hall: str
    incarnation: str
    last: int = Field(default=0, sa_type=BigId)
    acked: int = Field(default=0, sa_type=BigId)
    opened_at: datetime = Field(sa_type=UtcTime)


class Wish(SQLModel, table=True):
    """One wish, as it is sent."""

    __tablename__ = "wishes"
    __table_args__ = (UniqueConstraint("stream", "request_id"),)

    stream: str = Field(primary_key=True, foreign_key="wish_streams.stream")
    n: int = Field(primary_key=True, sa_type=BigId)
    request_id: str
    kind: str
    body: str = Field(sa_type=Text)
    wished_at: datetime = Field(sa_type=UtcTime)


class Document(SQLModel, table=True):
    """Small facts about this controller: its epoch, the documents halls should follow."""

    __tablename__ = "documents"

    name: str = Field(primary_key=True)
    rev: int = Field(default=0, sa_type=BigId)
    body: str = Field(default="", sa_type=Text)


HALLS = table_of(Hall)
DEVICES = table_of(Device)
GRANTS = table_of(Grant)
WISH_STREAMS = table_of(WishStream)
WISHES = table_of(Wish)
DOCUMENTS = table_of(Document)
