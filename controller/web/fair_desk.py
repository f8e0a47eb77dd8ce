"""What pages may ask about draws and about appeals, and its answers from the running controller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from controller.use_cases.appeal_office import appeals_view, decide
from controller.use_cases.context import Context
from controller.use_cases.draws import draw_view, draws_view
from controller.use_cases.visitors import Ask, Visitors

__all__ = ["FairDesk", "LiveFairDesk"]


class FairDesk(Protocol):
    """Draws of new booking days, appeals against missed appointments: plain JSON-ready values."""

    async def draws(self, hall: str) -> list[dict[str, Any]]:
        """As `GET /api/public/halls/{hall}/draws` answers. Raises UnknownHall."""
        ...

    async def draw(self, draw_id: str) -> dict[str, Any]:
        """As `GET /api/public/draws/{draw}` answers. Raises UnknownDraw."""
        ...

    async def register(self, draw_id: str, ask: Ask, wishes: Sequence[datetime], address: str) -> str:
        """Somebody at this address takes part; their link's token. Raises TooManyAttempts or another
        Refused. The same form again: the same registration.
        """
        ...

    async def appeal(self, token: str, text: str, key: str, address: str) -> None:
        """Why an appointment was missed, once for each form's `key`. Raises a Refused."""
        ...

    async def appeals(self, hall: str | None, state: str | None, *, limit: int) -> list[dict[str, Any]]:
        """The newest first, as `GET /api/appeals` answers."""
        ...

    async def decide(self, appeal: int, *, grant: bool, answer: str, who: str) -> None:
        """Grant or refuse an appeal. Raises a Refused."""
        ...


@dataclass(frozen=True, slots=True)
class LiveFairDesk:
    """Implements FairDesk."""

    context: Context
    visitors: Visitors

    async def draws(self, hall: str) -> list[dict[str, Any]]:
        return await draws_view(self.context, hall)

    async def draw(self, draw_id: str) -> dict[str, Any]:
        return await draw_view(self.context, draw_id)

    async def register(self, draw_id: str, ask: Ask, wishes: Sequence[datetime], address: str) -> str:
        return await self.visitors.register(draw_id, ask, wishes, address)

    async def appeal(self, token: str, text: str, key: str, address: str) -> None:
        await self.visitors.appeal(token, text, key, address)

    async def appeals(self, hall: str | None, state: str | None, *, limit: int) -> list[dict[str, Any]]:
        return await appeals_view(self.context, hall=hall, state=state, limit=limit)

    async def decide(self, appeal: int, *, grant: bool, answer: str, who: str) -> None:
        await decide(self.context, appeal, grant=grant, answer=answer, who=who)
