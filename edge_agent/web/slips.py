"""Paper slips whose record is lost: scanned at a kiosk or at the desk, their numbers count again."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from edge_agent.web.view import View
from hall_core.errors import SlipInvalid
from hall_core.errors.described import REPEATED
from hall_core.personal import PlainId
from hall_core.queueing.summary import ticket_summary

__all__ = ["SlipRequest", "slip_routes"]


class SlipRequest(BaseModel):
    """A paper slip was scanned: `code` is what its QR code says."""

    model_config = ConfigDict(extra="forbid")

    request_id: PlainId = Field(min_length=1, max_length=64)
    code: str = Field(min_length=1, max_length=300)


def slip_routes(view: View) -> APIRouter:
    """`POST /api/tickets/re-register`."""
    router = APIRouter()

    @router.post("/api/tickets/re-register", status_code=201, responses=REPEATED)
    async def again(said: SlipRequest) -> JSONResponse:
        """A number of today whose record is lost stands in line again: 201, or 200 when it is known.

        Raises SlipInvalid for what this hall's boxes did not sign, or not today.
        """
        if view.slips is None:
            raise SlipInvalid
        command = view.slips.read(said.code, view.hall.now(), said.request_id)
        handled = await view.hall.handle(command)
        ticket = handled.queue.tickets.get(command.ticket_id)
        if ticket is None:
            raise SlipInvalid
        body = ticket_summary(handled.queue, ticket, view.hall.now())
        return JSONResponse(body, status_code=201 if handled.facts else 200)

    return router
