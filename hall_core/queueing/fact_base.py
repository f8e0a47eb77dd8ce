"""What all facts share."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

__all__ = ["MAX_COUNT", "MAX_NUMBER", "MAX_PAGER", "FactBase", "FactUnreadable", "SealedPhone"]

#: zone 98 ends here
MAX_NUMBER = 98_999
#: the highest number on a pager
MAX_PAGER = 99_999
#: what every database can hold
MAX_COUNT = 2**31 - 1


class SealedPhone(BaseModel):
    """A number that only the controller can read, sealed for this ticket; erased, the rest remains."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ticket_id: str = Field(min_length=1, max_length=64)
    phone_sealed: str | None = None
    phone_tail: str | None = Field(default=None, max_length=2)


class FactBase(BaseModel):
    """When it happened, and which request caused it (`fingerprint` tells requests with one id apart)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    request_id: str | None = None
    fingerprint: str | None = None


class FactUnreadable(FactBase):
    """Stands in a stream for a fact that its reader cannot apply: a newer version's kind, or a damaged one.

    It is never sent. `raw` is what was sent, kept for the day when it can be read.
    """

    kind: Literal["fact-unreadable"] = "fact-unreadable"
    was: str
    reason: str
    raw: str
