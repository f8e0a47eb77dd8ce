"""Takes out of texts, JSON and topics whatever could be personal, and leaves their form. Pure.

Only what is known to be harmless stays: a family says for each key what its values may be. Everything else
becomes `x` for letters, `0` for digits and `某` for any other writing, one for one, so that lengths and
signs can still be seen.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from device_drivers.json_text import read_json
from hall_core.errors import BadFrame

__all__ = [
    "NUMBER",
    "Rule",
    "like",
    "masked",
    "masked_json",
    "masked_text",
    "masked_topic",
    "one_of",
    "under",
]

#: what stays of a value
Rule = Callable[[str], str]

#: parts of topics that name no device: what a topic is for
_OF_TOPICS = (
    "~ + # 1 homeassistant device text light switch notify sensor binary_sensor config status state set get"
    " cmd cmnd command stat tele attributes attr lwt power result online there avty available availability"
    " bridge zigbee2mqtt tasmota esphome qhl up down box health shown done happened show do"
)
_KNOWN_LEVELS = frozenset(_OF_TOPICS.split())


def masked(text: str) -> str:
    """Nothing but its form."""
    return "".join(map(_masked_sign, text))


def masked_topic(topic: str) -> str:
    """Its levels, on one line; of their names those that say what a topic is for."""
    levels = [level if level.lower() in _KNOWN_LEVELS else masked(level) for level in topic.split("/")]
    return "".join(sign if sign.isprintable() else "?" for sign in "/".join(levels))


def like(pattern: str) -> Rule:
    """Stays when it is all of this pattern."""
    whole = re.compile(pattern)
    return lambda text: text if whole.fullmatch(text) else masked(text)


def one_of(words: Iterable[str]) -> Rule:
    """Stays when it is one of these words, blanks around it and capitals aside."""
    known = frozenset(word.lower() for word in words)
    return lambda text: text if text.strip().lower() in known else masked(text)


def under(keys: str, rule: Rule) -> dict[str, Rule]:
    """The rule for each of these keys, which stand with blanks between them."""
    return dict.fromkeys(keys.split(), rule)


#: too short for a number of a person or a telephone
NUMBER = like(r"-?\d{1,5}(\.\d{1,6})?")


def masked_text(said: bytes, rule: Rule = masked) -> bytes:
    """A text as the rule has it; what is no text becomes zeros."""
    try:
        return rule(said.decode()).encode()
    except UnicodeDecodeError:
        return bytes(len(said))


def masked_json(said: bytes, rules: Mapping[str, Rule]) -> bytes | None:
    """JSON with its form and the keys that have a rule; None when it is no object or list.

    A rule is for all values under its key down to the next key. True, false and null stay. Keys without a
    rule are masked as their values are.
    """
    try:
        value = read_json(said)
    except BadFrame:
        return None
    if not isinstance(value, dict | list):
        return None
    blank = " " if b'": ' in said else ""
    return _written(value, masked, rules, blank).encode()


def _written(value: Any, rule: Rule, rules: Mapping[str, Rule], blank: str) -> str:
    match value:
        case dict():
            # keys masked alike stay apart: a dict would lose one of them
            items = [_entry(key, inner, rules, blank) for key, inner in value.items()]
            return "{" + f",{blank}".join(items) + "}"
        case list():
            return "[" + f",{blank}".join(_written(one, rule, rules, blank) for one in value) + "]"
        case str():
            return json.dumps(rule(value), ensure_ascii=False)
        case bool() | None:
            return json.dumps(value)
    text = json.dumps(value)
    return text if rule(text) == text else "0"


def _entry(key: str, value: Any, rules: Mapping[str, Rule], blank: str) -> str:
    rule = rules.get(key.strip().lower())
    name = json.dumps(masked(key) if rule is None else key, ensure_ascii=False)
    return f"{name}:{blank}{_written(value, rule or masked, rules, blank)}"


def _masked_sign(sign: str) -> str:
    if not sign.isascii():
        return "某"
    return "0" if sign.isdigit() else "x" if sign.isalpha() else sign
