"""One RS-485 line at 9600 baud with 16 Modbus strips, all asked all the time: when does a call arrive?

A pty has no speed, so the simulated line is given one: an octet takes as long as on the wire, both ways.
Baseline is the wire's own limit in the same run: the same call on the same line while nobody asks, plus the
longest conversation that may be in its way. A second line tells what a dead strip on the first one costs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.figures import Figure, Target, figure, percentile, spread
from bench.programs import hall_setup
from bench.runner import Run
from device_drivers import BusPool, open_driver
from firmware_profiles import load
from hall_core.clock import SystemClock
from hall_core.devices.driver import Driver
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.devices.vocabulary import CounterMode, CounterPicture
from hall_core.errors import DeviceUnreachable
from simulators.device import SimDevice
from simulators.hall import SimulatedHall
from simulators.line import Line, Link

__all__ = ["measure"]

PROFILE, UNITS = "modbus.led-strip-generic", 16
#: start, eight bits, stop
OCTET_S = 10 / 9600
#: Modbus over serial line: 3.5 characters of 11 bits
SILENCE_S = 38.5 / 9600


class _Paced:
    """Gives a simulated line the speed of a real one, and counts the questions that have arrived."""

    def __init__(self, line: Line) -> None:
        self._came_in, self._free_at = line.came_in, 0.0
        self.questions: list[tuple[float, bytes]] = []
        #: what is still on the wire when the line is closed goes nowhere
        self.over = False
        line.came_in = self.came_in  # type: ignore[method-assign]
        joined = line.joined

        def slow(link: Link) -> None:
            link.send = self._slowly(link.send)  # type: ignore[method-assign]
            joined(link)

        line.joined = slow  # type: ignore[method-assign]

    def came_in(self, link: Link, data: bytes) -> None:
        """The host's octets are on the wire; then the devices have them."""
        self.questions.append((perf_counter(), data))
        asyncio.get_running_loop().call_later(self._on_air(data), self._came_in, link, data)

    def _slowly(self, send: Any) -> Any:
        def arrive(data: bytes) -> None:
            if not self.over:
                send(data)

        def sent(data: bytes) -> None:
            asyncio.get_running_loop().call_later(self._on_air(data), arrive, data)

        return sent

    def _on_air(self, data: bytes) -> float:
        now = perf_counter()
        self._free_at = max(self._free_at, now) + len(data) * OCTET_S
        return self._free_at - now


@dataclass
class _Bench:
    """Strips on lines, their drivers, and when a text was seen where."""

    sim: SimulatedHall
    paced: dict[str, _Paced]
    drivers: dict[str, Driver]
    asked: list[float] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def call(self, name: str) -> tuple[float, int]:
        """Seconds from the wish to the sight, and how many other units were asked in between."""
        label = f"A{next(self.numbers):04}"
        strip = self.sim.devices[name]
        seen = asyncio.get_running_loop().create_future()

        def showed(_device: SimDevice, shows: dict[str, Any]) -> None:
            if label in shows["text"] and not seen.done():
                seen.set_result(perf_counter())

        strip.on_show = showed
        picture = CounterPicture(counter="1", name="窗口", mode=CounterMode.CALLED, label=label, text=label)
        wire, began = self.paced[strip.setup.address], perf_counter()
        showing = asyncio.create_task(self.drivers[name].show(picture))
        async with asyncio.timeout(20):
            at = await seen
            await showing
        others = {data[0] for t, data in wire.questions if began < t < at} - {strip.unit}
        return at - began, len(others)

    async def power_cut(self, name: str, seconds: float) -> float:
        """Seconds from the return of its power to the sight of what stood there before."""
        strip = self.sim.devices[name]
        before, seen = strip.shows()["text"], asyncio.Event()
        strip.on_show = lambda _device, shows: seen.set() if shows["text"] == before else seen.clear()
        strip.fault("power-cycle", seconds)
        await asyncio.sleep(seconds)
        began = perf_counter()
        async with asyncio.timeout(20):
            await seen.wait()
        return perf_counter() - began

    async def poll(self, name: str) -> None:
        """Ask one strip how it is, for ever; a dead one as well."""
        while True:
            began = perf_counter()
            try:
                await self.drivers[name].probe()
                self.asked.append(perf_counter() - began)
            except DeviceUnreachable:
                await asyncio.sleep(0.5)


@asynccontextmanager
async def _bench(folder: Path) -> AsyncIterator[_Bench]:
    lines = {f"serial://{folder}/a": UNITS, f"serial://{folder}/b": 2}
    setups = [
        DeviceSetup(name=f"{line[-1]}{unit}", profile=PROFILE, address=line, unit=unit)
        for line, units in lines.items()
        for unit in range(1, units + 1)
    ]
    clock, profile = SystemClock(), load(PROFILE)
    layout = HallFile(hall=hall_setup(), devices=tuple(setups))
    sim = SimulatedHall(layout, clock)
    paced = {
        line: _Paced(next(d.line for d in sim.devices.values() if d.setup.address == line)) for line in lines
    }
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(sim)
        buses = await stack.enter_async_context(BusPool(clock=clock))
        drivers = {s.name: open_driver(s, profile, buses, clock) for s in setups}
        for driver in drivers.values():
            await stack.enter_async_context(driver)
        yield _Bench(sim, paced, drivers)
        for wire in paced.values():
            wire.over = True


async def measure(run: Run) -> list[Figure]:
    """A call among polls, and what a dead strip costs on its own line and on another one."""
    rounds = 6 if run.quick else 60
    async with _bench(run.fresh_folder("bus")) as bench:
        run.say("the idle line")
        for name in bench.drivers:
            await bench.call(name)
        idle = [(await bench.call(f"a{n % UNITS + 1}"))[0] for n in range(rounds)]
        alone = [(await bench.call("b1"))[0] for _ in range(rounds)]
        run.say("16 strips are asked all the time")
        async with _polled(bench, [f"a{n}" for n in range(1, UNITS + 1)]):
            await asyncio.sleep(1)
            calls = [await bench.call(f"a{n * 5 % UNITS + 1}") for n in range(rounds)]
        # what may stand in the way of a call: one whole look at a strip, its firmware and its registers
        longest_s = (8 + 7 + 8 + 101) * OCTET_S + 3 * max(SILENCE_S, 0.010)
        run.say("one of them is dead")
        bench.sim.devices["a3"].fault("offline")
        async with _polled(bench, [f"a{n}" for n in range(1, UNITS + 1)]):
            await asyncio.sleep(3)  # two full silences, and it is known as dead
            beside = [
                (await bench.call(f"a{n * 5 % UNITS + 1}"))[0] for n in range(rounds) if n * 5 % UNITS != 2
            ]
            elsewhere = [(await bench.call("b1"))[0] for _ in range(rounds)]
        run.say("one after the other loses its power")
        bench.sim.devices["a3"].clear()
        async with _polled(bench, [f"a{n}" for n in range(1, UNITS + 1)]):
            await asyncio.sleep(3)
            back = [await bench.power_cut(f"a{n + 5}", 6) for n in range(1 if run.quick else 6)]
    return [*_figures(idle, alone, calls, beside, elsewhere, longest_s), _repainted(back)]


def _repainted(back: list[float]) -> Figure:
    note = f"the other 15 are asked all the time, the line is full; {spread(back)}"
    return figure("bus_repaint_after_power_cut", max(back) * 1000, "ms", Target(most=2000), note=note)


@asynccontextmanager
async def _polled(bench: _Bench, names: list[str]) -> AsyncIterator[None]:
    polls = [asyncio.create_task(bench.poll(name)) for name in names]
    try:
        yield
    finally:
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


def _figures(
    idle: list[float],
    alone: list[float],
    calls: list[tuple[float, int]],
    beside: list[float],
    elsewhere: list[float],
    longest_s: float,
) -> list[Figure]:
    took = [seconds for seconds, _ in calls]
    before = max(polls for _, polls in calls)
    limit_ms = (percentile(idle, 50) + longest_s) * 1000
    # one look may be under way already; a second one began before the call
    broken = [f"a call waited for looks at {before} other strips"] if before > 1 else []
    return [
        figure(
            "bus_call_among_polls_p99",
            percentile(took, 99) * 1000,
            "ms",
            Target(ratio_most=1.1),
            baseline=limit_ms,
            note=f"16 strips at 9600 baud; {spread(took)}; idle line {spread(idle)}; "
            f"baseline is the idle line plus one whole look of {longest_s * 1000:.0f} ms",
            broken=broken,
        ),
        figure(
            "bus_call_beside_dead_strip_p99",
            percentile(beside, 99) * 1000,
            "ms",
            Target(ratio_most=1.5),
            baseline=limit_ms,
            note=f"one of the 16 does not answer and is asked again and again; {spread(beside)}",
        ),
        figure(
            "bus_call_on_another_line_p99",
            percentile(elsewhere, 99) * 1000,
            "ms",
            Target(ratio_most=1.2),
            baseline=percentile(alone, 99) * 1000,
            note=f"while the dead strip holds up its own line; {spread(elsewhere)}",
        ),
    ]
