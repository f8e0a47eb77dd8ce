"""What the pages ask, answered by the running controller."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from controller.store import alarms as alarm_store
from controller.store import notices as notice_store
from controller.store import tickets as ticket_store
from controller.use_cases import citizen
from controller.use_cases.context import Context
from controller.use_cases.people import People
from controller.use_cases.views import hall_view, halls_view, plain, ticket_row_view
from controller.web.services import SESSION_COOKIE
from hall_core.clock import Clock

__all__ = ["LiveServices"]

#: alarms shown on one page
SHOWN = 200
TODAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class LiveServices:
    """Implements Services."""

    context: Context
    people: People

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
        return await citizen.view(self.context, token)

    async def cancel(self, token: str) -> dict[str, Any]:
        return await citizen.cancel(self.context, token)

    async def tickets(self, hall: str, *, limit: int = 20) -> list[dict[str, Any]]:
        rows = await self.context.database.read(
            lambda tx: ticket_store.newest_tickets(tx, hall=hall, limit=limit)
        )
        return [ticket_row_view(row) for row in rows]

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
