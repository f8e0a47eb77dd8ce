"""What the halls said: streams, facts exactly as sent, snapshots, and what could not be applied."""

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["FACTS", "QUARANTINE", "SNAPSHOTS", "STREAMS"]


class Stream(SQLModel, table=True):
    """One box's journal. `applied` is the cursor: it moves in the transaction that stores the facts.

    `retired_at` is set when an administrator has replaced the box.
    """

    __tablename__ = "streams"

    stream: str = Field(primary_key=True)
    agent: str
    hall: str = Field(foreign_key="halls.hall", index=True)
    incarnation: str
    applied: int = Field(default=0, sa_type=BigId)
    last: int = Field(default=0, sa_type=BigId)
    first_seen: datetime = Field(sa_type=UtcTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcTime)


class Fact(SQLModel, table=True):
    """One fact of a hall; `body` is its JSON."""

    __tablename__ = "facts"
    __table_args__ = (UniqueConstraint("agent", "stream", "n"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    agent: str
    stream: str
    n: int = Field(sa_type=BigId)
    hall: str
    kind: str
    body: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=UtcTime)


class Snapshot(SQLModel, table=True):
    """The queue after fact `n`, so that a start replays hundreds of facts and not a year of them."""

    __tablename__ = "snapshots"

    stream: str = Field(primary_key=True, foreign_key="streams.stream")
    n: int = Field(sa_type=BigId)
    body: str = Field(sa_type=Text)


class Quarantined(SQLModel, table=True):
    """A message that was not applied. Its content is not kept: it may hold anything."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("agent", "digest"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    agent: str
    topic: str
    digest: str
    size: int
    reason: str = Field(sa_type=Text)
    count: int = 1
    first_at: datetime = Field(sa_type=UtcTime)
    last_at: datetime = Field(sa_type=UtcTime)


STREAMS = table_of(Stream)
FACTS = table_of(Fact)
SNAPSHOTS = table_of(Snapshot)
QUARANTINE = table_of(Quarantined)
