"""Generated histories of a whole hall: several counters, repeated and foreign requests, new days, new boxes."""

from collections import Counter as Tally
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hall_core.errors import NobodyWaiting, NoGrant, Refused, RequestIdReused, ZoneExhausted
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.decide import Circumstances, decide
from hall_core.queueing.evolve import evolve, replay
from hall_core.queueing.ordering import line_for
from hall_core.queueing.queue import Done, Queue, Ticket
from hall_core.queueing.setup import CounterSetup
from hall_core.queueing.states import CounterState, TicketState, after, counter_after
from hall_core.queueing.summary import state_hash
from tests.hall_core.hall_scene import BOX, MONDAY, at, grant, hall_setup

COUNTERS = st.sampled_from([*"123" * 4, "9"])
MINUTES = st.sampled_from([0, 0, 1, 2, 3, 5, 12])
SERVICES = st.sampled_from([*["social", "residence"] * 4, "fishing"])
PRIORITIES = st.sampled_from([None, None, None, "elder", "urgent", "mayor"])
IN_HAND = (TicketState.CALLED, TicketState.SERVING)
ASIDE = (TicketState.HELD, TicketState.NO_SHOW)


def callable_at(queue: Queue, counter: str) -> list[Ticket]:
    """Written a second time, from the words of the rule: who may be called here."""
    found = []
    for t in queue.tickets.values():
        wanted = queue.counters.get(t.for_counter or "")
        reserved = wanted is not None and wanted.state is not CounterState.CLOSED
        here = t.for_counter == counter
        may = here or (not reserved and t.service in queue.counters[counter].services)
        if t.state is TicketState.WAITING and may:
            found.append(t)
    return found


def quiet(machine: "HallMachine") -> bool:
    """Halls are changed seldom: between two changes some citizens and clerks act."""
    return machine.busy % 4 == 3


class HallMachine(RuleBasedStateMachine):
    """Every rule is a wish of somebody; every wish is checked against the model kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()
        self.shadow = Queue()  # the controller's copy: the same facts over the wire
        self.now = at(9)
        self.incarnation = BOX
        self.boxes = 1
        self.ids = 0
        self.facts: list[f.Fact] = []
        self.highest: dict[tuple, int] = {}
        self.labels: Tally = Tally()
        self.answers: dict[str, tuple[c.Command, Done]] = {}
        self.busy = 0  # wishes of citizens and clerks since somebody changed the hall

    @initialize()
    def hall_begins(self) -> None:
        self.wish(c.ConfigureHall(setup=hall_setup(goal_min=30)))
        self.wish(c.OpenBusinessDay(day=MONDAY))
        self.wish(grant())
        for counter in ("1", "2", "3"):
            self.wish(c.OpenCounter(counter=counter))
        for service in ("social", "residence", "social"):
            self.take_number(service)

    # ------------------------------------------------------------ the wish and what must be true of it

    def wish(self, command: c.Command) -> None:
        try:
            facts = decide(self.queue, command, Circumstances(self.now, self.incarnation))
        except Refused as refused:
            self.check_refused(command, refused)
            return
        if isinstance(command, c.CallNext) and command.request_id not in self.queue.requests:
            self.check_order(command.counter, facts)
        for fact in facts:
            self.check_fact(fact)
            self.queue = evolve(self.queue, fact)
        self.facts += facts
        over_the_wire = f.facts_adapter.validate_json(f.facts_adapter.dump_json(facts))
        self.shadow = replay(self.shadow, over_the_wire)
        if command.request_id is not None:
            self.answers[command.request_id] = (command, self.queue.requests[command.request_id])

    def check_refused(self, command: c.Command, refused: Refused) -> None:
        assert self.queue == self.shadow, "a refused wish changes nothing"
        assert refused.slug != Refused.slug
        assert "{" not in refused.sentence("zh") + refused.sentence("en")
        if isinstance(refused, NobodyWaiting):
            assert callable_at(self.queue, command.counter) == []

    def check_fact(self, fact: f.Fact) -> None:
        if isinstance(fact, f.TicketIssued):
            self.check_issued(fact)
        elif isinstance(fact, f.TicketFact):
            assert after(self.queue.tickets[fact.ticket_id].state, type(fact)) is not None
        elif isinstance(fact, f.CounterFact):
            assert counter_after(self.queue.counters[fact.counter].state, type(fact)) is not None

    def check_issued(self, fact: f.TicketIssued) -> None:
        self.labels[(fact.day, fact.label)] += 1
        assert self.labels[(fact.day, fact.label)] == 1, "a label was given twice on one day"
        zone, place = divmod(fact.number, 1000)
        assert 1 <= place <= 999
        assert any(
            g.zone == zone
            and g.incarnation == self.incarnation
            and g.line in ("*", fact.line)
            and g.first_day <= fact.day <= g.last_day
            for g in self.queue.grants
        ), "the number lies in no grant of this box"
        key = (fact.day, fact.line, zone)
        assert fact.number > self.highest.get(key, 0), "numbers rise within a zone"
        self.highest[key] = fact.number
        assert fact.label == f"{fact.line}{fact.number:03d}"

    def check_order(self, counter: str, facts: list[f.Fact]) -> None:
        called = [x for x in facts if isinstance(x, f.TicketCalled)]
        # Who has just finished here and goes on to another service may be the next one at once.
        queue = replay(self.queue, [x for x in facts if x not in called])
        candidates = callable_at(queue, counter)
        assert bool(called) == bool(candidates)
        if not called:
            return
        chosen = queue.tickets[called[0].ticket_id]
        assert chosen in candidates
        goal = timedelta(minutes=self.queue.setup.goal_min)
        since = {t.ticket_id: max(t.issued_at, t.effective_at) for t in candidates}
        overdue = [t for t in candidates if self.now - since[t.ticket_id] >= goal]
        if overdue:
            longest = min(since[t.ticket_id] for t in overdue)
            assert since[chosen.ticket_id] == longest, "whoever is past the goal goes next"
        else:
            assert chosen.effective_at == min(t.effective_at for t in candidates)
            same = [t for t in candidates if t.service == chosen.service]
            assert all(t.effective_at >= chosen.effective_at for t in same), "first come, first served"
        assert line_for(queue, counter, self.now)[0] == chosen

    # ------------------------------------------------------------ who wishes

    def request_id(self) -> str:
        self.ids += 1
        return f"request-{self.ids}"

    def common(self) -> dict[str, str]:
        request_id = self.request_id()
        return {"request_id": request_id, "fingerprint": f"body of {request_id}"}

    def some_ticket(self, data: st.DataObject) -> str | None:
        """Nothing (the one in hand), a ticket's id, today's label, or a name nobody bears."""
        names = [*self.queue.tickets, *self.queue.labels]
        return data.draw(st.sampled_from([*[None] * 2 * (1 + len(names)), *names, "A9999"]))

    def take_number(self, service: str, priority: str | None = None) -> None:
        common = self.common()
        name = common["request_id"]
        before = len(self.queue.tickets)
        self.wish(
            c.IssueTicket(ticket_id=f"t-{name}", token=name, service=service, priority=priority, **common)
        )
        assert len(self.queue.tickets) == before + (name in self.queue.requests)

    @rule(services=st.lists(SERVICES, min_size=1, max_size=4), priority=PRIORITIES, minutes=MINUTES)
    def citizens_take_numbers(self, services: list[str], priority: str | None, minutes: int) -> None:
        for service in services:
            self.now += timedelta(minutes=minutes)
            self.take_number(service, priority)
        self.busy += 1

    @rule(services=st.permutations(["social", "residence"]), priority=PRIORITIES)
    def somebody_comes_for_two_services(self, services: list[str], priority: str | None) -> None:
        common = self.common()
        name = common["request_id"]
        first, *more = services
        about = {"service": first, "more_services": more, "priority": priority}
        self.wish(c.IssueTicket(ticket_id=f"t-{name}", token=name, **about, **common))
        self.busy += 1

    @rule(counter=COUNTERS, finish=st.booleans(), minutes=MINUTES)
    def clerk_calls_the_next(self, counter: str, finish: bool, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.busy += 1
        self.wish(c.CallNext(counter=counter, finish_current=finish, **self.common()))

    @rule(
        counter=COUNTERS,
        minutes=MINUTES,
        then=st.sampled_from([c.NoShow, c.Hold, c.Return, c.Start, c.Recall]),
    )
    def clerk_goes_on_with_whom_she_called(self, counter: str, minutes: int, then: type) -> None:
        self.wish(c.CallNext(counter=counter, **self.common()))
        self.wish(then(counter=counter, **self.common()))
        self.now += timedelta(minutes=minutes)
        if then is c.Start:
            self.wish(c.Finish(counter=counter, **self.common()))

    @rule(
        counter=COUNTERS,
        kind=st.sampled_from([c.Start, c.Finish, c.NoShow, c.Recall, c.Hold]),
        data=st.data(),
    )
    def clerk_names_a_ticket(self, counter: str, kind: type, data: st.DataObject) -> None:
        self.wish(kind(counter=counter, ticket=self.some_ticket(data), **self.common()))

    @rule(counter=COUNTERS, kind=st.sampled_from([c.Return, c.Call]), data=st.data())
    def clerk_takes_a_ticket_back(self, counter: str, kind: type, data: st.DataObject) -> None:
        aside = [t.label for t in self.queue.tickets.values() if t.state in ASIDE]
        ticket = data.draw(st.sampled_from(aside)) if aside else self.some_ticket(data)
        self.wish(kind(counter=counter, ticket=ticket, **self.common()))

    @rule(counter=COUNTERS, to=COUNTERS, service=SERVICES, to_counter=st.booleans(), data=st.data())
    def clerk_sends_a_ticket_on(
        self, counter: str, to: str, service: str, to_counter: bool, data: st.DataObject
    ) -> None:
        where = {"to_counter": to} if to_counter else {"to_service": service}
        self.wish(c.Transfer(counter=counter, ticket=self.some_ticket(data), **where, **self.common()))

    @rule(service=SERVICES, minutes=st.integers(-30, 60), come=st.booleans(), days=st.sampled_from([0, 0, 1]))
    def somebody_books(self, service: str, minutes: int, come: bool, days: int) -> None:
        starts_at = self.now + timedelta(minutes=minutes, days=days)
        common = self.common()
        name, code = common["request_id"], f"{self.ids:06d}"
        times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
        self.wish(
            c.BookAppointment(
                appointment_id=f"a-{name}", token=name, code=code, service=service, **times, **common
            )
        )
        if come:
            issue = {"ticket_id": f"t-{name}", "token": f"kiosk-{name}"}
            self.wish(c.IssueTicket(appointment=code, **issue, **self.common()))

    @rule(data=st.data())
    def somebody_lets_others_pass(self, data: st.DataObject) -> None:
        self.wish(c.PostponeTicket(ticket=self.some_ticket(data) or "A001", **self.common()))

    @rule(counter=st.one_of(st.none(), COUNTERS), data=st.data())
    def a_ticket_is_cancelled(self, counter: str | None, data: st.DataObject) -> None:
        self.wish(c.CancelTicket(counter=counter, ticket=self.some_ticket(data), **self.common()))

    @precondition(quiet)
    @rule(
        counter=COUNTERS,
        kind=st.sampled_from([c.OpenCounter, c.PauseCounter, c.ResumeCounter, c.CloseCounter]),
    )
    def clerk_turns_the_counter(self, counter: str, kind: type) -> None:
        self.wish(kind(counter=counter, **self.common()))

    @rule()
    def lunch_time_passes(self) -> None:
        self.now += timedelta(minutes=31)

    @precondition(quiet)
    @rule(days=st.sampled_from([-1, 0, 1, 1, 3]))
    def a_day_begins(self, days: int) -> None:
        before = self.queue.day
        waiting = [t for t in self.queue.tickets.values() if t.state is TicketState.WAITING]
        self.wish(c.OpenBusinessDay(day=before + timedelta(days=days)))
        assert self.queue.day == before + timedelta(days=max(0, days)), "a business day never goes back"
        if days > 0:
            self.now += timedelta(days=days)
            assert all(t.ticket_id not in self.queue.tickets for t in waiting), "who waited has lapsed"
            kept_from = self.queue.day - timedelta(days=1)
            self.answers = {i: a for i, a in self.answers.items() if a[1].day >= kept_from}

    @precondition(quiet)
    @rule(zone=st.integers(0, 3), line=st.sampled_from(["*", "A", "B"]), days=st.integers(-1, 20))
    def controller_grants(self, zone: int, line: str, days: int) -> None:
        first = self.queue.day
        names = {"grant_id": f"g-{self.incarnation}-{zone}-{line}", "line": line}
        zone += 4 * (self.boxes - 1)  # the controller never grants one zone to two boxes
        wish = grant(zone, self.incarnation, first_day=first, last_day=first + timedelta(days=days), **names)
        self.wish(wish.model_copy(update=self.common()))

    @precondition(lambda self: quiet(self) and self.boxes < 3)
    @rule(granted=st.booleans())
    def the_box_is_replaced(self, granted: bool) -> None:
        self.boxes += 1
        self.incarnation = f"box-{self.boxes}"
        if granted:
            self.wish(grant(4 * (self.boxes - 1), self.incarnation, first_day=self.queue.day))

    @precondition(quiet)
    @rule(goal=st.sampled_from([25, 30, 45]), both=st.booleans())
    def manager_changes_the_hall(self, goal: int, both: bool) -> None:
        counters = (
            CounterSetup(id="1", name="1号窗口", services=("social", "residence") if both else ("social",)),
            *hall_setup().counters[1:],
        )
        self.wish(c.ConfigureHall(setup=hall_setup(goal_min=goal, counters=counters), **self.common()))

    @precondition(quiet)
    @rule()
    def somebody_elses_set_up_comes(self) -> None:
        before = self.queue
        self.wish(c.ConfigureHall(setup=hall_setup(hall="hall-2")))
        assert self.queue is before

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def a_request_comes_again(self, data: st.DataObject) -> None:
        command, answer = self.answers[data.draw(st.sampled_from(sorted(self.answers)))]
        before = self.queue
        self.wish(command)
        assert self.queue is before, "the same request again changes nothing"
        assert self.queue.requests[command.request_id] == answer

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def another_request_bears_a_used_id(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.answers)))
        other = c.CallNext(counter="1", request_id=name, fingerprint="another body")
        try:
            decide(self.queue, other, Circumstances(self.now, self.incarnation))
        except RequestIdReused:
            assert self.queue == self.shadow
        else:
            raise AssertionError("a used id must be refused for another body")

    @rule()
    def a_box_without_a_grant_gives_no_number(self) -> None:
        wish = c.IssueTicket(ticket_id="t-stranger", token="-", service="social")
        try:
            decide(self.queue, wish, Circumstances(self.now, "box-99"))
        except (NoGrant, ZoneExhausted):
            assert self.queue == self.shadow
        else:
            raise AssertionError("a box without a grant gave a number")

    # ------------------------------------------------------------ what is always true

    @invariant()
    def both_sides_have_the_same_picture(self) -> None:
        assert self.shadow == self.queue
        assert replay(Queue(), self.facts) == self.queue
        assert state_hash(self.shadow) == state_hash(self.queue)
        assert self.queue.applied == len(self.facts)

    @invariant()
    def counters_and_tickets_point_at_each_other(self) -> None:
        for counter in self.queue.counters.values():
            if counter.ticket_id is None:
                continue
            ticket = self.queue.tickets[counter.ticket_id]
            assert ticket.state in IN_HAND
            assert ticket.counter == counter.counter
            assert counter.state is CounterState.OPEN, "only an open counter has a ticket in hand"
        for ticket in self.queue.tickets.values():
            if ticket.state in IN_HAND:
                assert self.queue.counters[ticket.counter].ticket_id == ticket.ticket_id

    @invariant()
    def todays_labels_name_todays_tickets(self) -> None:
        for label, ticket_id in self.queue.labels.items():
            ticket = self.queue.tickets[ticket_id]
            assert (ticket.label, ticket.day) == (label, self.queue.day)
            assert self.queue.find(label) is ticket

    @invariant()
    def the_board_shows_each_ticket_once(self) -> None:
        shown = [call.ticket_id for call in self.queue.calls]
        assert len(shown) == len(set(shown)) <= 10
        assert (
            all(t.ticket_id in shown for t in self.queue.tickets.values() if t.state is TicketState.CALLED)
            or len(shown) == 10
        )


TestHallMachine = HallMachine.TestCase
TestHallMachine.settings = settings(max_examples=150, stateful_step_count=50)
