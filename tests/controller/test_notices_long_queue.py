"""What is next to be sent costs no more to find in a long queue than in a short one."""

from datetime import timedelta

import pytest

from controller.store import notices as notice_store
from controller.store.bulk import add_rows
from controller.store.tables import TICKETS
from tests.controller.test_notices_load import a_notice, a_ticket

MAY = notice_store.Claimable(["sms", "wechat"], ["house"], ["house"])
HAND = 8


def wait_in_line(centre, names, *, until=timedelta(minutes=30), **changes):
    now = centre.clock.now()
    tickets = [a_ticket(name, n, "sealed", now) for n, name in enumerate(names, len(centre.rows("TICKETS")))]
    rows = [{**a_notice(t["ticket_id"], t["number"], now, now + until), **changes} for t in tickets]
    centre.database.write_now(lambda tx: add_rows(tx, TICKETS, tickets))
    centre.database.write_now(lambda tx: notice_store.add_notices(tx, rows))


def effort(centre, look):
    """Steps of SQLite's machine that this takes, and what it gives."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1

    def work(tx):
        look(tx)  # the first time the statement is prepared
        raw = tx.connection.driver_connection
        raw.set_progress_handler(count, 10)
        try:
            return look(tx)
        finally:
            raw.set_progress_handler(None, 0)

    return centre.database.write_now(work), steps


@pytest.mark.parametrize("what", ["claim", "next_due"])
def test_the_next_notices_are_found_without_reading_those_behind_them(centre, what):
    now = centre.clock.now()
    looks = {
        "claim": lambda tx: [row["ticket_id"] for row in notice_store.claim(tx, now, [1, 2], MAY, HAND)],
        "next_due": lambda tx: notice_store.next_due(tx, [1, 2]),
    }
    wait_in_line(centre, [f"early-{n}" for n in range(20)])
    found, few = effort(centre, looks[what])
    # told, and nobody can be asked: they stay for good
    wait_in_line(
        centre, [f"told-{n}" for n in range(1000)], state="accepted", next_at=now + timedelta(days=999)
    )
    wait_in_line(centre, [f"late-{n}" for n in range(2000)])
    same, many = effort(centre, looks[what])
    assert same == found
    assert many < 2 * few + 20, (few, many)


def test_the_most_urgent_goes_first_and_then_who_is_due_longest(centre):
    now = centre.clock.now()
    wait_in_line(centre, ["again"], next_at=now + timedelta(seconds=2))
    wait_in_line(centre, ["first", "second"])
    wait_in_line(centre, ["called"], priority=0, next_at=now + timedelta(seconds=1))
    wait_in_line(centre, ["asked"], state="unknown", priority=0, provider="house")

    def names(after, most=HAND):
        then = now + timedelta(seconds=after)
        rows = centre.database.write_now(lambda tx: notice_store.claim(tx, then, [], MAY, most))
        return [row["ticket_id"] for row in rows]

    assert names(0) == ["first", "second", "asked"]
    assert names(2) == ["called", "first", "second", "again", "asked"]
    assert names(2, most=2) == ["called", "first"]
    none = notice_store.Claimable([], [], ["house"])
    assert [
        r["ticket_id"] for r in centre.database.write_now(lambda tx: notice_store.claim(tx, now, [], none, 9))
    ] == ["asked"]
