"""Facts: what has happened. Past tense, journaled and sent exactly as they are, never edited.

The classes stand in the files `facts_of_…`; this is the list of all of them.
"""

from typing import Annotated

from pydantic import Field, TypeAdapter

from hall_core.queueing.fact_base import FactBase, FactUnreadable, SealedPhone
from hall_core.queueing.facts_of_appointments import (
    AppointmentBooked,
    AppointmentDropped,
    AppointmentFact,
    AppointmentMissed,
)
from hall_core.queueing.facts_of_halls import (
    BoxRetired,
    BusinessDayOpened,
    CalendarSet,
    CounterClosed,
    CounterFact,
    CounterOpened,
    CounterPaused,
    CounterResumed,
    HallConfigured,
    WishRefused,
    ZoneGranted,
)
from hall_core.queueing.facts_of_tickets import (
    ServiceStarted,
    TicketCalled,
    TicketCancelled,
    TicketFact,
    TicketFinished,
    TicketHeld,
    TicketIssued,
    TicketLapsed,
    TicketMovedOn,
    TicketNoShow,
    TicketPostponed,
    TicketRecalled,
    TicketReturned,
    TicketTransferred,
    VisitPart,
)
from hall_core.queueing.facts_of_visits import (
    CallEscalated,
    NoticeByHall,
    PagerGiven,
    TicketRated,
    TicketRatingExplained,
)

__all__ = [
    "AppointmentBooked",
    "AppointmentDropped",
    "AppointmentFact",
    "AppointmentMissed",
    "BoxRetired",
    "BusinessDayOpened",
    "CalendarSet",
    "CallEscalated",
    "CounterClosed",
    "CounterFact",
    "CounterOpened",
    "CounterPaused",
    "CounterResumed",
    "Fact",
    "FactBase",
    "FactUnreadable",
    "HallConfigured",
    "NoticeByHall",
    "PagerGiven",
    "SealedPhone",
    "ServiceStarted",
    "TicketCalled",
    "TicketCancelled",
    "TicketFact",
    "TicketFinished",
    "TicketHeld",
    "TicketIssued",
    "TicketLapsed",
    "TicketMovedOn",
    "TicketNoShow",
    "TicketPostponed",
    "TicketRated",
    "TicketRatingExplained",
    "TicketRecalled",
    "TicketReturned",
    "TicketTransferred",
    "VisitPart",
    "WishRefused",
    "ZoneGranted",
    "fact_adapter",
    "facts_adapter",
]

Fact = Annotated[
    HallConfigured
    | BusinessDayOpened
    | ZoneGranted
    | CalendarSet
    | BoxRetired
    | WishRefused
    | AppointmentBooked
    | AppointmentDropped
    | AppointmentMissed
    | TicketIssued
    | TicketCalled
    | TicketRecalled
    | ServiceStarted
    | TicketFinished
    | TicketMovedOn
    | TicketNoShow
    | TicketHeld
    | TicketReturned
    | TicketPostponed
    | TicketTransferred
    | TicketCancelled
    | TicketLapsed
    | TicketRated
    | TicketRatingExplained
    | PagerGiven
    | NoticeByHall
    | CallEscalated
    | CounterOpened
    | CounterPaused
    | CounterResumed
    | CounterClosed,
    Field(discriminator="kind"),
]

fact_adapter: TypeAdapter[Fact] = TypeAdapter(Fact)
facts_adapter: TypeAdapter[list[Fact]] = TypeAdapter(list[Fact])
