"""A box whose clock says 1970 or 2040 asks the real controller, over real HTTP, before it begins with TLS."""

import asyncio
import json
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from controller.cli import app as command_line
from controller.use_cases.telling_time import TimeSigner
from edge_agent.bell import Bell
from edge_agent.box_care import go_on_from
from edge_agent.hall import Hall
from edge_agent.journal import Journal
from edge_agent.mirror import Mirror
from edge_agent.satellite import told_the_time
from edge_agent.settings import load_satellite_settings, load_settings
from edge_agent.signed_time import RENEW_S, SignedTime
from hall_core.clock import SteadyTime, SystemClock
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import JournalBroken, SettingsInvalid
from hall_core.queueing import commands as c
from tests.controller.centre import Centre
from tests.controller.serving import served
from tests.controller.web import web_of
from tests.edge_agent.conftest import hall_setup, issue, open_journal

SHANGHAI = ZoneInfo("Asia/Shanghai")
RIGHT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
WRONG = [datetime(1970, 1, 1, 0, 2, tzinfo=UTC), datetime(2040, 5, 5, tzinfo=UTC)]


class Wall:
    """A machine's own clock that runs from where it was put; nobody synchronises it."""

    def __init__(self, shows: datetime, *, may_set: bool = True) -> None:
        self.clock = SystemClock(synchronised=lambda: False, wall=self.now)
        self._shows, self._since, self.may_set = shows, self.clock.monotonic(), may_set

    def now(self) -> datetime:
        return self._shows + timedelta(seconds=self.clock.monotonic() - self._since)

    def put(self, now: datetime) -> None:
        if not self.may_set:
            raise PermissionError(1, "Operation not permitted")
        self._shows, self._since = now, self.clock.monotonic()


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(minutes=1)


@pytest.fixture
def centre(tmp_path, clock):
    made = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
async def url(centre):
    """The controller's address: it knows that it is half past nine on Monday, 23 November 2026."""
    async with web_of(centre) as web, served(web.app) as url:
        yield url


@pytest.fixture
def key(centre):
    return TimeSigner(centre.context.phones.time_seed).public


def asking(wall, key, url="http://127.0.0.1:9", written=None, **more):
    last = SteadyTime(wall.clock, written)
    return SignedTime(
        wall.clock, last, url=url, key=key, jitter=lambda: 0.0, **{"set_wall": wall.put, **more}
    )


@asynccontextmanager
async def hall_of(folder, wall):
    """A hall with its writer on this machine, not configured yet."""
    journal = open_journal(folder / "journal.db")
    hall = Hall(journal, wall.clock, "Asia/Shanghai", Bell())
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(hall.run(), name="hall")
            yield hall
            writer.cancel()
    finally:
        journal.close()


@pytest.mark.parametrize("shows", WRONG, ids=lambda at: str(at.year))
@pytest.mark.parametrize("may_set", [True, False])
async def test_a_box_gets_the_right_day_and_may_open_it(shows, may_set, key, url, tmp_path):
    wall = Wall(shows, may_set=may_set)
    assert not wall.clock.trusted()
    async with hall_of(tmp_path, wall) as hall:
        told = SignedTime(wall.clock, hall.time, url=url, key=key, jitter=lambda: 0.0, set_wall=wall.put)
        await told.before_start()
        assert wall.clock.trusted()
        assert near(hall.now(), RIGHT)
        await hall.handle(c.ConfigureHall(setup=hall_setup()))
        await hall.open_day()
        assert (hall.queue.day, hall.queue.trusted_day) == (date(2026, 11, 23), date(2026, 11, 23))
    assert near(wall.now(), RIGHT) is may_set, "where the machine's clock may be set, TLS works as well"
    assert wall.clock.corrected is not may_set
    trouble = told.trouble()
    assert trouble is None if may_set else "CAP_SYS_TIME" in trouble[1]


async def test_a_satellite_is_told_the_time_before_it_connects(key, url, tmp_path):
    wall = Wall(WRONG[0])
    options = {"role": "satellite", "satellite": tmp_path, "local_broker": "mqtts://kiosk-1:x@127.0.0.1:1"}
    settings = load_satellite_settings(**options, time_url=url, time_key=key)
    async with told_the_time(settings, wall.clock, set_wall=wall.put):
        assert near(wall.now(), RIGHT), "certificates are checked against the machine's clock"
        assert wall.clock.trusted()


async def test_a_satellite_that_nobody_tells_the_time_asks_nobody(tmp_path):
    wall = Wall(WRONG[0])
    options = {"role": "satellite", "satellite": tmp_path, "local_broker": "mqtt://kiosk-1:x@127.0.0.1:1"}
    async with told_the_time(load_satellite_settings(**options), wall.clock, set_wall=wall.put):
        assert wall.now().year == 1970


def telling(wall, hall, key, url):
    told = SignedTime(wall.clock, hall.time, url=url, key=key, jitter=lambda: 0.0, set_wall=wall.put)
    told.unused = lambda: hall.journal.gave_none
    return told


async def test_a_new_box_that_began_in_2040_begins_anew_as_soon_as_it_is_told_the_time(key, url, tmp_path):
    wall = Wall(WRONG[1])
    async with hall_of(tmp_path, wall) as hall:
        await hall.handle(c.ConfigureHall(setup=hall_setup()))
        await hall.open_day()  # nobody was there to ask
        assert hall.queue.day == date(2040, 5, 5)
        await telling(wall, hall, key, url).once()
        assert near(wall.clock.now(), RIGHT)
        with pytest.raises(JournalBroken, match="a new one begins"):
            await hall.open_day()
        first = hall.journal.stream
    assert Journal.open(tmp_path / "journal.db", new_id="second", stamp="now").stream == "second" != first
    assert len(list(tmp_path.glob("journal.db.ahead.*"))) >= 1, "nothing is thrown away"
    async with hall_of(tmp_path, wall) as hall:
        await hall.handle(c.ConfigureHall(setup=hall_setup()))
        await hall.open_day()
        assert hall.queue.day == date(2026, 11, 23)


async def test_what_began_ahead_does_not_come_back_from_the_stick(tmp_path):
    wall, stick = Wall(WRONG[1]), tmp_path / "stick"
    stick.mkdir()
    async with hall_of(tmp_path, wall) as hall:
        await hall.handle(c.ConfigureHall(setup=hall_setup()))
        await hall.open_day()
        Mirror(stick, hall, "binjiang").follow()
        hall.journal.give_up()
    journal = Journal.open(tmp_path / "journal.db", new_id="second", stamp="now")
    go_on_from(stick, "binjiang", journal, wall.clock)
    assert (journal.last, journal.left) == (0, None)
    journal.close()


async def test_a_box_that_has_given_numbers_in_2040_keeps_what_it_wrote(key, url, tmp_path):
    wall = Wall(WRONG[1])
    async with hall_of(tmp_path, wall) as hall:
        await hall.handle(c.ConfigureHall(setup=hall_setup()))
        await hall.open_day()
        days = {"first_day": hall.queue.day, "last_day": hall.queue.day}
        await hall.handle(c.GrantZone(grant_id="g", incarnation=hall.journal.stream, zone=0, **days))
        await hall.handle(issue(1))
        told = telling(wall, hall, key, url)
        await told.once()
        assert "written here" in told.trouble()[1]
        await hall.open_day()
        assert hall.queue.day == date(2040, 5, 5), "a number that somebody holds is never given again"


async def test_a_box_that_wrote_until_friday_goes_on_on_monday(key, url):
    friday = RIGHT - timedelta(days=3)
    wall = Wall(WRONG[1])
    written = SteadyTime(wall.clock, friday)
    await SignedTime(wall.clock, written, url=url, key=key, jitter=lambda: 0.0, set_wall=wall.put).once()
    assert near(written.now(), RIGHT)
    assert written.trusted()


async def test_a_time_before_what_was_written_changes_nothing(key, url):
    wall = Wall(WRONG[0])
    told = asking(wall, key, url, written=RIGHT + timedelta(minutes=5))
    await told.once()
    assert (wall.clock.trusted(), wall.now().year) == (False, 1970)
    assert told.trouble()[0] is DeviceState.DEGRADED
    assert "written here" in told.trouble()[1]


async def test_a_clock_that_is_right_asks_nobody(key):
    clock = SystemClock(believed=True)

    async def never(url):
        pytest.fail("asked")

    await SignedTime(
        clock, SteadyTime(clock, None), url="http://127.0.0.1:9", key=key, jitter=lambda: 0.0, ask=never
    ).before_start()


async def test_what_was_told_is_void_once_the_wall_jumps(key, url):
    wall = Wall(WRONG[0], may_set=False)
    await asking(wall, key, url).once()
    assert near(wall.clock.now(), RIGHT)
    wall.may_set = True
    wall.put(RIGHT + timedelta(hours=2))
    assert near(wall.clock.now(), RIGHT + timedelta(hours=2)), "corrected twice it would be 2083"
    assert not wall.clock.trusted()


async def test_a_box_that_lives_on_the_answer_asks_again_after_hours(key, url):
    wall = Wall(WRONG[0])
    told = asking(wall, key, url)
    assert told._due()
    await told.once()
    assert not told._due()
    told._clock = _Slow(wall.clock, iter((wall.clock.monotonic() + RENEW_S + 1,)))
    assert told._due()


def test_the_kernels_word_counts_more_than_anybodys():
    kernel = {"synchronised": False}
    now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    clock = SystemClock(synchronised=lambda: kernel["synchronised"], wall=lambda: now)
    clock.adopt(now + timedelta(minutes=30))
    assert (clock.trusted(), clock.now() - now) == (True, timedelta(minutes=30))
    kernel["synchronised"] = True
    clock._asked_at = -10.0
    assert (clock.trusted(), clock.now()) == (True, now)


# -- answers that are not the controller's ---------------------------------------------------------------


def answer(key_seed=bytes(32), at=RIGHT, nonce=None, **changes):
    """What somebody with this key would answer to the question in `url`."""

    async def ask(url):
        said = nonce or url.partition("nonce=")[2]
        time = at.isoformat()
        body = {"time": time, "nonce": said, "signature": TimeSigner(key_seed).sign(time, said)}
        return json.dumps({**body, **changes}).encode()

    return ask


GOOD = TimeSigner(bytes(32)).public


def raw(body):
    async def ask(url):
        return body

    return ask


async def none(url):
    raise ConnectionRefusedError


async def silent(url):
    raise TimeoutError


@pytest.mark.parametrize(
    "ask",
    [
        answer(key_seed=bytes(range(32))),
        answer(nonce=secrets.token_urlsafe(24)),
        answer(time="2031-01-01T00:00:00+00:00"),
        answer(at=datetime(2024, 12, 31, tzinfo=UTC)),
        answer(at=RIGHT.replace(tzinfo=None)),
        answer(signature=""),
        answer(signature="é"),
        answer(signature=None),
        answer(time=None),
        raw(b""),
        raw(b"[]"),
        raw(b"{}"),
        raw(b"null"),
        raw(b"\xff\xfe"),
        raw(b"[" * 4000),
        raw(b"<html>login</html>"),
        none,
        silent,
    ],
)
async def test_any_other_answer_changes_nothing(ask):
    wall = Wall(WRONG[0])
    told = asking(wall, GOOD, ask=ask)
    await told.once()
    assert (wall.clock.trusted(), wall.clock.told, wall.now().year) == (False, False, 1970)
    assert told.trouble() is not None
    await asking(wall, GOOD, ask=answer()).once()
    assert near(wall.now(), RIGHT), "the same box takes a right one"


async def test_an_answer_that_took_long_is_not_taken():
    wall = Wall(WRONG[0])
    told = asking(wall, GOOD, ask=answer())
    seconds = iter((0.0, 6.0))
    told._clock = _Slow(wall.clock, seconds)
    await told.once()
    assert wall.now().year == 1970


class _Slow:
    """The clock, whose seconds are the test's."""

    def __init__(self, clock, seconds):
        self._inside, self._seconds = clock, seconds

    def monotonic(self):
        return next(self._seconds)

    def __getattr__(self, name):
        return getattr(self._inside, name)


async def test_half_the_round_trip_is_added():
    wall = Wall(WRONG[0])
    told = asking(wall, GOOD, ask=answer())
    told._clock = _Slow(wall.clock, iter((0.0, 4.0, 4.0, 4.0)))
    await told.once()
    assert wall.now() - RIGHT >= timedelta(seconds=2)


# -- the controller's side ---------------------------------------------------------------------------------


async def test_a_controller_in_doubt_tells_no_time_and_answers_no_odd_question(centre, clock):
    async with web_of(centre) as web:
        good = await web.client.get("/api/v1/time", params={"nonce": "n" * 16})
        odd = await web.client.get("/api/v1/time", params={"nonce": "short"})
        clock.synchronised = False
        doubt = await web.client.get("/api/v1/time", params={"nonce": "n" * 16})
        clock.synchronised = True
        many = [await web.client.get("/api/v1/time", params={"nonce": "n" * 16}) for _ in range(250)]
    assert (good.status_code, good.headers["cache-control"]) == (200, "no-store")
    assert good.json()["time"] == "2026-11-23T01:30:00.000000+00:00"
    assert odd.status_code == 422
    assert (doubt.status_code, doubt.json()["type"]) == (503, "time-unsure")
    assert {a.status_code for a in many} == {200, 429}


async def test_the_command_prints_the_key_that_boxes_need(centre, key, tmp_path):
    said = await asyncio.to_thread(
        CliRunner().invoke, command_line, ["box", "time-key", "--data", str(tmp_path)]
    )
    assert said.stdout.strip() == key
    load_settings(hall=tmp_path / "h", data=tmp_path, time_url="http://centre.test/", time_key=key)


async def test_a_controller_that_is_not_there_or_says_no_is_told_in_one_sentence(key, url, clock):
    clock.synchronised = False
    wall = Wall(WRONG[0])
    told = asking(wall, key, url)
    await told.once()
    assert "answered 503" in told.trouble()[1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_url": "http://centre.test"},
        {"time_key": GOOD},
        {"time_url": "https://centre.test", "time_key": GOOD},
        {"time_url": "http://user:word@centre.test", "time_key": GOOD},
        {"time_url": "http://centre.test", "time_key": "short"},
        {"time_url": "http://centre.test", "time_key": "?"},
    ],
)
def test_settings_that_cannot_work_are_told_before_the_start(wrong, tmp_path):
    with pytest.raises(SettingsInvalid, match=r"time_url|TIME_"):
        load_settings(hall=tmp_path / "h.yaml", data=tmp_path, **wrong)
