"""Facts about appointments."""

from typing import Literal

from pydantic import AwareDatetime, Field

from hall_core.queueing.fact_base import FactBase

__all__ = ["AppointmentBooked", "AppointmentDropped", "AppointmentFact", "AppointmentMissed"]


class AppointmentFact(FactBase):
    """A fact about one appointment; a check-in makes it the ticket with the same id."""

    appointment_id: str = Field(min_length=1, max_length=64)


class AppointmentBooked(AppointmentFact):
    """The hall expects somebody; said again for one id, it replaces what was said before."""

    kind: Literal["appointment-booked"] = "appointment-booked"
    token: str
    code: str
    service: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    channel: str = "web"
    priority: str | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class AppointmentDropped(AppointmentFact):
    """The hall expects them no longer."""

    kind: Literal["appointment-dropped"] = "appointment-dropped"
    reason: str


class AppointmentMissed(AppointmentFact):
    """Its day ended, and nobody had checked in."""

    kind: Literal["appointment-missed"] = "appointment-missed"
