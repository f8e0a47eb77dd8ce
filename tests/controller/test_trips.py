"""One number for several services, taken from outside and followed by its holder."""

import pytest

from controller.use_cases.citizen import view
from controller.use_cases.take_ticket import TicketRequest
from controller.use_cases.waits import calibration
from hall_core.queueing import commands as c
from tests.controller.box import Box
from tests.controller.test_api import TICKETS, ready
from tests.controller.test_take_ticket import answering, take
from tests.controller.web import web_of

BOTH = TicketRequest(service="household", channel="web", more_services=("tax",))


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        yield made


async def test_a_hall_gives_one_number_for_several_services(centre, box):
    await centre.meet(box)
    async with answering(centre, box):
        given = await take(centre, asked=BOTH)
    assert (given.ticket["label"], given.ticket["services"]) == ("A001", ["household", "tax"])
    seen = await view(centre.context, given.ticket["token"])
    assert (seen["service"], seen["visits"], seen["parts"]) == ("household", ["tax"], [])


async def test_its_holder_and_staff_see_what_is_done_and_what_comes(centre, box):
    await centre.meet(box)
    async with answering(centre, box):
        given = await take(centre, asked=BOTH)
    box.do(c.OpenCounter(counter="3"))
    for wish in (c.CallNext, c.Start, c.Finish):
        box.do(wish(counter="3"))
    await centre.talk(box)
    seen = await view(centre.context, given.ticket["token"])
    assert (seen["state"], seen["service"], seen["visits"]) == ("waiting", "tax", [])
    assert [(part["service"], part["counter"]) for part in seen["parts"]] == [("household", "3")]
    row = centre.one("TICKETS")
    assert (row["service"], row["state"]) == ("tax", "waiting")
    told = await calibration(centre.context, "haitang", None, None)
    assert [row["service"] for row in told["services"]] == ["household"], "the wait told was the first one's"


async def test_a_silent_hall_takes_the_number_in_with_all_its_services(centre, box, impatient):
    await centre.meet(box)
    given = await take(centre, asked=BOTH)
    assert (given.ticket["series"], given.ticket["services"]) == ("offline", ["household", "tax"])
    await centre.talk(box)
    taken = box.queue.tickets[given.ticket["ticket_id"]]
    assert (taken.label, taken.service, taken.visits) == ("W001", "household", ("tax",))


async def test_a_new_box_takes_it_in_with_all_its_services(centre, box, clock, impatient):
    await centre.meet(box)
    given = await take(centre, asked=BOTH)
    new_box = Box(clock, life="two").open()
    await centre.talk(new_box, new_box.state(), new_box.birth())
    taken = new_box.queue.tickets[given.ticket["ticket_id"]]
    assert taken.visits == ("tax",)


async def test_the_api_takes_services_beside_service(web, box):
    await ready(web, box)
    for n, body in enumerate(
        ({"services": ["tax", "household"]}, {"service": "tax", "services": ["household"]})
    ):
        headers = {**web.bearer, "Idempotency-Key": f"k{n}"}
        async with answering(web.centre, box):
            answer = await web.client.post(TICKETS, json=body, headers=headers)
        assert (answer.status_code, sorted(answer.json()["services"])) == (201, ["household", "tax"])
    for body, slug in (({}, "bad-request"), ({"services": ["tax", "tax"]}, "service-twice")):
        headers = {**web.bearer, "Idempotency-Key": f"bad-{slug}"}
        answer = await web.client.post(TICKETS, json=body, headers=headers)
        assert answer.json()["type"] == slug
    rows = (await web.client.get("/api/tickets?hall=haitang", headers=web.bearer)).json()
    assert {len(row["visits"]) for row in rows} == {1}
