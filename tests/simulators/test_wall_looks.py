"""What a tester sees on the wall at a glance: dots that burn, keys that mean what they say, the hall's page."""

from playwright.async_api import Locator, expect

from hall_core.devices.vocabulary import CounterMode, CounterPicture, ScreenPicture
from tests.simulators.conftest import Simulate
from tests.simulators.test_wall_drawings import driven, named, pytestmark, wall_of

__all__ = ["pytestmark"]

CALLED = CounterPicture(
    counter="1", name="1号窗口", mode=CounterMode.CALLED, label="A018", call_no=1, text="请A018号到1号窗口"
)
#: how many dots burn: clearly redder, or greener, than anything that is dark
BURNING = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = { red: 0, green: 0 };
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] > 120 && data[i + 1] < 100) found.red += 1;
    if (data[i + 1] > 120 && data[i] < 100) found.green += 1;
  }
  return found;
}"""


async def burning(section: Locator) -> dict[str, int]:
    found: dict[str, int] = await section.locator("canvas").evaluate(BURNING)
    return found


async def test_a_strip_burns_dot_by_dot_in_its_colour_and_is_dark_without_power(simulate: Simulate) -> None:
    async with wall_of(simulate, "onbon.bx-6k1") as (hall, _, (section,), _):
        device = hall.devices[named("onbon.bx-6k1")]
        assert await burning(section) == {"red": 0, "green": 0}
        async with driven(device) as driver:
            await driver.show(CALLED)
        await expect(section.locator(".panel")).to_contain_text("A018")
        lit = await burning(section)
        assert lit["red"] > 500
        assert lit["green"] == 0
        device.fault("power-cycle", 1)
        await expect(section.locator(".panel")).to_have_text("")
        assert (await burning(section))["red"] == 0


async def test_the_keys_of_an_evaluator_mean_what_stands_on_them(simulate: Simulate) -> None:
    async with wall_of(simulate, "keypad.ff68-evaluator", "keypad.ff68-21") as (hall, _, sections, _):
        for section, device in zip(sections, hall.devices.values(), strict=True):
            scores = {f"rate-{key}": score for key, score in device.profile.options["scores"].items()}
            words = await section.locator(".evaluator button").evaluate_all(
                "all => all.map(key => [key.textContent, key.dataset.key])"
            )
            meant = {text: scores[key] for text, key in words}
            assert meant == {"非常满意": 5, "满意": 4, "基本满意": 3, "不满意": 1}, device.name
        await sections[0].get_by_role("button", name="非常满意").click()
        await expect(sections[0].locator(".lcd")).to_have_class("lcd unanswered")


async def test_a_lit_display_shows_the_page_of_the_hall(simulate: Simulate) -> None:
    async with wall_of(simulate, "samsung.qm55r", "screen.board") as (hall, _, (plasma, _), _):
        async with driven(hall.devices[named("samsung.qm55r")]) as driver:
            await driver.show(ScreenPicture(on=True, input="hdmi1"))
        await expect(plasma.locator(".screen")).to_contain_text("大厅画面")
        board = hall.devices[named("screen.board")]
        shows = board.shows() | {"connected": True, "calls": [{"label": "A018", "counter": "1号窗口"}]}
        board.body.shows = lambda: shows
        board.showed()
        await expect(plasma.locator(".called")).to_have_text("A018 请到 1号窗口")
        await plasma.get_by_role("button", name="拔掉信号线").click()
        await expect(plasma.locator(".screen")).to_contain_text("无信号")


async def test_all_faults_of_a_hall_are_opened_with_one_click(simulate: Simulate) -> None:
    async with wall_of(simulate, "onbon.bx-6k1", "escpos.80mm") as (hall, page, (strip, printer), _):
        await page.get_by_role("button", name="展开故障").click()
        await printer.get_by_role("button", name="缺纸").click()
        await expect(printer.locator(".faults")).to_contain_text("缺纸")
        await expect(strip.get_by_role("button", name="断线（不通）")).to_be_visible()
        assert hall.devices[named("escpos.80mm")].faults.active() == ["paper-out"]
        await page.get_by_role("button", name="收起故障").click()
        await expect(strip.get_by_role("button", name="断线（不通）")).to_be_hidden()
