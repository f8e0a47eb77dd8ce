"""Where the hall's pages and the drivers of its screens meet: what each named screen last said of itself.

A page that was told its name says every few seconds which page it is, what it shows and how old its news is:
a beat. The answer may tell it to load anew. Nobody but the driver of that name gives a screen its place here.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from hall_core.clock import Clock
from hall_core.errors import BadFrame, SettingsInvalid, TooManyAttempts, UnknownScreen

__all__ = ["BEAT_S", "MOST_BYTES", "Beat", "NamedScreen", "NamedScreens", "order", "read_beat"]

#: how often a page says that it lives
BEAT_S = 5
#: no beat is longer
MOST_BYTES = 4096
#: beats one screen may send at once, and how many it earns in a second
BURST, PER_S = 20, 4.0
#: a page that still says the same is not told to load anew more often
AGAIN_S = 60.0
#: two pages under one name: how long after the last word of the older one this is said
TWINS_S = 15.0
#: a fact the hall has known so long should have been seen by every page
KNOWN_S = 4.0
#: a screen that was silent for longer (two beats) was away
AWAY_S = 10.0

Shown = Annotated[str, StringConstraints(max_length=40)]


class Beat(BaseModel):
    """What a page says of itself. What a newer page says beside it is not read.

    `showing` are the labels (board, rating) or the part of the page in sight, `seen_n` the number of the last
    fact in it, `at_boot` when it was loaded (the hall's time), `fresh` how old its news is, `in_use` whether
    somebody stands before it, `counter` at which counter it asks for ratings.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    page: str = Field(pattern=r"^[a-z]{1,16}$")
    version: str = Field(pattern=r"^[0-9A-Za-z.-]{1,40}$")
    at_boot: AwareDatetime
    showing: tuple[Shown, ...] = Field(default=(), max_length=16)
    seen_n: int = Field(default=0, ge=0, lt=2**53)
    fresh: Literal["live", "quiet", "stale", "dark"] = "live"
    in_use: bool = False
    counter: str | None = Field(default=None, max_length=32)


def read_beat(data: bytes) -> Beat:
    """A beat as it came. Raises BadFrame naming the field that is wrong."""
    try:
        return Beat.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadFrame(f"{where}: {first['msg']}") from error


def order(*, reload: bool) -> bytes:
    """The answer to a beat."""
    return json.dumps({"reload": reload, "every_s": BEAT_S}, separators=(",", ":")).encode()


class NamedScreen:
    """One screen: what it said last, and whoever waits for its next word."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.last: Beat | None = None
        #: it shall load its page anew as soon as nobody uses it
        self.reload_wanted = False
        self._clock = clock
        self._heard_at = self._twin_at = self._told_at = float("-inf")
        self._old_since: float | None = None
        self._known: deque[tuple[float, int]] = deque()
        self._tokens, self._earned_at = float(BURST), clock.monotonic()
        self._news = asyncio.Event()

    @property
    def age_s(self) -> float:
        """Seconds since its last beat."""
        return self._clock.monotonic() - self._heard_at

    @property
    def old(self) -> bool:
        """True while its page is of an older program."""
        return self._old_since is not None

    @property
    def old_s(self) -> float:
        """For how long it has been saying that its page is of an older program; 0 for the present one."""
        return 0.0 if self._old_since is None else self._clock.monotonic() - self._old_since

    @property
    def twins(self) -> bool:
        """True while two pages speak under this name."""
        return self._clock.monotonic() - self._twin_at < TWINS_S

    @property
    def behind(self) -> bool:
        """True when its last beat knew less than the hall had known for a while."""
        if self.last is None or not self._known:
            return False
        at, n = self._known[0]
        return self.last.seen_n < n and self._clock.monotonic() - at >= KNOWN_S

    async def says(self, truth: Callable[[Beat], bool], within_s: float) -> bool:
        """Wait until it says so; False when it has not within the time."""
        try:
            async with asyncio.timeout(within_s):
                while self.last is None or not truth(self.last):
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    def ask_reload(self) -> None:
        """Have its page loaded anew with its next beat, or as soon as nobody uses it."""
        self.reload_wanted, self._told_at = True, float("-inf")

    def count(self) -> None:
        """One more request of this screen. Raises TooManyAttempts."""
        now = self._clock.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._earned_at) * PER_S)
        self._earned_at = now
        if self._tokens < 1:
            raise TooManyAttempts(wait_s=1)
        self._tokens -= 1

    def hear(self, beat: Beat, version: str, newest_n: int) -> bool:
        """Take a beat; `version` and `newest_n` are those of the hall's pages and of its newest fact.

        Returns whether it shall load anew now.
        """
        now = self._clock.monotonic()
        if self.last is not None and beat.at_boot < self.last.at_boot:
            self._twin_at = now
        elif self.last is not None and beat.at_boot > self.last.at_boot:
            self.reload_wanted = False
            self._known.clear()
        if now - self._heard_at > AWAY_S:
            self._known.clear()  # it was away: its news is on the way
        self.last, self._heard_at = beat, now
        self._known.append((now, newest_n))
        while len(self._known) > 1 and now - self._known[1][0] >= KNOWN_S:
            self._known.popleft()
        old = version not in ("", beat.version)
        self._old_since = (self._old_since if self._old_since is not None else now) if old else None
        news, self._news = self._news, asyncio.Event()
        news.set()
        wanted = (old or self.reload_wanted) and not beat.in_use and now - self._told_at >= AGAIN_S
        if wanted:
            self._told_at = now
        return wanted


class NamedScreens:
    """All screens with a driver. `newest_n` tells the hall's newest fact, `version` that of its pages."""

    def __init__(self, clock: Clock, newest_n: Callable[[], int] = lambda: 0) -> None:
        self.newest_n = newest_n
        #: of the pages this program serves; empty while nobody has said
        self.version = ""
        self._clock = clock
        self._screens: dict[str, NamedScreen] = {}
        self._standing: set[str] = set()

    @contextmanager
    def standing(self, name: str) -> Iterator[NamedScreen]:
        """The screen's place from here to the end of the block. Raises SettingsInvalid for a second one."""
        if name in self._standing:
            raise SettingsInvalid(
                f"屏幕 web://{name} 登记了两次，请在大厅文件中各取一个名字 (two screens have this name)"
            )
        self._standing.add(name)
        try:
            yield self._screens.setdefault(name, NamedScreen(name, self._clock))
        finally:
            self._standing.discard(name)

    def admit(self, name: str) -> NamedScreen:
        """The screen that speaks. Raises UnknownScreen, TooManyAttempts."""
        screen = self._screens.get(name)
        if screen is None or name not in self._standing:
            raise UnknownScreen(screen=name[:40])
        screen.count()
        return screen

    def hear(self, screen: NamedScreen, beat: Beat) -> bytes:
        """Take a beat; the answer to it."""
        return order(reload=screen.hear(beat, self.version, self.newest_n()))
