"""Halls answer wishes with facts; whoever waits for an answer waits here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hall_core.queueing.facts import Fact

__all__ = ["Answers", "answer_within"]


class Answers:
    """Futures by request id. A future is resolved after the fact's transaction has committed."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Fact]] = {}

    @contextmanager
    def expect(self, request_id: str) -> Iterator[asyncio.Future[Fact]]:
        """The answer to come. Several may wait for one request; enter before the wish is written."""
        shared = self._waiting.get(request_id)
        future = shared or asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            yield future
        finally:
            if shared is None and self._waiting.get(request_id) is future:
                del self._waiting[request_id]

    def resolve(self, facts: dict[str, Fact]) -> None:
        """These facts are stored for good."""
        for request_id, fact in facts.items():
            future = self._waiting.get(request_id)
            if future is not None and not future.done():
                future.set_result(fact)


async def answer_within(future: asyncio.Future[Fact], seconds: float) -> Fact | None:
    """The answer, or None when it does not come in time."""
    done, _ = await asyncio.wait((future,), timeout=seconds)
    return future.result() if done else None
