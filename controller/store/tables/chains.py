"""Sealed heads of the chains of calls."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel

from controller.store.columns import BigId, UtcTime, table_of

__all__ = ["CHAIN_HEADS"]


class ChainHead(SQLModel, table=True):
    """The chain of one stream's calls of a day, as far as it was sealed: `count` calls up to fact `n`."""

    __tablename__ = "chain_heads"

    stream: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    hall: str
    n: int = Field(sa_type=BigId)
    count: int
    head: str
    signature: str
    sealed_at: datetime = Field(sa_type=UtcTime)


CHAIN_HEADS = table_of(ChainHead)
