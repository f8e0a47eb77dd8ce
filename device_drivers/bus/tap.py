"""Listening in on a link: both directions, as they pass, without touching them."""

from collections.abc import Callable
from typing import Literal

from device_drivers.bus.address import Address
from device_drivers.bus.link import Link, Opener, open_link
from hall_core.devices.profile import Profile

__all__ = ["Mark", "Note", "tapped"]

#: `>` from the host to the device, `<` from the device
Mark = Literal[">", "<"]
#: gets every piece of bytes at once and must not wait
Note = Callable[[Mark, bytes], None]


def tapped(note: Note, opener: Opener = open_link) -> Opener:
    """An opener whose links tell `note` all that is said on them. Give it to a `BusPool`."""

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
