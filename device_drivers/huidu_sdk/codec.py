"""Frames of Huidu's SDK 2.0: `length u16 | command u16 | body`, little-endian; the length counts itself.

Commands travel as UTF-8 XML in fragments `xml length u32 | offset u32 | part`, at most 8000 bytes each.
Source: the vendor's SDK 2.0 text, alparslanahmed/huidu-led (Go) and KryQ/node-huidu-sdk (TypeScript) agree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from device_drivers.huidu_sdk.errors import name_of, sentence
from hall_core.errors import BadFrame, DeviceRefused

__all__ = [
    "Answer",
    "Xml",
    "command",
    "element",
    "heartbeat",
    "hello",
    "packets",
    "plain",
    "read_answer",
    "read_heartbeat",
    "read_hello",
]

HEARTBEAT, HEARTBEAT_ANSWER = 0x005F, 0x0060
ERROR, HELLO, HELLO_ANSWER, COMMAND, ANSWER = 0x2000, 0x2001, 0x2002, 0x2003, 0x2004
TRANSPORT_VERSION = 0x01000005
#: what a command carries before the card has named its session
NO_SESSION = "##GUID"
#: single- and dual-colour cards of the same maker answer the hello in their own language
OTHER_FAMILY = b"HT"
LONGEST_ANSWER = 1 << 20

Xml = str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card says to a command. `elements` are all tags below `out` with their attributes, in order."""

    session: str
    method: str
    result: str
    elements: tuple[tuple[str, Mapping[str, str]], ...] = ()

    def first(self, tag: str) -> Mapping[str, str]:
        """The attributes of the first such tag, none when there is none."""
        return next((attributes for name, attributes in self.elements if name == tag), {})


def hello() -> bytes:
    """The first packet over a link: which transport we speak."""
    return _packet(HELLO, TRANSPORT_VERSION.to_bytes(4, "little"))


def heartbeat() -> bytes:
    """Every 30 s at least; a card hangs up after three are missed."""
    return _packet(HEARTBEAT)


def command(session: str, method: str, inner: Xml = "", most: int = 8000) -> tuple[bytes, ...]:
    """A command in as many packets as it needs, `most` bytes of XML in each."""
    body = element("in", {"method": method}, inner)
    xml = '<?xml version="1.0" encoding="utf-8"?>' + element("sdk", {"guid": session}, body)
    data = xml.encode()
    size = len(data).to_bytes(4, "little")
    return tuple(
        _packet(COMMAND, size + at.to_bytes(4, "little") + data[at : at + most])
        for at in range(0, len(data), most)
    )


def element(tag: str, attributes: Mapping[str, object] | None = None, *inner: Xml) -> Xml:
    """One element. Attribute values are escaped here, text by `plain`."""
    head = tag + "".join(f" {name}={_quoted(value)}" for name, value in (attributes or {}).items())
    content = "".join(inner)
    return f"<{head}>{content}</{tag}>" if content else f"<{head}/>"


def plain(text: str) -> Xml:
    """Text of people as XML: marks escaped, what XML cannot carry becomes a blank."""
    return escape("".join(c if c.isprintable() else " " for c in text))


def packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole packets in what was heard: (command, body). Raises DeviceRefused for a card of other make."""
    if data.startswith(OTHER_FAMILY):
        raise DeviceRefused("这是灰度单双色卡，不是全彩卡，请更换型号档案 (a single/dual-colour card)")
    at = 0
    while len(data) - at >= 4:
        size = int.from_bytes(data[at : at + 2], "little")
        if size < 4 or len(data) - at < size:
            return
        yield int.from_bytes(data[at + 2 : at + 4], "little"), data[at + 4 : at + size]
        at += size


def read_hello(data: bytes) -> int | None:
    """The transport version the card settles on. Raises DeviceRefused."""
    for kind, body in packets(data):
        _raise_error(kind, body)
        if kind == HELLO_ANSWER and len(body) >= 4:
            return int.from_bytes(body[:4], "little")
    return None


def read_heartbeat(data: bytes) -> bool | None:
    """True when the card's heart beats."""
    return any(kind == HEARTBEAT_ANSWER for kind, _ in packets(data)) or None


def read_answer(data: bytes, method: str) -> Answer | None:
    """The card's answer to this method, put together from its fragments. Raises DeviceRefused."""
    whole = bytearray()
    for kind, body in packets(data):
        _raise_error(kind, body)
        if kind != ANSWER or len(body) < 8:
            continue
        size, offset = (int.from_bytes(body[i : i + 4], "little") for i in (0, 4))
        if offset == 0:
            whole.clear()
        if offset != len(whole) or size > LONGEST_ANSWER:
            continue
        whole += body[8:]
        if len(whole) < size:
            continue
        try:
            answer = _parse(bytes(whole))
        except BadFrame:
            continue
        if answer.method == method:
            return answer
    return None


def _packet(kind: int, body: bytes = b"") -> bytes:
    return (len(body) + 4).to_bytes(2, "little") + kind.to_bytes(2, "little") + body


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return quoteattr(text, {'"': "&quot;"})


def _raise_error(kind: int, body: bytes) -> None:
    if kind == ERROR:
        raise DeviceRefused(sentence(name_of(int.from_bytes(body[:2], "little"))))


def _parse(xml: bytes) -> Answer:
    elements: list[tuple[str, Mapping[str, str]]] = []

    def refuse(*_declared: object) -> None:
        raise BadFrame("a card has no document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: elements.append((tag, attributes))
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml.removeprefix(b"\xef\xbb\xbf").strip(b"\0 \r\n\t"), True)
    except expat.ExpatError as error:
        raise BadFrame(f"unreadable XML: {error}") from error
    if len(elements) < 2 or [tag for tag, _ in elements[:2]] != ["sdk", "out"]:
        raise BadFrame("not an answer")
    out = elements[1][1]
    return Answer(
        elements[0][1].get("guid", ""), out.get("method", ""), out.get("result", ""), tuple(elements[2:])
    )
