"""What pages may ask about the order of calls and the waiting times told, and its answers."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from controller.use_cases.context import Context
from controller.use_cases.order import order_view, passed_view
from controller.use_cases.waits import calibration_of_week

__all__ = ["LiveOrderDesk", "OrderDesk"]


class OrderDesk(Protocol):
    """Calls explained, and how well the ranges held: plain JSON-ready values."""

    async def passed(self, token: str) -> dict[str, Any]:
        """As `GET /api/t/{token}/passed` answers. Raises UnknownTicket."""
        ...

    async def order(self, hall: str, day: date | None, one: str, other: str) -> dict[str, Any]:
        """As `GET /api/halls/{hall}/order` answers. Raises UnknownHall, UnknownTicket, BadRequest."""
        ...

    async def calibration(self, hall: str) -> dict[str, Any]:
        """As `GET /api/calibration` answers for this hall's last seven days. Raises UnknownHall."""
        ...


@dataclass(frozen=True, slots=True)
class LiveOrderDesk:
    """Implements OrderDesk."""

    context: Context

    async def passed(self, token: str) -> dict[str, Any]:
        return await passed_view(self.context, token)

    async def order(self, hall: str, day: date | None, one: str, other: str) -> dict[str, Any]:
        return await order_view(self.context, hall, day, one, other)

    async def calibration(self, hall: str) -> dict[str, Any]:
        return await calibration_of_week(self.context, hall)
