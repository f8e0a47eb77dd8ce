"""What the demo tells people: lines as they come, the table of addresses, the line of figures, the end."""

import re
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.status import Status
from rich.table import Table

__all__ = ["Teller", "addresses", "figures", "summary"]

_LEVELS = {"district": "区", "street": "街道", "community": "社区"}


class Teller:
    """Writes lines for people, Chinese first. On a terminal one line of figures stays at the bottom."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    @property
    def live(self) -> bool:
        """True when somebody watches a terminal."""
        return self._console.is_terminal

    def say(self, zh: str, en: str = "") -> None:
        """One line."""
        self._console.print(f"{zh} [dim]/ {en}[/dim]" if en else zh, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Something went wrong."""
        self._console.print(text, style="bold red", highlight=False, markup=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        """A table."""
        self._console.print(table)

    def bottom(self, line: str) -> None:
        """Replace the line at the bottom; without a terminal it is an ordinary line."""
        if not self.live:
            self._console.print(line, highlight=False, soft_wrap=True)
        elif self._status is None:
            self._status = self._console.status(line, refresh_per_second=4)
            self._status.start()
        else:
            self._status.update(line)

    def end_bottom(self) -> None:
        """Take the line at the bottom away."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def addresses(demo: dict[str, Any], citizen_url: str | None, folder: Path) -> Table:
    """Every page and login, from what `demo.json` says. Two columns: addresses must not be broken."""
    controller = demo["controller"]
    admin = controller["admin"]
    table = Table(
        title="演示地址 Demo addresses", caption=f"{folder / 'demo.json'}", box=SIMPLE, show_header=False
    )
    table.add_column("what", no_wrap=True)
    table.add_column("address", no_wrap=True, overflow="ignore")
    table.add_row("[bold]中心 Controller[/bold]")
    table.add_row("管理 Admin", f"{controller['url']}/")
    table.add_row("登录 Login", f"{admin['user']} / {admin['password']}")
    table.add_row("接口 API", f"{controller['url']}/docs")
    table.add_row("网上取号 Online", f"{controller['url']}/near")
    if citizen_url:
        table.add_row("一张号票 A ticket", citizen_url)
    table.add_row("短信 SMS", f"{demo['sms_gateway']['url']}/messages")
    for hall in demo["halls"]:
        agent, staff = hall["agent_url"], hall["staff"]
        table.add_section()
        table.add_row(
            f"[bold]{hall['name']}[/bold]", f"{_LEVELS[hall['level']]} {hall['level']} · {hall['id']}"
        )
        table.add_row("取号 Kiosk", f"{agent}/kiosk")
        table.add_row("大屏 Board", f"{agent}/board")
        table.add_row("24小时 Terminal", f"{agent}/terminal")
        table.add_row("信息屏 Info", f"{agent}/info")
        table.add_row("窗口 Counter 1", f"{agent}/counter/1")
        table.add_row("登录 Login", f"{staff['user']} / {staff['password']}")
        table.add_row("设备 Devices", hall["wall_url"])
    return table


def figures(states: list[dict[str, Any]], told: dict[str, tuple[int, int]], sms: int) -> str:
    """One line: per hall how many wait, were given numbers and were called, and what is unsynced."""
    parts = []
    for state in states:
        waiting = sum(s["waiting"] for s in state["services"])
        taken, called = told.get(state["hall"], (0, 0))
        unsynced = state["uplink"]["unsynced"]
        link = f"待同步 {unsynced}" if state["uplink"]["connected"] else f"断网 待同步 {unsynced}"
        parts.append(f"{_short(state['name'])} 等候 {waiting} 取号 {taken} 叫号 {called} {link}")
    return " │ ".join([*parts, f"短信 {sms}"])


def _short(name: str) -> str:
    """`柳林街道` of `柳林街道便民服务中心`."""
    place = re.match(r".+?(街道|社区|区)", name)
    return place[0] if place else name[:4]


def summary(report: dict[str, Any]) -> Table:
    """The report for people."""
    table = Table(title="演示结果 Demo report", box=SIMPLE)
    for column in (
        "大厅\nHall",
        "取号\nIssued",
        "叫号\nCalled",
        "办结\nServed",
        "评价\nRated",
        "设备显示\nShown",
        "事实\nFacts",
    ):
        table.add_column(column)
    for hall in report["halls"]:
        shown = "\n".join(f"{family} {count}" for family, count in hall["shown"].items())
        facts = f"{hall['facts']['journal']} = {hall['facts']['controller']}"
        if hall["facts"]["journal"] != hall["facts"]["controller"]:
            facts = facts.replace("=", "≠")
        counts = (str(hall[key]) for key in ("issued", "called", "served", "rated"))
        table.add_row(hall["id"], *counts, shown, facts)
    latency = report["latency_ms"]["call_to_strip"]
    did = report["citizens"]
    table.caption = (
        f"多件事一个号 several services {did['several_services']} · 让号 postponed {did['postponed']} · "
        f"过号又来 came after all {did['came_after_all']} · 摇号 in the draw {did['registered']} "
        f"(约上 booked {did['drawn_booked']}, 候补 waiting {did['drawn_waiting']})\n"
        f"丢失 lost {report['lost']} · 重复 duplicates {report['duplicates']} · "
        f"短信 SMS {report['sms']['accepted']} (doubled {report['sms']['doubled']}) · "
        f"叫号→条屏 call→strip p50 {latency['p50']} ms, p99 {latency['p99']} ms · {report['broker']}"
    )
    return table
