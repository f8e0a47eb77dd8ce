"""Finds pager gateways by their start page: `GET /`, which pages nobody.

Source: web server and `index.html` of baycom/rps, whose title is "Restaurant Paging Service".
`/settings.json` would tell the kind of pagers too, and the gateway's Wi-Fi password with it: it is not
asked for, so the kinds stay open.
"""

from collections.abc import Sequence

from device_drivers.pager_http.request import Reply, get
from device_drivers.recognising import Asking, Found, Talk, unchanged
from hall_core.devices.profile import Profile

__all__ = ["RECOGNISER", "redact"]

#: numbers of pagers on a rack
redact = unchanged

_TITLE = b"Restaurant Paging Service"


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    reply = Reply()

    def titled(heard: bytes) -> bool | None:
        if _TITLE in heard:
            return True
        return None if reply.read(heard) is None else False

    if not await talk.ask(get("/", talk.host), titled):
        return None
    words = "寻呼网关应答；请按寻呼机种类选型号 (a pager gateway answers; choose by the kind of pagers)"
    return Found(tuple(p.id for p in profiles), unit, words)


RECOGNISER = Asking(_ask, order=20, within_ms=1000, alone=True)
