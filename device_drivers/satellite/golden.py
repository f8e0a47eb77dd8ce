"""Messages that profiles of this family quote: made of what they say, and read as what they are."""

from collections.abc import Callable
from typing import Any

from hall_core.devices.profile import Profile
from hall_core.wire import local
from hall_core.wire.envelope import Message, decode, encode

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _far(kind: type[Message], answer: type[Message]) -> Callable[[Profile, dict[str, Any]], Built]:
    def built(_profile: Profile, c: dict[str, Any]) -> Built:
        return encode(kind.model_validate(c["message"])), lambda data: decode(answer, data)

    return built


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "picture": _far(local.Show, local.Shown),
    "job": _far(local.Do, local.Done),
    "event": _far(local.Happened, local.Happened),
}
