"""A zone for a box that only a telephone reaches: set aside at the centre, and disjoint for ever."""

import asyncio
import base64
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from controller.cli import app as command_line
from controller.use_cases.granting import LAST_ZONE, missing_zones
from controller.use_cases.overriding import free_zone, set_aside
from hall_core.errors import SettingsInvalid
from hall_core.queueing.override import box_tail, read_code
from tests.controller.box import Box

TAIL = "7K3M9QXZ"
TODAY = date(2026, 11, 23)


def aside(centre, tail=TAIL, hall="haitang", days=7):
    phones, clock = centre.context.phones, centre.clock
    return centre.database.write_now(lambda tx: set_aside(tx, phones, clock, hall=hall, tail=tail, days=days))


def spans(centre):
    return {(g["incarnation"], g["zone"], g["first_day"], g["last_day"]) for g in centre.rows("GRANTS")}


async def test_a_hall_never_heard_of_leaves_the_zone_that_boxes_grant_themselves(centre):
    told = aside(centre)
    said = read_code(
        told.code, centre.context.phones.override_key("haitang"), hall="haitang", tail=TAIL, today=TODAY
    )
    assert (said.zone, said.first_day, said.last_day) == (1, TODAY, TODAY + timedelta(days=6))
    assert centre.one("GRANTS")["grant_id"] == said.grant_id
    assert all(part in told.zh for part in (told.code, TAIL, "1001–1999", "2026-11-29"))


async def test_it_lies_behind_what_every_box_of_the_hall_ever_held(centre, box):
    await centre.meet(box)
    aside(centre)
    aside(centre, tail="ABCDEFGH")
    zones = sorted(zone for who, zone, *_ in spans(centre) if who.startswith("override-"))
    assert zones == [1, 2]


async def test_the_box_that_comes_later_gets_another_zone_whether_the_code_was_typed_or_not(centre, clock):
    box = Box(clock).open()
    aside(centre, tail=box_tail(box.incarnation))
    await centre.meet(box)
    mine = {(zone, first) for who, zone, first, _ in spans(centre) if who == box.incarnation}
    assert mine == {(2, TODAY), (0, TODAY + timedelta(days=7))}
    assert box.issue("t1").label == "A2001"


async def test_what_cannot_be_is_said_before_anything_is_written(centre):
    for wrong in (
        {"hall": "nowhere"},
        {"tail": "short"},
        {"tail": "７Ｋ３Ｍ９ＱＸＺ"},
        {"days": 0},
        {"days": 31},
    ):
        with pytest.raises(SettingsInvalid):
            aside(centre, **wrong)
    assert spans(centre) == set()
    for _ in range(LAST_ZONE):
        aside(centre)
    with pytest.raises(SettingsInvalid, match="all zones"):
        aside(centre)


async def test_one_box_asked_for_in_two_halls_gets_a_code_for_each(centre):
    centre.enrol("yulan")
    codes = {aside(centre, hall=hall).code for hall in ("haitang", "yulan")}
    assert len(codes) == len(centre.rows("GRANTS")) == 2


async def test_the_commands_print_what_people_and_boxes_need(centre, tmp_path):
    def run(*words):
        return CliRunner().invoke(command_line, ["box", *words, "--data", str(tmp_path)])

    key = (await asyncio.to_thread(run, "override-key", "haitang")).stdout.strip()
    assert base64.b64decode(key) == centre.context.phones.override_key("haitang")
    assert base64.b64decode(key) != centre.context.phones.override_key("yulan")
    said = await asyncio.to_thread(run, "override", "haitang", "--box", "7k3m 9qxz", "--days", "3")
    code, *sentences = said.stdout.splitlines()
    row = centre.one("GRANTS")
    read = read_code(code, base64.b64decode(key), hall="haitang", tail=TAIL, today=row["first_day"])
    assert (read.grant_id, (read.last_day - read.first_day).days) == (row["grant_id"], 2)
    assert len(sentences) == 2
    assert all(code in sentence for sentence in sentences)


GIVEN = st.lists(
    st.tuples(st.sampled_from(["one", "two", "three", ""]), st.integers(0, 25), st.integers(1, 30)),
    min_size=1,
    max_size=25,
)


@given(GIVEN)
def test_boxes_and_codes_never_share_a_zone_on_one_day(history):
    today, rows = TODAY, []
    for n, (box, later, days) in enumerate(history):
        today += timedelta(days=later)
        last = today + timedelta(days=days - 1)
        if box:
            given_now = [(z.zone, z.first_day, z.last_day) for z in missing_zones(rows, box, today)]
        else:
            given_now = [(free_zone(rows, today, last), today, last)]
        for zone, first, until in given_now:
            row = {"incarnation": box or f"override-{n}", "line": "*", "zone": zone}
            rows.append({**row, "first_day": first, "last_day": until})
    for i, one in enumerate(rows):
        for other in rows[i + 1 :]:
            together = one["first_day"] <= other["last_day"] and other["first_day"] <= one["last_day"]
            assert not (together and one["zone"] == other["zone"])
