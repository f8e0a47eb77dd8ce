"""Every notice's words in one place: text, template words, urgency, until when it is of use.

A notice is one short message of a Chinese operator: 70 characters with the signature. Fixed words are
never cut; names are, longest first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

__all__ = ["KINDS", "LONGEST", "Kind", "wording"]

LONGEST = 70
#: a name is cut to no less than this, with an ellipsis
SHORTEST_NAME = 6
#: what may be cut, the rest is numbers, labels and times
_NAMES = ("hall", "counter", "service")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice. `texts` are tried in turn: the first one whose words are all known is used.

    `fits` are the states of its ticket in which it still tells the truth; `urgency` 0 goes first;
    `called_again` when every call of a ticket is a notice of its own.
    """

    texts: tuple[str, ...]
    words: tuple[str, ...]
    useful: timedelta
    urgency: int
    fits: frozenset[str]
    called_again: bool = False


KINDS: Mapping[str, Kind] = {
    "called": Kind(
        ("您的号码{label}请到{counter}办理。",),
        ("label", "counter"),
        timedelta(minutes=2),
        0,
        frozenset({"called"}),
        called_again=True,
    ),
    "recall": Kind(
        ("您的号码{label}已叫到，请尽快到{counter}，过时将作过号处理。",),
        ("label", "counter"),
        timedelta(minutes=2),
        0,
        frozenset({"called"}),
        called_again=True,
    ),
    # To somebody who does not hold the number: the words say whose it is.
    "relative": Kind(
        ("您家人的号码{label}已叫到、尚未到窗口，请提醒其尽快到{counter}。",),
        ("label", "counter"),
        timedelta(minutes=3),
        0,
        frozenset({"called"}),
        called_again=True,
    ),
    "nearly": Kind(
        ("您的号码{label}前面还有{ahead}人，请到大厅等候。",),
        ("label", "ahead"),
        timedelta(minutes=10),
        1,
        frozenset({"waiting"}),
    ),
    "confirmation": Kind(
        ("取号成功：{label}，前面{ahead}人。", "取号成功：{label}。"),
        ("label", "ahead"),
        timedelta(minutes=30),
        2,
        frozenset({"waiting", "called"}),
    ),
    "postponed": Kind(
        ("您的号码{label}已推迟，前面还有{ahead}人。",),
        ("label", "ahead"),
        timedelta(minutes=10),
        3,
        frozenset({"waiting"}),
    ),
    "hall-closed": Kind(
        ("{hall}今天停止办理，您的号码{label}未能叫到，请改日再来。",),
        ("label", "hall"),
        timedelta(hours=2),
        3,
        frozenset({"lapsed"}),
    ),
    "reminder": Kind(
        ("您预约{time}在{hall}办理{service}，请提前10分钟到厅签到。",),
        ("time", "hall", "service"),
        timedelta(hours=2),
        3,
        # an appointment whose holder has come is a ticket
        frozenset({"expected"}),
    ),
    # These two go to a hall's manager: they belong to no ticket, so no ticket's state speaks against them.
    "bad-rating": Kind(
        ("{hall}收到差评：{label}，{counter}，请在{time}前答复。",),
        ("label", "counter", "time", "hall"),
        timedelta(hours=12),
        0,
        frozenset({"expected"}),
    ),
    "rating-overdue": Kind(
        ("{hall}的差评{label}（{counter}）超过期限未处理，请督办。",),
        ("label", "counter", "hall"),
        timedelta(hours=12),
        3,
        frozenset({"expected"}),
    ),
}


def wording(kind: str, signature: str, words: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The message, and the words a provider's own template of this kind takes.

    A word that is not known is `-` in a template. Raises KeyError for an unknown kind.
    """
    about = KINDS[kind]
    text = next(t for t in about.texts if all(w in words or f"{{{w}}}" not in t for w in about.words))
    head, used = f"【{signature}】", dict(words)
    while (over := len(head + text.format(**used)) - LONGEST) > 0:
        name = max((n for n in _NAMES if f"{{{n}}}" in text), key=lambda n: len(used[n]), default=None)
        if name is None or len(used[name]) <= SHORTEST_NAME:
            break
        keep = max(SHORTEST_NAME, len(used[name]) - over)
        used[name] = used[name][: keep - 1] + "…"
    return (head + text.format(**used))[:LONGEST], {name: words.get(name, "-") for name in about.words}
