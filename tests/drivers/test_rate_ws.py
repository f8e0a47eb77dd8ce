"""Evaluator tablets: the fielded norm, each rating once, and WebSocket frames as RFC 6455 has them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_profiles
from device_drivers.rate_ws import messages
from device_drivers.rate_ws.driver import DeviceDriver
from device_drivers.rate_ws.websocket import ServerSocket
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    CounterMode,
    CounterPicture,
    DeviceState,
    Outcome,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid, SettingsInvalid
from simulators.demo_programs import free_port
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, pool

PROFILE = firmware_profiles.load("rate.ws-tablet")
CAPTURES = [
    replace(_read(path), family="rate_ws") for path in sorted((FOLDER / "rate_ws" / "whole").glob("*.txt"))
]
#: RFC 6455, 1.3
OPENING = (
    b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
RATE_ID = "20261123-3-A018-1"


def frame(data: bytes, opcode: int = 1, *, last: bool = True, mask: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    """A client's frame."""
    head = bytes([opcode | (0x80 if last else 0)])
    size = len(data)
    head += bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data))


def opened() -> ServerSocket:
    socket = ServerSocket()
    assert socket.feed(OPENING) == []
    assert ACCEPT in socket.outgoing()
    return socket


def picture(mode: CounterMode, label: str | None = "A018", call_no: int = 1, **kw: Any) -> CounterPicture:
    return CounterPicture.model_validate(
        {"counter": "3", "name": "3号窗口", "mode": mode, "label": label, "call_no": call_no, "text": ""} | kw
    )


class Client:
    """A tablet of the test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def open(self) -> None:
        self.writer.write(OPENING)
        async with asyncio.timeout(5):
            assert b"101" in await self._reader.readuntil(b"\r\n\r\n")

    def say(self, text: str) -> None:
        self.writer.write(frame(text.encode()))

    async def hear(self) -> str:
        async with asyncio.timeout(5):
            head = await self._reader.readexactly(2)
            assert head[0] == 0x81
            size = head[1]
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            return (await self._reader.readexactly(size)).decode()

    async def ask(self, method: str, **param: str) -> dict[str, Any]:
        self.say(json.dumps({"method": method, "param": param}, ensure_ascii=False))
        answer: dict[str, Any] = json.loads(await self.hear())
        return answer

    async def log_in(self) -> None:
        assert (await self.ask("Login", WindowNumber="3", UserNumber="1"))["code"] == "0"

    async def quest(self) -> str:
        message = json.loads(await self.hear())
        assert message["method"] == "RateQuest"
        self.say('{"code":"0","result":"请求成功!"}')
        return str(message["param"]["RateID"])

    async def ended(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self._reader.read() == b""
            except ConnectionResetError:
                return True


class Hall:
    """A driver that listens, and its tablets."""

    def __init__(self, driver: DeviceDriver, port: int) -> None:
        self.driver, self.port = driver, port

    @asynccontextmanager
    async def tablet(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            await client.open()
            yield client
        finally:
            client.writer.transport.abort()

    async def rating(self) -> int:
        async with asyncio.timeout(5):
            event = await anext(self.driver.events())
        assert event.kind == "evaluated"
        return event.score

    async def served(self) -> Outcome:
        """A visit from call to end."""
        for mode in (CounterMode.CALLED, CounterMode.SERVING):
            await self.driver.show(picture(mode))
        return await self.driver.show(picture(CounterMode.FREE, None, ended="A018-1"))


@asynccontextmanager
async def listening(clock: FixedClock, counter: str = "3", **options: Any) -> AsyncIterator[Hall]:
    quick = PROFILE.model_copy(
        update={"timing": PROFILE.timing.model_copy(update={"response_timeout_ms": 200})}
    )
    port = free_port()
    setup = DeviceSetup(
        name="rate", profile=PROFILE.id, address=f"tcp://127.0.0.1:{port}", counter=counter, options=options
    )
    async with pool(clock, FakeWire()) as buses, DeviceDriver(setup, quick, buses, clock) as driver:
        yield Hall(driver, port)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_hall_speaks_as_the_norm_does(capture: Capture, clock: FixedClock) -> None:
    command = capture.command
    texts = [(mark, data.decode()) for mark, data in capture.lines]
    visit = {key: command[key] for key in ("counter", "name", "call_no")}
    async with listening(clock, command["counter"], **command["options"]) as hall, hall.tablet() as tablet:
        served = picture(
            CounterMode.SERVING, command["label"], **{k: v for k, v in visit.items() if k != "call_no"}
        )
        await hall.driver.show(served)
        async with asyncio.TaskGroup() as tasks:
            for mark, text in texts:
                if mark == "<":
                    tablet.say(text)
                    continue
                if "RateQuest" in text:
                    ended = f"{command['label']}-{command['call_no']}"
                    free = served.model_copy(update={"mode": CounterMode.FREE, "label": None, "ended": ended})
                    tasks.create_task(hall.driver.show(free), name="the visit ends")
                assert await tablet.hear() == text
        assert [{"kind": "evaluated", "score": await hall.rating()} for _ in command["events"]] == command[
            "events"
        ]


async def test_a_rating_counts_once_however_often_it_is_submitted(clock: FixedClock) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        await tablet.log_in()
        async with asyncio.TaskGroup() as tasks:
            shown = tasks.create_task(hall.served(), name="a visit")
            assert await tablet.quest() == RATE_ID
        assert shown.result() is Outcome.ACCEPTED
        for content in ("不满意", "不满意", "非常满意"):
            answer = await tablet.ask("RateSubmit", RateID=RATE_ID, Content=content)
            assert answer == {"code": "0", "result": "提交成功!"}
        assert await hall.rating() == 2
        assert hall.driver._rated.empty()
        # the same visit shown again asks nobody again
        assert await hall.served() is Outcome.ACCEPTED
        assert hall.driver._asking is None


@pytest.mark.parametrize(
    ("words", "score"), [("非常满意", 5), ("满意", 4), ("基本满意", 3), ("不满意", 2), ("非常不满意", 1)]
)
async def test_the_five_levels_are_five_scores(clock: FixedClock, words: str, score: int) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        await tablet.log_in()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hall.served(), name="a visit")
            rate_id = await tablet.quest()
        await tablet.ask("RateSubmit", RateID=rate_id, Content=words)
        assert await hall.rating() == score


@pytest.mark.parametrize(
    ("rate_id", "content", "words"),
    [("9", "满意", "评价流水号无效!"), (RATE_ID, "好极了", "评价内容无法识别!"), ("", "", "评价流水号无效!")],
)
async def test_a_rating_nobody_asked_for_does_not_count(
    clock: FixedClock, rate_id: str, content: str, words: str
) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        await tablet.log_in()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hall.served(), name="a visit")
            await tablet.quest()
        assert await tablet.ask("RateSubmit", RateID=rate_id, Content=content) == {
            "code": "1003",
            "result": words,
        }
        assert hall.driver._rated.empty()


async def test_a_tablet_that_comes_late_is_asked_when_it_logs_in(clock: FixedClock) -> None:
    async with listening(clock) as hall:
        assert await hall.served() is Outcome.UNCONFIRMED
        async with hall.tablet() as tablet:
            await tablet.log_in()
            assert await tablet.quest() == RATE_ID


async def test_an_unanswered_request_is_sent_again_by_the_probe_until_the_next_citizen(
    clock: FixedClock,
) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        await tablet.log_in()
        assert await hall.served() is Outcome.UNCONFIRMED
        assert RATE_ID in await tablet.hear()
        assert (await hall.driver.probe()).state is DeviceState.ONLINE
        assert await tablet.quest() == RATE_ID
        await hall.driver.show(picture(CounterMode.CALLED, "A019", 2))
        await hall.driver.probe()
        assert (await tablet.ask("HeartBeat"))["code"] == "0"
        # a rating of the visit before still counts
        await tablet.ask("RateSubmit", RateID=RATE_ID, Content="满意")
        assert await hall.rating() == 4


async def test_a_tablet_that_refuses_is_told_in_words(clock: FixedClock) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        await tablet.log_in()

        async def refuse() -> None:
            await tablet.hear()
            tablet.say('{"code":"7","result":"busy"}')

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refuse(), name="the tablet refuses")
            with pytest.raises(DeviceRefused, match="返回码 7"):
                await hall.served()


async def test_only_the_newest_login_of_a_counter_is_asked(clock: FixedClock) -> None:
    async with listening(clock) as hall, hall.tablet() as old, hall.tablet() as new:
        await old.log_in()
        await new.log_in()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hall.served(), name="a visit")
            assert await new.quest() == RATE_ID
        assert (await old.ask("RateSubmit", RateID=RATE_ID, Content="满意"))["code"] == "1000"


async def test_what_is_known_of_the_tablet(clock: FixedClock) -> None:
    async with listening(clock) as hall:
        assert (await hall.driver.probe()).state is DeviceState.OFFLINE
        async with hall.tablet() as tablet:
            assert (await tablet.ask("HeartBeat"))["code"] == "0"
            health = await hall.driver.probe()
            assert (health.state, "未登录" in health.detail) == (DeviceState.DEGRADED, True)
            await tablet.log_in()
            assert (await hall.driver.probe()).state is DeviceState.ONLINE
            clock.advance(661)
            health = await hall.driver.probe()
            assert (health.state, "11 分钟无心跳" in health.detail) == (DeviceState.OFFLINE, True)
            assert await tablet.ended()


async def test_an_unknown_method_is_answered_and_noise_is_not(clock: FixedClock) -> None:
    async with listening(clock) as hall, hall.tablet() as tablet:
        tablet.say("[1]")
        tablet.say("{")
        assert await tablet.ask("Dance") == {"code": "999", "result": "未知指令"}


async def test_what_is_no_websocket_is_sent_away(clock: FixedClock) -> None:
    async with listening(clock) as hall:
        reader, writer = await asyncio.open_connection("127.0.0.1", hall.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_taken_port_is_told_in_words(clock: FixedClock) -> None:
    async with listening(clock) as hall, pool(clock, FakeWire()) as buses:
        setup = DeviceSetup(name="rate", profile=PROFILE.id, address=f"tcp://127.0.0.1:{hall.port}")
        with pytest.raises(DeviceUnreachable, match=r"「rate」.*无法监听"):
            async with DeviceDriver(setup, PROFILE, buses, clock):
                pass


async def test_pictures_of_halls_and_jobs_are_refused(clock: FixedClock) -> None:
    async with listening(clock) as hall:
        with pytest.raises(DeviceRefused, match="填写 counter"):
            await hall.driver.show(BoardPicture(hall="海棠"))
        with pytest.raises(DeviceRefused, match="不能执行 print-ticket"):
            await hall.driver.do(JOB)


async def test_wrong_options_and_addresses_are_refused(clock: FixedClock) -> None:
    async with pool(clock, FakeWire()) as buses:
        setup = DeviceSetup(name="rate", profile=PROFILE.id, address="tcp://127.0.0.1:9")
        with pytest.raises(ProfileInvalid, match="scores"):
            DeviceDriver(setup, PROFILE.model_copy(update={"options": {"scores": {"好": 5}}}), buses, clock)
        with pytest.raises(SettingsInvalid, match="没有串口"):
            DeviceDriver(setup.model_copy(update={"address": "serial:///dev/ttyX"}), PROFILE, buses, clock)


def test_the_opening_is_answered_as_in_the_rfc() -> None:
    """The key and its answer are the example of RFC 6455, 1.3; in any pieces."""
    socket = ServerSocket()
    for at in range(len(OPENING)):
        assert socket.feed(OPENING[at : at + 1]) == []
    assert socket.outgoing().startswith(b"HTTP/1.1 101 ")
    assert socket.open


def test_the_masked_hello_of_the_rfc_is_read() -> None:
    """RFC 6455, 5.7."""
    socket = opened()
    assert socket.feed(bytes.fromhex("81 85 37 fa 21 3d 7f 9f 4d 51 58")) == ["Hello"]
    socket.say("Hello")
    assert socket.outgoing() == bytes.fromhex("81 05 48 65 6c 6c 6f")


@given(st.text(max_size=200), st.integers(1, 50), st.lists(st.booleans(), max_size=4))
def test_texts_come_through_in_any_pieces_and_fragments(text: str, size: int, pings: list[bool]) -> None:
    socket, data = opened(), text.encode()
    parts = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
    sent = b""
    for number, part in enumerate(parts):
        sent += frame(part, 0 if number else 1, last=number == len(parts) - 1)
        sent += frame(b"?", 9) if number < len(pings) and pings[number] else b""
    heard = [words for at in range(0, len(sent), size) for words in socket.feed(sent[at : at + size])]
    assert heard == [text]
    answered = sum(pings[: len(parts)])
    assert socket.outgoing() == b"\x8a\x01?" * answered


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05Hello", 1002),
        (frame(b"x", 1 | 0x40), 1002),
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big"), 1009),
        (frame(b"\x03\xe8", 8), 1000),
    ],
    ids=["unmasked", "reserved bit", "too long", "close"],
)
def test_the_connection_ends_as_the_rfc_says(sent: bytes, code: int) -> None:
    socket = opened()
    assert socket.feed(sent + frame(b"late")) == []
    assert socket.ended
    assert socket.outgoing() == b"\x88\x02" + code.to_bytes(2, "big")


@given(st.binary(max_size=200))
def test_no_bytes_break_the_socket(noise: bytes) -> None:
    socket = opened()
    socket.feed(noise)
    ServerSocket().feed(noise + b"\r\n\r\n")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda c: st.lists(c) | st.dictionaries(st.sampled_from(["method", "param", "code", "x"]), c)))  # fmt: skip
def test_no_json_breaks_the_reader(value: Any) -> None:
    messages.read_message(json.dumps(value))


@pytest.mark.parametrize("text", ["[" * 60_000, '{"method":' * 20_000, '{"method": "\\ud800"}'])
def test_what_is_nested_too_deeply_or_no_text_is_no_message(text: str) -> None:
    assert messages.read_message(text) is None
