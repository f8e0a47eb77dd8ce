"""The simulated SMS gateway keeps its word, and breaks it when told to."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import httpx2
import pytest

from hall_core.clock import FixedClock
from simulators.sms_gateway import Gateway

KEY = {"Authorization": "Bearer right"}


@pytest.fixture
def gateway(clock: FixedClock) -> Gateway:
    return Gateway("right", clock)


@pytest.fixture
async def house(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=gateway.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://house", headers=KEY) as client:
        yield client
    gateway.faults.close()


def number() -> str:
    """A mobile number nobody wrote down."""
    return f"+86138{secrets.randbelow(10**8):08}"


def message(
    ref: str = "r1", to: str | None = None, text: str = "【海棠政务】A018 请到3号窗口"
) -> dict[str, str]:
    return {"client_ref": ref, "to": to or number(), "text": text}


async def test_a_message_is_accepted_once_however_often_it_is_sent(
    gateway: Gateway, house: httpx2.AsyncClient
) -> None:
    first = await house.post("/send", json=message())
    again = await house.post("/send", json=message())
    assert (first.status_code, first.json()["status"]) == (200, "accepted")
    assert (again.status_code, again.json()) == (200, {"id": first.json()["id"], "status": "duplicate"})
    assert (gateway.accepted, gateway.doubled, len(gateway.messages)) == (1, 1, 1)
    assert (await house.get("/stats")).json() == {"accepted": 1, "doubled": 1, "rejected": 0}


async def test_numbers_are_kept_masked(house: httpx2.AsyncClient) -> None:
    to = number()
    await house.post("/send", json=message(to=to))
    answer = await house.get("/messages")
    (kept,) = answer.json()
    assert kept == {
        "to": f"138****{to[-4:]}",
        "text": "【海棠政务】A018 请到3号窗口",
        "accepted_at": "2026-11-23T09:30:00.000000+08:00",
        "client_ref": "r1",
    }
    assert to[3:] not in answer.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (message(to="+86123"), "number"),
        (message(to=number().removeprefix("+86")), "number"),
        (message(text=""), "text"),
        (message(text="字" * 501), "text"),
        ({"to": "x"}, "malformed"),
    ],
)
async def test_what_cannot_be_sent_is_rejected_for_good(
    gateway: Gateway, house: httpx2.AsyncClient, body: dict[str, str], reason: str
) -> None:
    answer = await house.post("/send", json=body)
    assert (answer.status_code, answer.json()) == (400, {"status": "rejected", "reason": reason})
    assert (gateway.rejected, gateway.messages) == (1, [])


async def test_a_wrong_key_sends_nothing(gateway: Gateway, house: httpx2.AsyncClient) -> None:
    for header in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}):
        assert (await house.post("/send", json=message(), headers=header)).status_code == 401
    assert gateway.accepted == 0


@pytest.mark.parametrize(("fault", "status"), [("throttle", 429), ("unavailable", 503)])
async def test_what_was_not_taken_may_be_sent_again(
    gateway: Gateway, house: httpx2.AsyncClient, fault: str, status: int
) -> None:
    assert (await house.post("/faults", json={"fault": fault})).json() == {"faults": [fault]}
    assert (await house.post("/send", json=message())).status_code == status
    assert (await house.get("/status", params={"client_ref": "r1"})).json() == {"found": False}
    await house.delete("/faults")
    assert (await house.post("/send", json=message())).json()["status"] == "accepted"
    assert gateway.doubled == 0


async def test_a_time_out_after_taking_is_found_by_asking(
    gateway: Gateway, house: httpx2.AsyncClient
) -> None:
    gateway.faults.switch_on("accept-then-timeout")
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(house.post("/send", json=message()), name="send")
        async with asyncio.timeout(5):
            while not gateway.messages:  # noqa: ASYNC110 — a gateway rings no bell
                await asyncio.sleep(0)
        assert not sending.done()
        found = (await house.get("/status", params={"client_ref": "r1"})).json()
        assert (found["found"], found["status"]) == (True, "accepted")
        sending.cancel()


@pytest.mark.parametrize(("fault", "fate"), [(None, "delivered"), ("undelivered", "failed")])
async def test_a_message_reaches_the_handset_a_second_later_or_never(
    gateway: Gateway, house: httpx2.AsyncClient, clock: FixedClock, fault: str | None, fate: str
) -> None:
    if fault:
        gateway.faults.switch_on(fault)
    await house.post("/send", json=message())
    clock.advance(1)
    assert (await house.get("/status", params={"client_ref": "r1"})).json()["status"] == fate


async def test_an_unknown_fault_is_a_problem(house: httpx2.AsyncClient) -> None:
    answer = await house.post("/faults", json={"fault": "earthquake"})
    assert (answer.status_code, answer.json()["type"]) == (404, "unknown-fault")
    assert answer.headers["content-type"] == "application/problem+json"
