"""The API of one hall: the stable surface that kiosks, consoles and other programs are written against."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_agent.sealing import check_phone, fingerprint, seal_phone
from edge_agent.storage import StorageState
from edge_agent.web.view import View, public
from hall_core.errors import (
    BadRequest,
    NoGrant,
    NoPagers,
    NoticesUnavailable,
    StorageUnavailable,
    UnknownTicket,
)
from hall_core.errors.described import REPEATED, text_of
from hall_core.personal import PlainId
from hall_core.queueing.commands import Command, IssueTicket, command_adapter
from hall_core.queueing.decide_appointments import find_appointment
from hall_core.queueing.fact_base import SealedPhone
from hall_core.queueing.numbering import next_number
from hall_core.queueing.queue import Queue
from hall_core.queueing.summary import counter_summary, ticket_summary

__all__ = ["api_routes"]

Action = Literal[
    "open",
    "pause",
    "resume",
    "close",
    "call-next",
    "call",
    "recall",
    "start",
    "finish",
    "no-show",
    "hold",
    "return",
    "transfer",
    "cancel",
]


class TicketRequest(BaseModel):
    """A citizen wants a number. The same `request_id` again gets the same answer.

    With `appointment` (its id, its link's token, or today's code) the appointment is checked in; then
    `service` may be left out. With `services` one number stands for all of them, and for `service` where
    that is given too; the hall chooses the order. `relative_phone` is told when a call is not answered.
    """

    model_config = ConfigDict(extra="forbid")

    request_id: PlainId = Field(min_length=1, max_length=64)
    service: str = Field(default="", max_length=32)
    services: list[str] = Field(default_factory=list, max_length=16)
    channel: str = Field(default="kiosk", pattern=r"^[a-z][a-z0-9-]{0,15}$")
    priority: str | None = Field(default=None, max_length=32)
    phone: str | None = Field(default=None, max_length=20)
    relative_phone: str | None = Field(default=None, max_length=20)
    pager: int | None = Field(default=None, ge=0, le=99_999)
    appointment: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _what_for(self) -> Self:
        if not self.asked and self.appointment is None:
            raise ValueError("service is missing")
        return self

    @property
    def asked(self) -> tuple[str, ...]:
        """All services, `service` first."""
        alone = bool(self.service) and self.service not in self.services
        return (*((self.service,) if alone else ()), *self.services)


def api_routes(view: View, new_id: Callable[[], str]) -> APIRouter:
    """`/api/*` and the probes."""
    router = APIRouter()
    hall, guard = view.hall, view.guard

    @router.get("/api/state")
    async def state() -> Response:
        """The whole hall at a glance."""
        return Response(view.state_text(), media_type="application/json")

    @router.post("/api/tickets", status_code=201, responses=REPEATED)
    async def take(wanted: TicketRequest) -> JSONResponse:
        """Take a number: 201, or 200 with the same body for a request that was answered before."""
        # What came later into the interface must not change the prints of what was asked before.
        later = {name for name in ("services", "relative_phone") if not getattr(wanted, name)}
        body = wanted.model_dump(exclude={"request_id"} | later)
        command = _issue(view, wanted, fingerprint(guard.accounts.pepper, body), new_id())
        notices = view.devices.notices
        if wanted.phone is not None:
            notices.keep(command.ticket_id, wanted.phone)
        if wanted.relative_phone is not None:
            notices.keep_relative(command.ticket_id, wanted.relative_phone)
        try:
            handled = await hall.handle(command)
        finally:
            if command.ticket_id not in hall.queue.tickets:
                notices.forget(command.ticket_id)
        return JSONResponse(
            _taken(view, handled.queue, wanted.request_id), status_code=201 if handled.facts else 200
        )

    @router.get("/api/tickets/{ticket_id}")
    async def ticket(ticket_id: str) -> dict[str, Any]:
        """One ticket with its facts, and what came of its slip (`print`) and its last page (`page`)."""
        found = hall.queue.find(ticket_id)
        if found is None:
            raise UnknownTicket(ticket=ticket_id)
        facts = [public(f.n, f.body) for f in hall.journal.facts_of(found.ticket_id)]
        printed = view.devices.outcome(found.ticket_id) if found.channel == "kiosk" else None
        beside = {"pager": found.pager, "print": printed, "page": view.devices.paged(found)}
        return {**ticket_summary(hall.queue, found, hall.now()), **beside, "facts": facts}

    @router.get("/api/facts")
    async def facts(
        after: int = Query(default=0, ge=0, le=2**63 - 1), limit: int = Query(default=100, ge=1, le=1000)
    ) -> list[dict[str, Any]]:
        """The journal from `after` + 1 on."""
        return [public(f.n, f.body) for f in hall.journal.read(after, limit)]

    _counters(router, view)
    _probes(router, view)
    return router


def _counters(router: APIRouter, view: View) -> None:
    hall, guard = view.hall, view.guard

    @router.post("/api/counters/{counter}/{action}")
    async def act(
        counter: str,
        action: Action,
        body: Annotated[dict[str, Any], Body()],
        clerk: Annotated[str, Depends(guard.required)],
    ) -> JSONResponse:
        """A clerk's action at a counter; needs a staff session or token."""
        if not isinstance(body.get("request_id"), str):
            raise BadRequest(what="request_id: Field required")
        mark = fingerprint(guard.accounts.pepper, {**body, "counter": counter, "action": action})
        if action == "open":
            body = {"clerk": clerk, **body}
        command = _command({**body, "kind": action, "counter": counter, "fingerprint": mark})
        handled = await hall.handle(command)
        done = handled.queue.requests[body["request_id"]]
        about = handled.queue.tickets.get(done.ticket_id or "")
        answer = {
            "counter": counter_summary(handled.queue, counter),
            "ticket": ticket_summary(handled.queue, about, hall.now()) if about else None,
        }
        return JSONResponse(answer)

    @router.get("/api/counters/{counter}/line")
    async def line(counter: str, limit: int = Query(default=20, ge=1, le=500)) -> list[dict[str, Any]]:
        """Whom this counter calls next, in order."""
        return view.line(counter)[:limit]


def _probes(router: APIRouter, view: View) -> None:
    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        """The program answers."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready() -> dict[str, Any]:
        """The hall can give numbers today. Raises NoGrant or StorageUnavailable while it cannot."""
        queue = view.hall.queue
        if view.hall.storage.state is not StorageState.OK:
            raise StorageUnavailable
        if queue.setup is None or queue.day is None:
            raise NoGrant(line="*", day="-")
        for service in queue.setup.services:
            next_number(queue, line=service.prefix, day=queue.day, incarnation=view.hall.journal.stream)
        return {"status": "ready", "business_day": queue.day.isoformat()}

    @router.get("/metrics", response_class=Response, responses=text_of("text/plain"))
    async def metrics(_: Request) -> PlainTextResponse:
        """Figures in the Prometheus text format."""
        state = view.state()
        lines = [
            "# TYPE quiethall_waiting gauge",
            *(f'quiethall_waiting{{service="{s["id"]}"}} {s["waiting"]}' for s in state["services"]),
            "# TYPE quiethall_counter_open gauge",
            *(
                f'quiethall_counter_open{{counter="{c["id"]}"}} {int(c["state"] == "open")}'
                for c in state["counters"]
            ),
            "# TYPE quiethall_device_up gauge",
            *(
                f'quiethall_device_up{{device="{d["name"]}",kind="{d["kind"]}"}} '
                f"{int(d['state'] not in ('offline', 'unknown'))}"
                for d in state["devices"]
            ),
            "# TYPE quiethall_device_value gauge",
            *(
                f'quiethall_device_value{{device="{d["name"]}",name="{_label(name)}"}} {value}'
                for d in state["devices"]
                for name, value in d["values"].items()
            ),
            "# TYPE quiethall_facts counter",
            f"quiethall_facts {state['stream']['last']}",
            "# TYPE quiethall_unsynced gauge",
            f"quiethall_unsynced {state['uplink']['unsynced']}",
            "# TYPE quiethall_storage_ok gauge",
            f"quiethall_storage_ok {int(state['storage'] == 'ok')}",
            *(
                ("# TYPE quiethall_mirror_behind gauge", f"quiethall_mirror_behind {view.mirror.behind}")
                if view.mirror
                else ()
            ),
            "# TYPE quiethall_journal_bytes gauge",
            f"quiethall_journal_bytes {view.hall.journal.size()}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _label(text: str) -> str:
    """As a label's value in the text format."""
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _issue(view: View, wanted: TicketRequest, mark: str, ticket_id: str) -> IssueTicket:
    sealed = None
    if wanted.appointment is not None:
        # A number that is typed now is sealed for the ticket that the appointment becomes.
        booked = find_appointment(view.hall.queue, wanted.appointment, view.hall.now())
        ticket_id = booked.appointment_id if booked else ticket_id
    if wanted.phone is not None:
        sealed = _sealed(view, wanted.phone, ticket_id)
    if wanted.pager is not None and not view.devices.pagers:
        raise NoPagers
    return IssueTicket(
        request_id=wanted.request_id,
        fingerprint=mark,
        ticket_id=ticket_id,
        token=secrets.token_urlsafe(16),
        service=wanted.asked[0] if wanted.asked else "",
        more_services=wanted.asked[1:],
        appointment=wanted.appointment,
        channel=wanted.channel,
        priority=wanted.priority,
        pager=wanted.pager,
        phone_sealed=sealed,
        phone_tail=wanted.phone[-2:] if wanted.phone else None,
        relative=_relative(view, wanted.relative_phone, ticket_id),
    )


def _relative(view: View, phone: str | None, ticket_id: str) -> SealedPhone | None:
    """Whoever is told when the holder does not come."""
    if phone is None:
        return None
    sealed = _sealed(view, phone, ticket_id)
    return SealedPhone(ticket_id=ticket_id, phone_sealed=sealed, phone_tail=phone[-2:])


def _sealed(view: View, phone: str, ticket_id: str) -> str | None:
    """The number as only the controller can read it; None where only this hall's own modem will need it."""
    key = view.site.site.phone_key
    if key:
        return seal_phone(phone, ticket_id=ticket_id, controller_key=key, nonce=secrets.token_bytes(12))
    if not view.devices.notices.can_send():
        raise NoticesUnavailable
    check_phone(phone)
    return None


def _command(body: dict[str, Any]) -> Command:
    try:
        return command_adapter.validate_python(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        raise BadRequest(what=f"{where}: {first['msg']}") from error


def _taken(view: View, queue: Queue, request_id: str) -> dict[str, Any]:
    done = queue.requests[request_id]
    ticket = queue.tickets.get(done.ticket_id or "")
    if ticket is None:
        raise UnknownTicket(ticket=request_id)  # its day is over
    return {
        "ticket_id": ticket.ticket_id,
        "label": ticket.label,
        "service": ticket.service,
        "services": [*(part.service for part in ticket.parts), ticket.service, *ticket.visits],
        "ahead": ticket.ahead,
        "range_min": ticket.range_min,
        "token": ticket.token,
        "url": view.site.ticket_url(ticket.token),
    }
