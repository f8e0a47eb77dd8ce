"""Wishes about appointments: expect somebody, expect them no longer, and which time they keep at check-in."""

from datetime import datetime, timedelta

from hall_core.errors import AppointmentNotNow, AppointmentUsed, BadRequest, UnknownAppointment
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.case import Case
from hall_core.queueing.queue import Appointment, Queue
from hall_core.schedule.slots import SlotPlan

__all__ = ["book", "drop", "expected", "find_appointment", "missed", "place_in_time"]

#: what holds for an appointment whose service gives no slots any more
_DEFAULT = SlotPlan()


def book(case: Case, x: c.BookAppointment) -> list[f.Fact]:
    """The hall expects them. Raises UnknownService, BadRequest, AppointmentUsed after the check-in."""
    service = case.service(x.service)
    if x.priority is not None and x.priority not in case.setup.credits_min:
        raise BadRequest(what=f"priority {x.priority!r}")
    if x.ends_at <= x.starts_at:
        raise BadRequest(what="ends_at does not lie after starts_at")
    same = case.queue.appointments.get(x.appointment_id)
    if same is not None:
        _unused(case.queue, same)
    for other in case.queue.appointments.values():
        if other.code == x.code and other.appointment_id != x.appointment_id and other.ticket_id is None:
            raise BadRequest(what="code stands for another appointment")
    fields = x.model_dump(exclude={"kind", "request_id", "fingerprint", "service"})
    return [f.AppointmentBooked(**case.common, service=service.id, **fields)]


def drop(case: Case, x: c.DropAppointment) -> list[f.Fact]:
    """The hall expects them no longer. Raises UnknownAppointment, AppointmentUsed."""
    appointment = case.queue.appointments.get(x.appointment_id)
    if appointment is None:
        raise UnknownAppointment
    _unused(case.queue, appointment)
    return [f.AppointmentDropped(**case.common, appointment_id=x.appointment_id, reason=x.reason)]


def expected(case: Case, wanted: str) -> Appointment:
    """The appointment that somebody checks in now.

    Raises UnknownAppointment, AppointmentUsed, AppointmentNotNow before its time or on another day.
    """
    appointment = find_appointment(case.queue, wanted, case.now)
    if appointment is None:
        raise UnknownAppointment
    _unused(case.queue, appointment)
    starts_at = appointment.starts_at.astimezone(case.now.tzinfo)
    opens = starts_at - timedelta(minutes=_plan(case, appointment).early_min)
    if case.now < opens:
        raise AppointmentNotNow(opens=f"{opens:%m-%d %H:%M}", starts_at=starts_at.isoformat())
    if starts_at.date() != case.now.date():
        raise UnknownAppointment  # its day is over
    return appointment


def find_appointment(queue: Queue, wanted: str, now: datetime) -> Appointment | None:
    """By id or by its link's token; by code only among those of today, for codes are short."""
    if wanted in queue.appointments:
        return queue.appointments[wanted]
    for appointment in queue.appointments.values():
        today = appointment.starts_at.astimezone(now.tzinfo).date() == now.date()
        if appointment.token == wanted or (today and appointment.code == wanted):
            return appointment
    return None


def place_in_time(case: Case, appointment: Appointment) -> datetime:
    """The slot's beginning for who comes in time, now for who comes late."""
    late_min = _plan(case, appointment).late_min
    in_time = case.now <= appointment.starts_at + timedelta(minutes=late_min)
    return appointment.starts_at.astimezone(case.now.tzinfo) if in_time else case.now


def missed(case: Case, x: c.OpenBusinessDay) -> list[f.Fact]:
    """Those of earlier days that nobody has checked in."""
    zone = case.now.tzinfo
    return [
        f.AppointmentMissed(**case.common, appointment_id=a.appointment_id)
        for a in case.queue.appointments.values()
        if a.ticket_id is None and a.starts_at.astimezone(zone).date() < x.day
    ]


def _plan(case: Case, appointment: Appointment) -> SlotPlan:
    service = case.setup.service(appointment.service)
    return (service.appointments if service else None) or _DEFAULT


def _unused(queue: Queue, appointment: Appointment) -> None:
    if appointment.ticket_id is not None:
        ticket = queue.tickets.get(appointment.ticket_id)
        raise AppointmentUsed(label=ticket.label if ticket else "—")
