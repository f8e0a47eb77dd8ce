"""The demo's report finds what is lost or doubled, whichever source shows it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hall_core.schedule.draws import commitment, drawn
from simulators.demo_ledger import CalledTicket, Ledger, LinkAct, RatedVisit, Registration, TakenTicket
from simulators.demo_sightings import Sighting
from simulators.report import HallRecord, Sources, build_report

START = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


class Seen:
    """One strip and one key-pad over counter 1, one printer."""

    def __init__(self, strip=(), keypad=(), paper=()):
        self.families = {"haitang": {"modbus_text", "keypad_ff68", "escpos"}}
        self._counter = {
            ("strip", "modbus_text"): [Sighting(at(s), text) for s, text in strip],
            ("keypad", "keypad_ff68"): [Sighting(at(s), digits, digits) for s, digits in keypad],
        }
        self._hall = {("printer", "escpos"): [Sighting(at(s), text) for s, text in paper]}

    def at_counter(self, hall, counter):
        return self._counter if counter == "1" else {}

    def in_hall(self, hall):
        return self._hall


def issued(n, ticket_id, label, day="2026-11-23"):
    return {"n": n, "kind": "ticket-issued", "ticket_id": ticket_id, "label": label, "day": day}


def called(n, ticket_id, counter="1"):
    return {"n": n, "kind": "ticket-called", "ticket_id": ticket_id, "counter": counter, "call_no": 1}


JOURNAL = [issued(1, "t1", "A001"), issued(2, "t2", "A002"), called(3, "t1"), called(4, "t2")]
SEEN = Seen(
    strip=[(1.02, "A001 请到1号"), (5.03, "A002 请到1号")],
    keypad=[(1.1, "001"), (5.1, "002")],
    paper=[(0.1, "A001"), (0.2, "A002")],
)


def told():
    return Ledger(
        tickets=[
            TakenTicket("haitang", "t1", "A001", "r1", "kiosk"),
            TakenTicket("haitang", "t2", "A002", "r2", "kiosk"),
        ],
        calls=[
            CalledTicket("haitang", "1", "t1", "A001", at(1)),
            CalledTicket("haitang", "1", "t2", "A002", at(5)),
        ],
    )


def report(journal=JOURNAL, controller=None, ledger=None, seen=SEEN, sms=("n1", "n2"), known=None):
    hall = HallRecord("haitang", list(journal), list(journal if controller is None else controller))
    return build_report(Sources((hall,), ledger or told(), seen, known or {}, list(sms), 0, "embedded"))


def test_a_good_run_has_nothing_lost_and_nothing_doubled():
    found = report()
    assert (found["lost"], found["duplicates"], found["problems"]) == (0, 0, [])
    assert found["halls"][0]["shown"] == {"escpos": 2, "keypad_ff68": 2, "modbus_text": 2}
    assert found["latency_ms"]["call_to_strip"] == {"p50": 20.0, "p99": 30.0}
    assert found["sms"] == {"accepted": 2, "doubled": 0}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"controller": JOURNAL[:3]}, "missing at the controller"),
        ({"journal": [JOURNAL[0], *JOURNAL[2:]]}, "fact 2 is missing in the journal"),
        (
            {"journal": JOURNAL[1:], "controller": JOURNAL},
            "A001 was handed out and is missing in the journal",
        ),
        ({"journal": JOURNAL[:3]}, "the call of A002 at counter 1 is missing in the journal"),
        ({"seen": Seen(strip=[(1.02, "A001")])}, "A002 was never shown over counter 1"),
        ({"seen": Seen(strip=[(1.02, "A0011"), (5.1, "A002")])}, "A001 was never shown over counter 1"),
    ],
)
def test_what_is_lost_is_counted_and_named(change, word):
    found = report(**change)
    assert found["lost"] > 0
    assert any(word in problem for problem in found["problems"])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"journal": [*JOURNAL, issued(5, "t3", "A001")]}, "A001 of 2026-11-23 was issued 2 times"),
        ({"controller": [*JOURNAL, JOURNAL[3]]}, "fact 4 stands 2 times in the controller"),
        ({"controller": [*JOURNAL, called(5, "t9")]}, "fact 5 (ticket-called) that never was"),
        ({"sms": ("n1", "n1")}, "notice n1 was accepted 2 times"),
    ],
)
def test_what_is_doubled_is_counted_and_named(change, word):
    found = report(**change)
    assert found["duplicates"] > 0
    assert any(word in problem for problem in found["problems"])


def test_a_rating_that_was_taken_must_stand_once():
    rated = {"n": 5, "kind": "ticket-rated", "ticket_id": "t1", "score": 2}
    ledger = told()
    ledger.rated.append(RatedVisit("haitang", "t1", 2))
    assert report([*JOURNAL, rated], ledger=ledger)["problems"] == []
    gone = report([*JOURNAL, {**rated, "score": 5}], ledger=ledger)["problems"]
    assert gone == [
        f"haitang: the rating of t1 is missing in the {place}" for place in ("journal", "controller")
    ]
    assert report([*JOURNAL, rated, {**rated, "n": 6}], ledger=ledger)["duplicates"] == 1


def test_two_people_with_one_number_are_a_duplicate():
    ledger = told()
    ledger.tickets.append(TakenTicket("haitang", "t9", "A001", "r9", "online", "offline"))
    assert report(ledger=ledger, known={"": "cancelled"})["duplicates"] == 1


@pytest.mark.parametrize(
    ("states", "journal", "lost"),
    [
        ({"link": "cancelled"}, JOURNAL, 0),  # another number of the same request was called
        ({"link": "waiting"}, [*JOURNAL, issued(5, "t9", "W001")], 0),
        ({"link": "waiting"}, JOURNAL, 1),  # nobody will ever call it
        ({"link": None}, JOURNAL, 1),
    ],
)
def test_a_number_given_while_the_hall_was_offline_must_come_to_its_line(states, journal, lost):
    ledger = told()
    ledger.tickets.append(TakenTicket("haitang", "t9", "W001", "r9", "online", "offline", "link"))
    assert report(ledger=ledger, known=states, journal=journal)["lost"] == lost


def test_one_label_on_two_days_is_no_duplicate():
    journal = [*JOURNAL, issued(5, "t3", "A001", day="2026-11-24")]
    assert report(journal=journal)["duplicates"] == 0


def test_two_people_who_were_told_one_label_on_two_days_are_no_duplicate():
    ledger = told()
    ledger.tickets.append(TakenTicket("haitang", "t3", "A001", "r9", "kiosk"))
    journal = [*JOURNAL, issued(5, "t3", "A001", day="2026-11-24")]
    assert report(ledger=ledger, journal=journal)["duplicates"] == 0


def test_a_second_call_of_a_ticket_needs_a_second_fact():
    ledger = told()
    ledger.calls.append(CalledTicket("haitang", "1", "t1", "A001", at(9)))
    seen = Seen(strip=[(1.02, "A001"), (5.03, "A002"), (9.05, "A001")])
    assert report(ledger=ledger, seen=seen)["lost"] == 2  # in the journal and at the controller
    again = [*JOURNAL, called(5, "t1")]
    assert report(journal=again, ledger=ledger, seen=seen)["lost"] == 0


def test_a_number_that_stood_there_before_the_call_does_not_count_as_shown():
    assert report(seen=Seen(strip=[(0.5, "A001"), (5.03, "A002")]))["lost"] == 1


def test_figures_count_this_run_only():
    hall = HallRecord("haitang", list(JOURNAL), list(JOURNAL), journal_at_start=2)
    found = build_report(Sources((hall,), told(), SEEN, {}, [], 0, "embedded"))["halls"][0]
    assert (found["issued"], found["called"]) == (0, 2)


SEED = bytes(range(32))
DRAW = {
    "hall": "haitang",
    "commitment": commitment(SEED),
    "seed": SEED.hex(),
    "registrations": ["e1", "e2"],
    "order": drawn(SEED, ["e1", "e2"]),
}


def busy():
    """Somebody let others pass, somebody came after all, one has come for two things, two asked for a draw."""
    ledger = told()
    ledger.tickets[1] = replace(ledger.tickets[1], services=("social", "civil"), relative=True)
    ledger.acts = [LinkAct("haitang", "t1", "postpone"), LinkAct("haitang", "t2", "check-in")]
    ledger.registered = [Registration("haitang", "d1", f"e{n}", f"link-{n}") for n in (1, 2)]
    return ledger


ACTS = [
    issued(1, "t1", "A001"),
    {**issued(2, "t2", "A002"), "service": "civil", "visits": ["social"]},
    called(3, "t1"),
    called(4, "t2"),
    {"n": 5, "kind": "ticket-postponed", "ticket_id": "t1"},
    {"n": 6, "kind": "ticket-returned", "ticket_id": "t2"},
]
STATES = {"link-1": "booked", "link-2": "waiting-list"}


def busy_report(journal=ACTS, states=STATES, draw=DRAW):
    hall = HallRecord("haitang", list(journal), list(journal))
    sources = Sources((hall,), busy(), SEEN, {}, [], 0, "embedded", dict(states), {"d1": draw})
    return build_report(sources)


def test_what_citizens_did_on_their_telephones_is_counted():
    found = busy_report()
    assert (found["lost"], found["problems"]) == (0, [])
    assert found["citizens"] == {
        "several_services": 1,
        "relatives_named": 1,
        "postponed": 1,
        "came_after_all": 1,
        "registered": 2,
        "drawn_booked": 1,
        "drawn_waiting": 1,
    }


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"journal": [*ACTS[:4], {**ACTS[5], "n": 5}]}, "ticket-postponed of t1 was answered 1 times"),
        ({"journal": ACTS[:5]}, "ticket-returned of t2 was answered 1 times"),
        ({"journal": [ACTS[0], {**ACTS[1], "visits": []}, *ACTS[2:]]}, "A002 was given for social, civil"),
        ({"states": {"link-1": "booked"}}, "registration e2 is None"),
        ({"draw": {**DRAW, "registrations": ["e1"], "order": ["e1"]}}, "registration e2 is not in its draw"),
        ({"draw": {**DRAW, "order": DRAW["order"][::-1]}}, "the order does not follow from the seed"),
        ({"draw": {**DRAW, "seed": "00" * 32}}, "the seed is not the one committed to"),
    ],
)
def test_what_citizens_were_promised_and_did_not_get_is_found(change, word):
    found = busy_report(**change)
    assert found["lost"] >= 1
    assert any(word in problem for problem in found["problems"]), found["problems"]


def test_a_draw_that_is_not_made_yet_promises_nothing():
    waiting = {**DRAW, "seed": None, "registrations": None, "order": None}
    found = busy_report(states=dict.fromkeys(STATES, "registered"), draw=waiting)
    assert found["lost"] == 0
