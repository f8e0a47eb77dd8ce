"""The paper in a ticket printer: commands become lines, lines become a slip when it is cut."""

import base64
from collections.abc import Callable
from typing import Any

from simulators.escpos_parser import Command

__all__ = ["Paper"]

_ALIGN = {0: "left", 1: "centre", 2: "right"}


class Paper:
    """The paper under the head, with the printer's modes.

    With `needs_kanji_mode` Chinese needs `FS &` and prints as other signs without it.
    """

    def __init__(self, needs_kanji_mode: bool, cut: Callable[[dict[str, Any]], None]) -> None:
        self._needs_kanji_mode = needs_kanji_mode
        self._cut = cut
        self._lines: list[str] = []
        self._styles: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._codes: list[str] = []
        self._do: dict[str, Callable[[bytes], None]] = {
            "text": self._text,
            "LF": lambda _: self._feed(),
            "ESC @": lambda _: self.reset(),
            "ESC E": self._bold,
            "ESC G": self._bold,
            "ESC a": self._align_to,
            "ESC !": self._mode,
            "ESC d": lambda _: self._end_line(),
            "ESC i": lambda _: self._tear("full"),
            "ESC m": lambda _: self._tear("partial"),
            "FS &": lambda _: self._set_kanji(on=True),
            "FS .": lambda _: self._set_kanji(on=False),
            "FS W": self._kanji_double,
            "FS !": self._kanji_mode,
            "GS !": self._size_to,
            "GS (": self._function,
            "GS v": self._raster,
            "GS V": lambda data: self._tear("full" if data[0] in (0, 48, 65) else "partial"),
        }
        self.reset()

    def reset(self) -> None:
        """`ESC @` and power-on: modes back to normal. What is on the paper stays."""
        self._raw = b""
        self._line = ""
        self._kanji = not self._needs_kanji_mode
        self._bold_on, self._align = False, "left"
        self._width, self._height, self._kanji_size = 1, 1, 1
        self._stored = b""
        self._line_size = [1, 1]

    def take(self, command: Command) -> None:
        """Carry out one command; unknown ones do nothing."""
        if handler := self._do.get(command.name):
            if command.name != "text":
                self._flush()
            handler(command.data)

    def _text(self, data: bytes) -> None:
        self._raw += data

    def _flush(self) -> None:
        """Decode the text gathered under the present modes."""
        if not self._raw:
            return
        encoding = "gb18030" if self._kanji else "cp437"
        self._line += self._raw.decode(encoding, errors="replace").replace("\ufffd", "□")
        self._raw = b""
        widest = max(self._width, self._kanji_size if self._kanji else 1)
        tallest = max(self._height, self._kanji_size if self._kanji else 1)
        self._line_size = [max(self._line_size[0], widest), max(self._line_size[1], tallest)]

    def _feed(self) -> None:
        self._lines.append(self._line)
        self._styles.append({"size": self._line_size, "bold": self._bold_on, "align": self._align})
        self._line, self._line_size = "", [1, 1]

    def _end_line(self) -> None:
        if self._line:
            self._feed()

    def _bold(self, data: bytes) -> None:
        self._bold_on = bool(data[0] & 1)

    def _align_to(self, data: bytes) -> None:
        self._align = _ALIGN.get(data[0] % 48, "left")

    def _mode(self, data: bytes) -> None:
        self._bold_on = bool(data[0] & 0x08)
        self._height = 2 if data[0] & 0x10 else 1
        self._width = 2 if data[0] & 0x20 else 1

    def _size_to(self, data: bytes) -> None:
        self._width, self._height = (data[0] >> 4) + 1, (data[0] & 0x0F) + 1

    def _set_kanji(self, *, on: bool) -> None:
        self._kanji = on or not self._needs_kanji_mode

    def _kanji_double(self, data: bytes) -> None:
        self._kanji_size = 2 if data[0] & 1 else 1

    def _kanji_mode(self, data: bytes) -> None:
        self._kanji_size = 2 if data[0] & 0x0C else 1

    def _function(self, data: bytes) -> None:
        """`GS ( k` for QR: function 80 stores, 81 prints what is stored."""
        if data[:1] != b"k" or data[3:4] != b"1":
            return
        if data[4:5] == b"P":
            self._stored = data[6:]
        elif data[4:5] == b"Q" and self._stored:
            self._codes.append(self._stored.decode("utf-8", errors="replace"))

    def _raster(self, data: bytes) -> None:
        columns, rows = data[2] + 256 * data[3], data[4] + 256 * data[5]
        self._images.append(
            {"width": columns * 8, "height": rows, "bits": base64.b64encode(data[6:]).decode("ascii")}
        )

    def _tear(self, kind: str) -> None:
        """The cutter makes a slip of what was printed since the last cut; blank paper is no slip."""
        if self._line:
            self._feed()
        lines, styles = self._lines, self._styles
        while lines and not lines[-1]:
            lines.pop()
            styles.pop()
        if lines or self._codes or self._images:
            self._cut(
                {
                    "lines": lines,
                    "styles": styles,
                    "qr": self._codes[-1] if self._codes else None,
                    "images": self._images,
                    "cut": kind,
                }
            )
        self._lines, self._styles, self._images, self._codes = [], [], [], []
