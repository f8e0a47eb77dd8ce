"""Family `modbus_text`: LED strips and number panels that show what stands in their registers."""

from device_drivers.modbus_text.driver import DeviceDriver

__all__ = ["DeviceDriver"]
