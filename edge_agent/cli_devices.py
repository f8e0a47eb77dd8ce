"""`hall-agent doctor` and `hall-agent device …`: what people use when they set a hall up or look for a fault.

Everything below is loaded only when one of these commands runs.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from hall_core.clock import SystemClock

__all__ = ["add_device_commands"]

_DOCTOR = """examples:
  hall-agent doctor --hall hall.yaml --data /var/lib/quiethall
  hall-agent doctor --scan 192.168.1.20 192.168.1.0/28 rtu+tcp://192.168.1.30:4001
  hall-agent doctor --serial /dev/ttyUSB0 --units 1-8

Scanning only reads; it proposes entries for the hall file. Exit code 1 when something is wrong.
"""
_DEVICE = """examples:
  hall-agent device list --hall hall.yaml
  hall-agent device test strip-1 --hall hall.yaml
  hall-agent device capture pad-1 --hall hall.yaml --seconds 30 --out pad-1.txt
"""


def add_device_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `doctor` and `device` to the program's commands."""
    doctor = _command(commands, "doctor", "look at the box, find devices, say what is wrong", _DOCTOR)
    doctor.add_argument("--hall", type=Path, metavar="FILE", help="hall file (or HALL_AGENT_HALL)")
    doctor.add_argument("--data", type=Path, metavar="DIR", help="data folder (or HALL_AGENT_DATA)")
    doctor.add_argument(
        "--scan", nargs="+", action="extend", default=[], metavar="ADDRESS", help="hosts to look for devices"
    )
    doctor.add_argument(
        "--serial", nargs="+", action="extend", default=[], metavar="PORT", help="serial ports to look at"
    )
    doctor.add_argument("--units", metavar="1-32", help="units to ask on shared lines (1-32)")
    doctor.add_argument(
        "--listen", type=float, default=5.0, metavar="SECONDS", help="how long to wait for keys (5)"
    )
    doctor.add_argument("--json", action="store_true", help="say it for programs")
    doctor.set_defaults(run=_doctor)
    device = commands.add_parser("device", help="the devices of the hall file, one by one")
    kinds = device.add_subparsers(required=True, metavar="COMMAND")
    listed = _command(kinds, "list", "table of the hall file's devices", _DEVICE)
    test = _command(kinds, "test", "let one device show, print or press a test; settings stay", _DEVICE)
    capture = _command(kinds, "capture", "record what is said on a device's wire, redacted", _DEVICE)
    for parser, run in ((listed, _list), (test, _test), (capture, _capture)):
        if parser is not listed:
            parser.add_argument("name", metavar="NAME", help="name of the device in the hall file")
        parser.add_argument("--hall", type=Path, metavar="FILE", help="hall file (or HALL_AGENT_HALL)")
        parser.add_argument("--data", type=Path, metavar="DIR", help="data folder (or HALL_AGENT_DATA)")
        parser.set_defaults(run=run)
    test.add_argument(
        "--seconds", type=float, default=20.0, metavar="N", help="how long to wait for a key or card (20)"
    )
    test.add_argument("--pager", type=int, metavar="NUMBER", help="page this pager; without it none shakes")
    capture.add_argument("--seconds", type=float, default=10.0, metavar="N", help="how long to record (10)")
    capture.add_argument("--out", type=Path, metavar="FILE", help="write here; otherwise to the screen")


def _command(kinds: Any, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = kinds.add_parser(
        name,
        help=about,
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _doctor(options: argparse.Namespace) -> None:
    from edge_agent.doctor.examine import Wish, examine  # noqa: PLC0415
    from edge_agent.doctor.targets import parse_units  # noqa: PLC0415

    wish = Wish(
        hall=options.hall,
        data=options.data,
        scan=options.scan,
        serial=options.serial,
        units=parse_units(options.units) if options.units else None,
        listen_s=options.listen,
    )
    findings = asyncio.run(examine(wish, SystemClock(), _say))
    print(findings.as_json() if options.json else findings.as_text())  # noqa: T201
    _leave(findings.well)


def _list(options: argparse.Namespace) -> None:
    from edge_agent.doctor.device import listing  # noqa: PLC0415

    print(listing(options.hall, options.data))  # noqa: T201


def _test(options: argparse.Namespace) -> None:
    from edge_agent.doctor.device import the_device  # noqa: PLC0415
    from edge_agent.doctor.selftest import self_test, table  # noqa: PLC0415

    clock = SystemClock()
    device = the_device(options.name, options.hall, options.data)
    steps = asyncio.run(self_test(device, clock, _say, wait_s=options.seconds, pager=options.pager))
    print(table(steps))  # noqa: T201
    _leave(all(step.good for step in steps))


def _capture(options: argparse.Namespace) -> None:
    from edge_agent.doctor.capture import capture  # noqa: PLC0415
    from edge_agent.doctor.device import the_device  # noqa: PLC0415

    device = the_device(options.name, options.hall, options.data)
    text = asyncio.run(capture(device, SystemClock(), _say, seconds=options.seconds))
    if options.out is None:
        print(text, end="")  # noqa: T201
    else:
        options.out.write_text(text, encoding="utf-8")
        _say(f"已写入 {options.out} (written)")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201


def _leave(good: bool) -> None:
    if not good:
        sys.exit(1)
