"""The projector behind a PJLink socket: lamp, inputs, sound, shutter, and what wears out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.device import SimDevice

__all__ = ["Projector"]

_OFF, _ON, _COOLING, _WARMING = "0", "1", "2", "3"
_STANDINGS = {_OFF: "standby", _ON: "on", _COOLING: "cooling", _WARMING: "warming"}
_NO_COMMAND, _NO_VALUE, _NOT_NOW = "ERR1", "ERR2", "ERR3"
_OLD_LAMP_H = 20_000


@dataclass(slots=True)
class _State:
    source: str
    power: str = _ON
    volume: int = 10
    dark: bool = False
    muted: bool = False
    blocked: bool = False
    cover: bool = True
    lamp_h: int = 1234


class Projector:
    """The body of a projector. It hangs, switched on, on its first digital input."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        options = self._options = device.profile.options | device.setup.options
        self._codes: dict[str, str] = options["inputs"]
        #: class 2 projectors step their volume
        self._steps: int = options.get("volume_steps", 0)
        volume = ("volume-up", "volume-down") if self._steps else ()
        self.keys: tuple[str, ...] = (
            *("power", "input", "mute", "blank", *volume),
            *("block-vent", "open-cover", "wear-lamp"),
        )
        digital = [code for code in self._codes.values() if code.startswith("3")]
        self._state = _State((digital or list(self._codes.values()))[0])
        self._commands: dict[tuple[str, str], Callable[[str], str]] = {
            ("1", "POWR"): self._power,
            ("1", "INPT"): self._input,
            ("1", "AVMT"): self._mute,
            ("1", "ERST"): self._told(self._errors),
            ("1", "LAMP"): self._told(self._lamp),
            ("1", "INST"): self._told(lambda: " ".join(self._codes.values())),
            ("1", "NAME"): self._told(lambda: device.name),
            ("1", "INF1"): self._told(lambda: device.profile.match.vendor),
            ("1", "INF2"): self._told(lambda: device.profile.match.models[0]),
            ("1", "INFO"): self._told(lambda: "Quiethall simulator"),
            ("1", "CLSS"): self._told(lambda: "2" if self._steps else "1"),
        }
        if self._steps:
            self._commands |= {
                ("2", "SVOL"): self._volume,
                ("2", "SNUM"): self._told(lambda: f"SIM{device.unit:05}"),
                ("2", "SVER"): self._told(lambda: "1.0"),
                ("2", "INPT"): self._input,
                ("2", "INST"): self._commands["1", "INST"],
            }

    def shows(self) -> dict[str, Any]:
        state = self._state
        names = [name for name, code in self._codes.items() if code == state.source]
        return {
            "power": "on" if state.power in (_ON, _WARMING) else "off",
            "standing": _STANDINGS[state.power],
            "input": names[0] if names else state.source,
            "volume": round(state.volume * 100 / self._steps) if self._steps else None,
            "muted": state.muted,
            "blank": state.dark,
            "errors": self._errors(),
            "lamp_hours": state.lamp_h if self._has_lamp else None,
        }

    def press(self, key: str) -> None:
        """Keys of the remote control, and what people and years do to a projector."""
        state = self._state
        match key:
            case "power" if state.power in (_ON, _OFF):
                self._switch(state.power == _OFF)
            case "input":
                codes = list(self._codes.values())
                state.source = codes[(codes.index(state.source) + 1) % len(codes)]
            case "mute":
                state.muted = not state.muted
            case "blank":
                state.dark = not state.dark
            case "volume-up" | "volume-down":
                self._step(1 if key == "volume-up" else -1)
            case "block-vent":
                state.blocked = not state.blocked
            case "open-cover":
                state.cover = not state.cover
            case "wear-lamp":
                state.lamp_h = _OLD_LAMP_H
        self._device.showed()

    def power_cycle(self) -> None:
        """With the mains back it is in standby, its picture and sound are no more switched off."""
        self._device.alarm(None)
        self._state.power = _OFF
        self._state.dark = self._state.muted = False
        self._device.showed()

    def fault_changed(self, name: str, on: bool) -> None:
        """Nothing but the wire changes with a projector's faults."""

    def do(self, kind: str, command: str, parameter: str) -> str:
        """What stands behind `=` in the answer."""
        handler = self._commands.get((kind, command))
        faults = self._device.faults
        if handler is None:
            return _NO_COMMAND
        if parameter != "?" and faults.on("busy"):
            return _NOT_NOW
        if parameter != "?" and (number := faults.number("nack")):
            return f"ERR{number}"
        return handler(parameter)

    def _told(self, tell: Callable[[], str]) -> Callable[[str], str]:
        """Something that can only be asked."""
        return lambda parameter: tell() if parameter == "?" else _NO_VALUE

    def _power(self, parameter: str) -> str:
        state = self._state
        if parameter == "?":
            return state.power
        if parameter not in (_OFF, _ON):
            return _NO_VALUE
        if state.power not in (_OFF, _ON):
            return _NOT_NOW
        if not self._device.faults.on("stuck") and parameter != state.power:
            self._switch(parameter == _ON)
            self._device.showed()
        return "OK"

    def _input(self, parameter: str) -> str:
        if self._state.power != _ON:
            return _NOT_NOW
        if parameter == "?":
            return self._state.source
        if parameter not in self._codes.values():
            return _NO_VALUE
        return self._changed(source=parameter)

    def _mute(self, parameter: str) -> str:
        """First digit 1 picture, 2 sound, 3 both; second digit 1 off (muted), 0 on."""
        state = self._state
        if state.power != _ON:
            return _NOT_NOW
        if parameter == "?":
            return {(False, False): "30", (True, False): "11", (False, True): "21"}.get(
                (state.dark, state.muted), "31"
            )
        if len(parameter) != 2 or parameter[0] not in "123" or parameter[1] not in "01":
            return _NO_VALUE
        off = parameter[1] == "1"
        what = {"1": ("dark",), "2": ("muted",), "3": ("dark", "muted")}[parameter[0]]
        return self._changed(**dict.fromkeys(what, off))

    def _volume(self, parameter: str) -> str:
        if self._state.power != _ON:
            return _NOT_NOW
        if parameter not in ("0", "1"):
            return _NO_VALUE
        if not self._device.faults.on("stuck"):
            self._step(1 if parameter == "1" else -1)
            self._device.showed()
        return "OK"

    def _errors(self) -> str:
        state = self._state
        return f"00{'2' if state.blocked else '0'}{'0' if state.cover else '2'}00"

    def _lamp(self) -> str:
        if not self._has_lamp:
            return _NO_COMMAND
        return f"{self._state.lamp_h} {int(self._state.power in (_ON, _WARMING))}"

    @property
    def _has_lamp(self) -> bool:
        return "lamp_hours" in self._options

    def _step(self, by: int) -> None:
        self._state.volume = min(max(self._state.volume + by, 0), self._steps)

    def _changed(self, **what: Any) -> str:
        if not self._device.faults.on("stuck"):
            for name, value in what.items():
                setattr(self._state, name, value)
            self._device.showed()
        return "OK"

    def _switch(self, on: bool) -> None:
        """Warm up or cool down; whoever unplugs it meanwhile stops the clock."""
        self._state.power = _WARMING if on else _COOLING
        seconds = self._options.get("warming_s" if on else "cooling_s", 0)
        self._device.alarm(seconds, lambda: self._settled(_ON if on else _OFF))

    def _settled(self, power: str) -> None:
        self._state.power = power
        if power == _OFF:
            self._state.dark = self._state.muted = False
        self._device.showed()
