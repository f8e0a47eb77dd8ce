"""`kill -9` of a real agent at random moments under load: nothing acknowledged is lost or doubled."""

import asyncio
import random

import httpx2
import pytest
import yaml

from simulators.checkers import total_queue, unique_ids
from simulators.demo_programs import console_script, run_to_end
from tests.acceptance.agent_process import agent_process

CYCLES = 60
TAKERS = 4


def hall_file(path):
    day = ["00:00-24:00"]
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), day)
    hall = {
        "hall": "binjiang",
        "name": "滨江街道政务服务中心",
        "level": "street",
        "hours": hours,
        "services": [
            {"id": "social", "name": "社保医保", "prefix": "A"},
            {"id": "household", "name": "户籍证件", "prefix": "B"},
        ],
        "counters": [{"id": "1", "name": "1号窗口", "services": ["social", "household"]}],
    }
    path.write_text(yaml.safe_dump({"hall": hall, "devices": []}, allow_unicode=True), encoding="utf-8")
    return path


class Told:
    """What the world outside the box was told, and may rely on."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.tickets = {}  # request id -> label
        self.calls = {}  # request id -> (label, call_no)
        self.open_requests = []  # sent, never answered: asked again after the restart
        self.count = 0

    def request(self, kind):
        self.count += 1
        return f"{kind}-{self.count}"


async def take(http, told, request_id):
    service = "social" if int(request_id.rsplit("-", 1)[1]) % 2 else "household"
    answer = await http.post("/api/tickets", json={"request_id": request_id, "service": service})
    if answer.status_code in (200, 201):
        label = answer.json()["label"]
        assert told.tickets.setdefault(request_id, label) == label, "one request, two numbers"


async def taker(http, told):
    """Takes numbers until the box dies; remembers what stayed unanswered."""
    while True:
        request_id = told.request("take")
        told.open_requests.append(request_id)
        await take(http, told, request_id)
        told.open_requests.remove(request_id)


async def clerk(http, told):
    """Calls and finishes; a call that was answered has happened for good."""
    await http.post("/api/counters/1/open", json={"request_id": told.request("open")})
    while True:
        request_id = told.request("call")
        body = {"request_id": request_id, "finish_current": True}
        answer = await http.post("/api/counters/1/call-next", json=body)
        if answer.status_code == 200 and answer.json()["ticket"]["state"] == "called":
            ticket = answer.json()["ticket"]
            told.calls[request_id] = (ticket["label"], ticket["call_no"])


async def until_it_dies(job):
    try:
        await job
    except httpx2.TransportError:
        return


async def life(url, headers, told, kill):
    """One life of the box under load, ended at a random moment."""
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=10) as http:
        for request_id in list(told.open_requests):
            await take(http, told, request_id)
            told.open_requests.remove(request_id)
        async with asyncio.TaskGroup() as tasks:
            for n in range(TAKERS):
                tasks.create_task(until_it_dies(taker(http, told)), name=f"taker {n}")
            tasks.create_task(until_it_dies(clerk(http, told)), name="clerk")
            # The moment is drawn, not waited for: anywhere in the first requests of this life.
            await asyncio.sleep(told.random.uniform(0.0, 0.25))
            kill()


async def all_facts(url):
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        facts, after = [], 0
        while page := (await http.get("/api/facts", params={"after": after, "limit": 1000})).json():
            facts += page
            after = page[-1]["n"]
        state = (await http.get("/api/state")).json()
        return facts, state


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_sixty_kills_under_load_lose_nothing_and_double_nothing(tmp_path, record_property):
    seed = random.SystemRandom().randrange(2**32)
    record_property("seed", seed)
    told, data = Told(seed), tmp_path / "box"
    layout = hall_file(tmp_path / "hall.yaml")
    made = await run_to_end([console_script("hall-agent"), "staff", "token", "test", "--data", str(data)])
    token = made.strip()
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(CYCLES):
        async with agent_process(layout, data, "--standalone") as agent:
            await life(agent.url, headers, told, agent.kill)
    async with agent_process(layout, data, "--standalone") as agent:
        async with httpx2.AsyncClient(base_url=agent.url, timeout=10) as http:
            for request_id in told.open_requests:
                await take(http, told, request_id)
        facts, state = await all_facts(agent.url)
        assert await agent.stop() == 0

    issued = [f for f in facts if f["kind"] == "ticket-issued"]
    labels = [f["label"] for f in issued]
    by_request = {f["request_id"]: f["label"] for f in issued}
    calls = {(f["ticket_id"], f["call_no"]) for f in facts if f["kind"] == "ticket-called"}
    called = {(next(i["label"] for i in issued if i["ticket_id"] == t), no) for t, no in calls}

    assert len(told.tickets) > CYCLES, f"seed {seed}: the load was too small to prove anything"
    assert [f["n"] for f in facts] == list(range(1, len(facts) + 1))
    assert unique_ids(labels) == {}, "a number was given twice"
    assert {r: by_request.get(r) for r in told.tickets} == told.tickets, "an acknowledged ticket is lost"
    assert total_queue(called, told.calls.values(), sorted(called)).ok, "an acknowledged call is lost"
    assert state["stream"]["last"] == len(facts)
