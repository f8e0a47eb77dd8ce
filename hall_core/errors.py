"""The whole error tree. Each class says who must do what.

QuiethallError
├── Refused                  a wish was refused, nothing changed; shown to the person who wished
│   ├── UnknownService · UnknownCounter · UnknownTicket · UnknownHall
│   ├── HallClosed · ServiceClosed · CounterNotOpen · CounterBusy · NobodyWaiting
│   ├── IllegalTransition · BadRequest · PhoneInvalid · NoticesUnavailable
│   ├── RequestIdReused · NoGrant · ZoneExhausted · StorageUnavailable · HallUnreachable
│   └── LoginNeeded · Forbidden · TooManyAttempts
├── WireError                a message that must not be applied; the sender must be mended
├── StreamGap                facts are missing before this one; the sender repeats
├── DeviceError
│   ├── DeviceUnreachable    no answer: try again later
│   ├── DeviceRefused        the device said no: trying again will not help
│   └── BadFrame             bytes that are not the protocol's
├── ProfileInvalid           a profile's author must change the named line
├── SettingsInvalid          the administrator must change a setting before the program starts
├── JournalBroken            the box's storage failed; nothing may be issued until it is mended
└── GatewayError             a message gateway did not take a notice
    ├── GatewayRejected      it said no, for good
    └── GatewayUnknown       nobody knows whether it took it: ask before sending again
"""

from typing import ClassVar

__all__ = [
    "BadFrame",
    "BadRequest",
    "CounterBusy",
    "CounterNotOpen",
    "DeviceError",
    "DeviceRefused",
    "DeviceUnreachable",
    "Forbidden",
    "GatewayError",
    "GatewayRejected",
    "GatewayUnknown",
    "HallClosed",
    "HallUnreachable",
    "IllegalTransition",
    "JournalBroken",
    "LoginNeeded",
    "NoGrant",
    "NobodyWaiting",
    "NoticesUnavailable",
    "PhoneInvalid",
    "ProfileInvalid",
    "QuiethallError",
    "Refused",
    "RequestIdReused",
    "ServiceClosed",
    "SettingsInvalid",
    "StorageUnavailable",
    "StreamGap",
    "TooManyAttempts",
    "UnknownCounter",
    "UnknownHall",
    "UnknownService",
    "UnknownTicket",
    "WireError",
    "ZoneExhausted",
]


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
    "check-in": "签到",
    "postpone": "推迟",
}


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


class UnknownService(Refused):
    """The hall offers no such service."""

    slug, status = "unknown-service", 404
    zh, en = "本厅没有业务「{service}」", "This hall has no service {service!r}"


class UnknownCounter(Refused):
    """The hall has no such counter."""

    slug, status = "unknown-counter", 404
    zh, en = "本厅没有窗口「{counter}」", "This hall has no counter {counter!r}"


class UnknownTicket(Refused):
    """No ticket with this id, label or link."""

    slug, status = "unknown-ticket", 404
    zh, en = "找不到号票「{ticket}」，请核对后重试", "There is no ticket {ticket!r}; check and try again"


class UnknownHall(Refused):
    """The district has no such hall."""

    slug, status = "unknown-hall", 404
    zh, en = "没有大厅「{hall}」", "There is no hall {hall!r}"


class HallClosed(Refused):
    """The hall takes no numbers now."""

    slug = "hall-closed"
    zh, en = "大厅未开放取号，请在开放时间再来", "The hall is closed; come back in opening hours"


class ServiceClosed(Refused):
    """This service takes no numbers now, others may."""

    slug = "service-closed"
    zh, en = "业务「{name}」现在不办理，请到咨询台", "Service {name!r} is closed now; ask at the desk"


class CounterNotOpen(Refused):
    """The counter must be opened or resumed first."""

    slug = "counter-not-open"
    zh, en = (
        "窗口「{counter}」未开放，请先开窗或恢复",
        "Counter {counter!r} is not open; open or resume it first",
    )


class CounterBusy(Refused):
    """The counter still has a ticket in hand."""

    slug = "counter-busy"
    zh, en = (
        "窗口「{counter}」还有 {label} 未办结，请先办结、过号或挂起",
        "Counter {counter!r} still has {label}; finish it, mark no-show or hold it first",
    )


class NobodyWaiting(Refused):
    """There is nobody to call at this counter."""

    slug = "nobody-waiting"
    zh, en = "目前无人等候", "Nobody is waiting for this counter"


class IllegalTransition(Refused):
    """The ticket's state does not allow this action."""

    slug = "illegal-transition"
    zh, en = (
        "{label} 当前状态为「{state}」，不能执行「{action}」",
        "{label} is {state}; {action} is not possible",
    )


class BadRequest(Refused):
    """The request is not of the form the interface takes."""

    slug, status = "bad-request", 422
    zh, en = "请求内容有误：{what}", "The request is malformed: {what}"


class PhoneInvalid(Refused):
    """Not a mobile number of mainland China."""

    slug, status = "phone-invalid", 422
    zh, en = "手机号码不正确，请核对；不留手机也能取号", "Not a mobile number; you may also leave it out"


class NoticesUnavailable(Refused):
    """This box does not know the controller's key yet, so it may not take a phone number."""

    slug = "notices-unavailable"
    zh, en = (
        "暂时不能登记手机号，请不留手机取号",
        "Phone numbers cannot be taken now; take a number without one",
    )


class RequestIdReused(Refused):
    """One request id was used for two different requests: the client must make a new id."""

    slug = "request-id-reused"
    zh, en = (
        "请求编号已用于另一项操作，请重新操作",
        "This request id belongs to another request; make a new one",
    )


class NoGrant(Refused):
    """This box holds no numbers for the day: connect it to the controller or run standalone."""

    slug, status = "no-grant", 503
    zh, en = (
        "本机今日没有号段（{line} {day}），请联系管理员或到咨询台",
        "This box holds no zone for line {line} on {day}; connect it to its controller",
    )


class ZoneExhausted(Refused):
    """All numbers of the day's zone are used."""

    slug, status = "zone-exhausted", 503
    zh, en = "今日 {line} 号已取完，请到咨询台", "All {line} numbers of the day are used; ask at the desk"


class StorageUnavailable(Refused):
    """The box cannot store: it issues nothing, and says where to go."""

    slug, status = "storage-unavailable", 503
    zh, en = "取号机暂停服务，请到咨询台取号", "This box cannot store tickets now; go to the help desk"


class HallUnreachable(Refused):
    """The hall did not answer in time."""

    slug, status = "hall-unreachable", 503
    zh, en = "大厅「{hall}」暂时联系不上，请稍后再试", "Hall {hall!r} cannot be reached; try again later"


class LoginNeeded(Refused):
    """Nobody is logged in, or the login has ended."""

    slug, status = "login-needed", 401
    zh, en = "请先登录", "Log in first"


class Forbidden(Refused):
    """This person or key may not do this."""

    slug, status = "forbidden", 403
    zh, en = "您没有此操作的权限", "You may not do this"


class TooManyAttempts(Refused):
    """Too many attempts from one place in a short time."""

    slug, status = "too-many-attempts", 429
    zh, en = "尝试次数过多，请 {wait_s} 秒后再试", "Too many attempts; try again in {wait_s} s"


class WireError(QuiethallError):
    """A message that must not be applied: malformed, of an unknown version, or not the sender's."""


class StreamGap(QuiethallError):
    """Entries are missing before the first one of a message; `expected` is the next one wanted."""

    def __init__(self, *, expected: int, got: int) -> None:
        self.expected, self.got = expected, got
        super().__init__(f"expected entry {expected}, got {got}")


class DeviceError(QuiethallError):
    """Something about a device. Never raised as itself."""


class DeviceUnreachable(DeviceError):
    """No answer in time: try again later."""


class DeviceRefused(DeviceError):
    """The device answered no: repeating will not help."""


class BadFrame(DeviceError):
    """Bytes that are not a frame of the protocol."""


class ProfileInvalid(QuiethallError):
    """A firmware profile is wrong: file, place and remedy are in the message."""


class SettingsInvalid(QuiethallError):
    """The program refuses to start; the message names the setting and the remedy."""


class JournalBroken(QuiethallError):
    """The journal cannot be read or written; nothing may be issued until it is mended."""


class GatewayError(QuiethallError):
    """A message gateway did not take a notice. Never raised as itself."""


class GatewayRejected(GatewayError):
    """The gateway said no, for good: do not send this notice again."""


class GatewayUnknown(GatewayError):
    """Nobody knows whether the gateway took it: query first, never blindly re-send."""
