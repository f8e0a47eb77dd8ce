"""Programs of a Huidu card: areas with lines of text, read from the XML of AddProgram and UpdateProgram."""

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

__all__ = ["Program", "TextLine", "Unreadable", "read_program", "read_xml"]

#: effects that run without an end
_RUNNING = range(21, 30)


class Unreadable(Exception):
    """XML the card cannot use; carries the card's result word."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One text in its area, in pixels."""

    text: str
    x: int
    y: int
    width: int
    height: int
    colour: str
    font: str
    size: int
    effect: int

    def sight(self) -> dict[str, Any]:
        """What a visitor sees of it."""
        place = {"x": self.x, "y": self.y, "width": self.width, "height": self.height}
        return place | {"text": self.text, "colour": self.colour, "running": self.effect in _RUNNING}


@dataclass(frozen=True, slots=True)
class Program:
    """One program with all its lines, from the top."""

    guid: str
    lines: tuple[TextLine, ...]


def read_xml(data: bytes) -> ElementTree.Element:
    """The root. Raises Unreadable."""
    if b"<!" in data:  # a card knows no document types, and this reader must not
        raise Unreadable("kParseXmlFailed")
    try:
        return ElementTree.fromstring(data.strip(b"\0"))  # noqa: S314 — entities were refused above
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable("kParseXmlFailed") from error


def read_program(element: ElementTree.Element) -> Program:
    """Raises Unreadable."""
    guid = element.get("guid")
    if not guid:
        raise Unreadable("kAttrNotFound")
    lines = [line for area in element.findall("area") for line in _lines(area)]
    return Program(guid, tuple(sorted(lines, key=lambda line: (line.y, line.x))))


def _lines(area: ElementTree.Element) -> list[TextLine]:
    rectangle = area.find("rectangle")
    if rectangle is None:
        raise Unreadable("kTagNotFound")
    x, y, width, height = (_number(rectangle, name) for name in ("x", "y", "width", "height"))
    found = []
    for text in area.findall("resources/text"):
        words, font, effect = text.find("string"), text.find("font"), text.find("effect")
        if words is None or font is None:
            raise Unreadable("kTagNotFound")
        line = TextLine(
            text=words.text or "",
            x=x,
            y=y,
            width=width,
            height=height,
            colour=font.get("color", "#ff0000").lower(),
            font=font.get("name", ""),
            size=_number(font, "size"),
            effect=0 if effect is None else _number(effect, "in"),
        )
        found.append(line)
    return found


def _number(element: ElementTree.Element, name: str) -> int:
    value = element.get(name)
    if value is None:
        raise Unreadable("kAttrNotFound")
    try:
        return int(value)
    except ValueError as error:
        raise Unreadable("kInvalidParam") from error
