"""Message houses on real ports, and gateways that talk to them."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from controller.gateways.session import Timing
from controller.use_cases.ports import NoticeGateway, Parcel, Receipt
from hall_core.clock import SystemClock
from simulators.sms_house import House

QUICK = Timing(connect=2, answer=0.3, slot=0.5, ping=20, first_retry=0.02, last_retry=0.05)
TEXT = "【滨江政务】您的号码A018请到3号窗口办理。"
#: a number of no network
NUMBER = "+86" + "0" * 7 + "4321"


def a_house(**more: Any) -> House:
    return House("house", SystemClock(), **{"delivery_s": 0.02, **more})


def a_number() -> str:
    return f"+8613{random.randrange(10**9):09d}"


def a_parcel(ref: str = "t1.called.1", *, to: str = "", text: str = TEXT, **more: Any) -> Parcel:
    until = SystemClock().now() + timedelta(minutes=2)
    words = {"label": "A018", "counter": "3号窗口"}
    known = {"kind": "called", "words": words, "not_after": until}
    return Parcel(client_ref=ref, to=to or a_number(), text=text, **{**known, **more})


class Told:
    """Receipts as a gateway hands them on; `stores` False is a database that is down."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.stores = True
        self._news = asyncio.Event()

    async def __call__(self, receipt: Receipt) -> bool:
        self.receipts.append(receipt)
        self._news.set()
        return self.stores

    async def until(self, count: int) -> list[Receipt]:
        async with asyncio.timeout(10):
            while len(self.receipts) < count:
                self._news.clear()
                await self._news.wait()
        return self.receipts


@asynccontextmanager
async def running(gateway: NoticeGateway) -> AsyncIterator[Told]:
    """The gateway's own task runs; what it is told is kept."""
    told = Told()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(gateway.run(told))
        try:
            yield told
        finally:
            task.cancel()


async def until(true: Callable[[], object]) -> None:
    """Wait for a condition, looking at it again and again."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
