"""Reads the YAML profiles of this folder: one file per device model, its name is its id.

A hall adds its own models in a folder `profiles` beside its hall file.
"""

from pathlib import Path

from firmware_profiles.shelf import Shelf
from hall_core.devices.profile import Profile

__all__ = ["OWN", "Shelf", "all_profiles", "beside", "load"]

#: the folder of a hall's own profiles, beside its hall file
OWN = "profiles"


def load(profile_id: str) -> Profile:
    """One profile of this folder. Raises ProfileInvalid naming file, line and remedy."""
    return Shelf().load(profile_id)


def beside(hall_file: Path) -> Shelf:
    """The profiles of this folder, and before them those a hall keeps beside its hall (or satellite) file."""
    own = hall_file.resolve().parent / OWN
    return Shelf(own, below=Shelf()) if own.is_dir() else Shelf()


def all_profiles() -> dict[str, Profile]:
    """Every profile of this folder by id. Raises ProfileInvalid for the first that is wrong."""
    return Shelf().all()
