"""What a device says of itself: Home Assistant's MQTT discovery form. Pure.

Source: home-assistant.io, MQTT discovery (device and single component payloads, abbreviations,
availability), MQTT text, light (both schemas), switch and notify.
"""

from dataclasses import dataclass
from typing import Any, Literal

from device_drivers.json_text import read_json
from device_drivers.mqtt_native.template import Template
from hall_core.errors import BadFrame

__all__ = ["Announcement", "AvailabilityPlace", "Component", "Mode", "config_topics", "read_announcement"]

Component = Literal["text", "light", "switch", "notify"]
Mode = Literal["all", "any", "latest"]

#: the abbreviations of the keys read here
_LONG = {
    "avty": "availability",
    "avty_mode": "availability_mode",
    "avty_t": "availability_topic",
    "avty_tpl": "availability_template",
    "bri_scl": "brightness_scale",
    "cmd_t": "command_topic",
    "cmd_tpl": "command_template",
    "cmps": "components",
    "dev": "device",
    "mdl": "model",
    "mf": "manufacturer",
    "p": "platform",
    "pl_avail": "payload_available",
    "pl_not_avail": "payload_not_available",
    "pl_off": "payload_off",
    "pl_on": "payload_on",
    "stat_off": "state_off",
    "stat_on": "state_on",
    "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template",
    "sw": "sw_version",
    "t": "topic",
    "val_tpl": "value_template",
}
#: what the root of a device's payload says for all its components
_SHARED = (
    *("availability", "availability_mode", "availability_topic", "availability_template"),
    *("command_topic", "state_topic", "payload_available", "payload_not_available"),
)
#: what a text may be at most when the device does not say
_TEXT_MAX = 255
#: no device has more levels or characters, and no topic of one is longer
_LARGEST, _LONGEST = 65535, 1024


@dataclass(frozen=True, slots=True)
class AvailabilityPlace:
    """One topic that tells whether the device is there."""

    topic: str
    available: str = "online"
    not_available: str = "offline"
    template: str = ""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One component of one device. Without `availability` nobody can know whether it is there."""

    command_topic: str
    state_topic: str | None = None
    availability: tuple[AvailabilityPlace, ...] = ()
    mode: Mode = "latest"
    command_template: str = ""
    value_template: str = ""
    payload_on: str = "ON"
    payload_off: str = "OFF"
    state_on: str = "ON"
    state_off: str = "OFF"
    json_light: bool = False
    brightness_scale: int = 255
    max_chars: int = _TEXT_MAX
    model: str = ""


def config_topics(prefix: str, component: Component, name: str) -> tuple[str, ...]:
    """Where a device of this name announces this component: `name` is `object` or `node/object`."""
    if "/" in name:
        return (f"{prefix}/device/{name}/config", f"{prefix}/{component}/{name}/config")
    return (
        f"{prefix}/device/{name}/config",
        f"{prefix}/{component}/{name}/config",
        f"{prefix}/{component}/+/{name}/config",
    )


def read_announcement(payload: bytes, component: Component, part: str = "") -> Announcement | None:
    """The component in a discovery payload; `part` names it when the device has several of the kind.

    None when it is taken back: an empty payload. Raises BadFrame for what cannot be used.
    """
    if not payload:
        return None
    try:
        said = read_json(payload)
    except BadFrame as error:
        raise BadFrame("公告不是可用的 JSON (the announcement is not JSON that can be used)") from error
    if not isinstance(said, dict):
        raise BadFrame("公告不是 JSON 对象 (the announcement is not an object)")
    said = _expanded(said)
    if said.get("migrate_discovery") is True:
        return None
    device = said.get("device")
    found = _component(said, component, part) if "components" in said else said
    return None if found is None else _read(found, component, device if isinstance(device, dict) else {})


def _component(said: dict[str, Any], component: str, part: str) -> dict[str, Any] | None:
    """The wanted component with what the root says for all; None when the device took it back."""
    parts = said["components"]
    if not isinstance(parts, dict):
        raise BadFrame("公告的 components 不是对象 (components must be an object)")
    for key, value in parts.items():
        if not isinstance(value, dict):
            continue
        own = _expanded(value)
        if own.get("platform") == component and part in ("", key):
            if len(own) == 1:
                return None
            shared = {k: said[k] for k in _SHARED if k in said}
            return {**shared, **own}
    wanted = f"{component} {part}".strip()
    raise BadFrame(f"公告里没有 {wanted} 部件 (the device announces no such component)")


def _expanded(said: dict[str, Any]) -> dict[str, Any]:
    """Long keys, and topics with their base."""
    long = _long(said)
    if isinstance(long.get("device"), dict):
        long["device"] = _long(long["device"])
    base = long.pop("~", None)
    places = long.get("availability")
    if places is not None:
        listed = places if isinstance(places, list) else [places]
        long["availability"] = [_based(_long(place), base) for place in listed if isinstance(place, dict)]
    return _based(long, base)


def _long(said: dict[str, Any]) -> dict[str, Any]:
    return {_LONG.get(key, key): value for key, value in said.items()}


def _based(said: dict[str, Any], base: object) -> dict[str, Any]:
    if not isinstance(base, str):
        return said
    return {
        key: _with_base(value, base) if key.endswith("topic") and isinstance(value, str) else value
        for key, value in said.items()
    }


def _with_base(topic: str, base: str) -> str:
    if topic.startswith("~"):
        topic = base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _read(said: dict[str, Any], component: Component, device: dict[str, Any]) -> Announcement:
    on, off = _text(said, "payload_on", "ON"), _text(said, "payload_off", "OFF")
    template = _text(said, "value_template", "") or _text(said, "state_value_template", "")
    found = Announcement(
        command_topic=_topic(said, "command_topic"),
        state_topic=_topic(said, "state_topic") if said.get("state_topic") else None,
        availability=_places(said),
        mode=_mode(said),
        command_template=_text(said, "command_template", ""),
        value_template=template,
        payload_on=on,
        payload_off=off,
        state_on=_text(said, "state_on", on),
        state_off=_text(said, "state_off", off),
        json_light=component == "light" and said.get("schema") == "json",
        brightness_scale=_number(said, "brightness_scale", 255),
        max_chars=_number(said, "max", _TEXT_MAX),
        model=" ".join(str(device[k]) for k in ("manufacturer", "model", "sw_version") if k in device),
    )
    for text in (found.command_template, found.value_template, *(p.template for p in found.availability)):
        Template(text)  # one that cannot be read is told now, not at the first call
    return found


def _places(said: dict[str, Any]) -> tuple[AvailabilityPlace, ...]:
    if said.get("availability"):
        listed, template = said["availability"], "value_template"
    elif said.get("availability_topic"):
        listed, template = [{**said, "topic": said["availability_topic"]}], "availability_template"
    else:
        return ()
    return tuple(
        AvailabilityPlace(
            _topic(place, "topic"),
            _text(place, "payload_available", "online"),
            _text(place, "payload_not_available", "offline"),
            _text(place, template, ""),
        )
        for place in listed
    )


def _mode(said: dict[str, Any]) -> Mode:
    match said.get("availability_mode", "latest"):
        case "all":
            return "all"
        case "any":
            return "any"
        case "latest":
            return "latest"
    raise BadFrame("公告的 availability_mode 应为 all、any 或 latest (unknown availability_mode)")


def _topic(said: dict[str, Any], key: str) -> str:
    topic = said.get(key)
    if not isinstance(topic, str) or not 0 < len(topic) <= _LONGEST or any(sign in topic for sign in "+#\0"):
        raise BadFrame(f"公告缺少可用的 {key} (the announcement has no usable {key})")
    return topic


def _text(said: dict[str, Any], key: str, default: str) -> str:
    value = said.get(key)
    return default if value is None else str(value)


def _number(said: dict[str, Any], key: str, default: int) -> int:
    value = said.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LARGEST:
        raise BadFrame(f"公告的 {key} 不是 1..{_LARGEST} 的整数 ({key} must be an integer of 1..{_LARGEST})")
    return value
