"""The API of one hall: the stable surface that kiosks, consoles and other programs are written against."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_agent.sealing import fingerprint, seal_phone
from edge_agent.web.view import View, public
from hall_core.errors import BadRequest, NoGrant, NoticesUnavailable, UnknownTicket
from hall_core.queueing.commands import Command, IssueTicket, RateVisit, command_adapter
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
    """A citizen wants a number. The same `request_id` again gets the same answer."""

    model_config = ConfigDict(extra="forbid")

    request_id: str = Field(min_length=1, max_length=64)
    service: str = Field(min_length=1, max_length=32)
    channel: str = Field(default="kiosk", pattern=r"^[a-z0-9-]{1,16}$")
    priority: str | None = Field(default=None, max_length=32)
    phone: str | None = Field(default=None, max_length=20)
    appointment: str | None = Field(default=None, max_length=64)


class RatingRequest(BaseModel):
    """The citizen at a counter, or the last one who left it, rates the visit: 1 (worst) to 5."""

    model_config = ConfigDict(extra="forbid")

    request_id: str = Field(min_length=1, max_length=64)
    counter: str = Field(min_length=1, max_length=32)
    score: int = Field(ge=1, le=5)
    channel: str = Field(default="page", pattern=r"^[a-z0-9-]{1,16}$")


def api_routes(view: View, new_id: Callable[[], str]) -> APIRouter:
    """`/api/*` and the probes."""
    router = APIRouter()
    hall, guard = view.hall, view.guard

    @router.get("/api/state")
    async def state() -> Response:
        """The whole hall at a glance."""
        return Response(view.state_text(), media_type="application/json")

    @router.post("/api/tickets", status_code=201)
    async def take(wanted: TicketRequest) -> JSONResponse:
        """Take a number: 201, or 200 with the same body for a request that was answered before."""
        if wanted.appointment is not None:
            raise UnknownTicket(ticket=wanted.appointment)
        body = wanted.model_dump(exclude={"request_id"})
        command = _issue(view, wanted, fingerprint(guard.accounts.pepper, body), new_id())
        handled = await hall.handle(command)
        return JSONResponse(
            _taken(view, handled.queue, wanted.request_id), status_code=201 if handled.facts else 200
        )

    @router.get("/api/tickets/{ticket_id}")
    async def ticket(ticket_id: str) -> dict[str, Any]:
        """One ticket with its facts, and what came of its slip (`print`)."""
        found = hall.queue.find(ticket_id)
        if found is None:
            raise UnknownTicket(ticket=ticket_id)
        facts = [public(f.n, f.body) for f in hall.journal.facts_of(found.ticket_id)]
        printed = view.devices.outcome(found.ticket_id) if found.channel == "kiosk" else None
        return {**ticket_summary(hall.queue, found, hall.now()), "print": printed, "facts": facts}

    @router.get("/api/facts")
    async def facts(
        after: int = Query(default=0, ge=0), limit: int = Query(default=100, ge=1, le=1000)
    ) -> list[dict[str, Any]]:
        """The journal from `after` + 1 on."""
        return [public(f.n, f.body) for f in hall.journal.read(after, limit)]

    _ratings(router, view)
    _counters(router, view)
    _probes(router, view)
    return router


def _ratings(router: APIRouter, view: View) -> None:
    @router.post("/api/ratings", status_code=201)
    async def rate(said: RatingRequest) -> dict[str, Any]:
        """Rate the visit at a counter, once. Raises IllegalTransition where there is none to rate."""
        mark = fingerprint(view.guard.accounts.pepper, said.model_dump(exclude={"request_id"}))
        handled = await view.hall.handle(RateVisit(fingerprint=mark, **said.model_dump()))
        done = handled.queue.requests[said.request_id]
        ticket = handled.queue.tickets.get(done.ticket_id or "")
        return {"ticket": {"label": ticket.label} if ticket else None, "score": said.score}


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
        """The hall can give numbers today. Raises NoGrant while it cannot."""
        queue = view.hall.queue
        if queue.setup is None or queue.day is None:
            raise NoGrant(line="*", day="-")
        for service in queue.setup.services:
            next_number(queue, line=service.prefix, day=queue.day, incarnation=view.hall.journal.stream)
        return {"status": "ready", "business_day": queue.day.isoformat()}

    @router.get("/metrics")
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
            "# TYPE quiethall_facts counter",
            f"quiethall_facts {state['stream']['last']}",
            "# TYPE quiethall_unsynced gauge",
            f"quiethall_unsynced {state['uplink']['unsynced']}",
        ]
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _issue(view: View, wanted: TicketRequest, mark: str, ticket_id: str) -> IssueTicket:
    sealed = None
    if wanted.phone is not None:
        key = view.site.site.phone_key
        if not key:
            raise NoticesUnavailable
        sealed = seal_phone(
            wanted.phone, ticket_id=ticket_id, controller_key=key, nonce=secrets.token_bytes(12)
        )
    return IssueTicket(
        request_id=wanted.request_id,
        fingerprint=mark,
        ticket_id=ticket_id,
        token=secrets.token_urlsafe(16),
        service=wanted.service,
        channel=wanted.channel,
        priority=wanted.priority,
        phone_sealed=sealed,
        phone_tail=wanted.phone[-2:] if wanted.phone else None,
    )


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
        "ahead": ticket.ahead,
        "range_min": ticket.range_min,
        "token": ticket.token,
        "url": view.site.ticket_url(ticket.token),
    }
