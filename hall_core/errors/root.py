"""The root of the tree, and what every refusal can say of itself."""

from typing import ClassVar

__all__ = ["QuiethallError", "Refused"]

#: what machine words are called when a clerk reads them
_ZH = {
    "waiting": "等候",
    "called": "已叫号",
    "serving": "办理中",
    "held": "挂起",
    "no-show": "过号",
    "finished": "已办结",
    "cancelled": "已取消",
    "lapsed": "已过期",
    "no-ticket": "窗口无号票",
    "closed": "关闭",
    "open": "开放",
    "paused": "暂停",
    "pause": "暂停",
    "resume": "恢复",
    "close": "关窗",
    "call-next": "呼叫下一位",
    "call": "特呼",
    "recall": "重呼",
    "start": "开始办理",
    "finish": "办结",
    "hold": "挂起号票",
    "return": "恢复排队",
    "transfer": "转移",
    "cancel": "取消",
    "rate": "评价",
    "rating": "评价",
    "rated": "已评价",
    "explain": "说明原因",
    "explained": "已说明原因",
    "not-bad": "没有差评",
    "check-in": "签到",
    "postpone": "推迟",
    "move": "改期",
    "booked": "已预约",
    "checked-in": "已签到",
    "missed": "预约未到",
    "excused": "预约未到（已免责）",
    "refused": "大厅未接受",
    "registered": "已登记摇号",
    "waiting-list": "候补中",
    "withdrawn": "已退出登记",
    "appeal": "申诉",
    "appealed": "已申诉",
    "give-pager": "发放寻呼机",
}


#: HTTP's word for "not now"
_LATER = 503


class QuiethallError(Exception):
    """Root of everything Quiethall raises on purpose."""


class Refused(QuiethallError):
    """A wish was refused: nothing changed. `zh` and `en` are what the person reads.

    Over HTTP it becomes RFC 9457 problem details: `slug` is the stable `type`, `status` the code.
    Keyword arguments fill the braces of the sentences and stand as extension members.
    """

    slug: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "操作未执行"
    en: ClassVar[str] = "The request was refused"

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.en.format(**facts))

    @classmethod
    def named(cls, slug: str) -> "type[Refused]":
        """The kind of refusal with this slug; `Refused` itself for one that is not known here."""
        return next((kind for kind in _below(cls) if kind.slug == slug), cls)

    @classmethod
    def passes(cls) -> bool:
        """True when the very same request may succeed later: no final answer to it."""
        return cls.status == _LATER

    def sentence(self, language: str = "zh") -> str:
        """The explanation in `zh` or `en`."""
        if language != "zh":
            return self.en.format(**self.facts)
        words = {k: _ZH.get(str(v), v) for k, v in self.facts.items() if k in ("state", "action")}
        return self.zh.format(**{**self.facts, **words})

    def problem(self) -> dict[str, object]:
        """RFC 9457 problem details: `type` is the slug, `title` and `detail` are for people."""
        return {
            **self.facts,
            "type": self.slug,
            "status": self.status,
            "title": self.sentence("zh"),
            "detail": self.sentence("en"),
        }


def _below(kind: type[Refused]) -> list[type[Refused]]:
    return [kind, *(found for sub in kind.__subclasses__() for found in _below(sub))]
