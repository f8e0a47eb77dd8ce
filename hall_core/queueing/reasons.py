"""Why a visit was bad: a fixed list, so that reasons can be counted. Their words are in `hall_ui/words`."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from hall_core.errors import BadRequest

__all__ = ["BAD_SCORE", "REASONS", "Reasons", "checked_reasons"]

#: such a score, or a lower one, asks for reasons and for an answer
BAD_SCORE = 2
#: in the order in which they are offered
REASONS = ("waited", "slow", "attitude", "unclear", "materials", "sent-away", "system", "other")

#: as they travel: a newer program may know a reason that this one does not
Reasons = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[a-z-]{1,16}$")], ...], Field(max_length=len(REASONS) * 2)
]


def checked_reasons(score: int, said: Iterable[str]) -> tuple[str, ...]:
    """The reasons once each, in the order of the list.

    Raises BadRequest for one that is not of the list, and for reasons of a rating that is not bad.
    """
    ticked = set(said)
    if ticked - set(REASONS) or (ticked and score > BAD_SCORE):
        raise BadRequest(what="reasons")
    return tuple(reason for reason in REASONS if reason in ticked)
