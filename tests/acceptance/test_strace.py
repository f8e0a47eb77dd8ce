"""Each system call that stores or answers fails once: killed there, or told of a broken or a full disk.

One box lives through all of it, a life per fault. Nothing that was answered is lost, nothing is doubled.
"""

import asyncio
import sys
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.acceptance.agent_process import agent_process
from tests.acceptance.machine import need
from tests.acceptance.syscalls import injected
from tests.acceptance.test_disk import token_of
from tests.acceptance.test_kill import all_facts, hall_file

pytestmark = [pytest.mark.root, pytest.mark.slow]

#: per commit four writes into the log and one flush; per answer two writes to its socket
COMMITS, WRITES = 4, 4
KILLS = [
    *(f"pwrite64:signal=KILL:when={k}" for k in range(1, COMMITS * WRITES + 1)),
    *(f"fdatasync:signal=KILL:when={k}" for k in range(1, COMMITS + 1)),
    *(f"write:signal=KILL:when={k}" for k in range(1, 2 * COMMITS + 1)),
]
BROKEN = [
    *(f"fdatasync:error=EIO:when={k}" for k in range(1, COMMITS + 1)),
    *(f"pwrite64:error=EIO:when={k}" for k in range(1, COMMITS * WRITES + 1, 3)),
]
#: a box that answers and stores a moment later: what these tests must catch
HASTY = """
import asyncio
import sys
from edge_agent import cli, hall

async def hasty(self, batch, real=hall.Hall._commit):
    for item, answer in batch.answers:
        no = isinstance(answer, hall.Refused)
        hall._answer(item, answer if no else hall.Handled(answer, batch.draft.queue()))
    await asyncio.sleep(0.1)
    await real(self, batch)

hall.Hall._commit = hasty
sys.exit(cli.main(sys.argv[2:]))
"""
FULL = [f"pwrite64:error=ENOSPC:when={k}" for k in range(1, COMMITS * WRITES + 1, 3)]


class Lives:
    """One box over many lives, and what the people around it were told."""

    def __init__(self, layout, data, token):
        self.layout, self.data = layout, data
        self.headers = {"Authorization": f"Bearer {token}"}
        self.tickets, self.calls, self.unanswered, self.count, self.url = {}, {}, [], 0, ""

    @asynccontextmanager
    async def life(self, *under):
        async with (
            agent_process(self.layout, self.data, "--standalone", under=under) as agent,
            httpx2.AsyncClient(base_url=agent.url, headers=self.headers, timeout=10) as http,
        ):
            self.url = agent.url
            for request_id, path, body in list(self.unanswered):
                answer = await http.post(path, json=body)
                assert answer.status_code in (200, 201, 409), answer.text
                self.told(request_id, answer)
            self.unanswered.clear()
            yield agent, http

    async def ask(self, http, kind, path, **body):
        self.count += 1
        request_id = f"{kind}-{self.count}"
        body = {"request_id": request_id, **body}
        self.unanswered.append((request_id, path, body))
        answer = await http.post(path, json=body)
        if answer.status_code != 503:
            self.told(request_id, answer)
            self.unanswered.pop()

    def told(self, request_id, answer):
        said = answer.json()
        if request_id.startswith("take") and answer.status_code in (200, 201):
            assert self.tickets.setdefault(request_id, said["label"]) == said["label"], (
                "one request, two numbers"
            )
        elif request_id.startswith("call") and answer.status_code == 200:
            self.calls[request_id] = said["ticket"]["label"]

    async def work(self, http):
        """Four commits: two numbers, a call and its begin."""
        await self.ask(http, "take", "/api/tickets", service="social")
        await self.ask(http, "call", "/api/counters/1/call-next", finish_current=True)
        await self.ask(http, "take", "/api/tickets", service="household")
        await self.ask(http, "start", "/api/counters/1/start")

    def check(self, facts):
        issued = {f["request_id"]: f["label"] for f in facts if f["kind"] == "ticket-issued"}
        labels = [f["label"] for f in facts if f["kind"] == "ticket-issued"]
        names = {f["ticket_id"]: f["label"] for f in facts if f["kind"] == "ticket-issued"}
        called = {f["request_id"]: names[f["ticket_id"]] for f in facts if f["kind"] == "ticket-called"}
        assert [f["n"] for f in facts] == list(range(1, len(facts) + 1))
        assert len(labels) == len(set(labels)), "a number was given twice"
        assert {r: issued.get(r) for r in self.tickets} == self.tickets, "an answered ticket is lost"
        assert {r: called.get(r) for r in self.calls} == self.calls, "an answered call is lost"


@pytest.fixture
async def lives(tmp_path):
    need("strace")
    data = tmp_path / "box"
    lives = Lives(hall_file(tmp_path / "hall.yaml"), data, await token_of(data))
    async with lives.life() as (_, http):
        await lives.ask(http, "open", "/api/counters/1/open")
    return lives


async def no_more(lives, http):
    """Work until the box is gone; False when it survived."""
    try:
        await lives.work(http)
    except httpx2.TransportError:
        return True
    return False


async def ended(agent):
    async with asyncio.timeout(10):
        return await agent.process.wait()


async def the_end(lives):
    async with lives.life() as (agent, http):
        await lives.work(http)
        lives.check((await all_facts(lives.url))[0])
        assert await agent.stop() == 0


async def test_killed_at_every_call_that_stores_or_answers(lives):
    missed = []
    for fault in KILLS:
        async with lives.life() as (agent, http), injected(agent.process.pid, fault):
            if await no_more(lives, http):
                assert await ended(agent) == -9
            else:
                missed.append(fault)
    assert missed == []
    await the_end(lives)


async def test_a_disk_that_breaks_at_any_call_ends_the_program_before_anything_is_told(lives):
    for fault in BROKEN:
        async with lives.life() as (agent, http), injected(agent.process.pid, fault):
            await no_more(lives, http)
            assert await ended(agent) == 2, fault
    await the_end(lives)


async def test_a_disk_that_is_full_at_any_call_refuses_and_the_box_goes_on(lives):
    refused = 0
    async with lives.life() as (agent, http):
        for fault in FULL:
            async with injected(agent.process.pid, fault):
                await lives.work(http)
                refused += (await http.get("/api/state")).json()["storage"] == "full"
            async with asyncio.timeout(20):
                while True:  # its reserve is there again, and so are numbers
                    if (await http.get("/readyz")).status_code == 200:
                        break
                    await asyncio.sleep(0.1)
    assert refused == len(FULL)
    await the_end(lives)


async def test_a_box_that_answers_before_it_has_stored_is_caught(lives):
    for fault in KILLS[:4]:
        async with (
            lives.life(sys.executable, "-c", HASTY) as (agent, http),
            injected(agent.process.pid, fault),
        ):
            assert await no_more(lives, http)
            assert await ended(agent) == -9
    with pytest.raises(AssertionError, match=r"an answered (ticket|call) is lost|one request, two numbers"):
        await the_end(lives)


async def test_killed_at_the_calls_of_its_start(lives):
    async with lives.life() as (agent, http):
        await lives.work(http)
        agent.kill()
    # Most writes are single bytes of the log's index; every fifth one is met, and every flush.
    for call, step, least in (("pwrite64", 5, 4), ("fdatasync", 1, 6)):
        met, k = 0, 1
        while not await starts(lives, call, k):
            met, k = met + 1, k + step
        assert met >= least, f"only {met} calls of {call}"
    await the_end(lives)


async def starts(lives, call, k):
    """False when the box was killed at its `k`th such call before it was ready; else killed right after."""
    strace = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}")
    try:
        async with lives.life(*strace, "-e", f"inject={call}:signal=KILL:when={k}") as (_, http):
            await no_more(lives, http)
    except httpx2.TransportError:
        return True  # killed at a request it was asked again
    except AssertionError:
        return False
    return True
