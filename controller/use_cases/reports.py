"""The latest state of a hall beside its facts: devices, and whether both sides have the same picture."""

from datetime import timedelta
from typing import Any

from controller.store import facts as fact_store
from controller.store import halls as hall_store
from controller.store.tickets import upsert_tickets
from controller.use_cases.draft import Draft
from controller.use_cases.live import LiveHall, LiveHalls, freeze, rebuild
from controller.use_cases.new_rows import ticket_row
from hall_core.devices.vocabulary import DeviceState
from hall_core.errors import WireError
from hall_core.queueing.queue import Queue
from hall_core.queueing.summary import state_hash
from hall_core.wire.envelope import Report

__all__ = ["apply_report", "compare"]

#: telling all facts anew takes its time: a difference that stays is not tried more often
REPLAY_EVERY = timedelta(minutes=10)
#: what a device measured last, and what came of what it was told last
_FLEETING = ("assurance", "outcome", "outcome_at", "values")
_TROUBLE = {
    DeviceState.OFFLINE.value: ("设备离线", "The device is offline"),
    DeviceState.DEGRADED.value: ("设备部分故障", "The device works only in part"),
}


def apply_report(draft: Draft, hall: LiveHall, report: Report) -> None:
    """Store the devices, with an alarm for each that has failed. Raises WireError for another's hall."""
    if report.hall != hall.hall:
        raise WireError("Report: hall: this agent was enrolled for another hall")
    rows = [{"hall": hall.hall, **device.model_dump(exclude={"v"})} for device in report.devices]
    stored = [_stored(row) for row in rows]
    if stored != [_stored(row) for row in hall.devices]:
        hall_store.replace_devices(draft.tx, hall.hall, stored)
        _alarms(draft, hall, rows)
    draft.halls.add(hall.hall)

    def remember() -> None:
        hall.devices = rows
        if report.stream == hall.stream:
            hall.reported = (report.n, report.state_hash)
            hall.last = max(hall.last, report.n)

    draft.after.append(remember)


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    """Without what is true for a moment only: after a start the box's kept report brings that again."""
    return {name: value for name, value in row.items() if name not in _FLEETING}


def _alarms(draft: Draft, hall: LiveHall, rows: list[dict[str, Any]]) -> None:
    before = {device["name"]: device["state"] for device in hall.devices}
    now = {device["name"]: device["state"] for device in rows}
    for name, state in now.items():
        if state in _TROUBLE and before.get(name) != state:
            zh, en = _TROUBLE[state]
            draft.raise_alarm("device", hall.hall, name, f"{zh}：{name}", f"{en}: {name}")
    for name, state in before.items():
        if state in _TROUBLE and now.get(name) not in _TROUBLE:
            draft.end_alarm("device", hall.hall, name)


def compare(draft: Draft, live: LiveHalls, hall: LiveHall, report: Report) -> None:
    """Both sides must have one hash when both stand at the same fact. If not, all facts are told anew."""
    queue = draft.queues.get(report.stream) or live.queue(report.stream)
    if report.stream != hall.stream or queue.applied != report.n or report.n == 0:
        return
    if state_hash(queue) == report.state_hash:
        draft.end_alarm("state-differs", hall.hall, report.stream)
        return
    zh = f"第 {report.n} 条记录处，中心与大厅的排队状态不一致"
    en = f"At fact {report.n} the controller's picture differs from the hall's"
    if _replay(draft, hall, report) is None:
        zh = f"{zh}，重放全部记录后仍不一致；请重启大厅盒子，再联系管理员"
        en = f"{en}, also after all facts were told anew: restart the hall's box, then ask the administrator"
        draft.raise_alarm("state-differs", hall.hall, report.stream, zh, en)
        return
    healed = ("，已重放全部记录，现已一致", "; all facts were told anew, and now they agree")
    draft.raise_alarm("state-differs", hall.hall, report.stream, zh + healed[0], en + healed[1])
    draft.end_alarm("state-differs", hall.hall, report.stream)


def _replay(draft: Draft, hall: LiveHall, report: Report) -> Queue | None:
    """The queue from the stored facts alone, once it is stored in place of a wrong one; None when it is
    no better, or was told anew a short time ago.
    """
    if hall.replayed_at is not None and draft.now - hall.replayed_at < REPLAY_EVERY:
        return None
    now = draft.now

    def remember() -> None:
        hall.replayed_at = now

    draft.after.append(remember)
    queue = rebuild(draft.tx, report.stream, from_first=True).queue
    if queue.applied != report.n or state_hash(queue) != report.state_hash:
        return None
    draft.queues[report.stream] = queue
    fact_store.save_snapshot(draft.tx, report.stream, report.n, freeze(queue))
    draft.frozen[report.stream] = report.n
    upsert_tickets(draft.tx, [ticket_row(hall.hall, ticket, now) for ticket in queue.tickets.values()])
    return queue
