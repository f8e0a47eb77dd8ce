"""A new key for phone numbers: made, everything sealed anew, the old ones dropped when nothing needs them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.store import sealed as store
from controller.store.database import Database
from controller.use_cases.phones import PhoneBox
from controller.use_cases.sealed_values import Sealed, go_over
from hall_core.errors import PhoneInvalid, SettingsInvalid

__all__ = ["Resealed", "drop_old_keys", "reseal_all"]


@dataclass(frozen=True, slots=True)
class Resealed:
    """Rows that were sealed anew, by table, and numbers that no key opens."""

    changed: Counter[str]
    unreadable: int


def reseal_all(database: Database, phones: PhoneBox, told: Callable[[str, int], None]) -> Resealed:
    """Seal whatever is sealed to an older key to the newest. Begun again it does what is left."""
    unreadable: set[str] = set()

    def change(found: Sealed) -> str:
        if phones.is_newest(found.value):
            return found.value
        try:
            return phones.reseal(found.value, found.owner, found.owner)
        except PhoneInvalid:
            unreadable.add(found.value)
            return found.value

    return Resealed(go_over(database, change, told), len(unreadable))


def drop_old_keys(database: Database, phones: PhoneBox, *, even_so: bool) -> list[str]:
    """Drop all keys but the newest; gives their ids. Raises SettingsInvalid while something still needs them:
    `even_so` gives up what halls and appointments may still hold, not what is kept here.
    """
    left: set[str] = set()

    def look(found: Sealed) -> str:
        if not phones.is_newest(found.value) and _opens(phones, found):
            left.add(found.value)
        return found.value

    go_over(database, look)
    if left:
        raise SettingsInvalid(
            f"{len(left)} numbers are sealed to an old key: restart the controller, "
            "then run `hall-controller privacy reseal` again"
        )
    since = datetime.fromtimestamp(phones.keys.made_at(phones.keys.newest), UTC)
    silent, booked = database.read_now(lambda tx: store.needing_old_keys(tx, since))
    if (silent or booked) and not even_so:
        reasons = [f"not heard of since the rotation: {', '.join(silent)}"] if silent else []
        reasons += [f"{booked} appointments are to come that were booked before it"] if booked else []
        raise SettingsInvalid(
            f"{'; '.join(reasons)}. Their halls hold numbers sealed to an old key: wait, or give them up "
            "with --even-so"
        )
    return phones.keys.drop_old()


def _opens(phones: PhoneBox, found: Sealed) -> bool:
    try:
        phones.unseal(found.value, found.owner)
    except PhoneInvalid:
        return False
    return True
