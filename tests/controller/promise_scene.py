"""Appointments that are missed, and halls that are late, at a controller of the test's own."""

import random
from datetime import datetime

from controller.use_cases.promise_keeper import PromiseKeeper
from hall_core.queueing import commands as c
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import ZONE, hall_setup

BOOK = "/api/halls/haitang/appointments"
REASON = "孩子发高烧，当天在医院"


def a_phone():
    return f"13{random.randrange(10**9):09d}"


async def booking_hall(centre, box, *, goodwill=10):
    """A hall that gives many places, and minutes to whom it kept waiting."""
    household, tax = hall_setup().services
    plan = SlotPlan(minutes=30, places=20, days_ahead=14)
    services = (household.model_copy(update={"appointments": plan}), tax)
    credits_min = {k: v for k, v in hall_setup().credits_min.items() if k != "goodwill"}
    credits_min |= {"goodwill": goodwill} if goodwill else {}
    setup = hall_setup().model_copy(update={"services": services, "credits_min": credits_min})
    await centre.meet(box)
    box.do(c.ConfigureHall(setup=setup))
    await centre.talk(box, box.facts())


async def slot_of(web, day):
    params = {"service": "household", "day": day.isoformat()}
    return (await web.client.get("/api/halls/haitang/slots", params=params, headers=web.bearer)).json()[0]


async def booked(web, clock, phone=None, key=None, nth=0):
    """An appointment of today, at the nth slot that can be booked."""
    params = {"service": "household", "day": clock.now().astimezone(ZONE).date().isoformat()}
    slots = (await web.client.get("/api/halls/haitang/slots", params=params, headers=web.bearer)).json()
    body = {
        "service": "household",
        "starts_at": slots[nth]["starts_at"],
        **({"phone": phone} if phone else {}),
    }
    head = {**web.bearer, "Idempotency-Key": key or f"b{clock.now().timestamp()}{phone}"}
    return await web.client.post(BOOK, json=body, headers=head)


async def missed(web, centre, box, clock, phone):
    """Booked, and nobody came; it is the next morning."""
    made = (await booked(web, clock, phone)).json()
    await centre.talk(box, box.report())
    clock.advance(86_400)
    box.do(c.OpenBusinessDay(day=clock.now().astimezone(ZONE).date()))
    await centre.talk(box, box.facts())
    await keep(centre)
    return made


async def keep(centre):
    await PromiseKeeper(centre.context).look()


async def checked_in(web, centre, box, clock, phone=None):
    """Somebody came right at the beginning of their slot."""
    made = (await booked(web, clock, phone)).json()
    await centre.talk(box, box.report())
    clock.advance((datetime.fromisoformat(made["starts_at"]) - clock.now()).total_seconds())
    name = f"here-{made['code']}"
    box.do(c.IssueTicket(ticket_id=name, token=f"token-{name}", appointment=made["code"]))
    await centre.talk(box, box.facts())
    return made


def link(made, action=""):
    return f"/api/t/{made['token']}{action}"


async def seen(web, made):
    return (await web.client.get(link(made))).json()


async def appeal(web, made, text=REASON):
    return await web.client.post(link(made, "/appeal"), json={"text": text})


def alarms(centre, kind):
    return [row for row in centre.rows("ALARMS") if row["kind"] == kind and row["closed_at"] is None]
