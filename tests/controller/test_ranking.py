"""Halls by satisfaction: luck of few ratings gives no place, and nobody's silence is a rating."""

import csv
import io
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.use_cases.citizen import rate
from controller.use_cases.ranking import FEWEST, HallFigures, interval, ranking
from controller.use_cases.rating_cases import take_step
from controller.use_cases.rating_figures import as_csv
from controller.use_cases.rating_rules import RatingRules
from hall_core.queueing import commands as c
from tests.controller.box import Box
from tests.controller.rating_scene import a_phone, rated, visited
from tests.controller.web import web_of

HOUR = 3600


@pytest.fixture
async def web(centre):
    async with web_of(centre) as made:
        yield made


def hall(name, good, bad=0, **more):
    return HallFigures(name, {5: good, 1: bad}, **more)


def order(*figures):
    return [(row["hall"], row["rank"]) for row in ranking(figures, {})]


async def get(web, path, **params):
    answer = await web.client.get(path, params=params, headers=web.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


# the place


def test_a_small_hall_is_not_above_a_large_one_by_luck():
    assert order(hall("small", 12), hall("large", 970, 30)) == [("large", 1), ("small", 2)]


def test_a_hall_with_hardly_any_ratings_has_no_place_and_no_hall_is_left_out():
    few = hall("few", FEWEST - 1)
    assert order(few, hall("bad", 5, 5), hall("none", 0)) == [("bad", 1), ("few", None), ("none", None)]


def test_a_better_large_hall_is_above_a_worse_one():
    assert order(hall("worse", 900, 100), hall("better", 950, 50)) == [("better", 1), ("worse", 2)]


def test_who_cannot_be_told_apart_shares_the_place():
    assert order(hall("a", 20), hall("b", 20), hall("c", 10)) == [("a", 1), ("b", 1), ("c", 3)]


@pytest.mark.parametrize(
    ("good", "n", "low", "high"),
    # Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_wilsons(good, n, low, high):
    assert interval(good, n) == pytest.approx((low, high), abs=0.00006)


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_share_lies_in_its_interval_and_one_more_good_rating_never_harms(good, bad):
    n = good + bad
    low, high = interval(good, n)
    assert 0 <= low <= high <= 1
    assert n == 0 or low - 1e-12 <= good / n <= high + 1e-12
    assert interval(good + 1, n + 1)[0] >= low


def test_a_share_of_nothing_is_not_zero():
    (row,) = ranking([hall("none", 0)], {"none": "无"})
    assert (row["average"], row["satisfied"], row["response_rate"], row["answered_in_time"]) == (None,) * 4
    assert row["name"] == "无"


# what is counted


async def test_average_share_response_and_answers_of_a_hall(web, centre, box, clock):
    for name, score in (("t1", 5), ("t2", 3), ("t3", 2), ("t4", 1)):
        await rated(centre, box, name, score)
    await visited(centre, box, "t5")
    await take_step(centre.context, 1, "assign", "admin:li", to="王主任")
    await take_step(centre.context, 1, "answer", "admin:li", text="已处理")
    clock.advance(25 * HOUR)
    (row,) = (await get(web, "/api/ratings/ranking"))["halls"]
    assert (row["n"], row["average"], row["satisfied"], row["rank"]) == (4, 2.75, 0.5, None)
    assert row["scores"] == {"5": 1, "4": 0, "3": 1, "2": 1, "1": 1}
    assert (row["visits"], row["response_rate"]) == (5, 0.8)
    assert (row["cases"], row["answered_in_time"]) == (2, 0.5)


async def test_a_case_that_may_still_be_answered_speaks_for_nobody(web, centre, box):
    await rated(centre, box, "t1", 1)
    (row,) = (await get(web, "/api/ratings/ranking"))["halls"]
    assert (row["cases"], row["answered_in_time"]) == (1, None)


async def test_silence_is_counted_apart_and_is_in_no_other_figure(centre, box, clock):
    await rated(centre, box, "t1", 1)
    await visited(centre, box, "t2", "t3")
    clock.advance(6 * 24 * HOUR)
    centre.context = centre.context.__class__(
        **{name: getattr(centre.context, name) for name in centre.context.__slots__}
        | {"rating_rules": RatingRules(default_days=5)}
    )
    async with web_of(centre) as web:
        view = await get(web, "/api/ratings/ranking")
    (row,) = view["halls"]
    assert (view["default_days"], row["unrated_long_ago"]) == (5, 2)
    assert (row["n"], row["average"], row["satisfied"], row["visits"]) == (1, 1.0, 0.0, 3)
    assert len(centre.rows("RATINGS")) == 1


async def test_silence_counts_as_nothing_unless_the_district_wants_it(web, centre, box, clock):
    await visited(centre, box, "t1")
    clock.advance(60 * 24 * HOUR)
    today = clock.now().date()
    days = {"from": str(today - timedelta(days=70)), "to": str(today)}
    (row,) = (await get(web, "/api/ratings/ranking", **days))["halls"]
    assert (row["visits"], row["unrated_long_ago"], row["n"]) == (1, 0, 0)


async def test_only_the_days_asked_for_are_counted_on_the_districts_clock(web, centre, box, clock):
    clock.advance(14.4 * HOUR)  # 23:54 in Shanghai
    await rated(centre, box, "t1", 5)
    clock.advance(0.2 * HOUR)  # 00:06 of the next day
    box.do(c.OpenBusinessDay(day=box.now.date()))
    await rated(centre, box, "t2", 1)

    async def scores(first, last):
        (row,) = (await get(web, "/api/ratings/ranking", **{"from": first, "to": last}))["halls"]
        found = await get(web, "/api/ratings", **{"from": first, "to": last})
        return row["average"], row["visits"], [r["score"] for r in found]

    assert await scores("2026-11-23", "2026-11-23") == (5.0, 1, [5])
    assert await scores("2026-11-24", "2026-11-24") == (1.0, 1, [1])
    assert await scores("2026-11-23", "2026-11-24") == (3.0, 2, [5, 1])


@pytest.mark.parametrize(
    "days",
    [
        {"from": "2026-11-24", "to": "2026-11-23"},
        {"from": "2020-01-01", "to": "2026-11-23"},
        {"from": "9999-12-31", "to": "9999-12-31"},
        {"to": "0001-01-01"},
        {"from": "yesterday"},
    ],
)
async def test_days_that_make_no_sense_are_refused(web, days):
    for path in ("/api/ratings/ranking", "/api/ratings/ranking.csv"):
        assert (await web.client.get(path, params=days, headers=web.bearer)).status_code == 422


async def test_every_enrolled_hall_stands_in_the_list(web, centre, box):
    await rated(centre, box, "t1", 5)
    centre.enrol("other", "other-agent")
    await get(web, "/api/halls")
    assert [row["hall"] for row in (await get(web, "/api/ratings/ranking"))["halls"]] == ["haitang", "other"]


# for a spreadsheet


async def test_the_table_opens_in_a_spreadsheet(web, centre, box):
    await rated(centre, box, "t1", 4)
    answer = await web.client.get("/api/ratings/ranking.csv", headers=web.bearer)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:4] == ["名次", "大厅编号", "大厅", "评价数"]
    assert dict(zip(head, row, strict=True))["平均分"] == "4.0"
    english = await web.client.get("/api/ratings/ranking.csv?lang=en", headers=web.bearer)
    assert english.text.removeprefix("\ufeff").startswith("Place,Hall id,Hall,Ratings")
    assert (await web.client.get("/api/ratings/ranking.csv")).status_code == 401


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x"])
def test_a_name_in_the_table_is_no_formula(name):
    text = as_csv(ranking([hall("h", 1)], {"h": name}), {})
    assert f"'{name}" in text


# found again


async def test_ratings_are_found_by_hall_score_reason_and_words(web, centre, box, clock):
    centre.enrol("other", "other-agent")
    other = Box(clock, "other", "other-agent").open()
    phone = a_phone()
    await visited(centre, box, "t1")
    said = f"等了100%的时间_电话{phone}"
    await rate(centre.context, "token-haitang-t1", score=2, comment=said, reasons=["waited", "other"])
    await rated(centre, box, "t2", 1, "slow")
    await rated(centre, other, "t3", 5)

    async def found(**asked):
        return [row["label"] + row["hall"][0] for row in await get(web, "/api/ratings", **asked)]

    assert await found() == ["A001h", "A002h", "A001o"]
    assert await found(hall="other") == ["A001o"]
    assert await found(score=1) == ["A002h"]
    assert await found(reason="waited") == ["A001h"]
    assert await found(reason="slow") == ["A002h"]
    assert await found(q="100%的") == ["A001h"]
    assert await found(q="%") == ["A001h"]
    assert await found(q="a002") == ["A002h"]
    assert await found(q=phone) == []
    assert await found(q="household", hall="haitang") == ["A001h", "A002h"]
    assert await found(limit=2) == ["A001h", "A002h"]
    assert await found(after=2) == ["A001o"]
    first = (await get(web, "/api/ratings"))[0]
    assert (first["reasons"], first["channel"], first["case_id"], first["case_state"]) == (
        ["waited", "other"],
        "web",
        1,
        "open",
    )
    wrong = await web.client.get("/api/ratings?reason=weather", headers=web.bearer)
    assert wrong.status_code == 422


@pytest.mark.postgres
async def test_the_same_figures_on_postgresql(postgres, tmp_path, clock, box):
    from tests.controller.centre import Centre

    centre = Centre(postgres, tmp_path, clock)
    centre.enrol()
    try:
        await rated(centre, box, "t1", 1, "slow")
        await rated(centre, box, "t2", 4)
        async with web_of(centre) as web:
            (row,) = (await get(web, "/api/ratings/ranking"))["halls"]
            assert (row["n"], row["average"], row["response_rate"], row["cases"]) == (2, 2.5, 1.0, 1)
            assert [r["label"] for r in await get(web, "/api/ratings", reason="slow", q="A001")] == ["A001"]
    finally:
        centre.close()
