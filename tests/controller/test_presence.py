"""What was lost on the way must not leave a hall half known: found by generated histories, kept as tests."""

from datetime import timedelta

from hall_core.queueing import commands as c
from hall_core.wire.envelope import WishBatch, decode
from hall_core.wire.topics import Leaf, topic
from tests.controller.box import Box


async def test_a_hall_that_speaks_is_there_even_when_its_state_was_lost(centre, box):
    await centre.meet(box)
    await centre.talk(box, box.state("lost"))
    assert not centre.live.by_id("haitang").online
    await centre.talk(box, box.report())
    assert centre.live.by_id("haitang").online
    assert [a for a in centre.rows("ALARMS") if a["kind"] == "hall-lost" and a["closed_at"] is None] == []


async def test_wishes_go_on_to_a_box_whose_birth_was_lost(centre, box):
    await centre.meet(box)
    again = centre.again()
    hall = again.live.by_id("haitang")
    grant = c.GrantZone(
        request_id="qh-more",
        grant_id="more",
        incarnation=box.incarnation,
        zone=0,
        first_day=box.now.date() + timedelta(days=60),
        last_day=box.now.date() + timedelta(days=61),
    )
    from controller.use_cases.wishing import wish

    await again.context.change(lambda draft: wish(draft, hall, [grant]))
    assert await again.context.sender.due(again.database) == []
    await again.talk(box, box.report())
    assert "more" in {g.grant_id for g in box.queue.grants}
    again.close()


async def test_wishes_name_the_box_they_are_for(centre, box):
    await centre.hear(box.state(), box.birth())
    heard = await centre.hear(box.facts())
    heard += await centre.context.sender.due(centre.database)
    batches = [decode(WishBatch, m.payload) for m in heard if m.topic == topic("haitang", Leaf.WISHES)]
    assert {batch.incarnation for batch in batches} == {box.incarnation}


async def test_a_box_that_replaces_one_whose_day_ran_ahead_gets_numbers_for_today(centre, box, clock):
    box.do(c.OpenBusinessDay(day=box.now.date() + timedelta(days=3)))
    await centre.meet(box)
    new = Box(clock, life="two").open()
    await centre.meet(new)
    assert new.issue("t1").day == new.now.date()


async def test_an_old_birth_beside_a_new_one_does_not_bring_the_old_box_back(centre, box, clock):
    await centre.meet(box)
    new = Box(clock, life="two").open()
    await centre.hear(new.birth(), box.birth())
    assert centre.live.by_id("haitang").stream == new.stream


async def test_the_newest_wishes_are_the_newest_also_when_the_clock_was_put_back(centre, box, clock):
    await centre.meet(box)
    clock.wall -= timedelta(days=1)
    box.wish_stream = None
    await centre.meet(box)
    known = {row["stream"] for row in centre.rows("WISH_STREAMS")}
    box.wish_stream, box.wishes_applied = max(known), 0
    await centre.meet(box)
    assert {row["stream"] for row in centre.rows("WISH_STREAMS")} == known
