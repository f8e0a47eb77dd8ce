"""SMPP 3.4 as bytes, a client's part: bind, submit_sm in UCS2, delivery receipts. Pure.

Sources: SMPP Protocol Specification v3.4 (SMPP Developers Forum, 12-Oct-1999), sections 4.1, 4.4.1, 4.6.1,
4.7, 5.1, 5.2 and appendix B.
"""

import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.gateways.session import Frame

__all__ = ["DELIVER_SM", "ENQUIRE_LINK", "RESPONSE", "UNBIND", "Address", "SmppDialect", "deliver_resp"]
__all__ += ["FINAL", "STATES", "enquire_resp", "receipt_in", "submit_sm", "taken_id", "unbind_resp"]

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM = 0x09, 0x04, 0x05
UNBIND, ENQUIRE_LINK = 0x06, 0x15
HEADER = struct.Struct(">IIII")
#: no PDU of ours or of a receipt comes near
LONGEST = 64 * 1024
UCS2 = 8
TLV_RECEIPTED_ID, TLV_MESSAGE_STATE, TLV_PAYLOAD = 0x001E, 0x0427, 0x0424
RECEIPT_BITS, IS_RECEIPT = 0x3C, 0x04

#: the states a handset's message ends in, by word and by number: True is delivered
FINAL = {"DELIVRD": True, "EXPIRED": False, "DELETED": False, "UNDELIV": False, "REJECTD": False}
STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}
_ID, _STAT, _ERR = (
    re.compile(rf"\b{name}:\s*(\S+)".encode(), re.IGNORECASE) for name in ("id", "stat", "err")
)


@dataclass(frozen=True, slots=True)
class Address:
    """A number with its type and plan."""

    number: str
    ton: int
    npi: int

    def encoded(self) -> bytes:
        """As it stands in a PDU."""
        return bytes([self.ton, self.npi]) + _text(self.number, 21)


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    """What a delivery receipt says."""

    message_id: str
    stat: str
    err: str


class SmppDialect:
    """The session's part of SMPP."""

    header_size, longest = HEADER.size, LONGEST

    def __init__(self, system_id: str, password: str, system_type: str = "") -> None:
        self._bind = _text(system_id, 16) + _text(password, 9) + _text(system_type, 13) + b"\x34\0\0\0"

    def read(self, data: bytes) -> Frame:
        _, command, status, sequence = HEADER.unpack_from(data)
        return Frame(command, status, sequence, data[HEADER.size :])

    def answers(self, frame: Frame) -> bool:
        return bool(frame.command & RESPONSE)

    def login(self, sequence: int) -> bytes:
        return pdu(BIND_TRANSCEIVER, sequence, self._bind)

    def refusal(self, frame: Frame) -> str:
        if frame.command != BIND_TRANSCEIVER | RESPONSE:
            return f"login answered by command {frame.command:#x}"
        return f"login refused, status {frame.status:#x}" if frame.status else ""

    def ping(self, sequence: int) -> bytes:
        return pdu(ENQUIRE_LINK, sequence)

    def goodbye(self, sequence: int) -> bytes:
        return pdu(UNBIND, sequence)


def pdu(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """A whole PDU."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def submit_sm(sequence: int, source: Address, to: Address, text: bytes, until: datetime) -> bytes:
    """One message of at most 140 bytes UCS2, with a receipt, dropped by the centre when it is of no use."""
    validity = f"{until.astimezone(UTC):%y%m%d%H%M%S}000+".encode()
    return pdu(
        SUBMIT_SM,
        sequence,
        b"\0"
        + source.encoded()
        + to.encoded()
        # esm_class, protocol_id, priority_flag, schedule_delivery_time
        + b"\0\0\0\0"
        + validity
        + b"\0"
        # registered_delivery, replace_if_present, data_coding, sm_default_msg_id
        + bytes([1, 0, UCS2, 0, len(text)])
        + text,
    )


def taken_id(frame: Frame) -> str:
    """The message id in a submit_sm_resp."""
    return frame.body.partition(b"\0")[0].decode("ascii", errors="replace")


def deliver_resp(frame: Frame, status: int) -> bytes:
    """The answer to a deliver_sm; the message id is left empty, as the standard wants."""
    return pdu(DELIVER_SM | RESPONSE, frame.sequence, b"\0", status)


def enquire_resp(frame: Frame) -> bytes:
    """I am here."""
    return pdu(ENQUIRE_LINK | RESPONSE, frame.sequence)


def unbind_resp(frame: Frame) -> bytes:
    """Goodbye."""
    return pdu(UNBIND | RESPONSE, frame.sequence)


def nack(frame: Frame) -> bytes:
    """A command this client does not know."""
    return pdu(GENERIC_NACK, frame.sequence, status=0x03)


def receipt_in(body: bytes) -> SmppReceipt | None:
    """The receipt in a deliver_sm; None for a message that somebody wrote. Raises ValueError."""
    _, rest = _take_text(body)  # service_type
    for _side in ("source", "destination"):
        _, rest = _take_text(rest[2:])
    if len(rest) < 3:
        raise ValueError("deliver_sm is cut short")
    esm_class, rest = rest[0], rest[3:]
    for _time in ("schedule", "validity"):
        _, rest = _take_text(rest)
    if len(rest) < 5 or len(rest) < 5 + rest[4]:
        raise ValueError("deliver_sm is cut short")
    text, tlvs = rest[5 : 5 + rest[4]], _tlvs(rest[5 + rest[4] :])
    text = text or tlvs.get(TLV_PAYLOAD, b"")
    if esm_class & RECEIPT_BITS != IS_RECEIPT:
        return None
    message_id = tlvs.get(TLV_RECEIPTED_ID, b"").rstrip(b"\0") or _found(_ID, text)
    state = tlvs.get(TLV_MESSAGE_STATE, b"")
    stat = STATES.get(state[0], "") if state else _ascii(_found(_STAT, text)).upper()
    return SmppReceipt(_ascii(message_id), stat, _ascii(_found(_ERR, text)))


def _ascii(raw: bytes) -> str:
    return raw.decode("ascii", errors="replace")


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = pattern.search(text)
    return found[1] if found else b""


def _text(value: str, size: int) -> bytes:
    """A C-octet string of at most `size` bytes with its zero. Raises ValueError."""
    raw = value.encode("ascii") + b"\0"
    if len(raw) > size:
        msg = f"{len(raw) - 1} characters where SMPP takes {size - 1}"
        raise ValueError(msg)
    return raw


def _take_text(data: bytes) -> tuple[bytes, bytes]:
    text, zero, rest = data.partition(b"\0")
    if not zero:
        raise ValueError("deliver_sm is cut short")
    return text, rest


def _tlvs(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        tag, size = struct.unpack_from(">HH", data)
        found[tag], data = data[4 : 4 + size], data[4 + size :]
    return found
