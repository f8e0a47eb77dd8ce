"""What was found, as entries for the hall file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from edge_agent.doctor.scan import Sighting
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.profile import Profile
from hall_core.devices.vocabulary import Capability

__all__ = ["Proposal", "as_yaml", "proposals"]

_AT_A_COUNTER = {Capability.KEYPAD, Capability.EVALUATE, Capability.INDICATOR}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One device. `known_as`: the hall file has it already. Without profiles nothing can be proposed."""

    name: str
    address: str
    unit: int | None
    profiles: tuple[str, ...]
    why: tuple[str, ...]
    options: Mapping[str, Any]
    known_as: str | None
    counter: bool

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.known_as or self.name,
            "known": self.known_as is not None,
            "address": self.address,
            "unit": self.unit,
            "profiles": list(self.profiles),
            "why": list(self.why),
            "options": dict(self.options),
        }


def proposals(
    sightings: Iterable[Sighting], profiles: Mapping[str, Profile], there: Sequence[DeviceSetup]
) -> list[Proposal]:
    """One for each address and unit; where several families claim it all their models are told."""
    places: dict[tuple[str, int | None], list[Sighting]] = {}
    for seen in sightings:
        places.setdefault((seen.address, None if seen.alone else seen.found.unit), []).append(seen)
    names = {setup.name for setup in there}
    made: list[Proposal] = []
    for (address, unit), claims in places.items():
        # "speaks the tongue, fits no profile" counts only where nobody else knows better
        best = [claim for claim in claims if claim.found.profiles] or claims
        ids = tuple(dict.fromkeys(i for claim in best for i in claim.found.profiles))
        known = next(
            (s.name for s in there if s.address == address and (unit is None or s.unit == unit)), None
        )
        name = "" if known or not ids else _name(profiles[ids[0]].kind, names)
        made.append(
            Proposal(
                name,
                address,
                unit,
                ids,
                tuple(claim.found.why for claim in best),
                best[0].found.options,
                known,
                bool(ids) and _stands_at_a_counter(profiles[ids[0]]),
            )
        )
    return made


def as_yaml(made: Iterable[Proposal], profiles: Mapping[str, Profile]) -> str:
    """Entries for `devices:` of the hall file, with comments; nothing for what is there already."""
    lines: list[str] = []
    for one in made:
        if one.known_as or not one.profiles:
            continue
        lines += [f"  # {words}" for words in one.why]
        entry: dict[str, Any] = {"name": one.name, "profile": one.profiles[0], "address": one.address}
        entry |= {} if one.unit is None else {"unit": one.unit}
        entry |= {"options": dict(one.options)} if one.options else {}
        text = yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=1000)
        first, *rest = text.rstrip("\n").split("\n")
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
        lines += [f"    # 也可能是 (or)  profile: {i}  {profiles[i].name}" for i in one.profiles[1:]]
        lines += ['    # counter: "…"  请填写所在窗口 (name its counter)'] if one.counter else []
    return "\n".join(["devices:", *lines, ""]) if lines else ""


def _stands_at_a_counter(profile: Profile) -> bool:
    return profile.kind == "strip" or bool(_AT_A_COUNTER & set(profile.capabilities))


def _name(kind: str, taken: set[str]) -> str:
    """The kind and the first number that is free; the hall file takes small letters, digits and hyphens."""
    number = 1
    while f"{kind}-{number}" in taken:
        number += 1
    taken.add(f"{kind}-{number}")
    return f"{kind}-{number}"
