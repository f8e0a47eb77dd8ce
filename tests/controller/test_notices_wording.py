"""What notices say: every kind fits into one short message, whatever the names."""

import json
import random
from datetime import timedelta

import pytest

from controller.use_cases.notices_due import notice_for
from hall_core.queueing import commands as c
from hall_core.queueing import facts as f
from hall_core.queueing.notices import REMIND_BEFORE
from hall_core.queueing.wordings import KINDS, LONGEST, wording
from tests.controller.gateway import FakeGateway
from tests.controller.sending import hall_with, sending, states

#: the longest of everything that the settings of a hall and of a controller allow
LONG = {
    "label": "W9999",
    "ahead": "999",
    "counter": "综" * 16,
    "hall": "厅" * 32,
    "service": "办" * 24,
    "time": "12月31日23:59",
}
SIGNATURES = ["滨江", "签" * 12]


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_into_one_message_with_the_longest_names(kind, signature):
    text, words = wording(kind, signature, LONG)
    assert len(text) <= LONGEST
    assert text.startswith(f"【{signature}】")
    assert text.endswith("。")  # no word of the sentence is lost
    for name in ("label", "ahead", "time"):
        assert name not in KINDS[kind].words or LONG[name] in text
    assert set(words) == set(KINDS[kind].words)


@pytest.mark.parametrize("kind", KINDS)
def test_short_names_are_said_in_full(kind):
    short = {**LONG, "counter": "3号窗口", "hall": "海棠街道便民中心", "service": "户籍业务"}
    text, words = wording(kind, "滨江政务", short)
    for name in KINDS[kind].words:
        assert short[name] in text
        assert words[name] == short[name]


def test_the_longest_name_is_cut_first_and_says_so():
    text, _ = wording("reminder", "签" * 12, {**LONG, "service": "户籍业务"})
    assert "户籍业务" in text
    assert "厅…" in text
    assert len(text) == LONGEST


def test_a_word_that_is_not_known_is_a_dash_in_a_template_and_is_left_out_of_the_text():
    assert wording("confirmation", "滨江政务", {"label": "A001"}) == (
        "【滨江政务】取号成功：A001。",
        {"label": "A001", "ahead": "-"},
    )


def test_the_more_urgent_kind_goes_first():
    urgency = {name: kind.urgency for name, kind in KINDS.items()}
    assert urgency["called"] < urgency["nearly"] < urgency["confirmation"] < urgency["reminder"]


@pytest.fixture
def gateway(clock):
    return FakeGateway(clock.now)


@pytest.fixture
def phone():
    return f"13{random.randrange(10**9):09d}"


async def test_who_postpones_is_told_the_new_place(centre, box, gateway, phone):
    await hall_with(centre, box, phone, *[f"t{n}" for n in range(4)])
    box.do(c.PostponeTicket(ticket="t0"))
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
    (text,) = [p.text for p in gateway.parcels if p.kind == "postponed"]
    assert text.startswith("【滨江政务】您的号码A001已推迟，前面还有")
    assert states(centre)["t0.postponed.1"] == "accepted"


def lapsed(box, at):
    return f.TicketLapsed(ticket_id="t0", at=at)


async def test_whose_hall_closed_before_the_call_is_told_on_the_same_day_only(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t0")
    ticket = box.queue.tickets["t0"]
    same_day = notice_for(lapsed(box, box.now), box.queue, "滨江政务")
    assert same_day.text == "【滨江政务】海棠街道便民服务中心今天停止办理，您的号码A001未能叫到，请改日再来。"
    next_day = notice_for(lapsed(box, box.now + timedelta(days=1)), box.queue, "滨江政务")
    assert (ticket.label, next_day) == ("A001", None)


def booked(centre, box, phone, hours, name="a1"):
    starts = box.now + timedelta(hours=hours)
    return f.AppointmentBooked(
        appointment_id=name,
        token=f"token-{name}",
        code="123456",
        service="household",
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        phone_sealed=centre.context.phones.seal(phone, name),
        phone_tail=phone[-2:],
        at=box.now,
    )


async def test_an_appointment_is_reminded_of_two_hours_before_and_not_earlier(
    centre, box, gateway, phone, clock
):
    await centre.meet(box)
    box.keep([booked(centre, box, phone, 5)])
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        await settle()
        assert gateway.parcels == []
        clock.advance(3 * 3600)
        await settle()
    (parcel,) = gateway.parcels
    assert (
        parcel.text
        == "【滨江政务】您预约11月23日14:30在海棠街道便民服务中心办理户籍业务，请提前10分钟到厅签到。"
    )
    assert parcel.to == f"+86{phone}"
    assert parcel.words == {"time": "11月23日14:30", "hall": "海棠街道便民服务中心", "service": "户籍业务"}


async def test_an_appointment_that_is_moved_or_dropped_is_not_reminded_of_at_the_old_time(
    centre, box, gateway, phone, clock
):
    await centre.meet(box)
    box.keep(
        [booked(centre, box, phone, 5), booked(centre, box, phone, 8), booked(centre, box, phone, 6, "a2")]
    )
    await centre.talk(box, box.facts())
    box.keep([f.AppointmentDropped(appointment_id="a2", reason="群众取消", at=box.now)])
    await centre.talk(box, box.facts())
    async with sending(centre, gateway) as settle:
        clock.advance((5 * 3600) - REMIND_BEFORE.total_seconds() + 60)
        await settle()
        assert gateway.parcels == []
        clock.advance(3 * 3600)
        await settle()
    assert [p.words["time"] for p in gateway.parcels] == ["11月23日17:30"]
    rows = [(r["ticket_id"], r["state"], r["reason"]) for r in centre.rows("NOTICES")]
    assert rows == [
        ("a1", "suppressed", "overtaken"),
        ("a1", "accepted", ""),
        ("a2", "suppressed", "overtaken"),
    ]
    assert [r["phone_sealed"] for r in centre.rows("NOTICES") if r["state"] == "suppressed"] == [None, None]


async def test_who_books_for_the_next_hour_gets_no_reminder(centre, box, phone):
    await centre.meet(box)
    box.keep([booked(centre, box, phone, 1)])
    await centre.talk(box, box.facts())
    assert centre.rows("NOTICES") == []


async def test_the_words_of_a_notice_are_kept_for_gateways_with_templates(centre, box, gateway, phone):
    await hall_with(centre, box, phone, "t1")
    box.call("3")
    await centre.talk(box, box.facts())
    words = {row["kind"]: json.loads(row["words"]) for row in centre.rows("NOTICES")}
    assert words == {
        "confirmation": {"label": "A001", "ahead": "0"},
        "called": {"label": "A001", "counter": "3号窗口"},
    }
