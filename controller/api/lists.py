"""Lists for staff and other programs, paged by `after` and `limit`."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from controller.api.deps import HallId, PartsDep, Who
from controller.store import alarms as alarm_store
from controller.store import facts as fact_store
from controller.store import halls as hall_store
from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.use_cases.views import plain, ticket_row_view

__all__ = ["router"]

router = APIRouter(prefix="/api", tags=["lists"])

Limit = Annotated[int, Query(ge=1, le=5000)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Id = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_/-]{1,80}$")]


@router.get("/facts")
async def facts(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    stream: Id = None,
    after: After = 0,
    limit: Limit = 1000,
) -> list[dict[str, Any]]:
    """Facts exactly as the halls sent them. With `hall` those of its present box, `after` being their
    `n` (another box's with `stream`); without, those of all halls as they came, `after` being the `id`.
    """
    if hall is not None and stream is None:
        stream = (await parts.context.enrolled_hall(hall)).stream or ""
    return await parts.context.database.read(
        lambda tx: fact_store.facts_page(tx, hall=hall, stream=stream, after=after, limit=limit)
    )


@router.get("/tickets")
async def tickets(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    day: date | None = None,
    after: Id = None,
    limit: Limit = 1000,
) -> list[dict[str, Any]]:
    """Tickets; `after` is the last `ticket_id` seen."""
    rows = await parts.context.database.read(
        lambda tx: ticket_store.tickets_page(tx, hall=hall, day=day, after=after or "", limit=limit)
    )
    return [ticket_row_view(parts.context, row) for row in rows]


@router.get("/notices")
async def notices(
    parts: PartsDep,
    _: Who,
    ticket: Id = None,
    hall: HallId | None = None,
    after: After = 0,
    limit: Limit = 1000,
) -> list[dict[str, Any]]:
    """Notices and what became of them; `after` is the `id`."""
    rows = await parts.context.database.read(
        lambda tx: notice_store.notices_page(tx, ticket=ticket, hall=hall, after=after, limit=limit)
    )
    return [plain(row) for row in rows]


@router.get("/devices")
async def devices(
    parts: PartsDep, _: Who, hall: HallId | None = None, after: Id = None, limit: Limit = 1000
) -> list[dict[str, Any]]:
    """Devices as their halls reported them last; `after` is the `id` (`hall/name`)."""
    rows = await parts.context.database.read(
        lambda tx: hall_store.devices_page(tx, hall=hall, after=after, limit=limit)
    )
    return [plain(row) for row in rows]


@router.get("/alarms")
async def alarms(
    parts: PartsDep,
    _: Who,
    hall: HallId | None = None,
    open: bool = False,  # noqa: A002  the query's own word
    after: After = 0,
    limit: Limit = 1000,
) -> list[dict[str, Any]]:
    """Alarms, `open=true` for those that are not over; `after` is the `id`."""
    rows = await parts.context.database.read(
        lambda tx: alarm_store.alarms_page(tx, hall=hall, open_only=open, after=after, limit=limit)
    )
    return [plain(row) for row in rows]
