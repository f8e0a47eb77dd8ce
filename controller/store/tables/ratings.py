"""What is done about bad ratings: cases, their steps, and whose telephone rings."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["HALL_MANAGERS", "RATING_CASES", "RATING_CASE_STEPS"]


class RatingCase(SQLModel, table=True):
    """A bad rating that wants an answer. Every change of it is also a step. `level` counts the deadlines
    that have passed: 0, 1 (answer), 2 (close).
    """

    __tablename__ = "rating_cases"
    __table_args__ = (
        Index("ix_rating_cases_hall", "hall", "state", "id"),
        Index("ix_rating_cases_due", "state", "level", "answer_due"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    ticket_id: str = Field(unique=True)
    hall: str
    label: str
    score: int
    state: str = "open"
    assigned_to: str = ""
    level: int = 0
    opened_at: datetime = Field(sa_type=UtcTime)
    answer_due: datetime = Field(sa_type=UtcTime)
    close_due: datetime = Field(sa_type=UtcTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)


class RatingCaseStep(SQLModel, table=True):
    """Who did what, and when. Rows are only ever added: triggers see to it."""

    __tablename__ = "rating_case_steps"

    case_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="rating_cases.id")
    n: int = Field(primary_key=True)
    kind: str
    by: str
    at: datetime = Field(sa_type=UtcTime)
    assignee: str = ""
    result: str = ""
    text: str = Field(default="", sa_type=Text)


class HallManager(SQLModel, table=True):
    """Whose telephone tells of bad ratings. The number is sealed to `manager-<hall>`."""

    __tablename__ = "hall_managers"

    hall: str = Field(primary_key=True)
    phone_sealed: str
    phone_masked: str
    set_by: str
    set_at: datetime = Field(sa_type=UtcTime)


RATING_CASES = table_of(RatingCase)
RATING_CASE_STEPS = table_of(RatingCaseStep)
HALL_MANAGERS = table_of(HallManager)
