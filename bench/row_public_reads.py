"""Reads of the controller's API a second: a hall for programs with a key, all halls and a ticket for anybody.

The key has a limit that is counted with every request; that it is counted is tried in the end. Baseline
(`bare_reads.py`): bare FastAPI that reads one row of SQLite of the same size, in turns with it.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter

from bench.figures import Figure, Target, figure, spread
from bench.http_client import HttpClient
from bench.programs import bare_program, hall_file, hall_setup
from bench.runner import Run
from bench.street import Street, limited_key, street

__all__ = ["MANY", "clients_of", "measure"]

READERS, TURNS, TICKETS = 8, 6, 20
#: never used up, counted all the same
MANY = 10_000_000
TARGETS = {
    "public_api_reads_hall": Target(ratio_least=0.1),
    "public_api_reads_halls": Target(ratio_least=0.1),
    "public_api_reads_ticket": Target(ratio_least=0.1),
}


@dataclass(slots=True)
class _Reads:
    """What readers of one kind got."""

    clients: list[HttpClient]
    path: Callable[[int], str]
    took: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.took) / self.seconds

    async def turn(self, seconds: float) -> None:
        """All readers ask as fast as they are answered."""
        began = perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number, http in enumerate(self.clients):
                tasks.create_task(self._read(http, began + seconds), name=f"reader {number}")
        self.seconds += perf_counter() - began

    async def _read(self, http: HttpClient, until: float) -> None:
        began = perf_counter()
        while began < until:
            answer = await http.get(self.path(len(self.took)))
            now = perf_counter()
            if answer.status == 200:
                self.took.append(now - began)
            else:
                self.refused += 1
            began = now


async def measure(run: Run) -> list[Figure]:
    """Reads per second of each kind, and that none was refused."""
    folder = run.fresh_folder("public_api_reads")
    layout = hall_file(folder / "hall.yaml", hall_setup(services=4), strips=False)
    hall, turn_s = layout.hall.hall, 0.15 if run.quick else 1.0
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(street(folder, folder / "hall.yaml", layout))
        key = await limited_key(place, "reader", MANY)
        url = place.controller_url
        asking = await stack.enter_async_context(await HttpClient.connect(url, key))
        tokens = await _waiting(asking, hall)
        kinds = {
            "public_api_reads_hall": _Reads(
                await clients_of(stack, url, READERS, key), lambda _: f"/api/halls/{hall}"
            ),
            "public_api_reads_halls": _Reads(
                await clients_of(stack, url, READERS), lambda _: "/api/public/halls"
            ),
            "public_api_reads_ticket": _Reads(
                await clients_of(stack, url, READERS), lambda n: f"/api/t/{tokens[n % len(tokens)]}"
            ),
        }
        size = len((await asking.get(f"/api/halls/{hall}")).body)
        bare_url, _ = await stack.enter_async_context(
            bare_program(folder, "bare_reads.py", str(folder / "bare.db"), str(size))
        )
        await _serves(bare_url)
        bare = _Reads(await clients_of(stack, bare_url, READERS), lambda n: f"/rows/{n}")
        for turn in range(TURNS):
            run.say(f"turn {turn + 1} of {TURNS}")
            for reads in (*kinds.values(), bare):
                await run.rest(0.1)
                await reads.turn(turn_s)
        broken = await _unlimited(place, hall)
    return [_told(row, reads, bare, broken) for row, reads in kinds.items()]


def _told(row: str, reads: _Reads, bare: _Reads, broken: list[str]) -> Figure:
    wrong = [*broken, *([f"{reads.refused} reads were refused"] if reads.refused else [])]
    note = f"{READERS} readers, {spread(reads.took)}"
    rate, floor = reads.per_second, bare.per_second
    return figure(row, rate, "/s", TARGETS[row], baseline=floor, note=note, broken=wrong)


async def clients_of(stack: AsyncExitStack, url: str, count: int, key: str | None = None) -> list[HttpClient]:
    """So many connections, for as long as the stack stands."""
    return [await stack.enter_async_context(await HttpClient.connect(url, key)) for _ in range(count)]


async def _waiting(http: HttpClient, hall: str) -> list[str]:
    """The links of people who wait."""
    found = []
    for n in range(TICKETS):
        body = {"service": f"service-{'abcd'[n % 4]}", "channel": "web"}
        answer = await http.post(f"/api/halls/{hall}/tickets", body, f"Idempotency-Key: waits-{n}\r\n")
        if answer.status != 201:
            raise RuntimeError(f"ticket {n}: {answer.status} {answer.body.decode()}")
        found.append(answer.json()["token"])
    return found


async def _serves(url: str) -> None:
    """The bare server says `ready` before it listens."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with await HttpClient.connect(url):
                    return
            except OSError:
                await asyncio.sleep(0.05)


async def _unlimited(place: Street, hall: str) -> list[str]:
    """A sentence when a key may ask more often than it may."""
    key = await limited_key(place, "slow", 5)
    async with await HttpClient.connect(place.controller_url, key) as http:
        states = [(await http.get(f"/api/halls/{hall}")).status for _ in range(6)]
    return [] if states == [200] * 5 + [429] else [f"a key with 5 requests a minute was answered {states}"]
