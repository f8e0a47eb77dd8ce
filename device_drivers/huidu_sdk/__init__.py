"""Family `huidu_sdk`: Huidu full-colour cards (灰度全彩) that speak SDK 2.0 over TCP."""

from device_drivers.huidu_sdk.driver import DeviceDriver

__all__ = ["DeviceDriver"]
