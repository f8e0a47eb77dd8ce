"""All tables. Importing this package fills `SQLModel.metadata`, which the migrations compare with."""

from controller.store.tables.fleet import DEVICES, DOCUMENTS, GRANTS, HALLS, WISH_STREAMS, WISHES
from controller.store.tables.journal import FACTS, QUARANTINE, SNAPSHOTS, STREAMS
from controller.store.tables.people import ADMINS, API_KEYS, SESSIONS
from controller.store.tables.tickets import OFFLINE_NUMBERS, RATINGS, REQUESTS, TICKETS
from controller.store.tables.word import ALARMS, NOTICES

__all__ = [
    "ADMINS",
    "ALARMS",
    "API_KEYS",
    "DEVICES",
    "DOCUMENTS",
    "FACTS",
    "GRANTS",
    "HALLS",
    "NOTICES",
    "OFFLINE_NUMBERS",
    "QUARANTINE",
    "RATINGS",
    "REQUESTS",
    "SESSIONS",
    "SNAPSHOTS",
    "STREAMS",
    "TICKETS",
    "WISHES",
    "WISH_STREAMS",
]
