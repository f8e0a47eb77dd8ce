"""Wishes about boxes: one goes on where another stopped, a slip whose record is gone counts again."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hall_core.queueing.command_base import CommandBase
from hall_core.queueing.fact_base import SealedPhone
from hall_core.queueing.facts_of_tickets import VisitPart

__all__ = ["ReRegister", "RetireBox", "TakeOver", "TakenOver"]


class TakenOver(BaseModel):
    """A ticket as the controller last knew it in a box that is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ticket_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    label: str = Field(min_length=1, max_length=16)
    line: str = Field(min_length=1, max_length=1)
    number: int = Field(ge=1, le=98_999)
    day: date
    service: str
    channel: str = "kiosk"
    priority: str | None = None
    issued_at: AwareDatetime
    effective_at: AwareDatetime
    ahead: int = Field(default=0, ge=0)
    appointment: str | None = None
    visits: tuple[str, ...] = ()
    parts: tuple[VisitPart, ...] = ()
    relative: SealedPhone | None = None
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class TakeOver(CommandBase):
    """Go on where another box stopped: these tickets of it still wait."""

    kind: Literal["take-over"] = "take-over"
    tickets: tuple[TakenOver, ...] = Field(max_length=100)


class ReRegister(CommandBase):
    """Take in the number of a signed slip whose record is gone. Who made the wish checked the signature."""

    kind: Literal["re-register"] = "re-register"
    ticket_id: str = Field(min_length=1, max_length=64)
    token: str = Field(min_length=1, max_length=64)
    service: str
    more_services: tuple[str, ...] = Field(default=(), max_length=16)
    line: str = Field(min_length=1, max_length=1)
    number: int = Field(ge=1, le=98_999)
    day: date
    priority: str | None = None
    issued_at: AwareDatetime


class RetireBox(CommandBase):
    """Another box has this hall now: give and call no more numbers."""

    kind: Literal["retire-box"] = "retire-box"
    successor: str | None = Field(default=None, max_length=64)
