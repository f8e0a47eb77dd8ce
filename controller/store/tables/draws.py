"""Draws of a new booking day, who registered for them, and places that are on their way back."""

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["DRAWS", "DRAW_ENTRIES", "FREED_PLACES"]

_WITH_PHONE = text("phone_sealed <> ''")


class Draw(SQLModel, table=True):
    """One draw. `state` is `open`, `drawn` (the order is made) or `allotted` (everybody has an outcome).

    `seed` is sealed until `drawn`, then hexadecimal; `commitment` is public from the beginning.
    """

    __tablename__ = "draws"
    __table_args__ = (
        UniqueConstraint("hall", "service", "day"),
        Index("ix_draws_due", "state", "closes_at"),
    )

    draw_id: str = Field(primary_key=True)
    hall: str = Field(foreign_key="halls.hall")
    service: str
    day: date
    opens_at: datetime = Field(sa_type=UtcTime)
    closes_at: datetime = Field(sa_type=UtcTime)
    seed: str
    commitment: str
    state: str = "open"
    made_at: datetime = Field(sa_type=UtcTime)
    drawn_at: datetime | None = Field(default=None, sa_type=UtcTime)


class DrawEntry(SQLModel, table=True):
    """One person's registration. The appointment it becomes has the same id and the same token.

    `state` is `registered`, `withdrawn`, `booked` or `waiting-list`; `wishes` are beginnings of slots (JSON),
    the dearest first; `rank` counts from 1 once it is drawn.
    """

    __tablename__ = "draw_entries"
    __table_args__ = (
        UniqueConstraint("draw_id", "phone_index"),
        UniqueConstraint("owner", "key"),
        Index("ix_draw_entries_order", "draw_id", "state", "rank"),
        Index("ix_draw_entries_phone", "draw_id", sqlite_where=_WITH_PHONE, postgresql_where=_WITH_PHONE),
    )

    entry_id: str = Field(primary_key=True)
    draw_id: str = Field(foreign_key="draws.draw_id")
    token: str = Field(unique=True)
    state: str = "registered"
    rank: int | None = None
    wishes: str = Field(sa_type=Text)
    channel: str
    priority: str | None = None
    phone_sealed: str
    phone_masked: str
    phone_index: str
    owner: str
    key: str
    fingerprint: str
    registered_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class FreedPlace(SQLModel, table=True):
    """A place that was given up: it counts as taken until `returns_at`."""

    __tablename__ = "freed_places"
    __table_args__ = (Index("ix_freed_places_due", "returns_at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    hall: str = Field(foreign_key="halls.hall")
    service: str
    starts_at: datetime = Field(sa_type=UtcTime)
    returns_at: datetime = Field(sa_type=UtcTime)


DRAWS = table_of(Draw)
DRAW_ENTRIES = table_of(DrawEntry)
FREED_PLACES = table_of(FreedPlace)
