"""What a large screen shows, as a Huidu program: one area for each row, one for the notice."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from device_drivers.huidu_sdk.codec import Xml, element, plain
from device_drivers.options import Options, Shows, say
from hall_core.devices.vocabulary import BoardPicture, BoardRow, CounterMode, CounterPicture

__all__ = ["HuiduOptions", "Ids", "board_program", "counter_program"]

#: effect numbers of the vendor's SDK
STILL, ENDLESS_LEFT = 0, 26

Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


def _fits(template: str) -> str:
    try:
        template.format(label="A001", counter="3号窗口")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{template!r}: {error}; known are {{label}} {{counter}}") from error
    return template


class Font(Options):
    """A font the card has. `size` in its points, about the height in pixels."""

    name: str = "SimSun"
    size: int = Field(gt=0, le=400)
    bold: bool = False


class Colours(Options):
    """What is shown in which colour."""

    row: Colour = "#00ff00"
    fresh: Colour = "#ff0000"
    notice: Colour = "#ffff00"
    counter: dict[CounterMode, Colour] = Field(default_factory=dict)


class HuiduOptions(Options):
    """What a profile of this family may say; the keys are explained in `huidu.hd-a3.yaml`."""

    width: int = Field(gt=0, le=8192)
    height: int = Field(gt=0, le=8192)
    row_height: int = Field(gt=0, le=1024)
    notice_height: int = Field(default=0, ge=0, le=1024)
    #: how many pixels a notice runs at once, 1 … 8 of the SDK's speeds; 0 is the fastest
    notice_speed: int = Field(default=4, ge=0, le=8)
    font: Font
    colours: Colours = Field(default_factory=Colours)
    align: Literal["left", "center", "right"] = "center"
    row: Annotated[str, AfterValidator(_fits)] = "{label} → {counter}"
    shows: Shows = Field(default_factory=dict)
    fragment: int = Field(default=8000, ge=256, le=8000)
    realtime: bool = False


class Ids:
    """The GUIDs of one screen's program: its areas are numbered."""

    def __init__(self, program: str) -> None:
        self.program = program

    def area(self, number: int) -> str:
        return f"{self.program}-{number}"


def board_program(picture: BoardPicture, options: HuiduOptions, ids: Ids, most: int) -> Xml:
    """The last calls from the top, as many as fit; the notice runs below. Without calls the hall's name."""
    place = options.height - (options.notice_height if picture.notice else 0)
    fit = max(1, place // options.row_height)
    areas = [
        _area(ids.area(n), n * options.row_height, options.row_height, _row(row, options, most), options)
        for n, row in enumerate(picture.rows[:fit])
    ]
    if not areas:
        idle = _Text(_cut(picture.hall, most), options.colours.row)
        areas.append(_area(ids.area(0), 0, place, idle, options))
    if picture.notice and options.notice_height:
        notice = _Text(_cut(picture.notice, most), options.colours.notice, runs=True)
        areas.append(_area(ids.area(fit), place, options.notice_height, notice, options))
    return _program(ids, areas, options)


def counter_program(picture: CounterPicture, options: HuiduOptions, ids: Ids, most: int) -> Xml:
    """One counter over the whole screen; a closed one may be dark."""
    words = _cut(say(options.shows, picture), most)
    colour = options.colours.counter.get(picture.mode, options.colours.row)
    areas = [_area(ids.area(0), 0, options.height, _Text(words, colour), options)] if words else []
    return _program(ids, areas, options)


class _Text:
    def __init__(self, words: str, colour: str, *, runs: bool = False) -> None:
        self.words, self.colour, self.runs = words, colour, runs


def _row(row: BoardRow, options: HuiduOptions, most: int) -> _Text:
    words = options.row.format(label=row.label, counter=row.counter)
    return _Text(_cut(words, most), options.colours.fresh if row.fresh else options.colours.row)


def _cut(words: str, most: int) -> str:
    return words.encode()[:most].decode(errors="ignore")


def _program(ids: Ids, areas: list[Xml], options: HuiduOptions) -> Xml:
    attributes = {"guid": ids.program, "type": "normal"}
    if options.realtime:
        attributes["flag"] = "realtime"
    return element("program", attributes, *areas)


def _area(guid: str, y: int, height: int, text: _Text, options: HuiduOptions) -> Xml:
    font = options.font
    effect = ENDLESS_LEFT if text.runs else STILL
    speed = options.notice_speed if text.runs else 0
    inner = element(
        "text",
        {"guid": f"{guid}-text", "singleLine": True},
        element("style", {"align": "left" if text.runs else options.align, "valign": "middle"}),
        element("string", None, plain(text.words)),
        element("font", {"name": font.name, "size": font.size, "color": text.colour, "bold": font.bold}),
        element("effect", {"in": effect, "inSpeed": speed, "out": STILL, "outSpeed": 0, "duration": 30}),
    )
    rectangle = {"x": 0, "y": y, "width": options.width, "height": height}
    return element(
        "area",
        {"guid": guid, "alpha": 255},
        element("rectangle", rectangle),
        element("resources", None, inner),
    )
