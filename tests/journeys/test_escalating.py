"""A call that nobody answers, on real wires: the pager shakes twice, holder and relative get their messages."""

import random

import pytest

from edge_agent.site import Site
from hall_core.devices.layout import DeviceSetup
from hall_core.queueing.setup import Escalation
from tests.controller.gateway import FakeGateway
from tests.controller.test_notices import sending
from tests.journeys.test_pagers_and_messages import Journaled, centre, furnished, happened  # noqa: F401

#: as quick as a set-up may ask for
SOON = Escalation(again_s=1, pager_s=1, sms_s=1, relative_s=2)


@pytest.fixture
def phones():
    return [f"13{random.randrange(10**9):09d}" for _ in range(2)]


async def test_pager_gateway_and_relative_are_told_while_nobody_comes(tmp_path, centre, phones):  # noqa: F811
    (tmp_path / "site.json").write_text(Site(rev=1, phone_key=centre.context.phones.public).model_dump_json())
    pagers = DeviceSetup(name="pagers", profile="pager.pocsag-serial", address=f"serial://{tmp_path}/air")
    async with furnished(tmp_path, pagers, escalation=SOON) as scene:
        await scene.take()
        for action in ("open", "call-next", "start", "finish"):
            await scene.act(action)
        body = {"request_id": "two", "service": "social", "pager": 7}
        body |= {"phone": phones[0], "relative_phone": phones[1]}
        taken = (await scene.http.post("/api/tickets", json=body)).json()
        await scene.act("call-next", request_id="second")
        await scene.until(lambda: scene.shows("pagers")["pages"] == 2)
        ticket = lambda: scene.hall.queue.tickets[taken["ticket_id"]]  # noqa: E731
        await happened(scene, lambda: ticket().escalated == ("again", "pager", "sms", "relative"))

        box, gateway = Journaled(scene.hall.clock, scene.hall), FakeGateway(scene.hall.clock.now)
        await centre.meet(box)
        async with sending(centre, gateway) as settle:
            await settle()
        told = {ref.split(".")[1]: to for ref, (to, _) in gateway.taken.items()}
        holder, relative = (f"+86{phone}" for phone in phones)
        assert told == {"confirmation": holder, "called": holder, "recall": holder, "relative": relative}
        for file in tmp_path.iterdir():
            content = file.read_bytes() if file.is_file() else b""
            assert not any(phone.encode() in content for phone in phones), file.name
