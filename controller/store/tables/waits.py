"""What citizens were told of their wait, what became of it, and where each stream's days begin."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["STREAM_DAYS", "WAITS"]


class Wait(SQLModel, table=True):
    """One visitor's wait until the first call, in minutes, and the range told with the number. `low` and
    `high` are None when no range was told, or when its holder has let others pass since. `hour` is the
    hall's own in which the number was taken.
    """

    __tablename__ = "waits"
    __table_args__ = (Index("ix_waits_day", "hall", "day"),)

    ticket_id: str = Field(primary_key=True)
    hall: str
    service: str
    day: date
    hour: int
    low: int | None = None
    high: int | None = None
    minutes: float
    called_at: datetime = Field(sa_type=UtcTime)


class StreamDay(SQLModel, table=True):
    """Fact `n` of the stream opened this business day: a day's facts are found without reading a year's."""

    __tablename__ = "stream_days"

    stream: str = Field(primary_key=True)
    n: int = Field(primary_key=True, sa_type=BigId)
    day: date


WAITS = table_of(Wait)
STREAM_DAYS = table_of(StreamDay)
