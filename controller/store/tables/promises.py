"""Appeals against missed appointments, and what halls owe those they kept waiting."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["APPEALS", "CREDITS"]


class Appeal(SQLModel, table=True):
    """Why somebody could not come. `state` is `open`, `granted`, `refused`, or `lapsed` when
    nobody decided until it was erased; with `suspends` booking is not
    paused while it is open. Whose it is stands with the appointment, and is erased there.
    """

    __tablename__ = "appeals"
    __table_args__ = (Index("ix_appeals_hall", "hall", "state", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    appointment_id: str = Field(unique=True, foreign_key="appointments.appointment_id")
    hall: str
    text: str = Field(sa_type=Text)
    state: str = "open"
    suspends: bool = False
    answer: str = Field(default="", sa_type=Text)
    decided_by: str = ""
    made_at: datetime = Field(sa_type=UtcTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)


class Credit(SQLModel, table=True):
    """The hall was late for this appointment. `minutes` are for the next visit; `used_by` is that appointment
    or ticket.
    """

    __tablename__ = "credits"
    __table_args__ = (Index("ix_credits_used", "used_by"),)

    appointment_id: str = Field(primary_key=True, foreign_key="appointments.appointment_id")
    hall: str
    minutes: int
    given_at: datetime = Field(sa_type=UtcTime)
    used_by: str | None = None
    used_at: datetime | None = Field(default=None, sa_type=UtcTime)


APPEALS = table_of(Appeal)
CREDITS = table_of(Credit)
