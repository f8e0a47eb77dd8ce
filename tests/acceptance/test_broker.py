"""Both brokers do what the protocol needs of them, and Mosquitto keeps agents apart."""

import asyncio
import socket
from contextlib import asynccontextmanager

import aiomqtt
import pytest

from hall_core.errors import SettingsInvalid
from hall_core.wire.envelope import MAX_BYTES
from simulators import broker as broker_module
from simulators.broker import open_broker, password_line
from simulators.demo_programs import Programs


@asynccontextmanager
async def running(kind, folder):
    async with Programs(folder / "logs") as programs:
        yield await open_broker(kind, folder=folder / "broker", users=("hall-a", "hall-b"), programs=programs)


def client(broker, user, **changed):
    login = {"username": user, "password": broker.passwords[user]} if broker.kind == "mosquitto" else {}
    return aiomqtt.Client("127.0.0.1", broker.port, **{**login, "timeout": 5, **changed})


async def next_message(listener):
    async with asyncio.timeout(5):
        message = await anext(aiter(listener.messages))
    return str(message.topic), message.payload


async def lose(box):
    """Connect and pull the cable: no goodbye."""
    async with box:
        box._client.socket().shutdown(socket.SHUT_RDWR)
        await next_message(box)


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)])
def kind(request):
    if request.param == "mosquitto":
        request.getfixturevalue("mosquitto")
    return request.param


async def test_facts_go_up_and_acknowledgements_come_down(kind, tmp_path):
    async with (
        running(kind, tmp_path) as broker,
        client(broker, "controller") as controller,
        client(broker, "hall-a") as agent,
    ):
        await controller.subscribe("qh/1/+/up/+", qos=1)
        await agent.subscribe("qh/1/hall-a/down/#", qos=1)
        await agent.publish("qh/1/hall-a/up/facts", b"fact", qos=1)
        assert await next_message(controller) == ("qh/1/hall-a/up/facts", b"fact")
        await controller.publish("qh/1/hall-a/down/ack", b"ack", qos=1)
        assert await next_message(agent) == ("qh/1/hall-a/down/ack", b"ack")


async def test_a_retained_message_waits_for_who_comes_later(kind, tmp_path):
    async with running(kind, tmp_path) as broker:
        async with client(broker, "controller") as controller:
            await controller.publish("qh/1/controller/state", b"online", qos=1, retain=True)
        async with client(broker, "hall-b") as agent:
            await agent.subscribe("qh/1/controller/state", qos=1)
            assert await next_message(agent) == ("qh/1/controller/state", b"online")


async def test_a_last_will_is_told_when_a_box_is_lost(kind, tmp_path):
    will = aiomqtt.Will("qh/1/hall-a/up/state", b"lost", qos=1)
    async with running(kind, tmp_path) as broker, client(broker, "controller") as controller:
        await controller.subscribe("qh/1/+/up/+", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            await lose(client(broker, "hall-a", will=will))
        assert await next_message(controller) == ("qh/1/hall-a/up/state", b"lost")


async def test_the_largest_message_of_the_protocol_passes(kind, tmp_path):
    large = b"x" * MAX_BYTES
    async with (
        running(kind, tmp_path) as broker,
        client(broker, "controller") as controller,
        client(broker, "hall-a") as agent,
    ):
        await controller.subscribe("qh/1/+/up/+", qos=1)
        await agent.publish("qh/1/hall-a/up/facts", large, qos=1)
        assert await next_message(controller) == ("qh/1/hall-a/up/facts", large)


async def test_a_broker_that_was_killed_comes_back_on_its_port(kind, tmp_path):
    async with running(kind, tmp_path) as broker:
        async with client(broker, "controller"):
            pass
        await broker.kill()
        await broker.start()
        async with client(broker, "controller") as controller:
            await controller.publish("qh/1/controller/state", b"online", qos=1)


@pytest.mark.mosquitto
async def test_an_agent_reads_and_writes_nothing_of_another_hall(mosquitto, tmp_path):
    async with (
        running("mosquitto", tmp_path) as broker,
        client(broker, "controller") as controller,
        client(broker, "hall-b") as other,
    ):
        await controller.subscribe("qh/1/+/up/+", qos=1)
        await other.subscribe("#", qos=1)
        async with client(broker, "hall-a") as agent:
            await agent.publish("qh/1/hall-b/up/facts", b"forged", qos=1)
            await agent.publish("qh/1/hall-b/down/wishes", b"forged", qos=1)
            await agent.publish("qh/1/hall-a/up/facts", b"own", qos=1)
        assert await next_message(controller) == ("qh/1/hall-a/up/facts", b"own")
        await controller.publish("qh/1/hall-a/down/wishes", b"for a", qos=1)
        await controller.publish("qh/1/hall-b/down/wishes", b"for b", qos=1)
        assert await next_message(other) == ("qh/1/hall-b/down/wishes", b"for b")


@pytest.mark.mosquitto
async def test_mosquitto_refuses_who_has_no_password(mosquitto, tmp_path):
    async with running("mosquitto", tmp_path) as broker:
        for login in ({"username": None, "password": None}, {"password": "guess"}):
            with pytest.raises(aiomqtt.MqttError):
                async with client(broker, "hall-a", **login):
                    pass


def test_a_password_file_holds_no_password():
    line = password_line("hall-a", "correct horse", salt=b"0" * 12)
    assert line.startswith("hall-a:$7$101$MDAwMDAwMDAwMDAw$")
    assert "correct horse" not in line


async def test_a_wanted_mosquitto_that_is_missing_is_refused_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    async with Programs(tmp_path / "logs") as programs:
        with pytest.raises(SettingsInvalid, match="apt-get install mosquitto"):
            await open_broker("mosquitto", folder=tmp_path, users=(), programs=programs)


async def test_without_mosquitto_the_embedded_broker_is_taken_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(broker_module, "find_mosquitto", lambda: None)
    async with running(None, tmp_path) as broker:
        assert broker.kind == "embedded"
        assert "embedded" in broker.sentence
