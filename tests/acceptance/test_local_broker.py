"""The hall's own broker as deploy/ sets it up: each box has its own topics, and nothing is open to anybody."""

from configparser import ConfigParser
from pathlib import Path

import aiomqtt
import pytest

from tests.acceptance.test_deploy import rows
from tests.local_broker import DEPLOY, local_broker

SYSTEMD = DEPLOY.parent / "systemd"


def client(broker, user, **changed):
    login = {"username": user, "password": broker.passwords[user], "timeout": 5}
    return aiomqtt.Client("127.0.0.1", broker.port, **{**login, **changed})


async def heard(listener):
    message = await anext(aiter(listener.messages))
    return str(message.topic), message.payload


@pytest.mark.mosquitto
async def test_a_satellite_writes_its_own_topics_and_reads_its_own(tmp_path):
    async with (
        local_broker(tmp_path, "kiosk-1", "kiosk-2") as broker,
        client(broker, "hall") as hall,
        client(broker, "kiosk-1") as one,
        client(broker, "kiosk-2") as two,
    ):
        await hall.subscribe("qhl/1/+/up/#", qos=1)
        await two.subscribe("qhl/1/#", qos=1)
        await two.publish("qhl/1/kiosk-1/up/box", b"forged", qos=1)
        await two.publish("qhl/1/kiosk-1/down/do/printer", b"forged", qos=1)
        await one.publish("qhl/1/kiosk-1/up/box", b"own", qos=1)
        assert await heard(hall) == ("qhl/1/kiosk-1/up/box", b"own")
        await hall.publish("qhl/1/kiosk-1/down/do/printer", b"for another", qos=1)
        await hall.publish("qhl/1/kiosk-2/down/do/printer", b"for it", qos=1)
        assert await heard(two) == ("qhl/1/kiosk-2/down/do/printer", b"for it")


@pytest.mark.mosquitto
async def test_a_device_announces_only_itself(tmp_path):
    async with (
        local_broker(tmp_path, "panel", "lamp") as broker,
        client(broker, "hall") as hall,
        client(broker, "panel") as panel,
    ):
        await hall.subscribe("homeassistant/#", qos=1)
        await hall.subscribe("sign/#", qos=1)
        for topic in ("homeassistant/text/lamp/config", "sign/lamp/state", "qhl/1/panel/down/show/a"):
            await panel.publish(topic, b"forged", qos=1)
        await panel.publish("homeassistant/text/panel/config", b"own", qos=1)
        assert await heard(hall) == ("homeassistant/text/panel/config", b"own")


@pytest.mark.mosquitto
async def test_nobody_enters_without_a_password_and_nobody_takes_anothers_place(tmp_path):
    async with local_broker(tmp_path, "kiosk-1", "kiosk-2") as broker:
        for wrong in ({"username": None, "password": None}, {"password": "guess"}):
            with pytest.raises(aiomqtt.MqttError):
                async with client(broker, "kiosk-1", **wrong):
                    pass
        async with (
            client(broker, "kiosk-1", identifier="kiosk-1") as one,
            client(broker, "kiosk-2", identifier="kiosk-1"),
            client(broker, "hall") as hall,
        ):
            await one.subscribe("qhl/1/kiosk-1/down/#", qos=1)
            await hall.publish("qhl/1/kiosk-1/down/do/a", b"still here", qos=1)
            assert await heard(one) == ("qhl/1/kiosk-1/down/do/a", b"still here")


def test_the_service_of_a_satellite_starts_for_ever_and_its_example_names_settings_it_knows():
    from edge_agent.settings import SatelliteSettings

    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(SYSTEMD / "hall-satellite.service", "utf-8")
    assert unit["Service"]["ExecStart"].endswith("/hall-agent run --role satellite")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    names = [row.partition("=")[0] for row in rows((SYSTEMD / "satellite.env.example").read_text("utf-8"))]
    assert {name.removeprefix("HALL_AGENT_").lower() for name in names} <= set(SatelliteSettings.model_fields)


def test_the_hall_file_of_the_papers_is_read(tmp_path):
    from edge_agent.settings import load_satellite_file

    page = (DEPLOY.parents[1] / "docs" / "administrators.md").read_text("utf-8")
    (yaml,) = [part for part in page.split("```yaml\n")[1:] if part.lstrip().startswith("box:")]
    path = Path(tmp_path / "box.yaml")
    path.write_text(yaml.split("```")[0].replace("\n   ", "\n").lstrip(), "utf-8")
    assert [d.name for d in load_satellite_file(path).devices] == ["printer", "pad"]
