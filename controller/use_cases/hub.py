"""Live changes to whoever watches: a slow watcher loses the oldest news, never holds up the others."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Hub", "News", "Watcher"]

#: news kept for a watcher that does not read
BACKLOG = 256


@dataclass(frozen=True, slots=True)
class News:
    """One change: a `hall` whose picture changed, or an `alarm`."""

    event: str
    hall: str | None
    data: dict[str, Any] | None = None


@dataclass(slots=True, eq=False)
class Watcher:
    """One open stream of news."""

    _news: deque[News] = field(default_factory=lambda: deque(maxlen=BACKLOG))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    def push(self, news: News) -> None:
        """Tell this watcher."""
        self._news.append(news)
        self._wake.set()

    def close(self) -> None:
        """No more news: the stream ends."""
        self.closed = True
        self._wake.set()

    async def next(self, seconds: float) -> list[News]:
        """All news there are, waiting for at most `seconds`; a hall that changed twice is told once."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return []
        self._wake.clear()
        latest = {(n.event, n.hall) if n.event == "hall" else id(n): n for n in self._news}
        self._news.clear()
        return list(latest.values())


class Hub:
    """Everybody who watches."""

    def __init__(self) -> None:
        self._watchers: set[Watcher] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._watchers)

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """A watcher for as long as the block lasts."""
        watcher = Watcher(closed=self._closed)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def tell(self, news: News) -> None:
        """Tell every watcher."""
        for watcher in self._watchers:
            watcher.push(news)

    def close(self) -> None:
        """End all streams: the program stops."""
        self._closed = True
        for watcher in self._watchers:
            watcher.close()
