"""Server-sent events of a hall: `snapshot` at once and after every change, `fact` for each, `beat`.

`device` tells what a reader beside the page has just read; who was away then is not told later.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Told:
    """What a screen is sent, and how far it has come with that: facts, and readings of the readers."""

    text: bytes
    fact: int
    reading: int


class _News:
    """Made once for all screens that have come as far and are told at one time: hundreds hear one call."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._made: dict[tuple[int, int], _Told] = {}
        self._of, self._until = -1, 0.0

    def after(self, fact: int, reading: int, time: float) -> _Told:
        """Everything since then, with the present picture. `time` is the loop's."""
        if self._of != self._view.bell.count or time >= self._until:
            self._made, self._of, self._until = {}, self._view.bell.count, time + CALM_S
        told = self._made.get((fact, reading))
        if told is None:
            told = self._made[fact, reading] = self._make(fact, reading)
        return told

    def _make(self, fact: int, reading: int) -> _Told:
        view, readers = self._view, self._view.devices.readers
        fresh = view.facts_after(fact)
        last = fresh[-1][0] if fresh else fact
        parts = [_event("fact", body, n) for n, body in fresh]
        parts.append(_event("snapshot", view.state_text(), last))
        parts += [_event("device", json.dumps(r.shown, ensure_ascii=False)) for r in readers.after(reading)]
        return _Told("".join(parts).encode(), last, readers.count)


async def _events(view: View, after: int, news: _News) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    seen, fact, reading = -1, after, view.devices.readers.count
    yield b"retry: 1000\n\n"
    beat_at = loop.time() + BEAT_S
    while not view.stopping:
        if view.bell.count > seen:
            seen = view.bell.count
            told = news.after(fact, reading, loop.time())
            fact, reading = told.fact, told.reading
            yield told.text
            await asyncio.sleep(CALM_S)
        if loop.time() >= beat_at:
            beat_at = loop.time() + BEAT_S
            yield _event("beat", json.dumps({"at": view.hall.now().isoformat()})).encode()
        try:
            async with asyncio.timeout_at(beat_at):
                await view.bell.wait_past(seen)
        except TimeoutError:
            continue


def stream_routes(view: View) -> APIRouter:
    """`GET /api/stream`."""
    router, news = APIRouter(), _News(view)

    @router.get("/api/stream", response_class=Response, responses=EVENTS)
    async def stream(last_event_id: Last = None) -> StreamingResponse:
        """Server-sent events; with `Last-Event-ID` the facts after it come first, as far as they are kept."""
        after = view.hall.journal.last if last_event_id is None else last_event_id
        return StreamingResponse(
            _events(view, after, news), media_type="text/event-stream", headers={"cache-control": "no-store"}
        )

    return router
