"""The AT commands of a simulated modem that do not send: identity, SIM, network, settings, an empty store.

Sources: 3GPP TS 27.007 and TS 27.005; what gammu and smsd ask a modem before they use it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Failure", "Radio", "Settings", "commands_in", "obey"]

#: +CSQ of each antenna: strength, and 99 = not known for the error rate
_SIGNAL = {"on": "22,99", "weak": "4,99", "off": "99,99"}
_AT_HOME, _SEARCHING, _IDLE = 1, 2, 0
#: one service centre of no network
_CENTRE = f'"+86{0:011}",145'
_STORE = '"SM",0,20,"SM",0,20,"SM",0,20'
_BASIC = re.compile(r"&?[A-Z]\d*(?:=\d+)?")


@dataclass(slots=True)
class Radio:
    """What a hand can change: the card and the antenna."""

    sim: bool = True
    antenna: str = "on"

    @property
    def registered(self) -> bool:
        """True while the network knows the card."""
        return self.sim and self.antenna != "off"


@dataclass(slots=True)
class Settings:
    """What a modem forgets with its power."""

    echo: bool = True
    cmee: int = 0
    creg: int = 0
    charset: str = "GSM"


class Failure(Exception):
    """A command failed: +CME or +CMS with a number, or a bare ERROR."""

    def __init__(self, kind: Literal["CME", "CMS", ""] = "", number: int = 0) -> None:
        super().__init__(kind, number)
        self.kind, self.number = kind, number


def commands_in(line: str) -> Iterator[str]:
    """The commands of one line behind its AT: `E0`, `+CMEE=1`.

    Raises Failure for what is no command.
    """
    found = re.search(r"AT", line, re.IGNORECASE)
    if found is None:
        raise Failure
    rest = line[found.end() :].strip()
    while rest:
        if rest[0] in "+^*#$%":
            command, _, rest = rest.partition(";")
            yield command.strip()
        else:
            basic = _BASIC.match(rest.upper())
            if basic is None:
                raise Failure
            yield basic[0]
            rest = rest[basic.end() :].lstrip("; ")


def obey(command: str, settings: Settings, radio: Radio) -> list[str]:
    """Carry out one command; the lines it says before OK. Raises Failure."""
    if not command.startswith(("+", "^", "*", "#", "$", "%")):
        return _basic(command, settings)
    name, sign, value = _split(command)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise Failure
    return handler(sign, value, settings, radio)


Handler = Callable[[str, str, Settings, Radio], list[str]]


def _basic(command: str, settings: Settings) -> list[str]:
    if command in {"E0", "E1", "E"}:
        settings.echo = command == "E1"
    elif command in {"Z", "Z0", "&F", "&F0"}:
        settings.echo, settings.cmee, settings.creg = True, 0, 0
    elif command == "I":
        return ["GENERIC GSM-AT 1.0"]
    return []


def _split(command: str) -> tuple[str, str, str]:
    found = re.match(r"([^=?]+)(=\?|\?|=|)(.*)", command)
    assert found is not None
    return found[1].upper(), found[2], found[3]


def _says(*lines: str) -> Handler:
    return lambda _sign, _value, _settings, _radio: list(lines)


def _with_sim(*lines: str, of_messages: bool = False) -> Handler:
    def handler(sign: str, value: str, _settings: Settings, radio: Radio) -> list[str]:
        del sign, value
        _need_sim(radio, of_messages=of_messages)
        return list(lines)

    return handler


def _pin(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del settings
    _need_sim(radio)
    if sign == "=" and value:
        raise Failure("CME", 3)  # no PIN is wanted
    return ["+CPIN: READY"] if sign == "?" else []


def _registration(name: str) -> Handler:
    def handler(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
        if sign == "=?":
            return [f"+{name}: (0-2)"]
        if sign == "=":
            settings.creg = _number(value, 2)
            return []
        state = _AT_HOME if radio.registered else _SEARCHING if radio.sim else _IDLE
        place = ',"0001","0001"' if settings.creg == 2 and radio.registered else ""
        return [f"+{name}: {settings.creg},{state}{place}"]

    return handler


def _errors(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del radio
    if sign == "=":
        settings.cmee = _number(value, 2)
        return []
    return ["+CMEE: (0-2)" if sign == "=?" else f"+CMEE: {settings.cmee}"]


def _charset(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del radio
    if sign == "=?":
        return ['+CSCS: ("GSM","UCS2","IRA")']
    if sign == "?":
        return [f'+CSCS: "{settings.charset}"']
    settings.charset = value.strip('"')
    return []


def _format(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    """A modem for PDU mode alone, as the standard allows."""
    del settings, radio
    if sign == "=":
        _number(value or "0", 0)
        return []
    return ["+CMGF: (0)" if sign == "=?" else "+CMGF: 0"]


def _centre(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del value, settings
    _need_sim(radio, of_messages=True)
    return [f"+CSCA: {_CENTRE}"] if sign == "?" else []


def _store(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del value, settings
    _need_sim(radio, of_messages=True)
    if sign == "=?":
        return ['+CPMS: ("SM"),("SM"),("SM")']
    return [f"+CPMS: {_STORE}" if sign == "?" else "+CPMS: 0,20,0,20,0,20"]


def _message(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del sign, value, settings, radio
    raise Failure("CMS", 321)


def _service(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del settings, radio
    if sign == "=?":
        return ["+CSMS: (0)"]
    if sign == "=":
        _number(value, 0)
    return ["+CSMS: 0,1,1,0" if sign == "?" else "+CSMS: 1,1,0"]


def _indications(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del value, settings, radio
    return {"=?": ["+CNMI: (0-2),(0,1),(0),(0),(0,1)"], "?": ["+CNMI: 0,0,0,0,0"]}.get(sign, [])


def _operator(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del value, settings
    if sign != "?":
        return []
    return ['+COPS: 0,0,"QUIETHALL TEST"' if radio.registered else "+COPS: 0"]


def _signal(sign: str, value: str, settings: Settings, radio: Radio) -> list[str]:
    del value, settings
    return ["+CSQ: (0-31,99),(0-7,99)" if sign == "=?" else f"+CSQ: {_SIGNAL[radio.antenna]}"]


_HANDLERS: dict[str, Handler] = {
    "+CGMI": _says("GENERIC"),
    "+CGMM": _says("GSM-AT"),
    "+CGMR": _says("1.0"),
    "+CGSN": _says(f"{0:015}"),
    "+GMI": _says("GENERIC"),
    "+GMM": _says("GSM-AT"),
    "+GMR": _says("1.0"),
    "+GCAP": _says("+GCAP: +CGSM"),
    "+CIMI": _with_sim(f"{0:015}"),
    "+CPIN": _pin,
    "+CREG": _registration("CREG"),
    "+CGREG": _registration("CGREG"),
    "+CEREG": _registration("CEREG"),
    "+COPS": _operator,
    "+CSQ": _signal,
    "+CBC": _says("+CBC: 0,100"),
    "+CFUN": _says(),
    "+CMEE": _errors,
    "+CSCS": _charset,
    "+CSMS": _service,
    "+CMGF": _format,
    "+CSCA": _centre,
    "+CPMS": _store,
    "+CNMI": _indications,
    "+CSDH": _says(),
    "+CMMS": _says(),
    "+CMGL": _with_sim(of_messages=True),
    "+CMGD": _with_sim(of_messages=True),
    "+CMGR": _message,
}


def _need_sim(radio: Radio, *, of_messages: bool = False) -> None:
    if not radio.sim:
        raise Failure("CMS", 310) if of_messages else Failure("CME", 10)


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or int(text) > most:
        raise Failure
    return int(text)
