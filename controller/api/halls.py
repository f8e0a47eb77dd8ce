"""`/api/halls`: what every hall looks like now, and numbers for people outside."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, model_validator

from controller.api.deps import HallId, IdempotencyKey, PartsDep, Who, idempotency
from controller.use_cases.near import Point, Start, ranked
from controller.use_cases.take_ticket import HallRefused, TicketRequest, take_ticket
from controller.use_cases.views import hall_view, halls_view
from hall_core.errors import Refused
from hall_core.errors.described import REPEATED
from hall_ui.problems import problem

__all__ = ["router"]

router = APIRouter(prefix="/api/halls", tags=["halls"])


class TicketBody(BaseModel):
    """A request for a number. `channel` is where the citizen asked: web, wechat, app, phone, terminal.

    With `services` one number stands for all of them, and for `service` where that is given too; the hall
    chooses the order. `relative_phone` gets one message when nobody answers the call; ask them first.
    """

    model_config = ConfigDict(extra="forbid")

    service: HallId | None = None
    services: Annotated[list[HallId], Field(max_length=5)] = []
    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = "web"
    phone: Annotated[str | None, Field(pattern=r"^1[3-9]\d{9}$")] = None
    openid: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]{20,64}$")] = None
    relative_phone: Annotated[str | None, Field(pattern=r"^1[3-9]\d{9}$", repr=False)] = None
    priority: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")] = None

    @model_validator(mode="after")
    def _what_for(self) -> Self:
        if self.service is None and not self.services:
            raise ValueError("service is missing")
        return self

    def asked(self, channel: str) -> TicketRequest:
        """As the use case takes it: all services, `service` first."""
        alone = self.service is not None and self.service not in self.services
        first, *more = [*([self.service] if alone and self.service else []), *self.services]
        said = self.model_dump(exclude={"service", "services", "channel"})
        return TicketRequest(first, channel, **said, more_services=tuple(more))


@router.get("")
async def halls(
    parts: PartsDep,
    _: Who,
    service: HallId | None = None,
    near: Annotated[str | None, Query(max_length=40)] = None,
) -> list[dict[str, Any]]:
    """All halls with their services, counters and devices.

    With `service` those that offer it, the one most worth going to first: each with `expected`
    (`{service, open, waiting, range_min, minutes}`), one of them `proposed`. With `near=lat,lon` also
    `distance_km`, and the way counts.
    """
    found = await halls_view(parts.context)
    if service is None and near is None:
        return found
    return ranked(found, service, Start(Point.parse(near) if near is not None else None))


@router.get("/{hall}")
async def hall(hall: HallId, parts: PartsDep, _: Who) -> dict[str, Any]:
    """One hall."""
    return hall_view(parts.context, await parts.context.enrolled_hall(hall))


@router.post("/{hall}/tickets", status_code=201, responses=REPEATED)
async def take(
    hall: HallId,
    body: TicketBody,
    parts: PartsDep,
    who: Who,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """A number. The same key and body again: 200 with the same ticket, after a 503 another try; another body:
    409.
    """
    key = idempotency(idempotency_key)
    await parts.people.channels.admit_new(who.program, key)
    asked = body.asked(who.channel(body.channel))
    answer = await take_ticket(parts.context, hall, asked, owner=who.name, key=key)
    if isinstance(answer, HallRefused):
        return problem(_refusal(answer))
    return JSONResponse(answer.ticket, 200 if answer.repeated else 201)


def _refusal(answer: HallRefused) -> dict[str, Any]:
    """The hall's own no as a problem, with the status its kind of error has everywhere."""
    return {
        "type": answer.slug,
        "status": Refused.named(answer.slug).status,
        "title": answer.detail,
        "detail": answer.detail,
    }
