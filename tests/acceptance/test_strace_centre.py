"""The centre fails at the calls that store what halls tell, what people ask for and what is sent to them.

Killed there, or told of a broken or a full disk: what it had acknowledged is in its database, every number
and every notice exists once. A sample of the calls by default, evenly; each of them with `--all-cells`.
"""

import asyncio
import shutil
import socket
import sqlite3
from contextlib import asynccontextmanager, closing, suppress

import httpx2
import pytest
import uvicorn

from hall_core.clock import SystemClock
from simulators.checkers import total_queue, unique_ids
from simulators.sms_gateway import Gateway
from tests.acceptance.district import HALL, district
from tests.acceptance.insistent import Insistent
from tests.acceptance.machine import need, until
from tests.acceptance.syscalls import counted, while_failing

pytestmark = [pytest.mark.root, pytest.mark.slow]

#: into the database's log; its flush; to people
CALLS = STORES, FLUSHES, ANSWERS = ("pwrite64", "fdatasync", "write")

#: a centre that acknowledges facts and stores them a moment later: what the test must catch
HASTY = """
import asyncio
from controller.use_cases import record
from controller.use_cases.letters import open_letters
from controller.use_cases.ports import to_agent
from hall_core.wire.envelope import Ack, FactBatch
from hall_core.wire.topics import Leaf

async def hasty(self, arrived, real=record.Recorder.record, later=set()):
    letters, _ = open_letters(arrived, self._around.clock.now())
    batches = [(x.agent, x.message) for x in letters if isinstance(x.message, FactBatch)]
    if not batches:
        return await real(self, arrived)
    async def store():
        await asyncio.sleep(0.1)
        await real(self, arrived)
    task = asyncio.get_running_loop().create_task(store())
    later.add(task)
    ends = [(agent, b.stream, b.first + len(b.facts) - 1) for agent, b in batches]
    return [to_agent(agent, Leaf.FACT_ACK, Ack(stream=s, applied=n)) for agent, s, n in ends]

record.Recorder.record = hasty
"""


@asynccontextmanager
async def served(app):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        task = asyncio.get_running_loop().create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


class Town(Insistent):
    """People, and the house that brings them their messages."""

    house: Gateway

    async def a_round(self):
        """All they do, until both sides agree and the messages are out; False when the centre hung up."""
        await self.work()
        try:
            with suppress(AssertionError, TimeoutError):
                await self.d.agree(4)
                await until(self.all_sent, 2)
        except httpx2.TransportError:
            return False
        return not self.cut

    async def under(self, call, k, how):
        """A round with this fault in it, and everybody is answered in the end; its exit code, or None."""
        process, fault = self.d.controller.process, f"{call}:{how}:when={k}"
        code = await while_failing(process, fault, self.a_round, self.next_life)
        await self.settle(after=fault)
        return code

    async def next_life(self):
        await self.acknowledged_is_stored()
        await self.d.start_controller()

    async def acknowledged_is_stored(self):
        """The file as the dead program left it holds every fact the box believes to be there."""
        state = await self.d.state()
        acked = state["stream"]["last"] - state["uplink"]["unsynced"]
        copy = self.d.folder / "left"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for name in ("controller.db", "controller.db-wal"):
            shutil.copy(self.d.folder / "centre" / name, copy / name)
        with closing(sqlite3.connect(copy / "controller.db")) as left:
            query = "SELECT count(*), max(n) FROM facts WHERE stream = ?"
            number, last = left.execute(query, (state["stream"]["id"],)).fetchone()
        assert number == last >= acked, "an acknowledgement left before its commit"

    async def no_notice_twice(self):
        """Over a restart: what the house was given it was given once, and the centre knows of it."""
        await self.d.restart("controller")
        await self.settle()

        await until(self.all_sent)
        rows = await self.notices()
        sent = [row["client_ref"] for row in rows if row["state"] in ("accepted", "delivered")]
        received = [message["client_ref"] for message in self.house.messages]
        assert self.house.doubled == 0
        assert unique_ids((m["to"], m["text"]) for m in self.house.messages) == {}
        queue = total_queue([row["client_ref"] for row in rows], sent, received)
        assert queue.ok, queue
        assert len(received) > 1

    async def all_sent(self):
        """Nothing waits; what a dead centre was sending may be in doubt for longer than this test."""
        return not any(row["state"] in ("pending", "sending") for row in await self.notices())

    async def notices(self):
        url, found = f"{self.d.centre_url}/api/notices", []
        while True:
            asked = {"after": found[-1]["id"] if found else 0, "limit": "500", "hall": HALL}
            rows = (await self.d.http.get(url, params=asked, headers=self.d.headers)).json()
            if not rows:
                return found
            found += rows


@pytest.mark.timeout(5400)
async def test_a_centre_that_fails_at_any_call_keeps_what_it_acknowledged_and_doubles_nothing(
    tmp_path, sample
):
    need("strace")
    house = Gateway("house-key", SystemClock())
    async with served(house.app) as gateway:
        settings = {"HALL_CONTROLLER_GATEWAY": gateway, "HALL_CONTROLLER_GATEWAY_KEY": "house-key"}
        async with district(tmp_path, settings=settings) as d:
            town = Town(d)
            town.house = house
            await town.begin()
            await town.a_round()
            async with counted(d.controller.process.pid, tmp_path / "calls", *CALLS) as calls:
                await town.a_round()
            for error in ("EIO", "ENOSPC"):
                for call, k in [*sample(calls, STORES, 2), *sample(calls, FLUSHES, 1)]:
                    assert await town.under(call, k, f"error={error}") is None, "it has to go on"
            kills = [*sample(calls, STORES, 4), *sample(calls, FLUSHES), *sample(calls, ANSWERS, 2)]
            ended = [await town.under(call, k, "signal=KILL") for call, k in kills]
            assert ended.count(-9) >= len(kills) * 3 // 4, dict(zip(kills, ended, strict=True))
            await town.check()
            await town.no_notice_twice()


async def killed_at_each_of_the_first(town, number):
    for k in range(1, number + 1):
        await town.under(STORES, k, "signal=KILL")


@pytest.mark.timeout(600)
async def test_a_centre_that_acknowledges_before_its_commit_is_caught(tmp_path):
    need("strace")
    async with district(tmp_path, broken_centre=HASTY) as d:
        town = Town(d)
        await town.begin()
        await town.a_round()
        with pytest.raises(AssertionError, match="an acknowledgement left before its commit"):
            await killed_at_each_of_the_first(town, 24)
