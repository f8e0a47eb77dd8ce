"""`hall-agent`: run the agent of a hall, and make its staff accounts."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.accounts import Accounts
from edge_agent.app import run_agent
from edge_agent.settings import load_settings
from hall_core.clock import SystemClock
from hall_core.errors import QuiethallError

__all__ = ["app"]

app = typer.Typer(
    help="The agent of one hall: its queue, its devices, its pages.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
staff = typer.Typer(help="Who may act at the counters.", no_args_is_help=True)
app.add_typer(staff, name="staff")

Data = Annotated[Path, typer.Option(envvar="HALL_AGENT_DATA", help="folder of the journal and the accounts")]


@app.command(
    epilog="Example: hall-agent run --hall hall.yaml --data /var/lib/quiethall --broker mqtt://127.0.0.1:1883"
)
def run(
    hall: Annotated[Path | None, typer.Option(help="the hall file (YAML)")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the journal and the accounts")] = None,
    agent: Annotated[str | None, typer.Option(help="name of this box; the hall's id without it")] = None,
    host: Annotated[str | None, typer.Option(help="address to serve on (127.0.0.1)")] = None,
    port: Annotated[int | None, typer.Option(help="port to serve on (8070); 0 takes a free one")] = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://user:password@host:port or mqtts://…")] = None,
    public_url: Annotated[str | None, typer.Option(help="where citizens reach the controller")] = None,
    standalone: Annotated[bool | None, typer.Option(help="no controller ever")] = None,
) -> None:
    """Run the agent until SIGTERM; options also come from the environment, as HALL_AGENT_*."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = load_settings(
            hall=hall,
            data=data,
            agent=agent,
            host=host,
            port=port,
            broker=broker,
            public_url=public_url,
            standalone=standalone,
        )
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run_agent(settings))
    except* QuiethallError as group:
        for error in _leaves(group):
            typer.echo(f"hall-agent: {error}", err=True)
        raise typer.Exit(2) from None


@staff.command("add", epilog="Example: hall-agent staff add wang --data /var/lib/quiethall")
def staff_add(name: str, data: Data) -> None:
    """Give NAME a new random password, shown once."""
    typer.echo(Accounts(data / "accounts.json", SystemClock()).add_password(name))


@staff.command("token", epilog="Example: hall-agent staff token pad --data /var/lib/quiethall")
def staff_token(name: str, data: Data) -> None:
    """Give NAME a new bearer token for programs, shown once."""
    typer.echo(Accounts(data / "accounts.json", SystemClock()).add_token(name))


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
