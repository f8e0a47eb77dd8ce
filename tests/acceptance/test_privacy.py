"""Numbers of people are nowhere: not in databases, write-ahead logs, logs, messages, figures, pages or copies.

Citizens leave numbers that exist nowhere else, in every way there is and in some that are wrong. Then everything
that was written is searched for them, in many spellings. That the search can find is shown last.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx2
import pytest

from tests.acceptance.canaries import forms, found_in
from tests.acceptance.machine import until
from tests.acceptance.privacy_scene import HALL, privacy_scene

STORES = (
    "centre/controller.db",
    "centre/controller.db-wal",
    "box/journal.db",
    "box/journal.db-wal",
    "logs/controller-1.log",
    "logs/broker.log",
    "box.log",
    "capture.bin",
    "seen/agent-metrics",
    "seen/centre-metrics",
    "backups/controller-backup.db",
    "backups/journal-vacuumed.db",
)


def somebody() -> str:
    return f"13{secrets.randbelow(10**9):09d}"


class People(dict[str, str]):
    """Numbers by whose they are; asking for somebody makes one."""

    def __missing__(self, whose: str) -> str:
        self[whose] = somebody()
        return self[whose]


async def in_order(scene, people):
    """What citizens do every day."""
    assert (await scene.online(phone=people["online"])).status_code == 201
    assert (await scene.kiosk(phone=people["kiosk"])).status_code == 201
    assert (await scene.appoint(phone=people["appointment"])).status_code == 201
    page = await scene.http.post(
        f"{scene.centre_url}/h/{HALL}/take",
        data={"service": "social", "phone": f"+86 {people['page']}", "key": secrets.token_urlsafe(16)},
    )
    assert page.status_code == 303, page.text
    scene.look("citizen-page", (await scene.http.get(f"{scene.centre_url}{page.headers['location']}")).text)


async def a_visit(scene, people):
    """One is called, served, and has something to say about it, with a number in it."""
    taken = (await scene.kiosk(phone=people["visitor"])).json()
    assert (await scene.act("open")).status_code == 200
    called = ""
    while called != taken["ticket_id"]:
        answer = await scene.act("call-next", finish_current=True)
        assert answer.status_code == 200, answer.text
        called = answer.json()["ticket"]["ticket_id"]
    await until(lambda: reached(scene, people["visitor"]))
    assert (await scene.act("hold", reason=f"请打{people['reason']}")).status_code == 200
    assert (await scene.act("return", ticket=taken["ticket_id"])).status_code == 200
    assert (await scene.act("call", ticket=taken["ticket_id"], reason="特呼")).status_code == 200
    assert (await scene.act("start")).status_code == 200
    assert (await scene.act("finish")).status_code == 200
    await scene.synced()
    spaced = people["comment"]
    spaced = f"{spaced[:3]} {spaced[3:7]} {spaced[7:]}"
    comment = f"打我电话 {spaced} 或 {people['comment too']}，身份证 {people['comment identity']}"
    said = await scene.post(f"/api/t/{taken['token']}/rating", {"score": 2, "comment": comment})
    assert said.status_code == 200, said.text


async def in_new_ways(scene, people):
    """One number for several services, a relative's, a draw, an appeal, and a message house that tells too much."""
    several = {"service": "social", "services": ["social", "tax"]}
    trip = await scene.kiosk(**several, phone=people["trip"], relative_phone=people["trip's relative"])
    assert trip.status_code == 201, trip.text
    online = {"services": ["tax", "social"], "relative_phone": people["online relative"]}
    assert (await scene.online(**online, phone=people["online trip"])).status_code == 201
    assert (await scene.act("call", ticket=trip.json()["ticket_id"], reason="特呼")).status_code == 200
    await until(lambda: reached(scene, people["trip's relative"]))
    assert (await scene.act("no-show")).status_code == 200

    async def announced():
        return bool(await scene.listed(f"/api/public/halls/{HALL}/draws"))

    await until(announced)
    (draw,) = await scene.listed(f"/api/public/halls/{HALL}/draws")
    scene.time_passes("UPDATE draws SET opens_at = made_at")
    body = {"wishes": [f"{draw['day']}T10:00:00+08:00"], "phone": people["draw"]}
    entered = await scene.post(f"/api/draws/{draw['id']}/registrations", body, "draw-1")
    assert entered.status_code == 201, entered.text

    booked = (await scene.appoint(phone=people["missed"])).json()
    scene.time_passes(f"UPDATE appointments SET state = 'missed' WHERE token = '{booked['token']}'")
    text = f"当天住院，请打 {people['appeal']}，身份证 {people['appeal identity']}"
    appealed = await scene.post(f"/api/t/{booked['token']}/appeal", {"text": text})
    assert appealed.status_code == 200, appealed.text

    said = await scene.command("receipts", "--public-url", scene.centre_url, "--gateway", scene.gateway)
    push = {
        "status": "failed",
        "reason": f"空号 {people['receipt']}",
        "phone_number": people["receipt field"],
    }
    (notice, *_) = await scene.listed("/api/notices")
    told = await scene.http.post(said.split()[-1], json=[{**push, "client_ref": notice["client_ref"]}, push])
    assert told.json() == {"stored": True}


async def reached(scene, phone):
    return phone in scene.house.reached


async def wrongly(scene, people):
    """Numbers where they do not belong: each is refused, and none is repeated or kept."""
    wrong: list[httpx2.Response] = [
        await scene.online(service=people["as service"]),
        await scene.online(channel=people["as channel"]),
        await scene.online(priority=people["as priority"]),
        await scene.online(key=people["as key"]),
        await scene.online(phone=f"+86{people['with country']}"),
        await scene.online(phone=f"{people['too long']}0"),
        await scene.online(telephone=people["unknown field"]),
        await scene.online(relative_phone=f"{people['long relative']}0"),
        await scene.online(services=["social", people["as services"]]),
        await scene.appoint(id_number=people["identity"]),
        await scene.appoint(phone=people["identity"]),
        await scene.post(f"/api/halls/{people['in path']}/tickets", {"service": "social"}, "k"),
        await scene.kiosk(service=people["kiosk service"]),
        await scene.kiosk(channel=people["kiosk channel"]),
        await scene.kiosk(priority=people["kiosk priority"]),
        await scene.kiosk(request_id=people["kiosk request"]),
        await scene.kiosk(appointment=people["kiosk code"]),
        await scene.kiosk(phone=f"{people['kiosk too long']}0"),
        await scene.kiosk(relative_phone=f"{people['kiosk long relative']}0"),
        await scene.kiosk(services=["social", people["kiosk services"]]),
        await scene.http.post(f"{scene.centre_url}/api/receipts/{people['as door']}", json=[]),
        await scene.act("hold", ticket=people["as ticket"]),
        await scene.act("hold", request_id=people["clerk request"]),
        await scene.act("transfer", service=people["clerk service"]),
        await scene.http.get(f"{scene.centre_url}/api/t/{people['as link']}"),
        await scene.http.get(f"{scene.centre_url}/t/{people['as page link']}"),
        await scene.http.get(f"{scene.agent.url}/api/tickets/{people['as label']}"),
        await scene.http.get(f"{scene.agent.url}/counter/{people['as counter']}"),
        await scene.http.post(
            f"{scene.centre_url}/login", data={"user": people["as user"], "password": people["as password"]}
        ),
    ]
    assert [str(r.url).replace(scene.centre_url, "") for r in wrong if r.status_code < 300] == []


async def a_card(scene, people):
    """Somebody lays an identity card on the reader."""
    text = scene.reader.body._cards[0].text.decode("utf-16-le")
    people["card"] = next(part for part in text.split() if len(part) >= 18)[-18:]
    scene.reader.key("card-1")

    async def read():
        return bool(scene.reader.shows()["read"])

    await until(read)
    scene.reader.key("lift")


@contextmanager
def planted(scene, number: str) -> Iterator[set[str]]:
    """The number in one place of every kind: what the search must find."""
    with ExitStack() as held:
        for file in (scene.kept / name for name in STORES):
            assert file.is_file() or file.suffix == ".db-wal", file
            if file.suffix == ".db":
                opened = held.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
                opened.execute("CREATE TABLE planted (value)")
                opened.execute("INSERT INTO planted VALUES (?)", (f"x{number}y",))
                opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                # and once more, into the write-ahead log of those that have one
                opened.execute("INSERT INTO planted VALUES (?)", (f"x{number}y",))
            elif file.suffix != ".db-wal":
                with file.open("ab") as log:
                    log.write(f"at 12:00 somebody wrote {number}\n".encode())
        yield {f"ghost in {name}" for name in STORES}


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_no_number_of_a_citizen_is_found_in_anything_that_is_kept(tmp_path, mosquitto):
    people = People()
    # an identity number of nobody: its place does not exist
    people["identity"] = f"99999919{secrets.randbelow(90) + 10}0101{secrets.randbelow(9000) + 1000}"
    people["comment identity"] = f"99999919{secrets.randbelow(90) + 10}1231{secrets.randbelow(900) + 100}X"
    people["appeal identity"] = f"99999919{secrets.randbelow(90) + 10}0228{secrets.randbelow(9000) + 1000}"
    async with privacy_scene(tmp_path) as scene:
        await in_order(scene, people)
        await a_visit(scene, people)
        await in_new_ways(scene, people)
        await wrongly(scene, people)
        await a_card(scene, people)
        for whose in ("online", "kiosk", "page", "visitor", "trip", "online trip"):
            await until(lambda whose=whose: reached(scene, people[whose]))
        await scene.synced()
        await scene.look_around()
        scene.back_up()
        await scene.power_cut()
        assert (scene.kept / "centre" / "controller.db-wal").stat().st_size > 0
        assert found_in(scene.kept, people) == []

        assert len(people) > 35
        told = set(scene.house.reached)
        reachable = ("online", "kiosk", "page", "visitor", "trip", "trip's relative", "online trip")
        assert {people[whose] for whose in reachable} <= told
        for log in ("box.log", "logs/controller-1.log"):
            assert " DEBUG " in (scene.kept / log).read_text("utf-8"), log
        ghost = somebody()
        with planted(scene, ghost) as expected:
            assert expected <= set(found_in(scene.kept, {"ghost": ghost}))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_after_a_rotation_halls_seal_to_the_new_key_and_everybody_is_still_reached(tmp_path, mosquitto):
    people = People()
    async with privacy_scene(tmp_path) as scene:
        first = await scene.privacy("rotate")
        assert "phone.2.key" in {file.name for file in (scene.kept / "centre").iterdir()}, first
        assert (await scene.kiosk(phone=people["before"])).status_code == 201
        await until(lambda: reached(scene, people["before"]))
        old = scene.phone_key()
        await scene.restart_centre()

        async def told():
            return scene.phone_key() != old

        await until(told)
        assert (await scene.kiosk(phone=people["after"])).status_code == 201
        assert (await scene.online(phone=people["online after"])).status_code == 201
        for whose in people:
            await until(lambda whose=whose: reached(scene, people[whose]))
        await scene.synced()
        assert "tickets: 1 sealed" in await scene.privacy("reseal")
        # what the running controller remembers of the day goes with a restart
        await scene.restart_centre()
        assert "dropped" in await scene.privacy("reseal", "--drop-old", "--even-so")
        await scene.restart_centre()
        assert (await scene.act("open")).status_code == 200
        before = len(scene.house.reached)
        assert (await scene.act("call-next")).status_code == 200

        async def called():
            return people["before"] in scene.house.reached[before:]

        await until(called)
        assert found_in(scene.kept, people) == []


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_citizen_who_asks_is_forgotten_by_a_centre_that_goes_on(tmp_path, mosquitto):
    people = People()
    async with privacy_scene(tmp_path) as scene:
        for whose in ("leaves", "stays"):
            assert (await scene.kiosk(phone=people[whose])).status_code == 201
            await until(lambda whose=whose: reached(scene, people[whose]))
        await scene.synced()
        told = await scene.privacy("erase", typed=people["leaves"])
        assert "tickets: 1" in told
        assert (await scene.act("open")).status_code == 200
        before = len(scene.house.reached)
        for _ in people:
            assert (await scene.act("call-next", finish_current=True)).status_code == 200

        async def called():
            return people["stays"] in scene.house.reached[before:]

        await until(called)
        assert people["leaves"] not in scene.house.reached[before:]


def test_a_number_is_found_however_it_is_written(tmp_path):
    number = somebody()
    written = forms(number)
    for nth, form in enumerate(written):
        (tmp_path / f"file-{nth:03}").write_bytes(b"before " + form + b" after")
    assert found_in(tmp_path, {"ghost": number}) == [f"ghost in file-{n:03}" for n in range(len(written))]
    assert found_in(tmp_path, {"other": somebody()}) == []


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_number_inside_something_encoded_is_found(tmp_path, before):
    import base64

    number = somebody()
    (tmp_path / "file").write_bytes(base64.b64encode(f'{before}{{"to":"{number}"}}'.encode()))
    assert found_in(tmp_path, {"ghost": number}) == ["ghost in file"]


def test_a_value_that_is_cut_up_on_the_pages_of_a_database_is_found(tmp_path):
    number = somebody()
    with closing(sqlite3.connect(tmp_path / "a.db")) as opened:
        opened.execute("PRAGMA page_size=512")
        opened.execute("CREATE TABLE t (value)")
        opened.executemany("INSERT INTO t VALUES (?)", [("-" * n + number,) for n in range(400, 900)])
        opened.commit()
    assert found_in(tmp_path, {"ghost": number}) == ["ghost in a.db"]
