"""Asks who is there, without changing anything: one address after the other on a wire, wires side by side."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from device_drivers.bus import BusPool, NoAnswer, Port, Urgency
from device_drivers.bus.link import Opener, open_link
from device_drivers.recognising import Asking, Ear, Found, Listening, Talk
from edge_agent.doctor.targets import Askable, Target, askables
from hall_core.clock import Clock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile, SerialLine, TcpLine, Timing
from hall_core.errors import DeviceRefused, DeviceUnreachable

__all__ = ["DEFAULT_UNITS", "Look", "Scanner", "Sighting"]

DEFAULT_UNITS = tuple(range(1, 33))
#: silence between two families on one wire: whoever holds half a frame has forgotten it by then
BETWEEN_S = 1.1
CONNECT_MS = 1000
#: so many addresses are looked at side by side
AT_ONCE = 16
#: a projector that serves one client needs this to see that the one before has hung up
HANGING_UP_S = 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that answered at an address. `alone`: its unit has no meaning."""

    address: str
    family: str
    found: Found
    alone: bool


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking at one address; `trouble` when nobody could be asked."""

    target: Target
    sightings: tuple[Sighting, ...] = ()
    trouble: str = ""


class _Shut(Exception):
    """The wire cannot be opened."""


class Scanner:
    """`say` gets a line of progress before whatever takes a while. `units` None: the usual ones."""

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        clock: Clock,
        say: Callable[[str], None],
        *,
        units: Sequence[int] | None = None,
        listen_s: float = 5.0,
        opener: Opener = open_link,
        between_s: float = BETWEEN_S,
    ) -> None:
        self._profiles, self._clock, self._say, self._opener = profiles, clock, say, opener
        self._units, self._listen_s, self._between_s = units, listen_s, between_s
        self._askable = askables()

    async def look(self, targets: Sequence[Target]) -> list[Look]:
        """Look at all of them."""
        gate = asyncio.Semaphore(AT_ONCE)
        looks: dict[str, Look] = {}

        async def one(target: Target) -> None:
            async with gate:
                looks[target.address] = await self._look(target)

        async with asyncio.TaskGroup() as tasks:
            for target in {t.address: t for t in targets}.values():
                tasks.create_task(one(target), name=f"scan.{target.address}")
        return [looks[address] for address in dict.fromkeys(t.address for t in targets)]

    async def _look(self, target: Target) -> Look:
        try:
            if not target.sure:
                await self._knock(target)
            return Look(target, tuple(await self._ask_everybody(target)))
        except _Shut as shut:
            return Look(target, trouble=str(shut))

    async def _knock(self, target: Target) -> None:
        """Whether anybody listens at this port of a host. Raises _Shut."""
        host, _, port = target.address.partition("://")[2].rpartition(":")
        try:
            async with asyncio.timeout(CONNECT_MS / 1000):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except (OSError, TimeoutError) as error:
            raise _Shut from error
        writer.close()
        await asyncio.sleep(HANGING_UP_S)

    async def _ask_everybody(self, target: Target) -> list[Sighting]:
        sightings: list[Sighting] = []
        silent: dict[str, set[int]] = {}
        line: SerialLine | None = None
        tongues: set[str] = set()
        for family in target.families:
            recogniser = self._askable[family]
            if sightings and not self._goes_on(target, recogniser, tongues):
                continue
            for speed in [line] if line else self._lines(target, family):
                found = await self._ask_family(target, family, speed, silent)
                sightings += found
                if not found:
                    continue
                if any(sighting.alone for sighting in found):
                    return sightings
                line = speed if target.shared_wire else None
                tongues.add(recogniser.tongue if isinstance(recogniser, Asking) else "")
                break
        return sightings

    def _goes_on(self, target: Target, recogniser: Askable, tongues: set[str]) -> bool:
        """With a device known there, whether this family may stand beside it."""
        if isinstance(recogniser, Listening):
            return target.shared_wire
        if target.shared_wire:
            return not recogniser.alone
        return bool(recogniser.tongue) and recogniser.tongue in tongues

    def _lines(self, target: Target, family: str) -> Iterator[SerialLine]:
        """Speeds worth trying; behind a server the speed is the server's business."""
        of_profiles = [p.serial for p in self._able(target, family) if p.serial is not None]
        lines = dict.fromkeys([*of_profiles, *self._askable[family].lines])
        first = next(iter(lines), SerialLine())
        yield from lines if target.address.startswith("serial://") else [first]

    async def _ask_family(
        self, target: Target, family: str, line: SerialLine, silent: dict[str, set[int]]
    ) -> list[Sighting]:
        recogniser = self._askable[family]
        if isinstance(recogniser, Listening):
            return await self._listen(target, family, recogniser, line)
        skipped: set[int] = set()
        if recogniser.tongue:  # silent at this speed
            skipped = silent.setdefault(f"{recogniser.tongue} {line}", skipped)
        units = [unit for unit in self._units_at(target, recogniser) if unit not in skipped]
        if not units:
            return []
        few = "" if recogniser.alone else f" #{_span(units)}"
        self._say(f"{target.address}  {_speed(target, line)}{family}{few} …")
        profile = self._probing(target, family, line, recogniser.within_ms)
        found: list[Sighting] = []
        async with BusPool(clock=self._clock, opener=self._opener) as buses, AsyncExitStack() as stack:
            await stack.enter_async_context(self._port(buses, target, profile, 0).standing())
            for unit in units:
                one = await self._ask_unit(buses, target, profile, recogniser, unit)
                if one is None:
                    skipped.add(unit)
                else:
                    found.append(Sighting(target.address, family, one, recogniser.alone))
        if target.shared_wire:
            await asyncio.sleep(self._between_s)
        return found

    async def _ask_unit(
        self, buses: BusPool, target: Target, profile: Profile, recogniser: Asking, unit: int
    ) -> Found | None:
        port, ear = self._port(buses, target, profile, unit), Ear()
        host = target.address.partition("://")[2]
        able = self._able(target, profile.family)
        async with port.standing(ear.hear):
            try:
                return await port.run(
                    Urgency.POLL,
                    lambda turn: recogniser.ask(
                        Talk(turn, ear, host=host, shared_wire=target.shared_wire), unit, able
                    ),
                    retries=0,
                )
            except DeviceRefused:
                return None
            except DeviceUnreachable as error:
                if isinstance(error, NoAnswer) or isinstance(error.__cause__, NoAnswer):
                    return None
                raise _Shut(str(error)) from error

    async def _listen(
        self, target: Target, family: str, recogniser: Listening, line: SerialLine
    ) -> list[Sighting]:
        if self._listen_s <= 0:
            return []
        within = f"{self._listen_s:g} s 内"
        self._say(f"{target.address}  {_speed(target, line)}{family}：{within} {recogniser.invitation}")
        profile, ear = self._probing(target, family, line, 500), Ear()
        able = self._able(target, family)
        async with BusPool(clock=self._clock, opener=self._opener) as buses:
            port = self._port(buses, target, profile, 0)
            async with port.standing(ear.hear):
                try:
                    await port.run(Urgency.POLL, _just_open)
                except DeviceUnreachable as error:
                    raise _Shut(str(error)) from error
                await ear.until(lambda _heard: None, self._listen_s)
        return [Sighting(target.address, family, f, alone=False) for f in recogniser.read(ear.heard, able)]

    def _units_at(self, target: Target, recogniser: Asking) -> Sequence[int]:
        if recogniser.alone:
            return (1,)
        if not target.shared_wire and recogniser.any_unit is not None:
            return (recogniser.any_unit,)
        if self._units is None and not target.shared_wire and recogniser.first_unit_only:
            return (1,)
        return self._units or DEFAULT_UNITS

    def _able(self, target: Target, family: str) -> list[Profile]:
        """The family's profiles that have the side this address needs."""
        side = "serial" if target.shared_wire else "tcp"
        return [
            p for p in self._profiles.values() if p.family == family and getattr(p, side, None) is not None
        ]

    def _probing(self, target: Target, family: str, line: SerialLine, within_ms: int) -> Profile:
        """A profile that asks once, is patient for so long, and speaks at this speed."""
        timing = Timing(
            response_timeout_ms=within_ms,
            gap_ms=30,
            quarantine_ms=100,
            retries=0,
            probe_s=600,
            down_after=1000,
        )
        tcp = TcpLine(port=1, connect_timeout_ms=CONNECT_MS)
        model = self._able(target, family)[0]
        return model.model_copy(update={"timing": timing, "serial": line, "tcp": tcp})

    def _port(self, buses: BusPool, target: Target, profile: Profile, unit: int) -> Port:
        setup = DeviceSetup(name="scan", profile=profile.id, address=target.address, unit=unit)
        return buses.port(setup, profile)


async def _just_open(_turn: object) -> None:
    """The wire opens; nothing is said."""


def _speed(target: Target, line: SerialLine) -> str:
    return f"{line.baud} {line.format}  " if target.address.startswith("serial://") else ""


def _span(units: Sequence[int]) -> str:
    return str(units[0]) if len(units) == 1 else f"{units[0]}–{units[-1]}"
