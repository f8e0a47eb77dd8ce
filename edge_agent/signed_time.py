"""The time from the controller, signed, over plain HTTP: a box at 1970 or 2040 cannot begin with TLS.

`GET {time_url}/api/v1/time?nonce=…` answers `{time, nonce, signature}`, Ed25519 over
`["quiethall time 1",time,nonce]`. Nothing is taken that the key did not sign for this very question, that
took long, or that lies before what this box has written.
"""

import asyncio
import json
import logging
import secrets
import time
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from hall_core.clock import WRITTEN, SteadyTime, SystemClock
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import WireError

__all__ = ["SignedTime", "read_time"]

logger = logging.getLogger(__name__)

#: an answer that took longer says too little about now
LONGEST_S = 5.0
#: while nobody answers, the next question comes after so long
AGAIN_S = 15.0
#: the word of the centre is asked for anew: a box drifts by a second or two a day
RENEW_S = 6 * 3600.0
#: a wall that is nearer to the right time than this is not touched
NEAR = timedelta(seconds=1)
MOST_BYTES = 4096


class SignedTime:
    """Puts the box's clock right while nobody else does. `set_wall` sets the machine's own clock.

    A box that is `unused` may have begun in the future: what it has written by itself does not count.
    """

    def __init__(
        self,
        clock: SystemClock,
        written: SteadyTime,
        *,
        url: str,
        key: str,
        jitter: Callable[[], float],
        ask: Callable[[str], Awaitable[bytes]] | None = None,
        set_wall: Callable[[datetime], None] | None = None,
    ) -> None:
        self._clock, self._written, self._url, self._key = clock, written, url, key
        self._jitter, self._ask, self._set_wall = jitter, ask or _get, set_wall or _set_machine
        self.unused: Callable[[], bool] = lambda: False
        self._asked_at = clock.monotonic()
        self._failed = ""

    async def run(self) -> None:
        """For ever: ask while the clock is not trusted, and now and then while it lives on the answer."""
        while True:
            if self._due():
                await self.once()
            await asyncio.sleep(AGAIN_S * (0.5 + self._jitter()))

    async def before_start(self) -> None:
        """Ask once before the day is opened: a day that was opened cannot be taken back."""
        if self._due():
            await self.once()

    async def once(self) -> None:
        """Ask, and follow a right answer; any other changes nothing."""
        try:
            now = await self._told()
        except (WireError, OSError) as error:
            self._fail(str(error) or type(error).__name__)
            return
        self._follow(now)
        self._failed = ""

    async def _told(self) -> datetime:
        """A right answer. Raises WireError for another, OSError for none."""
        nonce = secrets.token_urlsafe(24)
        self._asked_at = began = self._clock.monotonic()
        async with asyncio.timeout(LONGEST_S):
            body = await self._ask(f"{self._url}/api/v1/time?nonce={nonce}")
        took = self._clock.monotonic() - began
        if took > LONGEST_S:
            raise WireError(f"the answer took {took:.0f} s")
        now = read_time(body, nonce=nonce, key=self._key) + timedelta(seconds=took / 2)
        last = None if self.unused() else self._written.last
        earliest = max(WRITTEN, last or WRITTEN)
        if now < earliest:
            raise WireError(f"{now:%Y-%m-%d %H:%M} lies before {earliest:%Y-%m-%d %H:%M}, written here")
        return now

    def trouble(self) -> tuple[DeviceState, str] | None:
        """What a person must do about the clock, for the box's own line among the devices."""
        if self._clock.corrected:
            return DeviceState.DEGRADED, (
                "已按中心时间运行，但无权校正系统时钟，请给服务加 AmbientCapabilities=CAP_SYS_TIME "
                "(may not set the machine's clock; give the service CAP_SYS_TIME)"
            )
        if self._failed and not self._clock.trusted():
            return DeviceState.DEGRADED, f"未从中心得到时间 (no time from the centre: {self._failed})"[:200]
        return None

    def _due(self) -> bool:
        renew = self._clock.told and self._clock.monotonic() - self._asked_at > RENEW_S
        return renew or not self._clock.trusted()

    def _follow(self, now: datetime) -> None:
        at, before = self._clock.monotonic(), self._clock.now()
        # The machine's own clock first: certificates are checked against it.
        if self._clock.corrected or abs(before - now) > NEAR:
            try:
                self._set_wall(now)
            except OSError as error:
                logger.warning("clock of the machine not set reason=%s", error.strerror or error)
            logger.warning("time from the controller was=%s now=%s", before.isoformat(), now.isoformat())
        self._clock.adopt(now + timedelta(seconds=self._clock.monotonic() - at))

    def _fail(self, reason: str) -> None:
        if reason != self._failed:
            logger.warning("no time from the controller reason=%s", reason)
        self._failed = reason


def read_time(body: bytes, *, nonce: str, key: str) -> datetime:
    """The time an answer tells. Raises WireError unless this key signed it for this nonce."""
    # 7 MB that a box with a right clock never needs.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        said = json.loads(body)
        told, signature = str(said["time"]), urlsafe_b64decode(str(said["signature"]))
        signed = json.dumps(["quiethall time 1", told, nonce], separators=(",", ":")).encode()
        Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key)).verify(signature, signed)
        found = datetime.fromisoformat(told)
    except InvalidSignature as error:
        raise WireError("the answer was not signed with time_key for this question") from error
    except (ValueError, KeyError, TypeError, RecursionError, NotBase64) as error:
        raise WireError("the answer is no signed time; does time_url name the controller?") from error
    if found.tzinfo is None:
        raise WireError("the answer's time has no offset")
    return found


async def _get(url: str) -> bytes:
    """The body of a 200 answer. Raises OSError, WireError for another."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        asked = f"GET {parts.path}?{parts.query} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n"
        writer.write(asked.encode("ascii"))
        answer = b""
        while len(answer) < MOST_BYTES and (more := await reader.read(MOST_BYTES)):
            answer += more
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise WireError(f"{parts.netloc} answered {b''.join(status).decode('ascii', 'replace') or 'nothing'}")
    return body


def _set_machine(now: datetime) -> None:
    time.clock_settime(time.CLOCK_REALTIME, now.timestamp())
