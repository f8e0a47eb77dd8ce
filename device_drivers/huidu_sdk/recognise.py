"""Finds Huidu cards by the negotiation of versions, then asks a full-colour card for its model and size.

`08 00 01 20 05 00 00 01` only names the transport we speak; GetIFVersion opens a session, GetDeviceInfo
reads. No program, switch or brightness is touched. Source: the vendor's SDK 2.0 text. A single- or
dual-colour card of the same maker answers "HT…": it is told apart, and has no driver here.
"""

from collections.abc import Mapping, Sequence

from device_drivers.huidu_sdk import codec
from device_drivers.recognising import Asking, Found, Talk, named_models_first, unchanged
from hall_core.devices.profile import Profile
from hall_core.errors import DeviceRefused

__all__ = ["RECOGNISER", "redact"]

SDK_VERSION = "1000005"
#: programs hold what hangs on the wall for everybody
redact = unchanged


async def _ask(talk: Talk, unit: int, profiles: Sequence[Profile]) -> Found | None:
    try:
        await talk.ask(codec.hello(), codec.read_hello)
    except DeviceRefused as error:
        return Found((), unit, str(error))
    device, screen = await _about(talk)
    model = device.get("model", "")
    ids = named_models_first(profiles, model)
    size = {key: int(screen[key]) for key in ("width", "height") if screen.get(key, "").isdecimal()}
    best = next(p for p in profiles if p.id == ids[0])
    options = {key: value for key, value in size.items() if best.options.get(key) != value}
    set_to = f"，屏幕 {screen['width']}×{screen['height']}" if len(size) == 2 else ""
    return Found(
        ids, unit, f"灰度全彩卡 {model or '未说明型号'} 应答{set_to} (a full-colour card answers)", options
    )


async def _about(talk: Talk) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What the card says of itself and its screen; nothing where it keeps it to itself or is occupied."""
    try:
        version = codec.element("version", {"value": SDK_VERSION})
        session = (await _told(talk, codec.NO_SESSION, "GetIFVersion", version)).session
        info = await _told(talk, session or codec.NO_SESSION, "GetDeviceInfo")
    except DeviceRefused:
        return {}, {}
    return info.first("device"), info.first("screen")


async def _told(talk: Talk, session: str, method: str, inner: codec.Xml = "") -> codec.Answer:
    (packet,) = codec.command(session, method, inner)
    return await talk.ask(packet, lambda heard: codec.read_answer(heard, method))


RECOGNISER = Asking(_ask, order=30, within_ms=1000, alone=True)
