"""What all wishes share."""

from pydantic import BaseModel, ConfigDict, Field

from hall_core.personal import PlainId

__all__ = ["CommandBase"]


class CommandBase(BaseModel):
    """Common to all wishes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: PlainId | None = Field(default=None, min_length=1, max_length=64)
    fingerprint: str | None = Field(default=None, max_length=64)
