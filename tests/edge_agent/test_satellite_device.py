"""One device of a satellite box, with a driver that can be unplugged, slow, or say no."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge_agent.satellite_device import SatelliteDevice, SatelliteTools
from edge_agent.settings import load_satellite_file, load_satellite_settings
from firmware_profiles import load
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import (
    BoardPicture,
    CounterMode,
    CounterPicture,
    DeviceState,
    KeyOp,
    KeyPressed,
    Outcome,
    ScreenPicture,
)
from hall_core.errors import DeviceRefused, DeviceUnreachable, SettingsInvalid
from hall_core.wire.local import Do, Done, FarHealth, Show, Shown
from tests.drivers.samples import JOB


@dataclass
class Health:
    state: DeviceState = DeviceState.ONLINE
    detail: str = ""


@dataclass
class FakeDriver:
    """A driver whose device is in the test's hand."""

    plugged: bool = True
    refuses: set = field(default_factory=set)
    shown: list = field(default_factory=list)
    done: list = field(default_factory=list)
    keys: asyncio.Queue = field(default_factory=asyncio.Queue)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self):
        self._check()
        return self

    async def __aexit__(self, *_):
        return None

    def _check(self):
        self.news.set()
        if not self.plugged:
            raise DeviceUnreachable("没电")

    async def show(self, picture):
        self._check()
        if picture.kind in self.refuses:
            raise DeviceRefused(f"不能显示 {picture.kind}")
        self.shown.append(picture)
        return Outcome.APPLIED

    async def do(self, job):
        self._check()
        if job.kind in self.refuses:
            raise DeviceRefused("缺纸")
        self.done.append(job.job_id)
        return Outcome.ACCEPTED

    async def probe(self):
        self._check()
        return Health()

    async def events(self):
        while True:
            yield await self.keys.get()


@dataclass
class Scene:
    driver: FakeDriver
    device: SatelliteDevice = None
    told: list = field(default_factory=list)
    happened: list = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, device, leaf, message):
        self.told.append(message)
        self.driver.news.set()

    def hear(self, device, event):
        self.happened.append((device, event))
        self.driver.news.set()

    async def until(self, truth):
        async with asyncio.timeout(10):
            while not truth():
                self.driver.news.clear()
                await self.driver.news.wait()

    def answers(self, kind):
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def sight(self):
        """What stands on the device: the last picture it was given."""
        return self.driver.shown[-1] if self.driver.shown else None


@asynccontextmanager
async def serving(profile="modbus.led-strip-generic", **driver):
    known = load(profile)
    quick = known.model_copy(update={"timing": known.timing.model_copy(update={"probe_s": 0.05})})
    scene = Scene(FakeDriver(**driver))
    tools = SatelliteTools(
        boot="life-1",
        clock=SystemClock(),
        opener=lambda setup, profile: scene.driver,
        jitter=lambda: 0.0,
        tell=scene.tell,
        happened=scene.hear,
    )
    setup = DeviceSetup(name="dev", profile=profile, address="tcp://127.0.0.1:9")
    scene.device = SatelliteDevice(setup, quick, tools)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(scene.device.run(), name="the device")
        try:
            yield scene
        finally:
            running.cancel()


def called(label="A018", number=1, ttl_s=60.0, boot="hall-1"):
    picture = CounterPicture(
        counter="1", name="1号窗口", mode=CounterMode.CALLED, label=label, call_no=1, text=label
    )
    return Show(boot=boot, n=number, ttl_s=ttl_s, picture=picture)


def order(job_id="j1", to="life-1", ttl_s=60.0):
    return Do(boot="hall-1", to=to, ttl_s=ttl_s, job=JOB.model_copy(update={"job_id": job_id}))


async def test_after_a_start_it_is_dark_until_the_hall_says_otherwise():
    async with serving() as scene:
        await scene.until(lambda: len(scene.driver.shown) == 2)
        assert [(p.kind, getattr(p, "text", "")) for p in scene.driver.shown] == [
            ("counter", ""),
            ("board", ""),
        ]
        scene.device.show(called(), 0)
        await scene.until(lambda: scene.answers(Shown))
        assert scene.sight.label == "A018"
        (answer,) = scene.answers(Shown)
        assert (answer.n, answer.of, answer.outcome) == (1, "hall-1", Outcome.APPLIED)


async def test_a_picture_whose_time_is_over_is_shown_no_more():
    async with serving() as scene:
        scene.device.show(called(ttl_s=0.3), 0)
        await scene.until(lambda: scene.sight is not None and getattr(scene.sight, "label", None) == "A018")
        await scene.until(lambda: scene.sight.label is None)
        assert scene.sight.mode is CounterMode.CLOSED
        scene.device.show(called(ttl_s=60), 0)
        await scene.until(lambda: scene.sight.label == "A018")


async def test_a_picture_told_again_stands_longer_and_is_not_painted_again():
    async with serving() as scene:
        scene.device.show(called(ttl_s=0.3), 0)
        first_ends = time.monotonic() + 0.3
        await scene.until(lambda: len(scene.answers(Shown)) == 1)
        scene.device.show(called(ttl_s=60), 0)
        await scene.until(lambda: len(scene.answers(Shown)) == 2)
        painted = len(scene.driver.shown)
        await scene.until(lambda: time.monotonic() > first_ends + 0.2)
        assert scene.sight.label == "A018"
        assert len(scene.driver.shown) == painted


async def test_a_picture_that_comes_too_late_is_never_shown():
    async with serving() as scene:
        late = Show(boot="hall-1", n=9, ttl_s=5, picture=ScreenPicture(on=True))
        scene.device.show(late, 6)
        scene.device.show(called("A020", 2), 0)
        scene.device.show(called("A019", 1), 0)
        await scene.until(lambda: scene.answers(Shown))
        assert [p.label for p in scene.driver.shown if p.kind == "counter" and p.label] == ["A020"]
        assert "screen" not in {p.kind for p in scene.driver.shown}


async def test_the_same_picture_after_another_kind_is_painted_again():
    async with serving() as scene:
        scene.device.show(called(), 0)
        await scene.until(lambda: scene.sight is not None and scene.sight.kind == "counter")
        scene.device.show(Show(boot="hall-1", n=2, ttl_s=60, picture=BoardPicture(hall="海棠")), 0)
        await scene.until(lambda: scene.sight.kind == "board")
        scene.device.show(called(number=3), 0)
        await scene.until(lambda: scene.answers(Shown)[-1].n == 3)
        assert scene.sight == called().picture


async def test_a_device_that_was_unplugged_is_painted_when_it_returns():
    async with serving(plugged=False) as scene:
        await scene.until(lambda: scene.device.state is DeviceState.OFFLINE)
        scene.device.show(called(), 0)
        await scene.until(lambda: scene.answers(Shown))
        assert scene.answers(Shown)[0].outcome is Outcome.UNREACHABLE
        scene.driver.plugged = True
        await scene.until(lambda: scene.answers(Shown)[-1].outcome is Outcome.APPLIED)
        assert [h.state for h in scene.answers(FarHealth)] == [DeviceState.OFFLINE, DeviceState.ONLINE]
        assert [p.kind for p in scene.driver.shown] == ["counter"], "the dark ones are gone"


async def test_what_a_device_refuses_is_told_and_its_standing_outlasts_its_time():
    async with serving("samsung.qm55r", refuses={"counter", "board"}) as scene:
        scene.device.show(called(), 0)
        await scene.until(lambda: scene.answers(Shown))
        assert (scene.answers(Shown)[0].outcome, scene.device.state) == (
            Outcome.REJECTED,
            DeviceState.DEGRADED,
        )
        standing = Show(boot="hall-1", n=2, ttl_s=0.05, picture=ScreenPicture(on=True))
        scene.device.show(standing, 0)
        await scene.until(lambda: scene.answers(Shown)[-1].n == 2)
        scene.device.show(Show(boot="hall-1", n=3, ttl_s=0.05, picture=BoardPicture(hall="")), 0)
        await scene.until(lambda: scene.answers(Shown)[-1].n == 3)
        assert scene.driver.shown == [ScreenPicture(on=True)]


async def test_a_job_is_done_once_and_answered_as_often_as_it_is_told():
    async with serving("escpos.80mm") as scene:
        for times in (1, 2, 3):
            scene.device.do(order(), 0)
            await scene.until(lambda times=times: len(scene.answers(Done)) == times)
        assert scene.driver.done == ["j1"]
        assert {d.outcome for d in scene.answers(Done)} == {Outcome.ACCEPTED}


async def test_a_job_for_an_earlier_life_or_too_old_is_left_alone():
    async with serving("escpos.80mm") as scene:
        scene.device.do(order("j0", to="life-0"), 0)
        scene.device.do(order("j1", ttl_s=5), 6)
        scene.device.do(order("j2"), 0)
        await scene.until(lambda: scene.driver.done == ["j2"])
        assert {d.job_id: d.outcome for d in scene.answers(Done)}["j1"] is Outcome.EXPIRED
        assert "j0" not in {d.job_id for d in scene.answers(Done)}


async def test_a_job_nobody_could_do_in_time_has_expired_and_one_refused_says_why():
    async with serving("escpos.80mm", plugged=False) as scene:
        scene.device.do(order("j1", ttl_s=0.2), 0)
        await scene.until(lambda: scene.answers(Done))
        scene.driver.plugged = True
        scene.driver.refuses.add("print-ticket")
        scene.device.do(order("j2"), 0)
        await scene.until(lambda: len(scene.answers(Done)) == 2)
        first, second = scene.answers(Done)
        assert (first.outcome, second.outcome, second.detail) == (Outcome.EXPIRED, Outcome.REJECTED, "缺纸")
        assert scene.driver.done == []


async def test_what_happens_at_the_device_is_passed_on():
    async with serving("keypad.ff68-21") as scene:
        scene.driver.keys.put_nowait(KeyPressed(op=KeyOp.NEXT))
        await scene.until(lambda: scene.happened)
        assert scene.happened == [("dev", KeyPressed(op=KeyOp.NEXT))]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"role": "satellite"}, "--satellite FILE"),
        ({"role": "satellite", "satellite": "x.yaml"}, "--local-broker"),
        ({"role": "kiosk"}, "ROLE"),
        ({"box": "Kiosk 1"}, "BOX"),
    ],
)
def test_a_satellite_without_file_or_broker_is_refused(given, words):
    with pytest.raises(SettingsInvalid, match=words):
        load_satellite_settings(**given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("box: [", "is not YAML"),
        ("box: Kiosk 1", "box"),
        ("hall: {}", "hall"),
        ("devices: [{name: a, profile: p, address: 'udp://secret'}]", "devices.0.address"),
        ("devices: [" + ", ".join(["{name: a, profile: p, address: 'tcp://x:1'}"] * 2) + "]", "called a"),
    ],
)
def test_a_wrong_satellite_file_is_refused_with_its_place(tmp_path, text, words):
    path = tmp_path / "box.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsInvalid, match=words) as refused:
        load_satellite_file(path)
    assert "secret" not in str(refused.value)
    with pytest.raises(SettingsInvalid, match="write one"):
        load_satellite_file(tmp_path / "none.yaml")
