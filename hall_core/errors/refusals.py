"""Why a wish was refused: the words that clerks, citizens and administrators read."""

from typing import ClassVar

from hall_core.errors.root import Refused

__all__ = [
    "BadRequest",
    "BoxReplaced",
    "CaseNotReady",
    "CounterBusy",
    "CounterNotOpen",
    "Forbidden",
    "HallClosed",
    "HallSaidNo",
    "HallUnreachable",
    "IllegalTransition",
    "LoginNeeded",
    "NoGrant",
    "NobodyWaiting",
    "NothingToPostpone",
    "NoticesUnavailable",
    "OverrideInvalid",
    "OverrideUnavailable",
    "PhoneInvalid",
    "QuotaUsed",
    "RequestIdReused",
    "ServiceClosed",
    "SlipInvalid",
    "StorageUnavailable",
    "TimeUnsure",
    "TooManyAttempts",
    "UnknownCase",
    "UnknownCounter",
    "UnknownHall",
    "UnknownReceiptAddress",
    "UnknownService",
    "UnknownTicket",
    "ZoneExhausted",
]


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


class UnknownCase(Refused):
    """There is no rating case with this number."""

    slug, status = "unknown-case", 404
    zh, en = "没有编号为 {case} 的差评整改单", "There is no rating case {case}"


class UnknownReceiptAddress(Refused):
    """No gateway pushes its receipts to this address."""

    slug, status = "unknown-receipt-address", 404
    zh = "没有这个回执地址，请用 hall-controller receipts 查看"
    en = "No gateway's receipts come here; see `hall-controller receipts`"


class CaseNotReady(Refused):
    """A bad rating is answered step by step: assigned, answered, called back, closed."""

    slug = "case-not-ready"
    zh, en = (
        "{label} 的整改单「{now}」，现在不能「{step}」",
        "The case of {label} is {now}; {step} is not possible now",
    )
    _ZH: ClassVar[dict[str, str]] = {
        "open": "待交办",
        "assigned": "已交办",
        "answered": "已答复",
        "called-back": "已回访",
        "closed": "已办结",
        "assign": "交办",
        "answer": "答复",
        "call-back": "回访",
        "close": "办结",
    }

    def sentence(self, language: str = "zh") -> str:
        """With the steps in the words of the page."""
        if language != "zh":
            return super().sentence(language)
        words = {name: self._ZH.get(str(self.facts[name]), self.facts[name]) for name in ("now", "step")}
        return self.zh.format(**{**self.facts, **words})


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


class NothingToPostpone(Refused):
    """Nobody waits behind this ticket, so nobody could pass."""

    slug = "nothing-to-postpone"
    zh, en = (
        "{label} 后面没有人等候，无需推迟",
        "Nobody waits behind {label}; there is nobody to let pass",
    )


class BadRequest(Refused):
    """The request is not of the form the interface takes."""

    slug, status = "bad-request", 422
    zh, en = "请求内容有误：{what}", "The request is malformed: {what}"


class PhoneInvalid(Refused):
    """Not a mobile number of mainland China."""

    slug, status = "phone-invalid", 422
    zh, en = "手机号码不正确，请核对；不留手机也能取号", "Not a mobile number; you may also leave it out"


class PhoneKeyDropped(PhoneInvalid):
    """A phone number is sealed to a key that was dropped after a rotation."""

    slug = "phone-key-dropped"
    zh, en = (
        "此手机号所用密钥 {key} 已停用，无法再读取，请重新登记手机号",
        "This number is sealed to key {key}, which was dropped: ask for the number again",
    )


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
        "本机今日没有号段（{line} {day}），请到咨询台；工作人员可在本机 /override 页输入应急码",
        "This box holds no zone for line {line} on {day}; staff may enter an override code at /override",
    )


class OverrideInvalid(Refused):
    """Not an override code for this box and this day: ask the centre for another."""

    slug, status = "override-invalid", 422
    zh, en = (
        "应急码不正确、已过期或不是给本机的，请与中心核对大厅、机器编号和日期",
        "Not an override code for this box and day; check hall, box and date with the centre",
    )


class OverrideUnavailable(Refused):
    """This box was never given its hall's override key, so it can believe no code."""

    slug, status = "override-unavailable", 503
    zh, en = (
        "本机从未连接过中心，没有应急密钥，不能使用应急码；管理员须设置 HALL_AGENT_OVERRIDE_KEY",
        "This box has never been connected and has no override key; set HALL_AGENT_OVERRIDE_KEY",
    )


class SlipInvalid(Refused):
    """Not a slip of this hall and this day, or its number is somebody else's."""

    slug = "slip-invalid"
    zh, en = (
        "小票无效或不是今天本厅的小票，请重新取号或到咨询台",
        "This slip is not of this hall and today; take a new number, or ask at the desk",
    )


class BoxReplaced(Refused):
    """Another box runs this hall now: disconnect this one."""

    slug, status = "box-replaced", 503
    zh, en = (
        "本机已被更换，不再取号叫号，请断开本机并到咨询台",
        "This box was replaced: it gives and calls no numbers; disconnect it and go to the help desk",
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


class HallSaidNo(Refused):
    """The hall refused what was asked of it: `reason` is its slug, `said` its sentence."""

    slug = "hall-said-no"
    zh, en = "大厅未同意：{said}", "The hall refused: {reason} ({said})"

    def problem(self) -> dict[str, object]:
        """With the hall's own reason as the type."""
        return {**super().problem(), "type": self.facts["reason"]}


class LoginNeeded(Refused):
    """Nobody is logged in, or the login has ended."""

    slug, status = "login-needed", 401
    zh, en = "请先登录", "Log in first"


class Forbidden(Refused):
    """This person or key may not do this."""

    slug, status = "forbidden", 403
    zh, en = "您没有此操作的权限", "You may not do this"


class TimeUnsure(Refused):
    """The controller does not tell boxes the time while its own clock is not synchronised."""

    slug, status = "time-unsure", 503
    zh, en = (
        "中心服务器的时钟没有同步，请先校准服务器时钟",
        "The controller's own clock is not synchronised; put its machine's clock right first",
    )


class TooManyAttempts(Refused):
    """Too many attempts from one place in a short time."""

    slug, status = "too-many-attempts", 429
    zh, en = "尝试次数过多，请 {wait_s} 秒后再试", "Too many attempts; try again in {wait_s} s"


class QuotaUsed(Refused):
    """This program has asked for as many tickets and appointments as it may in a day."""

    slug, status = "quota-used", 429
    zh, en = (
        "该接口密钥今日额度（{limit}）已用完，请 {wait_s} 秒后再试",
        "This key has used its {limit} tickets and appointments of today; try again in {wait_s} s",
    )
