"""Which hall is quicker: for programs, for everybody, in an order that can be explained."""

import asyncio

import pytest

from controller.use_cases.kept import Kept
from controller.use_cases.near import Point, Start, ranked, services_of
from hall_core.errors import BadRequest
from hall_core.queueing import commands as c
from hall_core.queueing.setup import Place
from tests.controller.box import Box, hall_setup
from tests.controller.web import web_of

HERE = Point(30.0, 120.0)


def offered(waiting=0, span=(0, 1), *, open_=True, name="social"):
    return {
        "id": name,
        "name": name,
        "open": open_,
        "waiting": waiting,
        "range_min": list(span) if span else None,
    }


def hall(name, *services, parent=None, stale=False, lat=None, lon=None):
    place = {"address": "", "address_en": "", "lat": lat, "lon": lon} if lat is not None else None
    return {
        "id": name,
        "name": name,
        "parent": parent,
        "stale": stale,
        "place": place,
        "services": list(services),
    }


def order(halls, service="social", **start):
    return [row["id"] for row in ranked(halls, service, Start(**start))]


def test_the_shorter_wait_is_first_and_proposed():
    halls = [
        hall("long", offered(9, (40, 60))),
        hall("short", offered(2, (5, 9))),
        hall("middle", offered(5, (20, 30))),
    ]
    found = ranked(halls, "social", Start())
    assert [row["id"] for row in found] == ["short", "middle", "long"]
    assert [row["proposed"] for row in found] == [True, False, False]
    assert found[0]["expected"] == {
        "service": "social", "open": True, "waiting": 2, "range_min": [5, 9], "minutes": 7.0,
    }  # fmt: skip


def test_a_hall_without_the_service_is_no_answer():
    assert order([hall("a", offered(name="tax")), hall("b", offered())]) == ["b"]


def test_what_is_closed_or_cannot_be_reached_comes_last_and_is_never_proposed():
    halls = [
        hall("closed", offered(open_=False)),
        hall("stale", offered(0, (0, 1)), stale=True),
        hall("unknown", offered(3, None)),
        hall("open", offered(9, (50, 70))),
    ]
    assert order(halls) == ["open", "unknown", "stale", "closed"]
    assert [row["proposed"] for row in ranked(halls[:3], "social", Start())] == [False, False, False]


def test_the_way_counts_from_a_known_place():
    halls = [
        hall("far", offered(0, (0, 1)), lat=30.5, lon=120.0),
        hall("near", offered(3, (10, 16)), lat=30.01, lon=120.0),
    ]
    assert order(halls) == ["far", "near"]
    assert order(halls, at=HERE) == ["near", "far"]
    assert [row["distance_km"] for row in ranked(halls, "social", Start(at=HERE))] == [1.1, 55.6]


def test_of_two_equal_waits_the_nearer_in_the_districts_tree_is_first():
    halls = [
        hall("a-aunt", offered(), parent="top"),
        hall("child", offered(), parent="street"),
        hall("street", offered(), parent="top"),
        hall("top", offered()),
    ]
    assert order(halls, hall="street") == ["street", "child", "top", "a-aunt"]


def test_a_ring_of_parents_ends():
    halls = [hall("a", offered(), parent="b"), hall("b", offered(), parent="a")]
    assert order(halls, hall="a") == ["a", "b"]


def test_distances_on_the_globe_are_right():
    beijing, shanghai = Point(39.9042, 116.4074), Point(31.2304, 121.4737)
    assert beijing.km_to(shanghai) == pytest.approx(1067, abs=3)
    assert Point(0, 179.9).km_to(Point(0, -179.9)) == pytest.approx(22.2, abs=0.1)


@pytest.mark.parametrize(
    "text", ["", "30", "30;120", "91,0", "0,181", "nan,0", "1e1,2", "٣٠,١٢٠", "30,120,5"]
)
def test_what_is_no_place_on_earth_is_refused(text):
    with pytest.raises(BadRequest):
        Point.parse(text)


def test_every_service_is_listed_once_the_commonest_first():
    halls = [hall("a", offered(name="tax")), hall("b", offered(), offered(name="tax"))]
    assert [(s["id"], s["halls"]) for s in services_of(halls)] == [("tax", 2), ("social", 1)]


@pytest.fixture
async def web(centre, box):
    """Two halls; at the first somebody waits."""
    centre.enrol("liulin")
    other = Box(centre.clock, "liulin", "liulin").open()
    place = Place(address="柳林路 2 号", lat=30.01, lon=120.0)
    other.do(c.ConfigureHall(setup=hall_setup("liulin").model_copy(update={"place": place})))
    for each in (box, other):
        each.do(c.OpenCounter(counter="1"))
        await centre.meet(each)
    for n in range(4):
        box.issue(f"t{n}")
    await centre.talk(box, box.facts())
    async with web_of(centre) as made:
        yield made


async def test_the_interface_proposes_the_quicker_hall_and_keeps_its_names(web):
    plain = (await web.client.get("/api/halls", headers=web.bearer)).json()
    found = await web.client.get("/api/halls", params={"service": "household"}, headers=web.bearer)
    assert [(h["id"], h["proposed"]) for h in found.json()] == [("liulin", True), ("haitang", False)]
    assert set(plain[0]) < set(found.json()[0])
    near = {"service": "household", "near": "30.0,120.0"}
    (first, second) = (await web.client.get("/api/halls", params=near, headers=web.bearer)).json()
    assert (first["distance_km"], second["distance_km"]) == (1.1, None)


async def test_everybody_may_read_waits_but_nothing_of_the_inside(web):
    answer = await web.client.get("/api/public/halls")
    assert answer.status_code == 200
    assert (answer.headers["cache-control"], answer.headers["access-control-allow-origin"]) == (
        "public, max-age=2",
        "*",
    )
    (haitang, liulin) = answer.json()
    assert haitang["services"][0]["waiting"] == 4
    assert liulin["place"]["address"] == "柳林路 2 号"
    assert not {"devices", "counters", "agent", "state_hash", "stream", "calls"} & set(haitang)
    proposed = (await web.client.get("/api/public/halls", params={"service": "household"})).json()
    assert proposed[0]["id"] == "liulin"
    assert proposed[0]["proposed"]


async def test_a_place_that_is_none_is_a_problem(web):
    for path in ("/api/public/halls", "/api/halls"):
        answer = await web.client.get(path, params={"near": "here"}, headers=web.bearer)
        assert (answer.status_code, answer.json()["type"]) == (422, "bad-request")


async def test_the_public_picture_is_worked_out_once_in_two_seconds(web, box):
    before = (await web.client.get("/api/public/halls")).json()
    box.issue("one-more")
    await web.centre.talk(box, box.facts())
    assert (await web.client.get("/api/public/halls")).json() == before
    web.centre.clock.advance(2)
    after = (await web.client.get("/api/public/halls")).json()
    assert after[0]["services"][0]["waiting"] == 5


async def test_a_hall_not_heard_of_for_a_minute_is_marked_and_not_proposed(web, centre, box):
    centre.clock.advance(61)
    await centre.talk(box, box.report())
    rows = (await web.client.get("/api/public/halls", params={"service": "household"})).json()
    assert [(h["id"], h["stale"], h["proposed"]) for h in rows] == [
        ("haitang", False, True),
        ("liulin", True, False),
    ]


def test_a_place_has_both_coordinates_or_none():
    assert Place(address="海棠路 1 号").lat is None
    with pytest.raises(ValueError, match="stand together"):
        Place(lat=30.0)


async def test_what_takes_long_to_work_out_is_kept_longer(clock):
    kept, made = Kept(2.0), []

    async def make():
        made.append(clock.monotonic())
        clock.advance(1)
        return len(made)

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(kept.get(clock, make)) for _ in range(5)]
    assert {task.result() for task in asked} == {1}
    clock.advance(18)
    assert await kept.get(clock, make) == 1
    clock.advance(1)
    assert await kept.get(clock, make) == 2
