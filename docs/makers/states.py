"""docs/states.md: the two state machines, drawn from the tables the code runs."""

import inspect
import re
from collections.abc import Mapping
from enum import StrEnum

from makers.markdown import MADE, table

from hall_core.queueing.facts import FactBase
from hall_core.queueing.states import COUNTER_TRANSITIONS, TRANSITIONS, CounterState, TicketState

__all__ = ["page"]

Rows = Mapping[StrEnum, Mapping[type[FactBase], StrEnum]]

_ZH = {
    TicketState.WAITING: "等候",
    TicketState.CALLED: "已叫号",
    TicketState.SERVING: "办理中",
    TicketState.HELD: "挂起",
    TicketState.NO_SHOW: "过号",
    TicketState.FINISHED: "已办结",
    TicketState.CANCELLED: "已取消",
    TicketState.LAPSED: "已过期",
    CounterState.CLOSED: "关闭",
    CounterState.OPEN: "开放",
    CounterState.PAUSED: "暂停",
}


def page() -> str:
    """The page."""
    return "\n".join(
        [
            MADE,
            "# States · 状态\n",
            "A fact that has no arrow from the state a ticket or counter is in is refused with",
            "`illegal-transition`, and nothing happens. The tables are `TRANSITIONS` and",
            "`COUNTER_TRANSITIONS` in `hall_core/queueing/states.py`.\n",
            "## Ticket · 号票\n",
            _drawing(TRANSITIONS, TicketState.WAITING),
            _words(TicketState),
            _arrows(TRANSITIONS),
            "## Counter · 窗口\n",
            _drawing(COUNTER_TRANSITIONS, CounterState.CLOSED),
            _words(CounterState),
            _arrows(COUNTER_TRANSITIONS),
        ]
    )


def _name(state: StrEnum) -> str:
    return state.value.replace("-", "_")


def _fact(fact: type[FactBase]) -> str:
    return str(fact.model_fields["kind"].default)


def _drawing(rows: Rows, first: StrEnum) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {_name(state)} : {state.value} {_ZH[state]}" for state in rows]
    lines.append(f"    [*] --> {_name(first)}")
    for state, row in rows.items():
        lines += [f"    {_name(state)} --> {_name(after)} : {_fact(fact)}" for fact, after in row.items()]
        if not row:
            lines.append(f"    {_name(state)} --> [*]")
    return "\n".join([*lines, "```\n"])


def _words(states: type[StrEnum]) -> str:
    """One row per state, with the comment that stands above it in the code."""
    found = re.findall(r'#: (.+)\n\s+([A-Z_]+) = "', inspect.getsource(states))
    about = {name: comment for comment, name in found}
    return table(["state", "中文", "meaning"], [(f"`{s.value}`", _ZH[s], about[s.name]) for s in states])


def _arrows(rows: Rows) -> str:
    return table(
        ["from", "fact", "to", "meaning of the fact"],
        [
            (f"`{state.value}`", f"`{_fact(fact)}`", f"`{after.value}`", inspect.getdoc(fact))
            for state, row in rows.items()
            for fact, after in row.items()
        ],
    )
