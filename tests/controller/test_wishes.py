"""Wishes to halls: stored first, in order, repeated until acknowledged."""

from controller.store import wishes as wish_store
from controller.use_cases.wishing import RESEND_S, wish
from hall_core.queueing import commands as c
from hall_core.wire.envelope import WishBatch, decode
from tests.controller.box import Box


async def ask(centre, *commands: c.Command) -> None:
    await centre.context.change(lambda draft: wish(draft, centre.live.by_id("haitang"), list(commands)))


def cancel(n: int) -> c.CancelTicket:
    return c.CancelTicket(request_id=f"qh-{n:04d}", ticket=f"t{n}")


async def sent(centre) -> list[WishBatch]:
    return [decode(WishBatch, m.payload) for m in await centre.context.sender.due(centre.database)]


async def test_wishes_are_numbered_from_1_and_answered_by_facts(centre, box):
    await centre.meet(box)
    assert [row["n"] for row in centre.rows("WISHES")] == [1]
    box.issue("t1")
    await ask(centre, cancel(1), cancel(2))
    await centre.talk(box, box.facts())
    kinds = [x.kind for x in box.journal[-2:]]
    assert kinds == ["ticket-cancelled", "wish-refused"]
    assert centre.one("WISH_STREAMS")["acked"] == 3


async def test_unacknowledged_wishes_are_sent_again_after_a_while(centre, box, clock):
    await centre.meet(box)
    await ask(centre, cancel(1))
    (first,) = await sent(centre)
    assert await sent(centre) == []
    clock.advance(RESEND_S)
    (again,) = await sent(centre)
    assert again == first


async def test_a_box_that_connects_again_gets_what_it_has_not_acknowledged(centre, box):
    await centre.meet(box)
    await ask(centre, cancel(1), cancel(2))
    assert len(await sent(centre)) == 1
    later = centre.again()
    try:
        await later.hear(box.birth())
        (batch,) = await sent(later)
        assert (batch.first, len(batch.wishes)) == (2, 2)
    finally:
        later.close()


async def test_a_box_set_back_to_an_older_copy_gets_its_wishes_again(centre, box):
    await centre.meet(box)
    box.issue("t1")
    await ask(centre, cancel(1))
    await centre.talk(box, box.facts())
    await centre.hear(box.birth(wishes_applied=1))
    (batch,) = await sent(centre)
    assert batch.first == 2


async def test_a_controller_set_back_to_an_older_copy_opens_a_new_stream(centre, box):
    await centre.meet(box)
    old = box.wish_stream
    await ask(centre, cancel(1))
    # The box has applied wishes this database no longer knows.
    box.wishes_applied = 9
    box.do(c.OpenCounter(counter="1"))
    await centre.talk(box, box.birth(wishes_applied=9))
    assert box.wish_stream != old
    assert [x.request_id for x in box.journal if x.kind == "wish-refused"] == ["qh-0001"]
    newest = centre.database.read_now(lambda tx: wish_store.newest_stream(tx, box.agent, box.incarnation))
    assert (newest["stream"], newest["last"], newest["acked"]) == (box.wish_stream, 1, 1)


async def test_an_acknowledgement_of_what_was_never_wished_is_refused(centre, box, clock):
    from controller.use_cases.ports import Arrived
    from hall_core.wire.envelope import Ack, encode

    await centre.meet(box)
    ack = Ack(stream=box.wish_stream, applied=77)
    await centre.hear(Arrived("qh/1/haitang/up/ack", encode(ack)))
    assert centre.one("WISH_STREAMS")["acked"] == 1
    assert "not a position" in centre.one("QUARANTINE")["reason"]
    centre.enrol("other")
    other = await centre.meet(Box(clock, hall="other", agent="other").open())
    await centre.hear(Arrived("qh/1/other/up/ack", encode(Ack(stream=box.wish_stream, applied=1))))
    assert len(centre.rows("QUARANTINE")) == 2
    assert other.wishes_applied == 1


async def test_more_wishes_than_fit_one_message_are_sent_in_order(centre, box):
    await centre.meet(box)
    await ask(centre, *[cancel(n) for n in range(1, 251)])
    batches = await sent(centre)
    assert [(b.first, len(b.wishes)) for b in batches] == [(2, 100), (102, 100), (202, 50)]


async def test_old_wishes_are_forgotten_only_when_acknowledged(centre, box, clock):
    await centre.meet(box)
    await ask(centre, cancel(1))
    clock.advance(10)
    gone = await centre.database.write(lambda tx: wish_store.forget_acknowledged(tx, clock.now()))
    assert gone == 1
    assert [row["n"] for row in centre.rows("WISHES")] == [2]


async def test_the_site_document_is_sent_to_every_box_that_connects(centre, box):
    await centre.meet(box)
    assert len(box.desired) == 1
    assert centre.context.phones.public.encode() in box.desired[0]
    assert b"of haitang" in box.desired[0], "what is for this hall only"
