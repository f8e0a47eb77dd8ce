"""Whether a device is there, by what its availability topics say. Pure."""

from device_drivers.mqtt_native.announcement import AvailabilityPlace, Mode
from device_drivers.mqtt_native.template import Template

__all__ = ["Availability"]


class Availability:
    """`all`, `any` or the `latest` of its topics must say it is there; silence means it is not."""

    def __init__(self, places: tuple[AvailabilityPlace, ...], mode: Mode) -> None:
        self._places = [(place, Template(place.template)) for place in places]
        self._mode = mode
        self._there = [False] * len(places)
        self._latest = False

    @property
    def told(self) -> bool:
        """False for a device that has no such topic: then nobody can know."""
        return bool(self._places)

    @property
    def there(self) -> bool:
        """True when it may be spoken to."""
        if not self._places:
            return True
        if self._mode == "latest":
            return self._latest
        return all(self._there) if self._mode == "all" else any(self._there)

    def hear(self, topic: str, payload: bytes) -> bool:
        """True when this says that the device is there."""
        said_yes = False
        for number, (place, template) in enumerate(self._places):
            if place.topic != topic:
                continue
            said = template.render(payload.decode(errors="replace"))
            if said in (place.available, place.not_available):
                self._latest = self._there[number] = said == place.available
                said_yes = said_yes or self._latest
        return said_yes
