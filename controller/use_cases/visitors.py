"""People on the open pages: numbers and appointments without a key, and what the holder of a link does."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from controller.store import appointments as appointment_store
from controller.store import draws as draw_store
from controller.store import tickets as ticket_store
from controller.store.database import Tx
from controller.use_cases import citizen
from controller.use_cases.booking import AppointmentRequest, book
from controller.use_cases.context import Context
from controller.use_cases.draws import DrawRequest, register
from controller.use_cases.limits import Once, VisitorLimits
from controller.use_cases.promise_rules import GOODWILL
from controller.use_cases.take_ticket import HallRefused, TicketRequest, take_ticket
from hall_core.errors import BadRequest, HallSaidNo, IdentityNeeded, RequestIdReused
from hall_core.personal import holds_number

__all__ = ["Ask", "Opinion", "Visitors"]

#: who asks on the pages, and the channel it is counted under
OWNER = CHANNEL = "web"

_ACTIONS: dict[str, Callable[[Context, str], Awaitable[Any]]] = {
    "cancel": citizen.cancel,
    "later": citizen.later,
    "postpone": citizen.postpone,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What a form asks for. `key` was made with the form: sent twice it is one request. For a number only:
    `more_services`, and `relative`, whose phone is told when nobody answers the call.
    """

    service: str
    key: str
    phone: str | None = field(default=None, repr=False)
    priority: str | None = None
    more_services: tuple[str, ...] = ()
    relative: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says of a visit: 1 (worst) to 5; with a bad one reasons and words of their own."""

    score: int
    reasons: tuple[str, ...] = ()
    comment: str = field(default="", repr=False)


class Visitors:
    """What the pages let people without a key do, each within the limits of a person."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._limits = VisitorLimits(context.clock)
        self._once = Once()

    async def ticket(self, token: str) -> dict[str, Any]:
        """The citizen's view, with `rating` (`{score}` or None). Raises UnknownTicket."""
        view = await citizen.view(self._context, token)
        rated = await self._context.database.read(lambda tx: ticket_store.rating_of(tx, view["ticket_id"]))
        return {**view, "rating": {"score": rated["score"]} if rated else None}

    async def take(self, hall: str, ask: Ask, address: str) -> str:
        """A number; its link's token. Raises TooManyAttempts first, then what `take_ticket` raises,
        HallSaidNo for the hall's own no.
        """
        self._admit(ask, address)
        asked = TicketRequest(
            *(ask.service, CHANNEL, ask.phone),
            priority=ask.priority,
            more_services=ask.more_services,
            relative_phone=ask.relative,
        )
        try:
            answer = await take_ticket(self._context, hall, asked, owner=OWNER, key=ask.key)
        except RequestIdReused:
            return await self._link(_taken, ask.key)
        if isinstance(answer, HallRefused):
            raise HallSaidNo(reason=answer.slug, said=answer.detail)
        return str(answer.ticket["token"])

    async def book(self, hall: str, ask: Ask, starts_at: datetime, address: str) -> str:
        """An appointment; its link's token. Raises TooManyAttempts first, then what `book` raises."""
        self._admit(ask, address)
        asked = AppointmentRequest(ask.service, starts_at, CHANNEL, ask.phone, ask.priority)
        try:
            booked = await book(self._context, hall, asked, owner=OWNER, key=ask.key)
        except RequestIdReused:
            return await self._link(_booked, ask.key)
        return str(booked.appointment["token"])

    async def register(self, draw_id: str, ask: Ask, wishes: Sequence[datetime], address: str) -> str:
        """A registration for a draw; its link's token. Raises TooManyAttempts first, IdentityNeeded, then
        what `register` raises.
        """
        self._admit(ask, address)
        if ask.phone is None:
            raise IdentityNeeded
        asked = DrawRequest(wishes, ask.phone, CHANNEL, ask.priority)
        try:
            made = await register(self._context, draw_id, asked, owner=OWNER, key=ask.key)
        except RequestIdReused:
            return await self._link(_registered, ask.key)
        return str(made.registration["token"])

    async def act(self, token: str, action: str, key: str, address: str) -> None:
        """`cancel`, `later` or `postpone`, once for each form. Raises what the action raises."""
        work = _ACTIONS[action]
        await self._do(f"{token}.{action}.{key}", lambda: work(self._context, token), address)

    async def check_in(self, token: str, relative: str | None, key: str, address: str) -> None:
        """I am here, and who is told when nobody answers the call. Raises what `citizen.check_in` raises."""

        async def work() -> None:
            if relative is not None:
                self._limits.phone(self._context.phones.index(relative), f"{key}-relative")
            await citizen.check_in(self._context, token, relative)

        await self._do(f"{token}.check-in.{key}", work, address)

    async def reschedule(self, token: str, starts_at: datetime, key: str, address: str) -> None:
        """Another slot. Raises what `citizen.reschedule` raises."""
        await self._do(
            f"{token}.move.{key}", lambda: citizen.reschedule(self._context, token, starts_at), address
        )

    async def rate(self, token: str, visit: Opinion, key: str, address: str) -> None:
        """What the visit was like. Raises what `citizen.rate` raises."""
        await self._do(
            f"{token}.rate.{key}",
            lambda: citizen.rate(
                self._context, token, score=visit.score, comment=visit.comment, reasons=visit.reasons
            ),
            address,
        )

    async def appeal(self, token: str, text: str, key: str, address: str) -> None:
        """Why an appointment was missed. Raises what `citizen.appeal` raises."""
        await self._do(f"{token}.appeal.{key}", lambda: citizen.appeal(self._context, token, text), address)

    async def _do(self, form: str, work: Callable[[], Awaitable[Any]], address: str) -> None:
        self._limits.act(address)
        await self._once.do(form, work)

    def _admit(self, ask: Ask, address: str) -> None:
        self._limits.visit(address)
        if holds_number(ask.key):
            raise BadRequest(what="key")
        if ask.priority == GOODWILL:  # halls give it, nobody takes it
            raise BadRequest(what="priority")
        if ask.phone is not None:
            self._limits.phone(self._context.phones.index(ask.phone), ask.key)
        if ask.relative is not None:  # nobody is called to the telephone by strangers without end
            self._limits.phone(self._context.phones.index(ask.relative), f"{ask.key}-relative")

    async def _link(self, find: Callable[[Tx, str], str | None], key: str) -> str:
        """A form that was changed and sent again gets what it got: nobody ends up with two numbers."""
        token = await self._context.database.read(lambda tx: find(tx, key))
        if token is None:
            raise RequestIdReused
        return token


def _taken(tx: Tx, key: str) -> str | None:
    row = ticket_store.request(tx, OWNER, key)
    answer = json.loads(row["answer"]) if row and row["answer"] else {}
    return answer.get("token")


def _registered(tx: Tx, key: str) -> str | None:
    row = draw_store.entry_by_key(tx, OWNER, key)
    return row["token"] if row else None


def _booked(tx: Tx, key: str) -> str | None:
    row = appointment_store.appointment_by_key(tx, OWNER, key)
    return row["token"] if row else None
