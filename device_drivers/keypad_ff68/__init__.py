"""Family `keypad_ff68`: silent callers with 21 keys (硬件呼叫器) and their evaluators, on one RS-485 line."""

from device_drivers.keypad_ff68.driver import DeviceDriver

__all__ = ["DeviceDriver"]
