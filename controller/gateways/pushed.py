"""Receipts that a gateway pushes over HTTP, read entry by entry; and what it takes for a confirmation.

None of these pushes is signed by its sender: whoever knows the address is believed (`receipt_doors.py`).
Telephone numbers in them are not looked at.
"""

from collections.abc import Mapping
from typing import Any

from controller.use_cases.ports import Fate, Pushing, Receipt

__all__ = ["ALIYUN", "OWN", "TENCENT"]

_OWN_FATES = {"delivered": Fate.DELIVERED, "failed": Fate.FAILED}


def _text(row: Mapping[str, Any], name: str, longest: int = 128) -> str:
    """A word of the sender's; empty for what is none, too long for any id, or cannot be stored."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if len(text) <= longest and text.isprintable() else ""


def _told(fate: Fate, provider_id: str, client_ref: str, reason: str) -> Receipt | None:
    if not provider_id and not client_ref:
        return None
    return Receipt(fate, provider_id, client_ref, reason if fate is Fate.FAILED else "")


def _own(row: Mapping[str, Any]) -> Receipt | None:
    """`{client_ref, id?, status: delivered|failed, reason?}`."""
    fate = _OWN_FATES.get(_text(row, "status"))
    ids = _text(row, "id"), _text(row, "client_ref")
    return _told(fate, *ids, _text(row, "reason", 200)) if fate else None


def _aliyun(row: Mapping[str, Any]) -> Receipt | None:
    """SmsReport: `{biz_id, out_id, success, err_code, …}`."""
    good = row.get("success")
    if str(good).lower() not in ("true", "false"):
        return None
    fate = Fate.DELIVERED if str(good).lower() == "true" else Fate.FAILED
    return _told(fate, _text(row, "biz_id"), _text(row, "out_id"), _text(row, "err_code"))


def _tencent(row: Mapping[str, Any]) -> Receipt | None:
    """`{sid, report_status: SUCCESS|FAIL, errmsg, …}`: our own reference is not repeated."""
    fate = {"SUCCESS": Fate.DELIVERED, "FAIL": Fate.FAILED}.get(_text(row, "report_status"))
    return _told(fate, _text(row, "sid"), "", _text(row, "errmsg")) if fate else None


OWN = Pushing(_own, {"stored": True})
ALIYUN = Pushing(_aliyun, {"code": 0, "msg": "接收成功"})
TENCENT = Pushing(_tencent, {"result": 0, "errmsg": "OK"})
