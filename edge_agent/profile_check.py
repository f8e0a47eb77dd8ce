"""A profile against the driver of its family: options nobody knows, golden frames its codec does not build.

`python -m edge_agent.profile_check FILE`; `hall-sim profiles check FILE` asks here: a simulator knows none.
"""

import asyncio
import sys
from pathlib import Path

from pydantic import ValidationError

from device_drivers import BusPool, open_driver
from device_drivers.golden import build
from firmware_profiles import Shelf
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.errors import ProfileInvalid, SettingsInvalid

__all__ = ["check_profile"]

#: where such a device could stand; nothing is opened there
_PLACES = ("tcp://127.0.0.1:9", "rtu+tcp://127.0.0.1:9", "mqtt://127.0.0.1:9/box/device", "web://device")


async def check_profile(path: Path) -> Profile:
    """The profile when it is right. Raises ProfileInvalid with file, line and remedy."""
    home = Shelf()
    folder = path.resolve().parent  # noqa: ASYNC240 - nothing else runs meanwhile
    shelf = home if folder == home.folder.resolve() else Shelf(folder, below=home)
    profile = shelf.load(path.stem)
    await _opens(shelf, profile, profile, ())
    for n, quirk in enumerate(profile.quirks):
        await _opens(shelf, profile, profile.changed(quirk.changes), ("quirks", n, "changes"))
    _frames(shelf, profile)
    return profile


async def _opens(shelf: Shelf, profile: Profile, tried: Profile, below: tuple[str | int, ...]) -> None:
    """The driver takes the options."""
    refused: SettingsInvalid | None = None
    async with BusPool(clock=SystemClock()) as buses:
        for place in _PLACES:
            setup = DeviceSetup(name="device", profile=profile.id, address=place)
            try:
                open_driver(setup, tried, buses, SystemClock())
            except SettingsInvalid as error:
                refused = error  # this model does not stand at such a place
                continue
            except ProfileInvalid as error:
                cause = error.__cause__
                if not isinstance(cause, ValidationError):
                    raise
                first = cause.errors()[0]
                loc = shelf.place(profile.id, (*below, "options", *first["loc"]))
                remedy = "remove it or mend its spelling" if first["type"] == "extra_forbidden" else "mend it"
                raise ProfileInvalid(f"{loc}: {first['msg']} — 请更正 (remedy: {remedy})") from error
            return
    raise ProfileInvalid(f"{profile.id}.yaml: {refused}")


def _frames(shelf: Shelf, profile: Profile) -> None:
    """The codec builds what is sent, and finds the answer in what comes back."""
    for n, frame in enumerate(profile.frames):
        try:
            sent, read = build(profile, frame.command)
        except ProfileInvalid as error:
            where = shelf.place(profile.id, ("frames", n, "command"))
            raise ProfileInvalid(f"{where}: {error} — 请更正 (remedy: mend the command)") from error
        if sent != bytes.fromhex(frame.sent):
            where = shelf.place(profile.id, ("frames", n, "sent"))
            raise ProfileInvalid(
                f"{where}: the driver sends {sent.hex(' ')} — 请更正"
                " (remedy: compare with the source; mend the frame, or the options it comes from)"
            )
        if frame.answer and (read is None or not _read(read, bytes.fromhex(frame.answer))):
            where = shelf.place(profile.id, ("frames", n, "answer"))
            raise ProfileInvalid(
                f"{where}: the driver does not take this for the answer — 请更正 (remedy: mend it)"
            )


def _read(read: object, data: bytes) -> bool:
    assert callable(read)
    try:
        return read(data) is not None
    except Exception:  # noqa: BLE001 - whatever a reader says against it, it is no answer
        return False


def main() -> int:
    """0 when the profile is right, 2 with a sentence when it is not."""
    try:
        profile = asyncio.run(check_profile(Path(sys.argv[1])))
    except ProfileInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{profile.id}: options, {len(profile.quirks)} quirks, {len(profile.frames)} frames\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
