"""A controller without sockets: the real parts on a real database, with time and ids of the test's making."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from controller.metrics import Metrics
from controller.store import halls as hall_store
from controller.store import tables
from controller.store.database import Database
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.context import Context
from controller.use_cases.hub import Hub
from controller.use_cases.live import LiveHalls
from controller.use_cases.phones import PhoneBox
from controller.use_cases.ports import Arrived, Outgoing
from controller.use_cases.record import Recorder, Surroundings
from controller.use_cases.wishing import WishSender
from hall_core.clock import FixedClock
from hall_core.wire.envelope import Desired
from tests.controller.box import Box


@dataclass
class Ids:
    """Ids that rise: `prefix-0001`, …"""

    prefix: str
    count: int = 0

    def __call__(self) -> str:
        self.count += 1
        return f"{self.prefix}-{self.count:06d}"


@dataclass
class Centre:
    """One life of a controller; `again` is the next one on the same database."""

    url: str
    folder: Path
    clock: FixedClock
    ids: Ids = field(default_factory=lambda: Ids("id"))
    tokens: Ids = field(default_factory=lambda: Ids("token"))

    def __post_init__(self) -> None:
        self.database = Database.open(self.url)
        self.live = LiveHalls()
        self.database.read_now(self.live.load)
        self.metrics = Metrics()
        self.context = Context(
            database=self.database,
            live=self.live,
            answers=Answers(),
            hub=Hub(),
            sender=WishSender(self.clock),
            notices=Bell(),
            phones=PhoneBox.open(self.folder / "phone.key"),
            clock=self.clock,
            new_id=self.ids,
            new_token=self.tokens,
            public_url="http://centre.test",
            signature="滨江政务",
        )
        self.recorder = Recorder(
            self.database,
            self.live,
            Surroundings(
                clock=self.clock,
                answers=self.context.answers,
                hub=self.context.hub,
                sender=self.context.sender,
                notices=self.context.notices,
                metrics=self.metrics,
                new_id=self.ids,
                signature="滨江政务",
                site=Desired(rev=1, body={"phone_key": self.context.phones.public}),
                own_of=lambda hall: {"override_key": f"of {hall}"},
            ),
        )

    def again(self) -> "Centre":
        """Stop without a word and start anew."""
        self.close()
        return Centre(self.url, self.folder, self.clock, self.ids, self.tokens)

    def close(self) -> None:
        self.database.close()

    def enrol(self, hall: str = "haitang", agent: str | None = None) -> None:
        row = {"hall": hall, "agent": agent or hall, "name": hall, "level": "street", "parent": None}
        row["enrolled_at"] = self.clock.now()
        self.database.write_now(lambda tx: hall_store.enrol(tx, row))

    async def hear(self, *arrived: Arrived) -> list[Outgoing]:
        return await self.recorder.record(arrived)

    async def talk(self, box: Box, *first: Arrived) -> None:
        """Both sides speak until nothing is left to say."""
        said: Sequence[Arrived] = first
        while True:
            heard = await self.hear(*said) if said else []
            heard += await self.context.sender.due(self.database)
            said = [answer for message in heard for answer in box.hear(message)]
            if len(box.journal) > box.acked:
                said = [*said, box.facts()]
            if not said:
                return

    async def meet(self, box: Box) -> Box:
        """The box connects and gets what it needs."""
        await self.talk(box, box.state(), box.birth())
        return box

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, in the order of its key."""
        found = getattr(tables, table)
        query = select(found).order_by(*found.primary_key)
        return self.database.read_now(lambda tx: [dict(r) for r in tx.execute(query).mappings()])

    def one(self, table: str) -> dict[str, Any]:
        (row,) = self.rows(table)
        return row
