"""How often one place, one number, one program may ask; and a form that is sent twice."""

import asyncio

import pytest

from controller.use_cases import limits
from controller.use_cases.limits import Once, Rate, VisitorLimits, place_of
from hall_core.errors import HallClosed, TooManyAttempts


def taken(rate, key="a", tries=100):
    """How many of these tries get through at once."""
    count = 0
    for _ in range(tries):
        try:
            rate.take(key)
        except TooManyAttempts:
            continue
        count += 1
    return count


def test_so_many_go_at_once_and_then_one_every_so_often(clock):
    rate = Rate(clock, at_once=5, every_s=10)
    assert taken(rate) == 5
    clock.advance(9)
    assert taken(rate) == 0
    clock.advance(1)
    assert taken(rate) == 1
    clock.advance(1000)
    assert taken(rate) == 5, "waiting longer saves up no more"


def test_who_is_refused_is_told_how_long_to_wait_and_loses_nothing(clock):
    rate = Rate(clock, at_once=1, every_s=60)
    rate.take("a")
    for _ in range(50):
        with pytest.raises(TooManyAttempts) as refused:
            rate.take("a")
        assert refused.value.facts["wait_s"] == 60
    clock.advance(60)
    rate.take("a")


def test_one_key_does_not_count_for_another(clock):
    rate = Rate(clock, at_once=1, every_s=60)
    assert (taken(rate, "a"), taken(rate, "b")) == (1, 1)


def test_what_is_remembered_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(limits, "REMEMBERED", 10)
    rate = Rate(clock, at_once=1, every_s=60)
    for n in range(100):
        rate.take(str(n))
    assert len(rate._due) == 10


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_line_with_many_ipv6_addresses_is_one_place(address, place):
    assert place_of(address) == place


def test_a_form_that_is_sent_again_counts_once_for_its_number(clock):
    visitors = VisitorLimits(clock)
    for _ in range(50):
        visitors.phone("index", "form-1")
    for n in range(2, limits.PHONE_AT_ONCE + 1):
        visitors.phone("index", f"form-{n}")
    with pytest.raises(TooManyAttempts):
        visitors.phone("index", "another-form")
    visitors.phone("index", "form-1")
    visitors.phone("another-index", "another-form")


async def test_a_form_sent_many_times_at_once_is_done_once():
    once, done, gate = Once(), [], asyncio.Event()

    async def work():
        done.append(1)
        await gate.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(once.do("form", work))
        await asyncio.sleep(0)
        gate.set()
    await once.do("form", work)
    assert done == [1]


async def test_a_refusal_is_told_to_everybody_and_may_be_tried_again():
    once, tries = Once(), []

    async def work():
        tries.append(1)
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise HallClosed

    async def sent():
        try:
            await once.do("form", work)
        except HallClosed:
            return "refused"
        return "done"

    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(sent()), group.create_task(sent())
    assert (first.result(), second.result()) == ("refused", "refused")
    assert await sent() == "done"
    assert len(tries) == 2
