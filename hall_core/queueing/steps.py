"""The steps by which a call that nobody answers gets louder."""

from typing import Literal

__all__ = ["Step"]

#: shown anew with the chime, the pager, a short message to the holder, one to a relative
Step = Literal["again", "pager", "sms", "relative"]
