"""The centre's own notices, which no hall ever sends: about appointments that were missed or cannot be
kept, and appeals.
"""

from collections.abc import Mapping
from datetime import timedelta

from hall_core.queueing.wordings import KINDS, LONGEST, Kind

__all__ = ["ALL_KINDS", "kind_of", "own_wording"]

_EXPECTED = frozenset({"expected"})
_OWN: Mapping[str, Kind] = {
    "missed": Kind(
        ("您预约{time}未到也未取消，{days}天内满{of}次将暂停预约。有异议请打开预约链接申诉。",),
        ("time", "days", "of"),
        timedelta(hours=12),
        3,
        _EXPECTED,
    ),
    "paused": Kind(
        ("您预约{time}未到，{until}前暂停网上预约，仍可现场取号。有异议请打开预约链接申诉。",),
        ("time", "until"),
        timedelta(hours=12),
        3,
        _EXPECTED,
    ),
    "appeal-decided": Kind(
        ("您对{time}预约未到的申诉已有答复，{outcome}，请打开预约链接查看。",),
        ("time", "outcome"),
        timedelta(hours=12),
        3,
        _EXPECTED,
    ),
    "day-closed": Kind(
        ("您预约的{time}因安排调整不开放，请打开预约链接改期或取消，给您带来不便敬请谅解。",),
        ("time",),
        timedelta(hours=12),
        3,
        _EXPECTED,
    ),
}


#: every kind of notice there is
ALL_KINDS: Mapping[str, Kind] = {**KINDS, **_OWN}


def kind_of(name: str) -> Kind:
    """Everything about a kind of notice. Raises KeyError for an unknown one."""
    return ALL_KINDS[name]


def own_wording(name: str, signature: str, words: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The message, and the words a provider's own template takes; an unknown word is `-` there."""
    kind = _OWN[name]
    known = (t for t in kind.texts if all(w in words or f"{{{w}}}" not in t for w in kind.words))
    text = f"【{signature}】" + next(known).format(**words)
    return text[:LONGEST], {word: words.get(word, "-") for word in kind.words}
