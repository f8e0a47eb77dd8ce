"""Reads the YAML profiles of this folder: one file per device model, its name is its id."""

from firmware_profiles.shelf import Shelf
from hall_core.devices.profile import Profile

__all__ = ["Shelf", "all_profiles", "load"]


def load(profile_id: str) -> Profile:
    """One profile of this folder. Raises ProfileInvalid naming file, line and remedy."""
    return Shelf().load(profile_id)


def all_profiles() -> dict[str, Profile]:
    """Every profile of this folder by id. Raises ProfileInvalid for the first that is wrong."""
    return Shelf().all()
