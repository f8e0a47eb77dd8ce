"""The part of the demo's report about what citizens did beyond taking a number: all of it is found again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from hall_core.schedule.draws import findings
from simulators.demo_ledger import Ledger

__all__ = ["citizens_report", "lost_acts", "lost_registrations"]

Fact = dict[str, Any]
#: the fact each act on a telephone leads to
_FACTS = {"postpone": "ticket-postponed", "check-in": "ticket-returned"}
#: what somebody who registered may see
_STATES = ("registered", "booked", "waiting-list")


def lost_acts(hall: str, ledger: Ledger, journal: Iterable[Fact]) -> list[str]:
    """Acts that were answered and did not happen; numbers for several services that stand for fewer."""
    facts = list(journal)
    done = Counter((f["kind"], f["ticket_id"]) for f in facts if f["kind"] in _FACTS.values())
    told = Counter((_FACTS[a.action], a.ticket_id) for a in ledger.acts if a.hall == hall)
    found = [
        f"{hall}: {kind} of {ticket} was answered {times} times and happened {done[kind, ticket]} times"
        for (kind, ticket), times in told.items()
        if done[kind, ticket] < times
    ]
    issued = {f["ticket_id"]: f for f in facts if f["kind"] == "ticket-issued"}
    for ticket in ledger.tickets:
        fact = issued.get(ticket.ticket_id)
        if ticket.hall != hall or not ticket.services or fact is None:
            continue
        if {fact["service"], *fact.get("visits", ())} != set(ticket.services):
            found.append(f"{hall}: {ticket.label} was given for {', '.join(ticket.services)}, not for all")
    return found


def lost_registrations(
    ledger: Ledger, states: Mapping[str, str | None], draws: Mapping[str, dict[str, Any]]
) -> list[str]:
    """Registrations that nobody knows of, and draws that were not made as promised. `states` by link."""
    found = []
    for entry in ledger.registered:
        if states.get(entry.token) not in _STATES:
            found.append(f"{entry.hall}: registration {entry.registration} is {states.get(entry.token)}")
        listed = draws[entry.draw]["registrations"] if entry.draw in draws else None
        if listed is not None and entry.registration not in listed:
            found.append(f"{entry.hall}: registration {entry.registration} is not in its draw")
    for draw in draws.values():
        if draw["seed"] is not None:
            parts = draw["commitment"], draw["seed"], draw["registrations"], draw["order"]
            found += [f"{draw['hall']}: {text}" for good, text in findings(*parts) if not good]
    return found


def citizens_report(ledger: Ledger, states: Mapping[str, str | None]) -> dict[str, int]:
    """How many did what."""
    acts = Counter(act.action for act in ledger.acts)
    outcomes = Counter(states.get(entry.token) for entry in ledger.registered)
    return {
        "several_services": sum(1 for ticket in ledger.tickets if ticket.services),
        "relatives_named": sum(1 for ticket in ledger.tickets if ticket.relative),
        "postponed": acts["postpone"],
        "came_after_all": acts["check-in"],
        "registered": len(ledger.registered),
        "drawn_booked": outcomes["booked"],
        "drawn_waiting": outcomes["waiting-list"],
    }
