"""docs/devices.md: every device model that has a profile."""

from makers.markdown import MADE, table

from device_drivers.recognising import Asking, Listening, recogniser_of
from firmware_profiles import all_profiles
from hall_core.devices.profile import Profile
from simulators.hall import family_of

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
            "\n## Families · 系列\n",
            "How `hall-agent doctor --scan` finds a device of the family, and what its simulator can be made",
            "to do (`hall-sim fault`). A fault that ends in `:n` takes a number.\n",
            table(["family", "found by", "simulated faults"], _families(profiles)),
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
    rows = [
        (q.what, q.firmware, q.changes.model_dump(exclude_defaults=True), q.evidence) for q in profile.quirks
    ]
    return f"\n## Quirks of `{profile.id}`\n\n{table(['what', 'firmware', 'changes', 'evidence'], rows)}"


def _families(profiles: list[Profile]) -> list[tuple[str, str, str]]:
    found = []
    for family in sorted({p.family for p in profiles}):
        recogniser = recogniser_of(family)
        how = "asking" if isinstance(recogniser, Asking) else "listening"
        if not isinstance(recogniser, Asking | Listening):
            how = recogniser.words
        found.append((family, how, " ".join(f"`{fault}`" for fault in family_of(family).FAULTS)))
    return found
