"""A hall adds a model by one file beside its hall file: agent, doctor and simulated hall all know it."""

import asyncio

import httpx2
import pytest
import yaml

from firmware_profiles import OWN, beside
from hall_core.clock import SystemClock
from simulators.demo_programs import console_script, free_port, run_to_end
from simulators.hall import SimulatedHall, read_hall_file
from tests.acceptance.agent_process import agent_process
from tests.acceptance.test_kill import hall_file
from tests.drivers.test_new_model import NEW


@pytest.fixture
def layout(tmp_path):
    """A hall with a strip of a model that only this hall knows."""
    path = hall_file(tmp_path / "hall.yaml")
    content = yaml.safe_load(path.read_text("utf-8"))
    strip = {"name": "strip-1", "profile": "acme.strip-9", "address": f"tcp://127.0.0.1:{free_port()}"}
    content["devices"] = [{**strip, "counter": "1"}]
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    (tmp_path / OWN).mkdir()
    (tmp_path / OWN / "acme.strip-9.yaml").write_text(NEW, "utf-8")
    return path


@pytest.mark.slow
async def test_a_call_reaches_a_strip_whose_model_stands_beside_the_hall_file(layout, tmp_path):
    data = tmp_path / "box"
    token = await run_to_end([console_script("hall-agent"), "staff", "token", "wang", "--data", str(data)])
    shown = asyncio.Event()
    async with SimulatedHall(read_hall_file(layout), SystemClock(), beside(layout)) as simulated:
        simulated.devices["strip-1"].on_show = lambda _device, shows: (
            shown.set() if "A001 1" in str(shows) else None
        )
        async with (
            agent_process(layout, data, "--standalone") as agent,
            httpx2.AsyncClient(
                base_url=agent.url, headers={"Authorization": f"Bearer {token.strip()}"}
            ) as http,
        ):
            await http.post("/api/tickets", json={"request_id": "t", "service": "social"})
            await http.post("/api/counters/1/open", json={"request_id": "o"})
            called = await http.post("/api/counters/1/call-next", json={"request_id": "c"})
            assert called.json()["ticket"]["label"] == "A001"
            async with asyncio.timeout(15):
                await shown.wait()


async def test_the_doctor_and_the_list_of_devices_know_it_too(layout):
    listed = await run_to_end([console_script("hall-agent"), "device", "list", "--hall", str(layout)])
    assert "acme.strip-9" in listed


async def test_without_its_file_the_agent_says_which_model_is_missing(layout, tmp_path):
    (tmp_path / OWN / "acme.strip-9.yaml").unlink()
    command = [console_script("hall-agent"), "run", "--standalone", "--port", "0"]
    with pytest.raises(Exception, match=r"acme\.strip-9"):
        await run_to_end([*command, "--hall", str(layout), "--data", str(tmp_path / "box")])
