"""CMPP 2.0 and 3.0 as bytes, a service provider's part: connect, submit in UCS2, status reports. Pure.

Sources: 中国移动通信互联网短信网关接口协议 V2.0 (2002) and V3.0 (2003), chapters 7 and 8, as far as the
public implementations named with the golden frames agree on them.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5
from zoneinfo import ZoneInfo

from controller.gateways.session import Frame

__all__ = ["ACTIVE_TEST", "DELIVER", "RESPONSE", "TERMINATE", "CmppDialect", "Report", "Sender"]
__all__ += ["active_resp", "deliver_resp", "report_in", "stamp", "submit", "taken", "terminate_resp"]

RESPONSE = 0x80000000
CONNECT, TERMINATE, SUBMIT, DELIVER, ACTIVE_TEST = 1, 2, 4, 5, 8
HEADER = struct.Struct(">III")
LONGEST = 16 * 1024
UCS2 = 8
V2, V3 = 0x20, 0x30
CHINA = ZoneInfo("Asia/Shanghai")
#: offset in quarters of an hour: +8 h
OFFSET = "032+"
_REFUSALS = {1: "message structure", 2: "source address", 3: "authentication", 4: "version too high"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: `account` is the SP's enterprise code, `number` the access number with its extension."""

    account: str
    number: str
    service: str
    fee_type: str = "01"
    fee_code: str = "000000"


@dataclass(frozen=True, slots=True)
class Report:
    """A status report: what became of the message with this id."""

    message_id: str
    stat: str


class CmppDialect:
    """The session's part of CMPP. `stamp` gives the time at which a login is made, MMDDHHMMSS."""

    header_size, longest = HEADER.size, LONGEST

    def __init__(self, account: str, secret: str, version: int, stamp: Callable[[], str]) -> None:
        self._account, self._secret = _fixed(account, 6), secret.encode()
        self._version, self._stamp = version, stamp

    def read(self, data: bytes) -> Frame:
        _, command, sequence = HEADER.unpack_from(data)
        return Frame(command, 0, sequence, data[HEADER.size :])

    def answers(self, frame: Frame) -> bool:
        return bool(frame.command & RESPONSE)

    def login(self, sequence: int) -> bytes:
        stamp = self._stamp()
        proof = md5(self._account + b"\0" * 9 + self._secret + stamp.encode(), usedforsecurity=False)
        body = self._account + proof.digest() + bytes([self._version]) + struct.pack(">I", int(stamp))
        return pdu(CONNECT, sequence, body)

    def refusal(self, frame: Frame) -> str:
        """The status has one byte in CMPP 2.0 and four in 3.0; the body's length tells."""
        if frame.command != CONNECT | RESPONSE or len(frame.body) not in (18, 21):
            return f"login answered by command {frame.command:#x}"
        status = frame.body[0] if len(frame.body) == 18 else int.from_bytes(frame.body[:4], "big")
        return f"login refused: {_REFUSALS.get(status, status)}" if status else ""

    def ping(self, sequence: int) -> bytes:
        return pdu(ACTIVE_TEST, sequence)

    def goodbye(self, sequence: int) -> bytes:
        return pdu(TERMINATE, sequence)


def stamp(now: datetime) -> str:
    """MMDDHHMMSS in China."""
    return f"{now.astimezone(CHINA):%m%d%H%M%S}"


def pdu(command: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole message."""
    return HEADER.pack(HEADER.size + len(body), command, sequence) + body


def submit(sequence: int, version: int, sender: Sender, to: str, text: bytes, until: datetime) -> bytes:
    """One message of at most 140 bytes UCS2, with a report, free for its reader, dropped when useless."""
    new = version >= V3
    number = 32 if new else 21
    valid = f"{until.astimezone(CHINA):%y%m%d%H%M%S}{OFFSET}"
    parts = (
        # no Msg_Id yet, part 1 of 1, with a report, level 0
        b"\0" * 8 + b"\1\1\1\0",
        _fixed(sender.service, 10),
        # Fee_UserType 2: the SP pays; Fee_terminal_Id, its type
        b"\2" + b"\0" * (number + new),
        # TP_pId, TP_udhi, Msg_Fmt
        bytes([0, 0, UCS2]),
        _fixed(sender.account, 6),
        _fixed(sender.fee_type, 2),
        _fixed(sender.fee_code, 6),
        _fixed(valid, 17),
        # to be sent now
        b"\0" * 17,
        _fixed(sender.number, 21),
        b"\1" + _fixed(to, number) + (b"\0" if new else b""),
        bytes([len(text)]) + text,
        # 3.0 ends with the id of a link, 2.0 with a reserve
        b"\0" * (20 if new else 8),
    )
    return pdu(SUBMIT, sequence, b"".join(parts))


def taken(frame: Frame) -> tuple[str, int]:
    """Message id and result of a SUBMIT_RESP. Raises ValueError."""
    if frame.command != SUBMIT | RESPONSE or len(frame.body) not in (9, 12):
        raise ValueError("not the answer to a submit")
    return frame.body[:8].hex(), int.from_bytes(frame.body[8:], "big")


def report_in(frame: Frame) -> Report | None:
    """The report in a DELIVER; None for a message that somebody wrote. Raises ValueError.

    The sender's number has 21 bytes in CMPP 2.0; in 3.0 it has 32 and a type. The total length tells.
    """
    for number, tail in ((21, 8), (33, 20)):
        at = 8 + 21 + 10 + 3 + number
        if len(frame.body) > at + 1 and len(frame.body) == at + 2 + frame.body[at + 1] + tail:
            content = frame.body[at + 2 : at + 2 + frame.body[at + 1]]
            return _report(content) if frame.body[at] == 1 else None
    raise ValueError("DELIVER is cut short")


def _report(content: bytes) -> Report:
    # Msg_Id 8, Stat 7, Submit_time 10, Done_time 10, Dest_terminal_Id 21 or 32, SMSC_sequence 4
    if len(content) not in (60, 71):
        raise ValueError(f"a report of {len(content)} bytes")
    return Report(content[:8].hex(), content[8:15].rstrip(b"\0 ").decode("ascii", errors="replace"))


def deliver_resp(frame: Frame, version: int) -> bytes:
    """The report is safe."""
    result = b"\0" * (4 if version >= V3 else 1)
    return pdu(DELIVER | RESPONSE, frame.sequence, frame.body[:8] + result)


def active_resp(frame: Frame) -> bytes:
    """I am here."""
    return pdu(ACTIVE_TEST | RESPONSE, frame.sequence, b"\0")


def terminate_resp(frame: Frame) -> bytes:
    """Goodbye."""
    return pdu(TERMINATE | RESPONSE, frame.sequence)


def _fixed(value: str, size: int) -> bytes:
    """Text filled with zeros. Raises ValueError."""
    raw = value.encode("ascii")
    if len(raw) > size:
        msg = f"{len(raw)} characters where CMPP takes {size}"
        raise ValueError(msg)
    return raw.ljust(size, b"\0")
