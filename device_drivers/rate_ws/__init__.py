"""Family `rate_ws`: evaluator tablets (评价器) that speak JSON over WebSocket and dial the hall."""

from device_drivers.rate_ws.driver import DeviceDriver

__all__ = ["DeviceDriver"]
