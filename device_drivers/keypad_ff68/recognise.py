"""Finds key-pads by listening: the protocol has no question, a pad speaks when a key is pressed.

Nothing is sent, not even the echo a pad waits for: it repeats its frame a few times and gives up. Source:
the maker's frame table.
"""

from collections.abc import Sequence

from device_drivers.keypad_ff68 import codec
from device_drivers.recognising import Found, Listening, unchanged
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: keys and up to four digits of a ticket
redact = unchanged


def _read(heard: bytes, profiles: Sequence[Profile]) -> tuple[Found, ...]:
    frames = codec.FrameParser().feed(heard)
    pads = {f.address for f in frames if f.function in (codec.KEYS, codec.EVALUATION)}
    ids = tuple(p.id for p in profiles)
    return tuple(
        Found(ids, pad, f"听到 {pad} 号呼叫器按键 (a key of pad {pad} was heard)")
        for pad in sorted(pads - {0})
    )


RECOGNISER = Listening(
    _read, invitation="请在每个呼叫器上按一次「重呼」键 (press the recall key on every key-pad)"
)
