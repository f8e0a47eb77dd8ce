"""Simulated modems, judged by captures and by gammu and smsd, which nobody here wrote."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import firmware_profiles
from device_drivers import BusPool, open_driver
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import DeviceState, Outcome, SendText
from simulators.device import SimDevice
from simulators.gsm_at import masked
from simulators.gsm_at_pdu import NotAMessage, read_submit
from tests.drivers.captures import FOLDER, Capture, _read
from tests.simulators.conftest import Simulate, Wire, wire

MODEM = {"profile": "gsm.at-modem"}
#: a number of no network, never written out
NUMBER = "+86" + "0" * 7 + "4321"
MASKED = "000****4321"
TEXT = "请A018号到3号窗口"
CAPTURES = {path.stem: replace(_read(path), family="gsm_at") for path in (FOLDER / "gsm_at").rglob("*.txt")}
#: what a hand did to the modem before the capture
HANDS = {"no_sim": "sim-out", "no_network": "antenna-off", "weak_signal": "antenna-weak"}
FAULTS = {"rejected": "nack:21"}
OK = b"\r\nOK\r\n"


@asynccontextmanager
async def one(simulate: Simulate, **setup: Any) -> AsyncIterator[tuple[SimDevice, Wire]]:
    async with simulate(MODEM | setup) as hall, wire(hall.devices["device-1"].address) as host:
        yield hall.devices["device-1"], host


async def play(capture: Capture, host: Wire) -> None:
    for mark, data in capture.lines:
        if mark == ">":
            host.send(data)
        elif b"+CMGS: " in data:
            heard = await host.receive(len(data))  # the modem counts for itself
            assert heard.endswith(OK)
            assert heard.startswith(b"\r\n+CMGS: ")
        else:
            assert await host.receive(len(data)) == data


@pytest.mark.parametrize("name", CAPTURES)
async def test_the_simulator_answers_as_the_modem_did(simulate: Simulate, name: str) -> None:
    async with one(simulate) as (modem, host):
        if hand := HANDS.get(name):
            modem.key(hand)
        if fault := FAULTS.get(name):
            modem.fault(fault)
        await play(CAPTURES[name], host)
        job = CAPTURES[name].command.get("job")
        sent = [{"to": "000****0000", "text": job["text"]}] if job and name not in FAULTS else []
        assert modem.shows()["sent"] == sent


async def test_everything_typed_comes_back_until_the_echo_is_off(simulate: Simulate) -> None:
    async with one(simulate) as (_, host):
        assert await host.reply(b"AT\r", OK) == b"AT\r" + OK
        assert await host.reply(b"ate0+cmee=1;+creg=2\r", OK) == b"ate0+cmee=1;+creg=2\r" + OK
        assert await host.reply(b"AT\r", OK) == OK
        assert await host.reply(b"AT+CREG?\r", OK) == b'\r\n+CREG: 2,1,"0001","0001"\r\n' + OK
        assert await host.reply(b"ATZ\r", OK) == OK
        assert await host.reply(b"AT+CREG?\r", OK) == b"AT+CREG?\r\r\n+CREG: 0,1\r\n" + OK


@pytest.mark.parametrize("line", ["AT+NOTHING", "AT+CMGF=1", "AT+CMEE=7", "HELLO", "AT;;?"])
async def test_what_the_modem_does_not_know_is_an_error(simulate: Simulate, line: str) -> None:
    async with one(simulate) as (_, host):
        assert (await host.reply(f"{line}\r".encode(), b"ERROR\r\n")).endswith(b"\r\nERROR\r\n")
        assert (await host.reply(b"ATE0\r", OK)).endswith(OK)


async def test_an_escape_at_the_prompt_sends_nothing(simulate: Simulate) -> None:
    async with one(simulate) as (modem, host):
        await host.reply(b"ATE0\r", OK)
        assert await host.reply(b"AT+CMGS=37\r", b"> ") == b"\r\n> "
        assert await host.reply(b"0011000D\x1b", OK) == OK
        assert modem.shows()["sent"] == []


@pytest.mark.parametrize(
    ("pdu", "length"),
    [
        ("00 11 00 0D 91 68 00 00 00 00 00 F0 00 08 0B 02 8B F7", 16),  # another length than announced
        ("00 10 00 0D 91 68 00 00 00 00 00 F0 00 08 0B 02 8B F7", 17),  # no SMS-SUBMIT
        ("00 11 00 0D 91 68 00 00 00 00 00 F0 00 08 0B 03 8B F7", 17),  # wrong length of the text
        ("00 11 00 0D 91 68 00 AB 00 00 00 F0 00 08 0B 02 8B F7", 17),  # no number
        ("00 11 00", 2),
        ("zz", 1),
        ("", 0),
    ],
)
async def test_a_broken_message_is_refused(simulate: Simulate, pdu: str, length: int) -> None:
    with pytest.raises(NotAMessage):
        read_submit(pdu, length)
    async with one(simulate) as (modem, host):
        await host.reply(b"ATE0\r", OK)
        await host.reply(f"AT+CMGS={length}\r".encode(), b"> ")
        answer = await host.reply(pdu.replace(" ", "").encode() + b"\x1a", b"304\r\n")
        assert answer == b"\r\n+CMS ERROR: 304\r\n"
        assert modem.shows()["sent"] == []


@asynccontextmanager
async def driven(modem: SimDevice, tty: Path, **options: Any) -> AsyncIterator[Any]:
    """The hall's own driver at the modem's line, in real time."""
    clock = SystemClock()
    profile = firmware_profiles.load("gsm.at-modem")
    timing = profile.timing.model_copy(update={"response_timeout_ms": 1000, "quarantine_ms": 50})
    profile = profile.model_copy(update={"timing": timing})
    setup = DeviceSetup(
        name="modem", profile=profile.id, address=f"serial://{tty}", options={"interval_ms": 0} | options
    )
    async with BusPool(clock=clock) as buses, open_driver(setup, profile, buses, clock) as driver:
        yield driver


def job(number: int, text: str = TEXT) -> SendText:
    return SendText(job_id=f"job-{number}", to=NUMBER, text=text)


async def test_the_halls_driver_sends_through_it(simulate: Simulate, tmp_path: Path) -> None:
    tty = tmp_path / "tty"
    async with simulate(MODEM | {"address": f"serial://{tty}"}) as hall:
        modem = hall.devices["device-1"]
        async with driven(modem, tty) as driver:
            assert (await driver.probe()).state is DeviceState.ONLINE
            assert await driver.do(job(1)) is Outcome.ACCEPTED
            assert await driver.do(job(1)) is Outcome.ACCEPTED
            modem.fault("power-cycle")
            assert await driver.do(job(2, "号码𠮷" * 40)) is Outcome.ACCEPTED
            modem.key("antenna-off")
            assert "没有移动网络" in (await driver.probe()).detail
            modem.key("antenna-weak")
            assert "信号弱" in (await driver.probe()).detail
            modem.key("sim-out")
            assert "SIM" in (await driver.probe()).detail
        assert modem.shows()["sent"] == [
            {"to": MASKED, "text": TEXT},
            {"to": MASKED, "text": "号码𠮷" * 40},
        ]


async def test_a_message_the_modem_took_and_did_not_answer_is_sent_once(
    simulate: Simulate, tmp_path: Path
) -> None:
    tty = tmp_path / "tty"
    async with simulate(MODEM | {"address": f"serial://{tty}"}) as hall:
        modem = hall.devices["device-1"]
        async with driven(modem, tty, send_timeout_ms=200) as driver:
            modem.fault("accept-then-timeout:60000")
            assert await driver.do(job(1)) is Outcome.UNCONFIRMED
            modem.clear()
            assert await driver.do(job(1)) is Outcome.UNCONFIRMED
            assert (await driver.probe()).state is DeviceState.ONLINE
        assert modem.shows()["sent"] == [{"to": MASKED, "text": TEXT}]


async def test_a_number_is_never_shown_whole(simulate: Simulate) -> None:
    async with one(simulate) as (modem, host):
        await play(CAPTURES["one_message"], host)
        assert "0" * 8 not in str(modem.report())
    assert [masked(n) for n in ("+8613", "1" + "0" * 9 + "9")] == ["****", "100****0009"]


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed")
async def test_gammu_identifies_the_modem_and_sends(simulate: Simulate, tmp_path: Path) -> None:
    tty = tmp_path / "tty"
    long, plain = "您的号码A018请到3号窗口办理。" * 8, "Ticket {A018} ~ window 3 [5]"
    (tmp_path / "rc").write_text(f"[gammu]\ndevice = {tty}\nconnection = at115200\n")
    (tmp_path / "batch").write_text(
        f"identify\nsendsms TEXT {NUMBER} -unicode -len 400 -text {long}\n"
        f'sendsms TEXT {NUMBER} -text "{plain}"\n'
    )
    async with simulate(MODEM | {"address": f"serial://{tty}"}) as hall:
        process = await asyncio.create_subprocess_exec(
            *("gammu", "-c", "rc", "batch", "batch"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=tmp_path,
        )
        async with asyncio.timeout(60):
            out, _ = await process.communicate()
        said = out.decode(errors="replace")
        sent = hall.devices["device-1"].shows()["sent"]
    assert process.returncode == 0, said
    assert "GSM-AT" in said
    assert sent == [{"to": MASKED, "text": long}, {"to": MASKED, "text": plain}]


SMSD = """
devices = M1
outgoing = {here}/outgoing
checked = {here}/checked
incoming = {here}/incoming
sent = {here}/sent
failed = {here}/failed
logfile = {here}/log
infofile = {here}/working
pidfile = {here}/pid
delaytime = 1
errorsleeptime = 1
validity = 60 min
[M1]
device = {here}/tty
baudrate = 115200
incoming = no
rtscts = no
"""


@pytest.mark.peer
@pytest.mark.skipif(shutil.which("smsd") is None, reason="smstools is not installed")
async def test_smsd_sends_its_spool(simulate: Simulate, tmp_path: Path) -> None:
    for folder in ("outgoing", "checked", "incoming", "sent", "failed"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf").write_text(SMSD.format(here=tmp_path))
    head = f"To: {NUMBER}\nAlphabet: UCS\n\n".encode()
    (tmp_path / "outgoing" / "one").write_bytes(head + TEXT.encode("utf-16-be"))
    async with simulate(MODEM | {"address": f"serial://{tmp_path}/tty"}) as hall:
        modem = hall.devices["device-1"]
        arrived = asyncio.Event()
        modem.on_show = lambda _device, _shows: arrived.set()
        # -t: in the foreground, ended with the test
        process = await asyncio.create_subprocess_exec(
            "smsd", f"-c{tmp_path}/conf", "-t", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(60):
                await arrived.wait()
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()
        assert modem.shows()["sent"] == [{"to": MASKED, "text": TEXT}]
