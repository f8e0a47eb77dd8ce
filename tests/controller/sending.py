"""The worker that sends notices, at work on a controller of the test's own."""

import asyncio
from contextlib import asynccontextmanager

from controller.store import notices as notice_store
from controller.use_cases.providers import Provider, Providers
from controller.use_cases.send_notices import NoticeSender
from hall_core.queueing import commands as c
from tests.controller.gateway import provider


@asynccontextmanager
async def sending(centre, *gateways, **more):
    """The worker runs; `settle` returns when it has nothing left to do now."""
    providers = [g if isinstance(g, Provider) else provider(centre.clock, g) for g in gateways if g]
    worker = NoticeSender(centre.context, providers, centre.metrics, jitter=lambda: 0.5, **more)

    def at_work():
        now = centre.clock.now()
        due = ("pending", "unknown", "accepted")
        may = Providers(providers).claimable()
        busy = any(row["state"] == "sending" for row in centre.rows("NOTICES"))
        return busy or any(
            r["state"] in due
            for r in centre.database.read_now(lambda tx: notice_store.claim(tx, now, [], may, 99))
        )

    async def settle():
        centre.context.notices.ring()
        while at_work():
            centre.context.notices.ring()
            for _ in range(4):
                await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(worker.run())
        await asyncio.sleep(0)
        try:
            yield settle
        finally:
            task.cancel()


def states(centre) -> dict[str, str]:
    return {f"{r['ticket_id']}.{r['kind']}.{r['call_no']}": r["state"] for r in centre.rows("NOTICES")}


async def hall_with(centre, box, phone, *names):
    """A hall with an open counter whose waiting citizens have all left a number."""
    await centre.meet(box)
    box.do(c.OpenCounter(counter="3"))
    for name in names:
        box.issue(name, phone_sealed=centre.context.phones.seal(phone, name), phone_tail=phone[-2:])
    await centre.talk(box, box.facts())
