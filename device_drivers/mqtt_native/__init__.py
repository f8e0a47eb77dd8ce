"""Displays, lights, signs and pagers that speak MQTT themselves and announce themselves."""

from device_drivers.mqtt_native.driver import DeviceDriver

__all__ = ["DeviceDriver"]
