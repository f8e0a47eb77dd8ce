"""Why a wish about a device was refused: the words that staff read."""

from hall_core.errors.root import Refused

__all__ = ["DeviceAway", "DeviceCannot", "DeviceSaidNo", "UnknownDevice", "UnknownScreen"]


class UnknownDevice(Refused):
    """The hall has no such device."""

    slug, status = "unknown-device", 404
    zh, en = "本厅没有设备「{device}」，现有：{known}", "There is no device {device!r}; known are {known}"


class UnknownScreen(Refused):
    """No screen of the hall has this name."""

    slug, status = "unknown-screen", 404
    zh, en = (
        "本厅没有名为「{screen}」的屏幕，请核对网址中的 ?screen= 或在大厅文件中登记 web://{screen}",
        "No screen of this hall is named {screen!r}; mend ?screen= in the address, or add web://{screen}",
    )


class DeviceCannot(Refused):
    """Devices of this model cannot do this."""

    slug = "device-cannot"
    zh, en = "设备「{device}」不支持此操作", "Device {device!r} cannot do this"


class DeviceAway(Refused):
    """The device does not answer: nothing was done."""

    slug, status = "device-away", 503
    zh, en = (
        "设备「{device}」没有应答，操作未执行，请检查电源和接线：{why}",
        "Device {device!r} does not answer, nothing was done: {why}",
    )


class DeviceSaidNo(Refused):
    """The device answered no: repeating will not help."""

    slug = "device-refused"
    zh, en = "设备「{device}」拒绝执行：{why}", "Device {device!r} refused: {why}"
