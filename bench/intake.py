"""The controller's own way in, without a broker: bytes of a message -> decode -> one transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import func, select
from ulid import ULID

from bench.days import FactMessage, HallDay
from controller.metrics import Metrics
from controller.store import halls as hall_store
from controller.store.database import Database, Tx
from controller.store.tables import FACTS
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.hub import Hub
from controller.use_cases.live import LiveHalls
from controller.use_cases.ports import Arrived
from controller.use_cases.record import Recorder, Surroundings
from controller.use_cases.wishing import WishSender
from hall_core.clock import SystemClock
from hall_core.wire.envelope import Ack, Desired, decode, encode
from hall_core.wire.topics import Leaf, topic

__all__ = ["Intake", "opened_intake"]


class Intake:
    """Takes messages one by one and notes what was acknowledged."""

    def __init__(self, database: Database, recorder: Recorder) -> None:
        self._database, self._recorder = database, recorder
        self._acknowledged: dict[str, int] = {}

    async def born(self, day: HallDay) -> None:
        """Its box connects."""
        hall = day.setup.hall
        await self._recorder.record([Arrived(topic(hall, Leaf.BIRTH), encode(day.birth()))])

    async def take(self, message: FactMessage) -> None:
        """One message, decoded and stored in one transaction."""
        arrived = Arrived(topic(message.agent, Leaf.FACTS), message.payload)
        for outgoing in await self._recorder.record([arrived]):
            if outgoing.topic.endswith(Leaf.FACT_ACK):
                self._acknowledged[message.agent] = decode(Ack, outgoing.payload).applied

    async def wrong(self, days: Sequence[HallDay]) -> list[str]:
        """Sentences about facts that are not there, or not once."""

        def count(tx: Tx) -> dict[str, int]:
            query = select(FACTS.c.hall, func.count()).group_by(FACTS.c.hall)
            return {row[0]: int(row[1]) for row in tx.execute(query)}

        stored = await self._database.read(count)
        wrong = []
        for day in days:
            hall, sent = day.setup.hall, len(day.bodies)
            if not stored.get(hall) == self._acknowledged.get(hall) == sent:
                told = f"{self._acknowledged.get(hall)} acknowledged, {stored.get(hall)} stored"
                wrong.append(f"{hall}: {sent} facts sent, {told}")
        return wrong


@asynccontextmanager
async def opened_intake(url: str, days: Sequence[HallDay]) -> AsyncIterator[Intake]:
    """A new controller database in which the halls are enrolled and born."""
    clock = SystemClock()
    database = Database.open(url)
    try:
        for day in days:
            hall = day.setup
            row: dict[str, Any] = {
                "hall": hall.hall,
                "agent": hall.hall,
                "name": hall.name,
                "level": hall.level,
            }
            row |= {"parent": None, "enrolled_at": clock.now()}
            await database.write(partial(hall_store.enrol, row=row))
        live = LiveHalls()
        await database.read(live.load)
        around = Surroundings(
            clock=clock,
            answers=Answers(),
            hub=Hub(),
            sender=WishSender(clock),
            notices=Bell(),
            metrics=Metrics(),
            new_id=lambda: str(ULID()),
            signature="Quiethall",
            site=Desired(rev=1, body={}),
        )
        intake = Intake(database, Recorder(database, live, around))
        for day in days:
            await intake.born(day)
        yield intake
    finally:
        database.close()
