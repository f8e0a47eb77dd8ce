"""A hall alone for a day and a night, with 3,000 numbers given meanwhile; and a box whose card dies."""

import asyncio

import pytest

from simulators.checkers import unique_ids
from tests.acceptance.district import HALL, district
from tests.acceptance.machine import need, until

pytestmark = [pytest.mark.root, pytest.mark.slow]

TICKETS, TAKERS = 3_000, 8
SERVICES = ("social", "household")


async def take_many(d, number):
    """So many numbers by several people at once, half of each service."""
    wanted = iter(range(number))

    async def taker():
        for n in wanted:
            await d.take(SERVICES[n % 2])

    async with asyncio.TaskGroup() as tasks:
        for n in range(TAKERS):
            tasks.create_task(taker(), name=f"taker {n}")


@pytest.mark.timeout(240)
async def test_a_day_alone_with_3000_numbers_is_told_within_30_seconds(tmp_path):
    need("nft")
    async with district(tmp_path) as d:
        await d.act("open")
        await d.cable.fail("both")
        await take_many(d, TICKETS // 2)
        for _ in range(20):
            await d.call()
        await d.next_day()
        await take_many(d, TICKETS // 2)
        state = await d.state()
        assert state["uplink"]["unsynced"] > TICKETS
        await d.cable.heal()
        await d.agree(30)
        here, there = await d.facts("agent"), await d.facts("centre", hall=HALL)
    assert [(f["n"], f["kind"]) for f in there] == [(f["n"], f["kind"]) for f in here]
    issued = {f["ticket_id"]: f["label"] for f in there if f["kind"] == "ticket-issued"}
    assert unique_ids((f["day"], f["label"]) for f in there if f["kind"] == "ticket-issued") == {}
    assert len(d.told) > TICKETS
    assert {t: issued.get(t) for t in d.told} == d.told


async def test_a_box_whose_card_died_goes_on_from_its_stick_and_tells_the_centre_what_it_missed(tmp_path):
    need("nft")
    stick = tmp_path / "stick"
    stick.mkdir()
    async with district(tmp_path, "--mirror", str(stick)) as d:
        await d.act("open")
        for _ in range(5):
            await d.take()
        await d.call()
        await d.agree()
        await d.cable.fail("both")
        offline = [await d.take() for _ in range(5)]
        await d.call()
        before = await d.state()

        async def copied():
            return (await d.state())["mirror"] == {"ok": True, "behind": 0}

        await until(copied)
        await d.kill_agent()
        for part in (tmp_path / "box").glob("journal.db*"):
            part.unlink()
        await d.start_agent()
        after = await d.state()
        assert after["stream"]["id"] != before["stream"]["id"], "a new incarnation"
        assert after["counters"] == before["counters"]
        assert [s["waiting"] for s in after["services"]] == [s["waiting"] for s in before["services"]]
        await d.call()  # those who wait are called at once, without the centre
        refused = await d.http.post(
            f"{d.agent.url}/api/tickets", json={"request_id": "too-early", "service": "social"}
        )
        assert refused.json()["type"] == "no-grant", "which numbers were given last nobody can prove"
        await d.cable.heal()
        await d.agree(30)
        fresh = await d.take()
        assert fresh not in d.told.values() or list(d.told.values()).count(fresh) == 1
        await d.agree()
        old = await d.facts("centre", stream=before["stream"]["id"])
        assert (await d.hall())["online"], "the new incarnation is seen"
    labels = {f["label"] for f in old if f["kind"] == "ticket-issued"}
    assert set(offline) <= labels, "what the old stream had not told arrives in it"
    assert [f["n"] for f in old] == list(range(1, before["stream"]["last"] + 1))
