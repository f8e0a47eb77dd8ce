"""A citizen's way on a phone: find the quicker hall, take a number or an appointment, change it, rate it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from hall_core.errors import PhoneInvalid, SlotFull, TooManyAttempts
from tests.browser.fake_centre import TOKEN, ZONE, slots
from tests.browser.test_everywhere import look

PHONE = {"width": 390, "height": 844}
MINE = f"/t/{TOKEN}"
TAKE = "/h/binjiang/take?service=social"
BOOK = "/h/binjiang/book?service=social"


def tomorrow() -> datetime:
    at = datetime.now(ZONE) + timedelta(days=1)
    return at.replace(hour=9, minute=0, second=0, microsecond=0)


def soon() -> datetime:
    """A slot whose check-in is open now; its day is today's also just before midnight."""
    return datetime.now(ZONE).replace(second=0, microsecond=0)


def confirm_path() -> str:
    free = next(slot for slot in slots(tomorrow().date()) if slot["left"])
    return f"{BOOK}&at={free['starts_at'].replace('+', '%2B')}"


def state_of(fake: Any, name: str) -> None:
    """Everything a citizen's page can be."""
    if name in ("booked", "checked-in", "missed", "excused", "refused"):
        fake.mine = fake.booked(tomorrow(), name)
    elif name == "cancelled appointment":
        fake.mine = fake.booked(tomorrow(), "cancelled")
    elif name == "booked, check-in open":
        fake.mine = fake.booked(soon())
    elif name == "rated":
        fake.mine.update(state="finished", rating={"score": 4})
    else:
        fake.mine.update(state=name, counter="c3", ahead=12 if name == "waiting" else None)


PAGES = [
    ("/h/binjiang", ""),
    ("/h/chunxiao", ""),
    (TAKE, ""),
    ("/h/binjiang/take?service=marriage", ""),
    (BOOK, ""),
    ("confirm", ""),
    ("/near", ""),
    ("/near?service=social", ""),
    ("/near?service=social&near=30.2,120.2", ""),
    (MINE, "waiting"),
    (f"{MINE}?ask=postpone", "waiting"),
    (MINE, "called"),
    (MINE, "no-show"),
    (MINE, "finished"),
    (f"{MINE}?ask=1", "finished"),
    (MINE, "rated"),
    (MINE, "booked"),
    (MINE, "booked, check-in open"),
    (f"{MINE}?ask=cancel", "booked"),
    (f"{MINE}/reschedule", "booked"),
    (MINE, "missed"),
    (MINE, "excused"),
    (MINE, "refused"),
    (MINE, "cancelled appointment"),
    (MINE, "checked-in"),
]


@pytest.mark.parametrize(("path", "state"), PAGES)
def test_every_page_is_small_narrow_and_without_barriers(
    centre: Any, window: Any, path: str, state: str
) -> None:
    if state:
        state_of(centre.fake, state)
    path = confirm_path() if path == "confirm" else path
    for choice in ("lang=zh", "lang=en", "size=large", "lang=en&size=large"):
        page = window(PHONE)
        sizes: dict[str, int] = {}
        page.on("response", lambda r, sizes=sizes: sizes.update({r.url: len(r.body())}))
        url = f"{centre.url}{path}{'&' if '?' in path else '?'}{choice}"
        look(page, url) if "&" in choice or "zh" in choice else page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], choice
        assert 0 < sum(sizes.values()) <= 30 * 1024, sizes
        low = page.locator("main a:visible, main button:visible, main select:visible").evaluate_all(
            "all => all.filter(e => e.getBoundingClientRect().height < 36).map(e => e.outerHTML)"
        )
        assert low == []
        page.context.close()


def test_a_number_is_taken_without_scripts_and_a_double_click_takes_one(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}/h/binjiang")
    page.locator(".services li").first.get_by_role("link", name="取号").click()
    expect(page.locator(".range")).to_contain_text("约 25–40 分钟")
    page.get_by_role("button", name="取号").dblclick()
    expect(page.locator(".label")).to_have_text("A018")
    (asked,) = centre.fake.forms.values()
    assert (asked.service, asked.phone, asked.priority) == ("social", None, None)
    page.reload()
    page.go_back()
    page.go_forward()
    assert len(centre.fake.forms) == 1


def test_the_button_says_that_it_is_at_work(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.goto(centre.url + TAKE)
    page.evaluate("document.addEventListener('submit', e => e.preventDefault())")  # no answer comes
    button = page.locator("form button")
    button.click()
    expect(button).to_be_disabled()
    expect(button).to_have_text("请稍候…")


def test_phone_and_priority_are_offered_but_not_asked_for(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + TAKE)
    expect(page.get_by_label("手机号（可不填）")).not_to_have_attribute("required", "")
    page.get_by_label("优先办理（可不选）").select_option(label="70岁以上")
    page.get_by_role("button", name="取号").click()
    assert [ask.priority for ask in centre.fake.forms.values()] == ["elder"]


def test_a_wrong_number_is_explained_where_it_was_typed(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + TAKE)
    page.get_by_label("手机号（可不填）").fill("139")
    centre.fake.refusal = PhoneInvalid()
    page.get_by_role("button", name="取号").click()
    expect(page.locator(".notice")).to_contain_text("手机号码不正确")
    expect(page.get_by_label("手机号（可不填）")).to_have_value("139")
    page.get_by_role("link", name="大字版").click()
    expect(page.get_by_role("button", name="取号")).to_be_visible()


def test_who_asks_too_often_is_told_when_to_come_back(centre: Any, window: Any) -> None:
    centre.fake.refusal = TooManyAttempts(wait_s=121)
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + TAKE)
    page.get_by_role("button", name="取号").click()
    expect(page.locator(".notice")).to_have_text("操作太频繁，请 3 分钟后再试")


def test_an_appointment_is_booked_without_scripts(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}/h/binjiang")
    page.locator(".services li").first.get_by_role("link", name="预约").click()
    expect(page.locator(".days li")).to_have_count(8)
    expect(page.locator(".days [aria-current]")).to_contain_text("明天")
    expect(page.locator(".slots p").first).to_contain_text("约满")
    page.locator(".days a").nth(3).click()
    page.locator(".slots a").nth(1).click()
    expect(page.locator(".when")).to_contain_text("10:00–10:30")
    page.get_by_role("button", name="确定预约").dblclick()
    expect(page.locator(".state")).to_have_text("已预约")
    expect(page.locator(".digits")).to_have_text("048 213")
    expect(page.locator(".qr svg")).to_be_visible()
    assert len(centre.fake.forms) == 1


def test_a_slot_that_was_taken_meanwhile_leads_to_the_others(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + confirm_path())
    centre.fake.refusal = SlotFull()
    page.get_by_role("button", name="确定预约").click()
    expect(page.locator(".notice")).to_contain_text("该时段已约满")
    expect(page.get_by_role("link", name="换个时间")).to_be_visible()


def test_another_time_and_giving_up_are_one_touch_and_a_question_away(centre: Any, window: Any) -> None:
    centre.fake.mine = centre.fake.booked(tomorrow())
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    expect(page.get_by_role("button", name="签到")).to_have_count(0)
    page.get_by_role("link", name="改时间").click()
    page.locator(".slots a").first.click()
    page.get_by_role("button", name="确定改到这个时间").click()
    expect(page.locator(".state")).to_have_text("已预约")
    page.get_by_role("link", name="取消预约").click()
    expect(page.locator(".ask")).to_contain_text("名额会让给别人")
    page.get_by_role("link", name="保留预约").click()
    page.get_by_role("link", name="取消预约").click()
    page.get_by_role("button", name="确定取消").click()
    expect(page.locator(".state")).to_have_text("已取消")
    assert [act for act, _ in centre.fake.acts] == ["reschedule", "cancel"]


def test_check_in_is_offered_when_its_time_has_come(centre: Any, window: Any) -> None:
    centre.fake.mine = centre.fake.booked(soon())
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.get_by_role("button", name="我到了，签到").click()
    assert centre.fake.acts == [("check-in", TOKEN)]


def test_who_lets_others_pass_confirms_it(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.get_by_role("link", name="让后面 3 位先办").click()
    expect(page.locator(".ask")).to_contain_text("您仍是 A018")
    assert centre.fake.acts == []
    page.get_by_role("button", name="确定，让 3 位先办").click()
    assert centre.fake.acts == [("postpone", TOKEN)]


def test_who_missed_the_call_says_i_am_here(centre: Any, window: Any) -> None:
    centre.fake.mine.update(state="no-show", counter="c3", ahead=None)
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + MINE)
    page.get_by_role("button", name="我到了，重新排队").click()
    assert centre.fake.acts == [("check-in", TOKEN)]


@pytest.mark.parametrize(("word", "score"), [("非常满意", "5"), ("基本满意", "3")])
def test_a_good_rating_is_one_touch(centre: Any, window: Any, word: str, score: str) -> None:
    centre.fake.mine.update(state="finished", ahead=None)
    page = window(PHONE)
    page.goto(centre.url + MINE)
    page.get_by_role("button", name=word, exact=True).click()
    expect(page.locator(".rated")).to_contain_text(f"您的评价：{word}")
    assert centre.fake.acts == [("rate", score)]


def test_a_bad_rating_may_say_why(centre: Any, window: Any) -> None:
    centre.fake.mine.update(state="finished", ahead=None)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}{MINE}?lang=en")
    page.get_by_role("link", name="Dissatisfied", exact=True).click()
    page.get_by_label("Too slow").check()
    page.get_by_label("Unclear answers").check()
    page.get_by_label("In your own words").fill("Three forms,\nthe same questions.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".rated")).to_contain_text("You said: Dissatisfied")
    assert centre.fake.acts == [("rate", "2", "slow", "unclear", "Three forms, the same questions.")]


def test_the_form_appears_by_itself_when_the_visit_ends(centre: Any, window: Any) -> None:
    page = window(PHONE)
    page.clock.install()
    page.goto(centre.url + MINE)
    centre.fake.mine.update(state="finished", ahead=None)
    page.clock.run_for(21_000)
    expect(page.get_by_role("button", name="非常满意")).to_be_visible()


def quick(centre: Any) -> None:
    centre.fake.all[1]["services"][0].update(waiting=3, range_min=[8, 12])


def test_the_quicker_hall_is_proposed_first(centre: Any, window: Any) -> None:
    quick(centre)
    page = window(PHONE, java_script_enabled=False)
    page.goto(f"{centre.url}/h/binjiang")
    page.get_by_role("link", name="看看附近哪个大厅更快").click()
    page.get_by_role("link", name="社保医保").click()
    rows = page.locator(".halls li")
    expect(rows.nth(0)).to_contain_text("推荐")
    expect(rows.nth(0)).to_contain_text("滨江区行政审批服务中心")
    expect(rows.nth(0)).to_contain_text("约 8–12 分钟")
    expect(rows.nth(2)).to_contain_text("暂时联系不上")
    expect(page.locator(".tag")).to_have_count(1)
    rows.nth(0).get_by_role("link", name="取号").click()
    expect(page.locator("h1")).to_have_text("滨江区行政审批服务中心")
    expect(page.get_by_role("button", name="取号")).to_be_visible()


def test_the_place_is_asked_for_on_a_touch_only_and_rounded(centre: Any, window: Any) -> None:
    page = window(
        PHONE, geolocation={"latitude": 30.2081234, "longitude": 120.2123456}, permissions=["geolocation"]
    )
    page.goto(f"{centre.url}/near?service=social")
    page.get_by_role("button", name="按离我远近排").click()
    expect(page.locator(".halls li").first).to_contain_text("0.0 公里")
    assert "near=30.208%2C120.212" in page.url


def test_a_place_that_is_refused_is_no_dead_end(centre: Any, window: Any) -> None:
    page = window(PHONE, permissions=[])
    page.goto(f"{centre.url}/near?service=social")
    page.get_by_role("button", name="按离我远近排").click()
    expect(page.locator("#locate")).to_have_text("没能定位；可直接比较等候时间")


def test_size_and_language_are_changed_without_losing_the_way(centre: Any, window: Any) -> None:
    page = window(PHONE, java_script_enabled=False)
    page.goto(centre.url + confirm_path())
    page.get_by_role("link", name="大字版").click()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("button", name="Book it")).to_be_visible()
    expect(page.locator(".when")).to_contain_text("09:30–10:00")
