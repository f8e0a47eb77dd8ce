"""The small part of announced templates that devices use: text around one value. Pure."""

import json
import re
from typing import Any

from device_drivers.json_text import read_json
from hall_core.errors import BadFrame

__all__ = ["Template"]

_HOLE = re.compile(r"\{\{-?\s*(value_json|value)((?:\.\w+|\['\w+'\]|\[\"\w+\"\])*)\s*-?\}\}")
_PART = re.compile(r"\w+")


class Template:
    """`{{ value }}`, `{{ value_json.state }}` and text around them; nothing of the template is executed.

    Raises BadFrame for a template that does more.
    """

    def __init__(self, text: str = "") -> None:
        self._text = text or "{{ value }}"
        rest = _HOLE.sub("", self._text)
        if "{{" in rest or "{%" in rest:
            known = "{{ value }}, {{ value_json.x }}"
            raise BadFrame(f"公告里的模板 {text!r} 无法识别 (only {known} can be read)")

    def render(self, value: str) -> str | None:
        """The text for this value; None when the value is not what the template reads."""
        try:
            return _HOLE.sub(lambda hole: _fill(hole, value), self._text)
        except (BadFrame, KeyError, TypeError, ValueError):
            return None


def _fill(hole: re.Match[str], value: str) -> str:
    if hole[1] == "value" and not hole[2]:
        return value
    found: Any = read_json(value)
    for part in _PART.findall(hole[2]):
        found = found[part]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
