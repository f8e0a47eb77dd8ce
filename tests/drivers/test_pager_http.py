"""The pager gateway: one request a page, never confirmed, never everybody by mistake."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

import firmware_profiles
from device_drivers.bus import BusPool
from device_drivers.pager_http.driver import DeviceDriver
from device_drivers.pager_http.request import GatewayOptions, Reply, page
from hall_core.clock import FixedClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import BoardPicture, DeviceState, Job, Outcome, PageUser
from hall_core.errors import DeviceRefused, DeviceUnreachable, ProfileInvalid
from tests.drivers.captures import FOLDER, Capture, _read
from tests.drivers.samples import JOB
from tests.drivers.wires import FakeWire, Script, pool

LRS = firmware_profiles.load("pager.rps-lrs")
POCSAG = firmware_profiles.load("pager.rps-pocsag")
CAPTURES = [
    replace(_read(path), family="pager_http")
    for path in sorted((FOLDER / "pager_http" / "whole").glob("*.txt"))
]
PAGE = PageUser(job_id="job-1", pager=17, text="请A018号到3号窗口")


@dataclass
class Gateway:
    """Answers 200 and closes, as the real one; `status` changes pages only, None is silence."""

    status: int | None = 200
    closes: bool = True
    targets: list[str] = field(default_factory=list)

    def __call__(self, wire: FakeWire, data: bytes) -> None:
        method, target, rest = data.decode("ascii").split(" ", 2)
        assert method == "GET"
        assert rest == "HTTP/1.1\r\nHost: 127.0.0.1:9\r\nConnection: close\r\n\r\n"
        self.targets.append(target)
        status = self.status if target.startswith("/page") else 200
        if status is not None:
            wire.say(f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\nConnection: close\r\n\r\nmode:".encode())
        if self.closes:
            wire.hang_up()

    @property
    def pages(self) -> list[dict[str, list[str]]]:
        return [parse_qs(urlsplit(t).query) for t in self.targets if urlsplit(t).path == "/page"]


def gateway(buses: BusPool, clock: FixedClock, profile: Profile = LRS, **options: Any) -> DeviceDriver:
    quick = profile.model_copy(
        update={"timing": profile.timing.model_copy(update={"response_timeout_ms": 30})}
    )
    setup = DeviceSetup(
        name="pagers", profile=profile.id, address="tcp://127.0.0.1:9", options={"closing_ms": 0} | options
    )
    return DeviceDriver(setup, quick, buses, clock)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in-pieces"])
@pytest.mark.parametrize("capture", CAPTURES, ids=lambda c: c.name)
async def test_the_driver_plays_every_capture(capture: Capture, in_pieces: bool, clock: FixedClock) -> None:
    script = Script(list(capture.lines), in_pieces)
    profile = firmware_profiles.load(capture.profile)
    async with (
        pool(clock, FakeWire(script)) as buses,
        gateway(buses, clock, profile, **capture.command["options"]) as driver,
    ):
        job: PageUser = TypeAdapter(Job).validate_python(capture.command["job"])
        assert await driver.do(job) is Outcome(capture.command["outcome"])
    assert (script.surprises, script.lines) == ([], [])


async def test_a_page_is_sent_once_and_never_confirmed(clock: FixedClock) -> None:
    device = Gateway()
    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock) as driver:
        assert [await driver.do(PAGE) for _ in range(3)] == [Outcome.UNCONFIRMED] * 3
    assert device.pages == [{"force": ["1"], "mode": ["0"], "pager_number": ["17"], "alert_type": ["1"]}]


async def test_a_pocsag_pager_is_told_label_and_counter(clock: FixedClock) -> None:
    device = Gateway()
    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock, POCSAG) as driver:
        await driver.do(PAGE)
    (sent,) = device.pages
    assert (sent["mode"], sent["pager_number"], sent["message"]) == (["1"], ["700136"], ["A018 3"])
    assert (sent["pocsag_telegram_type"], sent["pocsag_baud"]) == (["2"], ["1200"])


@given(st.text(max_size=200), st.sampled_from(["numeric", "alpha", "beep"]))
def test_no_words_of_people_break_the_request(words: str, message: str) -> None:
    options = GatewayOptions.model_validate({"mode": "pocsag", "highest": 9, "message": message})
    target = page(options, 5, words, 40)
    assert target.isascii()
    assert not {" ", "\r", "\n", "#"} & set(target)
    fields = parse_qs(urlsplit(target).query, keep_blank_values=True, strict_parsing=True)
    assert (fields["pager_number"], fields["mode"]) == (["5"], ["1"])
    told = fields.get("message", [""])[0]
    assert len(told) <= 40
    assert message != "numeric" or set(told) <= set("0123456789 -")


@pytest.mark.parametrize("pager", [0, 4096])
async def test_number_zero_would_be_everybody_and_is_refused(clock: FixedClock, pager: int) -> None:
    device = Gateway()
    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match=f"没有 {pager} 号寻呼机，号码为 1–4095"):
            await driver.do(PAGE.model_copy(update={"pager": pager}))
    assert device.pages == []


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, DeviceRefused, "不接受 400"),
        (404, DeviceRefused, "不接受 404"),
        (503, DeviceUnreachable, "网关故障 503"),
    ],
)
async def test_a_gateway_that_says_no_has_sent_nothing(
    clock: FixedClock, status: int, kind: type[Exception], words: str
) -> None:
    device = Gateway(status)
    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock) as driver:
        with pytest.raises(kind, match=words):
            await driver.do(PAGE)
        device.status = 200
        assert await driver.do(PAGE) is Outcome.UNCONFIRMED
    assert len(device.pages) == 2


@pytest.mark.parametrize("closes", [True, False], ids=["hangs-up", "silent"])
async def test_a_page_whose_answer_is_missing_is_not_sent_again(clock: FixedClock, closes: bool) -> None:
    device = Gateway(None, closes)
    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock) as driver:
        for _ in range(2):
            assert await driver.do(PAGE) is Outcome.UNCONFIRMED
    assert len(device.pages) == 1


async def test_an_unreachable_gateway_is_told_and_nothing_counts_as_sent(clock: FixedClock) -> None:
    device = Gateway()
    wire = FakeWire(device)
    async with pool(clock, wire) as buses, gateway(buses, clock) as driver:
        wire.unreachable = True
        for ask in (driver.probe, lambda: driver.do(PAGE)):
            with pytest.raises(DeviceUnreachable):
                await ask()
        wire.unreachable = False
        assert await driver.do(PAGE) is Outcome.UNCONFIRMED
    assert len(device.pages) == 1


async def test_a_gateway_that_is_not_there_cannot_be_entered(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(unreachable=True)) as buses:
        with pytest.raises(DeviceUnreachable):
            async with gateway(buses, clock):
                pass


async def test_every_request_has_a_connection_of_its_own(clock: FixedClock) -> None:
    wire = FakeWire(Gateway())
    async with pool(clock, wire) as buses, gateway(buses, clock, closing_ms=2000) as driver:
        for number in range(3):
            await driver.do(PAGE.model_copy(update={"job_id": f"job-{number}"}))
    assert wire.opened == 4


@pytest.mark.parametrize(("status", "state"), [(200, DeviceState.ONLINE), (404, DeviceState.DEGRADED)])
async def test_a_probe_asks_for_the_gateways_page_and_for_no_secrets(
    clock: FixedClock, status: int, state: DeviceState
) -> None:
    asked: list[bytes] = []

    def device(wire: FakeWire, data: bytes) -> None:
        asked.append(data.split(b" ")[1])
        wire.say(f"HTTP/1.0 {status} X\r\n\r\n".encode())
        wire.hang_up()

    async with pool(clock, FakeWire(device)) as buses, gateway(buses, clock) as driver:
        assert (await driver.probe()).state is state
    assert set(asked) == {b"/"}


@given(st.binary(max_size=300), st.integers(0, 60))
def test_an_answer_is_read_only_when_it_is_whole(body: bytes, cut: int) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    assert Reply().read(whole) == 200
    assert Reply().read(whole[: max(0, len(whole) - 1 - cut)]) is None


@pytest.mark.parametrize(
    "noise", [b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n"]
)
def test_what_is_no_http_is_no_answer(noise: bytes) -> None:
    reply = Reply()
    assert reply.read(noise) is None
    assert reply.asked


async def test_pictures_and_other_jobs_are_refused(clock: FixedClock) -> None:
    async with pool(clock, FakeWire(Gateway())) as buses, gateway(buses, clock) as driver:
        with pytest.raises(DeviceRefused, match="不能显示 board"):
            await driver.show(BoardPicture(hall="海棠"))
        with pytest.raises(DeviceRefused, match="不能执行 print-ticket"):
            await driver.do(JOB)


@pytest.mark.parametrize(
    "change",
    [lambda o: o | {"mode": "flags"}, lambda o: o | {"alert_type": 256}, lambda o: o | {"highest": 0}],
)
async def test_options_no_gateway_has_are_refused(
    clock: FixedClock, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    async with pool(clock, FakeWire()) as buses:
        with pytest.raises(ProfileInvalid, match=r"pager\.rps-lrs\.yaml"):
            gateway(buses, clock, LRS.model_copy(update={"options": change(LRS.options)}))
