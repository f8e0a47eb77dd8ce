"""How a family finds its devices on a wire without changing anything on them.

Each family has `device_drivers/<family>/recognise.py` with one `RECOGNISER`, found by name as drivers are:

* `Asking`: the device answers a question that only reads;
* `Listening`: the device speaks first, so one only listens;
* `Unaskable`: nothing can be known by asking; the sentence says what people do instead.

A family without the file counts as unaskable. The file may also have `redact(said) -> bytes`, which takes
out of what one side said whatever could be personal; without it nearly everything is taken out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from device_drivers.bus import NoAnswer, Turn
from hall_core.devices.profile import Profile, SerialLine

__all__ = [
    "Asking",
    "Ear",
    "Found",
    "Listening",
    "Recogniser",
    "Redact",
    "Talk",
    "Unaskable",
    "mask_unknown",
    "named_models_first",
    "recogniser_of",
    "redactor_of",
    "unchanged",
]

T = TypeVar("T")

Redact = Callable[[bytes], bytes]

#: a stream of an unknown family keeps so many octets of each side's turn: enough for its head
HEAD_KEPT = 4


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered. `profiles`: the best first, then what it may be as well; none where none fits.

    `why` is one sentence for the hall file; `options` are what the device told of itself.
    """

    profiles: tuple[str, ...]
    unit: int
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)


class Ear:
    """Notes what comes over a wire from the moment it is opened."""

    def __init__(self) -> None:
        self.heard = b""
        self._news = asyncio.Event()

    def hear(self, data: bytes) -> None:
        """Bytes came in."""
        self.heard += data
        self._news.set()

    async def until(self, read: Callable[[bytes], T | None], seconds: float) -> T | None:
        """What `read` makes of it, None when the time is over."""
        try:
            async with asyncio.timeout(seconds):
                while (answer := read(self.heard)) is None:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return None
        return answer


class Talk:
    """One turn on a wire, for one unit. `shared_wire`: serial framing, several devices may hear."""

    def __init__(self, turn: Turn, ear: Ear, *, host: str, shared_wire: bool) -> None:
        self.host, self.shared_wire = host, shared_wire
        self._turn, self._ear = turn, ear

    async def ask(self, frame: bytes, read: Callable[[bytes], T | None]) -> T:
        """Send, and wait for the answer as `read` finds it. Raises NoAnswer."""
        return await self._turn.ask(frame, read)

    async def maybe(self, frame: bytes, read: Callable[[bytes], T | None]) -> T | None:
        """`ask`, where silence is an answer too."""
        try:
            return await self._turn.ask(frame, read)
        except NoAnswer:
            return None

    async def greeting(self, read: Callable[[bytes], T | None], seconds: float) -> T | None:
        """What the device says by itself when somebody connects. Nothing is sent."""
        return await self._ear.until(read, seconds)


#: asks one unit, sending only what reads; None, or NoAnswer, when it is not there or of another family
Ask = Callable[[Talk, int, Sequence[Profile]], Awaitable[Found | None]]


@dataclass(frozen=True, slots=True)
class Asking:
    """A family that can be asked.

    `order`: smaller ones are asked first, so that no question can harm a device of another family: a device
    that takes everything for its work (a printer) must be known, and left alone, before anything else is
    sent.
    """

    ask: Ask
    order: int
    #: a device that is there has answered within this time
    within_ms: int = 500
    #: it stands alone on its wire, and its unit has no meaning
    alone: bool = False
    #: the unit that any device of the family answers to, where it has the wire for itself
    any_unit: int | None = None
    #: over TCP only the first unit is asked unless units were named
    first_unit_only: bool = False
    #: families of one tongue: a unit silent to one of them is silent to all
    tongue: str = ""
    #: its TCP side is a serial line behind a transparent server
    behind_server: bool = False
    #: lines found in the field besides those of the profiles
    lines: tuple[SerialLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Listening:
    """A family that speaks first. `read` finds its devices in what was heard; nothing is ever sent."""

    read: Callable[[bytes, Sequence[Profile]], tuple[Found, ...]]
    #: what people do meanwhile
    invitation: str
    behind_server: bool = True
    lines: tuple[SerialLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Unaskable:
    """A family whose devices cannot be found. `words`: why, and what to do instead."""

    words: str


Recogniser = Asking | Listening | Unaskable

_NOBODY = Unaskable("此系列的设备无法通过询问找到，请按手册写入大厅文件 (cannot be found by asking)")


def recogniser_of(family: str) -> Recogniser:
    """The family's own, or that nobody can be asked. Raises TypeError when it is none."""
    found = getattr(_module(family), "RECOGNISER", _NOBODY)
    if not isinstance(found, Asking | Listening | Unaskable):
        raise TypeError(f"device_drivers/{family}/recognise.py: RECOGNISER is no Recogniser")
    return found


def redactor_of(family: str) -> Redact:
    """The family's own rule, or the one that keeps next to nothing."""
    found: Redact = getattr(_module(family), "redact", mask_unknown)
    return found


def mask_unknown(said: bytes) -> bytes:
    """The rule for whoever has none: the first octets, and how long it was."""
    return said[:HEAD_KEPT] + bytes(max(0, len(said) - HEAD_KEPT))


def unchanged(said: bytes) -> bytes:
    """The rule of families whose frames can hold nothing personal."""
    return said


def named_models_first(profiles: Sequence[Profile], name: str) -> tuple[str, ...]:
    """Profile ids, those that list the model `name` first; all of them when none does."""
    told = name.strip().upper()
    known = [p.id for p in profiles if any(told and m.upper() in told for m in p.match.models)]
    return tuple(known) or tuple(p.id for p in profiles)


def _module(family: str) -> object:
    name = f"device_drivers.{family}.recognise"
    # a family may be a single file: then it has no parts
    try:
        return import_module(name) if find_spec(name) else None
    except ModuleNotFoundError as error:
        if error.name and name.startswith(error.name):
            return None
        raise
