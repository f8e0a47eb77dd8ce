"""Which pictures a family takes: all others are refused with what to change in the hall file."""

from collections.abc import Iterable

from hall_core.devices.vocabulary import CounterPicture, Picture, ScreenPicture
from hall_core.errors import DeviceRefused

__all__ = ["of_a_counter", "of_a_screen"]


def of_a_counter(picture: Picture, name: str, what: str) -> CounterPicture:
    """The picture, for a device that stands at one counter. Raises DeviceRefused."""
    if isinstance(picture, CounterPicture):
        return picture
    raise DeviceRefused(
        f"「{name}」是{what}，只为一个窗口服务：请在大厅文件中为它填写 counter"
        " (it serves one counter: name it in the hall file)"
    )


def of_a_screen(picture: Picture, name: str, what: str, inputs: Iterable[str]) -> ScreenPicture:
    """The picture, for a display that is only switched and set. Raises DeviceRefused."""
    if not isinstance(picture, ScreenPicture):
        raise DeviceRefused(f"「{name}」是{what}，不能显示 {picture.kind} (screen states only)")
    known = tuple(inputs)
    if picture.input is not None and picture.input not in known:
        raise DeviceRefused(f"「{name}」没有输入源 {picture.input}，现有：{'、'.join(known)} (no such input)")
    return picture
