"""How a family builds the frames its profiles quote and reads their answers.

`device_drivers/<family>/golden.py` has one `OPS`: name of an operation -> (profile, rest of the command) ->
(frame, reader of the answer).
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from hall_core.devices.profile import Profile
from hall_core.errors import ProfileInvalid

__all__ = ["Built", "build"]

#: the frame, and what finds the answer in the bytes that come back
Built = tuple[bytes, Callable[[bytes], Any] | None]


def build(profile: Profile, command: Mapping[str, Any]) -> Built:
    """Raises ProfileInvalid for an operation the family does not know, or a command that is not whole."""
    rest = dict(command)
    op = rest.pop("op", None)
    name = f"device_drivers.{profile.family}.golden"
    ops = import_module(name).OPS if find_spec(name) else {}
    if op not in ops:
        raise ProfileInvalid(
            f"the family {profile.family} knows no operation {op!r}; it knows {', '.join(ops) or 'none'}"
        )
    try:
        built: Built = ops[op](profile, rest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProfileInvalid(f"the command of {op!r} is not whole or not right: {error}") from error
    return built
