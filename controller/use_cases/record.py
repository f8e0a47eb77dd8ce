"""Messages of agents become rows: whatever has arrived is one transaction, acknowledged after COMMIT.

A message that cannot be applied changes nothing: it is noted, an alarm is raised, and the others of
its batch are applied without it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta

from controller.metrics import Metrics
from controller.store import appointments as appointment_store
from controller.store import facts as fact_store
from controller.store import halls as hall_store
from controller.store import tickets as ticket_store
from controller.store.database import STORAGE_DOWN, UNSTORABLE, Database, Tx
from controller.use_cases.answers import Answers
from controller.use_cases.apply_facts import FactIntake
from controller.use_cases.bell import Bell
from controller.use_cases.births import BirthAnswers, apply_birth, apply_state, heard_alive
from controller.use_cases.booking import expect_again
from controller.use_cases.draft import Draft
from controller.use_cases.granting import ensure_grants
from controller.use_cases.hub import Hub, News
from controller.use_cases.letters import Letter, Refusal, open_letters
from controller.use_cases.live import LiveHall, LiveHalls, local_time
from controller.use_cases.merging import admit, asked_with, request_of, superseded
from controller.use_cases.ports import Arrived, Outgoing, to_agent
from controller.use_cases.rating_rules import RatingRules
from controller.use_cases.replacing import take_over
from controller.use_cases.reports import apply_report, compare
from controller.use_cases.wishing import WishSender, wishes_acknowledged
from hall_core.clock import Clock
from hall_core.errors import WireError
from hall_core.queueing.queue import Queue
from hall_core.wire.damaged import unreadable
from hall_core.wire.envelope import Ack, AgentState, Birth, Desired, FactBatch, Report
from hall_core.wire.topics import Leaf

__all__ = ["Recorder", "Surroundings"]

logger = logging.getLogger(__name__)

#: how precisely the database knows when a hall was heard; memory knows it exactly
HEARD_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What recording tells afterwards, and what it needs besides the database."""

    clock: Clock
    answers: Answers
    hub: Hub
    sender: WishSender
    notices: Bell
    metrics: Metrics
    new_id: Callable[[], str]
    signature: str
    site: Desired
    rating_rules: RatingRules = field(default_factory=RatingRules)
    #: what stands in the site document of one hall only
    own_of: Callable[[str], dict[str, str]] = lambda _: {}


class Recorder:
    """The one writer of facts."""

    def __init__(self, database: Database, live: LiveHalls, around: Surroundings) -> None:
        self._database, self._live, self._around = database, live, around

    async def record(self, arrived: Sequence[Arrived]) -> list[Outgoing]:
        """Apply what can be applied; the messages to send are returned after COMMIT."""
        started = self._around.clock.monotonic()
        letters, refusals = open_letters(arrived, self._around.clock.now())
        outgoing: list[Outgoing] = []
        try:
            outgoing += await self._apply(letters)
        except STORAGE_DOWN:
            # Not acknowledged, so it comes again.
            logger.exception("database failed messages=%s", len(letters))
            return []
        except (WireError, *UNSTORABLE):
            # One of them is wrong: find out which, and let the others pass.
            for letter in letters:
                try:
                    outgoing += await self._apply([letter])
                except WireError as error:
                    refusals.append(Refusal.of(letter.arrived, letter.agent, str(error)))
                except UNSTORABLE as error:
                    if isinstance(letter.message, FactBatch):
                        outgoing += await self._one_by_one(letter, letter.message)
                        continue
                    kind = type(letter.message).__name__
                    why = f"{kind}: cannot be stored ({type(error).__name__})"
                    refusals.append(Refusal.of(letter.arrived, letter.agent, why))
        if refusals:
            await self._refuse(refusals)
        self._around.metrics.ingest_seconds.observe(self._around.clock.monotonic() - started)
        return outgoing

    async def _apply(self, letters: Sequence[Letter]) -> list[Outgoing]:
        if not letters:
            return []
        draft = await self._database.write(lambda tx: self._work(tx, letters))
        return self._committed(draft, letters)

    async def _one_by_one(self, letter: Letter, batch: FactBatch) -> list[Outgoing]:
        """One of these facts cannot be stored: it is set aside, and the hall's stream goes on."""
        outgoing: list[Outgoing] = []
        for n, fact in enumerate(batch.facts, start=batch.first):
            alone = replace(letter, message=batch.model_copy(update={"first": n, "facts": [fact]}))
            try:
                outgoing = await self._apply([alone])
            except UNSTORABLE as error:
                body = fact.model_dump_json(exclude_none=True)
                aside = unreadable(
                    body, f"cannot be stored ({type(error).__name__})", self._around.clock.now()
                )
                instead = batch.model_copy(update={"first": n, "facts": [aside]})
                outgoing = await self._apply([replace(letter, message=instead)])
        return outgoing  # the last acknowledgement counts for all

    def _work(self, tx: Tx, letters: Sequence[Letter]) -> Draft:
        """Everything of one transaction, except what only memory knows."""
        draft = Draft(tx, self._around.clock.now())
        told = BirthAnswers(self._around.sender, self._around.site, self._around.own_of, self._around.new_id)
        known = [(self._hall(tx, letter), letter) for letter in letters]
        for hall, letter in known:
            if isinstance(letter.message, Birth):
                apply_birth(draft, hall, letter.message, told)
        batches = [(hall, x.message) for hall, x in known if isinstance(x.message, FactBatch)]
        if batches:
            intake = FactIntake(draft, self._live, self._around.signature, self._around.rating_rules)
            intake.open(sorted({batch.stream for _, batch in batches}))
            for hall, batch in batches:
                intake.take(hall, batch)
            intake.apply()
        for hall, letter in known:
            self._other(draft, hall, letter)
        for hall in {id(hall): hall for hall, _ in known}.values():
            self._keep_going(draft, hall)
        self._hear(draft, known)
        return draft

    def _hall(self, tx: Tx, letter: Letter) -> LiveHall:
        hall = self._live.by_agent(letter.agent)
        if hall is None:
            row = hall_store.hall_of_agent(tx, letter.agent)
            if row is None:
                raise WireError(f"agent {letter.agent!r} is not enrolled")
            hall = self._live.refresh(row)
        return hall

    def _other(self, draft: Draft, hall: LiveHall, letter: Letter) -> None:
        message = letter.message
        if not (letter.arrived.retained or isinstance(message, AgentState)):
            heard_alive(draft, hall, getattr(message, "stream", None), self._around.sender)
        if isinstance(message, AgentState):
            apply_state(draft, hall, message)
        elif isinstance(message, Report):
            apply_report(draft, hall, message)
            compare(draft, self._live, hall, message)
        elif isinstance(message, Ack):
            wishes_acknowledged(draft, hall, message, self._around.sender)

    def _keep_going(self, draft: Draft, hall: LiveHall) -> None:
        """Renew grants whenever a hall is heard; the day is the hall's own."""
        moved = hall.incarnation is not None and draft.box(hall) != hall.incarnation
        before = self._live.queue_of(hall)
        # The box before tells the time zone; its day says nothing about the one that takes its place.
        queue = Queue() if moved else draft.queues.get(hall.stream or "") or self._live.queue_of(hall)
        today = local_time(before if moved else queue, draft.now).date()
        # Numbers are granted once the box has told its day, and not for one it made up.
        if queue.day is not None and not self._made_up(draft, hall, queue, today):
            # A box whose day runs ahead must be able to issue; its day never goes back.
            ensure_grants(draft, hall, max(today, queue.day), self._around.new_id)
        if moved:
            draft.end_alarm("clock-ahead", hall.hall, "")
            # A box that replaces another does not know the numbers given while nobody was there. It is
            # asked about those of earlier days too: its refusal ends them.
            outside = ticket_store.offline_waiting(draft.tx, hall.hall)
            for ticket in outside:
                # With a second copy of the journal it may know the number that the box before gave to this.
                same = request_of(draft.tx, ticket)
                admit(draft, hall, ticket, replaces=same, **asked_with(draft.tx, ticket))
            take_over(draft, hall, before, today, but=superseded(draft, outside))
            expect_again(draft, hall, appointment_store.booked_from(draft.tx, hall.hall, today))

    def _made_up(self, draft: Draft, hall: LiveHall, queue: Queue, today: date) -> bool:
        """True for the day of a new box that nobody has told the time, where it lies ahead of ours: it gets
        no numbers for it, and begins anew as soon as it knows better.
        """
        assert queue.day is not None
        ahead = queue.day > today + timedelta(days=1) and self._around.clock.trusted()
        if not ahead or queue.trusted_day is not None or queue.numbers:
            return False
        zh = f"新主控盒的时钟显示 {queue.day}，尚不取号；请校准其时钟，或设置 time_url 由中心授时"
        en = f"A new box shows {queue.day} and gives no numbers; put its clock right, or set its time_url"
        draft.raise_alarm("clock-ahead", hall.hall, "", zh, en)
        return True

    def _hear(self, draft: Draft, known: Sequence[tuple[LiveHall, Letter]]) -> None:
        heard = {hall.hall: hall for hall, letter in known if not letter.arrived.retained}
        old = draft.now - HEARD_EVERY
        late = [h.hall for h in heard.values() if h.last_seen is None or h.last_seen < old]
        hall_store.touch(draft.tx, late, draft.now)
        draft.heard |= set(heard)
        draft.halls |= set(late)

    def _committed(self, draft: Draft, letters: Sequence[Letter]) -> list[Outgoing]:
        """Memory follows the database, then everybody who waits is told."""
        around = self._around
        self._live.commit(draft.queues, draft.frozen)
        for change in draft.after:
            change()
        for hall_id in draft.heard:
            hall = self._live.by_id(hall_id)
            if hall is not None:
                hall.last_seen = draft.now
        around.answers.resolve(draft.answers)
        for agent in draft.woken:
            around.sender.wake(agent)
        if draft.notices:
            around.notices.ring()
        for hall_id in draft.halls:
            around.hub.tell(News("hall", hall_id))
        for alarm in draft.alarms:
            around.hub.tell(News("alarm", alarm["hall"], alarm))
        around.metrics.facts.inc(draft.facts)
        around.metrics.messages.inc(len(letters))
        acks = [
            to_agent(agent, Leaf.FACT_ACK, Ack(stream=stream, applied=applied))
            for stream, (agent, applied) in draft.positions.items()
        ]
        return acks + draft.outgoing

    async def _refuse(self, refusals: Sequence[Refusal]) -> None:
        """Note each message once, with an alarm and one line in the log."""
        self._around.metrics.quarantined.inc(len(refusals))

        def work(tx: Tx) -> Draft:
            draft = Draft(tx, self._around.clock.now())
            for refusal in refusals:
                if fact_store.quarantine(tx, asdict(refusal), draft.now):
                    logger.warning("message not applied agent=%s reason=%s", refusal.agent, refusal.reason)
                hall = self._live.by_agent(refusal.agent)
                zh, en = f"消息未被采用：{refusal.reason}", f"A message was not applied: {refusal.reason}"
                draft.raise_alarm("message-refused", hall.hall if hall else None, refusal.agent, zh, en)
            return draft

        try:
            draft = await self._database.write(work)
        except STORAGE_DOWN:
            # None of them was acknowledged: they come again, and are noted then.
            logger.exception("database failed refusals=%s", len(refusals))
            return
        for alarm in draft.alarms:
            self._around.hub.tell(News("alarm", alarm["hall"], alarm))
