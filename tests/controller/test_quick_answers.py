"""What makes answers quick stays true: nothing waits for a thread, nothing is worked out twice for one moment."""

import inspect
from datetime import timedelta

from fastapi.routing import APIRoute

from controller.api.application import application
from controller.use_cases.shown_services import ShownServices
from hall_core.queueing import commands as c
from tests.controller.box import ZONE


def calls_of(dependant):
    """A route's function and all it depends on."""
    return [dependant.call, *(call for inner in dependant.dependencies for call in calls_of(inner))]


def all_routes(routes):
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "routes", None)
        if isinstance(route, APIRoute):
            yield route
        elif inner:
            yield from all_routes(getattr(inner, "routes", inner))


def test_nothing_of_the_api_is_sent_to_a_thread_and_back():
    routes = list(all_routes(application().routes))
    assert len(routes) > 40
    calls = {call for route in routes for call in calls_of(route.dependant)}
    assert [call.__qualname__ for call in calls if not inspect.iscoroutinefunction(call)] == []


async def test_a_hall_s_services_are_worked_out_once_for_a_moment_and_anew_when_anything_happens(centre, box):
    await centre.meet(box)
    shown, now = ShownServices(), centre.clock.now().astimezone(ZONE)
    first = shown.of("haitang", box.queue, now)
    assert shown.of("haitang", box.queue, now + timedelta(milliseconds=300)) is first
    assert shown.of("other", box.queue, now) is not first
    assert shown.of("haitang", box.queue, now + timedelta(seconds=1)) is not first
    box.issue("t1")
    after = shown.of("haitang", box.queue, now)
    assert [row["waiting"] for row in first] == [0, 0]
    assert sum(row["waiting"] for row in after) == 1
    box.do(c.OpenCounter(counter="1"))
    assert shown.of("haitang", box.queue, now) is not after
