"""Why a pager was not handed out."""

from hall_core.errors.root import Refused

__all__ = ["NoPagers", "PagerInUse"]


class PagerInUse(Refused):
    """Somebody who still waits carries this pager."""

    slug = "pager-in-use"
    zh, en = (
        "{pager} 号寻呼机正由 {label} 使用，请换一台，或先收回",
        "Pager {pager} is with {label}; take another one, or take it back first",
    )


class NoPagers(Refused):
    """The hall has nothing that pages."""

    slug = "no-pagers"
    zh, en = (
        "本大厅未安装寻呼发射机，请勿发放寻呼机",
        "This hall has no pager transmitter; hand out no pagers",
    )
