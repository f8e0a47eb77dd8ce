"""Frames that profiles of this family quote."""

from collections.abc import Callable
from typing import Any

from device_drivers.onbon_k import codec
from hall_core.devices.profile import Profile

__all__ = ["OPS"]

Built = tuple[bytes, Callable[[bytes], Any] | None]


def _text(_profile: Profile, c: dict[str, Any]) -> Built:
    unit, device_type, process = c.pop("unit"), c.pop("device_type"), c.pop("process")
    data = codec.encode_text(c.pop("text"), c.pop("colour", None), 240)
    return codec.text(unit, device_type, codec.TextArea(**c, data=data), process=process), _acknowledged


def _acknowledged(data: bytes) -> codec.Received | None:
    return next((a for a in codec.answers(data) if not a.nack), None)


def _simple(make: Callable[[int, int], bytes]) -> Callable[[Profile, dict[str, Any]], Built]:
    return lambda _profile, c: (make(c["unit"], c["device_type"]), _acknowledged)


OPS: dict[str, Callable[[Profile, dict[str, Any]], Built]] = {
    "ping": _simple(codec.ping),
    "status": _simple(codec.status),
    "clear": _simple(codec.clear),
    "text": _text,
}
