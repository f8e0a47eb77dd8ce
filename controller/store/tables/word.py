"""Word to people: notices to citizens, alarms to staff."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["ALARMS", "NOTICES", "RECEIPTS"]

_WITH_PHONE = text("to_key <> '' OR phone_sealed IS NOT NULL")


class Notice(SQLModel, table=True):
    """One message to one citizen, written with the fact it tells of. `text` holds no phone number.

    `provider` is the gateway it was given to first: no other is ever tried. `words` (JSON) fill a provider's
    template. `phone_sealed` is only set while no ticket holds the number. `to_key` is a keyed digest of the
    number, for limits per number.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("ticket_id", "kind", "call_no"),
        Index("ix_notices_due", "state", "priority", "next_at"),
        Index("ix_notices_next", "state", "next_at"),
        Index("ix_notices_given", "provider", "provider_id"),
        Index("ix_notices_number", "to_key", "sent_at"),
        Index("ix_notices_phone", "made_at", sqlite_where=_WITH_PHONE, postgresql_where=_WITH_PHONE),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    ticket_id: str
    kind: str
    call_no: int = 0
    hall: str
    priority: int
    text: str = Field(sa_type=Text)
    state: str = "pending"
    reason: str = ""
    client_ref: str = Field(unique=True)
    provider_id: str = ""
    attempts: int = 0
    made_at: datetime = Field(sa_type=UtcTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcTime)
    next_at: datetime = Field(sa_type=UtcTime)
    not_after: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    provider: str = ""
    words: str = Field(default="", sa_type=Text)
    phone_sealed: str | None = None
    to_key: str = ""


class EarlyReceipt(SQLModel, table=True):
    """A receipt that came before the answer it belongs to was stored."""

    __tablename__ = "early_receipts"

    provider: str = Field(primary_key=True)
    provider_id: str = Field(primary_key=True)
    state: str
    reason: str = ""
    at: datetime = Field(sa_type=UtcTime)


class Alarm(SQLModel, table=True):
    """Something staff must look at; the same trouble twice counts up while it is open."""

    __tablename__ = "alarms"
    __table_args__ = (Index("ix_alarms_open", "closed_at", "kind", "hall", "subject"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    kind: str
    hall: str | None = None
    subject: str = ""
    text: str = Field(sa_type=Text)
    text_en: str = Field(sa_type=Text)
    count: int = 1
    opened_at: datetime = Field(sa_type=UtcTime)
    seen_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


NOTICES = table_of(Notice)
RECEIPTS = table_of(EarlyReceipt)
ALARMS = table_of(Alarm)
