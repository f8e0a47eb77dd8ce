"""Reading fact messages of which some facts cannot be read: the others must not wait for them."""

import json
from datetime import datetime
from typing import cast

from pydantic import ValidationError

from hall_core.errors import WireError
from hall_core.queueing.facts import Fact, FactUnreadable, fact_adapter
from hall_core.wire.envelope import BATCH, MAX_BYTES, FactBatch

__all__ = ["decode_damaged", "read_fact", "unreadable"]

#: so much of a fact that cannot be read is kept
KEPT_CHARS = 16_384


def decode_damaged(payload: bytes, now: datetime) -> FactBatch:
    """A message whose head is sound; facts that cannot be read become `FactUnreadable`. Raises WireError.

    To be tried after `decode` has failed, and not instead of it.
    """
    if len(payload) > MAX_BYTES or b"\\u0000" in payload:
        raise WireError("FactBatch: too large, or holds a NUL character")
    try:
        body = json.loads(payload)
        parts = list(body["facts"])
        readable = FactBatch.model_validate({**body, "facts": [_HARMLESS]}, extra="ignore")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WireError("FactBatch: head cannot be read") from error
    if not 1 <= len(parts) <= BATCH:
        raise WireError("FactBatch: facts: not a list of 1 to 100")
    facts = [read_fact(json.dumps(part, ensure_ascii=False), now) for part in parts]
    return readable.model_copy(update={"facts": facts})


def read_fact(body: str, now: datetime) -> Fact:
    """The fact in this JSON, or what stands for one that cannot be read."""
    try:
        return fact_adapter.validate_json(body, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return unreadable(body, first["type"], now)


def unreadable(body: str, reason: str, now: datetime) -> Fact:
    """What stands, where facts stand, for one that cannot be applied: a `FactUnreadable`."""
    try:
        said = json.loads(body)
        was = str(said.get("kind", "?"))[:32]
        at = datetime.fromisoformat(said["at"])
    except (ValueError, KeyError, TypeError, AttributeError):
        was, at = "?", now
    if at.tzinfo is None:
        at = now
    # It is no member of the union, which says what may be sent.
    return cast("Fact", FactUnreadable(at=at, was=was, reason=reason[:200], raw=body[:KEPT_CHARS]))


_HARMLESS = {"kind": "box-retired", "at": "2000-01-01T00:00:00+00:00"}
