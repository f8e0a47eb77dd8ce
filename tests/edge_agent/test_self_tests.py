"""The daily self-test of a 24-hour terminal, its protocol, and what staff may have a device do."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
import pytest

from edge_agent.self_tests import BY_CLOCK, KEPT, Protocol, SelfTests, _keep, _rows
from hall_core.clock import FixedClock
from hall_core.devices.layout import HallFile
from hall_core.devices.vocabulary import DeviceState, Finding
from simulators.demo_programs import free_port
from simulators.hall import SimulatedHall
from tests.edge_agent.whole_agent import whole_agent

SHANGHAI = ZoneInfo("Asia/Shanghai")
HALL = {
    "hall": "binjiang",
    "name": "滨江",
    "level": "street",
    "services": [{"id": "social", "name": "社保医保", "prefix": "A"}],
    "counters": [{"id": "1", "name": "1号窗口", "services": ["social"]}],
}


def place(**options):
    """A terminal and its printer."""
    line, ups, printer = (f"127.0.0.1:{free_port()}" for _ in range(3))
    told = {"ups": {"address": f"rtu+tcp://{ups}"}, "parts": {"printer": "slips"}, "self_test_at": "05:30"}
    return [
        {
            "name": "h24",
            "profile": "terminal.h24",
            "address": f"rtu+tcp://{line}",
            "options": told | options,
        },
        {"name": "slips", "profile": "escpos.80mm", "address": f"tcp://{printer}"},
    ]


@pytest.fixture
def clock():
    """Before the hour of the test."""
    return FixedClock(datetime(2026, 11, 23, 5, 0, tzinfo=SHANGHAI))


@asynccontextmanager
async def terminal(folder, clock, *, simulated=True, **options):
    """A hall with a simulated terminal, both up; gives the agent and the devices."""
    devices = place(**options)
    files = HallFile.model_validate({"hall": HALL, "devices": devices})
    async with SimulatedHall(files, clock) as hall:
        if not simulated:
            hall.devices["h24"].fault("offline")
        async with whole_agent(folder, clock, *devices) as agent:
            wanted = DeviceState.ONLINE if simulated else DeviceState.OFFLINE
            await agent.until(lambda: agent.keeper("h24").state is wanted)
            await agent.until(lambda: agent.keeper("slips").state is DeviceState.ONLINE)
            yield agent, hall.devices


@asynccontextmanager
async def running(tests):
    """The daily tests, kept."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(tests.run(), name="self-tests")
        yield
        task.cancel()


def at(clock, hour, minute=0, days=0):
    """Let it be so late."""
    day = clock.now().astimezone(SHANGHAI) + timedelta(days=days)
    later = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
    clock.advance((later - clock.now()).total_seconds())


async def test_a_terminal_is_tested_once_a_day_at_its_time_and_the_protocol_is_kept(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, _):
        assert not agent.tests.due("h24"), "not before its time"
        at(clock, 5, 31)
        async with running(agent.tests):
            await agent.until(lambda: agent.tests.last("h24") is not None)
        protocol = agent.tests.last("h24")
        assert (protocol.by, protocol.outcome, protocol.passed) == (BY_CLOCK, "applied", True)
        assert {f.what for f in protocol.findings} == {"printer", "door", "temperature", "relays", "ups"}
        at(clock, 23)
        assert not agent.tests.due("h24")
        at(clock, 0, 10, days=1)
        assert not agent.tests.due("h24")
        at(clock, 5, 30)
        assert agent.tests.due("h24")


async def test_a_test_that_was_missed_while_the_box_was_off_is_made_up_the_same_day(tmp_path, clock):
    at(clock, 9)
    async with terminal(tmp_path, clock) as (agent, _):
        assert agent.tests.due("h24")


async def test_a_terminal_nobody_has_spoken_to_yet_is_not_tested(tmp_path, clock):
    at(clock, 9)
    async with whole_agent(tmp_path, clock, *place()) as agent:
        fresh = SelfTests(agent.hall, agent.devices, tmp_path / "self-tests", lambda: "fresh")
        agent.keeper("h24").state = DeviceState.UNKNOWN
        assert not fresh.due("h24")
        agent.keeper("h24").state = DeviceState.OFFLINE
        assert fresh.due("h24")


async def test_a_terminal_without_an_hour_is_tested_only_when_somebody_asks(tmp_path, clock):
    async with terminal(tmp_path, clock, self_test_at=None) as (agent, _):
        at(clock, 23)
        assert not agent.tests.due("h24")
        assert (await agent.tests.test("h24", "wang")).by == "wang"


async def test_what_fails_stands_in_the_device_and_in_its_report_until_a_test_passes(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, devices):
        devices["h24"].fault("battery-weak")
        protocol = await agent.tests.test("h24", "wang")
        assert not protocol.passed
        (failed,) = [f for f in protocol.findings if not f.passed]
        assert (failed.what, "更换电池" in failed.detail) == ("ups", True)
        await agent.until(lambda: "自检未通过（UPS）" in agent.keeper("h24").report().detail)
        assert agent.keeper("h24").state is DeviceState.DEGRADED
        devices["h24"].clear()
        assert (await agent.tests.test("h24", "wang")).passed
        await agent.until(lambda: agent.keeper("h24").state is DeviceState.ONLINE)


async def test_a_failed_test_is_run_again_when_the_box_starts_anew(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, devices):
        devices["h24"].fault("battery-weak")
        await agent.tests.test("h24", "wang")
        again = SelfTests(agent.hall, agent.devices, tmp_path / "self-tests", lambda: "again")
        assert again.due("h24"), "although it is not its time"
        devices["h24"].clear()
        async with running(again):
            await agent.until(lambda: agent.tests.last("h24").passed)
        assert not again.due("h24")


async def test_the_printer_without_paper_fails_the_test_and_degrades_the_terminal(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, devices):
        devices["slips"].fault("paper-out")
        await agent.until(lambda: "打印机「slips」" in agent.keeper("h24").detail)
        assert agent.keeper("h24").state is DeviceState.DEGRADED
        protocol = await agent.tests.test("h24", "wang")
        assert [f.what for f in protocol.findings if not f.passed] == ["printer"]


async def test_a_terminal_that_is_away_at_its_time_fails_and_is_tested_when_it_is_back(tmp_path, clock):
    async with terminal(tmp_path, clock, simulated=False) as (agent, devices):
        at(clock, 5, 30)
        async with running(agent.tests):
            await agent.until(lambda: agent.tests.last("h24") is not None)
        protocol = agent.tests.last("h24")
        assert (protocol.outcome, protocol.passed) == ("unreachable", False)
        assert protocol.findings[0].detail
        assert not agent.tests.due("h24"), "once is enough while it is away"
        devices["h24"].clear()
        await agent.until(lambda: agent.keeper("h24").state is DeviceState.ONLINE)
        assert agent.tests.due("h24")


@asynccontextmanager
async def staff(agent):
    token = agent.accounts.add_token("wang")
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=agent.url, headers=headers, timeout=30) as http:
        yield http


async def test_staff_test_and_read_the_protocols_newest_first(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, devices), staff(agent) as http:
        answer = await http.post("/api/devices/h24/self-test")
        assert (answer.status_code, answer.json()["by"], answer.json()["passed"]) == (200, "wang", True)
        devices["h24"].fault("door-open")
        await http.post("/api/devices/h24/self-test")
        rows = (await http.get("/api/devices/h24/self-tests")).json()
        assert [row["passed"] for row in rows] == [False, True]
        assert len((await http.get("/api/devices/h24/self-tests?limit=1")).json()) == 1


async def test_staff_restart_a_terminals_computer(tmp_path, clock):
    async with terminal(tmp_path, clock) as (agent, devices), staff(agent) as http:
        answer = await http.post("/api/devices/h24/restart")
        assert (answer.status_code, answer.json()) == (200, {"device": "h24", "outcome": "applied"})
        assert devices["h24"].shows()["restarts"] == 1
        devices["h24"].fault("relay-stuck")
        answer = await http.post("/api/devices/h24/restart")
        assert (answer.status_code, answer.json()["type"]) == (409, "device-refused")
        assert "未重启" in answer.json()["title"]
        devices["h24"].fault("offline")
        await agent.until(lambda: agent.keeper("h24").state is DeviceState.OFFLINE)
        answer = await http.post("/api/devices/h24/restart")
        assert (answer.status_code, answer.json()["type"]) == (503, "device-away")
        assert devices["h24"].shows()["restarts"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("POST", "/api/devices/nobody/restart", 404, "unknown-device"),
        ("POST", "/api/devices/nobody/self-test", 404, "unknown-device"),
        ("GET", "/api/devices/nobody/self-tests", 404, "unknown-device"),
        ("GET", "/api/devices/..%2F..%2Faccounts/self-tests", 404, "not-found"),
        ("POST", "/api/devices/slips/restart", 409, "device-cannot"),
        ("POST", "/api/devices/slips/self-test", 409, "device-cannot"),
        ("GET", "/api/devices/slips/self-tests", 409, "device-cannot"),
        ("GET", "/api/devices/h24/self-tests?limit=0", 422, "bad-request"),
    ],
)
async def test_what_cannot_be_asked_is_explained(tmp_path, clock, method, path, status, slug):
    async with terminal(tmp_path, clock) as (agent, _), staff(agent) as http:
        answer = await http.request(method, path)
        assert (answer.status_code, answer.json()["type"]) == (status, slug)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "restart"), ("POST", "self-test"), ("GET", "self-tests")]
)
async def test_only_staff_may_ask(tmp_path, clock, method, path):
    async with terminal(tmp_path, clock) as (agent, devices), httpx2.AsyncClient(base_url=agent.url) as http:
        answer = await http.request(method, f"/api/devices/h24/{path}")
        assert (answer.status_code, answer.json()["type"]) == (401, "login-needed")
        assert devices["h24"].shows()["restarts"] == 0
        assert agent.tests.last("h24") is None


async def test_a_terminal_is_locked_outside_the_hours_of_its_service(tmp_path, clock):
    devices = place()
    hours = {day: ["06:00-22:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    devices[0]["screen"] = {"hours": hours}
    files = HallFile.model_validate({"hall": HALL, "devices": devices})
    async with SimulatedHall(files, clock) as hall, whole_agent(tmp_path, clock, *devices) as agent:
        await agent.until(lambda: agent.keeper("h24").outcome == "applied")
        assert hall.devices["h24"].shows()["locked"] is True
        at(clock, 6)
        agent.keeper("h24").poke()
        await agent.until(lambda: not hall.devices["h24"].shows()["locked"])


def protocol(now, day):
    return Protocol(
        at=now - timedelta(days=day),
        device="h24",
        by=BY_CLOCK,
        outcome="applied",
        passed=True,
        findings=(Finding(what="door", passed=True),),
    )


def test_protocols_are_kept_for_sixty_days_as_lines_of_json(tmp_path, clock):
    path, now = tmp_path / "h24.jsonl", clock.now()
    for day in (75, 61, 59, 1):
        _keep(path, protocol(now, day), now - timedelta(days=day) - KEPT)
    _keep(path, protocol(now, 0), now - KEPT)
    ages = [(now - datetime.fromisoformat(row["at"])).days for row in _rows(path)]
    assert ages == [59, 1, 0]
    assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_a_line_torn_by_a_power_cut_is_passed_over(tmp_path, clock):
    path, now = tmp_path / "h24.jsonl", clock.now()
    _keep(path, protocol(now, 1), now - KEPT)
    with path.open("a", encoding="utf-8") as out:
        out.write('{"at": "2026-')
    assert len(_rows(path)) == 1
    _keep(path, protocol(now, 0), now - KEPT)
    assert len(_rows(path)) == 2
    assert path.read_text("utf-8").count("\n") == 2
