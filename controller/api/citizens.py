"""`/api/t/{token}`: what the holder of a ticket's link sees and may do; the link is the right to it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from controller.api.deps import PartsDep
from controller.api.events import BEAT_S, event_response, frame
from controller.use_cases import citizen
from controller.use_cases.context import Context
from hall_core.errors.described import EVENTS
from hall_core.queueing.reasons import REASONS, Reasons

__all__ = ["router"]

router = APIRouter(prefix="/api/t/{token}", tags=["citizens"])

Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class RatingBody(BaseModel):
    """1 is worst, 5 is best. `reasons` are for 1 and 2."""

    model_config = ConfigDict(extra="forbid")

    score: int = Field(ge=1, le=5)
    comment: str = Field(default="", max_length=200)
    reasons: Reasons = Field(default=(), description=f"of {', '.join(REASONS)}")


class CheckInBody(BaseModel):
    """May be left out. `relative_phone` gets one message when nobody answers the call; ask them first."""

    model_config = ConfigDict(extra="forbid")

    relative_phone: Annotated[str | None, Field(pattern=r"^1[3-9]\d{9}$", repr=False)] = None


class RescheduleBody(BaseModel):
    """The beginning of another slot."""

    model_config = ConfigDict(extra="forbid")

    starts_at: AwareDatetime


class AppealBody(BaseModel):
    """What happened; mobile numbers in it are masked."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=200)


@router.get("")
async def ticket(token: Token, parts: PartsDep) -> dict[str, Any]:
    """The ticket now; `stale` when its hall has not been heard of for more than a minute."""
    return await citizen.view(parts.context, token)


@router.post("/cancel")
async def cancel(token: Token, parts: PartsDep) -> dict[str, Any]:
    """Give the number up; answered by the hall."""
    return await citizen.cancel(parts.context, token)


@router.post("/check-in")
async def check_in(token: Token, parts: PartsDep, body: CheckInBody | None = None) -> dict[str, Any]:
    """I am here: an appointment becomes a number; after a missed call the ticket is back in line, after the
    next three people the first time, then at the end.
    """
    return await citizen.check_in(parts.context, token, body.relative_phone if body else None)


@router.post("/postpone")
async def postpone(token: Token, parts: PartsDep) -> dict[str, Any]:
    """Let three people pass; twice at most."""
    return await citizen.postpone(parts.context, token)


@router.post("/later")
async def later(token: Token, parts: PartsDep) -> dict[str, Any]:
    """Called and still on the way: the next three people go first, the counter is free at once; one time."""
    return await citizen.later(parts.context, token)


@router.post("/reschedule")
async def reschedule(token: Token, body: RescheduleBody, parts: PartsDep) -> dict[str, Any]:
    """Another slot of the same service for an appointment; its link and its code stay."""
    return await citizen.reschedule(parts.context, token, body.starts_at)


@router.post("/appeal")
async def appeal(token: Token, body: AppealBody, parts: PartsDep) -> dict[str, Any]:
    """Why an appointment was missed, once; while nobody has decided, booking is not paused."""
    return await citizen.appeal(parts.context, token, body.text)


@router.post("/rating")
async def rating(token: Token, body: RatingBody, parts: PartsDep) -> dict[str, Any]:
    """What the finished visit was like; once."""
    return await citizen.rate(parts.context, token, **body.model_dump())


@router.get("/stream", response_class=Response, responses=EVENTS)
async def stream(token: Token, parts: PartsDep) -> StreamingResponse:
    """Server-sent events: `ticket` whenever the view has changed, `beat` every 5 s."""
    first = await citizen.view(parts.context, token)
    return event_response(_changes(parts.context, token, first))


async def _changes(context: Context, token: str, shown: dict[str, Any]) -> AsyncIterator[str]:
    with context.hub.watch() as watcher:
        yield frame("ticket", shown)
        while not watcher.closed:
            news = await watcher.next(BEAT_S)
            if news and not any(n.hall == shown["hall"] for n in news):
                continue
            now = await citizen.view(context, token)
            # That the hall was heard of once more is no news to the reader.
            if {**now, "last_seen": None} != {**shown, "last_seen": None}:
                shown = now
                yield frame("ticket", shown)
            elif not news:
                yield frame("beat", {"at": context.clock.now().isoformat()})
