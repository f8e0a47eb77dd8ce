"""Notices by the thousand against houses that misbehave, on real sockets; and senders that die half-way."""

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from controller.gateways.address import GatewayUrl
from controller.gateways.aliyun import AliyunGateway
from controller.gateways.cmpp import CmppGateway
from controller.gateways.session import Timing
from controller.gateways.smpp import SmppGateway
from controller.store import notices as notice_store
from controller.store.bulk import add_rows
from controller.store.tables import NOTICES, TICKETS
from controller.use_cases.bucket import Bucket
from controller.use_cases.ports import Asked, Fate, Parcel, Receipt, ReceiptSink, Taken
from controller.use_cases.providers import Breaker, NumberLimits, Provider
from controller.use_cases.send_notices import NoticeSender
from hall_core.clock import SystemClock
from simulators.sms_aliyun import aliyun_app
from simulators.sms_cmpp import CmppGate
from simulators.sms_house import House, Mood
from simulators.sms_smpp import SmppCentre
from tests.controller.centre import Centre
from tests.controller.gateway import FakeGateway
from tests.controller.sending import sending
from tests.controller.serving import served

COUNT = 2_000
#: the gateway itself gives up long before a notice does
TIMING = Timing(connect=2, answer=1.0, slot=1, ping=20, first_retry=0.01, last_retry=0.05)
LATE_MS = 1_500
UNBOUND = NumberLimits(10**6, 10**6)


@pytest.fixture
def real_centre(tmp_path):
    """A controller whose time passes."""
    made = Centre(f"sqlite:///{tmp_path / 'controller.db'}", tmp_path, SystemClock())
    made.enrol()
    yield made
    made.close()


def write_notices(centre, count, *, useful_s=(600.0,)):
    """`count` waiting tickets with numbers, each with a confirmation that is due; every text is different.
    They are useful for so many seconds, in turns.
    """
    now = centre.clock.now()
    tickets, notices = [], []
    for n in range(count):
        name = f"t{n:05d}"
        sealed = centre.context.phones.seal(f"13{random.randrange(10**9):09d}", name)
        tickets.append(a_ticket(name, n, sealed, now))
        notices.append(a_notice(name, n, now, now + timedelta(seconds=useful_s[n % len(useful_s)])))
    centre.database.write_now(lambda tx: add_rows(tx, TICKETS, tickets))
    centre.database.write_now(lambda tx: notice_store.add_notices(tx, notices))


def a_ticket(name, n, sealed, now):
    common = dict.fromkeys(("issued_at", "effective_at", "updated_at"), now)
    return {
        "ticket_id": name, "hall": "haitang", "line": "A", "day": now.date(), "label": f"A{n:05d}", "number": n,
        "service": "household", "channel": "web", "state": "waiting", "token": f"token-{n}", **common,
        "phone_sealed": sealed,
    }  # fmt: skip


def a_notice(name, n, now, not_after):
    return {
        "ticket_id": name, "kind": "confirmation", "call_no": 0, "hall": "haitang", "priority": 2,
        "text": f"【滨江政务】取号成功：A{n:05d}。", "state": "pending", "reason": "", "provider_id": "", "attempts": 0,
        "client_ref": f"{name}.confirmation.0", "made_at": now, "next_at": now, "updated_at": now,
        "not_after": not_after, "words": f'{{"label":"A{n:05d}","ahead":"0"}}',
    }  # fmt: skip


def moods(seed, share):
    """Bad luck in this share of messages, of all the kinds that may befall an unlucky house."""
    dice = random.Random(seed)
    kinds = [
        {"accept-then-timeout": LATE_MS},
        {"accept-then-timeout": LATE_MS, "lose-receipts": 0},
        {"repeat-receipts": 0},
        {"reorder-receipts": 0},
        {"early-receipts": 0},
        {"early-receipts": 0, "undelivered": 0},
        {"undelivered": 0, "repeat-receipts": 0, "reorder-receipts": 0},
        {"slow": 30},
    ]

    def mood():
        rare = dice.random()
        if rare < 0.002:
            return Mood({"accept-then-cut": 0})
        if rare < 0.005:
            return Mood({"throttle": 0})
        return Mood(dict(dice.choice(kinds))) if dice.random() < share else Mood()

    return mood


@asynccontextmanager
async def smpp(house, clock):
    centre = SmppCentre(house, again_s=0.2)
    server = await centre.serve()
    url = GatewayUrl.read(
        f"smpp://hall:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}?from=1069&window=50"
    )
    try:
        yield SmppGateway(url, clock, TIMING)
    finally:
        server.close()
        centre.cut()


@asynccontextmanager
async def cmpp(house, clock):
    gate = CmppGate(house, again_s=0.2)
    server = await gate.serve()
    port = server.sockets[0].getsockname()[1]
    url = GatewayUrl.read(f"cmpp://900001:secret@127.0.0.1:{port}?from=1069&version=3.0&window=50")
    try:
        yield CmppGateway(url, clock, TIMING)
    finally:
        server.close()
        gate.cut()


class Quick(AliyunGateway):
    """Aliyun's gateway with a patience that fits into a test."""

    def __init__(self, *around):
        super().__init__(*around)
        self.client.timeout = 0.2


@asynccontextmanager
async def aliyun(house, clock):
    async with served(aliyun_app(house, "id", "secret")) as where:
        url = GatewayUrl.read(f"aliyun://id:secret@{where[7:]}?plain=1&confirmation=SMS_2")
        async with Quick(url, clock, "滨江政务") as made:
            yield made


@asynccontextmanager
async def worker(centre, gateway, per_s=100_000.0):
    bucket = Bucket(centre.clock, per_s=per_s, burst=1000)
    given = Provider("house", gateway, bucket, Breaker(centre.clock, gateway.at_once))
    sender = NoticeSender(centre.context, [given], centre.metrics, jitter=random.random, limits=UNBOUND)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(sender.run())
        try:
            yield given
        finally:
            task.cancel()


def count_in(centre, states):
    query = select(func.count()).where(NOTICES.c.state.in_(states))
    return centre.database.read_now(lambda tx: tx.execute(query).scalar_one())


async def all_of(centre, settled):
    """Until no notice is in a state that is not settled."""
    rest = {"pending", "sending", "unknown", "accepted", "suppressed"} - set(settled)
    async with asyncio.timeout(60):
        while count_in(centre, rest):  # noqa: ASYNC110 - the rows tell nobody
            await asyncio.sleep(0.05)


def judged(centre, house):
    """≤ 1 acceptance of each notice, and none after its time; gives how the notices ended."""
    times = Counter(letter.text for letter in house.letters)
    assert [text for text, count in times.items() if count > 1] == []
    assert len({letter.to for letter in house.letters}) == len(house.letters)
    rows = centre.rows("NOTICES")
    if house.letters:
        # texts of template gateways are the template's
        accepted = len(house.letters)
        known = sum(r["state"] in ("accepted", "delivered", "failed") for r in rows)
        assert known <= accepted
    return Counter(r["state"] for r in rows)


@pytest.mark.parametrize(("kind", "count"), [(smpp, COUNT), (cmpp, COUNT // 4)])
async def test_two_thousand_notices_reach_a_bad_house_at_most_once_each(real_centre, kind, count):
    house = House("house", real_centre.clock, delivery_s=0.05)
    house.mood = moods(kind.__name__, 0.1)
    write_notices(real_centre, count)
    async with kind(house, real_centre.clock) as gateway, worker(real_centre, gateway):
        await all_of(real_centre, ("delivered", "failed", "accepted", "unknown", "suppressed"))
        lost = {letter.text for letter in house.letters if "lose-receipts" in letter.mood}
        await delivered(real_centre, lost)
    ended = judged(real_centre, house)
    assert set(ended) <= {"delivered", "failed", "accepted", "unknown"}
    assert ended["delivered"] > count * 0.8
    assert ended["failed"] > 0
    fates = {letter.text: letter.delivered for letter in house.letters}
    for notice in real_centre.rows("NOTICES"):
        if notice["state"] in ("delivered", "failed"):
            assert fates[notice["text"]] == (notice["state"] == "delivered")
        if notice["state"] == "unknown":  # nobody knows, and nobody sends it again
            assert notice["attempts"] == 1


async def delivered(centre, lost):
    """Until every receipt that is not lost has come: for notices whose answer was cut off there is none."""

    def waits():
        return [r for r in centre.rows("NOTICES") if r["state"] == "accepted" and r["text"] not in lost]

    async with asyncio.timeout(30):
        while waits():  # noqa: ASYNC110 - the rows tell nobody
            await asyncio.sleep(0.05)


async def test_hundreds_of_notices_over_http_are_asked_about_and_none_goes_twice(real_centre):
    house = House("house", real_centre.clock, delivery_s=0.05)
    house.mood = moods("aliyun", 0.2)
    write_notices(real_centre, 300)
    async with aliyun(house, real_centre.clock) as gateway, worker(real_centre, gateway):
        await all_of(real_centre, ("delivered", "failed", "accepted"))
    assert house.stats()["doubled"] == 0
    assert len(house.letters) == 300
    assert {r["client_ref"] for r in real_centre.rows("NOTICES")} == {x.client_ref for x in house.letters}


async def test_nothing_is_handed_over_after_its_time_however_slow_the_house(real_centre):
    house = House("house", real_centre.clock, delivery_s=0.02)
    taken_at = {}
    take = house.take

    def noted(to, text, mood, client_ref=""):
        taken_at[text] = real_centre.clock.now()
        return take(to, text, mood, client_ref)

    house.take = noted
    house.mood = lambda: Mood({"throttle": 0}) if random.random() < 0.3 else Mood({"slow": 40})
    # However slow the machine is, some are handed over in time and some are not.
    write_notices(real_centre, 600, useful_s=(0.0, 0.8, 0.8, 0.8, 5.0, 5.0))
    async with smpp(house, real_centre.clock) as gateway, worker(real_centre, gateway):
        await all_of(real_centre, ("delivered", "suppressed", "accepted", "unknown"))
    ended = Counter((r["state"], r["reason"]) for r in real_centre.rows("NOTICES"))
    assert ended["suppressed", "stale"] > 50
    assert ended["delivered", ""] > 20
    rows = {r["text"]: r for r in real_centre.rows("NOTICES")}
    # What left in time may still be in the house's slow hands.
    late = [t for t, at in taken_at.items() if at >= rows[t]["not_after"] + timedelta(seconds=0.15)]
    assert late == []
    assert not [r for r in rows.values() if r["sent_at"] and r["sent_at"] >= r["not_after"]]


# -- a sender that dies ------------------------------------------------------------------------------------


class Stops(Exception):
    """The program ends here."""


class Dying:
    """A gateway whose program ends at a moment of its choosing; what it took stays taken."""

    def __init__(self, when: str) -> None:
        self.when, self.taken, self.can_ask = when, Counter[str](), True
        self.at_once = 16
        self.reached = asyncio.Event()

    async def run(self, told: ReceiptSink) -> None:
        await asyncio.Event().wait()

    async def send(self, parcel: Parcel) -> Taken:
        if self.when == "before":
            await self._end()
        self.taken[parcel.client_ref] += 1
        if self.when == "after":
            await self._end()
        return Taken(f"id-{parcel.client_ref}")

    async def find(self, asked: Asked) -> Taken | None:
        if self.when == "asking":
            await self._end()
        return Taken("found") if self.taken[asked.client_ref] else None

    async def _end(self) -> None:
        self.reached.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def ended_at(centre, gateway):
    """The worker is cut off the moment the gateway says so: nothing of it is stored any more."""
    async with worker(centre, gateway):
        async with asyncio.timeout(10):
            await gateway.reached.wait()
        yield


@pytest.mark.parametrize(
    ("when", "state"), [("before", "sending"), ("after", "sending"), ("asking", "unknown")]
)
async def test_a_program_that_dies_while_it_hands_over_never_sends_twice(real_centre, when, state):
    write_notices(real_centre, 20)
    gateway = Dying(when)
    if when == "asking":
        first = Dying("after")
        async with ended_at(real_centre, first):
            pass
        gateway.taken = first.taken
        assert gateway.taken
    async with ended_at(real_centre, gateway):
        assert state in {r["state"] for r in real_centre.rows("NOTICES")}
    gateway.when = ""
    again = real_centre.again()
    try:
        async with worker(again, gateway):
            await all_of(again, ("accepted", "unknown") if when == "before" else ("accepted",))
        rows = again.rows("NOTICES")
    finally:
        again.close()
    assert max(gateway.taken.values()) == 1
    # What was never handed over stays unknown for a minute before that is believed.
    lost = {r["client_ref"] for r in rows if r["state"] == "unknown"}
    assert lost == {r["client_ref"] for r in rows} - set(gateway.taken)
    assert bool(lost) == (when == "before")


async def test_a_program_that_dies_before_it_claims_loses_nothing(real_centre):
    write_notices(real_centre, 20)
    again = real_centre.again()
    gateway = Dying("")
    try:
        async with worker(again, gateway):
            await all_of(again, ("accepted",))
    finally:
        again.close()
    assert sorted(gateway.taken.values()) == [1] * 20


async def test_a_program_that_dies_after_the_answer_was_stored_asks_nobody_again(real_centre):
    write_notices(real_centre, 20)
    gateway = Dying("")
    async with worker(real_centre, gateway):
        await all_of(real_centre, ("accepted",))
    again = real_centre.again()
    try:
        async with worker(again, gateway):
            await asyncio.sleep(0)
        assert {r["attempts"] for r in again.rows("NOTICES")} == {1}
    finally:
        again.close()
    assert max(gateway.taken.values()) == 1


@pytest.mark.postgres
async def test_notices_are_claimed_and_receipts_settled_in_postgresql_too(postgres, tmp_path, clock):
    made = Centre(postgres, tmp_path, clock)
    made.enrol()
    gateway = FakeGateway(clock.now)
    try:
        write_notices(made, 40)
        async with sending(made, gateway):
            made.context.notices.ring()
            await all_of(made, ("accepted",))
            await gateway.tell(Receipt(Fate.FAILED, "early-1"))
            for row in made.rows("NOTICES")[:10]:
                await gateway.tell(Receipt(Fate.DELIVERED, row["provider_id"]))
        assert Counter(row["state"] for row in made.rows("NOTICES")) == {"accepted": 30, "delivered": 10}
        assert len(made.rows("RECEIPTS")) == 1
    finally:
        made.close()
