"""How each family's codec builds the frame of a codec-level command, and reads the answer."""

from device_drivers.golden import Built, build

__all__ = ["Built", "build"]
