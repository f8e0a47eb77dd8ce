"""Family `onbon_k`: Onbon font cards (仰邦字库卡) BX-5K and BX-6K."""

from device_drivers.onbon_k.driver import DeviceDriver

__all__ = ["DeviceDriver"]
