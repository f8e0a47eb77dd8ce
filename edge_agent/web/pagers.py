"""Handing out pagers: by staff, to the holder of a ticket that is still to be served."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from edge_agent.sealing import fingerprint
from edge_agent.web.view import View
from hall_core.errors import NoPagers, UnknownTicket
from hall_core.personal import PlainId
from hall_core.queueing.commands import GivePager

__all__ = ["PagerRequest", "pager_routes"]


class PagerRequest(BaseModel):
    """Which pager the ticket's holder carries from now on; null when it was handed back."""

    model_config = ConfigDict(extra="forbid")

    request_id: PlainId = Field(min_length=1, max_length=64)
    pager: int | None = Field(ge=0, le=99_999)


def pager_routes(view: View) -> APIRouter:
    """`POST /api/tickets/{ticket}/pager`."""
    router = APIRouter()
    hall, guard = view.hall, view.guard

    @router.post("/api/tickets/{ticket}/pager")
    async def give(
        ticket: str, wanted: PagerRequest, clerk: Annotated[str, Depends(guard.required)]
    ) -> dict[str, Any]:
        """Hand a pager out or take it back; needs a staff session or token. `ticket` is an id or a label.

        Raises NoPagers, UnknownTicket, PagerInUse, IllegalTransition.
        """
        del clerk  # whoever is logged in may
        if wanted.pager is not None and not view.devices.pagers:
            raise NoPagers
        mark = fingerprint(guard.accounts.pepper, {"ticket": ticket, "pager": wanted.pager})
        said = GivePager(request_id=wanted.request_id, fingerprint=mark, ticket=ticket, pager=wanted.pager)
        handled = await hall.handle(said)
        done = handled.queue.requests[wanted.request_id]
        found = handled.queue.tickets.get(done.ticket_id or "")
        if found is None:
            raise UnknownTicket(ticket=ticket)  # its day is over
        return {"ticket_id": found.ticket_id, "label": found.label, "pager": found.pager}

    return router
