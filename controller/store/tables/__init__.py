"""All tables. Importing this package fills `SQLModel.metadata`, which the migrations compare with."""

from controller.store.tables.appointments import APPOINTMENTS, SLOTS_TAKEN
from controller.store.tables.calendar import CALENDAR
from controller.store.tables.chains import CHAIN_HEADS
from controller.store.tables.draws import DRAW_ENTRIES, DRAWS, FREED_PLACES
from controller.store.tables.fleet import DEVICES, DOCUMENTS, GRANTS, HALLS, WISH_STREAMS, WISHES
from controller.store.tables.journal import FACTS, QUARANTINE, SNAPSHOTS, STREAMS
from controller.store.tables.people import ADMINS, API_KEYS, SESSIONS
from controller.store.tables.promises import APPEALS, CREDITS
from controller.store.tables.ratings import HALL_MANAGERS, RATING_CASE_STEPS, RATING_CASES
from controller.store.tables.tickets import OFFLINE_NUMBERS, RATINGS, REQUESTS, TICKETS
from controller.store.tables.waits import STREAM_DAYS, WAITS
from controller.store.tables.word import ALARMS, NOTICES, RECEIPTS

__all__ = [
    "ADMINS",
    "ALARMS",
    "API_KEYS",
    "APPEALS",
    "APPOINTMENTS",
    "CALENDAR",
    "CHAIN_HEADS",
    "CREDITS",
    "DEVICES",
    "DOCUMENTS",
    "DRAWS",
    "DRAW_ENTRIES",
    "FACTS",
    "FREED_PLACES",
    "GRANTS",
    "HALLS",
    "HALL_MANAGERS",
    "NOTICES",
    "OFFLINE_NUMBERS",
    "QUARANTINE",
    "RATINGS",
    "RATING_CASES",
    "RATING_CASE_STEPS",
    "RECEIPTS",
    "REQUESTS",
    "SESSIONS",
    "SLOTS_TAKEN",
    "SNAPSHOTS",
    "STREAMS",
    "STREAM_DAYS",
    "TICKETS",
    "WAITS",
    "WISHES",
    "WISH_STREAMS",
]
