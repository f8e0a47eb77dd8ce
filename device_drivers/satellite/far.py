"""What is known of a far box and one device of it, from what they say. Reads the wire; waits for nothing."""

import logging
from collections import deque

from device_drivers.bus.mqtt import Heard
from hall_core.clock import Clock
from hall_core.devices.vocabulary import DeviceEvent
from hall_core.errors import WireError
from hall_core.wire.envelope import decode
from hall_core.wire.local import (
    BEAT_S,
    Ages,
    BoxState,
    Done,
    FarHealth,
    Happened,
    LocalLeaf,
    Shown,
    local_place,
)

__all__ = ["FarDeviceState"]

logger = logging.getLogger(__name__)

#: so many answers nobody asked for are kept
DONE_KEPT = 100
#: so many beats may be missed
BEATS = 5


class FarDeviceState:
    """Hear everything; then ask. `boot` is the life of the box that is there now, None while none is.

    A retained "online" proves nothing: a box is there when it says so while we listen.
    """

    def __init__(self, clock: Clock, name: str) -> None:
        self.boot: str | None = None
        self.devices: dict[str, str] = {}
        self.health: FarHealth | None = None
        self.shown: Shown | None = None
        self.done: dict[str, Done] = {}
        #: (until when it is of use, event)
        self.events: deque[tuple[float, DeviceEvent]] = deque(maxlen=50)
        self._clock, self._name = clock, name
        self._ages = Ages()
        self._beat_at = 0.0
        self._last_event = 0

    @property
    def silent(self) -> bool:
        """True when its beats have stopped coming."""
        return self._clock.monotonic() - self._beat_at > BEATS * BEAT_S

    def hear(self, heard: Heard) -> None:
        """Take one message of the box."""
        try:
            _, leaf, _ = local_place(heard.topic)
            match leaf:
                case LocalLeaf.BOX:
                    self._box(decode(BoxState, heard.payload), heard.retained)
                case LocalLeaf.HEALTH:
                    self.health = decode(FarHealth, heard.payload)
                case LocalLeaf.SHOWN:
                    self.shown = decode(Shown, heard.payload)
                case LocalLeaf.DONE:
                    done = decode(Done, heard.payload)
                    self.done[done.job_id] = done
                    while len(self.done) > DONE_KEPT:
                        self.done.pop(next(iter(self.done)))
                case LocalLeaf.HAPPENED:
                    self._happened(decode(Happened, heard.payload))
                case _:
                    return
        except WireError as error:
            logger.warning("message refused device=%s topic=%s reason=%s", self._name, heard.topic, error)

    def _box(self, said: BoxState, retained: bool) -> None:
        if said.state != "online":
            # the will of an earlier life says nothing of this one
            self.boot = None if said.boot == self.boot else self.boot
        elif not retained:
            if said.boot != self.boot:
                self._last_event = 0
            self.boot, self._beat_at = said.boot, self._clock.monotonic()
            self.devices = {device.name: device.profile for device in said.devices}
            self._ages.age(said.boot, said.sent, self._beat_at)

    def _happened(self, said: Happened) -> None:
        now = self._clock.monotonic()
        if said.boot != self.boot or said.n <= self._last_event:
            return
        self._last_event = said.n
        left_s = said.ttl_s - said.age_s - self._ages.age(said.boot, said.sent, now)
        if left_s <= 0:
            logger.warning("came too late device=%s event=%s", self._name, said.event.kind)
            return
        self.events.append((now + left_s, said.event))
