"""Who does not come is warned, then paused, told why and until when, and heard."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.use_cases.promise_rules import Miss, PromiseRules, standing_of
from tests.controller.gateway import FakeGateway
from tests.controller.promise_scene import (
    REASON,
    a_phone,
    alarms,
    appeal,
    booked,
    booking_hall,
    keep,
    missed,
    seen,
)
from tests.controller.sending import sending
from tests.controller.web import web_of

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
RULES = PromiseRules()
APPEALS = "/api/appeals"


@pytest.fixture
async def web(centre, box):
    await booking_hall(centre, box)
    async with web_of(centre) as made:
        yield made


async def decided(web, number, verdict, answer="已核实"):
    await web.login()
    return await web.client.post(f"{APPEALS}/{number}/{verdict}", json={"answer": answer})


def notices(centre):
    return [
        row["text"] for row in centre.rows("NOTICES") if row["kind"] in ("missed", "paused", "appeal-decided")
    ]


async def test_the_first_time_is_a_warning_with_its_reason_and_no_more(web, centre, box, clock):
    phone = a_phone()
    first = await missed(web, centre, box, clock, phone)
    standing = (await seen(web, first))["standing"]
    assert (standing["missed"], standing["days"], standing["of"], standing["until"]) == (True, 1, 2, None)
    assert standing["may_appeal"]
    (told,) = notices(centre)
    assert "未到也未取消，30天内满2次将暂停预约" in told
    assert phone not in str(centre.rows("NOTICES"))
    again = await booked(web, clock, phone)
    assert again.status_code == 201
    assert (await seen(web, again.json()))["standing"]["days"] == 1, "who books again is reminded"


async def test_the_second_day_pauses_and_says_until_when(web, centre, box, clock):
    phone = a_phone()
    await missed(web, centre, box, clock, phone)
    last = await missed(web, centre, box, clock, phone)
    refused = (await booked(web, clock, phone)).json()
    assert refused["type"] == "booking-paused"
    standing = (await seen(web, last))["standing"]
    assert standing["until"][:16].replace("T", " ") == refused["until"]
    until = datetime.fromisoformat(standing["until"])
    assert until == datetime.fromisoformat(last["starts_at"]) + timedelta(days=7)
    assert f"{until:%m月%d日%H:%M}前暂停网上预约" in notices(centre)[1]


async def test_nobody_is_told_twice_and_a_restart_tells_nobody_again(web, centre, box, clock):
    await missed(web, centre, box, clock, a_phone())
    await keep(centre)
    later = centre.again()
    try:
        await keep(later)
        assert len(notices(later)) == 1
    finally:
        later.close()


async def test_the_warning_reaches_the_telephone(web, centre, box, clock):
    gateway = FakeGateway(clock.now)
    async with sending(centre, gateway) as settle:
        await missed(web, centre, box, clock, a_phone())
        await settle()
    assert [row["state"] for row in centre.rows("NOTICES") if row["kind"] == "missed"] == ["accepted"]


def test_two_appointments_missed_on_one_day_are_one():
    same = [Miss(date(2026, 11, 22), NOW - timedelta(hours=n)) for n in (20, 22)]
    assert standing_of(RULES, same, NOW).until is None


@given(st.lists(st.integers(1, 60), max_size=8), st.integers(2, 5))
def test_nobody_is_paused_before_they_were_warned(ago: list[int], count: int) -> None:
    misses = [Miss((NOW - timedelta(days=n)).date(), NOW - timedelta(days=n)) for n in ago]
    rules = PromiseRules(misses=count)
    standing = standing_of(rules, misses, NOW)
    counted = {n for n in ago if n < 30}
    assert standing.days == len(counted)
    if standing.until is not None:
        assert len(counted) >= count
        assert NOW < standing.until <= NOW + rules.pause
    if len(counted) >= count and min(counted) < 7:
        assert standing.until is not None


async def test_an_appeal_keeps_booking_open_until_it_is_refused(web, centre, box, clock):
    phone = a_phone()
    await missed(web, centre, box, clock, phone)
    last = await missed(web, centre, box, clock, phone)
    said = await appeal(web, last)
    assert (said.status_code, said.json()["standing"]["appeal"]["state"]) == (200, "open")
    assert said.json()["standing"]["suspended"]
    assert len(alarms(centre, "appeal")) == 1
    assert (await booked(web, clock, phone, key="meanwhile")).status_code == 201
    (listed,) = (await web.client.get(APPEALS, headers=web.bearer)).json()
    assert (listed["text"], listed["days"], listed["phone"]) == (REASON, 2, f"{phone[:3]}****{phone[-4:]}")
    answer = await decided(web, listed["id"], "refuse", "请提前取消")
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    assert alarms(centre, "appeal") == []
    assert (await booked(web, clock, phone, key="after", nth=3)).json()["type"] == "booking-paused"
    shown = (await seen(web, last))["standing"]
    assert (shown["appeal"]["answer"], shown["suspended"]) == ("请提前取消", False)
    assert "申诉未成立" in notices(centre)[-1]


async def test_a_granted_appeal_takes_the_miss_away(web, centre, box, clock):
    phone = a_phone()
    await missed(web, centre, box, clock, phone)
    last = await missed(web, centre, box, clock, phone)
    await appeal(web, last)
    number = centre.one("APPEALS")["id"]
    for _ in range(2):
        assert (await decided(web, number, "grant")).status_code == 200
    other = await decided(web, number, "refuse")
    assert (other.status_code, other.json()["type"]) == (409, "appeal-decided")
    now = await seen(web, last)
    assert (now["state"], now["standing"]["days"]) == ("excused", 1)
    assert (await booked(web, clock, phone)).status_code == 201


async def test_only_the_first_appeal_opens_the_door(web, centre, box, clock):
    phone = a_phone()
    first = await missed(web, centre, box, clock, phone)
    last = await missed(web, centre, box, clock, phone)
    await appeal(web, last)
    await decided(web, centre.one("APPEALS")["id"], "refuse")
    assert (await appeal(web, first, "别的原因")).status_code == 200
    assert (await booked(web, clock, phone)).json()["type"] == "booking-paused"


async def test_one_appeal_for_one_appointment(web, centre, box, clock):
    made = await missed(web, centre, box, clock, a_phone())
    assert (await appeal(web, made)).status_code == (await appeal(web, made)).status_code == 200
    other = await appeal(web, made, "又想起一个原因")
    assert (other.status_code, other.json()["type"]) == (409, "illegal-transition")
    assert len(centre.rows("APPEALS")) == 1
    assert alarms(centre, "appeal")[0]["count"] == 1


async def test_numbers_in_an_appeal_are_masked(web, centre, box, clock):
    made, other = await missed(web, centre, box, clock, a_phone()), f"13{random.randrange(10**9):09d}"
    await appeal(web, made, f"请打{other}")
    assert other not in centre.one("APPEALS")["text"]
    assert "请打" in centre.one("APPEALS")["text"]


@pytest.mark.parametrize("text", ["", "长" * 201])
async def test_an_appeal_says_something_and_not_too_much(web, centre, box, clock, text):
    made = await missed(web, centre, box, clock, a_phone())
    assert (await appeal(web, made, text)).status_code == 422


async def test_what_was_not_missed_cannot_be_appealed(web, clock):
    made = (await booked(web, clock, a_phone())).json()
    answer = await appeal(web, made)
    assert (answer.status_code, answer.json()["type"]) == (409, "illegal-transition")


async def test_a_program_may_read_appeals_and_not_decide_them(web, centre, box, clock):
    await appeal(web, await missed(web, centre, box, clock, a_phone()))
    path = f"{APPEALS}/{centre.one('APPEALS')['id']}/grant"
    answer = await web.client.post(path, json={"answer": "好"}, headers=web.bearer)
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert (await decided(web, 99, "grant")).status_code == 404


async def test_who_left_no_number_is_shown_the_reason_and_not_counted(web, centre, box, clock):
    for _ in range(3):
        made = await missed(web, centre, box, clock, None)
    assert (await seen(web, made))["standing"]["days"] == 0
    assert notices(centre) == []
