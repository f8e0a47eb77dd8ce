"""A hall's day as messages on the wire, made by the hall's own rules."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bench.programs import hall_setup
from edge_agent.sealing import seal_phone
from hall_core.clock import FixedClock, SystemClock
from hall_core.queueing import commands as c
from hall_core.queueing.decide import Circumstances, decide
from hall_core.queueing.evolve import replay
from hall_core.queueing.facts import Fact
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import HallSetup
from hall_core.wire.envelope import BATCH, Birth

__all__ = ["FactMessage", "HallDay"]

COUNTERS, SERVICES = 5, 3
#: everyone so many leaves a phone number
PHONE_EVERY = 5


@dataclass(frozen=True, slots=True)
class FactMessage:
    """Facts `first`, `first + 1`, … of one agent, and the bytes they travel as."""

    agent: str
    first: int
    bodies: list[str]
    payload: bytes


@dataclass(slots=True)
class HallDay:
    """One hall and its day: `bodies` are the facts as they lie in the journal, in order."""

    setup: HallSetup
    stream: str
    bodies: list[str]

    @classmethod
    def lived(cls, number: int, facts: int) -> "HallDay":
        """About this many facts: people come, are called, served and leave; every fifth with a phone."""
        setup = hall_setup(hall=f"hall-{number:03d}", counters=COUNTERS, services=SERVICES)
        stream = f"01KB{number:022d}"
        life = _Life(setup, stream)
        happened: list[str] = []
        for fact in life.facts():
            happened.append(fact.model_dump_json(exclude_none=True))
            if len(happened) >= facts:
                break
        return cls(setup, stream, happened)

    def birth(self) -> Birth:
        """What its box says when it connects."""
        hall = self.setup
        box = {"incarnation": self.stream, "stream": self.stream, "version": "bench", "boot": 1}
        return Birth(
            agent=hall.hall, hall=hall.hall, name=hall.name, level=hall.level, last=len(self.bodies), **box
        )

    def messages(self) -> Iterator[FactMessage]:
        """The facts in full messages, packed as the agent packs them: as they lie in the journal."""
        hall = self.setup.hall
        for start in range(0, len(self.bodies), BATCH):
            bodies = self.bodies[start : start + BATCH]
            head = f'{{"v":1,"hall":"{hall}","stream":"{self.stream}","first":{start + 1},"facts":['
            yield FactMessage(hall, start + 1, bodies, (head + ",".join(bodies) + "]}").encode())


class _Life:
    def __init__(self, setup: HallSetup, stream: str) -> None:
        self._setup, self._stream = setup, stream
        self._clock = FixedClock(SystemClock().now())
        self._queue = Queue()
        self._key = b64encode(X25519PrivateKey.generate().public_key().public_bytes_raw()).decode()

    def facts(self) -> Iterator[Fact]:
        """The day opens, then for ever: one more comes, the next one is called."""
        day = self._clock.now().date()
        until = day + timedelta(days=14)
        yield from self._do(c.ConfigureHall(setup=self._setup))
        yield from self._do(c.OpenBusinessDay(day=day))
        box = {"grant_id": f"g-{self._stream}", "incarnation": self._stream, "zone": 0}
        yield from self._do(c.GrantZone(**box, first_day=day, last_day=until))
        for n in range(COUNTERS):
            yield from self._do(c.OpenCounter(counter=str(n + 1), request_id=f"open-{n}", clerk="bench"))
        n = 0
        while True:
            n += 1
            self._clock.advance(20)
            yield from self._do(self._ticket(n))
            if n > 2 * COUNTERS:
                call = {"counter": str(n % COUNTERS + 1), "request_id": f"call-{n}", "fingerprint": "0" * 16}
                yield from self._do(c.CallNext(**call, finish_current=True))

    def _ticket(self, n: int) -> c.IssueTicket:
        ticket_id = sha256(f"{self._stream}{n}".encode()).hexdigest()[:26].upper()
        sealed, tail = None, None
        if n % PHONE_EVERY == 0:
            phone = f"13{n:09d}"
            tail = phone[-2:]
            sealed = seal_phone(
                phone, ticket_id=ticket_id, controller_key=self._key, nonce=n.to_bytes(12, "big")
            )
        return c.IssueTicket(
            request_id=f"take-{n}",
            fingerprint=f"{n:016x}",
            ticket_id=ticket_id,
            token=sha256(ticket_id.encode()).hexdigest()[:22],
            service=self._setup.services[n % SERVICES].id,
            channel="kiosk",
            phone_sealed=sealed,
            phone_tail=tail,
        )

    def _do(self, command: c.Command) -> list[Fact]:
        facts = decide(self._queue, command, Circumstances(self._clock.now(), self._stream))
        self._queue = replay(self._queue, facts)
        return facts
