"""What a scanner or a card reader of the hall reads: what it does, what pages learn, and what they never do."""

import json
from datetime import timedelta

import httpx2
import pytest

from edge_agent.bell import Bell
from edge_agent.readers import KEPT, Readers
from edge_agent.web.app import web_app
from edge_agent.web.view import View
from hall_core.devices.vocabulary import CardRead, CodeScanned, Sensed
from hall_core.queueing import commands as c
from tests.edge_agent.conftest import heard_by_a_screen, issue
from tests.edge_agent.test_devices import FakeDevice, kept, place, profile

TOKEN = "k" * 22


@pytest.fixture
def readers(hall, new_id):
    return Readers(hall, new_id, Bell())


def link(token=TOKEN):
    return f"https://hall.example/t/{token}"


async def scan(readers, text, name="scanner"):
    await readers.hear(place(name), CodeScanned(text=text))
    return readers.last[name].shown


async def take(hall, n=1, token=TOKEN):
    await hall.handle(issue(n).model_copy(update={"token": token}))


async def miss(hall):
    await hall.handle(c.OpenCounter(counter="1"))
    await hall.handle(c.CallNext(counter="1"))
    await hall.handle(c.NoShow(counter="1"))


@pytest.mark.parametrize("text", [link(), f"{link()}/", "A001", "a1"])
async def test_a_ticket_is_found_by_its_code_or_label(hall, readers, text):
    await take(hall)
    shown = await scan(readers, text)
    assert (shown["result"], shown["label"], shown["ticket_id"]) == ("found", "A001", "t1")
    assert hall.queue.tickets["t1"].state == "waiting"


async def test_who_missed_the_call_and_scans_the_code_stands_in_line_again_at_its_end(hall, readers, clock):
    await take(hall)
    await miss(hall)
    await hall.handle(issue(2))
    clock.advance(60)
    assert (await scan(readers, link()))["result"] == "returned"
    ticket = hall.queue.tickets["t1"]
    assert ticket.state == "waiting"
    assert ticket.effective_at > hall.queue.tickets["t2"].effective_at


async def test_a_label_alone_brings_nobody_back(hall, readers):
    await take(hall)
    await miss(hall)
    assert (await scan(readers, "A001"))["result"] == "found"
    assert hall.queue.tickets["t1"].state == "no-show"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (link("x" * 22), "unknown"),
        ("A999", "unknown"),
        ("https://hall.example/t/k7", "damaged"),
        ("https://hall.example/t/kk\ufffdkkkkkkkkkkkkkkkkkk", "damaged"),
        ("", "damaged"),
        ("A00\x001", "damaged"),
        ("https://pay.example/1234567890", "foreign"),
        ("6901234567892", "foreign"),
    ],
)
async def test_a_damaged_unknown_or_foreign_code_is_told_as_what_it_is_and_changes_nothing(
    hall, readers, text, result
):
    await take(hall)
    before = hall.journal.last
    shown = await scan(readers, text)
    assert shown["result"] == result
    assert not text or text not in json.dumps(shown), "what was scanned is nobody's business"
    assert hall.journal.last == before


async def test_an_appointment_is_checked_in_by_its_code_and_a_second_scan_finds_the_ticket(hall, readers):
    await hall.handle(
        c.BookAppointment(
            appointment_id="b1",
            token=TOKEN,
            code="402917",
            service="social",
            starts_at=hall.now(),
            ends_at=hall.now() + timedelta(minutes=30),
        )
    )
    shown = await scan(readers, link())
    assert (shown["result"], shown["label"]) == ("checked-in", "A001")
    assert (await scan(readers, link()))["result"] == "found"


async def test_an_appointment_that_is_too_early_is_refused_in_words(hall, readers):
    starts = hall.now() + timedelta(hours=5)
    await hall.handle(
        c.BookAppointment(
            appointment_id="b1",
            token=TOKEN,
            code="402917",
            service="social",
            starts_at=starts,
            ends_at=starts + timedelta(minutes=30),
        )
    )
    shown = await scan(readers, link())
    assert shown["result"] == "refused"
    assert "签到" in shown["title"]
    assert "Check-in" in shown["detail"]


async def test_a_card_is_shown_masked_and_its_digest_goes_to_listeners_alone(hall, readers):
    heard = []
    readers.listeners.append(lambda setup, card: heard.append((setup.name, card.digest)))
    masked = "23010" + "*" * 12 + "7"
    await readers.hear(place("cards"), CardRead(digest="d" * 32, masked=masked))
    assert heard == [("cards", "d" * 32)]
    shown = readers.last["cards"].shown
    assert (shown["kind"], shown["result"], shown["masked"]) == ("card-read", "card", masked)
    assert "d" * 32 not in json.dumps(shown)


async def test_no_more_readings_are_kept_than_a_page_may_ask_for(readers):
    for _ in range(KEPT + 5):
        await scan(readers, "foreign")
    assert [r.n for r in readers.after(0)] == list(range(6, KEPT + 6))


async def test_pages_hear_of_a_reading_as_it_happens_and_never_of_an_old_one(hall, new_id, view):
    scanner = FakeDevice()
    async with kept(hall, {"s": scanner}, [(place("s"), profile("scanner", "scan-code"))], new_id) as devices:
        seen = View(hall, devices, None, view.site, view.guard, devices.bell)
        await take(hall)
        await scan(devices.readers, "A001")
        stream = heard_by_a_screen(seen, hall.journal.last)
        first = [await anext(stream) for _ in range(2)][-1]
        assert "event: snapshot" in first
        assert "event: device" not in first
        scanner.keys.put_nowait(CodeScanned(text=link()))
        told = await anext(stream)
        (line,) = [x for x in told.split("\n\n") if x.startswith("event: device")]
        body = json.loads(line.partition("data: ")[2])
        assert (body["device"], body["kind"], body["label"]) == ("s", "code-scanned", "A001")
        assert TOKEN not in told


async def test_measured_values_stand_in_state_report_and_metrics(hall, new_id, view):
    sensor = FakeDevice()
    async with kept(hall, {"s": sensor}, [(place("s"), profile("sensor", "sensor"))], new_id) as devices:
        for value in (20.5, 21.5, float("nan")):
            sensor.keys.put_nowait(Sensed(name="temperature", value=value, unit="°C"))
        await sensor.until(lambda: devices.reports()[0].values == {"temperature": 21.5})
        seen = View(hall, devices, None, view.site, view.guard, devices.bell)
        assert seen.state()["devices"][0]["values"] == {"temperature": 21.5}
        app = web_app(seen, new_id=new_id, version="1")
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://h") as http:
            text = (await http.get("/metrics")).text
        assert 'quiethall_device_value{device="s",name="temperature"} 21.5' in text
