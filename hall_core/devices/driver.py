"""What a driver is. One file per family in `device_drivers/`; its name is its registration."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from hall_core.devices.vocabulary import DeviceEvent, DeviceState, Job, Outcome, Picture

__all__ = ["Driver", "Health"]


class Health(Protocol):
    """What a probe found."""

    @property
    def state(self) -> DeviceState: ...

    @property
    def detail(self) -> str: ...


class Driver(AbstractAsyncContextManager["Driver"], Protocol):
    """One connected device. Entering connects (DeviceUnreachable when it cannot), leaving closes.

    Every call ends: each wait for the device is bounded by the profile's timing.
    """

    async def show(self, picture: Picture) -> Outcome:
        """Make the device show this picture, whatever it showed before. Safe to repeat.

        Raises DeviceUnreachable or DeviceRefused.
        """
        ...

    async def do(self, job: Job) -> Outcome:
        """Do a job once. Raises DeviceUnreachable when it certainly did not happen."""
        ...

    async def probe(self) -> Health:
        """Ask the device how it is. Raises DeviceUnreachable when it does not answer."""
        ...

    def events(self) -> AsyncIterator[DeviceEvent]:
        """Keys and ratings as they come, until the link is lost (DeviceUnreachable)."""
        ...
