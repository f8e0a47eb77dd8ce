"""What the controller's pages may ask: plain JSON-ready values, never a table or a connection.

`controller.web.pages.pages(services) -> APIRouter` is included by the application after the API.
Live changes come from `GET /api/stream` (events `snapshot`, `hall`, `alarm`, `beat`) and
`GET /api/t/{token}/stream` (events `ticket`, `beat`).
"""

from datetime import date, datetime
from typing import Any, Protocol

from starlette.requests import Request

from controller.use_cases.visitors import Ask, Opinion
from controller.web.calendar_desk import CalendarDesk
from controller.web.fair_desk import FairDesk
from controller.web.order_desk import OrderDesk
from controller.web.rating_office import RatingOffice
from hall_core.clock import Clock

__all__ = ["SESSION_COOKIE", "Ask", "Opinion", "Services"]

#: name of the cookie that carries a login
SESSION_COOKIE = "qh_centre"


class Services(Protocol):
    """What pages need of the controller."""

    @property
    def clock(self) -> Clock: ...

    @property
    def calendar(self) -> CalendarDesk:
        """Days that are not like the others."""
        ...

    @property
    def desk(self) -> OrderDesk:
        """What pages about the order of calls and the times told may ask."""
        ...

    @property
    def fair(self) -> FairDesk:
        """Draws of new booking days."""
        ...

    @property
    def office(self) -> RatingOffice:
        """Ratings, their cases and rankings."""
        ...

    @property
    def public_url(self) -> str:
        """Where citizens reach this controller, without a slash at the end."""
        ...

    async def viewer(self, request: Request) -> str | None:
        """The name of the administrator whose session the request carries, or None."""
        ...

    async def login(self, user: str, password: str, address: str) -> str:
        """A new session's secret, to be set as the cookie `SESSION_COOKIE` (HttpOnly, SameSite=Lax).

        Raises LoginNeeded for a wrong name or password, TooManyAttempts before hashing anything.
        """
        ...

    async def logout(self, secret: str) -> None:
        """End this session; an unknown one is no error."""
        ...

    async def halls(self) -> list[dict[str, Any]]:
        """All halls as `GET /api/halls` answers: `{id, name, level, parent, online, last_seen, stale,
        services, counters, calls, devices, waiting, unsynced, state_hash, stream: {id, applied}}`.
        """
        ...

    async def hall(self, hall: str) -> dict[str, Any]:
        """One hall, as in `halls`. Raises UnknownHall."""
        ...

    async def ticket(self, token: str) -> dict[str, Any]:
        """A citizen's view as `GET /api/t/{token}` answers, with `rating`. Raises UnknownTicket."""
        ...

    async def public_halls(self) -> list[dict[str, Any]]:
        """All halls as `GET /api/public/halls` answers."""
        ...

    async def days(self, hall: str, service: str, day: date | None) -> dict[str, Any]:
        """`{today, day, days: [{day, left}], slots, earlier, later}`: when the service can be booked.

        Raises UnknownHall, UnknownService, HallUnreachable, NoSlots.
        """
        ...

    async def take(self, hall: str, ask: Ask, address: str) -> str:
        """A number for somebody at this address; its link's token. Raises TooManyAttempts or another
        Refused. The same form again: the same number.
        """
        ...

    async def book(self, hall: str, ask: Ask, starts_at: datetime, address: str) -> str:
        """An appointment, as `take`."""
        ...

    async def act(self, token: str, action: str, key: str, address: str) -> None:
        """`cancel`, `later` or `postpone`, once for each form's `key`. Raises a Refused."""
        ...

    async def check_in(self, token: str, relative: str | None, key: str, address: str) -> None:
        """I am here; `relative` is told when nobody answers the call. Raises a Refused."""
        ...

    async def reschedule(self, token: str, starts_at: datetime, key: str, address: str) -> None:
        """Another slot for an appointment. Raises a Refused."""
        ...

    async def rate(self, token: str, visit: Opinion, key: str, address: str) -> None:
        """What a finished visit was like. Raises a Refused."""
        ...

    async def tickets(self, hall: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """The hall's newest tickets, as `GET /api/tickets` answers."""
        ...

    async def alarms(self, *, hall: str | None = None, open_only: bool = True) -> list[dict[str, Any]]:
        """Newest first: `{id, kind, hall, subject, text, text_en, opened_at, closed_at, count}`."""
        ...

    async def notice_counts(self) -> dict[str, int]:
        """How many notices of today are in each state (`pending`, `accepted`, `unknown`, …)."""
        ...

    async def ratings(self, *, hall: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        """Newest first: `{id, hall, label, service, counter, score, comment, at}`."""
        ...
