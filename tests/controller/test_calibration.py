"""How well the waiting times told have held: noted at the first call, counted for everybody."""

import sqlite3

import pytest
from alembic import command

from controller.store.database import Database
from controller.store.migrations import config_for
from hall_core.queueing import commands as c
from tests.controller.web import web_of


@pytest.fixture
async def open_hall(centre, box):
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    return box


async def calibration(centre, **query):
    async with web_of(centre) as web:
        answer = await web.client.get("/api/calibration", params=query, headers=web.bearer)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_first_call_is_compared_with_what_was_told(centre, open_hall, clock):
    box = open_hall
    told = box.issue("soon").range_min
    box.issue("long")
    clock.advance(30)
    box.call()
    clock.advance(4 * 3600)
    box.call()
    await centre.talk(box)
    rows = {row["ticket_id"]: row for row in centre.rows("WAITS")}
    assert (rows["soon"]["low"], rows["soon"]["high"]) == told
    assert (rows["soon"]["minutes"], rows["long"]["minutes"]) == (0.5, 240.5)
    assert rows["soon"]["hour"] == 9
    found = await calibration(centre, hall="haitang")
    assert (found["n"], found["held"], found["later"], found["share"]) == (2, 1, 1, 0.5)


async def test_a_recall_and_a_second_call_change_nothing(centre, open_hall, clock):
    box = open_hall
    box.issue("a")
    clock.advance(30)
    box.call()
    clock.advance(600)
    box.do(c.Recall(counter="1"))
    box.do(c.NoShow(counter="1"))
    box.do(c.Return(counter="1", ticket="a"))
    clock.advance(600)
    box.call()
    await centre.talk(box)
    assert centre.one("WAITS")["minutes"] == 0.5


async def test_facts_that_come_twice_are_counted_once(centre, open_hall, clock):
    box = open_hall
    box.issue("a")
    box.call()
    await centre.talk(box)
    await centre.hear(box.facts(after=0))
    assert (await calibration(centre))["n"] == 1


async def test_who_was_told_nothing_or_let_others_pass_is_counted_apart(centre, box, clock):
    await centre.meet(box)
    assert box.issue("untold").range_min is None, "no counter was open"
    box.do(c.OpenCounter(counter="1"))
    box.call()
    box.issue("polite")
    box.issue("other")
    box.do(c.PostponeTicket(ticket="polite"))
    box.call()
    box.call()
    await centre.talk(box)
    found = await calibration(centre, hall="haitang")
    assert (found["n"], found["unquoted"]) == (1, 2)


async def test_shares_are_told_by_service_and_by_hour(centre, open_hall, clock):
    box = open_hall
    box.issue("a")
    box.call()
    clock.advance(3600)
    box.issue("b", service="tax")
    clock.advance(5 * 3600)
    box.call()
    await centre.talk(box)
    found = await calibration(centre)
    assert [(s["service"], s["n"], s["share"]) for s in found["services"]] == [
        ("household", 1, 1.0),
        ("tax", 1, 0.0),
    ]
    assert [(h["hour"], h["held"]) for h in found["hours"]] == [(9, 1), (10, 0)]
    assert found["width_min"] > 0


async def test_only_the_days_asked_for_count(centre, open_hall, clock):
    box = open_hall
    box.issue("a")
    box.call()
    await centre.talk(box)
    days = {"from": "2026-11-22", "to": "2026-11-23"}
    assert (await calibration(centre, **days))["n"] == 1
    empty = await calibration(centre, **{"from": "2026-11-24", "to": "2026-11-24"})
    assert (empty["n"], empty["share"], empty["width_min"], empty["services"]) == (0, None, None, [])
    clock.advance(7 * 24 * 3600)
    assert (await calibration(centre))["n"] == 0, "a week is seven days"


async def test_days_the_wrong_way_round_are_refused(centre, open_hall):
    async with web_of(centre) as web:
        for query in ({"from": "2026-11-24", "to": "2026-11-23"}, {"from": "2020-01-01"}, {"hall": "x"}):
            answer = await web.client.get("/api/calibration", params=query, headers=web.bearer)
            assert answer.status_code in (404, 422)
        assert (await web.client.get("/api/calibration")).status_code == 401


async def test_everybody_learns_the_share_when_enough_visitors_came(centre, open_hall, clock):
    box = open_hall
    for n in range(30):
        box.issue(f"t{n}")
        clock.advance(30 if n < 24 else 4 * 3600 / 6)
        box.call()
        if n == 28:
            await centre.talk(box)
            async with web_of(centre) as web:
                assert "一致" not in (await web.client.get("/h/haitang")).text
    await centre.talk(box)
    async with web_of(centre) as web:
        zh = (await web.client.get("/h/haitang")).text
        en = (await web.client.get("/h/haitang?lang=en")).text
    assert "近 7 天，80% 的等候时间与我们报的一致。" in zh
    assert "held for 80% of visitors" in en


def test_days_stored_by_an_older_version_are_found_after_the_migration(tmp_path):
    path = tmp_path / "controller.db"
    database = Database.open(f"sqlite:///{path}")
    database.write_now(lambda tx: command.downgrade(config_for(tx), "0006"))
    database.close()
    with sqlite3.connect(path) as old:
        old.execute(
            "INSERT INTO halls (hall, agent, name, level, boot, version, enrolled_at) "
            "VALUES ('h', 'h', 'h', 'street', 0, '', '2026-11-01')"
        )
        old.execute(
            "INSERT INTO streams (stream, agent, hall, incarnation, applied, last, first_seen) "
            "VALUES ('s', 'h', 'h', 's', 2, 2, '2026-11-01')"
        )
        for n, body in enumerate(('{"day": "2026-11-02"}', '{"day": 7}'), start=1):
            old.execute(
                "INSERT INTO facts (agent, stream, n, hall, kind, body, recorded_at) "
                "VALUES ('h', 's', ?, 'h', 'business-day-opened', ?, '2026-11-02')",
                (n, body),
            )
    old.close()
    Database.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as new:
        assert new.execute("SELECT stream, n, day FROM stream_days").fetchall() == [("s", 1, "2026-11-02")]
    new.close()
