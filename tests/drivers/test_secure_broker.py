"""The hall's own broker over TLS, with an authority an office made itself: a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import aiomqtt
import pytest

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.mqtt_native import DeviceDriver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import CounterMode, CounterPicture, Outcome
from hall_core.errors import DeviceUnreachable, SettingsInvalid
from simulators.broker import Broker
from tests.certificates import LONG_AGO, NOW, Authority
from tests.local_broker import Secure, end, local_broker

pytestmark = pytest.mark.mosquitto

CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


@asynccontextmanager
async def secured(
    folder: Path, authority: Authority, host: str = "127.0.0.1", since: datetime = NOW
) -> AsyncIterator[tuple[Broker, Secure]]:
    secure = Secure(*authority.issue(host, folder, since))
    async with local_broker(folder, "panel", secure=secure) as broker:
        yield broker, secure


def patient(for_ms: int) -> Profile:
    known = firmware_profiles.load("mqtt.display")
    assert known.tcp is not None
    return known.model_copy(update={"tcp": known.tcp.model_copy(update={"connect_timeout_ms": for_ms})})


async def trouble(address: str, ca: Path | None) -> str:
    """What a device at this address says that could not be reached."""
    setup = DeviceSetup(name="panel", profile="mqtt.display", address=f"{address}/panel", counter="1")
    async with BusPool(clock=SystemClock(), broker_ca=ca) as buses:
        driver = DeviceDriver(setup, patient(1500), buses, SystemClock())
        with pytest.raises(DeviceUnreachable) as told:
            await driver.__aenter__()
    return str(told.value)


async def test_a_call_goes_over_tls_to_a_broker_of_the_halls_own_authority(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    async with secured(tmp_path, authority) as (broker, secure):
        login = {"username": "panel", "password": broker.passwords["panel"]}
        parameters = aiomqtt.TLSParameters(ca_certs=str(authority.file))
        async with aiomqtt.Client("127.0.0.1", secure.port, tls_params=parameters, **login) as panel:
            await panel.subscribe("sign/panel/set", qos=1)
            said = '{"command_topic": "sign/panel/set", "state_topic": "sign/panel/state"}'
            await panel.publish("homeassistant/text/panel/config", said, qos=1, retain=True)

            async def repeat() -> None:
                async for message in panel.messages:
                    await panel.publish("sign/panel/state", message.payload, qos=1, retain=True)

            repeating = asyncio.get_running_loop().create_task(repeat(), name="the device repeats")
            address = f"{secure.url(broker, 'hall')}/panel"
            setup = DeviceSetup(name="panel", profile="mqtt.display", address=address, counter="1")
            try:
                async with (
                    BusPool(clock=SystemClock(), broker_ca=authority.file) as buses,
                    DeviceDriver(setup, patient(10_000), buses, SystemClock()) as driver,
                ):
                    assert await driver.show(CALLED) is Outcome.APPLIED
            finally:
                await end(repeating)


async def test_a_broker_of_another_authority_is_refused_and_the_setting_that_mends_it_is_named(
    tmp_path: Path,
) -> None:
    foreign = Authority.made(tmp_path, "foreign CA")
    async with secured(tmp_path, Authority.made(tmp_path)) as (broker, secure):
        for ca in (foreign.file, None):
            told = await trouble(secure.url(broker, "hall"), ca)
            assert "--local-broker-ca" in told
            assert "HALL_AGENT_LOCAL_BROKER_CA" in told
            assert broker.passwords["hall"] not in told


async def test_a_certificate_for_another_name_and_one_that_ended_say_what_to_do(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with secured(tmp_path / "one", authority, "broker.hall") as (broker, secure):
        told = await trouble(secure.url(broker, "hall"), authority.file)
        assert "its certificate names another host" in told
        assert "127.0.0.1" in told
    async with secured(tmp_path / "two", authority, since=LONG_AGO) as (broker, secure):
        assert "set this box's clock" in await trouble(secure.url(broker, "hall"), authority.file)


async def test_a_wrong_password_and_a_port_without_tls_are_named(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    async with secured(tmp_path, authority) as (broker, secure):
        wrong = secure.url(broker, "hall").replace(broker.passwords["hall"], "guessed")
        assert "check user and password" in await trouble(wrong, authority.file)
        plain = broker.url("hall").replace("mqtt://", "mqtts://")
        assert "no TLS there" in await trouble(plain, authority.file)
        nobody = f"mqtts://hall:x@127.0.0.1:{broker.port}"
    assert "check that it runs" in await trouble(nobody, authority.file)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "missing"), ("nothing\n", "give its certificate in PEM")]
)
async def test_an_authoritys_file_that_is_no_use_is_named_before_anything_starts(
    tmp_path: Path, content: str | None, told: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, "utf-8")
    with pytest.raises(SettingsInvalid, match=told) as found:
        BusPool(clock=SystemClock(), broker_ca=path)
    assert "ca.pem" in str(found.value)
