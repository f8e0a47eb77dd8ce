"""A relative who is named from outside the hall: sealed where it is typed, carried to the hall, told once."""

import random

import pytest

from controller.use_cases.citizen import view
from controller.use_cases.take_ticket import TicketRequest
from controller.use_cases.visitors import Ask, Visitors
from hall_core.errors import PhoneInvalid, RequestIdReused, TooManyAttempts
from tests.controller.box import Box
from tests.controller.test_api import TICKETS, ready
from tests.controller.test_take_ticket import answering, take
from tests.controller.web import web_of


def made_up():
    return f"13{random.randrange(10**9):09d}"


def asking(phone, relative, **more):
    return TicketRequest(service="household", channel="web", phone=phone, relative_phone=relative, **more)


async def test_the_hall_gets_the_number_sealed_for_its_ticket(centre, box):
    await centre.meet(box)
    phone, relative = made_up(), made_up()
    async with answering(centre, box):
        given = await take(centre, asked=asking(phone, relative))
    named = box.queue.tickets[given.ticket["ticket_id"]].relative
    assert named.phone_tail == relative[-2:]
    assert centre.context.phones.unseal(named.phone_sealed, named.ticket_id) == f"+86{relative}"
    seen = await view(centre.context, given.ticket["token"])
    assert seen["relative_tail"] == relative[-2:]
    for told in (given.ticket, seen, centre.rows("REQUESTS"), centre.rows("WISHES"), box.journal):
        assert relative not in str(told)


async def test_a_relative_alone_may_be_named_and_the_holder_is_no_relative(centre, box):
    await centre.meet(box)
    phone = made_up()
    async with answering(centre, box):
        alone = await take(centre, "k1", asked=asking(None, phone))
    async with answering(centre, box):
        same = await take(centre, "k2", asked=asking(phone, phone))
    assert box.queue.tickets[alone.ticket["ticket_id"]].relative is not None
    assert box.queue.tickets[same.ticket["ticket_id"]].relative is None


async def test_another_relative_under_the_same_key_is_another_request(centre, box):
    await centre.meet(box)
    phone = made_up()
    async with answering(centre, box):
        await take(centre, asked=asking(phone, made_up()))
    with pytest.raises(RequestIdReused):
        await take(centre, asked=asking(phone, made_up()))


async def test_what_was_asked_before_relatives_were_known_keeps_its_print(centre, box):
    await centre.meet(box)
    async with answering(centre, box):
        first = await take(centre, asked=asking(None, None))
    printed = centre.one("REQUESTS")["fingerprint"]
    body = {"hall": "haitang", "service": "household", "channel": "web", "phone": None, "priority": None}
    assert printed == centre.context.phones.fingerprint(body)
    assert first.ticket["label"] == "A001"


@pytest.mark.parametrize("boxes", ["the same box", "a new box"])
async def test_a_silent_hall_takes_the_number_in_with_its_relative(
    centre,
    box,
    clock,
    impatient,
    boxes,
):
    await centre.meet(box)
    relative = made_up()
    given = await take(centre, asked=asking(made_up(), relative))
    assert (await view(centre.context, given.ticket["token"]))["relative_tail"] == relative[-2:]
    if boxes == "the same box":
        await centre.talk(box)
    else:
        box = Box(clock, life="two").open()
        await centre.talk(box, box.state(), box.birth())
    taken = box.queue.tickets[given.ticket["ticket_id"]]
    assert (taken.label, taken.relative.ticket_id) == ("W001", taken.ticket_id)
    opened = centre.context.phones.unseal(taken.relative.phone_sealed, taken.ticket_id)
    assert opened == f"+86{relative}"


async def test_nobody_is_named_again_and_again_by_strangers(centre, box):
    await centre.meet(box)
    relative = made_up()
    visitors = Visitors(centre.context)
    async with answering(centre, box):
        for n in range(5):
            ask = Ask("household", f"form-of-a-stranger-{n}", made_up(), relative=relative)
            await visitors.take("haitang", ask, f"10.0.0.{n}")
        ask = Ask("household", "form-of-a-stranger-5", made_up(), relative=relative)
        with pytest.raises(TooManyAttempts):
            await visitors.take("haitang", ask, "10.0.0.6")


async def test_the_api_takes_a_relative_and_refuses_what_is_no_number(centre, box):
    async with web_of(centre) as web:
        await ready(web, box)
        body = {"service": "household", "relative_phone": made_up()}
        async with answering(centre, box):
            answer = await web.client.post(
                TICKETS, json=body, headers={**web.bearer, "Idempotency-Key": "k1"}
            )
        assert answer.status_code == 201
        assert box.queue.tickets[answer.json()["ticket_id"]].relative is not None
        bad = {**body, "relative_phone": "12"}
        answer = await web.client.post(TICKETS, json=bad, headers={**web.bearer, "Idempotency-Key": "k2"})
        assert (answer.status_code, answer.json()["type"]) == (422, "bad-request")
        assert PhoneInvalid.slug != answer.json()["type"]
