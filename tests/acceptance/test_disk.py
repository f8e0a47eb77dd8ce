"""Full, read-only, failing and corrupt disks under a real agent: no number leaves that is not stored."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import httpx2
import pytest

from simulators.demo_programs import console_script, run_to_end
from tests.acceptance.agent_process import agent_process
from tests.acceptance.machine import ext4, filled, need, run, tmpfs, until
from tests.acceptance.test_kill import all_facts, hall_file

pytestmark = pytest.mark.root

#: one for all lives of a box: a request id is never used twice
NUMBERS = count(1)


class Box:
    """What a citizen and a clerk can do at one box, and what they were told."""

    def __init__(self, agent, http):
        self.agent, self.http = agent, http
        self.told = {}
        self.numbers = NUMBERS

    async def take(self, service="social"):
        request = f"take-{next(self.numbers)}"
        answer = await self.http.post("/api/tickets", json={"request_id": request, "service": service})
        if answer.status_code == 201:
            self.told[request] = answer.json()["label"]
        return answer

    async def act(self, action, **more):
        body = {"request_id": f"{action}-{next(self.numbers)}", **more}
        return await self.http.post(f"/api/counters/1/{action}", json=body)

    async def state(self):
        return (await self.http.get("/api/state")).json()

    async def take_until_refused(self, most=4000):
        for _ in range(most):
            answer = await self.take("social" if next(self.numbers) % 2 else "household")
            if answer.status_code != 201:
                return answer
        pytest.fail("the disk never got full")

    async def storage(self, wanted):
        async def so():
            return (await self.state())["storage"] == wanted

        await until(so)


async def token_of(data):
    made = await run_to_end([console_script("hall-agent"), "staff", "token", "test", "--data", str(data)])
    return made.strip()


@asynccontextmanager
async def box_on(data, layout, token, *options):
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        agent_process(layout, data, "--standalone", *options) as agent,
        httpx2.AsyncClient(base_url=agent.url, headers=headers, timeout=10) as http,
    ):
        yield Box(agent, http)


async def refused_to_start(layout, data):
    """What the program says when it does not start, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *(console_script("hall-agent"), "run", "--hall", str(layout), "--data", str(data), "--port", "0"),
        "--standalone",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, said.decode()


async def last_told(stream):
    """What the last snapshot says of the storage before the line breaks off."""
    last = None
    with suppress(httpx2.RemoteProtocolError):
        async for line in stream.aiter_lines():
            if line.startswith('data: {"now"'):
                last = json.loads(line[6:])["storage"]
    return last


def write(file, text):
    file.write_text(text)


def nothing_lost(told, facts):
    issued = [f for f in facts if f["kind"] == "ticket-issued"]
    labels = [f["label"] for f in issued]
    assert len(labels) == len(set(labels)), "a number was given twice"
    stored = {f["request_id"]: f["label"] for f in issued}
    assert {r: stored.get(r) for r in told} == told, "a number left that is not stored"
    ns = [f["n"] for f in facts]
    assert ns == list(range(1, len(ns) + 1))


async def test_a_full_disk_stops_numbers_but_not_calls_and_heals_by_itself(tmp_path):
    need("mount")
    layout = hall_file(tmp_path / "hall.yaml")
    with tmpfs(tmp_path / "disk", 24) as disk:
        data = disk / "box"
        token = await token_of(data)
        async with box_on(data, layout, token) as box:
            assert (await box.act("open")).status_code == 200
            first = await box.take()
            for _ in range(10):
                await box.take()
            assert (data / "reserve").stat().st_blocks * 512 >= 16 * 1024 * 1024
            with filled(disk, left=200_000):
                refused = await box.take_until_refused()
                assert (refused.status_code, refused.json()["type"]) == (503, "storage-unavailable")
                assert "咨询台" in refused.json()["title"]
                assert (await box.state())["storage"] == "full"
                assert (await box.http.get("/readyz")).status_code == 503
                assert 'id="lost" role="alert">' in (await box.http.get("/kiosk")).text
                again = {"request_id": next(iter(box.told)), "service": "social"}
                answer = await box.http.post("/api/tickets", json=again)
                assert (answer.status_code, answer.json()["label"]) == (200, first.json()["label"])
                for _ in range(10):
                    called = await box.act("call-next", finish_current=True)
                    assert called.status_code == 200, called.text
                assert (await box.take()).status_code == 503
            await box.storage("ok")
            assert (await box.http.get("/readyz")).status_code == 200
            assert (await box.take()).status_code == 201
            nothing_lost(box.told, (await all_facts(box.agent.url))[0])
            told, last = dict(box.told), box.agent
            last.kill()
        async with box_on(data, layout, token) as box:
            nothing_lost(told, (await all_facts(box.agent.url))[0])


async def test_a_box_whose_disk_is_full_starts_and_serves_those_who_wait(tmp_path):
    need("mount")
    layout = hall_file(tmp_path / "hall.yaml")
    with tmpfs(tmp_path / "disk", 24) as disk:
        data = disk / "box"
        token = await token_of(data)
        async with box_on(data, layout, token) as box:
            await box.act("open")
            told = [(await box.take()).json()["label"] for _ in range(3)]
            box.agent.kill()
        with filled(disk, left=0):
            async with box_on(data, layout, token) as box:
                assert (await box.state())["storage"] == "full"
                assert (await box.take()).json()["type"] == "storage-unavailable"
                called = await box.act("call-next")
                assert called.json()["ticket"]["label"] == told[0]
        assert not list(data.glob("*.corrupt.*")), "a full disk says nothing about the journal"


async def test_a_disk_that_fails_in_service_ends_the_program_and_the_journal_is_whole(tmp_path):
    """ext4 with `errors=remount-ro`, as on the boxes: after an error nothing can be written any more."""
    need("mount", "mkfs.ext4")
    layout = hall_file(tmp_path / "hall.yaml")
    image, disk = tmp_path / "card", tmp_path / "disk"
    with ext4(image, disk, mib=64, options="loop,errors=remount-ro"):
        data = disk / "box"
        token = await token_of(data)
        async with box_on(data, layout, token) as box:
            for _ in range(5):
                assert (await box.take()).status_code == 201
            told = dict(box.told)
            device = run("findmnt", "-n", "-o", "SOURCE", disk).rsplit("/", 1)[1]
            write(Path(f"/sys/fs/ext4/{device}/trigger_fs_error"), "a worn-out card")
            async with box.http.stream("GET", "/api/stream") as stream:
                refused = await box.take()
                assert (refused.status_code, refused.json()["type"]) == (503, "storage-unavailable")
                assert await last_told(stream) == "broken", "the kiosk is told before the program ends"
            assert await box.agent.process.wait() == 2
        code, said = await refused_to_start(layout, data)
        assert (code, "check the disk" in said, "Traceback" in said) == (2, True, False), said
        assert not list(data.glob("*.corrupt.*")), "a read-only disk says nothing about the journal"
    with ext4(image, disk):
        async with box_on(disk / "box", layout, token) as box:
            nothing_lost(told, (await all_facts(box.agent.url))[0])
            assert (await box.take()).status_code == 201


async def test_a_corrupt_page_is_set_aside_and_no_number_is_given_twice(tmp_path):
    layout, data = hall_file(tmp_path / "hall.yaml"), tmp_path / "box"
    token = await token_of(data)
    async with box_on(data, layout, token) as box:
        told = [(await box.take()).json()["label"] for _ in range(5)]
        stream = (await box.state())["stream"]["id"]
        await box.agent.stop()
    with (data / "journal.db").open("r+b") as file:
        file.seek(4096 + 100)
        file.write(b"\xff" * 64)
        file.seek(3 * 4096)
        file.write(b"\xff" * 64)
    async with box_on(data, layout, token) as box:
        assert (await box.state())["stream"]["id"] != stream
        fresh = [(await box.take()).json()["label"] for _ in range(5)]
    assert len(list(data.glob("journal.db.corrupt.*"))) >= 1
    assert set(told).isdisjoint(fresh), "the new incarnation gives other numbers"
