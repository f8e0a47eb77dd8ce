"""Online requests and the hall's answers: one request ends with one ticket that counts.

When the controller gave its own number because the hall was silent, the hall is wished to take that
number in. It was shown to the citizen and wins over the one the hall may have given to the same
request, unless a counter has called that one already: then the hall refuses, and the other is void.
"""

import json
from collections.abc import Sequence
from typing import Any

from controller.store import tickets as ticket_store
from controller.store.database import Tx
from controller.use_cases.credit_return import give_back
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import HallClosed
from hall_core.queueing.commands import AdmitTicket, IssueTicket
from hall_core.queueing.fact_base import SealedPhone
from hall_core.queueing.facts import Fact, TicketIssued, WishRefused
from hall_core.queueing.queue import Queue
from hall_core.queueing.states import TicketState

__all__ = ["Answered", "admit", "asked_with", "request_of", "settle", "settle_refusals", "superseded"]

_ADMIT = f"{REQUEST_PREFIX}admit-"


class Answered:
    """What settling found out: tickets that do not count, and masked numbers by ticket."""

    def __init__(self) -> None:
        self.voided: dict[str, str] = {}
        self.masks: dict[str, str] = {}


def admit(
    draft: Draft,
    hall: LiveHall,
    ticket: dict[str, Any],
    *,
    replaces: str | None,
    more_services: tuple[str, ...] = (),
    relative: SealedPhone | None = None,
) -> None:
    """Wish the hall to take a number of the controller's own in."""
    masked = ticket["phone_masked"]
    command = AdmitTicket(
        request_id=f"{_ADMIT}{ticket['ticket_id']}",
        ticket_id=ticket["ticket_id"],
        token=ticket["token"],
        number=ticket["number"],
        service=ticket["service"],
        more_services=more_services,
        channel=ticket["channel"],
        priority=ticket["priority"],
        issued_at=ticket["issued_at"],
        replaces=replaces,
        relative=relative,
        phone_sealed=ticket["phone_sealed"],
        phone_tail=masked[-2:] if masked else None,
    )
    wish(draft, hall, [command])


def asked_with(tx: Tx, ticket: dict[str, Any]) -> dict[str, Any]:
    """`{more_services, relative}` that a number of the controller's own was asked for with."""
    request = ticket_store.request_shown(tx, ticket["ticket_id"])
    if request is None:
        return {"more_services": (), "relative": None}
    wish = IssueTicket.model_validate_json(request["wish"])
    kept = wish.relative if wish.relative and wish.relative.phone_sealed else None
    return {"more_services": wish.more_services, "relative": kept}


def request_of(tx: Tx, ticket: dict[str, Any]) -> str | None:
    """The request that a number of the controller's own answers: the hall may have answered it as well."""
    request = ticket_store.request_shown(tx, ticket["ticket_id"])
    return str(request["request_id"]) if request else None


def settle(draft: Draft, facts: dict[str, Fact], queue: Queue) -> Answered:
    """Note the hall's answers to online requests, before their tickets are stored."""
    result = Answered()
    asked = [r for r, fact in facts.items() if isinstance(fact, TicketIssued | WishRefused)]
    for request_id, row in ticket_store.requests_waited_for(draft.tx, asked).items() if asked else ():
        fact = facts[request_id]
        if isinstance(fact, TicketIssued):
            if row["phone_masked"]:
                result.masks[fact.ticket_id] = row["phone_masked"]
            _issued(draft, row, fact, queue, result)
        elif isinstance(fact, WishRefused) and row["state"] == "waiting":
            answer = json.dumps({"refused": fact.slug, "detail": fact.detail}, ensure_ascii=False)
            ticket_store.change_request(draft.tx, request_id, state="refused", answer=answer)
    return result


def settle_refusals(draft: Draft, facts: dict[str, Fact]) -> None:
    """Note which numbers the hall would not take in, after its own tickets are stored."""
    for request_id, fact in facts.items():
        if isinstance(fact, WishRefused) and request_id.startswith(_ADMIT):
            _not_admitted(draft, request_id.removeprefix(_ADMIT), fact)


def _issued(draft: Draft, row: dict[str, Any], fact: TicketIssued, queue: Queue, result: Answered) -> None:
    if row["state"] == "waiting":
        answer = {
            "ticket_id": fact.ticket_id,
            "label": fact.label,
            "token": fact.token,
            "series": "hall",
            "ahead": fact.ahead,
            "range_min": fact.range_min,
            **({"services": [fact.service, *fact.visits]} if fact.visits else {}),
        }
        ticket_store.change_request(draft.tx, row["request_id"], state="hall", answer=json.dumps(answer))
    elif row["state"] == "offline":
        ticket = queue.tickets.get(fact.ticket_id)
        if ticket is None or ticket.call_no == 0:
            result.voided[fact.ticket_id] = row["offline_ticket"]


def _not_admitted(draft: Draft, ticket_id: str, fact: WishRefused) -> None:
    """The hall did not take the number in: it was called under its own number, or the day is over."""
    request = ticket_store.request_shown(draft.tx, ticket_id)
    own = ticket_store.ticket(draft.tx, request["ticket_id"]) if request else None
    changes: dict[str, Any] = {"ended_at": draft.now, "updated_at": draft.now}
    if own is not None and own["call_no"] > 0:
        ticket_store.change_ticket(draft.tx, own["ticket_id"], merged_into=None)
        changes |= {"state": TicketState.CANCELLED.value, "merged_into": own["ticket_id"]}
    elif fact.slug == HallClosed.slug:
        changes["state"] = TicketState.LAPSED.value
    else:
        changes["state"] = TicketState.CANCELLED.value
    ticket_store.change_ticket(draft.tx, ticket_id, **changes)
    give_back(draft.tx, ticket_id)


def superseded(draft: Draft, shown: Sequence[dict[str, Any]]) -> frozenset[str]:
    """The hall's own tickets of the requests that were answered with these numbers: those do not count."""
    found: set[str] = set()
    for number in shown:
        request = ticket_store.request_shown(draft.tx, number["ticket_id"])
        if request is not None:
            found.add(request["ticket_id"])
            ticket_store.change_ticket(draft.tx, request["ticket_id"], merged_into=number["ticket_id"])
    return frozenset(found)
