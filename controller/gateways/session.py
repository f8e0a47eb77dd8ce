"""A login held open to a message centre over TCP: numbered requests within a window, pings, reconnects.

What the bytes mean is the dialect's business (`smpp_codec.py`, `cmpp_codec.py`).
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

__all__ = ["Dialect", "Frame", "NotSent", "Session", "Timing", "Unanswered"]

logger = logging.getLogger(__name__)

Request = Callable[["Frame"], Awaitable[bytes | None]]
Late = Callable[[str, "Frame"], Awaitable[None]]

#: requests of the other side under way at once
AT_ONCE = 64
#: answers that came too late are still recognised, for so many requests
LATE = 1000


class NotSent(Exception):
    """Certainly nothing has left the house. `down` unless the centre is only full."""

    def __init__(self, why: str, *, down: bool) -> None:
        self.why, self.down = why, down
        super().__init__(why)


class Unanswered(Exception):
    """The request has left and no answer came: nobody knows."""


class _Broken(Exception):
    """The connection is of no more use."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the protocol; `status` is 0 where the header has none."""

    command: int
    status: int
    sequence: int
    body: bytes = field(repr=False)


class Dialect(Protocol):
    """One protocol's frames. Every frame begins with its length in four bytes."""

    header_size: int
    longest: int

    def read(self, data: bytes) -> Frame: ...

    def answers(self, frame: Frame) -> bool:
        """True for an answer to one of our requests."""
        ...

    def login(self, sequence: int) -> bytes: ...

    def refusal(self, frame: Frame) -> str:
        """Why the login was refused; empty when it was accepted."""
        ...

    def ping(self, sequence: int) -> bytes: ...

    def goodbye(self, sequence: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `ping` of silence before the other side is asked whether it is there."""

    connect: float = 5.0
    answer: float = 5.0
    slot: float = 2.0
    ping: float = 30.0
    first_retry: float = 0.5
    last_retry: float = 30.0


@dataclass(eq=False)
class _Connection:
    """One login's life."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    slots: asyncio.Semaphore
    pending: dict[int, asyncio.Future[Frame]] = field(default_factory=dict)
    late: dict[int, str] = field(default_factory=dict)
    requests: asyncio.Queue[Frame] = field(default_factory=asyncio.Queue)
    heard: asyncio.Event = field(default_factory=asyncio.Event)


class Session:
    """`run` keeps the login up; `ask` sends one request.

    `request` handles a request of the other side and gives the answer's bytes, or nothing; `late` is told
    of an answer that came after `ask` had given up, with the name that was given to `ask`.
    """

    def __init__(
        self,
        address: tuple[str, int],
        dialect: Dialect,
        *,
        window: int,
        timing: Timing,
        jitter: Callable[[], float],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._dialect, self._tls = address, dialect, tls
        self._window, self._timing, self._jitter = window, timing, jitter
        self._live: _Connection | None = None
        self._up = asyncio.Event()
        self._why = "not connected"
        self._sequence = count(1)

    async def run(
        self,
        request: Request,
        late: Late,
    ) -> None:
        """Connect, and again after every loss, until cancelled."""
        tries = 0
        while True:
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, _Broken, asyncio.IncompleteReadError) as error:
                self._why = str(error) or type(error).__name__
                logger.warning("gateway %s:%s not connected: %s", *self._address, self._why)
                tries += 1
            else:
                tries, self._live = 0, connection
                self._up.set()
                logger.info("gateway %s:%s connected", *self._address)
                await self._serve(connection, request, late)
            longest = min(self._timing.last_retry, self._timing.first_retry * 2**tries)
            await asyncio.sleep(longest * (0.5 + self._jitter() / 2))

    async def ask(self, frame: Callable[[int], bytes], name: str, *, fresh: Callable[[], bool]) -> Frame:
        """The answer to a request. Raises NotSent or Unanswered; not sent when it is not `fresh` any more."""
        try:
            async with asyncio.timeout(self._timing.slot):
                # A connection that was lost may be back in a moment.
                await self._up.wait()
                connection = self._live
                assert connection is not None
                await connection.slots.acquire()
        except TimeoutError:
            if self._live is None:
                raise NotSent(self._why, down=True) from None
            raise NotSent("window full", down=False) from None
        try:
            if connection is not self._live or connection.writer.transport.is_closing():
                raise NotSent("connection lost", down=True)
            if not fresh():
                raise NotSent("stale", down=False)
            return await self._asked(connection, frame, name)
        finally:
            connection.slots.release()

    async def _asked(self, connection: _Connection, frame: Callable[[int], bytes], name: str) -> Frame:
        sequence = next(self._sequence) & 0x7FFFFFFF
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        connection.pending[sequence] = answer
        connection.writer.write(frame(sequence))
        try:
            async with asyncio.timeout(self._timing.answer):
                return await answer
        except TimeoutError:
            connection.late[sequence] = name
            if len(connection.late) > LATE:
                connection.late.pop(next(iter(connection.late)))
            raise Unanswered("no answer in time") from None
        finally:
            connection.pending.pop(sequence, None)

    async def _connect(self) -> _Connection:
        async with asyncio.timeout(self._timing.connect):
            reader, writer = await asyncio.open_connection(*self._address, ssl=self._tls)
            try:
                writer.write(self._dialect.login(next(self._sequence) & 0x7FFFFFFF))
                frame = await self._read(reader)
            except BaseException:
                writer.close()
                raise
        if refusal := self._dialect.refusal(frame):
            writer.close()
            raise _Broken(refusal)
        return _Connection(reader, writer, asyncio.Semaphore(self._window))

    async def _serve(
        self,
        connection: _Connection,
        request: Request,
        late: Late,
    ) -> None:
        """Until the connection breaks or the program ends; then what was asked stays unanswered."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(connection, late), name="gateway listens")
                tasks.create_task(self._serve_requests(connection, request), name="gateway answers")
                tasks.create_task(self._ping(connection), name="gateway pings")
        except* (OSError, _Broken, asyncio.IncompleteReadError) as group:
            self._why = "connection lost"
            logger.warning("gateway %s:%s lost: %s", *self._address, repr(group.exceptions[0]))
        finally:
            self._live = None
            self._up.clear()
            for answer in connection.pending.values():
                if not answer.done():
                    answer.set_exception(Unanswered("connection lost"))
            if not connection.writer.is_closing():
                connection.writer.write(self._dialect.goodbye(next(self._sequence) & 0x7FFFFFFF))
            connection.writer.close()

    async def _listen(self, connection: _Connection, late: Late) -> None:
        while True:
            frame = await self._read(connection.reader)
            connection.heard.set()
            if not self._dialect.answers(frame):
                connection.requests.put_nowait(frame)
            elif (answer := connection.pending.get(frame.sequence)) is not None:
                if not answer.done():
                    answer.set_result(frame)
            elif (name := connection.late.pop(frame.sequence, None)) is not None:
                await late(name, frame)

    async def _serve_requests(self, connection: _Connection, request: Request) -> None:
        """Many at once: each waits for a COMMIT, which they then share."""
        hands = asyncio.Semaphore(AT_ONCE)

        async def serve(frame: Frame) -> None:
            try:
                answer = await request(frame)
            finally:
                hands.release()
            if answer is not None and not connection.writer.transport.is_closing():
                connection.writer.write(answer)

        async with asyncio.TaskGroup() as tasks:
            while True:
                frame = await connection.requests.get()
                await hands.acquire()
                tasks.create_task(serve(frame), name="gateway request")

    async def _ping(self, connection: _Connection) -> None:
        """Silence is broken by a ping; silence after that is a loss."""
        while True:
            connection.heard.clear()
            try:
                async with asyncio.timeout(self._timing.ping):
                    await connection.heard.wait()
                continue
            except TimeoutError:
                connection.writer.write(self._dialect.ping(next(self._sequence) & 0x7FFFFFFF))
            try:
                async with asyncio.timeout(self._timing.answer):
                    await connection.heard.wait()
            except TimeoutError:
                raise _Broken("silence") from None

    async def _read(self, reader: asyncio.StreamReader) -> Frame:
        head = await reader.readexactly(self._dialect.header_size)
        length = int.from_bytes(head[:4], "big")
        if not self._dialect.header_size <= length <= self._dialect.longest:
            raise _Broken(f"frame of {length} bytes")
        return self._dialect.read(head + await reader.readexactly(length - len(head)))
