"""A number for somebody outside the hall. The hall gives it; when the hall is silent for three seconds
the controller gives one of its own visible series (`W001`), and the same request always gets the same answer.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.store.database import Clash, Tx
from controller.store.promises import free_credit
from controller.use_cases import relatives
from controller.use_cases.answers import answer_within
from controller.use_cases.asking_again import ask_anew, passing
from controller.use_cases.context import Context
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, local_time
from controller.use_cases.merging import admit
from controller.use_cases.new_rows import notice_row
from controller.use_cases.notices_due import confirmation
from controller.use_cases.phones import mask
from controller.use_cases.promise_rules import GOODWILL
from controller.use_cases.standing import spend_credit
from controller.use_cases.wishing import REQUEST_PREFIX, wish
from hall_core.errors import BadRequest, HallClosed, HallUnreachable, RequestIdReused, UnknownService
from hall_core.queueing.commands import IssueTicket
from hall_core.queueing.numbering import OFFLINE_LINE, label_of
from hall_core.queueing.opening import hall_open
from hall_core.queueing.setup import HallSetup, ServiceSetup
from hall_core.queueing.trips import check_services

__all__ = ["Given", "HallRefused", "TicketRequest", "take_ticket"]

#: how long the hall may think
HALL_S = 3.0


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """What somebody asks for. `phone` is 11 digits; it is sealed before anything is stored. `openid`
    instead of it is for notices in WeChat. With `more_services` one number stands for several.
    `relative_phone` is told when nobody answers the call.
    """

    service: str
    channel: str
    phone: str | None = field(default=None, repr=False)
    openid: str | None = field(default=None, repr=False)
    priority: str | None = None
    more_services: tuple[str, ...] = ()
    relative_phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """The answer; `repeated` when the same request was answered before."""

    ticket: dict[str, Any]
    repeated: bool


@dataclass(frozen=True, slots=True)
class HallRefused:
    """The hall said no, in its own words."""

    slug: str
    detail: str


async def take_ticket(
    context: Context, hall_id: str, asked: TicketRequest, *, owner: str, key: str
) -> Given | HallRefused:
    """The ticket for this request; a hall that could not give one just then is asked anew.

    Raises UnknownHall, UnknownService, ServiceTwice, TooManyServices, HallClosed, PhoneInvalid,
    RequestIdReused, or HallUnreachable for a hall that was never heard of.
    """
    hall = await context.enrolled_hall(hall_id)
    # What came later into the interface must not change the prints of what was asked before.
    later = {"openid": None, "more_services": (), "relative_phone": None}
    body = {name: value for name, value in asdict(asked).items() if name not in later or value != later[name]}
    print_ = context.phones.fingerprint({"hall": hall_id, **body})
    known = await context.database.read(lambda tx: ticket_store.request(tx, owner, key))
    if known is None:
        known = await _begin(context, hall, asked, {"owner": owner, "key": key, "fingerprint": print_})
        repeated = False
    else:
        repeated = known["answer"] is not None and not passing(known)
    if known["fingerprint"] != print_:
        raise RequestIdReused
    if passing(known):
        _setup(context, hall)
        known = await ask_anew(context, hall, known, priority=asked.priority, phone=asked.phone)
    if known["answer"] is None:
        await _wait(context, hall, known)
        waiting = known
        known = await context.database.read(lambda tx: _row(tx, waiting))
        if known["answer"] is None:
            known = await context.change(lambda draft: _settled(context, draft, hall, owner, key))
        if "refused" in json.loads(known["answer"]):
            of = str(known["ticket_id"])
            await context.change(lambda draft: free_credit(draft.tx, of))
    return _answer(context, known, repeated=repeated)


async def _begin(
    context: Context, hall: LiveHall, asked: TicketRequest, same: dict[str, str]
) -> dict[str, Any]:
    """Store the request, and the wish when the hall is there to hear it. Whoever was first wins."""
    setup = _setup(context, hall)
    check_services([_service(setup, service) for service in (asked.service, *asked.more_services)])
    if asked.priority is not None and asked.priority not in setup.credits_min.keys() - {GOODWILL}:
        raise BadRequest(what=f"priority {asked.priority!r}")
    ticket_id, token = context.new_id(), context.new_token()
    command = IssueTicket(
        request_id=f"{REQUEST_PREFIX}{ticket_id}",
        fingerprint=same["fingerprint"],
        ticket_id=ticket_id,
        token=token,
        service=asked.service,
        more_services=asked.more_services,
        channel=asked.channel,
        priority=asked.priority,
        phone_sealed=_sealed(context, asked, ticket_id),
        phone_tail=asked.phone[-2:] if asked.phone else None,
        relative=relatives.named(context.phones, asked.relative_phone, ticket_id, asked.phone),
    )
    row = {
        **same,
        "request_id": command.request_id,
        "hall": hall.hall,
        "ticket_id": ticket_id,
        "token": token,
        "state": "waiting",
        "wish": command.model_dump_json(),
        "phone_masked": mask(asked.phone) if asked.phone else "微信" if asked.openid else None,
        "answer": None,
    }

    def store(draft: Draft) -> None:
        index = context.phones.index(asked.phone) if asked.phone else None
        person = {"priority": asked.priority, "phone_index": index, "appointment_id": ticket_id}
        owed = spend_credit(context, draft, hall, person)["priority"]
        wished = command.model_copy(update={"priority": owed})
        row["wish"] = wished.model_dump_json()
        ticket_store.add_request(draft.tx, {**row, "requested_at": draft.now})
        if hall.online:
            wish(draft, hall, [wished])

    try:
        await context.change(store)
    except Clash:
        found = await context.database.read(lambda tx: ticket_store.request(tx, same["owner"], same["key"]))
        assert found is not None
        return found
    return row


def _service(setup: HallSetup, wanted: str) -> ServiceSetup:
    service = setup.service(wanted)
    if service is None:
        raise UnknownService(service=wanted)
    return service


def _setup(context: Context, hall: LiveHall) -> HallSetup:
    """The hall's set-up, when it takes numbers now. Raises HallUnreachable or HallClosed."""
    queue = context.live.queue_of(hall)
    if queue.setup is None:
        raise HallUnreachable(hall=hall.hall)
    if not hall_open(queue, local_time(queue, context.clock.now())):
        raise HallClosed
    return queue.setup


async def _wait(context: Context, hall: LiveHall, request: dict[str, Any]) -> None:
    """Until the hall has answered, or three seconds have passed; not at all when it is not there."""
    with context.answers.expect(request["request_id"]) as answer:
        now = await context.database.read(lambda tx: _row(tx, request))
        if now["answer"] is None and hall.online:
            await answer_within(answer, HALL_S)


def _row(tx: Tx, request: dict[str, Any]) -> dict[str, Any]:
    row = ticket_store.request(tx, request["owner"], request["key"])
    assert row is not None
    return row


def _settled(context: Context, draft: Draft, hall: LiveHall, owner: str, key: str) -> dict[str, Any]:
    """The request with its answer: the hall's, or else one of the controller's own numbers."""
    row = ticket_store.request(draft.tx, owner, key)
    assert row is not None
    if row["answer"] is None:
        shown = _issue_offline(context, draft, hall, row)
        changes = {"state": "offline", "answer": json.dumps(shown), "offline_ticket": shown["ticket_id"]}
        changes["wish"] = row["wish"]
        row |= changes
        ticket_store.change_request(draft.tx, row["request_id"], **changes)
    return row


def _issue_offline(context: Context, draft: Draft, hall: LiveHall, row: dict[str, Any]) -> dict[str, Any]:
    queue = context.live.queue_of(hall)
    if queue.setup is None:
        # A new box has come this very moment: nobody knows yet which day it is there.
        raise HallUnreachable(hall=hall.hall)
    asked = IssueTicket.model_validate_json(row["wish"])
    day: date = local_time(queue, draft.now).date()
    number = ticket_store.next_offline_number(draft.tx, hall.hall, day)
    # A ticket of its own: the hall may still answer with the one the wish names.
    ticket_id, token = context.new_id(), context.new_token()
    sealed = asked.phone_sealed and context.phones.reseal(asked.phone_sealed, asked.ticket_id, ticket_id)
    ticket = {
        "ticket_id": ticket_id,
        "hall": hall.hall,
        "line": OFFLINE_LINE,
        "day": day,
        "label": label_of(OFFLINE_LINE, number),
        "number": number,
        "service": asked.service,
        "channel": asked.channel,
        "priority": asked.priority,
        "state": "waiting",
        "token": token,
        "series": "offline",
        "ahead": None,
        "issued_at": draft.now,
        "effective_at": draft.now,
        "updated_at": draft.now,
        "call_no": 0,
        "phone_sealed": sealed,
        "phone_masked": row["phone_masked"],
    }
    ticket_store.add_ticket(draft.tx, ticket)
    relative = relatives.for_other_ticket(context.phones, asked.relative, ticket_id)
    # The number is kept sealed for the ticket that counts: another box may be asked to take it in later.
    row["wish"] = asked.model_copy(update={"relative": relative}).model_dump_json()
    more = asked.more_services
    admit(draft, hall, ticket, replaces=row["request_id"], more_services=more, relative=relative)
    if sealed:
        due = confirmation(ticket_id, ticket["label"], None, draft.now, context.signature)
        notice_store.add_notices(draft.tx, [notice_row(hall.hall, due, draft.now, {})])
        draft.notices += 1
    draft.halls.add(hall.hall)
    shown = {name: ticket[name] for name in ("ticket_id", "label", "token", "series")}
    several = {"services": [asked.service, *asked.more_services]} if asked.more_services else {}
    return {**shown, **several, "ahead": None, "range_min": None}


def _answer(context: Context, row: dict[str, Any], *, repeated: bool) -> Given | HallRefused:
    answer: dict[str, Any] = json.loads(row["answer"])
    if "refused" in answer:
        return HallRefused(answer["refused"], answer["detail"])
    return Given({**answer, "url": f"{context.public_url}/t/{answer['token']}"}, repeated)


def _sealed(context: Context, asked: TicketRequest, ticket_id: str) -> str | None:
    if asked.phone:
        return context.phones.seal(asked.phone, ticket_id)
    return context.phones.seal_openid(asked.openid, ticket_id) if asked.openid else None
