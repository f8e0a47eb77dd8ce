"""Tickets as they stand, requests for tickets, the controller's own numbers, ratings."""

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["OFFLINE_NUMBERS", "RATINGS", "REQUESTS", "TICKETS"]

_WITH_PHONE = text("phone_masked IS NOT NULL")


class Ticket(SQLModel, table=True):
    """A ticket's last known state. `series` is `hall`, or `offline` for the controller's own numbers;
    `merged_into` names the ticket that counts when one request got two.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("hall", "line", "day", "label"),
        Index("ix_tickets_newest", "hall", "issued_at"),
        # what is to be erased is found without reading a year of tickets
        Index("ix_tickets_phone", "day", sqlite_where=_WITH_PHONE, postgresql_where=_WITH_PHONE),
    )

    ticket_id: str = Field(primary_key=True)
    hall: str = Field(foreign_key="halls.hall")
    line: str
    day: date
    label: str
    number: int
    service: str
    channel: str
    priority: str | None = None
    state: str
    counter: str | None = None
    call_no: int = 0
    token: str = Field(unique=True)
    series: str = "hall"
    ahead: int | None = None
    issued_at: datetime = Field(sa_type=UtcTime)
    effective_at: datetime = Field(sa_type=UtcTime)
    called_at: datetime | None = Field(default=None, sa_type=UtcTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    phone_sealed: str | None = None
    phone_masked: str | None = None
    merged_into: str | None = None


class Request(SQLModel, table=True):
    """One online request for a ticket, by its idempotency key. `state` is `waiting` until the hall has
    answered (`hall`, `refused`) or the controller gave its own number (`offline`, later `merged`).
    """

    __tablename__ = "requests"
    __table_args__ = (
        Index("ix_requests_asked", "owner", "requested_at"),
        Index("ix_requests_phone", "requested_at", sqlite_where=_WITH_PHONE, postgresql_where=_WITH_PHONE),
    )

    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request_id: str = Field(unique=True)
    fingerprint: str
    hall: str = Field(foreign_key="halls.hall")
    ticket_id: str
    token: str
    state: str = "waiting"
    wish: str = Field(sa_type=Text)
    phone_masked: str | None = None
    offline_ticket: str | None = Field(default=None, unique=True)
    answer: str | None = Field(default=None, sa_type=Text)
    requested_at: datetime = Field(sa_type=UtcTime)


class OfflineNumber(SQLModel, table=True):
    """The last number of the controller's own series of a hall and day."""

    __tablename__ = "offline_numbers"

    hall: str = Field(primary_key=True, foreign_key="halls.hall")
    day: date = Field(primary_key=True)
    last: int = 0


class Rating(SQLModel, table=True):
    """What a citizen thought of a visit, 1 (worst) to 5, and where it was said. `reasons` are codes of
    `hall_core.queueing.reasons`, with commas. Only what somebody has said is a rating: a visit that nobody
    rated has no row here, whatever a district counts it as.
    """

    __tablename__ = "ratings"
    __table_args__ = (Index("ix_ratings_at", "hall", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    ticket_id: str = Field(unique=True)
    hall: str = Field(index=True)
    label: str
    service: str
    counter: str | None = None
    score: int
    comment: str = Field(default="", sa_type=Text)
    reasons: str = ""
    channel: str = ""
    at: datetime = Field(sa_type=UtcTime)


TICKETS = table_of(Ticket)
REQUESTS = table_of(Request)
OFFLINE_NUMBERS = table_of(OfflineNumber)
RATINGS = table_of(Rating)
