"""Satellite boxes dial the hall's own broker: nobody listens at one."""

from collections.abc import Mapping

from device_drivers.recognising import Unaskable
from device_drivers.redacting import NUMBER, Rule, like, masked, masked_json, masked_text, one_of, under
from hall_core.devices.vocabulary import CounterMode, DeviceState, KeyOp, Outcome

__all__ = ["RECOGNISER", "redact"]

_KINDS = (
    *("counter", "board", "screen", "print-ticket", "page-user"),
    *("key-pressed", "evaluated", "card-read", "code-scanned", "sensed", "self-tested"),
)
_LIVES = ("online", "stopped", "lost")
#: a life of a box is random: 16 hexadecimal digits or an ULID, longer or shorter than anybody's number
_BOOT = like(r"[0-9a-f]{16}|[0-9A-Z]{26}")
_TIME = like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
#: keys of docs/local-wire.md; what is not known to be harmless under them is masked
_RULES: Mapping[str, Rule] = {
    **under("devices job picture event rows findings", masked),
    **under("counter name label ended text hall notice service range_text url hint job_id pager", masked),
    **under("digits digest masked detail input what fresh on muted passed", masked),
    **under("v n ttl_s age_s call_no waiting ahead score value volume brightness", NUMBER),
    **under("boot of to", _BOOT),
    **under("issued_at shown_since", _TIME),
    # the monotonic clock of a box
    "sent": like(r"\d{1,9}(\.\d+)?(e-?\d+)?"),
    "state": one_of((*DeviceState, *_LIVES)),
    "outcome": one_of(Outcome),
    "mode": one_of(CounterMode),
    "op": one_of(KeyOp),
    "kind": one_of(_KINDS),
    "unit": like(r"[%°A-Za-z]{0,3}"),
    "version": like(r"\d{1,3}(\.\d{1,3}){1,3}[0-9a-z.+-]{0,10}|sim"),
    "profile": like(r"[a-z_]{1,20}\.[a-z0-9-]{1,20}"),
}


def redact(said: bytes) -> bytes:
    """Who waits, prints, presses or shows a card becomes its form; what came of it stays."""
    found = masked_json(said, _RULES)
    return masked_text(said) if found is None else found


RECOGNISER = Unaskable(
    "从盒连接大厅的消息服务：请在大厅文件中写 mqtt://用户:口令@主机:端口/从盒/设备"
    " (a satellite box dials the hall's broker: write mqtt://user:password@host:port/box/device)"
)
