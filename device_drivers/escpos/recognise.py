"""Finds ticket printers by their real-time status.

The question is `DLE EOT n` (10 04 n): answered at once, executed in the middle of anything, never printed,
and it changes nothing. Source: Epson's ESC/POS command reference. A printer prints whatever is no command,
so printers are asked before all others, and nothing more is said on a line where one answered. With its
cover open many a printer is silent: close it before looking.
"""

from collections.abc import Sequence

from device_drivers.escpos.status import FIXED, FIXED_MASK, ask_status, trouble, warning
from device_drivers.recognising import Asking, Found, Talk
from hall_core.devices.profile import Profile, SerialLine

__all__ = ["RECOGNISER"]


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    states = {1: await talk.ask(ask_status(1), _alone)}
    for n in (2, 3, 4):
        state = await talk.maybe(ask_status(n), _alone)
        if state is not None:
            states[n] = state
    if len(states) < 2 or any(state & FIXED_MASK != FIXED for state in states.values()):
        return None
    needs = trouble(states) or warning(states) or "状态正常 (well)"
    # the width of the paper cannot be asked for: the most proven profile first
    known = sorted(profiles, key=lambda p: p.status != "captured")
    return Found(
        tuple(p.id for p in known),
        unit,
        f"ESC/POS 打印机应答，{needs}；请按纸宽选型号 (choose by paper width)",
    )


def _alone(heard: bytes) -> int | None:
    """A status is one octet; more of them is something else talking."""
    return heard[0] if len(heard) == 1 else None


RECOGNISER = Asking(
    _ask,
    order=10,
    within_ms=400,
    alone=True,
    lines=(SerialLine(baud=9600), SerialLine(baud=38400), SerialLine(baud=115200)),
)
