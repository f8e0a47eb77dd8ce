"""What the doctor was told of the box: by options, and by the environment the agent itself reads."""

from dataclasses import dataclass
from pathlib import Path

from edge_agent.settings import AgentSettings, load_settings
from hall_core.errors import SettingsInvalid

__all__ = ["Told", "told_of"]


@dataclass(frozen=True, slots=True)
class Told:
    """`hall` and `data` are None where nobody named them; `trouble` is why the settings cannot be used."""

    hall: Path | None
    data: Path | None
    settings: AgentSettings | None
    trouble: str = ""


def told_of(hall: Path | None, data: Path | None) -> Told:
    """Settings as far as they are known; a doctor also looks at a box nobody has set up yet."""
    nowhere = Path()
    given = {"hall": hall, "data": data}
    trouble = ""
    for unknown in ((), ("data",), ("hall",), ("hall", "data")):
        if any(given[name] is not None for name in unknown):
            continue
        try:
            settings = load_settings(**{**given, **dict.fromkeys(unknown, nowhere)})
        except SettingsInvalid as error:
            trouble = str(error)
            continue
        known = {name: None if name in unknown else getattr(settings, name) for name in given}
        return Told(known["hall"], known["data"], settings)
    return Told(hall, data, None, trouble)
