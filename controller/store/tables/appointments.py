"""Appointments, and how many places of each slot are taken."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controller.store.columns import UtcTime, table_of

__all__ = ["APPOINTMENTS", "SLOTS_TAKEN"]

_WITH_PHONE = text("phone_masked IS NOT NULL")


class Appointment(SQLModel, table=True):
    """One appointment. The ticket it becomes at the check-in has the same id and the same token.

    `state` is `booked`, `checked-in`, `cancelled`, `missed`, `excused` (missed, but forgiven) or
    `refused` by the hall; `booking` counts the times it was given. `phone_index` is a keyed digest: it
    tells that two appointments belong to one number, and nothing else. `person` is the same digest where
    it is held to one open appointment for a service and a day. `told_at` is when it was told what missing
    it means.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        UniqueConstraint("owner", "key"),
        Index("ix_appointments_hall_state", "hall", "state", "starts_at"),
        Index("ix_appointments_phone", "phone_index", "starts_at"),
        Index("ix_appointments_asked", "owner", "booked_at"),
        Index(
            "ix_appointments_person",
            *("person", "service", "day"),
            unique=True,
            sqlite_where=text("state = 'booked'"),
            postgresql_where=text("state = 'booked'"),
        ),
        Index("ix_appointments_erase", "day", sqlite_where=_WITH_PHONE, postgresql_where=_WITH_PHONE),
    )

    appointment_id: str = Field(primary_key=True)
    hall: str = Field(foreign_key="halls.hall")
    service: str
    day: date
    starts_at: datetime = Field(sa_type=UtcTime)
    ends_at: datetime = Field(sa_type=UtcTime)
    code: str
    token: str = Field(unique=True)
    state: str = "booked"
    booking: int = 1
    channel: str
    priority: str | None = None
    phone_sealed: str | None = None
    phone_masked: str | None = None
    phone_index: str | None = None
    person: str | None = None
    told_at: datetime | None = Field(default=None, sa_type=UtcTime)
    owner: str
    key: str
    fingerprint: str
    booked_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class SlotTaken(SQLModel, table=True):
    """How many places of a slot are taken."""

    __tablename__ = "slots_taken"

    hall: str = Field(primary_key=True, foreign_key="halls.hall")
    service: str = Field(primary_key=True)
    starts_at: datetime = Field(primary_key=True, sa_type=UtcTime)
    taken: int = 0


APPOINTMENTS = table_of(Appointment)
SLOTS_TAKEN = table_of(SlotTaken)
