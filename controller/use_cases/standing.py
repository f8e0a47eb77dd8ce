"""How somebody stands after missed appointments: warned, paused, heard; and what the hall owes them."""

from datetime import datetime
from typing import Any

from controller.store import promises as store
from controller.store.database import Tx
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.promise_rules import GOODWILL, Miss, PromiseRules, Standing, standing_of
from hall_core.errors import BookingPaused

__all__ = ["credit_view", "not_paused", "spend_credit", "standing_now", "standing_view"]

Row = dict[str, Any]


def standing_now(tx: Tx, rules: PromiseRules, phone_index: str, now: datetime) -> Standing:
    """How this number stands."""
    rows = store.misses(tx, phone_index, now - rules.within)
    return standing_of(rules, [Miss(row["day"], row["starts_at"]) for row in rows], now)


def not_paused(context: Context, draft: Draft, hall: LiveHall, phone_index: str | None) -> None:
    """Raises BookingPaused for a number that was expected in vain too often, unless its appeal is open."""
    if phone_index is None:
        return
    standing = standing_now(draft.tx, context.promises, phone_index, draft.now)
    if standing.until is None or store.open_appeals_that_suspend(draft.tx, phone_index):
        return
    until = local_time(context.live.queue_of(hall), standing.until)
    raise BookingPaused(until=f"{until:%Y-%m-%d %H:%M}")


async def standing_view(context: Context, row: Row) -> Row | None:
    """For the holder of an appointment that is booked or was missed: `{missed, days, of, within_days,
    pause_days, until, suspended, appeal, may_appeal}`; None when there is nothing to be said.
    """
    phone_index, rules, now = row["phone_index"], context.promises, context.clock.now()
    missed = row["state"] in ("missed", "excused")
    if row["state"] != "booked" and not missed:
        return None

    def look(tx: Tx) -> tuple[Standing, Row | None, bool]:
        appeal = store.appeal_of(tx, row["appointment_id"])
        if phone_index is None:
            return Standing(0, None), appeal, False
        standing = standing_now(tx, rules, phone_index, now)
        return standing, appeal, store.open_appeals_that_suspend(tx, phone_index)

    standing, appeal, suspended = await context.database.read(look)
    if not missed and not standing.days:
        return None
    queue = context.live.queue_of(context.hall(row["hall"]))
    shown = ("state", "text", "answer")
    return {
        "missed": missed,
        "days": standing.days,
        "of": rules.misses,
        "within_days": rules.within.days,
        "pause_days": rules.pause.days,
        "until": local_time(queue, standing.until).isoformat() if standing.until else None,
        "suspended": suspended,
        "appeal": {name: appeal[name] for name in shown} if appeal else None,
        "may_appeal": row["state"] == "missed" and appeal is None,
    }


async def credit_view(context: Context, appointment_id: str) -> Row | None:
    """`{late, minutes, used, moved}`: that the hall was late, minutes for the next visit and whether
    one has used them; `moved` are the minutes this one is moved forward. None when there is nothing to say.
    """
    owed, used = await context.database.read(lambda tx: store.credits_about(tx, appointment_id))
    if owed is None and used is None:
        return None
    return {
        "late": owed is not None,
        "minutes": owed["minutes"] if owed else 0,
        "used": owed is not None and owed["used_by"] is not None,
        "moved": used["minutes"] if used else 0,
    }


def spend_credit(context: Context, draft: Draft, hall: LiveHall, row: Row) -> Row:
    """The appointment, moved forward by what a hall owes its holder; a class that goes further stays."""
    setup = context.live.queue_of(hall).setup
    if row["priority"] is not None or row["phone_index"] is None:
        return row
    if setup is None or not setup.credits_min.get(GOODWILL):
        return row
    if store.use_credit(draft.tx, row["phone_index"], row["appointment_id"], draft.now):
        return {**row, "priority": GOODWILL}
    return row
