"""Frames of the SAM-V module: AA AA AA 96 69 LEN LEN .. XOR, the same in both directions.

LEN (big-endian) counts what follows it; XOR is over LEN and all that lies between. A question is CMD PARA, an
answer SW1 SW2 SW3 DATA. Source: the module's published command table, as several fielded readers speak it.
"""

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

__all__ = [
    "DONE",
    "FIND",
    "FOUND",
    "READ",
    "SELECT",
    "STATUS",
    "Answer",
    "Question",
    "answer_to",
    "error_sentence",
]

START = b"\xaa\xaa\xaa\x96\x69"
DONE, FOUND, NO_CARD = 0x90, 0x9F, 0x80
#: SW1 SW2 SW3 before the data
_STATE = 3

_ERRORS = {
    0x10: "读卡器收到的数据有误，请检查接线 (wrong checksum)",
    0x11: "读卡器收到的数据有误，请检查接线 (wrong length)",
    0x21: "读卡器不支持此命令 (unknown command)",
    0x31: "安全模块不认可此卡 (card not accepted)",
    0x32: "此卡不认可安全模块 (module not accepted)",
    0x33: "卡内信息校验错误 (card data wrong)",
    0x40: "无法识别的卡 (unknown kind of card)",
    0x41: "读卡失败，请重新放卡 (reading failed)",
    0x60: "安全模块自检失败，请送修 (self-test failed)",
    0x66: "安全模块未授权，请联系厂家 (module not licensed)",
    0x80: "没有找到卡 (no card)",
    0x81: "选卡失败，请重新放卡 (selecting failed)",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader says. The data of a card never show in `repr`."""

    state: int
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A command, and what a good answer to it looks like."""

    command: int
    parameter: int
    good: int = DONE
    #: least data of a good answer: a late one to another question has less
    least: int = 0

    @property
    def frame(self) -> bytes:
        """The bytes to send."""
        body = bytes([0, 3, self.command, self.parameter])
        return START + body + bytes([_check(body)])


#: is a card in the field; take it; its text and photo; is the module well
FIND = Question(0x20, 0x01, FOUND)
SELECT = Question(0x20, 0x02, least=8)
READ = Question(0x30, 0x01, least=4 + 256)
STATUS = Question(0x11, 0xFF)


def answer_to(question: Question, data: bytes) -> Answer | None:
    """The first sound answer to this question in what was heard; None while there is none."""
    at = data.find(START)
    while at >= 0:
        body = data[at + len(START) :]
        answer = _answer(body)
        if answer is not None and _fits(answer, question):
            return answer
        at = data.find(START, at + 1)
    return None


def _fits(answer: Answer, question: Question) -> bool:
    if answer.state == question.good:
        return len(answer.data) >= question.least
    return answer.state not in (DONE, FOUND)


def _answer(body: bytes) -> Answer | None:
    length = int.from_bytes(body[:2], "big")
    if length < _STATE + 1 or len(body) < 2 + length:
        return None
    frame = body[: 2 + length]
    if _check(frame) != 0 or frame[2:4] != b"\0\0":  # with its own check octet a sound frame gives 0
        return None
    return Answer(frame[4], frame[5:-1])


def _check(body: bytes) -> int:
    return reduce(xor, body, 0)


def error_sentence(state: int) -> str:
    """What a state means, for people."""
    return _ERRORS.get(state, f"读卡器错误 {state:02X}H (error)")
