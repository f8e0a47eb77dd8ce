"""Numbers go when their days have passed, from the bytes of the file too, and nothing else goes with them."""

import json
import secrets
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner

from controller.cli_privacy import privacy
from controller.store.facts import save_snapshot
from controller.store.tables import APPOINTMENTS, NOTICES, TICKETS
from controller.use_cases import erasure
from controller.use_cases.erasure import PhoneEraser
from controller.use_cases.forgetting import forget_person
from controller.use_cases.live import freeze
from controller.use_cases.phone_rotation import reseal_all
from controller.use_cases.sealed_values import without_numbers
from controller.use_cases.take_ticket import TicketRequest
from tests.controller.box import ZONE
from tests.controller.centre import Centre
from tests.controller.test_take_ticket import answering, take

KEEP = 30


def somebody() -> str:
    return f"13{secrets.randbelow(10**9):09d}"


@pytest.fixture
def phone() -> str:
    return somebody()


def eraser(centre, days: int = KEEP) -> PhoneEraser:
    return PhoneEraser(centre.context, days)


async def visit(centre, box, phone, *names):
    """People who left their number at the kiosk; the last asked online."""
    await centre.meet(box)
    for name in names:
        box.issue(name, phone_sealed=centre.context.phones.seal(phone, name), phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
    async with answering(centre, box):
        await take(centre, asked=TicketRequest(service="household", channel="web", phone=phone))
    ended(centre)


def ended(centre):
    """All notices have come to an end, one of them with its digest."""
    changes = {"state": "accepted", "to_key": "d" * 32}
    centre.database.write_now(lambda tx: tx.execute(update(NOTICES).values(**changes)))


def held(centre) -> list[str]:
    """Where something of a person is still to be found."""
    found = []
    for name in (
        "TICKETS",
        "APPOINTMENTS",
        "DRAW_ENTRIES",
        "REQUESTS",
        "NOTICES",
        "FACTS",
        "WISHES",
        "SNAPSHOTS",
    ):
        for row in centre.rows(name):
            texts = {k: v for k, v in row.items() if k in ("wish", "body")}
            kept = [row.get(k) for k in ("phone_sealed", "phone_masked", "phone_index", "person", "to_key")]
            if any(kept) or any('"phone_sealed":"' in str(value) for value in texts.values()):
                found.append(name)
    return sorted(set(found))


async def test_after_the_last_day_nothing_of_a_person_is_left_but_the_visit_is(centre, box, clock, phone):
    await visit(centre, box, phone, "t1", "t2")
    before = centre.rows("TICKETS")
    clock.advance((KEEP + 1) * 86400)
    gone = await eraser(centre).once()
    assert gone["tickets"] == 3
    assert held(centre) == []
    same = ("label", "state", "token", "issued_at", "service")
    assert [[r[k] for k in same] for r in before] == [[r[k] for k in same] for r in centre.rows("TICKETS")]


async def test_on_the_last_day_everything_is_still_there(centre, box, clock, phone):
    await visit(centre, box, phone, "t1")
    (first, *_rest) = centre.rows("TICKETS")
    last = datetime.combine(first["day"] + timedelta(days=KEEP), datetime.max.time(), ZONE)
    clock.advance((last - clock.now()).total_seconds() - 1)
    before = held(centre)
    assert (await eraser(centre).once()).total() == 0
    assert held(centre) == before
    clock.advance(2)
    assert (await eraser(centre).once())["tickets"] == 2


@pytest.mark.parametrize("keep", [1, 2, 29, 30, 365])
async def test_the_boundary_is_the_business_day(centre, clock, keep):
    today = clock.now().astimezone(ZONE).date()
    ages = [0, 1, keep - 1, keep, keep + 1, keep + 2, 3 * keep + 1]
    rows = [ticket(clock.now(), today - timedelta(days=age), f"t{n}") for n, age in enumerate(ages)]
    centre.database.write_now(lambda tx: tx.execute(insert(TICKETS), rows))
    await eraser(centre, keep).once()
    kept = [age for age, row in zip(ages, centre.rows("TICKETS"), strict=True) if row["phone_masked"]]
    assert kept == [age for age in ages if age <= keep]


def ticket(now, day, name="t1"):
    return {
        "ticket_id": name,
        "hall": "haitang",
        "line": "A",
        "day": day,
        "label": name,
        "number": 1,
        "service": "household",
        "channel": "kiosk",
        "state": "finished",
        "token": name,
        "issued_at": now,
        "effective_at": now,
        "updated_at": now,
        "phone_sealed": "c2VhbGVk",
        "phone_masked": "*********34",
    }


async def test_a_ticket_whose_notice_still_waits_keeps_its_number_until_that_has_ended(
    centre, box, clock, phone
):
    await visit(centre, box, phone, "t1", "t2")
    clock.advance((KEEP + 1) * 86400)
    waits = NOTICES.c.ticket_id == "t1"
    centre.database.write_now(lambda tx: tx.execute(update(NOTICES).where(waits).values(state="pending")))
    await eraser(centre).once()
    kept = {row["ticket_id"] for row in centre.rows("TICKETS") if row["phone_sealed"]}
    assert kept == {"t1"}
    assert {r["ticket_id"] for r in centre.rows("NOTICES") if r["to_key"]} == {"t1"}
    ended(centre)
    await eraser(centre).once()
    assert held(centre) == []


async def test_a_second_round_finds_nothing_and_writes_nothing(centre, box, clock, phone):
    await visit(centre, box, phone, "t1")
    clock.advance((KEEP + 1) * 86400)
    await eraser(centre).once()
    before = [
        centre.rows(name) for name in ("TICKETS", "FACTS", "REQUESTS", "NOTICES", "SNAPSHOTS", "WISHES")
    ]
    assert (await eraser(centre).once()).total() == 0
    assert before == [
        centre.rows(name) for name in ("TICKETS", "FACTS", "REQUESTS", "NOTICES", "SNAPSHOTS", "WISHES")
    ]


async def test_many_rows_go_in_chunks_and_a_stop_between_them_loses_nothing(centre, clock, monkeypatch):
    monkeypatch.setattr(erasure, "CHUNK", 3)
    day = clock.now().date() - timedelta(days=KEEP + 5)
    rows = [ticket(clock.now(), day, f"t{n}") for n in range(10)]
    centre.database.write_now(lambda tx: tx.execute(insert(TICKETS), rows))
    worker = eraser(centre)
    sizes, write = [], centre.context.database.write

    async def counted(work):
        sizes.append(await write(work))
        return sizes[-1]

    monkeypatch.setattr(centre.context.database, "write", counted)
    assert (await worker.once())["tickets"] == 10
    assert sizes[:4] == [3, 3, 3, 1]


async def test_an_appointment_that_is_to_come_keeps_its_number(centre, box, clock, phone):
    await visit(centre, box, phone, "t1")
    row = ticket(clock.now(), clock.now().date())
    starts = clock.now() + timedelta(days=40)
    appointment = {
        "appointment_id": "a1",
        "hall": "haitang",
        "service": "household",
        "day": starts.date(),
        "starts_at": starts,
        "ends_at": starts,
        "code": "1",
        "token": "a",
        "channel": "web",
        "owner": "web",
        "key": "k",
        "fingerprint": "f",
        "booked_at": clock.now(),
        "updated_at": clock.now(),
        "phone_index": "i",
        "person": "i",
        **{name: row[name] for name in ("phone_sealed", "phone_masked")},
    }
    centre.database.write_now(lambda tx: tx.execute(insert(APPOINTMENTS).values(**appointment)))
    clock.advance((KEEP + 1) * 86400)
    await eraser(centre).once()
    assert held(centre) == ["APPOINTMENTS"]
    clock.advance((KEEP + 20) * 86400)
    await eraser(centre).once()
    assert held(centre) == []


async def test_what_was_erased_is_not_in_the_file_either(centre, box, clock, phone, tmp_path):
    await visit(centre, box, phone, "t1", "t2")
    sealed = [row["phone_sealed"].encode() for row in centre.rows("TICKETS")]
    files = [tmp_path / "controller.db", tmp_path / "controller.db-wal"]

    def found() -> int:
        return sum(value in file.read_bytes() for value in sealed for file in files)

    assert found() >= 3
    clock.advance((KEEP + 1) * 86400)
    await eraser(centre).once()
    assert found() == 0


async def test_a_restart_after_an_erasure_has_the_same_queue(centre, box, clock, phone):
    await visit(centre, box, phone, "t1")
    stream = centre.live.by_id("haitang").stream
    before = set(centre.live.queue(stream).tickets)
    clock.advance((KEEP + 1) * 86400)
    await eraser(centre).once()
    again = centre.again()
    assert set(again.live.queue(stream).tickets) == before
    again.close()


def test_only_numbers_are_taken_out_of_a_text():
    body = {
        "a": [{"ticket_id": "t", "phone_sealed": "x", "phone_tail": "34", "n": 1.5}],
        "phone_sealed": None,
    }
    told = json.loads(without_numbers("head\n" + json.dumps(body)).split("\n")[1])
    assert told == {
        "a": [{"ticket_id": "t", "phone_sealed": None, "phone_tail": None, "n": 1.5}],
        "phone_sealed": None,
    }
    assert without_numbers("not json") == "not json"
    assert without_numbers('{"n": 1}') == '{"n": 1}'


async def test_a_person_who_asks_is_forgotten_and_nobody_else(centre, box, clock, phone):
    await visit(centre, box, phone, "t1", "t2")
    other = phone[:-1] + str((int(phone[-1]) + 1) % 10)
    box.issue("t9", phone_sealed=centre.context.phones.seal(other, "t9"), phone_tail=other[-2:])
    await centre.talk(box, box.facts())
    gone = forget_person(centre.database, centre.context.phones, phone, clock.now())
    assert gone["tickets"] == 3
    kept = [row["ticket_id"] for row in centre.rows("TICKETS") if row["phone_sealed"]]
    assert kept == ["t9"]
    states = {(r["ticket_id"], r["state"], r["reason"]) for r in centre.rows("NOTICES")}
    assert ("t9", "pending", "") in states
    again = forget_person(centre.database, centre.context.phones, phone, clock.now())
    assert again.total() == 0


async def test_nothing_is_sent_any_more_to_a_person_who_was_forgotten(centre, box, clock, phone):
    await centre.meet(box)
    box.issue("t1", phone_sealed=centre.context.phones.seal(phone, "t1"), phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
    assert {row["state"] for row in centre.rows("NOTICES")} == {"pending"}
    forget_person(centre.database, centre.context.phones, phone, clock.now())
    assert {(row["state"], row["reason"]) for row in centre.rows("NOTICES")} == {("suppressed", "erased")}


async def test_the_command_takes_a_link_or_a_number_that_is_piped_in(centre, box, phone, tmp_path):
    await visit(centre, box, phone, "t1")
    run, place = CliRunner(), ["--data", str(tmp_path)]
    token = centre.rows("TICKETS")[0]["token"]
    by_link = run.invoke(privacy, ["erase", "--phone-of-token", token, *place])
    assert by_link.exit_code == 0, by_link.output
    assert "tickets: 2" in by_link.output
    assert phone not in by_link.output
    again = run.invoke(privacy, ["erase", *place], input=f"{phone}\n")
    assert again.output.splitlines()[-1] == "0 rows erased"
    assert run.invoke(privacy, ["erase", *place], input="nonsense\n").exit_code != 0


async def test_the_picture_of_a_box_that_has_fallen_silent_loses_its_numbers_and_no_other(
    centre, box, clock, phone
):
    await visit(centre, box, phone, "t1")
    stream = centre.live.by_id("haitang").stream
    queue = centre.live.queue(stream)
    centre.database.write_now(lambda tx: save_snapshot(tx, stream, queue.applied, freeze(queue)))
    clock.advance(KEEP * 86400)
    await eraser(centre).once()
    assert "SNAPSHOTS" in held(centre)
    clock.advance(86400)
    await eraser(centre).once()
    assert "SNAPSHOTS" not in held(centre)
    again = centre.again()
    assert {t.phone_sealed for t in again.live.queue(stream).tickets.values()} == {None}
    assert again.live.queue(stream).applied == queue.applied
    again.close()


@pytest.mark.postgres
async def test_on_postgresql_it_is_the_same(postgres, box, clock, phone, tmp_path):
    centre = Centre(postgres, tmp_path, clock)
    centre.enrol()
    await visit(centre, box, phone, "t1", "t2")
    centre.context.phones.keys.rotate()
    assert reseal_all(centre.database, centre.context.phones, lambda *_: None).changed["tickets"] == 3
    clock.advance((KEEP + 1) * 86400)
    assert (await eraser(centre).once())["tickets"] == 3
    assert held(centre) == []
    centre.close()
