"""What goes wrong in programs, devices and on wires: whoever runs them must act."""

from hall_core.errors.root import QuiethallError

__all__ = [
    "BadFrame",
    "DeviceError",
    "DeviceRefused",
    "DeviceUnreachable",
    "GatewayError",
    "GatewayRejected",
    "GatewayUnknown",
    "JournalBroken",
    "ProfileInvalid",
    "SeedSealed",
    "SettingsInvalid",
    "StreamGap",
    "WireError",
]


class WireError(QuiethallError):
    """A message that must not be applied: malformed, of an unknown version, or not the sender's."""


class StreamGap(QuiethallError):
    """Entries are missing before the first one of a message; `expected` is the next one wanted."""

    def __init__(self, *, expected: int, got: int) -> None:
        self.expected, self.got = expected, got
        super().__init__(f"expected entry {expected}, got {got}")


class DeviceError(QuiethallError):
    """Something about a device. Never raised as itself."""


class DeviceUnreachable(DeviceError):
    """No answer in time: try again later."""


class DeviceRefused(DeviceError):
    """The device answered no: repeating will not help."""


class BadFrame(DeviceError):
    """Bytes that are not a frame of the protocol."""


class ProfileInvalid(QuiethallError):
    """A firmware profile is wrong: file, place and remedy are in the message."""


class SettingsInvalid(QuiethallError):
    """The program refuses to start; the message names the setting and the remedy."""


class SeedSealed(QuiethallError):
    """A draw cannot be made: its seed is sealed to a key that is not here. Restore the data folder's keys."""


class JournalBroken(QuiethallError):
    """The journal cannot be read or written; nothing may be issued until it is mended."""


class GatewayError(QuiethallError):
    """A message gateway did not take a notice. Never raised as itself."""


class GatewayRejected(GatewayError):
    """The gateway said no, for good: do not send this notice again."""


class GatewayUnknown(GatewayError):
    """Nobody knows whether the gateway took it: query first, never blindly re-send."""
