"""Several services on one number, and a relative's telephone, on the citizen's own pages."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.errors import TooManyServices
from tests.browser.fake_centre import TOKEN, ZONE
from tests.browser.test_citizen_pages import soon
from tests.browser.test_everywhere import look

PHONE = {"width": 390, "height": 844}
HALL = "/h/binjiang"
MINE = f"/t/{TOKEN}"
HOLDER, RELATIVE = "138" + "0" * 8, "139" + "0" * 8
CHOICES = ("lang=zh", "lang=en", "size=large", "lang=en&size=large")
PAGES = [
    (f"{HALL}/take", "waiting"),
    (f"{HALL}/take?service=social", "waiting"),
    ("/h/yingbin/take", "waiting"),
    (MINE, "waiting"),
    (MINE, "called"),
    (MINE, "finished"),
    (MINE, "cancelled"),
]


def part(service: str, counter: str) -> dict[str, str]:
    return {"service": service, "counter": counter}


def on_the_way(fake: Any, state: str) -> None:
    """The second of three matters."""
    fake.mine.update(
        state=state,
        counter="c3" if state in ("called", "finished") else None,
        ahead=12 if state == "waiting" else None,
        parts=[part("household", "c2")],
        visits=[] if state == "finished" else ["general"],
        relative_tail="00",
        rating=None,
    )


@pytest.mark.parametrize(("path", "state"), PAGES)
def test_every_page_is_small_narrow_and_without_barriers(
    centre: Any, window: Any, path: str, state: str
) -> None:
    centre.fake.all[0]["tells_relative"] = True
    on_the_way(centre.fake, state)
    for choice in CHOICES:
        page = window(PHONE)
        sizes: dict[str, int] = {}
        page.on("response", lambda r, sizes=sizes: sizes.update({r.url: len(r.body())}))
        look(page, f"{centre.url}{path}{'&' if '?' in path else '?'}{choice}")
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], choice
        assert 0 < sum(sizes.values()) <= 30 * 1024, sizes
        low = page.locator("main a, main button, main summary, main .tick").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
        )
        assert low == []
        page.context.close()


def test_several_matters_are_ticked_and_one_number_is_given(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + HALL)
    page.click("#several")
    page.get_by_role("button", name="取号").click()
    expect(page.locator(".notice")).to_have_text("请先勾选要办的业务，再取号")
    page.get_by_label("户籍证件").check()
    page.get_by_label("社保医保").check()
    page.get_by_role("button", name="取号").click()
    expect(page.locator(".label")).to_have_text("A018")
    (asked,) = centre.fake.forms.values()
    assert {asked.service, *asked.more_services} == {"household", "social"}


def test_whoever_came_for_one_matter_may_add_another(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}{HALL}/take?service=social")
    expect(page.get_by_label("户籍证件")).to_be_hidden()
    page.get_by_text("还要办别的？").click()
    expect(page.get_by_label("社保医保")).to_have_count(0)
    page.get_by_label("户籍证件").check()
    page.get_by_role("button", name="取号").click()
    (asked,) = centre.fake.forms.values()
    assert (asked.service, asked.more_services) == ("social", ("household",))


def test_what_was_ticked_and_typed_stays_when_the_hall_says_no(centre: Any, window: Any) -> None:
    centre.fake.all[0]["tells_relative"] = True
    centre.fake.refusal = TooManyServices(most=5)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}{HALL}/take?lang=en")
    for name in ("Household", "Social"):
        page.get_by_label(name).check()
    page.get_by_text("Tell a relative").click()
    page.get_by_label("A relative's mobile number").fill(RELATIVE)
    page.get_by_role("button", name="Take a number").click()
    expect(page.locator(".notice")).to_be_visible()
    for name in ("Household", "Social"):
        expect(page.get_by_label(name)).to_be_checked()
    expect(page.get_by_label("A relative's mobile number")).to_have_value(RELATIVE)


def test_a_relative_is_named_with_the_words_that_say_what_for(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}{HALL}/take?service=social")
    expect(page.get_by_text("再通知一位家人")).to_have_count(0)
    centre.fake.all[0]["tells_relative"] = True
    page.reload()
    page.get_by_text("再通知一位家人").click()
    expect(page.locator("#relative-note")).to_contain_text("请先征得同意")
    page.get_by_label("手机号（可不填）", exact=True).fill(HOLDER)
    page.get_by_label("家人的手机号", exact=True).fill(f"+86 {RELATIVE[:3]} {RELATIVE[3:]}")
    page.get_by_role("button", name="取号").click()
    (asked,) = centre.fake.forms.values()
    assert (asked.phone, asked.relative) == (HOLDER, RELATIVE)
    assert RELATIVE not in repr(asked)


def test_the_way_shows_what_is_done_what_is_now_and_what_comes(centre: Any, window: Any) -> None:
    on_the_way(centre.fake, "called")
    page = window(PHONE)
    page.goto(centre.url + MINE)
    expect(page.locator(".trip li")).to_have_text(
        ["户籍证件已办 · 2号窗口", "2社保医保请到 3号窗口", "3综合事务接着办"]
    )
    expect(page.locator("[aria-current=step]")).to_contain_text("社保医保")
    expect(page.locator(".slip")).to_contain_text("尾号 00")
    on_the_way(centre.fake, "finished")
    page.reload()
    expect(page.locator(".trip li.done")).to_have_count(2)
    expect(page.locator(".slip")).not_to_contain_text("尾号")


def test_one_matter_has_no_way(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.goto(centre.url + MINE)
    expect(page.locator(".trip")).to_have_count(0)


def test_a_relative_is_named_at_the_check_in_of_an_appointment(centre: Any, window: Any) -> None:
    centre.fake.all[0]["tells_relative"] = True
    centre.fake.mine = centre.fake.booked(soon())
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.get_by_text("再通知一位家人").click()
    page.get_by_label("家人的手机号", exact=True).fill("12")
    page.click("#do-check-in")
    expect(page.locator(".notice")).to_contain_text("手机号码不正确")
    page.get_by_text("再通知一位家人").click()
    page.get_by_label("家人的手机号", exact=True).fill(RELATIVE)
    page.click("#do-check-in")
    expect(page.locator(".notice")).to_have_count(0)
    assert (centre.fake.relatives, centre.fake.acts) == ([RELATIVE], [("check-in", TOKEN)])


def test_who_is_called_and_on_the_way_lets_three_go_first_once(centre: Any, window: Any) -> None:
    centre.fake.mine.update(state="called", counter="c3", ahead=None, rescued=False)
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.get_by_role("link", name="我在路上").click()
    expect(page.locator(".ask")).to_contain_text("只能用一次")
    page.click("#do-later")
    assert centre.fake.acts == [("later", TOKEN)]
    centre.fake.mine.update(state="called", rescued=True)
    page.goto(centre.url + MINE)
    expect(page.locator("#later")).to_have_count(0)


def test_a_missed_call_says_where_one_will_stand(centre: Any, window: Any) -> None:
    page = window(PHONE)
    for rescued, says in ((False, "后面 3 位先办，然后叫您"), (True, "这次排在最后")):
        centre.fake.mine.update(state="no-show", counter="c3", ahead=None, rescued=rescued)
        page.goto(centre.url + MINE)
        expect(page.locator(".slip")).to_contain_text(says)


def test_those_who_passed_for_the_same_reason_stand_in_one_line(centre: Any, window: Any) -> None:
    one = {"called_at": "2026-11-23T10:05:00+08:00", "text": "理由甲", "text_en": "why"}
    other = {**one, "text": "理由乙"}
    centre.fake.desk.passers = [one, dict(one), other]
    page = window(PHONE)
    page.goto(centre.url + MINE)
    page.click("#passed summary")
    expect(page.locator("#passed li")).to_have_text(["10:05 理由甲 （2 个号）", "10:05 理由乙"])


def test_a_day_of_many_times_is_turned_page_by_page(centre: Any, window: Any, monkeypatch: Any) -> None:
    days = centre.fake.days
    start = datetime(2026, 11, 30, tzinfo=ZONE)
    many = [
        {
            "starts_at": (start + timedelta(minutes=5 * n)).isoformat(),
            "ends_at": (start + timedelta(minutes=5 * n + 5)).isoformat(),
            "left": 0 if n < 60 else 3,
        }
        for n in range(288)
    ]

    async def busy(*asked: Any) -> dict[str, Any]:
        return {**await days(*asked), "slots": many}

    monkeypatch.setattr(centre.fake, "days", busy)
    page = window(PHONE, java_script_enabled=False)
    sizes: dict[str, int] = {}
    page.on("response", lambda r: sizes.update({r.url: len(r.body())}))
    page.goto(f"{centre.url}{HALL}/book?service=social")
    assert sum(sizes.values()) <= 30 * 1024
    expect(page.locator(".slots b").first).to_have_text("04:00")
    page.get_by_role("link", name="更晚的时间").click()
    expect(page.locator(".slots b").first).to_have_text("08:00")
    for _ in range(2):
        page.get_by_role("link", name="更早的时间").click()
    expect(page.locator(".slots b").first).to_have_text("00:00")
    expect(page.get_by_role("link", name="更早的时间")).to_have_count(0)
