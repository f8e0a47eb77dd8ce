"""`hall-agent`: run the agent of a hall, and make its staff accounts.

The options of `run` are the fields of the settings. The standard library's parser serves: the box
keeps the program's memory for its hall.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent.accounts import Accounts
from edge_agent.cli_devices import add_device_commands
from edge_agent.settings import AgentSettings, SatelliteSettings, load_satellite_settings, load_settings
from hall_core.clock import SystemClock
from hall_core.errors import QuiethallError

__all__ = ["main"]

_EXAMPLES = """examples:
  hall-agent staff add wang --data /var/lib/quiethall
  hall-agent run --hall hall.yaml --data /var/lib/quiethall --standalone
  hall-agent run --hall hall.yaml --data /var/lib/quiethall --broker mqtts://controller.example:8883 \\
      --broker-ca ca.pem --broker-cert box.pem --broker-key box.key
  hall-agent run --role satellite --satellite kiosk-1.yaml --local-broker mqtt://kiosk-1:password@192.168.8.1
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it went well, 2 with a sentence on stderr when it could not."""
    options = _parser().parse_args(arguments)
    chosen: Callable[[argparse.Namespace], None] = options.run
    failed = False
    try:
        chosen(options)
    except* QuiethallError as group:
        failed = True
        for error in _leaves(group):
            print(f"hall-agent: {error}", file=sys.stderr)
    return 2 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hall-agent",
        description="The agent of one hall: its queue, its devices, its pages.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run the agent until SIGTERM",
        description="Run the agent until SIGTERM. Every option also comes from the environment, "
        "as HALL_AGENT_ and its name: --public-url is HALL_AGENT_PUBLIC_URL.",
    )
    for name, field in (AgentSettings.model_fields | SatelliteSettings.model_fields).items():
        default = "" if field.is_required() or field.default in (None, "") else f" ({field.default})"
        flag = (
            {"action": "store_const", "const": "true"} if field.annotation is bool else {"metavar": "VALUE"}
        )
        run.add_argument(f"--{name.replace('_', '-')}", help=f"{field.description}{default}", **flag)  # type: ignore[arg-type]
    run.set_defaults(run=_run)
    staff = commands.add_parser("staff", help="who may act at the counters")
    kinds = staff.add_subparsers(required=True, metavar="COMMAND")
    for name, about, made in (
        ("add", "give NAME a new random password, shown once", Accounts.add_password),
        ("token", "give NAME a new bearer token for programs, shown once", Accounts.add_token),
    ):
        made_by = kinds.add_parser(name, help=about, description=about)
        made_by.add_argument("name", metavar="NAME")
        made_by.add_argument(
            "--data", type=Path, required=True, help="folder of the journal and the accounts"
        )
        made_by.set_defaults(run=_account, made=made)
    add_device_commands(commands)
    return parser


def _run(options: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    told = {name: getattr(options, name) for name in SatelliteSettings.model_fields}
    if (satellite := load_satellite_settings(**told)).role == "satellite":
        _run_satellite(satellite)
        return
    given = {name: getattr(options, name) for name in AgentSettings.model_fields}
    settings = load_settings(**given)
    from edge_agent.app import run_agent  # noqa: PLC0415 - accounts are made without loading the agent

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_agent(settings))


def _run_satellite(settings: SatelliteSettings) -> None:
    from edge_agent.satellite import run_satellite  # noqa: PLC0415 - a hall box does not load it

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_satellite(settings))


def _account(options: argparse.Namespace) -> None:
    accounts = Accounts(options.data / "accounts.json", SystemClock())
    print(options.made(accounts, options.name))


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    factory: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return factory


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
