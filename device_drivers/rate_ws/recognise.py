"""Evaluator tablets dial the hall: nobody listens at a tablet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers.recognising import Unaskable
from device_drivers.redacting import Rule, like, masked, masked_json, masked_text, one_of

__all__ = ["RECOGNISER", "redact"]

#: keys of the norm, which are written with any capitals; what is not known to be harmless is masked
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(
        ("param", "result", "windowname", "userlist", "usernumber", "username", "rateid", "datetime"), masked
    ),
    "method": one_of(("getwindowlist", "login", "heartbeat", "ratesubmit", "ratequest")),
    "code": like(r"\d{1,4}"),
    "windownumber": like(r"\d{1,3}"),
    "content": like(r"(非常|很|比较|基本|较)?不?(满意|一般)"),
}
#: an opening or its answer, one whole
_OPENING = re.compile(rb"(?:GET |HTTP/1\.)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n")
_FIRST = re.compile(r"GET (\S*) HTTP/1\.[01]\r?\n")
_STATUS = like(r"HTTP/1\.[01] \d{3} [A-Za-z ]{0,30}\r?\n")
_KEY = like(r"[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{27}=")
#: header fields that open a socket; host, origin, cookies and whatever else are masked, with their names
_FIELDS: Mapping[str, Rule] = {
    "host": masked,
    "upgrade": one_of(["websocket"]),
    "connection": one_of(["upgrade", "keep-alive, upgrade", "close"]),
    "sec-websocket-version": like(r"\d{1,2}"),
    "sec-websocket-key": _KEY,
    "sec-websocket-accept": _KEY,
    "sec-websocket-extensions": one_of(
        ["permessage-deflate", "permessage-deflate; client_max_window_bits", "x-webkit-deflate-frame"]
    ),
    "content-length": like(r"\d{1,4}"),
}
_FIELD = re.compile(r"([^:\r\n]*)(:[ \t]*)([^\r\n]*)(\r?\n)", re.DOTALL)
_MASKED = 0x80
#: texts and their parts, close, ping, pong
_OPCODES = (0, 1, 2, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class _Frame:
    """One WebSocket frame as it lies on the wire, its data without the mask."""

    first: int
    from_client: bool
    data: bytes
    end: int


def redact(said: bytes) -> bytes:
    """Staff, visits and whatever opens with the socket become their form.

    Frames are written anew, those of a tablet with a mask of zeros so that they can be read; what is no
    whole frame becomes zeros.
    """
    kept, at = bytearray(), 0
    while at < len(said):
        opening = _OPENING.match(said, at)
        if opening is not None:
            kept += _opening(opening[0].decode("ascii", errors="replace")).encode()
            at = opening.end()
        elif (frame := _frame(said, at)) is not None:
            kept += _anew(frame, _data(frame))
            at = frame.end
        else:
            return bytes(kept) + bytes(len(said) - at)
    return bytes(kept)


def _opening(text: str) -> str:
    first, *fields = text.splitlines(keepends=True)
    asked = _FIRST.fullmatch(first)
    head = first.replace(asked[1], masked(asked[1]), 1) if asked else _STATUS(first)
    return head + "".join(_field(line) for line in fields)


def _field(line: str) -> str:
    found = _FIELD.fullmatch(line)
    rule = _FIELDS.get(found[1].strip().lower()) if found else None
    if found is None or rule is None:
        return masked(line)
    return f"{found[1]}{found[2]}{rule(found[3].strip())}{found[4]}"


def _frame(said: bytes, at: int) -> _Frame | None:
    """The frame that begins here; None when it is none or not whole."""
    if len(said) < at + 2 or said[at] & 0x70 or said[at] & 0x0F not in _OPCODES:
        return None
    size, start = said[at + 1] & 0x7F, at + 2
    if size >= 126:
        start = at + (4 if size == 126 else 10)
        size = int.from_bytes(said[at + 2 : start], "big")
    key = b""
    if from_client := bool(said[at + 1] & _MASKED):
        key, start = said[start : start + 4], start + 4
    end = start + size
    if len(said) < end:
        return None
    data = said[start:end]
    if from_client:
        data = bytes(byte ^ key[n % 4] for n, byte in enumerate(data))
    return _Frame(said[at], from_client, data, end)


def _data(frame: _Frame) -> bytes:
    match frame.first & 0x0F:
        case 8:
            return frame.data[:2] + masked_text(frame.data[2:])
        case 9 | 10:
            return bytes(len(frame.data))
    found = masked_json(frame.data, _RULES)
    return masked_text(frame.data) if found is None else found


def _anew(frame: _Frame, data: bytes) -> bytes:
    size, bit = len(data), _MASKED if frame.from_client else 0
    if size < 126:
        head = bytes([frame.first, bit | size])
    elif size < 1 << 16:
        head = bytes([frame.first, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([frame.first, bit | 127]) + size.to_bytes(8, "big")
    return head + bytes(4 if frame.from_client else 0) + data


RECOGNISER = Unaskable(
    "平板评价器由平板拨入本机：请在平板上填写本机地址和大厅文件中的端口"
    " (tablets dial in: set this box's address and the port of the hall file in the tablet)"
)
