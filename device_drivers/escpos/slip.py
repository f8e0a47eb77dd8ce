"""A ticket as ESC/POS bytes. Source: Epson's ESC/POS command reference."""

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from device_drivers.options import Options
from hall_core.devices.vocabulary import PrintTicket

__all__ = ["EscposOptions", "encode_text", "qr_code", "slip"]

INIT = b"\x1b@"
CENTRE = b"\x1ba\x01"
ENTER_KANJI, LEAVE_KANJI = b"\x1c&", b"\x1c."
BOLD, THIN = b"\x1bE\x01", b"\x1bE\x00"
#: GS ! for narrow characters and FS W for Chinese ones: printers differ in which of the two they heed
DOUBLE, SINGLE = b"\x1d!\x11\x1cW\x01", b"\x1d!\x00\x1cW\x00"
#: four times as high and wide; the label has no Chinese
HUGE = b"\x1d!\x33"

_CORRECTION = {"L": 48, "M": 49, "Q": 50, "H": 51}
_ZONE = ZoneInfo("Asia/Shanghai")


class EscposOptions(Options):
    """What a profile of this family may say; the keys are explained in `escpos.80mm.yaml`."""

    columns: int = Field(ge=16, le=96)
    qr_module: int = Field(default=6, ge=1, le=16)
    qr_correction: Literal["L", "M", "Q", "H"] = "M"
    kanji: Literal["enter", "none"] = "enter"
    cut: Literal["partial", "full", "none"] = "partial"
    feed: int = Field(default=3, ge=0, le=20)
    status: tuple[Literal[1, 2, 3, 4], ...] = (1, 2, 3, 4)


def slip(job: PrintTicket, options: EscposOptions, encoding: str) -> bytes:
    """The whole slip, cut at the end."""

    def line(text: str) -> bytes:
        return encode_text(text, encoding) + b"\n"

    rule = b"-" * options.columns + b"\n"
    parts = [INIT, ENTER_KANJI if options.kanji == "enter" else b"", CENTRE]
    parts += [BOLD, line(job.hall), THIN, rule]
    parts += [DOUBLE, line(job.service), SINGLE, HUGE, line(job.label), SINGLE]
    parts += [line(f"前面还有 {job.ahead} 人"), line(job.range_text), rule]
    if job.url:
        parts += [qr_code(job.url, options), b"\n", line("扫码查看排队进度")]
    if job.hint:
        parts += [line(job.hint)]
    parts += [line(f"{job.issued_at.astimezone(_ZONE):%Y-%m-%d %H:%M:%S}")]
    parts += [LEAVE_KANJI if options.kanji == "enter" else b"", b"\n" * options.feed, _cut(options)]
    return b"".join(parts)


def encode_text(text: str, encoding: str) -> bytes:
    """Text without control characters; what the encoding lacks becomes `?`."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.encode(encoding, errors="replace")


def qr_code(url: str, options: EscposOptions) -> bytes:
    """GS ( k: model 2, size of a module, correction, store, print."""
    data = url.encode("utf-8")
    return b"".join(
        (
            b"\x1d(k\x04\x001A2\x00",
            b"\x1d(k\x03\x001C" + bytes([options.qr_module]),
            b"\x1d(k\x03\x001E" + bytes([_CORRECTION[options.qr_correction]]),
            b"\x1d(k" + (len(data) + 3).to_bytes(2, "little") + b"1P0" + data,
            b"\x1d(k\x03\x001Q0",
        )
    )


def _cut(options: EscposOptions) -> bytes:
    return {"partial": b"\x1dV\x01", "full": b"\x1dV\x00", "none": b""}[options.cut]
