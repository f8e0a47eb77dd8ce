"""JSON from the other end of a wire: whatever it is, nothing but BadFrame comes of it."""

import json
from typing import Any

from hall_core.errors import BadFrame

__all__ = ["read_json"]


#: no device nests its messages deeper
DEEPEST = 32


def read_json(text: str | bytes) -> Any:
    """The value, which can be written out again. Raises BadFrame: no JSON, too deep, halves of characters."""
    try:
        value = json.loads(text)
        if not _flat(value, DEEPEST):
            raise BadFrame(f"报文嵌套超过 {DEEPEST} 层 (nested too deeply)")
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadFrame("报文不是可用的 JSON (not JSON, or none that can be used)") from error
    return value


def _flat(value: Any, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_flat(one, left - 1) for one in inner)
