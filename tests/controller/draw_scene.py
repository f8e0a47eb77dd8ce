"""A hall whose new days are drawn from 10:00 to 10:05, and people who take part."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from controller.use_cases.drawing import PlaceKeeper
from controller.use_cases.draws import DrawRequest, register
from hall_core.queueing import commands as c
from hall_core.schedule.hours import Hours
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import hall_setup

PLAN = SlotPlan(minutes=30, places=2, days_ahead=3, draw_min=5, draw_at="10:00")
#: the test's clock begins at 09:30 of the hall
TO_OPENING, WINDOW = 30 * 60, 5 * 60


def a_phone():
    return f"13{random.randrange(10**9):09d}"


def fair(centre, **changes):
    """The same chance in every run: a place always returns after ten minutes."""
    even = replace(centre.context.fairness, **{"chance": lambda: 7 / 17, **changes})
    object.__setattr__(centre.context, "fairness", even)


async def draw_hall(centre, box, plan=PLAN, span="09:00-12:00"):
    household, tax = hall_setup().services
    hours = Hours.always().model_copy(update={"thu": (span,)})
    services = (household.model_copy(update={"appointments": plan, "hours": hours}), tax)
    await centre.meet(box)
    box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": services})))
    await centre.talk(box, box.facts())
    fair(centre)


async def look(centre):
    await PlaceKeeper(centre.context).look()


async def announced(centre):
    """The one draw that is to come."""
    await look(centre)
    return centre.one("DRAWS")


def slot(draw, nth):
    """The nth half hour from nine in the morning of the draw's day."""
    nine = datetime.combine(draw["day"], datetime.min.time(), UTC) + timedelta(hours=1)
    return nine + timedelta(minutes=30 * nth)


async def enter(centre, draw, *nths, key=None, phone=None, **more):
    phone = phone or a_phone()
    asked = DrawRequest([slot(draw, n) for n in nths], phone, "web", **more)
    return await register(centre.context, draw["draw_id"], asked, owner="key:test", key=key or phone)
