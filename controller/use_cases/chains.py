"""Chains of calls: sealed with the controller's key while the day goes on, shown, proven, and verified.

A stream's chain only grows, so a seal says for good what its first calls were. Facts that are changed,
removed, moved or cut off afterwards do not fit the seal any more.
"""

import asyncio
import json
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller.store import chains as chain_store
from controller.store import days as day_store
from controller.store.database import STORAGE_DOWN, Tx
from controller.use_cases.citizen import view
from controller.use_cases.context import Context
from controller.use_cases.live import local_time
from hall_core.queueing.chain import Link, begin, call_of, links
from hall_core.wire.damaged import read_fact

__all__ = ["ChainKeeper", "Signer", "chain_view", "proof_view", "verify"]

logger = logging.getLogger(__name__)

Row = dict[str, Any]

#: chains are sealed so often: what is tampered with sooner than this was never sealed
SEAL_S = 30.0
#: days before the present one that are looked at when a day begins, or the program does
LOOK_BACK = timedelta(days=31)
_UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)


class Signer:
    """Signs heads. The public key lets everybody check them."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()

    @property
    def public(self) -> str:
        """The public key (Ed25519), base64url."""
        return urlsafe_b64encode(self._public.public_bytes_raw()).decode()

    def sign(self, head: Row) -> str:
        """The signature over a head."""
        return urlsafe_b64encode(self._private.sign(_signed(head))).decode()

    def signed(self, head: Row) -> bool:
        """True when this head was signed with this key as it is."""
        try:
            self._public.verify(urlsafe_b64decode(head["signature"]), _signed(head))
        except (InvalidSignature, ValueError):
            return False
        return True


def _signed(head: Row) -> bytes:
    parts = ["quiethall head 1", head["hall"], head["day"].isoformat(), head["stream"]]
    return json.dumps([*parts, head["n"], head["count"], head["head"]], separators=(",", ":")).encode()


@dataclass(slots=True)
class ChainKeeper:
    """Seals what the halls have called."""

    context: Context
    _seen: dict[str, tuple[date, int]] = field(default_factory=dict)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.seal()
            except STORAGE_DOWN:
                logger.exception("calls not sealed; tried again in %s s", SEAL_S)
            await asyncio.sleep(SEAL_S)

    async def seal(self) -> None:
        """Seal the calls that are not sealed yet, of all halls that have told something since."""
        context, signer = self.context, Signer(self.context.phones.chain_seed)
        due: dict[str, tuple[date, int]] = {}
        for hall in context.live:
            queue = context.live.queue_of(hall)
            if queue.day is not None and self._seen.get(hall.hall) != (queue.day, queue.applied):
                due[hall.hall] = (queue.day, queue.applied)
        for hall_id, (day, applied) in due.items():
            # A hall that was away tells the end of one day together with the beginning of another.
            before = self._seen.get(hall_id)
            since = day if before is not None and before[0] == day else day - LOOK_BACK
            now = context.clock.now()
            rows = await context.database.read(
                lambda tx: _unsealed(tx, signer, hall_id, since, now)  # noqa: B023 - awaited here
            )
            if rows:
                await context.database.write(lambda tx: chain_store.keep_heads(tx, rows))  # noqa: B023
            self._seen[hall_id] = (day, applied)


def _unsealed(tx: Tx, signer: Signer, hall: str, since: date, now: datetime) -> list[Row]:
    """The heads of a hall's days from `since` on that have calls which are not sealed."""
    return [
        row
        for day in day_store.days_of(tx, hall, since)
        for stream, spans in _streams(tx, hall, day).items()
        for row in _further(tx, signer, {"hall": hall, "day": day, "stream": stream, "sealed_at": now}, spans)
    ]


def _further(tx: Tx, signer: Signer, row: Row, spans: list[day_store.Span]) -> list[Row]:
    sealed = chain_store.head(tx, row["stream"], row["day"])
    start = sealed["head"] if sealed else begin(row["hall"], row["day"], row["stream"])
    made = _links(tx, spans, start, sealed)
    if not made:
        return []
    count = (sealed["count"] if sealed else 0) + len(made)
    head: Row = {**row, "n": made[-1].call.n, "count": count, "head": made[-1].head}
    return [{**head, "signature": signer.sign(head)}]


def _streams(tx: Tx, hall: str, day: date) -> dict[str, list[day_store.Span]]:
    found: dict[str, list[day_store.Span]] = {}
    for span in day_store.spans(tx, hall, day):
        found.setdefault(span.stream, []).append(span)
    return found


def _links(tx: Tx, spans: list[day_store.Span], before: str, sealed: Row | None = None) -> list[Link]:
    after = sealed["n"] if sealed else 0
    rows = [row for span in spans for row in chain_store.calls(tx, span, after)]
    return links(before, [call_of(n, read_fact(body, _UNKNOWN_TIME)) for n, body in rows])


async def chain_view(context: Context, hall: str, day: date | None = None) -> Row:
    """`{hall, day, key, streams: [{stream, head, count, sealed, entries}]}`, the calls in order.

    Raises UnknownHall.
    """
    found = await context.enrolled_hall(hall)
    queue = context.live.queue_of(found)
    day = day or queue.day or local_time(queue, context.clock.now()).date()
    chains = await context.database.read(lambda tx: _chains(tx, hall, day))
    key = Signer(context.phones.chain_seed).public
    return {"hall": hall, "day": day.isoformat(), "key": key, "streams": [_shown(*c) for c in chains]}


def _chains(tx: Tx, hall: str, day: date) -> list[tuple[str, str, list[Link], Row | None]]:
    return [
        (stream, start, _links(tx, spans, start), chain_store.head(tx, stream, day))
        for stream, spans in _streams(tx, hall, day).items()
        for start in [begin(hall, day, stream)]
    ]


def _shown(stream: str, start: str, made: list[Link], sealed: Row | None) -> Row:
    return {
        "stream": stream,
        "head": made[-1].head if made else start,
        "count": len(made),
        "sealed": _seal_shown(sealed),
        "entries": [{**asdict(x.call), "digest": x.digest, "hash": x.head} for x in made],
    }


def _seal_shown(sealed: Row | None) -> Row | None:
    if sealed is None:
        return None
    at = sealed["sealed_at"].isoformat()
    return {**{name: sealed[name] for name in ("n", "count", "head", "signature")}, "sealed_at": at}


async def proof_view(context: Context, token: str) -> Row:
    """`{label, hall, day, key, calls: [{stream, entry, before, after, head, sealed}]}` for the holder of a
    link: from `before`, the entry's digest and those of `after` the stream's head follows. Of others there
    are digests only. Raises UnknownTicket.
    """
    mine = await view(context, token)
    shown: Row = {"label": mine["label"], "hall": mine["hall"], "day": mine["day"]}
    shown["key"] = Signer(context.phones.chain_seed).public
    day = date.fromisoformat(mine["day"])
    chains = await context.database.read(lambda tx: _chains(tx, mine["hall"], day))
    calls = [
        {
            "stream": stream,
            "entry": asdict(x.call),
            "digest": x.digest,
            "before": x.before,
            "after": [y.digest for y in made[place + 1 :]],
            "head": made[-1].head,
            "sealed": _seal_shown(sealed),
        }
        for stream, _, made, sealed in chains
        for place, x in enumerate(made)
        if x.call.ticket == mine["ticket_id"]
    ]
    return {**shown, "calls": calls}


def verify(tx: Tx, signer: Signer, hall: str, day: date) -> tuple[list[str], list[str]]:
    """`(what is in order, what is not)`, each a sentence; a day without any sealed call is not in order."""
    fine: list[str] = []
    wrong: list[str] = []
    streams = _streams(tx, hall, day)
    heads = {head["stream"]: head for head in chain_store.heads(tx, hall, day)}
    for stream in sorted(streams.keys() | heads.keys()):
        head, spans = heads.get(stream), streams.get(stream, [])
        made = _links(tx, spans, begin(hall, day, stream))
        if head is None:
            if made:
                wrong.append(f"{stream}: {len(made)} calls, and none of them was ever sealed")
            continue
        trouble = _trouble(tx, signer, head, spans, made)
        if trouble:
            wrong.append(f"{stream}: {trouble}")
        else:
            later = len(made) - head["count"]
            fine.append(f"{stream}: {head['count']} sealed calls as they were, {later} newer ones")
    if not fine and not wrong:
        wrong.append(f"{hall}: no call of {day} is known")
    return fine, wrong


def _trouble(tx: Tx, signer: Signer, head: Row, spans: list[day_store.Span], made: list[Link]) -> str:
    if not signer.signed(head):
        return "the seal itself was changed, or made with another key"
    # The last span that began before the seal ends, for this, where the seal does.
    gaps = (chain_store.first_missing(tx, s, min(head["n"], (s.end or head["n"] + 1) - 1)) for s in spans)
    gone = next((n for n in gaps if n is not None), None)
    if gone is not None:
        return f"fact {gone} is missing"
    if len(made) < head["count"]:
        return f"{head['count']} calls were sealed, {len(made)} are left"
    sealed = made[head["count"] - 1]
    if sealed.head != head["head"] or sealed.call.n != head["n"]:
        return f"the first {head['count']} calls are not those that were sealed: changed, added or moved"
    return ""
