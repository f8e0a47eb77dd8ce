"""The controller of a simulated world: its real parts on a real SQLite file, without sockets."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from sqlalchemy import Engine, Select, create_engine, select
from sqlalchemy.pool import QueuePool

from controller.app import _send_wishes
from controller.listener import BrokerSetup, Listener
from controller.metrics import Metrics
from controller.store import documents, tables
from controller.store import halls as hall_store
from controller.store.database import Database, _prepare_sqlite
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.bucket import Bucket
from controller.use_cases.context import Context
from controller.use_cases.hub import Hub
from controller.use_cases.live import LiveHalls
from controller.use_cases.phones import PhoneBox
from controller.use_cases.providers import Breaker, Provider
from controller.use_cases.record import Recorder, Surroundings
from controller.use_cases.send_notices import NoticeSender
from controller.use_cases.wishing import WishSender
from hall_core.queueing.setup import HallSetup
from hall_core.wire.envelope import Desired
from tests.simulation.box import Around
from tests.simulation.clock import SimClock
from tests.simulation.gateway import SimGateway
from tests.simulation.loop import Gone, Program
from tests.simulation.network import Line, SimClient, client_maker

T = TypeVar("T")

SIGNATURE = "滨江政务"


@cache
def _template() -> bytes:
    """An empty database with today's tables: migrating takes longer than a whole history."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        Database.open(f"sqlite:///{path}").close()
        return path.read_bytes()


@cache
def _everything(table: str) -> Select[Any]:
    """One statement per table: making it takes as long as running it."""
    found = getattr(tables, table)
    return select(found).order_by(*found.primary_key)


_NOTICE_STATES = select(tables.NOTICES.c.state).distinct()
_WHERE: list[Path] = []


@cache
def _engine() -> Engine:
    """One engine for all worlds of this process: statements are compiled once."""
    engine = create_engine(
        "sqlite://",
        poolclass=QueuePool,
        creator=lambda: sqlite3.connect(_WHERE[-1], check_same_thread=False),
    )
    _prepare_sqlite(engine, "simulated.db")
    return engine


class Centre:
    """`context` is there while the program runs."""

    def __init__(self, around: Around, clock: SimClock, folder: Path, rng: Random) -> None:
        self.clock, self.rng = clock, rng
        self.line = Line("centre")
        self.gateway = SimGateway(rng)
        self.context: Context | None = None
        self.program: Program | None = None
        self.listener: Listener | None = None
        self.closed = False
        self._around, self._folder = around, folder
        self._client: list[SimClient] = []
        self._database: Database | None = None
        folder.mkdir()
        (folder / "controller.db").write_bytes(_template())
        key = folder / "phone.key"
        key.write_bytes(rng.randbytes(32))
        key.chmod(0o600)
        self._phones = PhoneBox.open(key)
        _WHERE[:] = [folder / "controller.db"]
        _engine().dispose()

    @property
    def running(self) -> bool:
        return self.program is not None and self.program.alive

    def enrol(self, setup: HallSetup) -> None:
        """Make the hall known."""
        row = {"hall": setup.hall, "agent": setup.hall, "name": setup.name, "level": setup.level}
        row |= {"parent": None, "enrolled_at": self.clock.now()}
        self.database().write_now(lambda tx: hall_store.enrol(tx, row))

    def database(self) -> Database:
        """The database as it lies on the disk, also while the program is down."""
        return self._database or Database(_engine())

    def start(self) -> None:
        """The program begins."""
        if self.running or self.closed:
            return
        around = self._around
        program = self.program = Program("centre", around.loop)
        database = self._database = Database(_engine())
        live, metrics = LiveHalls(), Metrics()
        database.read_now(live.load)
        context = Context(
            database=database,
            live=live,
            answers=Answers(),
            hub=Hub(),
            sender=WishSender(self.clock),
            notices=Bell(),
            phones=self._phones,
            clock=self.clock,
            new_id=around.new_id,
            new_token=around.new_id,
            public_url="http://centre.test",
            signature=SIGNATURE,
        )
        surroundings = Surroundings(
            clock=self.clock,
            answers=context.answers,
            hub=context.hub,
            sender=context.sender,
            notices=context.notices,
            metrics=metrics,
            new_id=around.new_id,
            signature=SIGNATURE,
            site=Desired(rev=1, body={"phone_key": self._phones.public}),
        )
        listener = Listener(
            BrokerSetup("mqtt://127.0.0.1:1883", "5"),
            epoch=database.write_now(documents.next_epoch),
            record=Recorder(database, live, surroundings).record,
            lost=context.sender.forget_all,
            jitter=self.rng.random,
            client=client_maker(around.broker, self.line, program, self._client),
        )
        self.context, self.listener = context, listener
        around.say("start", "centre")
        bucket, breaker = Bucket(self.clock, per_s=20, burst=42), Breaker(self.clock)
        provider = Provider("sim", self.gateway, bucket, breaker)
        notices = NoticeSender(context, [provider], metrics, jitter=self.rng.random)
        main = program.spawn(self._main(context, listener, notices), "centre main")
        main.add_done_callback(lambda task: self._ended(program, task))

    async def _main(self, context: Context, listener: Listener, notices: NoticeSender) -> None:
        """As `controller.app` puts its parts together."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listener.run(), name="listener")
            tasks.create_task(_send_wishes(context, listener), name="wishes")
            tasks.create_task(notices.run(), name="notices")

    def _ended(self, program: Program, task: asyncio.Task[None]) -> None:
        if program.alive:
            error = None if task.cancelled() else task.exception()
            self._around.wrong("program", f"centre ended by itself: {error!r}")
            self.kill(power=False)
            self._around.loop.call_later(5.0, self.start)
        elif not task.cancelled():
            task.exception()

    def kill(self, *, power: bool) -> None:
        """SIGKILL, or the current fails. SQLite's last commit is on the disk, for it runs with FULL."""
        if self.program is None:
            return
        self.program.kill()
        if self._client:
            self._client[0].die(power=power)
        self._client.clear()
        self.program = self.context = self.listener = None
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            writer = self._database._writer
            if writer is not None:
                writer.close()
            self._database._threads.shutdown()
            self._database._engine = None  # a dead program's code must not write
            self._database = None
        _engine().dispose()

    async def ask(self, work: Callable[[Context], Coroutine[Any, Any, T]]) -> T:
        """One request to the controller. Raises Gone when it is down or dies over it."""
        if self.context is None or self.program is None:
            raise Gone
        return await self.program.call(work(self.context))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, in the order of its key."""
        query = _everything(table)
        return self.database().read_now(lambda tx: [dict(r) for r in tx.execute(query).mappings()])

    def notice_states(self) -> set[str]:
        """In which states there are notices."""
        return set(self.database().read_now(lambda tx: tx.execute(_NOTICE_STATES).scalars().all()))

    def now(self) -> datetime:
        return self.clock.now().astimezone(UTC)
