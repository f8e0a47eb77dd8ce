"""Notices a second through SMPP: claimed, sealed numbers opened, limits looked up, `sending` committed,
handed over, the answer committed, receipts stored meanwhile; the simulated centre is a process of its own.

Baseline (`bare_smpp.py`): a bare client with the same window and two FULL commits per window, in turns.
"""

import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx2
from ulid import ULID

from bench.bare_smpp import BareSmpp
from bench.figures import Figure, Target, figure
from bench.runner import Run
from controller.gateways.address import GatewayUrl
from controller.gateways.smpp import SmppGateway
from controller.metrics import Metrics
from controller.store import halls as hall_store
from controller.store import notices as notice_store
from controller.store.bulk import add_rows
from controller.store.database import Database
from controller.store.tables import TICKETS
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.bucket import Bucket
from controller.use_cases.context import Context
from controller.use_cases.hub import Hub
from controller.use_cases.live import LiveHalls
from controller.use_cases.phones import PhoneBox
from controller.use_cases.providers import Breaker, NumberLimits, Provider
from controller.use_cases.send_notices import NoticeSender
from controller.use_cases.wishing import WishSender
from hall_core.clock import SystemClock

__all__ = ["measure"]

COUNT, TURNS, WINDOW = 2_000, 4, 10
#: providers give an account 20 to 100 a second
TARGET = Target(least=100, ratio_least=0.1)
HALL = "bench"


async def measure(run: Run) -> list[Figure]:
    """One figure: notices per second until the last one's answer is committed."""
    folder = run.fresh_folder("notices")
    part = (COUNT // 10 if run.quick else COUNT) // TURNS
    spent = bare_spent = 0.0
    bare = BareSmpp(folder / "bare.db", WINDOW)
    async with simulated_centre() as (port, panel):
        context = _context(folder)
        try:
            async with _sending(context, port):
                await bare.send(port, await _write(context, 0, WINDOW))
                await _sent(context)  # the login is not measured
                for turn in range(TURNS):
                    run.say(f"turn {turn + 1} of {TURNS}")
                    messages = await _write(context, WINDOW + turn * part, part)
                    spent += await _sent(context)
                    await _until(context, ("pending", "sending", "accepted", "unknown"))
                    bare_spent += await bare.send(port, messages)
                broken = await _wrong(context, panel, TURNS * part + WINDOW)
        finally:
            context.database.close()
            bare.close()
    count = TURNS * part
    note = f"{count:,} notices, window {WINDOW}, all receipts stored"
    rates = count / spent, count / bare_spent
    return [
        figure("notices_smpp", rates[0], "notices/s", TARGET, baseline=rates[1], note=note, broken=broken)
    ]


@asynccontextmanager
async def simulated_centre() -> AsyncIterator[tuple[int, str]]:
    """The centre's port and the address of its panel."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators", "sms", "--kind", "smpp", "--port", "0", "--secret", "secret"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout
    try:
        said = ""
        async with asyncio.timeout(30):
            while "ready " not in said:
                said += (await program.stdout.readline()).decode()
        found, panel = re.search(r":(\d+)\?", said.replace("\n", "")), re.search(r"ready (\S+)", said)
        assert found
        assert panel
        yield int(found[1]), panel[1]
    finally:
        program.terminate()
        await program.wait()


def _context(folder: Path) -> Context:
    clock = SystemClock()
    database = Database.open(f"sqlite:///{folder / 'controller.db'}")
    row: dict[str, Any] = {"hall": HALL, "agent": HALL, "name": HALL, "level": "street", "parent": None}
    database.write_now(lambda tx: hall_store.enrol(tx, row | {"enrolled_at": clock.now()}))
    return Context(
        database=database,
        live=LiveHalls(),
        answers=Answers(),
        hub=Hub(),
        sender=WishSender(clock),
        notices=Bell(),
        phones=PhoneBox.open(folder / "phone.key"),
        clock=clock,
        new_id=lambda: str(ULID()),
        new_token=lambda: str(ULID()),
        public_url="",
        signature="滨江政务",
    )


async def _write(context: Context, first: int, count: int) -> list[tuple[str, str]]:
    """Waiting tickets and their notices, due now; gives the same messages for the bare client."""
    now = context.clock.now()
    tickets, notices, messages = [], [], []
    for n in range(first, first + count):
        name, to = f"t{n}", f"13{random.randrange(10**9):09d}"
        text = f"【滨江政务】取号成功：A{n:05d}，前面3人。"
        times = dict.fromkeys(("issued_at", "effective_at", "updated_at"), now)
        about = {"hall": HALL, "line": "A", "day": now.date(), "label": f"A{n}", "number": n}
        about |= {"service": "a", "channel": "web", "state": "waiting", "token": name}
        sealed = context.phones.seal(to, name)
        tickets.append({"ticket_id": name, "phone_sealed": sealed, **about, **times})
        times = dict.fromkeys(("made_at", "next_at", "updated_at"), now)
        about = {"kind": "confirmation", "call_no": 0, "hall": HALL, "priority": 2, "state": "pending"}
        about |= {"client_ref": f"{name}.confirmation.0", "not_after": now + timedelta(minutes=30)}
        notices.append({"ticket_id": name, "text": text, **about, **times})
        messages.append((f"+86{to}", text))
    await context.database.write(lambda tx: add_rows(tx, TICKETS, tickets))
    await context.database.write(lambda tx: notice_store.add_notices(tx, notices))
    return messages


@asynccontextmanager
async def _sending(context: Context, port: int) -> AsyncIterator[None]:
    """The controller's sender at work."""
    url = GatewayUrl.read(f"smpp://hall:secret@127.0.0.1:{port}?from=10690000&window={WINDOW}")
    gateway = SmppGateway(url, context.clock)
    bucket = Bucket(context.clock, per_s=100_000, burst=100_000)
    provider = Provider("bench", gateway, bucket, Breaker(context.clock, gateway.at_once))
    limits = NumberLimits(10**6, 10**6)
    sender = NoticeSender(context, [provider], Metrics(), jitter=random.random, limits=limits)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(sender.run(), name="sender")
        try:
            yield
        finally:
            task.cancel()


async def _sent(context: Context) -> float:
    """Seconds until no notice waits or is under way."""
    began = perf_counter()
    context.notices.ring()
    await _until(context, ("pending", "sending"))
    return perf_counter() - began


async def _until(context: Context, gone: tuple[str, ...]) -> None:
    since = context.clock.now() - timedelta(hours=1)
    async with asyncio.timeout(300):
        while True:
            found = await context.database.read(lambda tx: notice_store.counts(tx, since))
            if not any(found.get(state) for state in gone):
                return
            await asyncio.sleep(0.05)


async def _wrong(context: Context, panel: str, count: int) -> list[str]:
    """Sentences about notices that are not there, or not once."""
    async with httpx2.AsyncClient(base_url=panel, timeout=30) as client:
        texts = [row["text"] for row in (await client.get("/messages")).json()]
    since = context.clock.now() - timedelta(hours=1)
    states = await context.database.read(lambda tx: notice_store.counts(tx, since))
    wrong = [] if states == {"delivered": count} else [f"of {count} notices: {states}"]
    # The bare client sends every text once more.
    often = sum(texts.count(text) != 2 for text in set(texts)) if count <= 4_000 else 0
    return wrong + ([f"{often} texts were not taken once by each"] if often else [])
