"""GSM modems: octets of a message, each message once or not at all, and what a modem lacks in plain words."""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.gsm_at import answers
from device_drivers.gsm_at.driver import DeviceDriver
from device_drivers.gsm_at.pdu import ALONE, IN_PARTS, parts_of, submits
from device_drivers.gsm_at.verdicts import Verdict, judge, sentence
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Job, Outcome, SendText
from hall_core.errors import DeviceRefused, DeviceUnreachable
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

PROFILE = firmware_profiles.load("gsm.at-modem")
#: what does not answer in this profile is given up at once
HASTY = PROFILE.model_copy(
    update={
        "timing": PROFILE.timing.model_copy(update={"response_timeout_ms": 30, "retries": 0}),
        "options": {**PROFILE.options, "send_timeout_ms": 30},
    }
)
CAPTURES = [replace(_read(path), family="gsm_at") for path in sorted((FOLDER / "gsm_at").rglob("*.txt"))]
#: a number of no network, never written out
NUMBER = "+86" + "0" * 7 + "4321"
ONE = SendText(job_id="job-1", to=NUMBER, text="请A018号到3号窗口")
OK = b"\r\nOK\r\n"


@dataclass
class Modem:
    """Answers like a modem in order; `answers` changes single ones, None means silence."""

    answers: dict[str, bytes | None] = field(default_factory=dict)
    verdict: Callable[[int], bytes | None] = lambda number: b"\r\n+CMGS: %d\r\n" % number + OK
    commands: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    on_message: Callable[[FakeWire], None] = lambda _wire: None

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        if data.endswith(b"\x1a"):
            self.messages.append(data[:-1].decode())
            self.on_message(wire)
            self._say(wire, self.verdict(len(self.messages)))
            return
        command = data.decode().strip()
        self.commands.append(command)
        usual = {
            "AT+CPIN?": b"\r\n+CPIN: READY\r\n" + OK,
            "AT+CREG?": b"\r\n+CREG: 0,1\r\n" + OK,
            "AT+CSQ": b"\r\n+CSQ: 20,99\r\n" + OK,
        }
        start = command.partition("=")[0]
        if command == "\x1b":
            return
        default = b"\r\n> " if start == "AT+CMGS" else usual.get(command, OK)
        self._say(wire, self.answers.get(start, default))

    def _say(self, wire: FakeWire, words: bytes | None) -> None:
        if words is not None:
            wire.say(words)


def modem(buses: BusPool, clock: FixedClock, profile: Profile = PROFILE, **options: Any) -> DeviceDriver:
    setup = DeviceSetup(name="modem", profile=profile.id, address="serial:///dev/ttyX", options=options)
    return DeviceDriver(setup, profile, buses, clock)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    command = capture.command
    script = Script(list(capture.lines), in_pieces)
    async with pool(clock, FakeWire(script)) as buses, modem(buses, clock) as driver:
        if command["op"] == "probe":
            script.lines = list(capture.lines)
            assert (await driver.probe()).state is DeviceState(command["state"])
        else:
            job: SendText = TypeAdapter(Job).validate_python(command["job"])
            assert await outcome_of(driver, job) is Outcome(command["outcome"])
    assert script.surprises == []
    assert script.lines == []


async def outcome_of(driver: DeviceDriver, job: SendText) -> Outcome:
    try:
        return await driver.do(job)
    except DeviceRefused:
        return Outcome.REJECTED


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(TEXT)
def test_the_parts_of_any_text_are_the_text_and_fit(text: str) -> None:
    parts = parts_of(text)
    assert b"".join(parts).decode("utf-16-be") == text
    assert all(len(part) <= (ALONE if len(parts) == 1 else IN_PARTS) for part in parts)
    for part in parts:
        part.decode("utf-16-be")  # no sign is cut in two


@given(TEXT, st.integers(0, 255), st.from_regex(r"\+?[0-9]{3,20}", fullmatch=True))
def test_a_message_announces_its_length_and_numbers_its_parts(text: str, reference: int, to: str) -> None:
    messages = submits(to, text, reference=reference, validity_minutes=60)
    for number, message in enumerate(messages, 1):
        octets = bytes.fromhex(message.hexed)
        assert octets[0] == 0, "the service centre is the SIM's"
        assert message.length == len(octets) - 1
        digits = to.removeprefix("+")
        assert octets[3] == len(digits)
        data = octets[5 + (len(digits) + 1) // 2 :][4:]
        assert octets[5 + (len(digits) + 1) // 2 :][3] == len(data)
        if len(messages) > 1:
            assert data[:6] == bytes([5, 0, 3, reference, len(messages), number])


def test_seventy_signs_are_one_message_and_seventy_one_are_two() -> None:
    assert [len(p) for p in parts_of("号" * 70)] == [140]
    assert [len(p) for p in parts_of("号" * 71)] == [134, 8]
    # a sign beyond the basic plane takes two places and is not cut
    assert [len(p) for p in parts_of("号" * 66 + "𠮷" * 3)] == [132, 12]


@given(st.binary(max_size=80))
def test_arbitrary_bytes_never_break_the_reader(data: bytes) -> None:
    for read in (answers.read_final, answers.prompted, answers.sent):
        read(data)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"AT+CSQ\r\r\n+CSQ: 9,99\r\n\r\nOK\r\n", "9,99"),
        (b'\r\n+CMTI: "SM",3\r\n\r\n+CSQ: 9,99\r\n\r\nRING\r\n\r\nOK\r\n', "9,99"),
        (b"\r\nOK\r\n\r\n+CSQ: 9,99\r\n\r\nOK\r\n", "9,99"),
        (b"\r\n+CSQ: 9,99\r\n\r\nOK", None),
        (b"\r\n+CSQ: 9,9", None),
        (b"\r\nOK\r\n", None),
    ],
)
def test_the_answer_is_found_among_whatever_else_a_modem_says(said: bytes, answer: str | None) -> None:
    reply = answers.read_final(said, "+CSQ:")
    assert (None if reply is None else answers.line_of(reply, "+CSQ:")) == answer


@pytest.mark.parametrize(
    ("command", "answer", "words"),
    [
        ("AT+CPIN?", b"\r\n+CME ERROR: 10\r\n", "未插入 SIM 卡"),
        ("AT+CPIN?", b"\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n", "取消 PIN"),
        ("AT+CPIN?", b"\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n", "已锁"),
        ("AT+CPIN?", b"\r\nERROR\r\n", "SIM 卡不可用"),
        ("AT+CMGF", b"\r\nERROR\r\n", "PDU"),
        ("AT+CREG?", b"\r\n+CREG: 0,2\r\n\r\nOK\r\n", "没有移动网络"),
        ("AT+CREG?", b"\r\n+CREG: 0,3\r\n\r\nOK\r\n", "是否欠费"),
        ("AT+CSQ", b"\r\n+CSQ: 5,99\r\n\r\nOK\r\n", "信号弱（-103 dBm）"),
    ],
)
async def test_what_is_missing_is_said_in_plain_words(
    clock: FixedClock, command: str, answer: bytes, words: str
) -> None:
    device = Modem({command: answer})
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        found = await driver.probe()
    assert found.state is DeviceState.DEGRADED
    assert words in found.detail


@pytest.mark.parametrize(
    ("answer", "detail"), [(b"\r\n+CSQ: 31,0\r\n", "-51 dBm"), (b"\r\n+CSQ: 99,99\r\n", "")]
)
async def test_a_modem_in_order_is_online(clock: FixedClock, answer: bytes, detail: str) -> None:
    async with pool(clock, FakeWire(Modem({"AT+CSQ": answer + OK}))) as buses, modem(buses, clock) as driver:
        found = await driver.probe()
    assert found.state is DeviceState.ONLINE
    assert detail in found.detail


async def test_a_modem_without_a_voice_network_is_registered_where_the_hall_says(clock: FixedClock) -> None:
    device = Modem(
        {"AT+CREG?": b"\r\n+CREG: 0,0\r\n" + OK, "AT+CEREG?": b'\r\n+CEREG: 2,5,"1A","2B",7\r\n' + OK}
    )
    async with (
        pool(clock, FakeWire(device)) as buses,
        modem(buses, clock, registration=["CREG", "CEREG"]) as driver,
    ):
        assert (await driver.probe()).state is DeviceState.ONLINE


async def test_a_job_is_sent_once_however_often_it_is_asked_for(clock: FixedClock) -> None:
    device = Modem()
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(driver.do(ONE), name=f"do-{n}") for n in range(2)]
        assert [task.result() for task in both] == [Outcome.ACCEPTED] * 2
        assert await driver.do(ONE) is Outcome.ACCEPTED
    assert len(device.messages) == 1


async def test_messages_keep_their_distance(clock: FixedClock) -> None:
    device, at = Modem(), []
    device.on_message = lambda _wire: at.append(clock.monotonic())
    async with pool(clock, FakeWire(device, clock)) as buses, modem(buses, clock) as driver:
        for number in range(3):
            await driver.do(ONE.model_copy(update={"job_id": f"job-{number}"}))
        await driver.do(ONE.model_copy(update={"job_id": "long", "text": "号" * 71}))
    assert len(at) == 5
    assert all(b - a >= 3 for a, b in pairwise(at))


async def test_a_modem_that_falls_silent_after_the_message_leaves_it_unconfirmed_for_good(
    clock: FixedClock,
) -> None:
    device = Modem(verdict=lambda _number: None)
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock, HASTY) as driver:
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
        device.verdict = lambda _number: OK
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
    assert len(device.messages) == 1


async def test_a_link_lost_after_the_message_leaves_it_unconfirmed(clock: FixedClock) -> None:
    device = Modem(verdict=lambda _number: None, on_message=FakeWire.hang_up)
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
    assert len(device.messages) == 1


async def test_a_sending_that_is_cancelled_half_way_is_never_repeated(clock: FixedClock) -> None:
    device = Modem(verdict=lambda _number: None)
    gone = asyncio.Event()
    device.on_message = lambda _wire: gone.set()
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(driver.do(ONE), name="do")
            await gone.wait()
            task.cancel()
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
    assert len(device.messages) == 1


async def test_without_a_prompt_nothing_was_sent_and_the_modem_is_told_to_forget(clock: FixedClock) -> None:
    device = Modem({"AT+CMGS": None})
    wire = FakeWire(device)
    async with pool(clock, wire) as buses, modem(buses, clock, HASTY) as driver:
        with pytest.raises(DeviceUnreachable, match=r"「modem」AT\+CMGS 没有应答"):
            await driver.do(ONE)
        assert wire.frames[-1] == b"\x1b"
        del device.answers["AT+CMGS"]
        assert await driver.do(ONE) is Outcome.ACCEPTED
    assert len(device.messages) == 1


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (b"+CMS ERROR: 38", DeviceUnreachable, "移动网络故障"),
        (b"+CMS ERROR: 42", DeviceUnreachable, "拥塞"),
        (b"+CMS ERROR: 331", DeviceUnreachable, "没有移动网络"),
        (b"+CMS ERROR: 21", DeviceRefused, "短信中心拒收"),
        (b"+CMS ERROR: 50", DeviceRefused, "未开通短信"),
        (b"+CMS ERROR: 777", DeviceRefused, "错误 777"),
        (b"ERROR", DeviceRefused, "未说明原因"),
    ],
)
async def test_the_networks_no_is_told_and_the_job_may_be_tried_again(
    clock: FixedClock, error: bytes, raised: type[Exception], words: str
) -> None:
    device = Modem(verdict=lambda _number: b"\r\n" + error + b"\r\n")
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        with pytest.raises(raised, match=words):
            await driver.do(ONE)
        device.verdict = lambda _number: b"\r\n+CMGS: 7\r\n" + OK
        assert await driver.do(ONE) is Outcome.ACCEPTED


@pytest.mark.parametrize("error", [332, 500])
async def test_an_error_that_does_not_say_whether_it_was_sent_is_unconfirmed(
    clock: FixedClock, error: int
) -> None:
    device = Modem(verdict=lambda _number: b"\r\n+CMS ERROR: %d\r\n" % error)
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
        assert await driver.do(ONE) is Outcome.UNCONFIRMED
    assert len(device.messages) == 1


@pytest.mark.parametrize("error", [310, 314, 500])
async def test_an_error_instead_of_the_prompt_says_that_nothing_was_sent(
    clock: FixedClock, error: int
) -> None:
    device = Modem({"AT+CMGS": b"\r\n+CMS ERROR: %d\r\n" % error})
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        with pytest.raises(DeviceRefused if error == 310 else DeviceUnreachable):
            await driver.do(ONE)
    assert device.messages == []


async def test_a_text_of_which_half_was_sent_is_unconfirmed(clock: FixedClock) -> None:
    device = Modem(
        verdict=lambda number: b"\r\n+CMGS: 1\r\n" + OK if number == 1 else b"\r\n+CMS ERROR: 21\r\n"
    )
    long = ONE.model_copy(update={"text": "号" * 100})
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        assert await driver.do(long) is Outcome.UNCONFIRMED
        assert await driver.do(long) is Outcome.UNCONFIRMED
    assert len(device.messages) == 2


async def test_a_text_too_long_for_the_hall_is_refused_before_anything_is_sent(clock: FixedClock) -> None:
    device = Modem()
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="短信过长"):
            await driver.do(ONE.model_copy(update={"text": "号" * 202}))
    assert device.messages == []


@pytest.mark.parametrize("to", ["", "+", "12", "0" * 21, "139 0000", "+86\x1a123", "１３８００００"])
async def test_what_is_no_number_is_refused_without_being_repeated(clock: FixedClock, to: str) -> None:
    device = Modem()
    async with pool(clock, FakeWire(device)) as buses, modem(buses, clock) as driver:
        with pytest.raises(DeviceRefused) as refused:
            await driver.do(ONE.model_copy(update={"to": to}))
    assert str(refused.value) == "「modem」号码格式不正确，短信未发送 (not a number)"
    assert device.messages == []


async def test_a_number_stands_in_no_log_repr_or_error(
    clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    digits = NUMBER.removeprefix("+86")
    swapped = "".join(digits[i + 1 : i + 2] + digits[i] for i in range(0, len(digits), 2))
    said = []
    caplog.set_level(logging.DEBUG)
    for verdict in (None, b"\r\n+CMS ERROR: 21\r\n", b"\r\n+CMS ERROR: 42\r\n"):
        device = Modem(verdict=lambda _number, verdict=verdict: verdict)  # type: ignore[misc]
        async with pool(clock, FakeWire(device)) as buses, modem(buses, clock, HASTY) as driver:
            try:
                said.append(repr(await driver.do(ONE)))
            except (DeviceRefused, DeviceUnreachable) as error:
                said.append(f"{error!r} {error.__cause__!r} {error.__context__!r}")
            said.append(repr(driver) + repr(vars(driver)))
    said += [repr(ONE), repr(submits(NUMBER, "号", reference=1, validity_minutes=60)), caplog.text]
    assert digits[-6:] not in "".join(said)
    assert swapped[-6:] not in "".join(said)
    assert any("短信中心拒收" in words for words in said)


async def test_a_modem_neither_shows_nor_prints(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Modem())) as buses, modem(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="短信模块"):
            await driver.show(BoardPicture(hall="h"))
        with pytest.raises(DeviceRefused, match="短信模块"):
            await driver.do(JOB)


async def test_a_silent_modem_cannot_be_entered(clock: FixedClock) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(DeviceUnreachable, match="没有应答"):
            async with modem(buses, clock, HASTY):
                raise AssertionError


async def test_the_events_end_when_the_link_is_lost(clock: FixedClock) -> None:
    wire = FakeWire(Modem())
    async with pool(clock, wire) as buses, modem(buses, clock) as driver:
        wire.hang_up()
        with pytest.raises(DeviceUnreachable, match="连接已断开"):
            await anext(driver.events())


def test_every_error_has_a_sentence_and_a_verdict() -> None:
    for error in range(-1, 600):
        assert re.search(r"[\u4e00-\u9fff].*\([a-zA-Z].*\)$", sentence(error))
        assert judge(error) in Verdict
