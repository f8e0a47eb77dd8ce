"""A call's other ways to its citizen, on real wires: a pager that shakes, a short message while the link is cut."""

import asyncio
import random
from contextlib import asynccontextmanager
from itertools import count

import pytest

from edge_agent.site import Site
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile
from hall_core.queueing.facts import fact_adapter
from simulators.gsm_at import masked
from simulators.hall import SimulatedHall
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.controller.gateway import FakeGateway
from tests.controller.test_notices import sending
from tests.edge_agent.conftest import hall_setup, running
from tests.journeys.test_one_ticket import Scene, kept


@asynccontextmanager
async def furnished(folder, *devices, **setup):
    """A hall with these devices, simulated on real wires; `setup` changes what it is."""
    about = hall_setup().model_copy(update=setup)
    clock, layout, ids = SystemClock(), HallFile(hall=about, devices=devices), count(1)
    async with (
        SimulatedHall(layout, clock) as sim,
        running(folder / "journal.db", clock, layout.hall) as hall,
    ):
        placed = [d.model_copy(update={"address": sim.devices[d.name].address}) for d in layout.devices]
        async with kept(hall, placed, clock, folder, ids) as (devices_of, http):
            scene = Scene(sim, hall, devices_of, http)
            await scene.until(
                lambda: all(r.state not in ("unknown", "offline") for r in devices_of.reports())
            )
            yield scene


async def happened(scene, truth):
    """Wait for what only the journal tells."""
    async with asyncio.timeout(15):
        seen = 0
        while not truth():
            seen = await scene.hall.bell.wait_past(seen)


async def test_a_called_pager_shakes_with_label_and_counter_and_is_told_as_unconfirmed(tmp_path):
    pagers = DeviceSetup(name="pagers", profile="pager.pocsag-serial", address=f"serial://{tmp_path}/air")
    async with furnished(tmp_path, pagers) as scene:
        taken = await scene.take()
        body = {"request_id": "give", "pager": 7}
        await scene.http.post(f"/api/tickets/{taken['label']}/pager", json=body)
        await scene.act("open")
        await scene.act("call-next")
        await scene.until(lambda: scene.shows("pagers")["pages"])
        assert scene.shows("pagers")["pagers"] == {"7": {"shaking": True, "text": "A001 1"}}
        ticket = scene.hall.queue.tickets[taken["ticket_id"]]
        await scene.until(lambda: scene.devices.paged(ticket) == "unconfirmed")
        await scene.act("recall")
        await scene.until(lambda: scene.shows("pagers")["pages"] == 2)


async def test_after_a_visit_the_evaluator_on_the_key_pads_line_is_asked_and_its_key_is_the_rating(tmp_path):
    line = f"serial://{tmp_path}/pads"
    # two presses of one key in one second are one: here they are two
    quick = {"dedupe_ms": 0}
    devices = (
        DeviceSetup(name="pad", profile="keypad.ff68-21", address=line, unit=5, counter="1", options=quick),
        DeviceSetup(name="rate", profile="keypad.ff68-evaluator", address=line, unit=6, counter="1"),
    )
    async with furnished(tmp_path, *devices) as scene:
        taken = await scene.take()
        scene.press("next")
        await happened(scene, lambda: scene.hall.queue.in_hand("1"))
        assert not scene.shows("rate")["asking"]
        scene.press("next")
        await scene.until(lambda: scene.shows("rate")["asking"])
        assert scene.shows("rate")["ticket"] == ""
        scene.sim.devices["rate"].key("rate-4")
        await happened(scene, lambda: scene.hall.queue.tickets[taken["ticket_id"]].rating == 1)


class Journaled(Box):
    """The controller's view of the hall: what its journal holds, said over a link that is back."""

    def __init__(self, clock, hall):
        super().__init__(clock, hall="binjiang", agent="binjiang")
        self.incarnation = self.stream = hall.journal.stream
        self.journal = [fact_adapter.validate_json(f.body) for f in hall.journal.read(0, 1000)]
        self.queue = hall.queue


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


@pytest.fixture
def centre(tmp_path):
    """The city's controller, which knows this hall and has not heard of it for a while."""
    made = Centre(f"sqlite:///{tmp_path / 'centre.db'}", tmp_path, SystemClock())
    made.enrol("binjiang")
    yield made
    made.close()


@pytest.mark.parametrize("cut", [True, False])
async def test_while_the_link_is_cut_the_modem_tells_once_and_the_gateway_never(
    tmp_path, centre, phone, capfd, cut
):
    site = Site(rev=1, phone_key=centre.context.phones.public)
    (tmp_path / "site.json").write_text(site.model_dump_json())
    modem = DeviceSetup(
        name="modem", profile="gsm.at-modem", address=f"serial://{tmp_path}/modem", options={"interval_ms": 0}
    )
    async with furnished(tmp_path, modem) as scene:
        scene.devices.notices.linked = lambda: not cut
        body = {"request_id": "take", "service": "social", "phone": phone}
        taken = (await scene.http.post("/api/tickets", json=body)).json()
        await scene.act("open")
        await scene.act("call-next")

        def accepted():
            facts = scene.hall.journal.facts_of(taken["ticket_id"])
            return sum('"outcome":"accepted"' in fact.body for fact in facts)

        await happened(scene, lambda: accepted() == 2 or not cut)
        texts = ["取号成功：A001，前面0人。", "您的号码A001请到1号窗口办理。"]
        to, name = masked(f"+86{phone}"), "【滨江街道政务服务中心】"
        assert scene.shows("modem")["sent"] == [{"to": to, "text": name + text} for text in texts if cut]
        for file in tmp_path.iterdir():
            assert not file.is_file() or phone.encode() not in file.read_bytes(), file.name
        assert phone not in "".join(capfd.readouterr())

        box, gateway = Journaled(scene.hall.clock, scene.hall), FakeGateway(scene.hall.clock.now)
        await centre.meet(box)
        async with sending(centre, gateway) as settle:
            await settle()
        rows = {r["kind"]: (r["state"], r["reason"]) for r in centre.rows("NOTICES")}
        if cut:
            by_hall = ("suppressed", "sent-by-hall")
            assert rows == {"confirmation": by_hall, "called": by_hall}
            assert gateway.sends == []
        else:
            assert {ref.split(".")[1] for ref in gateway.sends} == {"confirmation", "called"}
