"""The administrators' calendar: days they have said something about."""

from datetime import date, datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from controller.store.columns import UtcTime, table_of

__all__ = ["CALENDAR"]


class CalendarDay(SQLModel, table=True):
    """One day, as an administrator wants it in one hall, or (`scope` `*`) in all.

    `body` is a special day as JSON; empty: an ordinary day, whatever the national holidays say.
    """

    __tablename__ = "calendar"

    scope: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    body: str = Field(default="", sa_type=Text)
    set_by: str
    set_at: datetime = Field(sa_type=UtcTime)


CALENDAR = table_of(CalendarDay)
