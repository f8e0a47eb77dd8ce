"""A hall's box as the controller meets it: the real rules decide, the messages are the real bytes."""

from datetime import datetime
from zoneinfo import ZoneInfo

from controller.use_cases.ports import Arrived, Outgoing
from hall_core.clock import Clock
from hall_core.errors import Refused
from hall_core.queueing import commands as c
from hall_core.queueing.decide import Circumstances, decide, refusal
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import CounterSetup, HallSetup, ServiceSetup
from hall_core.queueing.summary import state_hash
from hall_core.schedule.hours import Hours
from hall_core.wire.envelope import (
    Ack,
    AgentState,
    Birth,
    DeviceReport,
    FactBatch,
    Report,
    WishBatch,
    decode,
    encode,
)
from hall_core.wire.stream import fresh
from hall_core.wire.topics import Leaf, topic

ZONE = ZoneInfo("Asia/Shanghai")


def hall_setup(hall: str = "haitang") -> HallSetup:
    return HallSetup(
        hall=hall,
        name="海棠街道便民服务中心",
        level="street",
        hours=Hours.always(),
        # These halls are open whatever day the test is run on.
        holidays="none",
        services=(
            ServiceSetup(id="household", name="户籍业务", prefix="A"),
            ServiceSetup(id="tax", name="税务业务", prefix="B"),
        ),
        counters=(
            CounterSetup(id="1", name="1号窗口", services=("household", "tax")),
            CounterSetup(id="3", name="3号窗口", services=("household",)),
        ),
    )


class Box:
    """One incarnation of a box. `journal` is what it has committed, `acked` what it knows is stored."""

    def __init__(self, clock: Clock, hall: str = "haitang", agent: str = "haitang", life: str = "one"):
        self.clock, self.hall, self.agent = clock, hall, agent
        self.incarnation = self.stream = f"stream-{hall}-{life}"
        self.queue, self.journal = Queue(), list[Fact]()
        self.acked, self.boot = 0, 1
        self.wish_stream: str | None = None
        self.wishes_applied = 0
        self.desired: list[bytes] = []
        self.by_hall: frozenset[str] = frozenset()

    @property
    def now(self) -> datetime:
        return self.clock.now().astimezone(ZONE)

    def do(self, command: c.Command) -> list[Fact]:
        """Decide and commit, as the hall does."""
        around = Circumstances(self.now, self.incarnation, self.by_hall)
        facts = decide(self.queue, command, around)
        self.keep(facts)
        return facts

    def keep(self, facts: list[Fact]) -> None:
        self.queue = replay(self.queue, facts)
        self.journal += facts

    def open(self) -> "Box":
        """A configured hall on its day, without numbers yet."""
        self.do(c.ConfigureHall(setup=hall_setup(self.hall)))
        self.do(c.OpenBusinessDay(day=self.now.date()))
        return self

    def issue(self, name: str, **more: object) -> Fact:
        body = {"ticket_id": name, "token": f"token-{self.hall}-{name}", "service": "household", **more}
        return self.do(c.IssueTicket(**body))[-1]

    def call(self, counter: str = "1") -> Fact:
        return self.do(c.CallNext(counter=counter, finish_current=True))[-1]

    # what it says

    def birth(self, **changes: object) -> Arrived:
        body = {
            "agent": self.agent,
            "hall": self.hall,
            "name": "海棠街道便民服务中心",
            "level": "street",
            "incarnation": self.incarnation,
            "stream": self.stream,
            "last": len(self.journal),
            "wish_stream": self.wish_stream,
            "wishes_applied": self.wishes_applied,
            "version": "0.1.0",
            "boot": self.boot,
            **changes,
        }
        return Arrived(topic(self.agent, Leaf.BIRTH), encode(Birth.model_validate(body)))

    def state(self, state: str = "online", boot: int | None = None, *, retained: bool = False) -> Arrived:
        message = AgentState.model_validate({"state": state, "boot": boot or self.boot})
        return Arrived(topic(self.agent, Leaf.STATE), encode(message), retained)

    def facts(self, after: int | None = None, count: int = 100) -> Arrived:
        """The next facts from here on, by default from what is acknowledged."""
        first = (self.acked if after is None else after) + 1
        batch = FactBatch(
            hall=self.hall, stream=self.stream, first=first, facts=self.journal[first - 1 :][:count]
        )
        return Arrived(topic(self.agent, Leaf.FACTS), encode(batch))

    def report(self, *devices: DeviceReport, state: str | None = None) -> Arrived:
        message = Report(
            hall=self.hall,
            stream=self.stream,
            n=self.queue.applied,
            state_hash=state or state_hash(self.queue),
            devices=list(devices),
        )
        return Arrived(topic(self.agent, Leaf.REPORT), encode(message))

    # what it hears

    def hear(self, message: Outgoing) -> list[Arrived]:
        """Take a message of the controller; what the box says to it."""
        if message.topic == topic(self.agent, Leaf.FACT_ACK):
            ack = decode(Ack, message.payload)
            if ack.stream == self.stream:
                self.acked = ack.applied
        elif message.topic == topic(self.agent, Leaf.WISHES):
            return [self.apply(decode(WishBatch, message.payload))]
        elif message.topic.startswith(f"qh/1/{self.agent}/down/desired/"):
            self.desired.append(message.payload)
        return []

    def apply(self, batch: WishBatch) -> Arrived:
        """Wishes become facts or refusals; the acknowledgement is cumulative."""
        if batch.stream != self.wish_stream:
            self.wish_stream, self.wishes_applied = batch.stream, 0
        for wish in fresh(self.wishes_applied, batch.first, batch.wishes):
            self.wishes_applied += 1
            try:
                self.do(wish)
            except Refused as error:
                self.keep([refusal(wish, error, self.now)])
        ack = Ack(stream=batch.stream, applied=self.wishes_applied)
        return Arrived(topic(self.agent, Leaf.WISH_ACK), encode(ack))
