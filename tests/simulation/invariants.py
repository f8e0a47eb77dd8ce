"""The promises, each as a check of what the boxes told, what the controller holds, what people were shown."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from controller.use_cases.live import rebuild
from hall_core.queueing import facts as f
from hall_core.queueing.numbering import OFFLINE_LINE, ZONE_SIZE
from hall_core.queueing.states import OPEN_STATES, TicketState, after
from hall_core.queueing.summary import state_hash
from simulators.checkers import total_queue, unique_ids
from tests.simulation.box import Life

if TYPE_CHECKING:
    from tests.simulation.world import World

#: a hall looks at the clock every 15 s
LOOKS_AT_THE_CLOCK = timedelta(seconds=20)
#: what is seen while a history goes on, by the world, its boxes and its people
WATCHED = ("I7", "I11", "current", "durable", "program")
OPEN = {state.value for state in OPEN_STATES}


def check(world: "World") -> None:
    """Every promise; what is broken is told to the world."""
    for code, checker in CHECKERS.items():
        for text in checker(world):
            world.wrong(code, text)


def _issued(world: "World") -> Iterator[tuple[Life, f.TicketIssued]]:
    """Every number where it was given; a box that takes a ticket over gives none."""
    seen: set[str] = set()
    for life in world.lives.values():
        unheard = [f.fact_adapter.validate_json(body) for body in life.unheard]
        mine = [fact for fact in (*life.facts, *unheard) if isinstance(fact, f.TicketIssued)]
        for fact in mine:
            if fact.ticket_id not in seen:
                yield life, fact
        seen.update(fact.ticket_id for fact in mine)


def no_label_for_two_people(world: "World") -> Iterator[str]:
    """I1. A label of a day stands for one ticket, whichever box or the controller gave it."""
    holders: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for _, fact in _issued(world):
        holders[fact.day.isoformat(), fact.label][fact.ticket_id] = None
    for row in world.centre.rows("TICKETS"):
        holders[row["day"].isoformat(), row["label"]][row["ticket_id"]] = None
    for (day, label), tickets in holders.items():
        if len(tickets) > 1:
            yield f"{label} of {day} stands for {len(tickets)} tickets"
    given = [(box, fact.label, fact.day) for box, fact in ((x.stream, y) for x, y in _issued(world))]
    for label, n in unique_ids(given).items():
        yield f"{label} was given {n} times"


def one_number_for_one_request(world: "World") -> Iterator[str]:
    """I2. A box answers a request with one number of a day, however often it is asked."""
    asked = [(life.box, life.stream, x.request_id, x.day) for life, x in _issued(world) if x.request_id]
    for (box, _, request, day), n in unique_ids(asked).items():
        yield f"{box} gave {n} numbers of {day} for {request}"


def one_live_ticket_per_request(world: "World") -> Iterator[str]:
    """I3. A request answered twice leaves one ticket that counts."""
    tickets = {row["ticket_id"]: row for row in world.centre.rows("TICKETS")}
    queue = world.box.hall.queue if world.box.hall else None
    for row in world.centre.rows("REQUESTS"):
        mine = [row["ticket_id"], row["offline_ticket"]]
        live = [
            i for i in mine if i in tickets and tickets[i]["state"] in OPEN and not tickets[i]["merged_into"]
        ]
        if len(live) > 1:
            yield f"{row['key']} has two live tickets: {[tickets[i]['label'] for i in live]}"
        standing = [i for i in mine if queue and i in queue.tickets and queue.tickets[i].state in OPEN_STATES]
        if len(standing) > 1:
            yield f"{row['key']} stands in line twice: {[queue.tickets[i].label for i in standing]}"


def every_label_shown_is_known(world: "World") -> Iterator[str]:
    """I4. Whatever somebody was shown, the controller knows in the end.

    Numbers shown by a box whose card died before it was connected again are known to nobody else, but for
    those on the stick that was moved to its successor.
    """
    known = {row["ticket_id"] for row in world.centre.rows("TICKETS")}
    kept = [
        (life, len(life.facts) if life is world.box.life else life.mirrored) for life in world.lives.values()
    ]
    facts = [fact for life, n in kept for fact in life.facts[:n]]
    here = {fact.ticket_id for fact in facts if isinstance(fact, f.TicketIssued)}
    shown = {s.ticket_id: s.label for s in world.people.told.shown if s.box is None or s.ticket_id in here}
    for ticket_id in total_queue((), shown, sorted(known & shown.keys())).lost:
        yield f"{shown[ticket_id]} was shown and the controller does not know it"


def every_fact_arrives_once_in_order(world: "World") -> Iterator[str]:
    """I5. The controller holds each box's journal, whole for the present box, a beginning of it for others."""
    rows: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in world.centre.rows("FACTS"):
        rows[row["stream"]].append((row["n"], row["body"]))
    for stream, life in world.lives.items():
        held = sorted(rows.pop(stream, []))
        told = [fact.model_dump_json(exclude_none=True) for fact in life.facts] + life.unheard
        if [n for n, _ in held] != list(range(1, len(held) + 1)):
            yield f"{life.box}: facts {[n for n, _ in held][:5]}… are not 1, 2, 3 …"
        elif [body for _, body in held] != told[: len(held)]:
            yield f"{life.box}: the controller's facts differ from the box's"
        elif life is world.box.life and len(held) != len(told):
            yield f"{life.box}: {len(told)} facts, {len(held)} at the controller"
    for stream in rows:
        yield f"facts of a stream nobody has: {stream}"


def numbers_rise_without_gaps(world: "World") -> Iterator[str]:
    """I6 and I10. In a zone of a day numbers are 1, 2, 3 … from its first; none is missing."""
    last: dict[tuple[str, str, str, int], int] = {}
    for life, fact in _issued(world):
        if fact.line == OFFLINE_LINE:
            continue
        zone = fact.number // ZONE_SIZE
        key = (life.stream, fact.line, fact.day.isoformat(), zone)
        before = last.get(key, zone * ZONE_SIZE)
        if fact.number != before + 1:
            yield f"{life.box}: {fact.label} of {fact.day} follows number {before}"
        last[key] = fact.number


def grants_are_disjoint_and_kept_to(world: "World") -> Iterator[str]:
    """I8. No zone of a day has two boxes, and every label lies in its box's zone."""
    grants = world.centre.rows("GRANTS")
    for i, one in enumerate(grants):
        for other in grants[:i]:
            days = one["first_day"] <= other["last_day"] and other["first_day"] <= one["last_day"]
            if days and one["zone"] == other["zone"] and one["incarnation"] != other["incarnation"]:
                yield f"zone {one['zone']} was granted to two boxes from {max(one['first_day'], other['first_day'])}"
    own = defaultdict(list)
    for grant in grants:
        own[grant["incarnation"], grant["zone"]].append((grant["first_day"], grant["last_day"]))
    for life, fact in _issued(world):
        held = own[life.stream, fact.number // ZONE_SIZE]
        if fact.line != OFFLINE_LINE and not any(a <= fact.day <= b for a, b in held):
            yield f"{life.box}: {fact.label} of {fact.day} lies in no zone granted to it"


def tickets_move_as_the_table_says(world: "World") -> Iterator[str]:
    """I9. No forbidden edge; a counter has one ticket in hand at most."""
    for life in world.lives.values():
        states: dict[str, TicketState] = {}
        hands: dict[str, str] = {}
        for n, fact in enumerate(life.facts, start=1):
            if isinstance(fact, f.TicketIssued):
                states[fact.ticket_id] = TicketState.WAITING
            elif isinstance(fact, f.TicketFact):
                before = states.get(fact.ticket_id)
                state = after(before, type(fact)) if before else None
                if state is None:
                    yield f"{life.box}: fact {n} {fact.kind} after {before}"
                    break
                states[fact.ticket_id] = state
                hands = {c: t for c, t in hands.items() if t != fact.ticket_id}
                if state in (TicketState.CALLED, TicketState.SERVING):
                    counter = getattr(fact, "counter", "")
                    if counter in hands:
                        yield f"{life.box}: fact {n}: counter {counter} has two tickets in hand"
                    hands[counter] = fact.ticket_id


def late_tickets_pass_at_every_second_call_at_most(world: "World") -> Iterator[str]:
    """I12. After a late ticket was called in its turn, the next turn is somebody's who stood here."""
    for life in world.lives.values():
        for (_, before), (_, now) in zip(life.queues, life.queues[1:], strict=False):
            facts = life.facts[before.applied : now.applied]
            if len(facts) > 2 or not before.late_called:
                continue
            for fact in facts[:1]:
                if (
                    not isinstance(fact, f.TicketCalled)
                    or fact.reason
                    or fact.ticket_id not in before.tickets
                ):
                    continue
                services = before.counters[fact.counter].services
                here = [
                    t
                    for t in before.waiting.values()
                    if not t.late and t.service in services and not t.for_counter
                ]
                if before.tickets[fact.ticket_id].late and here:
                    yield f"{life.box}: late {before.tickets[fact.ticket_id].label} again before {here[0].label}"


def both_sides_have_one_picture(world: "World") -> Iterator[str]:
    """I13. The hall, the controller's memory and its database tell the same."""
    hall, context = world.box.hall, world.centre.context
    if hall is None or context is None:
        return
    stream = hall.journal.stream
    stored = context.database.read_now(lambda tx: rebuild(tx, stream)).queue
    hashes = {state_hash(q) for q in (hall.queue, hall.journal.queue(), context.live.queue(stream), stored)}
    if len(hashes) > 1:
        yield f"{len(hashes)} different pictures of one hall"


def the_day_is_todays(world: "World") -> Iterator[str]:
    """No wrong clock was believed, the centre was never days off: the hall has today's day, or tomorrow's."""
    queue = world.box.hall.queue if world.box.hall else None
    if queue is None or queue.day is None or world.lied:
        return
    now, zone = world.true.now(), ZoneInfo(world.setup.tz)
    first, last = now - LOOKS_AT_THE_CLOCK, now + timedelta(days=1)
    if not first.astimezone(zone).date() <= queue.day <= last.astimezone(zone).date():
        yield f"the hall believes it is {queue.day}, it is {now.astimezone(zone):%Y-%m-%d %H:%M}"


def pages_show_what_is(world: "World") -> Iterator[str]:
    """A ticket's page says what the hall says."""
    queue = world.box.hall.queue if world.box.hall else None
    if queue is None:
        return
    for row in world.centre.rows("TICKETS"):
        ticket = queue.tickets.get(row["ticket_id"])
        if ticket is not None and ticket.state != row["state"]:
            yield f"{row['label']} is {ticket.state} in the hall, its page says {row['state']}"


def numbers_given_outside_come_in_or_end(world: "World") -> Iterator[str]:
    """A number of the controller's own stands in the hall's line, or has ended there or by its citizen."""
    queue = world.box.hall.queue if world.box.hall else None
    if queue is None:
        return
    for row in world.centre.rows("TICKETS"):
        if row["series"] == "offline" and row["state"] == "waiting" and row["ticket_id"] not in queue.tickets:
            yield f"{row['label']} of {row['day']} waits at the controller, the hall ({queue.day}) does not know it"


def no_message_twice(world: "World") -> Iterator[str]:
    """The gateway has accepted each notice once at most."""
    for reference, n in world.centre.gateway.accepted.items():
        if n > 1:
            yield f"notice {reference} was accepted {n} times"


CHECKERS: dict[str, Callable[["World"], Iterator[str]]] = {
    "I1": no_label_for_two_people,
    "I2": one_number_for_one_request,
    "I3": one_live_ticket_per_request,
    "I4": every_label_shown_is_known,
    "I5": every_fact_arrives_once_in_order,
    "I6": numbers_rise_without_gaps,
    "I8": grants_are_disjoint_and_kept_to,
    "I9": tickets_move_as_the_table_says,
    "I12": late_tickets_pass_at_every_second_call_at_most,
    "I13": both_sides_have_one_picture,
    "day": the_day_is_todays,
    "page": pages_show_what_is,
    "outside": numbers_given_outside_come_in_or_end,
    "notices": no_message_twice,
}
