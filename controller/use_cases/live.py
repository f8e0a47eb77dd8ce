"""What the controller knows of its halls right now: rows of the database, and each queue in memory.

A queue is rebuilt from the last snapshot and the facts after it whenever memory and cursor differ:
after a start, or when another controller on the same database was faster.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter

from controller.store import facts as fact_store
from controller.store import halls as hall_store
from controller.store.database import Tx
from controller.use_cases.following import follow
from hall_core.queueing.queue import Queue
from hall_core.queueing.summary import state_hash
from hall_core.wire.damaged import read_fact

__all__ = ["LiveHall", "LiveHalls", "Rebuilt", "freeze", "local_time", "rebuild"]

DEFAULT_ZONE = "Asia/Shanghai"
#: for facts that cannot even say when they happened
_UNKNOWN_TIME = datetime.fromtimestamp(0, UTC)

_queue_adapter: TypeAdapter[Queue] = TypeAdapter(Queue)


@dataclass(slots=True)
class LiveHall:
    """One hall now. `last` is the highest fact its box has told of; `reported` the last state hash and
    the fact it belongs to; `granted` the days on which the present box certainly holds numbers;
    `replayed_at` when its picture was last told anew, because the hall's was another.
    """

    hall: str
    agent: str
    name: str
    level: str
    parent: str | None
    incarnation: str | None = None
    stream: str | None = None
    boot: int = 0
    version: str = ""
    online: bool = False
    last_seen: datetime | None = None
    last: int = 0
    devices: list[dict[str, Any]] = field(default_factory=list)
    reported: tuple[int, str] | None = None
    granted: tuple[date, date] | None = None
    replayed_at: datetime | None = None
    _hash: tuple[Queue, str] | None = None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "LiveHall":
        """From the hall's row."""
        names = ("hall", "agent", "name", "level", "parent", "incarnation", "stream", "boot", "version")
        return cls(**{name: row[name] for name in names}, last_seen=row["last_seen"])

    def hash_of(self, queue: Queue) -> str:
        """The queue's state hash, worked out once per queue."""
        if self._hash is None or self._hash[0] is not queue:
            self._hash = (queue, state_hash(queue))
        return self._hash[1]


class LiveHalls:
    """All halls by id and by agent, all queues by stream."""

    def __init__(self) -> None:
        self._halls: dict[str, LiveHall] = {}
        self._agents: dict[str, LiveHall] = {}
        self._queues: dict[str, Queue] = {}
        self._frozen: dict[str, int] = {}
        self._told: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[LiveHall]:
        return iter(sorted(self._halls.values(), key=lambda hall: hall.hall))

    def put(self, hall: LiveHall) -> None:
        """Know this hall from now on."""
        known = self._halls.get(hall.hall)
        if known is not None:
            self._agents.pop(known.agent, None)
        self._halls[hall.hall] = hall
        self._agents[hall.agent] = hall

    def by_id(self, hall: str) -> LiveHall | None:
        """The hall with this id."""
        return self._halls.get(hall)

    def by_agent(self, agent: str) -> LiveHall | None:
        """The hall this agent serves."""
        return self._agents.get(agent)

    def queue(self, stream: str | None) -> Queue:
        """A stream's queue as last committed; an empty one for none."""
        return self._queues.get(stream or "", Queue())

    def queue_of(self, hall: LiveHall) -> Queue:
        """The queue of the hall's present box."""
        return self.queue(hall.stream)

    def frozen_at(self, stream: str) -> int:
        """The fact the stream's last snapshot was taken after."""
        return self._frozen.get(stream, 0)

    def commit(self, queues: dict[str, Queue], frozen: dict[str, int]) -> None:
        """These queues are what the database now holds, and these snapshots."""
        self._queues.update(queues)
        self._frozen.update(frozen)

    def told(self, stream: str) -> set[str]:
        """Tickets of the day that were told they are nearly next."""
        return self._told.get(stream, set())

    def tell(self, stream: str, tickets: set[str], *, forget: bool) -> None:
        """These have been told too; `forget` those of the day before."""
        kept = set() if forget else self.told(stream)
        self._told[stream] = kept | tickets

    def load(self, tx: Tx) -> None:
        """Read all halls, and the queue of each."""
        devices = hall_store.all_devices(tx)
        for row in hall_store.all_halls(tx):
            self.refresh(row, devices.get(row["hall"], []))
            if row["stream"]:
                rebuilt = rebuild(tx, row["stream"])
                self.commit({row["stream"]: rebuilt.queue}, {row["stream"]: rebuilt.frozen_at})

    def refresh(self, row: dict[str, Any], devices: Iterable[dict[str, Any]] = ()) -> LiveHall:
        """Take over what an administrator changed; what only memory knows of the hall stays."""
        known = self._halls.get(row["hall"])
        if known is None:
            known = LiveHall.of(row)
            known.devices = list(devices)
        else:
            self._agents.pop(known.agent, None)
            known.agent, known.name, known.level = row["agent"], row["name"], row["level"]
            known.parent = row["parent"]
        self.put(known)
        return known


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A queue from storage, and the fact its snapshot was taken after."""

    queue: Queue
    frozen_at: int


def rebuild(tx: Tx, stream: str, *, from_first: bool = False) -> Rebuilt:
    """The queue of a stream from what is stored; `from_first` believes no snapshot, only the facts."""
    n, queue = (0, Queue()) if from_first else _thaw(fact_store.snapshot(tx, stream))
    bodies = fact_store.bodies_after(tx, stream, n)
    row = fact_store.stream_row(tx, stream)
    facts = [read_fact(body, _UNKNOWN_TIME) for body in bodies]
    return Rebuilt(follow(queue, facts, row["hall"] if row else "", _UNKNOWN_TIME)[0], n)


def _thaw(kept: tuple[int, str] | None) -> tuple[int, Queue]:
    shape, _, body = kept[1].partition("\n") if kept else ("", "", "")
    if kept is None or shape != _shape():
        # None yet, or another version's: the facts themselves are always readable.
        return 0, Queue()
    return kept[0], _queue_adapter.validate_json(body)


def freeze(queue: Queue) -> str:
    """The queue as a snapshot's text, headed by what it was made of."""
    return _shape() + "\n" + _queue_adapter.dump_json(queue, exclude_defaults=True).decode()


@cache
def _shape() -> str:
    """A digest of what a queue consists of: another version's snapshot must not be half understood."""
    schema = json.dumps(_queue_adapter.json_schema(), sort_keys=True)
    return f"{version('quiethall')} {hashlib.sha256(schema.encode()).hexdigest()[:16]}"


def local_time(queue: Queue, now: datetime) -> datetime:
    """`now` on the hall's own clock face."""
    name = queue.setup.tz if queue.setup else DEFAULT_ZONE
    try:
        return now.astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError):
        return now.astimezone(UTC)
