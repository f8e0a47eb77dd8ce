"""Devices that speak MQTT themselves and announce themselves in Home Assistant's discovery form.

Written from home-assistant.io: MQTT discovery, text, light (JSON schema), switch, notify. Each is a
client of its own at the broker of its address; the last part of the address is its name.
"""

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from hall_core.errors import SettingsInvalid
from simulators.device import SimDevice
from simulators.line import Line, Link
from simulators.mqtt_link import Client, Letter, node_of

__all__ = ["FAULTS", "Announced", "build_body", "build_talk"]

#: `silence`: does it, says nothing of it; `ignore`: neither
FAULTS = ("offline", "silence", "slow:n", "duplicate", "stuck", "power-cycle")
_PAGES_KEPT = 20


class Announced:
    """The body of one such device: a text panel, a lamp, a sign or a pager transmitter."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = device.profile.options | device.setup.options
        self.component: str = options["component"]
        self.keys: tuple[str, ...] = ("return",) if self.component == "notify" else ()
        self._prefix: str = options.get("prefix", "homeassistant")
        self._name = node_of(device.setup.address, device.name)
        self._base = f"sign/{self._name}"
        self._connected = False
        self._forget()
        self.client = Client(
            device,
            (f"{self._base}/set", f"{self._prefix}/status"),
            self._birth,
            lambda: Letter(f"{self._base}/there", b"offline", retain=True),
            self._heard,
            self._link_changed,
        )

    def shows(self) -> dict[str, Any]:
        link = {"connected": self._connected, "commands": self._commands}
        match self.component:
            case "text":
                return {"text": self._text, **link}
            case "notify":
                return {"pages": self._pages, "pagers": dict(self._pagers), **link}
        return {"on": self._on, **self._lamp, **link}

    def press(self, key: str) -> None:
        """All pagers go back on their rack."""
        del key
        for pager in self._pagers.values():
            pager["shaking"] = False
        self._device.showed()

    def power_cycle(self) -> None:
        self._forget()
        self.client.cut()

    def fault_changed(self, name: str, on: bool) -> None:
        if name in {"offline", "power-cycle"}:
            if on:
                self.client.cut()
            self.client.wake()

    def _forget(self) -> None:
        self._text, self._on, self._lamp = "", False, dict[str, Any]()
        self._commands, self._pages = 0, 0
        self._pagers: dict[str, dict[str, Any]] = {}
        self._seen: deque[bytes] = deque(maxlen=_PAGES_KEPT)

    def _link_changed(self, on: bool) -> None:
        self._connected = on
        self._device.changed()

    def _birth(self) -> tuple[Letter, ...]:
        return (*self._announcement(), Letter(f"{self._base}/there", b"online", retain=True))

    def _announcement(self) -> tuple[Letter, ...]:
        """Text panels use the device form with short keys, the others the form of one component."""
        maker = {"ids": [self._name], "name": self._device.profile.name, "mf": "Simulated", "mdl": "SIM-1"}
        if self.component == "text":
            said: dict[str, Any] = {
                "~": self._base,
                "dev": maker,
                "o": {"name": "hall-sim"},
                "avty": [{"t": "~/there"}],
                "avty_mode": "all",
                "cmps": {
                    "panel": {
                        "p": "text",
                        "uniq_id": f"{self._name}_panel",
                        "cmd_t": f"{self._base}/set",
                        "stat_t": f"{self._base}/state",
                        "val_tpl": "{{ value_json.text }}",
                    }
                },
            }
            return (self._config("device", said),)
        said = {
            "name": None,
            "unique_id": f"{self._name}_{self.component}",
            "device": maker,
            "command_topic": f"{self._base}/set",
            "availability_topic": f"{self._base}/there",
        }
        if self.component == "light":
            said |= {"schema": "json", "brightness": True, "state_topic": f"{self._base}/state"}
            said |= {"supported_color_modes": ["rgb"], "effect": True, "effect_list": ["blink"]}
        elif self.component == "switch":
            said |= {"state_topic": f"{self._base}/state", "payload_on": "1", "payload_off": "0"}
        return (self._config(self.component, said),)

    def _config(self, component: str, said: dict[str, Any]) -> Letter:
        payload = json.dumps(said, ensure_ascii=False).encode()
        return Letter(f"{self._prefix}/{component}/{self._name}/config", payload, retain=True)

    def _heard(self, topic: str, payload: bytes) -> None:
        if topic == f"{self._prefix}/status":
            for letter in self._announcement() if payload == b"online" else ():
                self.client.say(letter)
            return
        if self._device.dead:
            return
        self._commands += 1
        if self._device.faults.on("stuck"):
            return
        state = self._done(payload)
        if state is not None:
            self._device.showed()
            self._answer(Letter(f"{self._base}/state", state, retain=True))

    def _done(self, payload: bytes) -> bytes | None:
        """Do what a command says; what the state topic is told then, None when there is nothing to tell."""
        text = payload.decode(errors="replace")
        if self.component == "text":
            self._text = text
            return json.dumps({"text": text}, ensure_ascii=False).encode()
        if self.component == "notify":
            pager, _, words = text.partition(" ")
            self._pages += 1
            self._pagers[pager] = {"shaking": True, "text": words}
            self._device.showed()
            return None
        if self.component == "switch":
            if text not in {"0", "1"}:
                return None
            self._on = text == "1"
            return payload
        return self._lit(text)

    def _lit(self, text: str) -> bytes | None:
        try:
            wish = json.loads(text)
            on = {"ON": True, "OFF": False}[wish["state"]]
        except (ValueError, KeyError, TypeError):
            return None
        self._on = on
        self._lamp |= {k: wish[k] for k in ("brightness", "color") if k in wish}
        self._lamp["effect"] = wish.get("effect")
        state = {"state": wish["state"], "color_mode": "rgb", **{k: v for k, v in self._lamp.items() if v}}
        return json.dumps(state).encode()

    def _answer(self, letter: Letter) -> None:
        faults = self._device.faults
        if faults.on("silence") or self.component == "notify":
            return

        def say() -> None:
            for _ in range(2 if faults.on("duplicate") else 1):
                self.client.say(letter)

        slow = faults.number("slow")
        later: Callable[[float, Callable[[], None]], None] = self._device.alarm
        if slow:
            later(slow / 1000, say)
        else:
            say()


class _NoTalk:
    """Nobody calls such a device: it dials."""

    async def heard(self, link: Link, data: bytes) -> None:
        raise AssertionError((link, data))

    def lost(self, link: Link) -> None:
        raise AssertionError(link)


def build_body(device: SimDevice) -> Announced:
    """The body of one device."""
    return Announced(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _NoTalk:
    """The device takes the line's place: it dials where a line would listen."""
    if len(devices) > 1 or line.scheme not in {"mqtt", "mqtts"}:
        msg = f"{line.address}: one device to one name; write mqtt://host:port/name for each"
        raise SettingsInvalid(msg)
    body = devices[0].body
    assert isinstance(body, Announced)
    body.client.plug_into(line)
    return _NoTalk()
