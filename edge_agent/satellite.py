"""Composition root of a satellite box: the same drivers as a hall box, no queue, one broker.

What is shown and done here is decided by the hall box; this one only carries it out, while it is true.
"""

import asyncio
import logging
import random
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from importlib.metadata import version as installed_version

from ulid import ULID

from device_drivers import BusPool, open_driver
from device_drivers.bus.address import Address, parse_broker
from device_drivers.bus.mqtt import Heard, MqttSession, Will
from device_drivers.bus.trust import authorities
from edge_agent.satellite_device import Answer, SatelliteDevice, SatelliteTools
from edge_agent.settings import SatelliteSettings, load_satellite_file
from edge_agent.signed_time import SignedTime
from firmware_profiles import beside
from hall_core.clock import Clock, SteadyTime, SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import DeviceEvent
from hall_core.errors import DeviceUnreachable, SettingsInvalid, WireError
from hall_core.wire.envelope import decode, encode
from hall_core.wire.local import (
    BEAT_S,
    Ages,
    BoxState,
    Do,
    FarDevice,
    Happened,
    LocalLeaf,
    Show,
    local_place,
    local_topic,
)

__all__ = ["SatelliteBox", "run_satellite", "told_the_time"]

logger = logging.getLogger(__name__)

#: a key nobody heard of for so long is forgotten: what it meant then is not what it would do now
EVENT_TTL_S = 3.0
#: an answer the broker does not take in this time (s) is dropped: the hall box asks again
ANSWER_WITHIN_S = 3.0
GOODBYE_S = 1.0
AGAIN_S = 0.1

Opener = Callable[[DeviceSetup, Profile], AbstractAsyncContextManager[Driver]]


async def run_satellite(settings: SatelliteSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsInvalid before anything has started."""
    assert settings.satellite is not None
    assert settings.local_broker is not None
    file = load_satellite_file(settings.satellite)
    name = settings.box or file.box
    if name is None:
        msg = f"satellite file {settings.satellite}: name the box with `box:` there or with --box"
        raise SettingsInvalid(msg)
    shelf = beside(settings.satellite)
    devices = [(setup, shelf.load(setup.profile)) for setup in file.devices]
    clock = SystemClock()
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sig, stop.set)
    broker = parse_broker(settings.local_broker)
    trusted = authorities(settings.local_broker_ca) if broker.scheme == "mqtts" else None
    async with BusPool(clock=clock) as buses:

        def opener(setup: DeviceSetup, profile: Profile) -> AbstractAsyncContextManager[Driver]:
            return open_driver(setup, profile, buses, clock)

        box = SatelliteBox(name, broker, devices, opener, clock, trusted=trusted)
        async with told_the_time(settings, clock):
            print(f"ready satellite {name}", flush=True)  # noqa: T201 - the line others wait for
            await box.run(stop)


@asynccontextmanager
async def told_the_time(
    settings: SatelliteSettings, clock: SystemClock, set_wall: Callable[[datetime], None] | None = None
) -> AsyncIterator[None]:
    """A box whose clock is wrong asks the controller, once before it connects and then again and again."""
    if not settings.time_url:
        yield
        return
    written = SteadyTime(clock, None)
    url, key = settings.time_url, settings.time_key
    telling = SignedTime(clock, written, url=url, key=key, jitter=random.random, set_wall=set_wall)
    await telling.before_start()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(telling.run(), name="time")
        yield
        asking.cancel()


class SatelliteBox:
    """The box at the hall's broker. `run` serves until `stop` is set."""

    def __init__(
        self,
        name: str,
        broker: Address,
        devices: list[tuple[DeviceSetup, Profile]],
        opener: Opener,
        clock: Clock,
        *,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        for setup, profile in devices:
            if profile.family == "satellite":
                msg = f"device {setup.name}: a satellite carries devices, not other satellites"
                raise SettingsInvalid(msg)
        self._name, self._clock = name, clock
        #: one life of this box
        self._boot = str(ULID())
        lost = BoxState(boot=self._boot, state="lost")
        self._session = MqttSession(
            broker, clock=clock, will=Will(local_topic(name, LocalLeaf.BOX), encode(lost)), trusted=trusted
        )
        tools = SatelliteTools(self._boot, clock, opener, random.random, self._tell, self._happened)
        self._devices = {setup.name: SatelliteDevice(setup, profile, tools) for setup, profile in devices}
        self._ages = Ages()
        self._answers: asyncio.Queue[tuple[str, LocalLeaf, Answer]] = asyncio.Queue(maxsize=1000)
        self._events: asyncio.Queue[tuple[str, DeviceEvent, float]] = asyncio.Queue(maxsize=100)
        self._number = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Serve, then say goodbye: a clean end suppresses the last will."""
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._session.serve(), name="satellite.session"),
                tasks.create_task(self._listen(), name="satellite.listen"),
                tasks.create_task(self._beat(), name="satellite.beat"),
                tasks.create_task(self._send_answers(), name="satellite.answers"),
                tasks.create_task(self._send_events(), name="satellite.events"),
                *(tasks.create_task(d.run(), name=f"device.{n}") for n, d in self._devices.items()),
            ]
            await stop.wait()
            with suppress(DeviceUnreachable):
                await self._say_state("stopped", GOODBYE_S)
            for task in running:
                task.cancel()

    async def _listen(self) -> None:
        told = [local_topic(self._name, leaf, "+") for leaf in (LocalLeaf.SHOW, LocalLeaf.DO)]
        while True:
            try:
                async with self._session.listening(told, self._hear):
                    await asyncio.Event().wait()
            except DeviceUnreachable:
                await self._session.next_link(self._session.links)

    async def _beat(self) -> None:
        """Say that the box is there: at once after every connect, then again and again."""
        told = 0
        while True:
            await self._session.until_linked()
            link = self._session.links
            try:
                if link != told:
                    for name, device in self._devices.items():
                        await self._publish(name, LocalLeaf.HEALTH, device.health())
                await self._say_state("online", ANSWER_WITHIN_S)
                told = link
                async with asyncio.timeout(BEAT_S):
                    await self._session.next_link(link)
            except TimeoutError:
                continue
            except DeviceUnreachable:
                await asyncio.sleep(AGAIN_S)

    async def _say_state(self, state: str, within_s: float) -> None:
        said = BoxState(
            boot=self._boot,
            sent=self._clock.monotonic(),
            state="online" if state == "online" else "stopped",
            version=installed_version("quiethall"),
            devices=[FarDevice(name=d.setup.name, profile=d.profile.id) for d in self._devices.values()],
        )
        topic = local_topic(self._name, LocalLeaf.BOX)
        await self._session.publish(topic, encode(said), within_s=within_s, retain=True)

    def _hear(self, heard: Heard) -> None:
        try:
            _, leaf, name = local_place(heard.topic)
            device, now = self._devices.get(name), self._clock.monotonic()
            if device is None or heard.retained:
                logger.warning("not for this box topic=%s retained=%s", heard.topic, heard.retained)
            elif leaf is LocalLeaf.SHOW:
                show = decode(Show, heard.payload)
                device.show(show, self._ages.age(show.boot, show.sent, now))
            elif leaf is LocalLeaf.DO:
                order = decode(Do, heard.payload)
                device.do(order, self._ages.age(order.boot, order.sent, now))
        except WireError as error:
            logger.warning("message refused topic=%s reason=%s", heard.topic, error)

    def _tell(self, device: str, leaf: LocalLeaf, message: Answer) -> None:
        with suppress(asyncio.QueueFull):  # the hall box asks again
            self._answers.put_nowait((device, leaf, message))

    async def _send_answers(self) -> None:
        while True:
            device, leaf, message = await self._answers.get()
            with suppress(DeviceUnreachable):
                await self._publish(device, leaf, message)

    async def _publish(self, device: str, leaf: LocalLeaf, message: Answer) -> None:
        said = message.model_copy(update={"sent": self._clock.monotonic()})
        topic = local_topic(self._name, leaf, device)
        retain = leaf is LocalLeaf.HEALTH
        await self._session.publish(topic, encode(said), within_s=ANSWER_WITHIN_S, retain=retain)

    def _happened(self, device: str, event: DeviceEvent) -> None:
        with suppress(asyncio.QueueFull):  # a card left on a reader for hours
            self._events.put_nowait((device, event, self._clock.monotonic()))

    async def _send_events(self) -> None:
        while True:
            device, event, at = await self._events.get()
            self._number += 1
            number = self._number
            while (left_s := EVENT_TTL_S - (self._clock.monotonic() - at)) > 0:
                try:
                    await self._session.until_linked(left_s)
                    await self._publish_event(device, event, number, at)
                    break
                except DeviceUnreachable:
                    await asyncio.sleep(AGAIN_S)
            else:
                logger.warning("forgotten, the hall was away device=%s event=%s", device, event.kind)

    async def _publish_event(self, device: str, event: DeviceEvent, number: int, at: float) -> None:
        now = self._clock.monotonic()
        said = Happened(
            boot=self._boot, sent=now, n=number, age_s=max(0.0, now - at), ttl_s=EVENT_TTL_S, event=event
        )
        topic = local_topic(self._name, LocalLeaf.HAPPENED, device)
        await self._session.publish(topic, encode(said), within_s=EVENT_TTL_S, expiry_s=EVENT_TTL_S)
