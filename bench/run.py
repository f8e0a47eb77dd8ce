"""Measure the targets, each against a baseline of the same run: `./dev bench [ROW …] [--quick]`.

Exit code 0 also when a target is missed (the table says so); 1 when anything was lost or doubled,
or a row could not be measured.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.figures import Figure, unmeasured
from bench.report import machine, save, show
from bench.runner import Run

HERE = Path(__file__).resolve().parent
#: row -> (module, function)
ROWS = {
    "command_to_strip": ("bench.row_command_to_strip", "measure"),
    "command_to_strip_33": ("bench.row_command_to_strip", "measure_33"),
    "tickets_per_second": ("bench.row_tickets_per_second", "measure"),
    "ingest": ("bench.row_ingest", "measure"),
    "steady_200": ("bench.row_steady_200", "measure"),
    "notices": ("bench.row_notices", "measure"),
    "drain": ("bench.row_drain", "measure"),
    "boards": ("bench.row_boards", "measure"),
    "storm": ("bench.row_storm", "measure"),
    "ranges": ("bench.row_ranges", "measure"),
    "footprint": ("bench.row_footprint", "measure"),
    "bus": ("bench.row_bus", "measure"),
    "public_api_reads": ("bench.row_public_reads", "measure"),
    "public_ticket_requests": ("bench.row_public_tickets", "measure"),
    "skew_panel_gateway": ("bench.row_skew", "measure"),
    "forty_devices": ("bench.row_forty_devices", "measure"),
}
Row = Callable[[Run], Coroutine[Any, Any, list[Figure]]]


def row_function(name: str) -> Row:
    """The coroutine function that measures a row."""
    module, function = ROWS[name]
    found: Row = getattr(import_module(module), function)
    return found


def measured(name: str, console: Console, *, quick: bool) -> list[Figure]:
    """Measure one row, telling how far it is."""
    with console.status(name) as status:
        if not console.is_terminal:
            console.print(f"… {name}", highlight=False)
        run = Run(HERE / ".run", quick, lambda text: status.update(f"{name}: {text}"))
        try:
            return asyncio.run(row_function(name)(run))
        except Exception as error:  # noqa: BLE001 - one row that fails must not hide the others
            return [unmeasured(name, error)]


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"only these: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="a smoke run: few samples, no figures to quote")
    parser.add_argument(
        "--out", type=Path, help="JSON file (bench/latest.json; with --quick bench/.run/quick.json)"
    )
    args = parser.parse_args()
    unknown = [name for name in args.rows if name not in ROWS]
    if unknown:
        parser.error(f"unknown row {unknown[0]}; known are {', '.join(ROWS)}")
    line = machine()
    console = Console() if sys.stdout.isatty() else Console(width=120)
    figures: list[Figure] = []
    for name in args.rows or ROWS:
        figures += measured(name, console, quick=args.quick)
    out = args.out or (HERE / ".run" / "quick.json" if args.quick else HERE / "latest.json")
    save(out, line, figures, keep=bool(args.rows))
    show(console, line, figures)
    console.print(f"  {out}", highlight=False)
    return 1 if any(f.broken for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
