"""Listening in on a device: both directions, as they pass, without touching them.

Give a `BusPool` a `Note` and it hears all that is said through the pool: the bytes of links and of those who
dial in, and each message of a broker with its topic.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from device_drivers.bus.address import Address
from device_drivers.bus.link import Link, Opener, open_link
from hall_core.devices.profile import Profile

__all__ = ["Mark", "Note", "tapped"]

#: `>` from the host to the device, `<` from the device
Mark = Literal[">", "<"]


class Note(Protocol):
    """Gets every piece of bytes at once, a whole message where it has a topic; must not wait."""

    def __call__(self, mark: Mark, data: bytes, topic: str = "", /) -> None:
        """Bytes passed by."""


def tapped(note: Note, opener: Opener = open_link) -> Opener:
    """An opener whose links tell `note` all that is said on them."""

    async def opened(
        address: Address, profile: Profile, hear: Callable[[bytes], None], lost: Callable[[Link], None]
    ) -> Link:
        outer: _Tapped

        def heard(data: bytes) -> None:
            note("<", data)
            hear(data)

        outer = _Tapped(note)
        outer.inner = await opener(address, profile, heard, lambda _inner: lost(outer))
        return outer

    return opened


class _Tapped(Link):
    """A link that passes everything on to the one inside."""

    inner: Link

    def __init__(self, note: Note) -> None:
        super().__init__(lambda _data: None, lambda _link: None)
        self._note = note

    @property
    def alive(self) -> bool:
        return self.inner.alive

    def write(self, data: bytes) -> None:
        self._note(">", data)
        self.inner.write(data)

    async def close(self) -> None:
        await self.inner.close()
