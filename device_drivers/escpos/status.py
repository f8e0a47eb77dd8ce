"""Real-time status: `DLE EOT n` and what its one byte means. Source: Epson's ESC/POS command reference."""

from collections.abc import Mapping

__all__ = ["ask_status", "read_status", "trouble", "warning"]

#: bits 0 and 7 are clear and 1 and 4 set in every status byte
FIXED_MASK, FIXED = 0x93, 0x12

#: (n, bits, what people do about it): the printer prints nothing
_TROUBLES = (
    (4, 0x60, "缺纸，请装纸后重试 (out of paper)"),
    (2, 0x20, "缺纸，请装纸后重试 (out of paper)"),
    (2, 0x04, "盖未合上，请合上打印机盖 (cover open)"),
    (3, 0x08, "切刀卡住，请清理切刀 (cutter jam)"),
    (3, 0x20, "故障，请关机检查 (unrecoverable error)"),
    (2, 0x40, "故障，请检查打印机 (error)"),
    (1, 0x08, "脱机，请检查打印机 (offline)"),
)
_WARNINGS = (
    (4, 0x0C, "纸将用尽，请备纸 (paper near its end)"),
    (3, 0x40, "打印头过热，稍后恢复 (head too hot)"),
)


def ask_status(n: int) -> bytes:
    """Answered at once, whatever the printer does."""
    return bytes([0x10, 0x04, n])


def read_status(data: bytes) -> int | None:
    """The first byte that can be a status."""
    return next((byte for byte in data if byte & FIXED_MASK == FIXED), None)


def trouble(states: Mapping[int, int]) -> str:
    """Why the printer cannot print now; empty when it can. `states` are status bytes by n."""
    return next((words for n, bits, words in _TROUBLES if states.get(n, 0) & bits), "")


def warning(states: Mapping[int, int]) -> str:
    """What needs a hand soon; empty when nothing does."""
    return next((words for n, bits, words in _WARNINGS if states.get(n, 0) & bits), "")
