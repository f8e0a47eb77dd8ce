"""Notices leave the house: at most once each, never after they are of no use.

`pending → sending → accepted | rejected | unknown → resolved`, then `delivered | failed`. `sending` is
committed before the gateway is called; what then goes wrong without a clear no is `unknown`: the gateway
is asked, and only a notice it never saw within a minute is offered once more, to the same gateway and under
the same reference.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from controller.metrics import Metrics
from controller.store import notices as notice_store
from controller.store import receipts as receipt_store
from controller.store.database import STORAGE_DOWN, Tx
from controller.use_cases.context import Context
from controller.use_cases.notice_kinds import kind_of
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Receipt, Taken
from controller.use_cases.providers import THROTTLED_S, NumberLimits, Provider, Providers
from controller.use_cases.together import Together
from hall_core.errors import GatewayRejected, GatewayUnknown, PhoneInvalid, PhoneKeyDropped
from hall_core.personal import mask_numbers

__all__ = ["NoticeSender", "unfit"]

logger = logging.getLogger(__name__)

#: notices under way at once
HANDS = 64
#: looked at in one go, also while there is no room: some may be put away, or only asked about
SOME = 8
#: how long after a time-out "not found" is believed
BELIEVED_AFTER = timedelta(seconds=60)
ASK_AGAIN = timedelta(seconds=5)
#: a receipt is asked for after so long, then ever more rarely
FIRST_RECEIPT = timedelta(seconds=30)
#: a gateway that was busy is offered the notice again after at most this
LONGEST_WAIT_S = 10.0
IDLE_S, SOON_S = 30.0, 0.02
TIDY_S = 1.0
#: when what is due has nobody to go to
BLOCKED_S = 0.25
#: `sending` older than this was left over by a program that stopped
LEFT_OVER = timedelta(minutes=5)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def unfit(notice: dict[str, Any], now: datetime) -> str:
    """Why this notice must not be sent now; empty when it may."""
    kind = kind_of(notice["kind"])
    if now >= notice["not_after"]:
        return "stale"
    # A ticket that is called counts, whatever other number its holder was shown.
    if notice["merged_into"] is not None and not kind.called_again:
        return "merged"
    if (notice["ticket_state"] or "expected") not in kind.fits:
        return "overtaken"
    if kind.called_again and notice["ticket_call_no"] != notice["call_no"]:
        return "overtaken"
    return "" if notice["phone_sealed"] else "no-phone"


@dataclass(frozen=True, slots=True)
class _Job:
    """One claimed notice and its provider; `ask` when that is to be asked instead of sent to."""

    notice: dict[str, Any]
    provider: Provider
    to: str = field(repr=False)
    ask: bool
    mark: int = 0


class NoticeSender:
    """The worker. Several may run on one PostgreSQL: each notice is claimed by one.

    `jitter` gives numbers from 0 to 1: who was refused together does not come back together.
    """

    def __init__(
        self,
        context: Context,
        providers: Sequence[Provider],
        metrics: Metrics,
        *,
        jitter: Callable[[], float],
        limits: NumberLimits | None = None,
    ) -> None:
        self._context, self._metrics, self._jitter = context, metrics, jitter
        self._providers, self._limits = Providers(providers), limits or NumberLimits()
        self._together = Together(context.database)
        self._busy: set[int] = set()
        self._blocked, self._tidied = False, -TIDY_S

    async def run(self) -> None:
        """Send whatever is due, and store receipts, for as long as the program runs."""
        await self._pick_up()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._together.run(), name="notices stored")
            for provider in self._providers:
                told = partial(self._receipt, provider)
                group.create_task(provider.gateway.run(told), name=f"gateway {provider.name}")
            while True:
                try:
                    await self._context.notices.heard(await self._idle_s())
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
        if due is None or len(self._busy) >= HANDS:
            return IDLE_S
        until = (due - self._context.clock.now()).total_seconds()
        return min(IDLE_S, max(BLOCKED_S if self._blocked else SOON_S, until, self._providers.wait_s()))

    async def _round(self, group: asyncio.TaskGroup) -> None:
        while len(self._busy) < HANDS:
            jobs, more = await self._claimed()
            self._blocked = not jobs and not more
            for job in jobs:
                self._busy.add(job.notice["id"])
                group.create_task(self._handle(job), name=f"notice {job.notice['id']}")
            if not more:
                return

    async def _claimed(self) -> tuple[list[_Job], bool]:
        """`_claim`, committed; what could not be stored takes no room at a gateway. Raises STORAGE_DOWN."""
        jobs: list[_Job] = []
        try:
            more = await self._context.database.write(lambda tx: self._claim(tx, jobs))
        except STORAGE_DOWN:
            for job in jobs:
                if not job.ask:
                    job.provider.breaker.end(job.mark, worked=None)
            raise
        return jobs, more

    def _claim(self, tx: Tx, jobs: list[_Job]) -> bool:
        """Adds notices to work on; is there more? What may not be sent is put away on the way."""
        now = self._context.clock.now()
        self._tidy(tx, now)
        # No more than there is room for: opening numbers for nothing costs time.
        limit = min(HANDS - len(self._busy), max(SOME, self._providers.room()))
        rows = notice_store.claim(tx, now, sorted(self._busy), self._providers.claimable(), limit)
        moved = 0
        for notice in rows:
            job = self._asking(tx, notice) if notice["state"] != "pending" else self._sending(tx, notice, now)
            if isinstance(job, _Job):
                jobs.append(job)
            moved += job is not None
        return len(rows) == limit == moved

    def _tidy(self, tx: Tx, now: datetime) -> None:
        """What waited in vain ends, once a second: whatever is claimed is looked at again anyway."""
        at = self._context.clock.monotonic()
        if at - self._tidied >= TIDY_S:
            self._tidied = at
            self._metrics.notices_sent.labels("suppressed").inc(notice_store.put_away_stale(tx, now))

    def _sending(self, tx: Tx, notice: dict[str, Any], now: datetime) -> _Job | bool | None:
        """A job; True when the notice was put away; None when its provider has no room now."""
        reason, provider = unfit(notice, now), self._provider_of(notice)
        if reason or provider is None:
            return self._put_away(tx, notice["id"], "suppressed", reason or "no-gateway", now)
        if not provider.free():
            return None
        try:
            to = self._context.phones.unseal(notice["phone_sealed"], notice["ticket_id"])
        except PhoneInvalid as error:
            reason = error.slug if isinstance(error, PhoneKeyDropped) else "phone-unreadable"
            return self._put_away(tx, notice["id"], "rejected", reason, now)
        to_key = self._context.phones.fingerprint({"to": to})
        if self._limits.reached(*notice_store.sent_to(tx, to_key, now)):
            return self._put_away(tx, notice["id"], "suppressed", "quota", now)
        mark = provider.take()
        if mark is None:
            return None
        attempts = notice["attempts"] + 1
        changes: dict[str, Any] = {"state": "sending", "attempts": attempts, "provider": provider.name}
        changes |= {"to_key": to_key, "sent_at": now, "updated_at": now}
        try:
            notice_store.change_notice(tx, notice["id"], **changes)
        except STORAGE_DOWN:
            provider.breaker.end(mark, worked=None)
            raise
        return _Job({**notice, "attempts": attempts, "sent_at": now}, provider, to, ask=False, mark=mark)

    def _provider_of(self, notice: dict[str, Any]) -> Provider | None:
        """Whom it was given to, and nobody else; for a new one the first that works."""
        if notice["provider"]:
            return self._providers.named(notice["provider"])
        return self._providers.first(notice["phone_sealed"])

    def _asking(self, tx: Tx, notice: dict[str, Any]) -> _Job | bool:
        now = self._context.clock.now()
        provider = self._provider_of(notice)
        over = notice["made_at"] + notice_store.ASKED_FOR
        if provider is None or now > over:
            if notice["state"] == "accepted":
                return notice_store.change_notice(tx, notice["id"], next_at=NEVER)
            return self._put_away(tx, notice["id"], "suppressed", "never-resolved", now)
        if not provider.gateway.can_ask:
            return notice_store.change_notice(tx, notice["id"], next_at=over)
        try:
            to = self._context.phones.unseal(notice["phone_sealed"] or "", notice["ticket_id"])
        except PhoneInvalid:
            to = ""
        return _Job(notice, provider, to, ask=True)

    def _put_away(self, tx: Tx, notice_id: int, state: str, reason: str, now: datetime) -> bool:
        changes: dict[str, Any] = {"state": state, "reason": reason, "updated_at": now, "phone_sealed": None}
        self._metrics.notices_sent.labels(state).inc()
        return notice_store.change_notice(tx, notice_id, **changes)

    async def _handle(self, job: _Job) -> None:
        try:
            if job.ask:
                await self._ask(job)
            else:
                await self._send(job)
        except STORAGE_DOWN:
            # Its state stays as committed: `sending` is picked up as unknown, `unknown` is asked about again.
            logger.exception("notice outcome not stored notice=%s", job.notice["id"])
        finally:
            self._busy.discard(job.notice["id"])
            self._context.notices.ring()

    async def _send(self, job: _Job) -> None:
        notice, provider = job.notice, job.provider
        worked: bool | None = None
        try:
            reason = await self._still(notice)
            if reason:
                await self._end(notice, "suppressed", reason)
                return
            outcome = await provider.gateway.send(_parcel(job))
            worked = not (isinstance(outcome, Busy) and outcome.down)
        except GatewayRejected as error:
            worked = True
            await self._end(notice, "rejected", str(error))
        except GatewayUnknown as error:
            worked = False
            after = ASK_AGAIN if provider.gateway.can_ask else notice_store.ASKED_FOR
            await self._end(notice, "unknown", str(error), after=after)
        else:
            await self._answered(job, outcome)
        finally:
            provider.breaker.end(job.mark, worked=worked)
        await self._tell_staff(provider)

    async def _answered(self, job: _Job, outcome: Taken | Busy) -> None:
        notice, provider = job.notice, job.provider
        if isinstance(outcome, Taken):
            await self._accepted(job, outcome)
            return
        if not outcome.down:
            provider.bucket.hold(THROTTLED_S)
        # Certainly not taken: this attempt does not count. The longer it is down the rarer it is offered.
        age_s = (self._context.clock.now() - notice["made_at"]).total_seconds()
        longest_s = min(LONGEST_WAIT_S, 1 + age_s / 2) if outcome.down else THROTTLED_S
        after = timedelta(seconds=0.1 + self._jitter() * longest_s)
        await self._end(notice, "pending", outcome.why, after=after, attempts=notice["attempts"] - 1)

    async def _still(self, notice: dict[str, Any]) -> str:
        """Right before sending: has the time passed, or the ticket moved on, since it was claimed?"""
        fresh = await self._context.database.read(lambda tx: notice_store.with_ticket(tx, notice["id"]))
        return unfit(fresh, self._context.clock.now())

    async def _ask(self, job: _Job) -> None:
        """Find out what became of an unknown notice, or whether an accepted one has arrived."""
        now, notice = self._context.clock.now(), job.notice
        asked = Asked(notice["client_ref"], notice["provider_id"], job.to, notice["sent_at"])
        state, was = notice["state"], (notice["state"],)
        later = max(FIRST_RECEIPT, now - notice["sent_at"]) if state == "accepted" else ASK_AGAIN
        try:
            found = await job.provider.gateway.find(asked)
        except GatewayUnknown as error:
            reason = "" if state == "accepted" else str(error)
            await self._end(notice, state, reason, after=later, was=was)
            return
        if found is not None:
            await self._accepted(job, found)
        elif state == "accepted" or now - notice["sent_at"] < BELIEVED_AFTER:
            await self._end(notice, state, notice["reason"], after=later, was=was)
        elif notice["attempts"] > 1 or unfit(notice, now):
            await self._end(notice, "suppressed", "not-taken", was=was)
        else:
            await self._end(notice, "pending", "not-found", was=was)

    async def _accepted(self, job: _Job, taken: Taken) -> None:
        """It has been taken; a receipt may have been faster than this answer."""
        notice, now = job.notice, self._context.clock.now()
        later = max(FIRST_RECEIPT, now - notice["sent_at"])
        asks = job.provider.gateway.can_ask and taken.fate is Fate.ACCEPTED
        changes = {
            "state": taken.fate.value,
            "reason": taken.reason[:200],
            "provider_id": taken.provider_id or notice["provider_id"],
            "next_at": now + later if asks else NEVER,
            "updated_at": now,
        }

        def work(tx: Tx) -> None:
            notice_store.change_notice(
                tx, notice["id"], was=("sending", "unknown", "accepted", "pending"), **changes
            )
            if taken.provider_id:
                receipt_store.settle_early(tx, job.provider.name, taken.provider_id, now)

        await self._together.write(work)
        if notice["state"] != taken.fate.value:
            self._metrics.notices_sent.labels(taken.fate.value).inc()

    async def _receipt(self, provider: Provider, receipt: Receipt) -> bool:
        """Store a receipt; True once it is committed."""
        return await self.receipts(provider.name, (receipt,))

    async def receipts(self, provider: str, receipts: Sequence[Receipt]) -> bool:
        """Store what a gateway told, in one transaction; True once it is committed."""
        now = self._context.clock.now()

        def work(tx: Tx) -> list[Fate]:
            return [
                r.fate for r in receipts if receipt_store.apply_receipt(tx, provider, now=now, **_told(r))
            ]

        try:
            changed = await self._together.write(work)
        except STORAGE_DOWN:
            logger.exception("receipts not stored provider=%s", provider)
            return False
        for fate in changed:
            self._metrics.notices_sent.labels(fate.value).inc()
        return True

    async def _end(
        self,
        notice: dict[str, Any],
        state: str,
        reason: str,
        *,
        after: timedelta = timedelta(),
        was: Sequence[str] = ("sending",),
        **more: Any,
    ) -> None:
        now = self._context.clock.now()
        reason = mask_numbers(reason)  # gateways repeat numbers in what they say
        changes = {"state": state, "reason": reason[:200], "next_at": now + after, "updated_at": now, **more}
        changed = await self._together.write(
            lambda tx: notice_store.change_notice(tx, notice["id"], was=was, **changes)
        )
        if changed and state != notice["state"]:
            self._metrics.notices_sent.labels(state).inc()
            if state in ("rejected", "unknown"):
                logger.warning("notice %s notice=%s reason=%s", state, notice["id"], reason)

    async def _tell_staff(self, provider: Provider) -> None:
        """An alarm while a gateway does not work."""
        if provider.alarmed == (not provider.breaker.closed):
            return
        provider.alarmed = not provider.breaker.closed
        zh = f"短信网关 {provider.name} 没有响应，通知暂停或改走备用网关"
        en = f"Gateway {provider.name} does not answer: notices wait, or go to the second gateway"
        about = ("gateway-down", None, provider.name)
        if provider.alarmed:
            await self._context.change(lambda draft: draft.raise_alarm(*about, zh, en))
        else:
            await self._context.change(lambda draft: draft.end_alarm(*about))


def _told(receipt: Receipt) -> dict[str, str]:
    """A receipt as the store takes it; gateways repeat numbers in what they say."""
    ids = {"provider_id": receipt.provider_id, "client_ref": receipt.client_ref}
    return {**ids, "state": receipt.fate.value, "reason": mask_numbers(receipt.reason)}


def _parcel(job: _Job) -> Parcel:
    notice = job.notice
    words = json.loads(notice["words"] or "{}")
    return Parcel(notice["client_ref"], job.to, notice["text"], notice["kind"], words, notice["not_after"])
