"""Notices leave the house: at most once each, never after they are of no use.

`pending → sending → accepted | rejected | unknown → resolved`. `sending` is committed before the
gateway is called; what then goes wrong without a clear no is `unknown`: the gateway is asked, and only
a notice it never saw within a minute is offered once more, under the same reference.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from controller.metrics import Metrics
from controller.store import notices as notice_store
from controller.store.database import STORAGE_DOWN, Tx
from controller.use_cases.bucket import Bucket
from controller.use_cases.context import Context
from controller.use_cases.ports import Busy, NoticeGateway
from hall_core.errors import GatewayRejected, GatewayUnknown, PhoneInvalid
from hall_core.queueing.states import TicketState

__all__ = ["NoticeSender", "unfit"]

logger = logging.getLogger(__name__)

#: notices under way at once
HANDS = 8
#: how long after a time-out "not found" is believed
BELIEVED_AFTER = timedelta(seconds=60)
ASK_AGAIN = timedelta(seconds=5)
#: nobody asks about a notice any longer than this
GIVE_UP_AFTER = timedelta(hours=24)
BUSY_WAIT = timedelta(seconds=2)
IDLE_S, SOON_S = 30.0, 0.05
#: `sending` older than this was left over by a program that stopped
LEFT_OVER = timedelta(minutes=5)

#: in which states of its ticket a notice still tells the truth
_FIT = {
    "called": {TicketState.CALLED.value},
    "nearly": {TicketState.WAITING.value},
    "confirmation": {TicketState.WAITING.value, TicketState.CALLED.value},
}


def unfit(notice: dict[str, Any], now: datetime) -> str:
    """Why this notice must not be sent now; empty when it may."""
    if now >= notice["not_after"]:
        return "stale"
    # A ticket that is called counts, whatever other number its holder was shown.
    if notice["merged_into"] is not None and notice["kind"] != "called":
        return "merged"
    if notice["ticket_state"] not in _FIT[notice["kind"]]:
        return "overtaken"
    if notice["kind"] == "called" and notice["ticket_call_no"] != notice["call_no"]:
        return "overtaken"
    return "" if notice["phone_sealed"] else "no-phone"


@dataclass(frozen=True, slots=True)
class _Job:
    """One claimed notice; `ask` when the gateway is to be asked instead of sent to."""

    notice: dict[str, Any]
    ask: bool


class NoticeSender:
    """The worker. Several may run on one PostgreSQL: each notice is claimed by one."""

    def __init__(
        self, context: Context, gateway: NoticeGateway | None, metrics: Metrics, bucket: Bucket
    ) -> None:
        self._context, self._gateway, self._metrics, self._bucket = context, gateway, metrics, bucket
        self._busy: set[int] = set()
        self._hands = asyncio.Semaphore(HANDS)

    async def run(self) -> None:
        """Send whatever is due, for as long as the program runs."""
        await self._pick_up()
        async with asyncio.TaskGroup() as group:
            while True:
                await self._context.notices.heard(await self._idle_s())
                try:
                    await self._round(group)
                except STORAGE_DOWN:
                    logger.exception("notices wait for the database")
                    await asyncio.sleep(1)

    async def _pick_up(self) -> None:
        """Nobody knows what became of notices a stopped program was sending."""
        now = self._context.clock.now()
        before = now if self._context.database.is_sqlite else now - LEFT_OVER
        changes = {"state": "unknown", "reason": "stopped", "next_at": now, "updated_at": now}
        await self._context.database.write(
            lambda tx: notice_store.claimed_left_over(tx, before + timedelta(microseconds=1), **changes)
        )

    async def _idle_s(self) -> float:
        due = await self._context.database.read(lambda tx: notice_store.next_due(tx, sorted(self._busy)))
        if due is None:
            return IDLE_S
        return min(IDLE_S, max(SOON_S, (due - self._context.clock.now()).total_seconds()))

    async def _round(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._hands.acquire()
            job = await self._context.database.write(self._claim)
            if job is None:
                self._hands.release()
                return
            self._busy.add(job.notice["id"])
            group.create_task(self._handle(job), name=f"notice {job.notice['id']}")

    def _claim(self, tx: Tx) -> _Job | None:
        """The next notice to work on; those that may not be sent any more are put away on the way."""
        now = self._context.clock.now()
        while (notice := notice_store.claim(tx, now, sorted(self._busy))) is not None:
            if notice["state"] == "unknown":
                return _Job(notice, ask=True)
            reason = "no-gateway" if self._gateway is None else unfit(notice, now)
            if not reason:
                attempts = notice["attempts"] + 1
                notice_store.change_notice(
                    tx, notice["id"], state="sending", attempts=attempts, sent_at=now, updated_at=now
                )
                return _Job({**notice, "attempts": attempts}, ask=False)
            self._put_away(tx, notice["id"], reason, now)
        return None

    def _put_away(self, tx: Tx, notice_id: int, reason: str, now: datetime) -> None:
        changes = {"state": "suppressed", "reason": reason, "updated_at": now}
        notice_store.change_notice(tx, notice_id, **changes)
        self._metrics.notices_sent.labels("suppressed").inc()

    async def _handle(self, job: _Job) -> None:
        try:
            if job.ask:
                await self._ask(job.notice)
            else:
                await self._send(job.notice)
        except STORAGE_DOWN:
            # Its state stays as committed: `sending` is picked up as unknown, `unknown` is asked about again.
            logger.exception("notice outcome not stored notice=%s", job.notice["id"])
        finally:
            self._busy.discard(job.notice["id"])
            self._hands.release()
            self._context.notices.ring()

    async def _send(self, notice: dict[str, Any]) -> None:
        assert self._gateway is not None
        await self._bucket.take()
        reason = await self._still(notice)
        if reason:
            await self._end(notice, "suppressed", reason)
            return
        try:
            to = self._context.phones.unseal(notice["phone_sealed"], notice["ticket_id"])
            outcome = await self._gateway.send(client_ref=notice["client_ref"], to=to, text=notice["text"])
        except PhoneInvalid:
            await self._end(notice, "rejected", "phone-unreadable")
        except GatewayRejected as error:
            await self._end(notice, "rejected", str(error))
        except GatewayUnknown as error:
            await self._end(notice, "unknown", str(error), after=ASK_AGAIN)
        else:
            if isinstance(outcome, Busy):
                # Certainly not taken: this attempt does not count.
                attempts = notice["attempts"] - 1
                await self._end(notice, "pending", outcome.why, after=BUSY_WAIT, attempts=attempts)
            else:
                await self._end(notice, "accepted", "", provider_id=outcome.provider_id)

    async def _still(self, notice: dict[str, Any]) -> str:
        """Right before sending: has the time passed, or the ticket moved on, while we waited our turn?"""
        fresh = await self._context.database.read(lambda tx: notice_store.with_ticket(tx, notice["id"]))
        return unfit(fresh, self._context.clock.now())

    async def _ask(self, notice: dict[str, Any]) -> None:
        """Find out what became of an unknown notice."""
        now = self._context.clock.now()
        if self._gateway is None or now - notice["made_at"] > GIVE_UP_AFTER:
            await self._end(notice, "suppressed", "never-resolved")
            return
        try:
            found = await self._gateway.find(notice["client_ref"])
        except GatewayUnknown as error:
            await self._end(notice, "unknown", str(error), after=ASK_AGAIN)
            return
        if found is not None:
            await self._end(notice, "accepted", "", provider_id=found.provider_id)
        elif now - notice["sent_at"] < BELIEVED_AFTER:
            await self._end(notice, "unknown", notice["reason"], after=ASK_AGAIN)
        elif notice["attempts"] > 1 or unfit(notice, now):
            await self._end(notice, "suppressed", "not-taken")
        else:
            await self._end(notice, "pending", "not-found")

    async def _end(
        self, notice: dict[str, Any], state: str, reason: str, *, after: timedelta = timedelta(), **more: Any
    ) -> None:
        now = self._context.clock.now()
        changes = {"state": state, "reason": reason[:200], "next_at": now + after, "updated_at": now, **more}
        await self._context.database.write(lambda tx: notice_store.change_notice(tx, notice["id"], **changes))
        self._metrics.notices_sent.labels(state).inc()
        if state in ("rejected", "unknown"):
            logger.warning("notice %s notice=%s reason=%s", state, notice["id"], reason)
