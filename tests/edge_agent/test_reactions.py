import pytest

from edge_agent.keys import command_for
from edge_agent.reactions import board_picture, counter_picture, screen_picture, slip, touched
from hall_core.devices.layout import ScreenSetup
from hall_core.devices.vocabulary import CounterMode, KeyOp, KeyPressed, ScreenPicture
from hall_core.queueing import commands as c
from hall_core.schedule.hours import Hours
from tests.edge_agent.conftest import hall_setup, issue


async def test_a_call_touches_only_its_own_counter(hall):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(c.OpenCounter(counter="2"))
    await hall.handle(issue(1))
    before = hall.queue
    await hall.handle(c.CallNext(counter="2"))
    assert touched(before, hall.queue) == {"2"}


async def test_a_recall_touches_its_counter_though_nothing_else_changed(hall):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    before = hall.queue
    await hall.handle(c.Recall(counter="1"))
    assert touched(before, hall.queue) == {"1"}


async def test_the_strip_follows_its_counter_through_a_visit(hall, clock):
    def mode():
        return counter_picture(hall.queue, "1", hall.now()).mode

    assert mode() is CounterMode.CLOSED
    await hall.handle(c.OpenCounter(counter="1"))
    assert mode() is CounterMode.FREE
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    picture = counter_picture(hall.queue, "1", hall.now())
    assert (picture.mode, picture.label, picture.text) == (CounterMode.CALLED, "A001", "请A001号到1号窗口")
    await hall.handle(c.Start(counter="1"))
    assert mode() is CounterMode.SERVING
    await hall.handle(c.Finish(counter="1"))
    await hall.handle(c.PauseCounter(counter="1", reason="午休"))
    assert counter_picture(hall.queue, "1", hall.now()).text == "午休"


async def test_a_strip_that_returns_late_shows_the_number_but_does_not_blink_it(hall, clock):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    clock.advance(120)
    picture = counter_picture(hall.queue, "1", hall.now())
    assert (picture.mode, picture.label) == (CounterMode.SERVING, "A001")
    assert picture.text == "请A001号到1号窗口", "nobody is served yet"


async def test_an_evaluator_asks_for_the_visit_that_has_just_ended_and_for_no_other(hall, clock):
    def ended():
        return counter_picture(hall.queue, "1", hall.now(), rating=True).ended

    await hall.handle(c.OpenCounter(counter="1"))
    for n in (1, 2, 3):
        await hall.handle(issue(n))
    await hall.handle(c.CallNext(counter="1"))
    assert ended() is None
    await hall.handle(c.CallNext(counter="1", finish_current=True))
    assert ended() == "A001-1", "a key-pad has no key for the end: the next call is one"
    assert counter_picture(hall.queue, "1", hall.now()).ended is None, "strips know nothing of it"
    await hall.handle(c.Start(counter="1"))
    assert ended() is None, "the next citizen is at the counter"
    await hall.handle(c.Finish(counter="1"))
    assert ended() == "A002-1"
    await hall.handle(c.RateVisit(counter="1", score=5))
    assert ended() is None
    await hall.handle(c.CallNext(counter="1"))
    await hall.handle(c.NoShow(counter="1"))
    assert ended() is None, "who did not come is not asked"


async def test_nobody_is_asked_who_has_long_left(hall, clock):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    await hall.handle(c.CallNext(counter="1", finish_current=True))
    clock.advance(89)
    assert counter_picture(hall.queue, "1", hall.now(), rating=True).ended == "A001-1"
    clock.advance(1)
    assert counter_picture(hall.queue, "1", hall.now(), rating=True).ended is None


async def test_a_slip_says_what_the_citizen_was_told(hall):
    handled = await hall.handle(issue(1))
    paper = slip(hall.queue, handled.facts[0], "http://hall.example/t/k1")
    assert (paper.label, paper.service, paper.job_id) == ("A001", "社保医保", "t1")
    assert "接着" not in paper.range_text


async def test_a_slip_for_several_services_says_which_come_then(hall):
    handled = await hall.handle(issue(1, more_services=("household",)))
    paper = slip(hall.queue, handled.facts[0], "")
    assert paper.range_text.endswith("，办完接着办：户籍证件")


@pytest.mark.parametrize(
    ("op", "kinds"),
    [
        (KeyOp.NEXT, ["open", "call-next"]),
        (KeyOp.RECALL, ["recall"]),
        (KeyOp.NO_SHOW, ["no-show"]),
        (KeyOp.HOLD, ["hold"]),
        (KeyOp.PAUSE, ["pause"]),
        (KeyOp.CANCEL, ["cancel"]),
        (KeyOp.EVALUATE, []),
    ],
)
async def test_each_key_stands_for_its_wishes(hall, new_id, op, kinds):
    wishes = command_for(KeyPressed(op=op), "1", hall.queue, new_id)
    assert [w.kind for w in wishes] == kinds


async def test_digits_name_the_ticket_that_comes_back(hall, new_id):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(issue(1))
    await hall.handle(c.CallNext(counter="1"))
    await hall.handle(c.Hold(counter="1"))
    (wish,) = command_for(KeyPressed(op=KeyOp.RETURN, digits="001"), "1", hall.queue, new_id)
    await hall.handle(wish)
    assert hall.queue.tickets["t1"].state == "waiting"


async def test_a_large_screen_shows_true_calls_newest_first(hall, clock):
    await hall.handle(c.OpenCounter(counter="1"))
    for n in (1, 2):
        await hall.handle(issue(n))
    await hall.handle(c.CallNext(counter="1"))
    clock.advance(60)
    await hall.handle(c.NoShow(counter="1"))
    await hall.handle(c.CallNext(counter="1"))
    board = board_picture(hall.queue, hall.now())
    assert [(r.label, r.counter, r.fresh) for r in board.rows] == [("A002", "1号窗口", True)]


async def test_a_display_is_on_around_opening_hours_only(hall):
    hours = Hours(mon=("09:00-17:00",))
    await hall.handle(c.ConfigureHall(setup=hall_setup(hours=hours)))
    wanted = ScreenSetup(input="HDMI1", volume=30, lead_min=15, tail_min=30)

    def stands(hour, minute):
        now = hall.now().replace(hour=hour, minute=minute)
        return screen_picture(hall.queue, wanted, now)

    assert not stands(8, 44).on
    assert stands(8, 45) == ScreenPicture(on=True, input="HDMI1", volume=30)
    assert stands(17, 29).on
    assert stands(17, 31) == ScreenPicture(on=False)
