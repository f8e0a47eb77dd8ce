"""A call that nobody answers gets louder, step by step, and falls silent when they come."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hall_core.errors import BoxReplaced, IllegalTransition, UnknownTicket
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.escalating import StepDue, escalation
from hall_core.queueing.evolve import replay
from hall_core.queueing.notices import escalation_notice
from hall_core.queueing.queue import Queue, Ticket
from hall_core.queueing.restate import restate
from hall_core.queueing.setup import Escalation
from hall_core.queueing.summary import calls_summary
from tests.hall_core.hall_scene import Box

ALL = ("again", "pager", "sms", "relative")


def relative(ticket: str) -> f.SealedPhone:
    return f.SealedPhone(ticket_id=ticket, phone_sealed="cmVsYXRpdmU", phone_tail="56")


def opened(**setup: object) -> Box:
    """Counter 1 has said once that somebody had come."""
    box = Box.opened(**setup)
    box.open("1")
    box.issue()
    box.call_next()
    box.wish(c.Start(counter="1"))
    box.wait(1)
    box.wish(c.Finish(counter="1"))
    return box


def reachable(box: Box) -> Ticket:
    """Somebody with a pager, a phone and a relative, just called."""
    about = {"pager": 7, "phone_sealed": "c2VhbGVk", "phone_tail": "34", "relative": relative("ticket-2")}
    ticket = box.issue(**about)
    box.call_next()
    return ticket


def take(box: Box) -> list[str]:
    """Take whatever is due, as the agent does every second."""
    due = escalation(box.queue, box.now, box.by_hall)
    for step in due:
        box.wish(c.Escalate(ticket=step.ticket_id, call_no=step.call_no, step=step.step))
    return [step.step for step in due]


def after(box: Box, seconds: float) -> list[str]:
    box.wait(seconds / 60)
    return take(box)


@pytest.fixture
def box() -> Box:
    return opened()


def test_each_step_is_taken_once_at_its_time(box: Box) -> None:
    ticket = reachable(box)
    taken = [after(box, s) for s in (29, 1, 14, 1, 14, 1, 29, 1, 60)]
    assert taken == [[], ["again"], [], ["pager"], [], ["sms"], [], ["relative"], []]
    assert box.ticket(ticket).escalated == ALL
    assert box.ticket(ticket).call_no == 1, "it is still the same call"


@pytest.mark.parametrize("end", [c.Start, c.NoShow, c.Hold, c.Return])
def test_whoever_comes_or_is_given_up_ends_it(box: Box, end: type) -> None:
    reachable(box)
    assert after(box, 31) == ["again"]
    box.wish(end(counter="1"))
    assert after(box, 60) == []


def test_a_new_call_begins_quietly(box: Box) -> None:
    ticket = reachable(box)
    assert after(box, 61) == ["again", "pager", "sms"]
    box.wish(c.Recall(counter="1"))
    assert box.ticket(ticket).escalated == ()
    assert after(box, 29) == []
    assert after(box, 31) == ["again", "pager", "sms"]
    told = [(x.call_no, x.step) for x in box.facts if isinstance(x, f.CallEscalated)]
    assert told == [(n, step) for n in (1, 2) for step in ALL[:3]], "each is a notice of its own"


def test_only_what_its_holder_has_is_used(box: Box) -> None:
    box.issue()
    box.call_next()
    assert after(box, 120) == ["again"]


def test_a_phone_that_only_this_hall_knows_counts_too(box: Box) -> None:
    ticket = box.issue()
    box.by_hall = frozenset({ticket.ticket_id})
    box.call_next()
    assert after(box, 70) == ["again", "sms"]
    assert box.facts[-1].notice_by == "hall"


def test_a_hall_says_how_soon_and_what_it_does_not_want() -> None:
    box = opened(escalation=Escalation(again_s=10, pager_s=0, sms_s=0, relative_s=20))
    reachable(box)
    assert after(box, 10) == ["again"]
    assert after(box, 10) == ["relative"]
    assert after(box, 100) == []


def test_where_nobody_says_that_people_come_nothing_gets_louder() -> None:
    box = Box.opened()
    box.open("1")
    for _ in range(3):
        box.issue()
        box.wish(c.CallNext(counter="1", finish_current=True))  # a key-pad has one key for all
        assert after(box, 120) == []


def test_a_key_pad_that_takes_over_silences_the_counter(box: Box) -> None:
    for _ in range(2):
        box.issue()
        box.wish(c.CallNext(counter="1", finish_current=True))
    assert after(box, 120) == []


def keyed(box: Box) -> Ticket:
    """Somebody with a relative, called by a key-pad with one key for all."""
    ticket = box.issue(phone_sealed="c2VhbGVk", phone_tail="34", relative=relative("x"))
    box.wish(c.CallNext(counter="1", finish_current=True))
    return ticket


def test_at_a_key_pad_the_second_recall_tells_the_relative_at_once_and_nothing_goes_by_the_clock() -> None:
    box = Box.opened()
    box.open("1")
    keyed(box)
    assert after(box, 200) == []
    box.wish(c.Recall(counter="1"))
    assert after(box, 100) == []
    box.wish(c.Recall(counter="1"))
    assert take(box) == ["relative"]
    assert after(box, 100) == []
    box.wish(c.Recall(counter="1"))
    assert after(box, 100) == [], "once for a call, however often it is repeated"


def test_recalls_of_one_person_do_not_count_for_the_next() -> None:
    box = Box.opened()
    box.open("1")
    keyed(box)
    box.wish(c.Recall(counter="1"))
    keyed(box)
    box.wish(c.Recall(counter="1"))
    assert take(box) == []
    box.wish(c.Recall(counter="1"))
    assert take(box) == ["relative"]


@pytest.mark.parametrize("off", ["no relative", "step off", "away for long"])
def test_at_a_key_pad_nobody_is_told_without_a_relative_a_step_or_a_fresh_call(off: str) -> None:
    box = Box.opened(escalation=Escalation(relative_s=0 if off == "step off" else 90))
    box.open("1")
    if off == "no relative":
        box.issue()
        box.call_next()
    else:
        keyed(box)
    box.wish(c.Recall(counter="1"))
    box.wish(c.Recall(counter="1"))
    assert after(box, 301 if off == "away for long" else 0) == []


def test_a_hall_says_that_a_counter_always_or_never_presses_start() -> None:
    for says, told in (("always", ["again", "pager", "sms", "relative"]), ("never", [])):
        box = opened() if says == "never" else Box.opened()
        if says == "always":
            box.open("1")
        setup = box.queue.setup
        first, *more = setup.counters
        counters = (first.model_copy(update={"presses_start": says}), *more)
        box.wish(c.ConfigureHall(setup=setup.model_copy(update={"counters": counters})))
        box.issue(pager=7, phone_sealed="c2VhbGVk", phone_tail="34", relative=relative("x"))
        box.call_next()
        assert after(box, 120) == told


def test_a_new_incarnation_knows_how_often_a_call_was_repeated() -> None:
    box = Box.opened()
    box.open("1")
    ticket = keyed(box)
    box.wish(c.Recall(counter="1"))
    box.wish(c.Recall(counter="1"))
    again = replay(Queue(), restate(box.queue, box.now))
    kept = again.tickets[ticket.ticket_id]
    assert (kept.call_no, kept.recalls) == (3, 2)
    assert [step.step for step in escalation(again, box.now)] == ["relative"]
    take(box)
    again = replay(Queue(), restate(box.queue, box.now))
    assert escalation(again, box.now) == []


def test_a_box_that_was_away_for_long_says_nothing_more(box: Box) -> None:
    reachable(box)
    assert after(box, 301) == []


def test_a_step_that_is_not_due_is_refused(box: Box) -> None:
    ticket = reachable(box)
    wish = c.Escalate(ticket=ticket.ticket_id, call_no=1, step="again")
    with pytest.raises(IllegalTransition):
        box.wish(wish)
    box.wait(1)
    box.wish(wish)
    with pytest.raises(IllegalTransition):
        box.wish(wish)
    with pytest.raises(UnknownTicket):
        box.wish(wish.model_copy(update={"ticket": "nobody"}))
    box.wish(c.RetireBox())
    with pytest.raises(BoxReplaced):
        box.wish(wish.model_copy(update={"step": "sms"}))


def test_the_board_shows_the_call_anew(box: Box) -> None:
    reachable(box)
    before = calls_summary(box.queue)[0]
    after(box, 30)
    now = calls_summary(box.queue)[0]
    assert (before["again"], now["again"]) == (False, True)
    assert (now["call_no"], now["at"] > before["at"]) == (1, True)


def test_the_words_go_to_the_holder_or_name_whose_number_it_is(box: Box) -> None:
    reachable(box)
    after(box, 100)
    told = {
        x.step: escalation_notice(x, box.queue, "大厅") for x in box.facts if isinstance(x, f.CallEscalated)
    }
    assert told["again"] is None
    assert told["pager"] is None
    assert (told["sms"].kind, told["sms"].phone_sealed) == ("recall", None)
    assert "您的号码A002已叫到" in told["sms"].text
    assert (told["relative"].kind, told["relative"].phone_sealed) == ("relative", "cmVsYXRpdmU")
    assert "您家人的号码A002" in told["relative"].text
    assert all(len(x.text) <= 70 for x in told.values() if x)


def test_a_new_incarnation_repeats_no_step(box: Box) -> None:
    reachable(box)
    after(box, 61)
    again = replay(Queue(), restate(box.queue, box.now))
    assert again.tickets["ticket-2"].escalated == ALL[:3]
    assert again.tickets["ticket-2"].relative == relative("ticket-2")
    assert "again" not in {x.step for x in escalation(again, box.now)}


MOVES = st.lists(
    st.sampled_from(["take", "take", "take", "recall", "no-show", "start", "next", "finish"]), max_size=40
)


KINDS = {"recall": c.Recall, "no-show": c.NoShow, "start": c.Start, "finish": c.Finish}


def move(box: Box, what: str) -> None:
    in_hand = box.queue.in_hand("1")
    if what == "take":
        take(box)
    elif what == "next" and in_hand is None:
        box.issue(phone_sealed="c2VhbGVk", phone_tail="34", relative=relative("x"))
        box.call_next()
    elif what in KINDS and in_hand and in_hand.state == ("serving" if what == "finish" else "called"):
        box.wish(KINDS[what](counter="1"))


@given(moves=MOVES, waits=st.lists(st.integers(0, 50), min_size=40, max_size=40))
def test_no_step_is_taken_twice_for_one_call_nor_without_its_wait(moves: list[str], waits: list[int]) -> None:
    box = opened()
    for what, seconds in zip(moves, waits, strict=False):
        box.now += timedelta(seconds=seconds)
        move(box, what)
    wait_of = {step: timedelta(seconds=n) for step, n in box.queue.setup.escalation.steps()}
    done: set[StepDue] = set()
    called: dict[str, datetime] = {}
    for fact in box.facts:
        if isinstance(fact, f.TicketCalled | f.TicketRecalled):
            called[fact.ticket_id] = fact.at
        elif isinstance(fact, f.ServiceStarted | f.TicketNoShow):
            del called[fact.ticket_id]
        elif isinstance(fact, f.CallEscalated):
            one = StepDue(fact.ticket_id, fact.call_no, fact.step)
            assert one not in done, "once for each call"
            done.add(one)
            assert fact.ticket_id in called, "nothing after they came or were given up"
            assert fact.at - called[fact.ticket_id] >= wait_of[fact.step]
    assert replay(Queue(), box.facts) == box.queue
