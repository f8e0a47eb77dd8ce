"""The table people read, and `latest.json` for everybody else."""

import json
import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from hall_core.clock import SystemClock

__all__ = ["machine", "save", "show"]


def machine() -> str:
    """What the figures were measured on; no names."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, load {load:.1f} at start, "
        f"{SystemClock().now():%Y-%m-%d %H:%M} UTC"
    )


def save(path: Path, line: str, figures: Sequence[Figure], *, keep: bool) -> None:
    """Write the figures as JSON; `keep` leaves the rows that were not measured this time."""
    rows = {f.row: {k: v for k, v in asdict(f).items() if k != "row"} | {"machine": line} for f in figures}
    old = json.loads(path.read_text("utf-8")) if keep and path.exists() else {}
    again = tuple(f"{f.row}_" for f in figures if f.value is None)
    old = {name: row for name, row in old.items() if not name.startswith(again)} if again else old
    content = {**old, **rows, "machine": line}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def show(console: Console, line: str, figures: Sequence[Figure]) -> None:
    """The table, and below it every note in full."""
    table = Table(title="性能 / measured against the targets", caption=line, title_justify="left")
    for name, justify in (
        ("row", "left"),
        ("value", "right"),
        ("unit", "left"),
        ("baseline", "right"),
        ("ratio", "right"),
        ("target", "left"),
        ("", "left"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    for f in figures:
        table.add_row(
            f.row,
            "–" if f.value is None else _short(f.value),
            f.unit,
            "–" if f.baseline is None else _short(f.baseline),
            "–" if f.ratio is None else f"{f.ratio:.2f} ×",
            f.target or "–",
            "[green]✔ 达标[/]" if f.met else "[red]✘ 未达[/]",
        )
    console.print(table)
    for f in figures:
        for line_ in [f.note] if f.note else []:
            console.print(f"  [bold]{f.row}[/]: {line_}", highlight=False)
        for what in f.broken:
            console.print(f"  [bold red]{f.row}: {what}[/]", highlight=False)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
