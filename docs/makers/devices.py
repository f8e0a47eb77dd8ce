"""docs/devices.md: every device model that has a profile."""

from makers.markdown import MADE, table

from firmware_profiles import all_profiles
from hall_core.devices.profile import Profile

__all__ = ["page"]


def page() -> str:
    """The page."""
    profiles = sorted(all_profiles().values(), key=lambda p: (p.family, p.id))
    rows = [
        (
            p.family,
            f"`{p.id}`",
            p.name,
            f"{p.match.vendor}: {', '.join(p.match.models)}",
            _lines(p),
            ", ".join(f"{c.value} ({a.value})" for c, a in p.capabilities.items()),
            p.status,
            len(p.frames),
        )
        for p in profiles
    ]
    head = [
        "family",
        "profile",
        "name",
        "models",
        "transports",
        "capabilities (assurance)",
        "status",
        "frames",
    ]
    return "\n".join(
        [
            MADE,
            "# Devices · 设备型号\n",
            "`status` says how far a model was proved: drafted (from its manual), simulated (works against",
            "its simulator), captured (frames from another source exist), field (runs in a hall). The",
            "assurance of a capability says how sure a hall can be that the device did it: `readback`, `ack`",
            "or `none`. `frames` counts golden frames.\n",
            table(head, rows),
            *(_quirks(p) for p in profiles if p.quirks),
        ]
    )


def _lines(profile: Profile) -> str:
    found = []
    if profile.tcp:
        found.append(f"TCP port {profile.tcp.port}")
    if profile.serial:
        found.append(f"serial {profile.serial.baud} {profile.serial.format}")
    return ", ".join(found)


def _quirks(profile: Profile) -> str:
    rows = [(key, value) for quirk in profile.quirks for key, value in quirk.items()]
    return f"## Quirks of `{profile.id}`\n\n{table(['what', 'value'], rows)}"
