"""Messages between evaluator tablets and a hall. Source: 评价服务消息规范 (fielded with RateService).

Everybody asks `{"method", "param"}` and answers `{"code", "result"}`; code "0" is well. The norm's own
examples carry stray blanks in names, and fielded programs differ in capitals: both are read over.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from device_drivers.json_text import read_json
from hall_core.errors import BadFrame

__all__ = ["Reply", "Request", "rate_quest", "read_message", "reply", "windows"]

OK = "0"
UNKNOWN, NOT_LOGGED_IN, WRONG_WINDOW, NOT_TAKEN = "999", "1000", "1002", "1003"


@dataclass(frozen=True, slots=True)
class Request:
    """A tablet asks. Method and names in small letters."""

    method: str
    param: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A tablet answers what it was asked last."""

    code: str


def read_message(text: str) -> Request | Reply | None:
    """None for what is no message of the norm."""
    try:
        value = read_json(text)
    except BadFrame:
        return None
    if not isinstance(value, dict):
        return None
    named = _small(value)
    method = named.get("method")
    if isinstance(method, str):
        param = named.get("param")
        given = _small(param) if isinstance(param, dict) else {}
        return Request(method.strip().lower(), {name: str(v).strip() for name, v in given.items()})
    code = named.get("code")
    return Reply(str(code).strip()) if code is not None else None


def reply(code: str, result: object) -> str:
    """Our answer to a tablet."""
    return _json({"code": code, "result": result})


def rate_quest(rate_id: str) -> str:
    """Ask the citizen: the tablet shows its five levels."""
    return _json({"method": "RateQuest", "param": {"RateID": rate_id}})


def windows(number: str, name: str, staff: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """The window this tablet may log in to, with its staff as (number, name)."""
    users = [{"UserNumber": user, "UserName": called} for user, called in staff]
    return [{"WindowNumber": number, "WindowName": name, "UserList": users}]


def _small(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name.strip().lower(): v for name, v in value.items()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
