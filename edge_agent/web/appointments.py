"""Today's appointments for the staff: who forgot a code is found by time and last digits."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from edge_agent.web.view import View
from hall_core.queueing.queue import Appointment

__all__ = ["appointment_routes"]


def appointment_routes(view: View) -> APIRouter:
    """`GET /api/appointments`."""
    router = APIRouter()

    @router.get("/api/appointments")
    async def today(_: Annotated[str, Depends(view.guard.required)]) -> list[dict[str, Any]]:
        """Whom the hall expects today, by time; `ticket` once they have checked in. Needs a staff session."""
        now = view.hall.now()
        rows = [
            a
            for a in view.hall.queue.appointments.values()
            if a.starts_at.astimezone(now.tzinfo).date() == now.date()
        ]
        return [_row(view, a) for a in sorted(rows, key=lambda a: (a.starts_at, a.appointment_id))]

    return router


def _row(view: View, appointment: Appointment) -> dict[str, Any]:
    zone = view.hall.now().tzinfo
    ticket = view.hall.queue.tickets.get(appointment.ticket_id or "")
    return {
        "appointment_id": appointment.appointment_id,
        "service": appointment.service,
        "starts_at": appointment.starts_at.astimezone(zone).isoformat(),
        "ends_at": appointment.ends_at.astimezone(zone).isoformat(),
        "priority": appointment.priority,
        "phone_tail": appointment.phone_tail,
        "ticket": {"id": ticket.ticket_id, "label": ticket.label, "state": ticket.state.value}
        if ticket
        else None,
    }
