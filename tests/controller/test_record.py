"""Messages of halls become rows: once, in order, or not at all."""

from dataclasses import replace

import pytest

from controller.store import facts as fact_store
from controller.store import tickets as ticket_store
from controller.store.database import Database
from controller.use_cases import apply_facts, live, reports
from controller.use_cases.live import freeze
from controller.use_cases.ports import Arrived
from hall_core.clock import FixedClock
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.summary import state_hash
from hall_core.wire.envelope import Ack, DeviceReport, decode
from tests.controller.box import Box
from tests.controller.centre import Centre


async def busy(centre: Centre, box: Box) -> Box:
    """A hall with three tickets, one of them called, all of it stored."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="1"))
    for name in ("t1", "t2", "t3"):
        box.issue(name)
    box.call()
    await centre.talk(box, box.facts())
    return box


def applied(messages) -> list[int]:
    return [decode(Ack, m.payload).applied for m in messages if m.topic.endswith("/down/ack")]


async def test_facts_reach_the_database_as_they_were_sent(centre, box):
    await busy(centre, box)
    rows = centre.rows("FACTS")
    assert [row["n"] for row in rows] == list(range(1, len(box.journal) + 1))
    assert [row["body"] for row in rows] == [x.model_dump_json(exclude_none=True) for x in box.journal]
    states = {
        row["ticket_id"]: (row["label"], row["state"], row["counter"]) for row in centre.rows("TICKETS")
    }
    assert states == {
        "t1": ("A001", "called", "1"),
        "t2": ("A002", "waiting", None),
        "t3": ("A003", "waiting", None),
    }


async def test_both_sides_have_the_same_state_hash_when_quiet(centre, box):
    await busy(centre, box)
    assert state_hash(centre.live.queue(box.stream)) == state_hash(box.queue)


async def test_a_repeated_message_changes_nothing_and_is_acknowledged_again(centre, box):
    await busy(centre, box)
    before = (centre.rows("FACTS"), centre.rows("TICKETS"))
    answers = await centre.hear(box.facts(after=0), box.facts(after=2), box.facts(after=0))
    assert applied(answers) == [len(box.journal)]
    assert (centre.rows("FACTS"), centre.rows("TICKETS")) == before


async def test_a_gap_stores_nothing_and_asks_for_the_missing_facts(centre, box):
    await centre.meet(box)
    held = box.acked
    box.issue("t1")
    box.issue("t2")
    answers = await centre.hear(box.facts(after=held + 1))
    assert applied(answers) == [held]
    assert len(centre.rows("FACTS")) == held
    assert centre.rows("QUARANTINE") == []
    await centre.talk(box, box.facts())
    assert len(centre.rows("FACTS")) == len(box.journal)


async def test_messages_that_overlap_are_stored_once(centre, box):
    await centre.meet(box)
    start = box.acked
    for name in ("t1", "t2", "t3", "t4"):
        box.issue(name)
    answers = await centre.hear(
        box.facts(after=start, count=2), box.facts(after=start + 1, count=2), box.facts(after=start, count=4)
    )
    assert applied(answers) == [len(box.journal)]
    assert [row["n"] for row in centre.rows("FACTS")] == list(range(1, len(box.journal) + 1))


async def test_a_birth_is_answered_with_what_is_applied(centre, box):
    await busy(centre, box)
    assert applied(await centre.hear(box.birth())) == [len(box.journal)]


async def test_an_agent_nobody_enrolled_is_noted_and_ignored(centre, clock):
    stranger = Box(clock, hall="stranger", agent="stranger").open()
    assert await centre.hear(stranger.state(), stranger.birth(), stranger.facts()) == []
    assert centre.rows("STREAMS") == centre.rows("FACTS") == []
    assert {row["reason"] for row in centre.rows("QUARANTINE")} == {"agent 'stranger' is not enrolled"}
    assert centre.one("ALARMS")["kind"] == "message-refused"


async def test_an_agent_cannot_speak_for_another_hall(centre, box, clock):
    await busy(centre, box)
    centre.enrol("other")
    before = centre.rows("FACTS")
    thief = Box(clock, hall="haitang", agent="other")
    thief.stream = thief.incarnation = box.stream
    thief.queue, thief.journal = box.queue, list(box.journal)
    thief.issue("t9")
    assert await centre.hear(thief.birth(), thief.facts(after=len(box.journal)), thief.report()) == []
    assert centre.rows("FACTS") == before
    assert len(centre.rows("QUARANTINE")) == 3
    honest = Box(clock, hall="other", agent="other", life="two").open()
    stolen = honest.birth(stream=box.stream)
    assert await centre.hear(stolen) == []
    assert {row["agent"] for row in centre.rows("QUARANTINE")} == {"other"}


async def test_facts_of_a_stream_that_was_never_born_are_not_stored(centre, box):
    assert await centre.hear(box.facts()) == []
    assert centre.rows("FACTS") == []
    assert "no birth" in centre.one("QUARANTINE")["reason"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("qh/1/haitang/up/facts", b"\xff\xfe"),
        ("qh/1/haitang/up/facts", b"{}"),
        ("qh/1/haitang/up/birth", b'{"v":2}'),
        ("qh/1/haitang/up/report", b"[" * 5000),
        ("qh/1/haitang/up/nothing", b"{}"),
        ("qh/1/haitang/down/wishes", b"{}"),
        ("qh/1/A/up/facts", b"{}"),
        ("else/where", b""),
    ],
)
async def test_what_cannot_be_read_is_noted_once_and_the_others_of_its_batch_pass(
    centre, box, topic, payload, caplog
):
    await centre.meet(box)
    box.issue("t1")
    bad = Arrived(topic, payload)
    answers = await centre.hear(bad, box.facts(), bad)
    assert applied(answers) == [len(box.journal)]
    noted = centre.one("QUARANTINE")
    assert (noted["count"], noted["size"]) == (2, len(payload))
    alarms = [row for row in centre.rows("ALARMS") if row["kind"] == "message-refused"]
    assert [row["count"] for row in alarms] == [2]
    assert sum("message not applied" in r.getMessage() for r in caplog.records) == 1


async def test_facts_that_do_not_follow_are_set_aside_and_stop_nobody(centre, box, clock):
    centre.enrol("other")
    other = await centre.meet(Box(clock, hall="other", agent="other").open())
    await centre.meet(box)
    box.journal.append(f.TicketFinished(at=box.now, ticket_id="nobody", counter="1"))
    other.issue("o1")
    answers = await centre.hear(box.facts(), other.facts())
    assert len([m for m in answers if "ack" in m.topic]) == 2
    assert [r["applied"] for r in centre.rows("STREAMS") if r["hall"] == "haitang"] == [len(box.journal)]
    (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "fact-unreadable"]
    assert "does not follow" in alarm["text_en"]
    assert centre.live.queue(other.stream).applied == len(other.journal)


async def test_two_tickets_with_one_label_are_an_alarm_and_not_stored(centre, box):
    await busy(centre, box)
    twice = next(x for x in box.journal if isinstance(x, f.TicketIssued))
    box.journal.append(twice.model_copy(update={"ticket_id": "t9", "token": "another-token"}))
    before = centre.rows("TICKETS")
    await centre.hear(box.facts())
    assert centre.rows("TICKETS") == before
    (alarm,) = [a for a in centre.rows("ALARMS") if a["kind"] == "fact-unreadable"]
    assert "cannot be stored" in alarm["text_en"]


async def test_a_controller_that_stops_in_the_middle_goes_on_where_it_was(centre, box):
    await busy(centre, box)
    box.issue("t4")
    box.issue("t5")
    await centre.hear(box.facts(count=1))  # stored, and the acknowledgement is lost
    later = centre.again()
    try:
        assert later.live.queue(box.stream).applied == len(box.journal) - 1
        await later.talk(box, box.birth(), box.facts())
        assert [row["n"] for row in later.rows("FACTS")] == list(range(1, len(box.journal) + 1))
        assert state_hash(later.live.queue(box.stream)) == state_hash(box.queue)
    finally:
        later.close()


async def test_memory_behind_the_database_is_rebuilt(centre, box):
    await busy(centre, box)
    twin = Centre(centre.url, centre.folder, centre.clock, centre.ids, centre.tokens)
    try:
        box.issue("t4")
        await centre.talk(box, box.facts())
        box.issue("t5")
        await twin.talk(box, box.facts())
        assert state_hash(twin.live.queue(box.stream)) == state_hash(box.queue)
    finally:
        twin.close()


async def test_a_start_from_a_snapshot_gives_the_same_queue(centre, box, clock, monkeypatch):
    monkeypatch.setattr(apply_facts, "SNAPSHOT_EVERY", 6)
    monkeypatch.setattr(apply_facts, "SNAPSHOT_AT_DAY", 3)
    await busy(centre, box)
    clock.advance(24 * 3600)
    box.do(c.OpenBusinessDay(day=box.now.date()))
    box.issue("t8")
    await centre.talk(box, box.facts())
    assert centre.one("SNAPSHOTS")["n"] == len(box.journal)
    later = centre.again()
    try:
        assert later.live.queue(box.stream) == box.queue
    finally:
        later.close()


async def test_tickets_that_end_with_their_day_are_stored_as_ended(centre, box, clock):
    await busy(centre, box)
    clock.advance(24 * 3600)
    box.do(c.Start(counter="1"))
    box.do(c.Finish(counter="1"))
    box.do(c.OpenBusinessDay(day=box.now.date()))
    box.issue("t4")
    await centre.talk(box, box.facts())
    states = {row["ticket_id"]: row["state"] for row in centre.rows("TICKETS")}
    assert states == {"t1": "finished", "t2": "lapsed", "t3": "lapsed", "t4": "waiting"}


async def test_a_different_state_hash_at_the_same_fact_is_an_alarm_until_it_agrees(centre, box):
    await busy(centre, box)
    await centre.hear(box.report(state="0" * 16))
    alarm = centre.one("ALARMS")
    assert (alarm["kind"], alarm["closed_at"]) == ("state-differs", None)
    await centre.hear(box.report())
    assert centre.one("ALARMS")["closed_at"] is not None


async def test_a_picture_that_went_wrong_at_the_controller_is_healed_from_the_facts(centre, box, clock):
    await busy(centre, box)
    right = centre.rows("TICKETS")
    wrong = dict(centre.live.queue(box.stream).tickets)
    del wrong["t3"]
    damaged = replace(centre.live.queue(box.stream), tickets=wrong)
    centre.live.commit({box.stream: damaged}, {})
    spoilt = freeze(damaged)
    centre.database.write_now(lambda tx: fact_store.save_snapshot(tx, box.stream, damaged.applied, spoilt))
    centre.database.write_now(lambda tx: ticket_store.change_ticket(tx, "t2", state="cancelled"))
    await centre.hear(box.report())
    assert centre.live.queue(box.stream) == box.queue
    assert centre.rows("TICKETS") == right
    alarm = centre.one("ALARMS")
    assert (alarm["kind"], alarm["closed_at"]) == ("state-differs", clock.now())
    assert "重放" in alarm["text"]
    later = centre.again()
    try:
        assert later.live.queue(box.stream) == box.queue
    finally:
        later.close()


async def test_all_facts_are_told_anew_once_in_ten_minutes_at_most(centre, box, clock, monkeypatch):
    await busy(centre, box)
    told = []
    monkeypatch.setattr(reports, "rebuild", lambda *a, **k: told.append(a) or live.rebuild(*a, **k))
    for _ in range(3):
        await centre.hear(box.report(state="0" * 16))
        clock.advance(301)
    assert len(told) == 2


async def test_devices_follow_the_report_and_a_lost_one_is_an_alarm(centre, box):
    await centre.meet(box)
    strip = DeviceReport(
        name="strip-1", kind="strip", profile="modbus.led-strip-generic", state="online", since=""
    )
    await centre.hear(box.report(strip, strip.model_copy(update={"name": "strip-3"})))
    assert [row["name"] for row in centre.rows("DEVICES")] == ["strip-1", "strip-3"]
    await centre.hear(box.report(strip.model_copy(update={"state": "offline"})))
    assert [(r["name"], r["state"]) for r in centre.rows("DEVICES")] == [("strip-1", "offline")]
    assert centre.one("ALARMS")["subject"] == "strip-1"
    await centre.hear(box.report(strip))
    assert centre.one("ALARMS")["closed_at"] is not None


async def test_the_will_of_an_earlier_life_does_not_make_a_hall_lost(centre, box):
    box.boot = 7
    await centre.meet(box)
    hall = centre.live.by_id("haitang")
    await centre.hear(box.state("lost", boot=6))
    assert hall.online
    await centre.hear(box.state("lost"))
    assert not hall.online
    assert centre.one("ALARMS")["kind"] == "hall-lost"
    await centre.hear(box.state())
    assert hall.online
    assert centre.one("ALARMS")["closed_at"] is not None


async def test_what_the_broker_kept_does_not_count_as_heard(centre, box, clock):
    await centre.meet(box)
    heard = centre.live.by_id("haitang").last_seen
    clock.advance(600)
    await centre.hear(box.state(retained=True))
    assert centre.live.by_id("haitang").last_seen == heard


async def test_a_box_restored_from_an_old_copy_is_an_alarm(centre, box):
    await busy(centre, box)
    await centre.hear(box.birth(last=2))
    assert centre.one("ALARMS")["kind"] == "stream-set-back"


async def test_a_full_disk_acknowledges_nothing(centre, box, monkeypatch):
    from sqlalchemy.exc import OperationalError

    await centre.meet(box)
    box.issue("t1")

    async def broken(self, work):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", broken)
        assert await centre.hear(box.facts()) == []
    await centre.talk(box, box.facts())
    assert box.acked == len(box.journal)


def test_sqlite_survives_a_power_cut_by_its_settings(centre: Centre, clock: FixedClock):
    def pragmas(tx):
        names = ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
        return {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}

    assert centre.database.write_now(pragmas) == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "mmap_size": 0,
    }
