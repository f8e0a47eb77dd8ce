"""How a message house tells of receipts by itself: a POST of a list, in the house's own form, to the
customer's address; and again until the customer has thanked for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from simulators.sms_house import House, Letter

__all__ = ["FORMS", "Form", "Pusher"]

TIMEOUT_S = 5.0
#: a receipt nobody has thanked for comes again after so long, so many times
AGAIN_S, TRIES = 1.0, 100
#: receipts of one push
AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Form:
    """One entry of a house's list, and what it wants to hear."""

    row: Callable[[Letter], dict[str, Any]]
    thanks: Mapping[str, Any]


def _aliyun(letter: Letter) -> dict[str, Any]:
    ends = ("DELIVERED", "用户接收成功") if letter.delivered else ("MK:0005", "空号")
    when = "2026-11-23 09:30:00"
    return {
        "phone_number": letter.to.removeprefix("+86"),
        "send_time": when,
        "report_time": when,
        "success": letter.delivered,
        "err_code": ends[0],
        "err_msg": ends[1],
        "sms_size": "1",
        "biz_id": f"9000{letter.number:08d}^0",
        "out_id": letter.client_ref,
    }


def _tencent(letter: Letter) -> dict[str, Any]:
    return {
        "user_receive_time": "2026-11-23 09:30:00",
        "nationcode": "86",
        "mobile": letter.to.removeprefix("+86"),
        "report_status": "SUCCESS" if letter.delivered else "FAIL",
        "errmsg": "DELIVRD" if letter.delivered else "UNDELIV",
        "description": "用户短信送达成功" if letter.delivered else "用户短信送达失败",
        "sid": f"5000:1045{letter.number:024d}",
    }


def _own(letter: Letter) -> dict[str, Any]:
    status = {"status": "delivered"} if letter.delivered else {"status": "failed", "reason": "absent"}
    return {"client_ref": letter.client_ref, **status}


#: by kind of house
FORMS = {
    "aliyun": Form(_aliyun, {"code": 0}),
    "tencent": Form(_tencent, {"result": 0}),
    "webhook": Form(_own, {"stored": True}),
}


@dataclass(slots=True)
class Pusher:
    """Pushes the receipts of a house while `run` does. `pushes` counts the entries that were thanked for."""

    house: House
    form: Form
    url: str
    again_s: float = AGAIN_S
    pushes: int = 0
    refused: list[int] = field(default_factory=list)
    _owed: asyncio.Queue[tuple[Letter, int]] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        before = self.house.on_receipt

        def both(letter: Letter) -> None:
            before(letter)
            self._owed.put_nowait((letter, 1))

        self.house.on_receipt = both

    async def run(self) -> None:
        """Until it is cancelled."""
        async with httpx2.AsyncClient(timeout=TIMEOUT_S) as client:
            while True:
                some = [await self._owed.get()]
                while len(some) < AT_ONCE and not self._owed.empty():
                    some.append(self._owed.get_nowait())
                if await self._thanked(client, [self.form.row(letter) for letter, _ in some]):
                    self.pushes += len(some)
                    continue
                for letter, tries in some:
                    if tries < TRIES:
                        later = asyncio.get_running_loop().call_later
                        later(self.again_s, self._owed.put_nowait, (letter, tries + 1))

    async def _thanked(self, client: httpx2.AsyncClient, rows: list[dict[str, Any]]) -> bool:
        try:
            answer = await client.post(self.url, json=rows)
            if not answer.is_success:
                self.refused.append(answer.status_code)
                return False
            said = answer.json()
        except (httpx2.HTTPError, ValueError):
            return False
        return all(said.get(name) == value for name, value in self.form.thanks.items())
