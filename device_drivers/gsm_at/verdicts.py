"""What a modem's error numbers mean: whether to try again, and what a person should do. Pure.

Source: 3GPP TS 27.005 3.2.5 (+CMS 300 and up), TS 24.011 E.2 (0..127), TS 23.040 9.2.3.22 (128..255) and
TS 27.007 9.2 (+CME).
"""

from enum import StrEnum

__all__ = ["Verdict", "judge", "sentence", "sim_trouble"]


class Verdict(StrEnum):
    """What a +CMS error says of the message."""

    #: not sent; the cause passes by itself
    LATER = "later"
    #: not sent, and repeating will not help
    NEVER = "never"
    #: nobody knows whether it was sent
    UNKNOWN = "unknown"


#: network out of order, failing, congested, without resources; centre busy or failing; SIM busy; no network
_LATER = {38, 41, 42, 47, 192, 194, 314, 331}
#: the network was silent, or the modem does not say why: the message may be on its way
_UNKNOWN = {332, 500}

_CMS = {
    1: "号码不存在 (unassigned number)",
    8: "运营商限制了短信 (operator determined barring)",
    10: "短信已被限制 (barred)",
    21: "短信中心拒收 (rejected)",
    28: "用户不存在 (unidentified subscriber)",
    30: "用户不存在 (unknown subscriber)",
    38: "移动网络故障 (network out of order)",
    41: "移动网络暂时故障 (temporary failure)",
    42: "移动网络拥塞 (congestion)",
    47: "移动网络资源不足 (no resources)",
    50: "此卡未开通短信 (not subscribed)",
    192: "短信中心忙 (service centre busy)",
    193: "短信中心无此用户 (no subscription)",
    194: "短信中心故障 (service centre failure)",
    195: "号码格式不正确 (invalid address)",
    304: "调制解调器不接受此短信格式 (invalid PDU)",
    310: "未插入 SIM 卡，请插卡 (no SIM)",
    311: "SIM 卡需要 PIN，请在手机上取消 PIN 后再插入 (SIM PIN)",
    313: "SIM 卡故障，请更换 (SIM failure)",
    314: "SIM 卡忙 (SIM busy)",
    316: "SIM 卡已锁，请联系运营商 (SIM PUK)",
    330: "未设置短信中心号码，请联系运营商 (no service centre)",
    331: "没有移动网络，请检查天线 (no network)",
    332: "移动网络超时 (network timeout)",
    500: "原因不明 (unknown error)",
}

#: +CME number or the words of +CPIN -> what is wrong with the SIM
_SIM: dict[int | str, int] = {
    10: 310,
    11: 311,
    12: 316,
    13: 313,
    14: 314,
    15: 313,
    "SIM PIN": 311,
    "SIM PUK": 316,
}


def judge(error: int) -> Verdict:
    """What a +CMS error means for the message; -1 is a bare ERROR."""
    if error in _UNKNOWN:
        return Verdict.UNKNOWN
    return Verdict.LATER if error in _LATER else Verdict.NEVER


def sentence(error: int) -> str:
    """What a +CMS error says to a person."""
    if error < 0:
        return "调制解调器拒绝，未说明原因 (refused without a reason)"
    return _CMS.get(error, f"短信未发出，错误 {error} (error {error})")


def sim_trouble(said: int | str) -> str:
    """What is wrong with the SIM, by a +CME error (also +CMS) or the words of +CPIN."""
    known = _SIM.get(said, said)
    if isinstance(known, int) and known in _CMS:
        return _CMS[known]
    return "SIM 卡不可用，请检查插卡 (SIM not usable)"
