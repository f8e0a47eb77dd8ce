"""What use cases that change something have in hand; built once, in the composition root."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from controller.store import halls as hall_store
from controller.store.database import Database, Tx
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.day_books import DayBooks
from controller.use_cases.draft import Draft
from controller.use_cases.fairness import Fairness
from controller.use_cases.hub import Hub, News
from controller.use_cases.kept import Kept
from controller.use_cases.live import LiveHall, LiveHalls
from controller.use_cases.phones import PhoneBox
from controller.use_cases.promise_rules import PromiseRules
from controller.use_cases.rating_rules import RatingRules
from controller.use_cases.shown_services import ShownServices
from controller.use_cases.wishing import WishSender
from hall_core.clock import Clock
from hall_core.errors import HallUnreachable, UnknownHall

__all__ = ["Context"]

T = TypeVar("T")

#: what everybody may know of the halls is worked out so often at most
PUBLIC_S = 2.0


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one running controller."""

    database: Database
    live: LiveHalls
    answers: Answers
    hub: Hub
    sender: WishSender
    notices: Bell
    phones: PhoneBox
    clock: Clock
    new_id: Callable[[], str]
    new_token: Callable[[], str]
    public_url: str
    signature: str
    calendars: Bell = field(default_factory=Bell)
    rating_rules: RatingRules = field(default_factory=RatingRules)
    fairness: Fairness = field(default_factory=Fairness)
    promises: PromiseRules = field(default_factory=PromiseRules)
    day_books: DayBooks = field(default_factory=DayBooks)
    services: ShownServices = field(default_factory=ShownServices)
    public: Kept[list[dict[str, Any]]] = field(default_factory=lambda: Kept(PUBLIC_S))

    def hall(self, hall: str) -> LiveHall:
        """The hall with this id. Raises UnknownHall."""
        found = self.live.by_id(hall)
        if found is None:
            raise UnknownHall(hall=hall)
        return found

    async def enrolled_hall(self, hall: str) -> LiveHall:
        """The hall with this id, also one enrolled a moment ago by another program. Raises UnknownHall."""
        if self.live.by_id(hall) is None:
            for row in await self.database.read(hall_store.all_halls):
                self.live.refresh(row)
        return self.hall(hall)

    def reachable(self, hall: LiveHall) -> None:
        """Raises HallUnreachable unless the hall's box is connected."""
        if not hall.online or hall.incarnation is None:
            raise HallUnreachable(hall=hall.hall)

    async def change(self, work: Callable[[Draft], T]) -> T:
        """`work` in one transaction; afterwards whoever waits for its effects is woken."""

        def inside(tx: Tx) -> tuple[Draft, T]:
            draft = Draft(tx, self.clock.now())
            return draft, work(draft)

        draft, result = await self.database.write(inside)
        for change in draft.after:
            change()
        for agent in draft.woken:
            self.sender.wake(agent)
        if draft.notices:
            self.notices.ring()
        for hall in draft.halls:
            self.hub.tell(News("hall", hall))
        for alarm in draft.alarms:
            self.hub.tell(News("alarm", alarm["hall"], alarm))
        return result
