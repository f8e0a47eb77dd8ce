"""How each family's codec builds the frame of a codec-level command, and reads the answer."""

from collections.abc import Callable
from typing import Any

from device_drivers.escpos.slip import EscposOptions, qr_code
from device_drivers.escpos.status import ask_status, read_status
from device_drivers.keypad_ff68 import codec as keypad
from device_drivers.modbus_text.codec import Codec, Question
from device_drivers.onbon_k import codec as onbon
from device_drivers.pager_pocsag.driver import PocsagOptions, transmission
from device_drivers.rate_ws import messages
from hall_core.devices.profile import Profile

#: (frame, reader of the answer)
Built = tuple[bytes, Callable[[bytes], Any] | None]


def build(profile: Profile, command: dict[str, Any]) -> Built:
    """Raises KeyError for a family or an operation nobody knows."""
    rest = dict(command)
    return _OPS[profile.family][rest.pop("op")](profile, rest)


def _modbus(ask: Callable[[Codec, dict[str, Any]], Question]) -> Callable[[Profile, dict[str, Any]], Built]:
    def built(_profile: Profile, c: dict[str, Any]) -> Built:
        codec = Codec(c["unit"], rtu=c.get("rtu", False), transaction=c.get("transaction", 1) - 1)
        question = ask(codec, c)
        return question.frame, question.read

    return built


def _onbon_text(_profile: Profile, c: dict[str, Any]) -> Built:
    unit, device_type, process = c.pop("unit"), c.pop("device_type"), c.pop("process")
    data = onbon.encode_text(c.pop("text"), c.pop("colour", None), 240)
    return onbon.text(unit, device_type, onbon.TextArea(**c, data=data), process=process), _acknowledged


def _acknowledged(data: bytes) -> onbon.Received | None:
    return next((a for a in onbon.answers(data) if not a.nack), None)


def _simple_onbon(make: Callable[[int, int], bytes]) -> Callable[[Profile, dict[str, Any]], Built]:
    return lambda _p, c: (make(c["unit"], c["device_type"]), _acknowledged)


def _page(profile: Profile, c: dict[str, Any]) -> Built:
    options = PocsagOptions.model_validate(profile.options)
    return transmission(options, c["address"], c["text"], profile.limits.max_text_bytes), None


def _rate_quest(_profile: Profile, c: dict[str, Any]) -> Built:
    return messages.rate_quest(c["rate_id"]).encode(), lambda data: messages.read_message(data.decode())


def _escpos(profile: Profile) -> EscposOptions:
    return EscposOptions.model_validate(profile.options)


_OPS: dict[str, dict[str, Callable[[Profile, dict[str, Any]], Built]]] = {
    "modbus_text": {
        "read": _modbus(lambda codec, c: codec.read(c["space"], c["address"], c["count"])),
        "write": _modbus(lambda codec, c: codec.write(c["address"], tuple(c["values"]))),
        "write-one": _modbus(lambda codec, c: codec.write(c["address"], (c["value"],), 6)),
    },
    "onbon_k": {
        "ping": _simple_onbon(onbon.ping),
        "status": _simple_onbon(onbon.status),
        "clear": _simple_onbon(onbon.clear),
        "text": _onbon_text,
    },
    "keypad_ff68": {
        "digits": lambda _p, c: (keypad.encode(keypad.show(c["unit"], c["ticket"], c.get("waiting"))), None),
        "beep": lambda _p, c: (keypad.encode(keypad.beep(c["unit"])), None),
    },
    "escpos": {
        "status": lambda _p, c: (ask_status(c["n"]), read_status),
        "qr": lambda p, c: (qr_code(c["url"], _escpos(p)), None),
    },
    "pager_pocsag": {"page": _page},
    "rate_ws": {"rate-quest": _rate_quest},
}
