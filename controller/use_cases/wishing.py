"""Wishes to halls: numbered per incarnation of a box, stored first, repeated until acknowledged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from pydantic import TypeAdapter

from controller.store import wishes as wish_store
from controller.store.database import STORAGE_DOWN, Database, Tx
from controller.use_cases.bell import Bell
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.ports import Outgoing, to_agent
from hall_core.clock import Clock
from hall_core.errors import HallUnreachable, WireError
from hall_core.queueing.commands import Command, command_adapter
from hall_core.wire.envelope import BATCH, Ack, Birth, WishBatch
from hall_core.wire.stream import Sender, fitting
from hall_core.wire.topics import Leaf

__all__ = ["REQUEST_PREFIX", "WishSender", "join_stream", "wish", "wishes_acknowledged"]

#: how the controller's own request ids begin
REQUEST_PREFIX = "qh-"
#: wishes unacknowledged so long are sent again
RESEND_S = 5.0

_bodies: TypeAdapter[Command] = command_adapter


def wish(draft: Draft, hall: LiveHall, commands: Sequence[Command]) -> None:
    """Write wishes to the hall's present box. Raises HallUnreachable when it never had one."""
    box = draft.box(hall)
    stream = wish_store.newest_stream(draft.tx, hall.agent, box) if box else None
    if stream is None:
        raise HallUnreachable(hall=hall.hall)
    rows = [
        {
            "request_id": command.request_id,
            "kind": command.kind,
            "body": _bodies.dump_json(command, exclude_none=True).decode(),
        }
        for command in commands
    ]
    wish_store.add_wishes(draft.tx, stream["stream"], rows, draft.now)
    draft.woken.add(hall.agent)


def join_stream(draft: Draft, hall: LiveHall, birth: Birth, new_id: Callable[[], str]) -> tuple[str, int]:
    """The stream of wishes to this box and how far it has them.

    A box that tells of a stream or a position this database cannot continue gets a new stream with
    everything it has not acknowledged: then this controller, or the box, was restored from a copy.
    """
    tx = draft.tx
    newest = wish_store.newest_stream(tx, hall.agent, birth.incarnation)
    if newest is not None:
        same = birth.wish_stream == newest["stream"] and birth.wishes_applied <= newest["last"]
        if same:
            wish_store.acknowledge(tx, newest["stream"], birth.wishes_applied)
            return newest["stream"], birth.wishes_applied
        if birth.wish_stream is None and newest["acked"] == 0:
            return newest["stream"], 0
    fresh = new_id()
    row = {"stream": fresh, "agent": hall.agent, "hall": hall.hall, "incarnation": birth.incarnation}
    # Which is the newest must not depend on a clock that was put back.
    opened_at = max(draft.now, newest["opened_at"] + timedelta(microseconds=1)) if newest else draft.now
    wish_store.add_wish_stream(tx, {**row, "opened_at": opened_at})
    if newest is not None:
        wish_store.carry_over(tx, newest["stream"], fresh, draft.now)
    return fresh, 0


def wishes_acknowledged(draft: Draft, hall: LiveHall, ack: Ack, sender: "WishSender") -> None:
    """The box holds its wishes up to here. Raises WireError for a stream or a number that is not its own."""
    row = wish_store.wish_stream(draft.tx, ack.stream)
    if row is None or row["agent"] != hall.agent or ack.applied > row["last"]:
        raise WireError("Ack: not a position in this agent's wishes")
    if ack.applied > row["acked"]:
        wish_store.acknowledge(draft.tx, ack.stream, ack.applied)
    draft.after.append(lambda: sender.acknowledged(hall.agent, ack, row["last"]))


@dataclass(slots=True)
class _Line:
    """The way to one box while it is connected."""

    agent: str
    hall: str
    incarnation: str | None
    stream: str
    sender: Sender
    moved_at: float


@dataclass(slots=True)
class WishSender:
    """Sends what is stored from the acknowledged position, and again when nothing is acknowledged."""

    clock: Clock
    _lines: dict[str, _Line] = field(default_factory=dict)
    _hungry: set[str] = field(default_factory=set)
    bell: Bell = field(default_factory=Bell)

    def begin(self, hall: LiveHall, stream: str, applied: int) -> None:
        """The box has told how far it is."""
        sender = Sender(acked=applied, sent=applied)
        box, now = hall.incarnation, self.clock.monotonic()
        self._lines[hall.agent] = _Line(hall.agent, hall.hall, box, stream, sender, now)
        self.wake(hall.agent)

    def knows(self, agent: str) -> bool:
        """True when the box has told how far it is."""
        return agent in self._lines

    def acknowledged(self, agent: str, ack: Ack, last: int) -> None:
        """The box holds wishes up to here; `last` is where its stream ends."""
        line = self._lines.get(agent)
        if line is not None and line.stream == ack.stream and line.sender.acknowledge(ack.applied, last):
            line.moved_at = self.clock.monotonic()
            self.wake(agent)

    def wake(self, agent: str) -> None:
        """There may be something to send to this box."""
        if agent in self._lines:
            self._hungry.add(agent)
            self.bell.ring()

    def forget_all(self) -> None:
        """The broker is gone: boxes will tell anew how far they are."""
        self._lines.clear()
        self._hungry.clear()

    def unacknowledged(self) -> int:
        """How many wishes are under way."""
        return sum(line.sender.sent - line.sender.acked for line in self._lines.values())

    async def due(self, database: Database) -> list[Outgoing]:
        """The messages to send now. Raises STORAGE_DOWN; then they are due again."""
        now = self.clock.monotonic()
        for line in self._lines.values():
            if line.sender.sent > line.sender.acked and now - line.moved_at >= RESEND_S:
                line.sender.resend()
                line.moved_at = now
                self._hungry.add(line.agent)
        hungry, self._hungry = self._hungry, set()
        messages: list[Outgoing] = []
        try:
            for line in (self._lines[agent] for agent in sorted(hungry) if agent in self._lines):
                messages += await self._fill(database, line)
        except STORAGE_DOWN:
            self._hungry |= hungry
            raise
        return messages

    async def _fill(self, database: Database, line: _Line) -> list[Outgoing]:
        """Fill the line's window."""
        messages: list[Outgoing] = []
        while room := min(BATCH, line.sender.room()):
            rows = await database.read(partial(_unsent, line=line, room=room))
            if not rows:
                break
            rows = rows[: fitting(len(body) for _, body in rows)]
            if line.sender.sent == line.sender.acked:
                line.moved_at = self.clock.monotonic()
            wishes = [_bodies.validate_json(body) for _, body in rows]
            batch = WishBatch(
                hall=line.hall,
                incarnation=line.incarnation,
                stream=line.stream,
                first=rows[0][0],
                wishes=wishes,
            )
            messages.append(to_agent(line.agent, Leaf.WISHES, batch))
            line.sender.sent = rows[-1][0]
        return messages


def _unsent(tx: Tx, *, line: _Line, room: int) -> list[tuple[int, str]]:
    return wish_store.unsent(tx, line.stream, line.sender.sent, room)
