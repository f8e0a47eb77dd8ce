"""Each refusal of each command: its slug, the sentence the clerk reads, and nothing changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from hall_core.errors import Refused, RequestIdReused
from hall_core.queueing import commands as c
from hall_core.queueing.decide import Circumstances, decide, refusal
from hall_core.queueing.evolve import replay
from hall_core.queueing.queue import Queue
from hall_core.queueing.setup import ServiceSetup
from hall_core.schedule.hours import Hours
from tests.hall_core.hall_scene import BOX, MONDAY, Box, at, grant, hall_setup

NIGHT_ONLY = Hours(mon=("20:00-24:00",), tue=(), wed=(), thu=(), fri=())


def fresh() -> Box:
    return Box()


def opened() -> Box:
    """Counters 1 and 3 open; A001 and A002 wait."""
    box = Box.opened()
    box.open("1", "3")
    box.issue()
    box.issue()
    return box


def called() -> Box:
    """A001 is called to counter 1."""
    box = opened()
    box.call_next("1")
    return box


def serving() -> Box:
    box = called()
    box.wish(c.Start(counter="1"))
    return box


def finished() -> Box:
    box = serving()
    box.wish(c.Finish(counter="1"))
    return box


def paused() -> Box:
    box = opened()
    box.wish(c.PauseCounter(counter="1"))
    return box


def dayless() -> Box:
    """Configured, but no business day has begun."""
    box = Box()
    box.wish(c.ConfigureHall(setup=hall_setup()))
    return box


def closed_hall() -> Box:
    return Box.opened(hours=NIGHT_ONLY)


def closed_service() -> Box:
    """Only passports are closed at this hour."""
    services = (
        *hall_setup().services,
        ServiceSetup(id="passport", name="护照", prefix="C", hours=NIGHT_ONLY),
    )
    return Box.opened(services=services)


def ungranted() -> Box:
    box = dayless()
    box.wish(c.OpenBusinessDay(day=MONDAY))
    return box


def exhausted() -> Box:
    box = Box.opened()
    for _ in range(999):
        box.issue()
    return box


def issue(service: str = "social", **fields: object) -> c.IssueTicket:
    return c.IssueTicket(ticket_id="new", token="token", service=service, **fields)


BUSY = "窗口「1」还有 A001 未办结，请先办结、过号或挂起"
CASES: list[tuple[Callable[[], Box], c.Command, str, str]] = [
    (opened, c.ConfigureHall(setup=hall_setup(hall="hall-2")), "bad-request", "请求内容有误："),
    (opened, c.OpenBusinessDay(day=MONDAY - timedelta(days=1)), "bad-request", "请求内容有误："),
    (opened, grant(5, last_day=MONDAY - timedelta(days=1)), "bad-request", "请求内容有误："),
    (fresh, issue(), "hall-closed", "大厅未开放取号，请在开放时间再来"),
    (dayless, issue(), "hall-closed", "大厅未开放取号，请在开放时间再来"),
    (closed_hall, issue(), "hall-closed", "大厅未开放取号，请在开放时间再来"),
    (closed_service, issue("passport"), "service-closed", "业务「护照」现在不办理，请到咨询台"),
    (opened, issue("fishing"), "unknown-service", "本厅没有业务「fishing」"),
    (opened, issue(priority="mayor"), "bad-request", "请求内容有误："),
    (
        opened,
        issue().model_copy(update={"ticket_id": "ticket-1"}),
        "bad-request",
        "请求内容有误：",
    ),
    (
        ungranted,
        issue(),
        "no-grant",
        "本机今日没有号段（A 2026-11-23），请到咨询台；工作人员可在本机 /override 页输入应急码",
    ),
    (exhausted, issue(), "zone-exhausted", "今日 A 号已取完，请到咨询台"),
    (opened, c.OpenCounter(counter="9"), "unknown-counter", "本厅没有窗口「9」"),
    (opened, c.OpenCounter(counter="1"), "illegal-transition", "1 当前状态为「开放」，不能执行"),
    (
        opened,
        c.OpenCounter(counter="2", services=("social",)),
        "unknown-service",
        "本厅没有业务「social」",
    ),
    (
        opened,
        c.PauseCounter(counter="2"),
        "illegal-transition",
        "2 当前状态为「关闭」，不能执行「暂停」",
    ),
    (called, c.PauseCounter(counter="1"), "counter-busy", BUSY),
    (
        opened,
        c.ResumeCounter(counter="1"),
        "illegal-transition",
        "1 当前状态为「开放」，不能执行「恢复」",
    ),
    (
        opened,
        c.CloseCounter(counter="2"),
        "illegal-transition",
        "2 当前状态为「关闭」，不能执行「关窗」",
    ),
    (serving, c.CloseCounter(counter="1"), "counter-busy", BUSY),
    (opened, c.CallNext(counter="9"), "unknown-counter", "本厅没有窗口「9」"),
    (opened, c.CallNext(counter="2"), "counter-not-open", "窗口「2」未开放，请先开窗或恢复"),
    (paused, c.CallNext(counter="1"), "counter-not-open", "窗口「1」未开放，请先开窗或恢复"),
    (called, c.CallNext(counter="1"), "counter-busy", BUSY),
    (opened, c.Call(counter="1"), "bad-request", "请求内容有误：ticket"),
    (opened, c.Call(counter="1", ticket="A777"), "unknown-ticket", "找不到号票「A777」，请核对后重试"),
    (paused, c.Call(counter="1", ticket="A001"), "counter-not-open", "窗口「1」未开放，请先开窗或恢复"),
    (called, c.Call(counter="1", ticket="A002"), "counter-busy", BUSY),
    (
        called,
        c.Call(counter="3", ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「已叫号」，不能执行「特呼」",
    ),
    (
        opened,
        c.Recall(counter="1"),
        "illegal-transition",
        "1 当前状态为「窗口无号票」，不能执行「重呼」",
    ),
    (
        serving,
        c.Recall(counter="1"),
        "illegal-transition",
        "A001 当前状态为「办理中」，不能执行「重呼」",
    ),
    (
        called,
        c.Recall(counter="3", ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「已叫号」，不能执行「重呼」",
    ),
    (
        serving,
        c.Start(counter="1"),
        "illegal-transition",
        "A001 当前状态为「办理中」，不能执行「开始办理」",
    ),
    (
        opened,
        c.Start(counter="1", ticket="A002"),
        "illegal-transition",
        "A002 当前状态为「等候」，不能执行「开始办理」",
    ),
    (
        called,
        c.Finish(counter="1"),
        "illegal-transition",
        "A001 当前状态为「已叫号」，不能执行「办结」",
    ),
    (
        serving,
        c.NoShow(counter="1"),
        "illegal-transition",
        "A001 当前状态为「办理中」，不能执行「过号」",
    ),
    (
        opened,
        c.Hold(counter="1", ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「等候」，不能执行「挂起号票」",
    ),
    (
        opened,
        c.Return(counter="1", ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「等候」，不能执行「恢复排队」",
    ),
    (called, c.Transfer(counter="1"), "bad-request", "请求内容有误："),
    (
        called,
        c.Transfer(counter="1", to_service="residence", to_counter="3"),
        "bad-request",
        "请求内容有误：",
    ),
    (called, c.Transfer(counter="1", to_service="fishing"), "unknown-service", "本厅没有业务「fishing」"),
    (called, c.Transfer(counter="1", to_counter="9"), "unknown-counter", "本厅没有窗口「9」"),
    (
        called,
        c.Transfer(counter="1", to_counter="2"),
        "counter-not-open",
        "窗口「2」未开放，请先开窗或恢复",
    ),
    (
        finished,
        c.Transfer(counter="1", ticket="A001", to_service="residence"),
        "illegal-transition",
        "A001 当前状态为「已办结」，不能执行「转移」",
    ),
    (opened, c.CancelTicket(), "unknown-ticket", "找不到号票「」，请核对后重试"),
    (
        opened,
        c.CancelTicket(counter="1"),
        "illegal-transition",
        "1 当前状态为「窗口无号票」，不能执行「取消」",
    ),
    (opened, c.CancelTicket(counter="9"), "unknown-counter", "本厅没有窗口「9」"),
    (
        serving,
        c.CancelTicket(ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「办理中」，不能执行「取消」",
    ),
    (
        finished,
        c.CancelTicket(ticket="A001"),
        "illegal-transition",
        "A001 当前状态为「已办结」，不能执行「取消」",
    ),
    (
        called,
        c.CancelTicket(ticket="A001", counter="3"),
        "illegal-transition",
        "A001 当前状态为「已叫号」，不能执行「取消」",
    ),
]


@pytest.mark.parametrize(
    ("scene", "command", "slug", "sentence"),
    CASES,
    ids=[f"{scene.__name__}-{x.kind}-{slug}-{i}" for i, (scene, x, slug, _) in enumerate(CASES)],
)
def test_a_refused_wish_says_why_and_changes_nothing(
    scene: Callable[[], Box], command: c.Command, slug: str, sentence: str
) -> None:
    box = scene()
    with pytest.raises(Refused) as caught:
        box.wish(command)
    assert caught.value.slug == slug
    assert caught.value.sentence("zh").startswith(sentence)
    assert box.queue == replay(Queue(), box.facts), "decide wrote into the queue it was given"


def test_every_command_that_can_be_refused_for_its_counter_names_an_unknown_one() -> None:
    box = opened()
    for kind in (c.PauseCounter, c.ResumeCounter, c.CloseCounter, c.Recall, c.Start, c.Finish, c.NoShow):
        with pytest.raises(Refused) as caught:
            box.wish(kind(counter="9"))
        assert (caught.value.slug, caught.value.status) == ("unknown-counter", 404)


def test_a_problem_carries_slug_status_both_sentences_and_the_facts() -> None:
    with pytest.raises(Refused) as caught:
        called().wish(c.CallNext(counter="1"))
    assert caught.value.problem() == {
        "type": "counter-busy",
        "status": 409,
        "title": BUSY,
        "detail": "Counter '1' still has A001; finish it, mark no-show or hold it first",
        "counter": "1",
        "label": "A001",
    }


def test_a_refused_wish_of_the_controller_becomes_a_fact_with_its_reason() -> None:
    wish = c.CancelTicket(ticket="A777", request_id="r-1", fingerprint="f")
    box = opened()
    with pytest.raises(Refused) as caught:
        box.wish(wish)
    fact = refusal(wish, caught.value, box.now)
    assert (fact.request_id, fact.fingerprint, fact.at) == ("r-1", "f", at(9))
    assert (fact.wish, fact.slug) == ("cancel", "unknown-ticket")
    assert fact.detail == "找不到号票「A777」，请核对后重试"
    after = replay(box.queue, [fact])
    assert after.tickets == box.queue.tickets
    assert after.applied == box.queue.applied + 1


def test_the_same_request_gets_no_second_ticket_and_another_body_is_refused() -> None:
    box = opened()
    wish = issue(request_id="r-1", fingerprint="body")
    assert [x.kind for x in box.wish(wish)] == ["ticket-issued"]
    before = box.queue
    assert box.wish(wish) == []
    assert box.queue == before
    assert box.queue.requests["r-1"].ticket_id == "new"
    with pytest.raises(RequestIdReused) as caught:
        decide(box.queue, issue(request_id="r-1", fingerprint="other"), Circumstances(box.now, BOX))
    assert caught.value.sentence() == "请求编号已用于另一项操作，请重新操作"


def test_a_refused_request_may_be_tried_again_with_its_id() -> None:
    box = Box.opened()
    box.open("1")
    wish = c.CallNext(counter="1", request_id="r-1", fingerprint="body")
    with pytest.raises(Refused) as caught:
        box.wish(wish)
    assert (caught.value.slug, caught.value.sentence()) == ("nobody-waiting", "目前无人等候")
    box.issue()
    assert [x.kind for x in box.wish(wish)] == ["ticket-called"]
