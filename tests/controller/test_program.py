"""The program itself: real process, real broker, real bytes."""

import asyncio
import json
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import httpx2
import pytest
from aiomqtt import ProtocolVersion

from controller.use_cases.ports import Outgoing
from hall_core.clock import SystemClock
from hall_core.queueing import commands as c
from hall_core.wire.envelope import ControllerState, decode
from simulators.demo_programs import Program, ProgramDied, Programs, console_script, run_to_end
from tests.brokers import BOTH, broker_of
from tests.controller.box import Box
from tests.local_broker import end

CONTROLLER = console_script("hall-controller")
STATE = "qh/1/controller/state"


class Running:
    """A controller's process, its data and its doors."""

    def __init__(self, programs: Programs, data: Path, broker_url: str, *options: str):
        self._programs, self.data, self._broker_url, self._options = programs, data, broker_url, options
        self.key = self.url = ""
        self.program: Program

    async def start(self) -> "Running":
        argv = [CONTROLLER, "run", "--data", str(self.data), "--port", "0", *self._options]
        env = {"HALL_CONTROLLER_BROKER": self._broker_url, "HALL_CONTROLLER_GATEWAY_KEY": "house"}
        self.program = await self._programs.start(f"controller-{random.randrange(10**6)}", argv, env=env)
        self.url = await self._programs.ready(self.program)
        return self

    async def end(self, number: signal.Signals) -> int:
        self.program.signal(number)
        async with asyncio.timeout(10):
            return await self.program.process.wait()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient() as client:
            return await client.get(self.url + path, headers=self.headers)

    async def until(self, path: str, good) -> object:
        async with asyncio.timeout(20):
            while True:
                body = (await self.get(path)).json()
                if good(body):
                    return body
                await asyncio.sleep(0.02)  # the program is another process: there is nothing to wait on


@asynccontextmanager
async def running(tmp_path: Path, broker_url: str, *options: str) -> AsyncIterator[Running]:
    data = tmp_path / "data"
    enrol = ["hall", "add", "haitang", "--name", "海棠街道", "--level", "street", "--data", str(data)]
    await run_to_end([CONTROLLER, *enrol])
    key = await run_to_end([CONTROLLER, "key", "add", "test", "--data", str(data)])
    async with Programs(tmp_path / "logs") as programs:
        made = Running(programs, data, broker_url, *options)
        made.key = key.strip()
        yield await made.start()


@asynccontextmanager
async def connected(box: Box, url: str, version: ProtocolVersion) -> AsyncIterator[aiomqtt.Client]:
    """The box speaks with the controller over the broker until the block ends."""
    parts = httpx2.URL(url)
    client = aiomqtt.Client(
        "127.0.0.1",
        parts.port or 0,
        username=parts.username or None,
        password=parts.password or None,
        identifier=box.agent,
        protocol=version,
        will=aiomqtt.Will(box.state("lost").topic, box.state("lost").payload, 1, retain=True),
    )
    async with client, asyncio.TaskGroup() as group:
        await client.subscribe(f"qh/1/{box.agent}/down/+", qos=1)
        await client.subscribe(f"qh/1/{box.agent}/down/desired/+", qos=1)
        await client.publish(box.state().topic, box.state().payload, qos=1, retain=True)
        await client.publish(box.birth().topic, box.birth().payload, qos=1, retain=True)

        async def serve() -> None:
            async for m in client.messages:
                for answer in box.hear(Outgoing(m.topic.value, m.payload, m.qos, retain=False)):
                    await client.publish(answer.topic, answer.payload, qos=1)
                if len(box.journal) > box.acked:
                    await client.publish(box.facts().topic, box.facts().payload, qos=1)

        task = group.create_task(serve())
        yield client
        await end(task)


def versions(kind: str) -> ProtocolVersion:
    return ProtocolVersion.V5 if kind == "mosquitto" else ProtocolVersion.V311


@pytest.mark.parametrize("kind", BOTH)
async def test_a_hall_is_followed_and_answered_over_a_real_broker(kind, tmp_path):
    box = Box(SystemClock()).open()
    async with broker_of(kind, tmp_path, "haitang") as broker:
        async with (
            running(tmp_path, broker.url("controller")) as controller,
            connected(box, broker.url("haitang"), versions(kind)),
            httpx2.AsyncClient(base_url=controller.url, headers=controller.headers) as client,
        ):
            await controller.until(
                "/api/halls/haitang", lambda h: h["online"] and h["stream"]["applied"] >= 3
            )
            body = {"service": "household", "channel": "web"}
            headers = {"Idempotency-Key": "k1"}
            taken = await client.post("/api/halls/haitang/tickets", json=body, headers=headers)
            assert (taken.status_code, taken.json()["label"], taken.json()["series"]) == (201, "A001", "hall")
            gone = await client.post(f"/api/t/{taken.json()['token']}/cancel")
            assert gone.json()["state"] == "cancelled"
            await controller.until("/readyz", lambda body: body["broker"])
        await controller.end(signal.SIGTERM)
        assert controller.program.process.returncode == 0


@pytest.mark.parametrize("kind", BOTH)
async def test_a_controller_killed_in_the_middle_goes_on_where_it_was(kind, tmp_path):
    box = Box(SystemClock()).open()
    async with (
        broker_of(kind, tmp_path, "haitang") as broker,
        running(tmp_path, broker.url("controller")) as controller,
        connected(box, broker.url("haitang"), versions(kind)) as link,
    ):
        await controller.until("/api/halls/haitang", lambda h: h["stream"]["applied"] >= 3)
        for n in range(30):
            box.issue(f"t{n}")
            await link.publish(box.facts().topic, box.facts().payload, qos=1)
            if n == 15:
                await controller.end(signal.SIGKILL)
        await controller.start()
        total = len(box.journal)
        await controller.until("/api/halls/haitang", lambda h: h["stream"]["applied"] == total)
        facts = (await controller.get("/api/facts?hall=haitang")).json()
        assert [x["n"] for x in facts] == list(range(1, total + 1))
        assert [x["kind"] for x in facts] == [x.kind for x in box.journal]


@pytest.mark.mosquitto
async def test_the_controller_comes_back_after_its_broker(tmp_path):
    box = Box(SystemClock()).open()
    async with (
        broker_of("mosquitto", tmp_path, "haitang") as broker,
        running(tmp_path, broker.url("controller")) as controller,
    ):
        await controller.until("/readyz", lambda body: body["broker"])
        await broker.kill()
        await controller.until("/readyz", lambda body: not body["broker"])
        await broker.start()
        await controller.until("/readyz", lambda body: body["broker"])
        async with connected(box, broker.url("haitang"), ProtocolVersion.V5):
            await controller.until("/api/halls/haitang", lambda h: h["stream"]["applied"] >= 3)


@pytest.mark.mosquitto
async def test_the_controllers_state_is_kept_by_the_broker_and_its_epoch_rises(tmp_path):
    async with broker_of("mosquitto", tmp_path, "haitang") as broker:
        parts = httpx2.URL(broker.url("haitang"))
        async with (
            aiomqtt.Client(
                "127.0.0.1", parts.port, username=parts.username, password=parts.password
            ) as client,
            running(tmp_path, broker.url("controller")) as controller,
        ):
            await client.subscribe(STATE, qos=1)

            async def next_state() -> ControllerState:
                async with asyncio.timeout(10):
                    return decode(ControllerState, (await anext(client.messages)).payload)

            first = await next_state()
            await controller.end(signal.SIGTERM)
            stopped = await next_state()
            await controller.start()
            second = await next_state()
            await controller.end(signal.SIGKILL)
            killed = await next_state()
    assert [s.state for s in (first, stopped, second, killed)] == ["online", "lost", "online", "lost"]
    assert first.epoch == stopped.epoch < second.epoch == killed.epoch


@pytest.mark.mosquitto
async def test_watchers_see_changes_at_once_and_a_stop_ends_their_streams(tmp_path):
    box = Box(SystemClock()).open()
    async with (
        broker_of("mosquitto", tmp_path, "haitang") as broker,
        running(tmp_path, broker.url("controller")) as controller,
        connected(box, broker.url("haitang"), ProtocolVersion.V5) as link,
        httpx2.AsyncClient(base_url=controller.url, headers=controller.headers, timeout=20) as client,
    ):
        await controller.until("/api/halls/haitang", lambda h: h["stream"]["applied"] >= 3)
        box.do(c.OpenCounter(counter="1"))
        box.issue("t1")
        await link.publish(box.facts().topic, box.facts().payload, qos=1)
        await controller.until("/api/halls/haitang", lambda h: h["waiting"] == 1)
        async with (
            client.stream("GET", "/api/stream") as admin,
            client.stream("GET", "/api/t/token-haitang-t1/stream") as citizen,
            asyncio.timeout(30),
        ):
            news, own = events(admin), events(citizen)
            kind, body = await anext(news)
            assert (kind, body["halls"][0]["waiting"]) == ("snapshot", 1)
            assert (await anext(own))[1]["state"] == "waiting"
            box.call("1")
            await link.publish(box.facts().topic, box.facts().payload, qos=1)
            called = await following(own, lambda _, body: body.get("state") == "called")
            assert called["counter_name"] == "1号窗口"
            hall = await following(news, lambda kind, body: kind == "hall" and body["calls"])
            assert hall["calls"][0]["label"] == "A001"
            await following(news, lambda kind, _: kind == "beat")
            stopping = asyncio.create_task(controller.end(signal.SIGTERM))
            assert {kind async for kind, _ in own} <= {"beat", "ticket"}
            assert await stopping == 0


async def following(stream: AsyncIterator[tuple[str, dict]], good) -> dict:
    """The first event that is wanted."""
    async for kind, body in stream:
        if good(kind, body):
            return body
    raise AssertionError("the stream ended before")


async def events(response: httpx2.Response) -> AsyncIterator[tuple[str, dict]]:
    kind = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, json.loads(line.removeprefix("data: "))


@pytest.mark.mosquitto
async def test_no_phone_number_is_written_anywhere(tmp_path):
    from simulators.sms_gateway import Gateway
    from tests.controller.serving import served

    phone = f"13{random.randrange(10**9):09d}"
    house = Gateway("house", SystemClock())
    box = Box(SystemClock()).open()
    async with broker_of("mosquitto", tmp_path, "haitang") as broker, served(house.app) as gateway_url:
        async with (
            running(tmp_path, broker.url("controller"), "--gateway", gateway_url) as controller,
            connected(box, broker.url("haitang"), ProtocolVersion.V5),
            httpx2.AsyncClient(base_url=controller.url, headers=controller.headers) as client,
        ):
            await controller.until(
                "/api/halls/haitang", lambda h: h["online"] and h["stream"]["applied"] >= 3
            )
            body = {"service": "household", "channel": "web", "phone": phone}
            for n, sent in enumerate((body, {**body, "service": "none"}, {**body, "phone": phone + "9"})):
                headers = {"Idempotency-Key": f"k{n}"}
                answer = await client.post("/api/halls/haitang/tickets", json=sent, headers=headers)
                assert phone not in answer.text
            await controller.until("/api/notices", lambda rows: rows and rows[0]["state"] == "accepted")
            for path in ("tickets", "notices", "facts", "alarms", "halls"):
                assert phone not in (await controller.get(f"/api/{path}")).text
            assert phone not in (await controller.get("/metrics")).text
        await controller.end(signal.SIGTERM)
    assert len(house.messages) == 1
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "controller.db" for path in written)
    for path in written:
        assert phone.encode() not in path.read_bytes(), path
    assert (controller.data / "phone.key").stat().st_mode & 0o777 == 0o600


async def refused(*arguments: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        CONTROLLER,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    assert process.returncode == 2, out.decode()
    assert b"Traceback" not in out
    return out.decode()


async def test_it_does_not_open_to_others_before_it_knows_its_people_and_its_halls(tmp_path):
    data = str(tmp_path / "data")
    everywhere = ("run", "--data", data, "--host", "0.0.0.0", "--port", "0")
    assert f"hall-controller admin add NAME --data {data}" in await refused(*everywhere)
    await run_to_end([CONTROLLER, "admin", "add", "chief", "--data", data])
    assert "--broker mqtt://user:password@host:port" in await refused(*everywhere)
    assert "--broker-cert" in await refused(*everywhere, "--broker", "mqtts://127.0.0.1")


async def test_wrong_settings_are_one_sentence(tmp_path):
    data = str(tmp_path / "data")
    assert "HALL_CONTROLLER_DATA" in await refused("run")
    assert "mqtt://" in await refused("run", "--data", data, "--broker", "http://x")
    assert "HALL_CONTROLLER_PORT" in await refused("run", "--data", data, HALL_CONTROLLER_PORT="many")
    assert "database" in await refused("run", "--data", data, "--database", "postgresql://qh@127.0.0.1:1/x")
    assert "level" in await refused(
        "hall", "add", "haitang", "--name", "x", "--level", "city", "--data", data
    )
    assert "--agent" in await refused("hall", "add", "ab", "--name", "x", "--level", "street", "--data", data)
    assert "parent" in await refused(
        *("hall", "add", "haitang", "--name", "x", "--level", "street", "--parent", "up", "--data", data)
    )
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "port" in await refused("run", "--data", data, "--port", str(taken.getsockname()[1]))


async def test_a_key_others_may_read_stops_the_program(tmp_path):
    data = tmp_path / "data"
    await run_to_end([CONTROLLER, "admin", "add", "chief", "--data", str(data)])
    with pytest.raises(ProgramDied):
        await run_to_end([CONTROLLER, "doctor", "--data", str(data), "--broker", "mqtt://127.0.0.1:1"])
    (data / "phone.key").chmod(0o644)
    assert "chmod 600" in await refused("run", "--data", str(data))
