"""Family `modbus_io`: modules of digital inputs and outputs, as key-pad and lamps of a counter."""

from device_drivers.modbus_io.driver import DeviceDriver

__all__ = ["DeviceDriver"]
