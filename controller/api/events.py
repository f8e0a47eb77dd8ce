"""`GET /api/stream`: live changes as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from controller.api.deps import PartsDep, Who
from controller.use_cases.context import Context
from controller.use_cases.views import hall_view, halls_view, plain
from hall_core.errors.described import EVENTS

__all__ = ["BEAT_S", "event_response", "frame", "router"]

#: a watcher that hears nothing for longer than a few beats knows that the line is dead
BEAT_S = 5.0

router = APIRouter(tags=["live"])


@router.get("/api/stream", response_class=Response, responses=EVENTS)
async def stream(parts: PartsDep, _: Who) -> StreamingResponse:
    """`snapshot` (all halls) first, then `hall`, `alarm`, and `beat` every 5 s."""
    return event_response(_news(parts.context))


async def _news(context: Context) -> AsyncIterator[str]:
    with context.hub.watch() as watcher:
        yield frame("snapshot", {"halls": await halls_view(context), "at": _now(context)})
        beaten = context.clock.monotonic()
        while not watcher.closed:
            left = BEAT_S - (context.clock.monotonic() - beaten)
            for news in await watcher.next(max(0.0, left)):
                if news.data is not None:
                    yield frame(news.event, plain(news.data))
                elif (hall := context.live.by_id(news.hall or "")) is not None:
                    yield frame("hall", hall_view(context, hall))
            if context.clock.monotonic() - beaten >= BEAT_S:
                beaten = context.clock.monotonic()
                yield frame("beat", {"at": _now(context)})


def _now(context: Context) -> str:
    return context.clock.now().isoformat()


def frame(event: str, data: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


def event_response(frames: AsyncIterator[str]) -> StreamingResponse:
    """A stream no proxy keeps back."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)
