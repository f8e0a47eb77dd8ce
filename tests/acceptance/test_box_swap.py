"""A box is replaced while it was alone, and the old one is plugged in again beside the new one."""

from dataclasses import dataclass

import httpx2
import pytest

from simulators.checkers import total_queue, unique_ids
from simulators.demo_programs import console_script, run_to_end
from tests.acceptance.district import HALL, District, district
from tests.acceptance.machine import need, until

pytestmark = [pytest.mark.root, pytest.mark.slow]


async def replaced(d):
    """The administrator says so, and a box with an empty card stands there."""
    await d.kill_agent()
    await d.cable.heal()
    data = str(d.folder / "centre")
    await run_to_end([console_script("hall-controller"), "box", "replace", HALL, "--data", data])
    d.box = "second-box"
    d.token = await d.staff_token(d.box)
    await d.start_agent()
    await d.agree(30)


async def issued_at_the_centre(d):
    """Every number of both boxes."""
    return [f for f in await d.facts("centre") if f["kind"] == "ticket-issued"]


@dataclass
class Zombie:
    """The old box, plugged in again beside the new one."""

    d: District
    url: str
    token: str
    http: httpx2.AsyncClient

    async def asks(self, path, **body):
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.http.post(f"{self.url}{path}", json=body, headers=headers)

    async def has_told(self, stream):
        facts = await self.d.facts("centre", hall=HALL, stream=stream["id"])
        return len(facts) >= stream["last"]

    async def knows_that_it_was_replaced(self):
        answer = await self.asks("/api/tickets", request_id="late", service="social")
        return answer.json().get("type") == "box-replaced"


async def test_an_old_box_that_comes_back_tells_what_it_knows_and_harms_nothing(tmp_path):
    need("nft")
    async with district(tmp_path) as d, httpx2.AsyncClient(timeout=20) as http:
        token = d.token
        assert (await d.act("open")).status_code == 200
        told = [await d.take() for _ in range(5)]
        await d.call()
        await d.agree()
        await d.cable.fail("both")
        alone = [await d.take() for _ in range(5)]
        await d.call()
        before = await d.state()
        assert before["uplink"]["unsynced"] > 0
        await replaced(d)
        waiting = sum(service["waiting"] for service in (await d.state())["services"])
        # What lay in the kernel when the program was killed may have left after it.
        assert waiting >= len(told), "all whom the centre knew stand in line again"
        new = [await d.take() for _ in range(5)]
        assert (await d.act("open")).status_code == 200

        async with d.a_box("box") as box:
            zombie = Zombie(d, box.url, token, http)
            first = await zombie.asks("/api/tickets", request_id="at once", service="social")
            await until(lambda: zombie.has_told(before["stream"]), 40)
            await until(zombie.knows_that_it_was_replaced, 40)
            called = await zombie.asks("/api/counters/1/call-next", request_id="call", finish_current=True)
            assert (called.status_code, called.json()["type"]) == (503, "box-replaced")
            await d.call()
            await d.agree(40)
            alarms = (await d.http.get(f"{d.centre_url}/api/alarms", headers=d.headers)).json()
            assert "old-box-returned" in {alarm["kind"] for alarm in alarms}

        await d.agree(40)
        found = await issued_at_the_centre(d)
        await d.call()
        await d.agree()
    shown = [*told, *alone, *new]
    if first.status_code == 201:
        shown.append(first.json()["label"])
    given = {f["ticket_id"]: f["label"] for f in found}
    assert unique_ids(given.values()) == {}, "one number for two people"
    assert unique_ids(shown) == {}
    assert total_queue(shown, shown, list(given.values())).lost == ()
