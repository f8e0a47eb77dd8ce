"""Server-sent events of a hall: `snapshot` at once and after every change, `fact` for each, `beat`.

`device` tells what a reader beside the page has just read; who was away then is not told later.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response, StreamingResponse

from edge_agent.web.view import View
from hall_core.errors.described import EVENTS

__all__ = ["stream_routes"]

BEAT_S = 5.0
#: snapshots of one screen are at least so far apart; facts are never held back
CALM_S = 0.05
#: a fact's number as the journal can hold it
Last = Annotated[int | None, Header(ge=0, le=2**63 - 1)]


def _event(kind: str, data: str, n: int | None = None) -> str:
    head = f"id: {n}\n" if n is not None else ""
    return f"{head}event: {kind}\ndata: {data}\n\n"


async def _events(view: View, after: int) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    seen, sent = -1, after
    readers = view.devices.readers
    read = readers.count
    yield "retry: 1000\n\n"
    beat_at = loop.time() + BEAT_S
    while not view.stopping:
        if view.bell.count > seen:
            seen = view.bell.count
            fresh = view.facts_after(sent)
            sent = fresh[-1][0] if fresh else sent
            parts = [_event("fact", body, n) for n, body in fresh]
            parts.append(_event("snapshot", view.state_text(), sent))
            readings, read = readers.after(read), readers.count
            parts += [_event("device", json.dumps(r.shown, ensure_ascii=False)) for r in readings]
            yield "".join(parts)
            await asyncio.sleep(CALM_S)
        if loop.time() >= beat_at:
            beat_at = loop.time() + BEAT_S
            yield _event("beat", json.dumps({"at": view.hall.now().isoformat()}))
        try:
            async with asyncio.timeout_at(beat_at):
                await view.bell.wait_past(seen)
        except TimeoutError:
            continue


def stream_routes(view: View) -> APIRouter:
    """`GET /api/stream`."""
    router = APIRouter()

    @router.get("/api/stream", response_class=Response, responses=EVENTS)
    async def stream(last_event_id: Last = None) -> StreamingResponse:
        """Server-sent events; with `Last-Event-ID` the facts after it come first, as far as they are kept."""
        after = view.hall.journal.last if last_event_id is None else last_event_id
        return StreamingResponse(
            _events(view, after), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    return router
