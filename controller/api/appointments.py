"""`/api/halls/{hall}/slots` and `/appointments`: when one may come, and a promise for it."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from controller.api.deps import HallId, IdempotencyKey, PartsDep, Who, idempotency
from controller.store import appointments as store
from controller.use_cases.booking import AppointmentRequest, book
from controller.use_cases.slots import slots_view
from controller.use_cases.views import plain
from hall_core.errors.described import REPEATED

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["appointments"])


class AppointmentBody(BaseModel):
    """A request for an appointment. `starts_at` is the beginning of a slot; `channel` where it was asked."""

    model_config = ConfigDict(extra="forbid")

    service: HallId
    starts_at: AwareDatetime
    channel: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")] = "web"
    phone: Annotated[str | None, Field(pattern=r"^1[3-9]\d{9}$")] = None
    priority: Annotated[str | None, Field(pattern=r"^[a-z0-9-]{1,32}$")] = None


@router.get("/halls/{hall}/slots")
async def slots(hall: HallId, parts: PartsDep, _: Who, service: HallId, day: date) -> list[dict[str, Any]]:
    """The slots of a day that can be booked, `left` 0 when full: `{starts_at, ends_at, places, left}`."""
    return await slots_view(parts.context, hall, service, day)


@router.post("/halls/{hall}/appointments", status_code=201, responses=REPEATED)
async def appoint(
    hall: HallId, body: AppointmentBody, parts: PartsDep, who: Who, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """An appointment. The same key and body again: 200 with the same one; another body: 409."""
    key = idempotency(idempotency_key)
    await parts.people.channels.admit_new(who.program, key)
    asked = AppointmentRequest(**{**body.model_dump(), "channel": who.channel(body.channel)})
    booked = await book(parts.context, hall, asked, owner=who.name, key=key)
    return JSONResponse(booked.appointment, 200 if booked.repeated else 201)


@router.get("/appointments")
async def appointments(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    day: date | None = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Appointments for staff: numbers masked, the citizens' links and codes left out."""
    rows = await parts.context.database.read(
        lambda tx: store.appointments_page(tx, hall=hall, day=day, after=after, limit=limit)
    )
    secret = ("phone_sealed", "phone_masked", "phone_index", "token", "code", "owner", "key", "fingerprint")
    return [{**plain(row, without=secret), "phone": row["phone_masked"]} for row in rows]
