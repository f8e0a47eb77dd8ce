"""`hall-agent device capture`: what is said on any wire, readable again, and nothing personal in it."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import pytest

import firmware_profiles
from device_drivers import BusPool, open_driver
from device_drivers.mqtt_native.announcement import read_announcement
from device_drivers.rate_ws.websocket import ServerSocket
from edge_agent.doctor.capture import Recording, capture
from edge_agent.doctor.device import Device
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CounterMode, CounterPicture, Outcome, SendText
from hall_core.errors import SettingsInvalid
from hall_core.wire import local
from hall_core.wire.envelope import decode
from simulators.demo_programs import free_port
from tests.drivers.captures import _read
from tests.drivers.samples import JOB
from tests.edge_agent.doctor_scene import simulated
from tests.edge_agent.test_doctor_devices import CLOCK, device
from tests.local_broker import local_broker

CALLED = CounterPicture(
    counter="1", name="李娜窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)


def read(text, folder):
    """The capture as the reader of captures has it."""
    folder.mkdir(exist_ok=True)
    path = folder / "mine.txt"
    path.write_text(text, encoding="utf-8")
    return _read(path)


@asynccontextmanager
async def driven(the, recording):
    async with (
        BusPool(clock=CLOCK, tap=recording.note) as buses,
        open_driver(the.setup, the.profile, buses, CLOCK) as driver,
        asyncio.timeout(20),
    ):
        yield driver


async def test_a_capture_is_what_the_reader_of_captures_takes(tmp_path):
    async with simulated({"profile": "onbon.bx-6k1"}) as hall:
        (strip,) = hall.devices.values()
        text = await capture(device(strip), CLOCK, lambda _: None, seconds=0.5)
    taken = read(text, tmp_path / "onbon_k")
    assert (taken.family, taken.profile, taken.command["op"]) == ("onbon_k", "onbon.bx-6k1", "capture")
    assert taken.sent[0].startswith(b"\xa5" * 8)
    assert taken.heard[0].endswith(b"\x5a")
    assert str(strip.address) not in text


async def test_a_capture_of_a_failing_device_tells_what_was_said_until_then():
    said: list[str] = []
    async with simulated({"profile": "onbon.bx-6k1"}) as hall:
        (strip,) = hall.devices.values()
        strip.fault("silence")
        text = await capture(device(strip), CLOCK, said.append, seconds=30)
    assert "\n> A5" in text
    assert any("没有应答" in line for line in said)


async def test_where_nothing_is_said_a_capture_says_what_to_look_at():
    setup = DeviceSetup(name="tablet", profile="rate.ws-tablet", address=f"tcp://127.0.0.1:{free_port()}")
    nobody = Device(setup, firmware_profiles.load("rate.ws-tablet"))
    with pytest.raises(SettingsInvalid, match="a device that dials is there"):
        await capture(nobody, CLOCK, lambda _: None, seconds=0.1)


async def test_a_browser_that_shows_our_own_pages_is_refused_with_what_to_do_instead():
    setup = DeviceSetup(name="board", profile="screen.board", address="web://hall-board")
    with pytest.raises(SettingsInvalid, match=r"没有外来报文.*F12.*no foreign frames"):
        await capture(Device(setup, firmware_profiles.load("screen.board")), CLOCK, print, seconds=30)


class Both(Recording):
    """Keeps what was really said as well, to prove that there was something to take out."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = b""

    def note(self, mark, data, topic=""):
        self.raw += topic.encode() + data
        super().note(mark, data, topic)


def everything_in(text: str) -> bytes:
    """All octets of a capture's lines, one after the other."""
    return b"".join(bytes.fromhex(line[2:]) for line in text.splitlines() if line[:2] in {"> ", "< "})


async def test_no_capture_of_a_modem_holds_the_number_a_message_went_to():
    number = "1" + str(39 * 10**8 + 12_345_678)  # of nobody, and only here in memory
    swapped = "".join(b + a for a, b in zip(f"{number}F"[::2], f"{number}F"[1::2], strict=True))
    words = "请到三号窗口"
    recording = Both()
    async with simulated({"profile": "gsm.at-modem"}) as hall:
        (modem,) = hall.devices.values()
        the = device(modem)
        async with (
            BusPool(clock=CLOCK, tap=recording.note) as buses,
            open_driver(the.setup, the.profile, buses, CLOCK) as driver,
        ):
            job = SendText(job_id="j", to=number, text=words)
            assert await driver.do(job) is Outcome.ACCEPTED
    secrets = [number.encode(), swapped.encode(), words.encode("utf-16-be").hex().upper().encode()]
    assert all(secret in recording.raw for secret in secrets[1:])
    kept = everything_in(recording.as_text(the, CLOCK, 1))
    assert [secret for secret in secrets if secret in kept] == []
    assert b"AT+CMGS=" in kept
    assert b"+CMGS: " in kept


async def test_no_capture_of_a_card_reader_holds_anything_of_the_card(tmp_path):
    pepper = tmp_path / "pepper"
    pepper.write_text("0123456789abcdef", encoding="ascii")
    pepper.chmod(0o600)
    recording = Both()
    async with simulated({"profile": "card.sam-v"}) as hall:
        (reader,) = hall.devices.values()
        reader.key("card-1")
        card = reader.body._cards[0]
        the = device(reader, options={"pepper_file": str(pepper)})
        async with (
            BusPool(clock=CLOCK, tap=recording.note) as buses,
            open_driver(the.setup, the.profile, buses, CLOCK) as driver,
            asyncio.timeout(10),
        ):
            await anext(driver.events())
    assert card.text in recording.raw
    kept = everything_in(recording.as_text(the, CLOCK, 1))
    octets = [card.text[i : i + 8] for i in range(0, 248, 2)] + [card.photo[i : i + 8] for i in range(1000)]
    assert [piece for piece in octets if piece.strip(b" \0") and piece in kept] == []
    assert kept.count(b"\xaa\xaa\xaa\x96\x69") == recording.raw.count(b"\xaa\xaa\xaa\x96\x69")


def at_broker(sim, broker, path, **more):
    """The device as the hall has it in its file."""
    return device(sim, address=f"{broker.url('hall')}/{path}", **more)


def secrets_of(broker):
    """What nobody may read in a capture: who may enter, and where."""
    return [*broker.passwords.values(), str(broker.port), "quiethall-"]


@pytest.mark.mosquitto
async def test_of_a_device_at_a_broker_its_messages_are_captured_with_their_topics(tmp_path):
    async with (
        local_broker(tmp_path, "panel", "neighbour") as broker,
        simulated(
            {"profile": "mqtt.display", "address": f"{broker.url('panel')}/panel"},
            {"profile": "mqtt.display", "address": f"{broker.url('neighbour')}/neighbour"},
        ) as hall,
    ):
        panel = at_broker(hall.devices["sim-1"], broker, "panel")
        text = await capture(panel, CLOCK, lambda _: None, seconds=1)
    taken = read(text, tmp_path / "mqtt_native")
    said = dict(zip(taken.topics, taken.heard, strict=True))
    announced = read_announcement(said["homeassistant/device/xxxxx/config"], "text")
    assert announced is not None
    assert (announced.command_topic, announced.state_topic) == ("xxxx/xxxxx/set", "xxxx/xxxxx/state")
    assert announced.value_template == "{{ value_json.text }}"
    assert said[announced.availability[0].topic] == b"online"
    everything = text.encode() + everything_in(text)
    assert set(taken.topics) == {"homeassistant/device/xxxxx/config", "xxxx/xxxxx/there"}, "nobody else's"
    private = ["panel", "sim-1", *secrets_of(broker)]
    assert [one for one in private if one.encode() in everything] == []


@pytest.mark.mosquitto
async def test_no_capture_of_a_device_at_a_broker_holds_what_it_was_told_to_show(tmp_path):
    recording = Both()
    async with (
        local_broker(tmp_path, "panel") as broker,
        simulated({"profile": "mqtt.display", "address": f"{broker.url('panel')}/panel"}) as hall,
    ):
        panel = at_broker(hall.devices["sim-1"], broker, "panel")
        async with driven(panel, recording) as driver:
            picture = CALLED.model_copy(update={"text": "请张三到1号窗口"})
            assert await driver.show(picture) is Outcome.APPLIED
    taken = read(recording.as_text(panel, CLOCK, 1), tmp_path / "mqtt_native")
    ((topic, command),) = [
        (topic, data) for topic, (mark, data) in zip(taken.topics, taken.lines, strict=True) if mark == ">"
    ]
    assert (topic, command.decode()) == ("xxxx/xxxxx/set", "某某某某0某某某")
    assert json.loads(taken.heard[-1]) == {"text": command.decode()}
    assert "张三".encode() in recording.raw
    assert "张三".encode() not in b"".join(taken.heard + taken.sent)


@asynccontextmanager
async def on_a_box(folder, profile, recording):
    """A device of a satellite box at the hall's own broker; its driver, the broker and the simulation."""
    async with (
        local_broker(folder, "kiosk-1") as broker,
        simulated({"profile": profile, "address": f"{broker.url('kiosk-1')}/kiosk-1/dev"}) as hall,
    ):
        simulation = hall.devices["sim-1"]
        the = at_broker(simulation, broker, "kiosk-1/dev")
        async with driven(the, recording) as driver:
            yield the, driver, broker, simulation


@pytest.mark.mosquitto
async def test_no_capture_of_a_box_holds_a_ticket_or_its_link(tmp_path):
    recording = Both()
    async with on_a_box(tmp_path, "satellite.printer", recording) as (printer, driver, broker, _):
        assert await driver.do(JOB) is Outcome.ACCEPTED
    text = recording.as_text(printer, CLOCK, 1)
    taken = read(text, tmp_path / "satellite")
    lines = list(zip(taken.topics, taken.lines, strict=True))
    (told,) = [decode(local.Do, data) for topic, (mark, data) in lines if mark == ">"]
    (done,) = [decode(local.Done, data) for topic, (_, data) in lines if topic == "qhl/1/xxxxx-0/up/done/xxx"]
    assert {mark: topic for topic, (mark, _) in lines}[">"] == "qhl/1/xxxxx-0/down/do/xxx"
    assert (told.job.kind, done.outcome, done.job_id) == ("print-ticket", Outcome.ACCEPTED, told.job.job_id)
    everything = text.encode() + everything_in(text)
    private = [JOB.job_id, JOB.label, JOB.url, JOB.url.rpartition("/")[2], JOB.service, JOB.hall, "kiosk-1"]
    assert [one for one in private if one.encode() not in recording.raw] == []
    assert [one for one in (*private, *secrets_of(broker)) if one.encode() in everything] == []


@pytest.mark.mosquitto
async def test_no_capture_of_a_box_holds_a_card_or_a_code(tmp_path):
    recording = Both()
    async with on_a_box(tmp_path, "satellite.card-reader", recording) as (reader, driver, _, cards):
        events = driver.events()
        for key in ("card-1", "scan"):
            cards.key(key)
            await anext(events)
    kept = everything_in(recording.as_text(reader, CLOCK, 1))
    assert all(secret in recording.raw for secret in (b"999999********0000", b'"A018"'))
    assert [secret for secret in (b"999999", b"A018") if secret in kept] == []
    assert all(kind in kept for kind in (b'"card-read"', b'"code-scanned"'))


async def test_a_tablet_that_dials_in_is_captured_without_staff_and_visits(tmp_path):
    recording = Both()
    staff = {"70234": "张三"}
    async with simulated(
        {
            "profile": "rate.ws-tablet",
            "address": f"tcp://127.0.0.1:{free_port()}",
            "counter": "1",
            "options": {"staff": staff},
        }
    ) as hall:
        (tablet,) = hall.devices.values()
        the = device(tablet, address=tablet.setup.address, counter="1", options={"staff": staff})
        async with driven(the, recording) as driver:
            await tablet_in(tablet)
            await driver.show(CALLED.model_copy(update={"mode": CounterMode.FREE, "ended": "A018-1"}))
            tablet.key("rate-5")
            await anext(driver.events())
    text = recording.as_text(the, CLOCK, 1)
    taken = read(text, tmp_path / "rate_ws")
    assert taken.heard[0].startswith(b"GET / HTTP/1.1\r\n")
    assert taken.sent[0].startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    server = ServerSocket()
    said = [json.loads(message) for message in server.feed(b"".join(taken.heard))]
    asked = {message["method"]: message.get("param") for message in said if "method" in message}
    assert {"GetWindowList", "Login", "RateSubmit"} <= set(asked)
    assert asked["RateSubmit"]["Content"] == "非常满意"
    everything = text.encode() + everything_in(text)
    private = ["70234", "张三", "李娜", "A018"]
    assert [one for one in private if one in everything.decode(errors="replace")] == []
    assert all(one.encode() in recording.raw for one in ("70234", "张三"))
    assert str(the.setup.address.rpartition(":")[2]) not in everything.decode(errors="replace")


async def tablet_in(tablet):
    """Until it has logged in."""
    there = asyncio.Event()
    tablet.watchers.add(lambda seen: there.set() if seen.shows()["logged_in"] else None)
    if not tablet.shows()["logged_in"]:
        await there.wait()


async def test_a_cabinet_is_captured_frame_by_frame(tmp_path):
    async with simulated({"profile": "terminal.h24", "address": "rtu+tcp://127.0.0.1:0"}) as hall:
        (cabinet,) = hall.devices.values()
        text = await capture(device(cabinet), CLOCK, lambda _: None, seconds=0.5)
    taken = read(text, tmp_path / "terminal_24h")
    assert [len(frame) for frame in taken.sent[:2]] == [8, 8]
    assert all(re.search(rb"[^\0]{2}$", frame) for frame in taken.heard[:2]), "the check sum stands there"
