"""A box in a village hall whose line is dead: refused, helped over the telephone, connected again later."""

from base64 import b64encode
from datetime import timedelta

import httpx2
import pytest

from controller.use_cases.overriding import set_aside
from edge_agent.accounts import Accounts
from edge_agent.bell import Bell
from edge_agent.devices import Devices
from edge_agent.override import Overrides
from edge_agent.site import SiteFile
from edge_agent.web.app import web_app
from edge_agent.web.security import Guard
from edge_agent.web.view import View
from hall_core.queueing import commands as c
from hall_core.wire.damaged import read_fact
from tests.controller.box import Box
from tests.controller.centre import Centre
from tests.edge_agent.conftest import DAY, hall_setup, running

HALL = "binjiang"


@pytest.fixture
def centre(tmp_path, clock):
    made = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, clock)
    made.enrol(HALL)
    yield made
    made.close()


@pytest.fixture
async def before(centre, clock):
    """The hall's box so far: it gave numbers this morning, and has just died."""
    box = Box(clock, HALL, HALL, life="dead")
    box.do(c.ConfigureHall(setup=hall_setup()))
    box.do(c.OpenBusinessDay(day=DAY))
    await centre.meet(box)
    for n in range(3):
        box.issue(f"old{n}", service="social")
    await centre.talk(box, box.facts())
    return box


def counter_page(hall, folder, key):
    """The new box's pages, with one clerk's token; no uplink, no devices."""
    accounts = Accounts(folder / "accounts.json", hall.clock)
    token = accounts.add_token("wang")
    site = SiteFile(folder / "site.json", "")
    devices = Devices(
        hall,
        [],
        lambda setup, profile: pytest.fail("no devices here"),
        new_id=lambda: "id",
        jitter=lambda: 0.0,
        ticket_url=site.ticket_url,
        bell=Bell(),
    )
    view = View(hall, devices, None, site, Guard(accounts, "haitang"), hall.bell)
    view.overrides = Overrides(hall, HALL, lambda: key, accounts.pepper)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=web_app(view, new_id=iter_ids(), version="1")),
        base_url="http://hall.example",
        headers={"Authorization": f"Bearer {token}"},
    )


def iter_ids():
    numbers = iter(range(10**6))
    return lambda: f"n{next(numbers)}"


async def take(http, n):
    return await http.post("/api/tickets", json={"request_id": f"take{n}", "service": "social"})


async def test_a_box_without_a_line_is_helped_over_the_telephone(centre, before, clock, tmp_path):
    phones = centre.context.phones
    key = b64encode(phones.override_key(HALL)).decode()
    async with (
        running(tmp_path / "new.db", clock, hall_setup(), granted=False) as hall,
        counter_page(hall, tmp_path, key) as http,
    ):
        refused = await take(http, 0)
        assert (refused.status_code, refused.json()["type"]) == (503, "no-grant")
        assert "/override" in refused.json()["title"]

        # On the telephone: the clerk reads the box's number out, the operator reads the code out.
        tail = hall.journal.stream[-8:].lower()
        told = centre.database.write_now(
            lambda tx: set_aside(tx, phones, clock, hall=HALL, tail=tail, days=7)
        )
        entered = await http.post("/api/override", json={"request_id": "o1", "code": told.code.lower()})
        assert entered.status_code == 200, entered.text
        mine = [(await take(http, n)).json()["label"] for n in (1, 2)]
        assert mine == ["A1001", "A1002"]

        facts = [read_fact(f.body, clock.now()) for f in hall.journal.read(0, 100)]
        new = Box(clock, HALL, HALL)
        new.incarnation = new.stream = hall.journal.stream
        new.keep(facts)

    # The line is mended.
    await centre.meet(new)
    held = [(g.zone, g.first_day) for g in new.queue.grants if g.incarnation == new.incarnation]
    assert held[:2] == [(1, DAY), (2, DAY)], "the zone from the telephone, and one of its own"
    assert centre.live.by_id(HALL).stream == new.stream
    assert "zones-overlap" not in {a["kind"] for a in centre.rows("ALARMS")}
    assert new.issue("later", service="social").label == "A1003", "it goes on where it was"

    # Days later the zone from the telephone is over, and nobody's number comes twice.
    clock.advance(timedelta(days=8).total_seconds())
    new.do(c.OpenBusinessDay(day=new.now.date()))
    await centre.talk(new, new.report())
    new.issue("much-later", service="social")
    await centre.talk(new, new.facts())
    labels = [(t["label"], t["day"]) for t in centre.rows("TICKETS")]
    assert {"A001", "A002", "A003", "A1001", "A1002", "A1003"} <= {label for label, _ in labels}
    assert len(labels) == len(set(labels)) == 7
