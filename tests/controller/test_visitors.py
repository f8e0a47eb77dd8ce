"""The open pages on the real use cases: numbers and appointments without a key, and what a link's holder does."""

import asyncio
import random
import re
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest

from controller.use_cases import limits
from controller.use_cases.drawing import PlaceKeeper
from hall_core.queueing import commands as c
from hall_core.schedule.slots import SlotPlan
from tests.controller.box import ZONE, hall_setup
from tests.controller.test_take_ticket import answering
from tests.controller.web import web_of

TAKE, BOOK = "/h/haitang/take", "/h/haitang/book"


@pytest.fixture
async def web(centre, box):
    household, tax = hall_setup().services
    plan = SlotPlan(minutes=30, places=2, days_ahead=20)
    services = (household.model_copy(update={"appointments": plan}), tax)
    await centre.meet(box)
    box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"services": services})))
    box.do(c.OpenCounter(counter="1"))
    await centre.talk(box, box.facts())
    async with web_of(centre) as made:
        yield made


def hidden(page):
    """The fields a form carries without being typed."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
    return {name: unescape(value) for name, value in found}


def number():
    return f"13{random.randrange(10**9):09d}"


async def form(web, path, **params):
    page = await web.client.get(path, params=params)
    assert page.status_code == 200, page.text
    return hidden(page)


async def taken(web, **more):
    fields = await form(web, TAKE, service="household")
    answer = await web.client.post(TAKE, data={**fields, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def slot_of(web, clock, days=0, nth=0):
    day = (clock.now().astimezone(ZONE) + timedelta(days=days)).date().isoformat()
    page = await web.client.get(BOOK, params={"service": "household", "day": day})
    found = re.findall(r"at=([^\"&]+)\"", page.text)
    return found[nth].replace("%3A", ":").replace("%2B", "+")


async def booked(web, clock, days=0, nth=0, **more):
    at = await slot_of(web, clock, days, nth)
    fields = await form(web, BOOK, service="household", at=at)
    answer = await web.client.post(BOOK, data={**fields, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def act(web, link, action):
    fields = hidden(await web.client.get(link, params={"ask": action}))
    return await web.client.post(f"{link}/{action}", data={"key": fields["key"]})


async def test_a_number_is_taken_with_one_button(web, box, centre):
    async with answering(centre, box):
        link = await taken(web)
    page = await web.client.get(link)
    assert "A001" in page.text
    row = centre.one("TICKETS")
    assert (row["channel"], row["service"], row["phone_masked"]) == ("web", "household", None)


async def test_a_form_sent_twice_at_once_and_again_later_is_one_number(web, box, centre):
    fields = await form(web, TAKE, service="household")
    async with answering(centre, box), asyncio.TaskGroup() as group:
        tries = [group.create_task(web.client.post(TAKE, data=fields)) for _ in range(5)]
    again = await web.client.post(TAKE, data=fields)
    assert {t.result().headers["location"] for t in tries} == {again.headers["location"]}
    assert len(centre.rows("TICKETS")) == len(box.queue.tickets) == 1


async def test_a_form_changed_and_sent_again_leads_to_the_number_it_got(web, box, centre):
    fields = await form(web, TAKE, service="household")
    async with answering(centre, box):
        first = await web.client.post(TAKE, data=fields)
        other = await web.client.post(TAKE, data={**fields, "priority": "elder", "phone": number()})
    assert other.headers["location"] == first.headers["location"]
    assert len(centre.rows("TICKETS")) == 1


@pytest.mark.parametrize("typed", ["{a} {b} {c}", "+86 {a}{b}{c}", "0086{a}-{b}-{c}", "  {a}{b}{c} "])
async def test_a_phone_number_may_be_typed_as_people_type_it(web, box, centre, typed):
    phone = number()
    parts = {"a": phone[:3], "b": phone[3:7], "c": phone[7:]}
    async with answering(centre, box):
        await taken(web, phone=typed.format(**parts))
    assert centre.one("TICKETS")["phone_masked"] == f"{phone[:3]}****{phone[-4:]}"


async def test_a_wrong_number_is_said_on_the_page_and_nothing_is_taken(web, centre):
    fields = await form(web, TAKE, service="household")
    answer = await web.client.post(TAKE, data={**fields, "phone": "12345"})
    assert answer.status_code == 422
    assert "手机号码不正确" in answer.text
    assert 'value="12345"' in answer.text, "what was typed can be mended"
    assert centre.rows("REQUESTS") == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422),
        ({"service": "household"}, 422),
        ({"service": "household", "key": "short"}, 422),
        ({"service": "nothing", "key": "k" * 24}, 404),
        ({"service": "../x", "key": "k" * 24}, 422),
        ({"service": "household", "key": "k" * 24, "priority": "rich"}, 422),
        ({"service": "household", "key": "k" * 24, "phone": "x" * 20_000}, 422),
    ],
)
async def test_what_no_form_of_ours_sends_takes_nothing(web, centre, fields, status):
    answer = await web.client.post(TAKE, data=fields)
    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert centre.rows("REQUESTS") == []


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.test"}])
async def test_another_sites_page_takes_no_number(web, centre, headers):
    fields = await form(web, TAKE, service="household")
    answer = await web.client.post(TAKE, data=fields, headers=headers)
    assert answer.status_code == 403
    assert centre.rows("REQUESTS") == []


async def test_one_address_takes_so_many_numbers_and_then_waits(web, box, centre, monkeypatch):
    async with answering(centre, box):
        for _ in range(limits.ADDRESS_AT_ONCE):
            await taken(web)
        fields = await form(web, TAKE, service="household")
        refused = await web.client.post(TAKE, data=fields)
        assert refused.status_code == 429
        assert "请 1 分钟后再试" in refused.text
        assert len(centre.rows("REQUESTS")) == limits.ADDRESS_AT_ONCE
        centre.clock.advance(limits.ADDRESS_EVERY_S)
        assert (await web.client.post(TAKE, data=fields)).status_code == 303


async def test_one_phone_number_takes_a_few_and_then_waits(web, box, centre):
    phone = number()
    async with answering(centre, box):
        for _ in range(limits.PHONE_AT_ONCE):
            await taken(web, phone=phone)
        fields = await form(web, TAKE, service="household")
        refused = await web.client.post(TAKE, data={**fields, "phone": phone})
        assert refused.status_code == 429
        assert phone in refused.text, "the form stands as it was typed"
        assert (await web.client.post(TAKE, data={**fields, "phone": number()})).status_code == 303


async def test_a_number_is_taken_while_the_hall_is_away(web, box, centre):
    await centre.hear(box.state("lost"))
    page = await web.client.get(await taken(web))
    assert "W001" in page.text
    assert "大厅离线期间网上取号" in page.text


async def test_the_halls_own_no_is_said_in_the_readers_language(web, box, centre):
    fields = await form(web, TAKE, service="household")
    box.do(c.ConfigureHall(setup=hall_setup().model_copy(update={"hours": never()})))
    async with answering(centre, box):
        answer = await web.client.post(TAKE, data=fields, headers={"Cookie": "lang=en"})
    assert answer.status_code == 409
    assert "The hall is closed" in answer.text


def never():
    from hall_core.schedule.hours import Hours

    return Hours(mon=(), tue=(), wed=(), thu=(), fri=())


async def test_an_appointment_is_booked_in_three_steps(web, box, centre, clock):
    link = await booked(web, clock, days=1, phone=number())
    page = await web.client.get(link)
    row = centre.one("APPOINTMENTS")
    assert (row["channel"], row["state"]) == ("web", "booked")
    assert f"{row['code'][:3]} {row['code'][3:]}" in page.text
    assert "<svg" in page.text
    assert "已预约" in page.text
    assert "签到</button>" not in page.text, "it is too early"


async def test_an_appointment_form_sent_twice_takes_one_place(web, centre, clock):
    fields = await form(web, BOOK, service="household", at=await slot_of(web, clock))
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(web.client.post(BOOK, data=fields)) for _ in range(5)]
    assert len({t.result().headers["location"] for t in tries}) == 1
    assert centre.one("SLOTS_TAKEN")["taken"] == 1


async def test_a_slot_that_fills_up_meanwhile_leads_back_to_the_others(web, centre, clock):
    at = await slot_of(web, clock, days=1)
    fields = await form(web, BOOK, service="household", at=at)
    for _ in range(2):
        await booked(web, clock, days=1)
    answer = await web.client.post(BOOK, data=fields)
    assert answer.status_code == 409
    assert "该时段已约满" in answer.text
    assert f'at={quote(at)}">' not in answer.text
    assert answer.text.count("余 2") > 3
    assert 'aria-current="date"' in answer.text


@pytest.mark.parametrize("at", ["", "tomorrow", "2026-11-24T09:00:00", "2026-11-24T09:07:00+08:00"])
async def test_a_time_that_is_none_books_nothing(web, centre, at):
    fields = {"service": "household", "key": "k" * 24, "at": at}
    answer = await web.client.post(BOOK, data=fields)
    assert answer.status_code in (409, 422)
    assert centre.rows("APPOINTMENTS") == []


async def test_days_come_a_page_at_a_time(web, clock):
    first = await web.client.get(BOOK, params={"service": "household"})
    assert first.text.count("?service=household&amp;day=") + first.text.count("?service=household&day=") == 9
    later = re.findall(r"day=([\d-]+)\">更晚", first.text)
    second = await web.client.get(BOOK, params={"service": "household", "day": later[0]})
    assert "更早" in second.text
    assert f'day={later[0]}" aria-current="date"' in second.text


async def test_what_gives_no_appointments_says_so(web):
    answer = await web.client.get(BOOK, params={"service": "tax"})
    assert answer.status_code == 409
    assert "不接受预约" in answer.text


async def test_another_time_keeps_the_link_and_frees_the_place(web, box, centre, clock):
    link = await booked(web, clock, days=1)
    page = await web.client.get(f"{link}/reschedule")
    other = re.findall(r"at=([^\"&]+)\"", page.text)[5].replace("%3A", ":").replace("%2B", "+")
    fields = await form(web, f"{link}/reschedule", at=other)
    answer = await web.client.post(f"{link}/reschedule", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, link)
    assert centre.one("APPOINTMENTS")["starts_at"] == datetime.fromisoformat(other)
    assert sorted(row["taken"] for row in centre.rows("SLOTS_TAKEN")) == [1, 1], (
        "nobody knows when it returns"
    )
    clock.advance(20 * 60)
    await PlaceKeeper(centre.context).look()
    assert sorted(row["taken"] for row in centre.rows("SLOTS_TAKEN")) == [0, 1]


async def test_an_appointment_is_given_up_after_a_question(web, box, centre, clock):
    link = await booked(web, clock, days=1)
    async with answering(centre, box):
        answer = await act(web, link, "cancel")
    assert answer.status_code == 303
    page = await web.client.get(link)
    assert "已取消" in page.text
    assert "重新预约" in page.text
    assert (await web.client.get(f"{link}/reschedule")).status_code == 409


async def test_a_check_in_makes_the_appointment_a_number(web, box, centre, clock):
    link = await booked(web, clock)
    await centre.talk(box, box.report())
    clock.advance((centre.one("APPOINTMENTS")["starts_at"] - clock.now()).total_seconds() - 60)
    await centre.talk(box, box.report())
    page = await web.client.get(link)
    fields = {"key": hidden(page)["key"]}
    assert "我到了，签到" in page.text
    async with answering(centre, box), asyncio.TaskGroup() as group:
        tries = [group.create_task(web.client.post(f"{link}/check-in", data=fields)) for _ in range(3)]
    assert [t.result().status_code for t in tries] == [303] * 3
    assert "A001" in (await web.client.get(link)).text


async def test_three_pass_once_for_each_time_it_is_asked(web, box, centre):
    async with answering(centre, box):
        link = await taken(web)
        for n in range(7):
            centre.clock.advance(1)
            box.issue(f"t{n}")
        await centre.talk(box, box.facts())
        fields = {"key": hidden(await web.client.get(link, params={"ask": "postpone"}))["key"]}
        for _ in range(3):
            assert (await web.client.post(f"{link}/postpone", data=fields)).status_code == 303
        assert "前面还有 3 位" in (await web.client.get(link)).text
        assert (await act(web, link, "postpone")).status_code == 303
        assert "前面还有 6 位" in (await web.client.get(link)).text


async def test_who_missed_the_call_stands_in_line_again(web, box, centre):
    async with answering(centre, box):
        link = await taken(web)
        box.call()
        box.do(c.NoShow(counter="1"))
        await centre.talk(box, box.facts())
        page = await web.client.get(link)
        assert "我到了，重新排队" in page.text
        await web.client.post(f"{link}/check-in", data={"key": hidden(page)["key"]})
        assert "您是下一位" in (await web.client.get(link)).text
        assert centre.one("TICKETS")["state"] == "waiting"


async def test_a_finished_visit_is_rated_once_and_the_page_says_so(web, box, centre):
    async with answering(centre, box):
        link = await taken(web)
        box.call()
        box.do(c.Start(counter="1"))
        box.do(c.Finish(counter="1"))
        await centre.talk(box, box.facts())
    page = await web.client.get(link, params={"ask": "2"})
    wrong = {"key": "k" * 24, "score": "2", "reason": ["<b>"]}
    assert (await web.client.post(f"{link}/rating", data=wrong)).status_code == 422
    fields = {"key": hidden(page)["key"], "score": "2", "reason": ["attitude", "slow"]}
    answer = await web.client.post(f"{link}/rating", data=fields)
    assert answer.status_code == 303
    assert (centre.one("RATINGS")["score"], centre.one("RATINGS")["reasons"]) == (2, "slow,attitude")
    page = await web.client.get(link)
    assert "您的评价：不满意" in page.text
    assert "请评价本次服务" not in page.text
    other = await web.client.post(f"{link}/rating", data={"key": "k" * 24, "score": "5"})
    assert other.status_code == 409
    assert centre.one("RATINGS")["score"] == 2


@pytest.mark.parametrize("score", ["", "0", "6", "x", "²"])
async def test_a_rating_has_one_of_five_levels(web, box, centre, score):
    async with answering(centre, box):
        link = await taken(web)
    answer = await web.client.post(f"{link}/rating", data={"key": "k" * 24, "score": score})
    assert answer.status_code == 422
    assert centre.rows("RATINGS") == []


async def test_a_number_that_cannot_wait_any_longer_says_why(web, box, centre):
    async with answering(centre, box):
        link = await taken(web)
        answer = await act(web, link, "postpone")
    assert answer.status_code == 409
    assert "A001 后面没有人等候，无需推迟" in answer.text


@pytest.mark.parametrize(
    "path", ["/near", "/near?service=household", "/near?service=none&near=x,y&n=9e9&hall=?"]
)
async def test_the_list_of_halls_is_of_use_whatever_stands_in_the_address(web, path):
    answer = await web.client.get(path)
    assert answer.status_code == 200
    assert ("/h/haitang" in answer.text) or ("没有大厅办理" in answer.text)
