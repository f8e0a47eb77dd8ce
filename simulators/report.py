"""The demo's report: what people were told, checked against every other source.

Sources: the answers people got (ledger), the agents' journals, the controller's copies, what the simulated
devices showed, and what the gateway accepted.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulators.checkers import unique_ids
from simulators.demo_checks import contains_label, missing, percentile
from simulators.demo_ledger import CalledTicket, Ledger, TakenTicket
from simulators.demo_sightings import Sighting, Sightings
from simulators.report_citizens import citizens_report, lost_acts, lost_registrations

__all__ = ["HallRecord", "Sources", "build_report"]

_FAR = datetime.max.replace(tzinfo=UTC)
_SHOWN_AT_MOST = 20
Fact = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HallRecord:
    """A hall at the end: its journal, the controller's copy, and where the journal stood at the start."""

    id: str
    journal: list[Fact]
    controller: list[Fact]
    journal_at_start: int = 0
    #: state hashes of agent and controller, where both were quiet
    hashes: tuple[str | None, str | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything the report is made from."""

    halls: tuple[HallRecord, ...]
    ledger: Ledger
    sightings: Sightings
    #: by link: what citizens see whose numbers the controller gave by itself; None when it leads nowhere
    offline_states: dict[str, str | None]
    #: client references in the order the gateway accepted them
    sms_accepted: list[str]
    #: messages sent to the gateway again after it had taken them
    sms_repeated: int
    broker: str
    #: by link: what those see who registered for a draw
    drawn_states: dict[str, str | None] = field(default_factory=dict)
    #: by id: the draws they registered for, as everybody may see them
    draws: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class _Findings:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    key_latencies_ms: list[float] = field(default_factory=list)


def _key(fact: Fact) -> tuple[Any, ...]:
    """What two copies of one fact agree on."""
    return (fact["n"], fact["kind"], fact.get("ticket_id"), fact.get("label"), fact.get("counter"))


def _kind(facts: Iterable[Fact], kind: str) -> list[Fact]:
    return [f for f in facts if f["kind"] == kind]


def _numbered(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """The first, second, third … of equal pairs told apart."""
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for pair in pairs:
        seen[pair] += 1
        numbered.append((*pair, seen[pair]))
    return numbered


def _check_streams(hall: HallRecord, found: _Findings) -> None:
    for place, facts in (("journal", hall.journal), ("controller", hall.controller)):
        for n, times in unique_ids(f["n"] for f in facts).items():
            found.doubled.append(f"{hall.id}: fact {n} stands {times} times in the {place}")
    last = max((f["n"] for f in hall.journal), default=0)
    for n in missing(range(1, last + 1), (f["n"] for f in hall.journal)):
        found.lost.append(f"{hall.id}: fact {n} is missing in the journal")
    journal, copy = [_key(f) for f in hall.journal], [_key(f) for f in hall.controller]
    for key in missing(journal, copy):
        found.lost.append(f"{hall.id}: fact {key[0]} ({key[1]}) of the journal is missing at the controller")
    for key in missing(copy, journal):
        found.doubled.append(f"{hall.id}: the controller holds fact {key[0]} ({key[1]}) that never was")


def _check_tickets(hall: HallRecord, sources: Sources, found: _Findings) -> None:
    told = [t for t in sources.ledger.tickets if t.hall == hall.id]
    _check_offline(hall, told, sources.offline_states, found)
    of_hall = [(t.ticket_id, t.label) for t in told if t.series == "hall"]
    for place, facts in (("journal", hall.journal), ("controller", hall.controller)):
        issued = [(f["ticket_id"], f["label"]) for f in _kind(facts, "ticket-issued")]
        for _, label in missing(of_hall, issued):
            found.lost.append(f"{hall.id}: {label} was handed out and is missing in the {place}")
    labels = [(f["day"], f["label"]) for f in _kind(hall.journal, "ticket-issued")]
    for (day, label), times in unique_ids(labels).items():
        found.doubled.append(f"{hall.id}: {label} of {day} was issued {times} times")
    # Over midnight the numbers begin anew: a label belongs to the day of its ticket.
    given = list(_kind(hall.journal, "ticket-issued"))
    days = {f["ticket_id"]: f["day"] for f in given}
    newest = {f["label"]: f["day"] for f in given}
    people: dict[tuple[str, str], set[str]] = {}
    for ticket in told:
        day = days.get(ticket.ticket_id) or newest.get(ticket.label, "")
        people.setdefault((day, ticket.label), set()).add(ticket.ticket_id)
    for (_, label), ids in people.items():
        if len(ids) > 1:
            found.doubled.append(f"{hall.id}: {len(ids)} people were told {label}")


def _check_offline(
    hall: HallRecord, told: list[TakenTicket], states: dict[str, str | None], found: _Findings
) -> None:
    """Numbers the controller gave while the hall was offline: whoever still waits must stand in its line."""
    in_line = {f["label"] for f in _kind(hall.journal, "ticket-issued")}
    for ticket in told:
        if ticket.series != "offline" or ticket.label in in_line:
            continue
        state = states.get(ticket.token)
        if state is None:
            found.lost.append(f"{hall.id}: {ticket.label} of the time offline is unknown to the controller")
        elif state == "waiting":
            found.lost.append(
                f"{hall.id}: {ticket.label} of the time offline waits, and the hall has no such number"
            )


def _check_calls(hall: HallRecord, ledger: Ledger, found: _Findings) -> None:
    told = _numbered((c.ticket_id, c.counter) for c in ledger.calls if c.hall == hall.id)
    labels = {c.ticket_id: c.label for c in ledger.calls}
    for place, facts in (("journal", hall.journal), ("controller", hall.controller)):
        called = _numbered((f["ticket_id"], f["counter"]) for f in _kind(facts, "ticket-called"))
        for ticket_id, counter, _ in missing(told, called):
            what = f"the call of {labels[ticket_id]} at counter {counter}"
            found.lost.append(f"{hall.id}: {what} is missing in the {place}")


def _first_sight(seen: list[Sighting], label: str, since: datetime, until: datetime) -> datetime | None:
    start = bisect_left(seen, since, key=lambda s: s.at)
    for sighting in seen[start:]:
        if sighting.at >= until:
            return None
        if _shows(sighting, label):
            return sighting.at
    return None


def _shows(sighting: Sighting, label: str) -> bool:
    if sighting.digits is not None:
        return sighting.digits == label[-3:]
    return contains_label(sighting.text, label)


def _count_calls_shown(
    hall: HallRecord, ledger: Ledger, sightings: Sightings, found: _Findings
) -> Counter[str]:
    """Calls shown per family of device; calls no strip showed are lost."""
    shown: Counter[str] = Counter()
    by_counter: dict[str, list[CalledTicket]] = {}
    for call in ledger.calls:
        if call.hall == hall.id:
            by_counter.setdefault(call.counter, []).append(call)
    for counter, calls in by_counter.items():
        devices = sightings.at_counter(hall.id, counter)
        for call, later in zip(calls, [*calls[1:], None], strict=True):
            until = later.asked_at if later else _FAR
            seen_at = {
                who: at
                for who, seen in devices.items()
                if (at := _first_sight(seen, call.label, call.asked_at, until))
            }
            shown.update(family for _, family in seen_at)
            strips = [at for (kind, _), at in seen_at.items() if kind == "strip"]
            if not strips:
                found.lost.append(f"{hall.id}: {call.label} was never shown over counter {counter}")
                continue
            latency_ms = (min(strips) - call.asked_at).total_seconds() * 1000
            (found.key_latencies_ms if call.by_key else found.latencies_ms).append(latency_ms)
    return shown


def _count_slips(hall: HallRecord, ledger: Ledger, sightings: Sightings) -> Counter[str]:
    """Tickets of this hall's kiosk that came out on paper."""
    told = [t.label for t in ledger.tickets if t.hall == hall.id and t.channel == "kiosk"]
    slips: Counter[str] = Counter()
    for (kind, family), seen in sightings.in_hall(hall.id).items():
        if kind == "printer":
            paper = " ".join(sighting.text for sighting in seen)
            slips[family] += sum(1 for label in told if contains_label(paper, label))
    return slips


def _count_boards(hall: HallRecord, ledger: Ledger, sightings: Sightings) -> Counter[str]:
    """Calls that a large screen of the whole hall showed."""
    calls = [c.label for c in ledger.calls if c.hall == hall.id]
    boards: Counter[str] = Counter()
    for (kind, family), seen in sightings.in_hall(hall.id).items():
        if kind == "board":
            lines = " ".join(sighting.text for sighting in seen)
            boards[family] += sum(1 for label in calls if contains_label(lines, label))
    return boards


def _check_appointments(hall: HallRecord, ledger: Ledger, found: _Findings) -> None:
    """Whoever was promised a time is expected by the hall, and is one ticket at most."""
    expected = {f["appointment_id"] for f in _kind(hall.journal, "appointment-booked")}
    for visit in ledger.booked:
        if visit.hall == hall.id and visit.appointment_id not in expected:
            found.lost.append(f"{hall.id}: the hall does not expect the appointment {visit.appointment_id}")
    came = [f["appointment"] for f in _kind(hall.journal, "ticket-issued") if f.get("appointment")]
    for appointment, times in unique_ids(came).items():
        found.doubled.append(f"{hall.id}: the appointment {appointment} became {times} tickets")


def _check_ratings(hall: HallRecord, ledger: Ledger, found: _Findings) -> None:
    """A rating that was taken stands, and nobody rates a visit twice."""
    told = [(r.ticket_id, r.score) for r in ledger.rated if r.hall == hall.id]
    for place, facts in (("journal", hall.journal), ("controller", hall.controller)):
        rated = [(f["ticket_id"], f["score"]) for f in _kind(facts, "ticket-rated")]
        for ticket_id, _ in missing(told, rated):
            found.lost.append(f"{hall.id}: the rating of {ticket_id} is missing in the {place}")
    for ticket_id, times in unique_ids(f["ticket_id"] for f in _kind(hall.journal, "ticket-rated")).items():
        found.doubled.append(f"{hall.id}: {ticket_id} was rated {times} times")


def _hall_report(hall: HallRecord, sources: Sources, found: _Findings) -> dict[str, Any]:
    _check_streams(hall, found)
    _check_tickets(hall, sources, found)
    _check_calls(hall, sources.ledger, found)
    _check_appointments(hall, sources.ledger, found)
    _check_ratings(hall, sources.ledger, found)
    found.lost += lost_acts(hall.id, sources.ledger, hall.journal)
    shown: Counter[str] = Counter(dict.fromkeys(sources.sightings.families[hall.id], 0))
    shown.update(_count_calls_shown(hall, sources.ledger, sources.sightings, found))
    shown.update(_count_slips(hall, sources.ledger, sources.sightings))
    shown.update(_count_boards(hall, sources.ledger, sources.sightings))
    today = [f for f in hall.journal if f["n"] > hall.journal_at_start]
    return {
        "id": hall.id,
        "issued": len(_kind(today, "ticket-issued")),
        "called": len(_kind(today, "ticket-called")),
        "served": len(_kind(today, "ticket-finished")),
        "rated": len(_kind(today, "ticket-rated")),
        "shown": dict(sorted(shown.items())),
        "facts": {"journal": len(hall.journal), "controller": len(hall.controller)},
        "same_state": None if None in hall.hashes else hall.hashes[0] == hall.hashes[1],
    }


def _ms(values: list[float]) -> dict[str, float | None]:
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    return {"p50": p50 and round(p50, 1), "p99": p99 and round(p99, 1)}


def build_report(sources: Sources) -> dict[str, Any]:
    """The report as JSON values; `lost` and `duplicates` are counts, `problems` says what they are."""
    found = _Findings()
    halls = [_hall_report(hall, sources, found) for hall in sources.halls]
    for reference, times in unique_ids(sources.sms_accepted).items():
        found.doubled.append(f"notice {reference} was accepted {times} times")
    ledger = sources.ledger
    found.lost += lost_registrations(ledger, sources.drawn_states, sources.draws)
    return {
        "halls": halls,
        "citizens": citizens_report(ledger, sources.drawn_states),
        "sms": {"accepted": len(sources.sms_accepted), "doubled": sources.sms_repeated},
        "lost": len(found.lost),
        "duplicates": len(found.doubled),
        "latency_ms": {"call_to_strip": _ms(found.latencies_ms), "key_to_strip": _ms(found.key_latencies_ms)},
        "broker": sources.broker,
        "told": {
            "tickets": len(ledger.tickets),
            "online": sum(1 for t in ledger.tickets if t.channel == "online"),
            "offline_series": sum(1 for t in ledger.tickets if t.series == "offline"),
            "booked": len(ledger.booked),
            "checked_in": sum(1 for t in ledger.tickets if t.booked),
            "calls": len(ledger.calls),
            "by_key": sum(1 for c in ledger.calls if c.by_key),
        },
        "refused": dict(sorted(ledger.refused.items())),
        "unanswered": ledger.unanswered,
        "problems": [*found.lost[:_SHOWN_AT_MOST], *found.doubled[:_SHOWN_AT_MOST]],
    }
