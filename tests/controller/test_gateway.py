"""The gateway's wire, against the message house simulator and against silence."""

import random

import httpx2
import pytest

from controller.gateways.http import HttpGateway
from controller.use_cases.ports import Asked, Busy, Fate, Taken
from hall_core.clock import SystemClock
from hall_core.errors import GatewayRejected, GatewayUnknown
from simulators.sms_gateway import Gateway
from tests.controller.houses import a_parcel

KEY = "house-key"


@pytest.fixture
def house():
    return Gateway(KEY, SystemClock())


@pytest.fixture
async def gateway(house):
    async with HttpGateway("http://house.test/", KEY, httpx2.ASGITransport(app=house.app)) as made:
        yield made


@pytest.fixture
def to():
    return f"+8613{random.randrange(10**9):09d}"


async def send(gateway, to, ref="t1.called.1"):
    return await gateway.send(a_parcel(ref, to=to))


def asked(ref="t1.called.1"):
    return Asked(ref, "", "", SystemClock().now())


async def test_a_message_is_taken_once_and_found_again(gateway, house, to):
    first = await send(gateway, to)
    assert isinstance(first, Taken)
    assert await send(gateway, to) == first
    assert (await gateway.find(asked())) == first
    assert await gateway.find(asked("t2.called.1")) is None
    assert len(house.messages) == 1


@pytest.mark.parametrize(("status", "fate"), [("delivered", Fate.DELIVERED), ("failed", Fate.FAILED)])
async def test_what_became_of_it_is_told_when_asked(status, fate):
    body = {"found": True, "id": "7", "status": status}
    async with refusing(httpx2.Response(200, json=body)) as gateway:
        assert await gateway.find(asked()) == Taken("7", fate)


@pytest.mark.parametrize(("fault", "down"), [("throttle", False), ("unavailable", True)])
async def test_what_was_not_taken_may_be_offered_again(gateway, house, to, fault, down):
    house.faults.switch_on(fault)
    outcome = await send(gateway, to)
    assert isinstance(outcome, Busy)
    assert outcome.down is down
    assert house.messages == []


async def test_a_final_no_is_a_rejection(gateway):
    with pytest.raises(GatewayRejected):
        await send(gateway, "+8612")


async def test_a_wrong_key_is_ours_to_mend_and_loses_no_notice(house, to):
    async with HttpGateway("http://house.test", "wrong", httpx2.ASGITransport(app=house.app)) as gateway:
        assert await send(gateway, to) == Busy("HTTP 401", down=True)


def refusing(error: Exception | httpx2.Response) -> HttpGateway:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if isinstance(error, Exception):
            raise error
        return error

    return HttpGateway("http://house.test", KEY, httpx2.MockTransport(answer))


@pytest.mark.parametrize("error", [httpx2.ConnectError("refused"), httpx2.ConnectTimeout("slow")])
async def test_no_connection_means_it_was_certainly_not_taken(to, error):
    async with refusing(error) as gateway:
        assert isinstance(await send(gateway, to), Busy)


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ReadTimeout("slow"),
        httpx2.WriteError("reset"),
        httpx2.RemoteProtocolError("cut"),
        httpx2.Response(500),
        httpx2.Response(502, text="<html>"),
        httpx2.Response(302, headers={"location": "http://elsewhere.test"}),
    ],
)
async def test_anything_unclear_is_unknown(to, error):
    async with refusing(error) as gateway:
        with pytest.raises(GatewayUnknown) as caught:
            await send(gateway, to)
        assert to not in repr(caught.value)
        with pytest.raises(GatewayUnknown):
            await gateway.find(asked())


@pytest.mark.parametrize("body", ["[]", "{}", "null", "<html>", '{"found": tr'])
async def test_an_answer_that_makes_no_sense_is_no_answer(body):
    async with refusing(httpx2.Response(200, text=body)) as gateway:
        with pytest.raises(GatewayUnknown):
            await gateway.find(asked())
