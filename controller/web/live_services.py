"""What the pages ask, answered by the running controller."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from starlette.requests import Request

from controller.store import alarms as alarm_store
from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.use_cases.booking_days import days_view
from controller.use_cases.context import Context
from controller.use_cases.near import public_halls
from controller.use_cases.people import People
from controller.use_cases.views import hall_view, halls_view, plain, ticket_row_view
from controller.use_cases.visitors import Ask, Opinion, Visitors
from controller.web.calendar_desk import CalendarDesk, LiveCalendarDesk
from controller.web.fair_desk import FairDesk, LiveFairDesk
from controller.web.order_desk import LiveOrderDesk, OrderDesk
from controller.web.rating_office import LiveRatingOffice, RatingOffice
from controller.web.services import SESSION_COOKIE
from hall_core.clock import Clock

__all__ = ["LiveServices"]

#: alarms shown on one page
SHOWN = 200
TODAY = timedelta(hours=24)


@dataclass(slots=True)
class LiveServices:
    """Implements Services."""

    context: Context
    people: People
    visitors: Visitors = field(init=False)
    calendar: CalendarDesk = field(init=False)
    office: RatingOffice = field(init=False)
    desk: OrderDesk = field(init=False)
    fair: FairDesk = field(init=False)

    def __post_init__(self) -> None:
        self.visitors = Visitors(self.context)
        self.calendar = LiveCalendarDesk(self.context)
        self.office = LiveRatingOffice(self.context)
        self.desk = LiveOrderDesk(self.context)
        self.fair = LiveFairDesk(self.context, self.visitors)

    @property
    def clock(self) -> Clock:
        return self.context.clock

    @property
    def public_url(self) -> str:
        return self.context.public_url

    async def viewer(self, request: Request) -> str | None:
        return await self.people.admin(request.cookies.get(SESSION_COOKIE))

    async def login(self, user: str, password: str, address: str) -> str:
        return await self.people.login(user, password, address)

    async def logout(self, secret: str) -> None:
        await self.people.logout(secret)

    async def halls(self) -> list[dict[str, Any]]:
        return await halls_view(self.context)

    async def hall(self, hall: str) -> dict[str, Any]:
        return hall_view(self.context, await self.context.enrolled_hall(hall))

    async def ticket(self, token: str) -> dict[str, Any]:
        return await self.visitors.ticket(token)

    async def public_halls(self) -> list[dict[str, Any]]:
        return await public_halls(self.context)

    async def days(self, hall: str, service: str, day: date | None) -> dict[str, Any]:
        return await days_view(self.context, hall, service, day)

    async def take(self, hall: str, ask: Ask, address: str) -> str:
        return await self.visitors.take(hall, ask, address)

    async def book(self, hall: str, ask: Ask, starts_at: datetime, address: str) -> str:
        return await self.visitors.book(hall, ask, starts_at, address)

    async def act(self, token: str, action: str, key: str, address: str) -> None:
        await self.visitors.act(token, action, key, address)

    async def check_in(self, token: str, relative: str | None, key: str, address: str) -> None:
        await self.visitors.check_in(token, relative, key, address)

    async def reschedule(self, token: str, starts_at: datetime, key: str, address: str) -> None:
        await self.visitors.reschedule(token, starts_at, key, address)

    async def rate(self, token: str, visit: Opinion, key: str, address: str) -> None:
        await self.visitors.rate(token, visit, key, address)

    async def tickets(self, hall: str, *, limit: int = 20) -> list[dict[str, Any]]:
        rows = await self.context.database.read(
            lambda tx: ticket_store.newest_tickets(tx, hall=hall, limit=limit)
        )
        return [ticket_row_view(self.context, row) for row in rows]

    async def alarms(self, *, hall: str | None = None, open_only: bool = True) -> list[dict[str, Any]]:
        rows = await self.context.database.read(
            lambda tx: alarm_store.alarms_page(
                tx, hall=hall, open_only=open_only, after=0, limit=SHOWN, newest_first=True
            )
        )
        return [plain(row) for row in rows]

    async def notice_counts(self) -> dict[str, int]:
        since = self.clock.now() - TODAY
        return await self.context.database.read(lambda tx: notice_store.counts(tx, since))

    async def ratings(self, *, hall: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
        rows = await self.context.database.read(
            lambda tx: ticket_store.ratings_page(tx, hall=hall, limit=limit, newest_first=True)
        )
        return [plain(row) for row in rows]
