"""What the pages about ratings may ask, and its answers from the running controller."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from controller.store.ratings import Wanted
from controller.use_cases.context import Context
from controller.use_cases.managers import forget_manager, manager_view, set_manager
from controller.use_cases.rating_cases import case_view, cases_view, take_step
from controller.use_cases.rating_figures import ranking_view, ratings_view

__all__ = ["LiveRatingOffice", "RatingOffice", "Wanted"]


class RatingOffice(Protocol):
    """Ratings, cases, rankings, and managers' telephones: plain JSON-ready values."""

    async def ratings(self, wanted: Wanted, *, before: int, limit: int) -> list[dict[str, Any]]:
        """Newest first, those before this `id`, as `GET /api/ratings` answers."""
        ...

    async def ranking(self, first: date | None, last: date | None) -> dict[str, Any]:
        """As `GET /api/ratings/ranking` answers. Raises BadRequest."""
        ...

    async def cases(self, hall: str | None, *, limit: int) -> list[dict[str, Any]]:
        """Those that are not closed, the most urgent first, as `GET /api/rating-cases` answers."""
        ...

    async def case(self, case_id: int) -> dict[str, Any]:
        """One case with `steps` and what `may` come next. Raises UnknownCase."""
        ...

    async def step(self, case_id: int, step: str, who: str, said: dict[str, str]) -> None:
        """Take one step. Raises a Refused."""
        ...

    async def manager(self, hall: str) -> str | None:
        """The masked number of the hall's manager. Raises UnknownHall."""
        ...

    async def set_manager(self, hall: str, phone: str, who: str) -> None:
        """Keep this number; none is kept for an empty one. Raises UnknownHall, PhoneInvalid."""
        ...


@dataclass(frozen=True, slots=True)
class LiveRatingOffice:
    """Implements RatingOffice."""

    context: Context

    async def ratings(self, wanted: Wanted, *, before: int, limit: int) -> list[dict[str, Any]]:
        return await ratings_view(self.context, wanted, after=before, limit=limit, newest_first=True)

    async def ranking(self, first: date | None, last: date | None) -> dict[str, Any]:
        return await ranking_view(self.context, first, last)

    async def cases(self, hall: str | None, *, limit: int) -> list[dict[str, Any]]:
        return await cases_view(self.context, hall=hall, state="unfinished", limit=limit, urgent_first=True)

    async def case(self, case_id: int) -> dict[str, Any]:
        return await case_view(self.context, case_id)

    async def step(self, case_id: int, step: str, who: str, said: dict[str, str]) -> None:
        await take_step(self.context, case_id, step, who, **said)

    async def manager(self, hall: str) -> str | None:
        phone: str | None = (await manager_view(self.context, hall))["phone"]
        return phone

    async def set_manager(self, hall: str, phone: str, who: str) -> None:
        if phone:
            await set_manager(self.context, hall, phone, who)
        else:
            await forget_manager(self.context, hall)
