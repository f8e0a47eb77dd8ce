"""`hall-controller`: run the controller, enrol halls, make administrators and keys, look after oneself."""

import asyncio
import logging
import re
import socket
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from controller.cli_draws import draw
from controller.cli_privacy import privacy
from controller.cli_receipts import receipts
from controller.cli_templates import missing_templates, templates
from controller.settings import ControllerSettings, load_settings
from controller.store import halls as hall_store
from controller.store import people as people_store
from controller.store.database import Clash, Database, Tx
from controller.use_cases.chains import Signer, verify
from controller.use_cases.overriding import set_aside
from controller.use_cases.people import add_admin, add_key
from controller.use_cases.phones import PhoneBox
from controller.use_cases.replacing import replace_box
from controller.use_cases.telling_time import TimeSigner
from hall_core.clock import SystemClock
from hall_core.errors import QuiethallError, SettingsInvalid, WireError
from hall_core.hosts import is_loopback
from hall_core.wire.topics import Leaf, topic

__all__ = ["app", "main"]

T = TypeVar("T")

BROKER_S = 3.0

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
admin = typer.Typer(no_args_is_help=True, help="Who may log in to the dashboard.")
key = typer.Typer(no_args_is_help=True, help="Keys of other programs.")
hall = typer.Typer(no_args_is_help=True, help="Which halls belong to this controller.")
box = typer.Typer(no_args_is_help=True, help="The boxes of halls.")
app.add_typer(admin, name="admin")
app.add_typer(key, name="key")
app.add_typer(hall, name="hall")
app.add_typer(box, name="box")
app.add_typer(privacy, name="privacy")
app.add_typer(draw, name="draw")
app.command("receipts")(receipts)
app.command("templates")(templates)

Data = Annotated[Path | None, typer.Option(help="folder of the database and the private key")]
Url = Annotated[str | None, typer.Option("--database", help="database URL; SQLite in the folder without it")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


def main() -> None:
    """Run one command; a refusal is one sentence on stderr and code 2."""
    try:
        app()
    except* QuiethallError as group:
        for error in _leaves(group):
            typer.echo(f"hall-controller: {error}", err=True)
        raise SystemExit(2) from None


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found


@app.command()
def run(
    data: Data = None,
    database: Url = None,
    host: Annotated[str | None, typer.Option(help="address to serve on; 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="port; 8080; 0 takes a free one")] = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://user:password@host:port or mqtts://…")] = None,
    broker_ca: Annotated[Path | None, typer.Option(help="CA certificate of the broker")] = None,
    broker_cert: Annotated[Path | None, typer.Option(help="certificate of the controller")] = None,
    broker_key: Annotated[Path | None, typer.Option(help="its private key")] = None,
    mqtt: Annotated[str | None, typer.Option(help="auto, 5 or 3.1.1")] = None,
    public_url: Annotated[str | None, typer.Option(help="where citizens reach the controller")] = None,
    believe_clock: Annotated[bool | None, typer.Option(help="tell boxes the time in any case")] = None,
    gateway: Annotated[str | None, typer.Option(help="URL of the SMS gateway")] = None,
    gateway_key: Annotated[str | None, typer.Option(help="its key")] = None,
    gateway_per_s: Annotated[float | None, typer.Option(help="notices a second at most; 20")] = None,
    gateway_second: Annotated[str | None, typer.Option(help="URL of a second SMS gateway")] = None,
    gateway_second_key: Annotated[str | None, typer.Option(help="its key")] = None,
    gateway_second_per_s: Annotated[float | None, typer.Option(help="its notices a second; 20")] = None,
    gateway_wechat: Annotated[str | None, typer.Option(help="wechat://APPID:SECRET@…")] = None,
    gateway_wechat_key: Annotated[str | None, typer.Option(help="its secret")] = None,
    keep_phones_days: Annotated[int | None, typer.Option(help="until numbers are erased; 30")] = None,
    number_per_minute: Annotated[int | None, typer.Option(help="notices to one number a minute; 10")] = None,
    number_per_day: Annotated[int | None, typer.Option(help="notices to one number a day; 40")] = None,
    rating_answer_hours: Annotated[int | None, typer.Option(help="to answer a bad rating; 24")] = None,
    rating_close_hours: Annotated[int | None, typer.Option(help="to close its case; 120")] = None,
    rating_default_days: Annotated[int | None, typer.Option(help="unrated counts apart; 0 never")] = None,
    signature: Annotated[str | None, typer.Option(help="signature of notices")] = None,
) -> None:
    """Run until SIGTERM. Every option also comes from the environment: HALL_CONTROLLER_BROKER and so on."""
    given = {name: value for name, value in locals().items() if value is not None}
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("httpx2", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    settings = load_settings(**given)
    from controller.app import run_controller  # noqa: PLC0415 - the other commands start without it

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run_controller(settings))


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    factory: type[asyncio.AbstractEventLoop] = uvloop.Loop
    return factory


@admin.command("add")
def admin_add(name: Name, data: Data = None, database: Url = None) -> None:
    """Make an administrator, or give a new password; it is printed once."""
    if not 1 <= len(name) <= 64:
        raise SettingsInvalid("an administrator's name has 1 to 64 characters")
    typer.echo(_write(data, database, lambda tx: add_admin(tx, name, SystemClock())))


@key.command("add")
def key_add(
    name: Name,
    channel: Annotated[str | None, typer.Option(help="where its citizens ask: wechat, app, …")] = None,
    per_minute: Annotated[int | None, typer.Option(min=1, help="requests a minute at most")] = None,
    per_day: Annotated[int | None, typer.Option(min=1, help="tickets and appointments a day at most")] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Make an API key for another program, or replace it; it is printed once."""
    if not 1 <= len(name) <= 64:
        raise SettingsInvalid("a key's name has 1 to 64 characters")
    if channel is not None and not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", channel):
        raise SettingsInvalid(
            f"channel {channel!r} must be 1 to 16 of a-z, 0-9 and -, beginning with a letter"
        )
    limits = {"per_minute": per_minute, "per_day": per_day}
    made = _write(data, database, lambda tx: add_key(tx, name, SystemClock(), channel=channel, **limits))
    typer.echo(made)


@box.command("replace")
def box_replace(
    hall: Annotated[str, typer.Argument(metavar="HALL", help="the hall whose box is gone")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Retire a hall's box. The next new one that connects under the hall's name takes its place, gets a
    zone of its own and goes on with those who wait; the old one, plugged in again, gives no numbers.
    """

    def work(tx: Tx) -> int:
        if hall not in {known["hall"] for known in hall_store.all_halls(tx)}:
            raise SettingsInvalid(f"hall {hall!r} is not enrolled; `hall-controller hall add` enrols it")
        return replace_box(tx, hall, SystemClock())

    retired = _write(data, database, work)
    typer.echo(f"{hall}: {retired} box{'' if retired == 1 else 'es'} retired; connect the new one now")


@box.command("override")
def box_override(
    hall: Annotated[str, typer.Argument(metavar="HALL", help="the hall that gives no numbers")],
    box: Annotated[str, typer.Option(metavar="TAIL", help="what its page /override shows")],
    days: Annotated[int, typer.Option(help="days, from today on; at most 30")] = 7,
    data: Data = None,
    database: Url = None,
) -> None:
    """Give a box that cannot be reached a zone of numbers: a code to be read out on the telephone."""
    settings = load_settings(data=data, database=database)
    phones = PhoneBox.open(settings.key_file)
    told = _with(settings, lambda tx: set_aside(tx, phones, SystemClock(), hall=hall, tail=box, days=days))
    for line in (told.code, told.zh, told.en):
        typer.echo(line)


@box.command("override-key")
def box_override_key(
    hall: Annotated[str, typer.Argument(metavar="HALL", help="the hall's id")], data: Data = None
) -> None:
    """Print HALL_AGENT_OVERRIDE_KEY for the boxes of one hall: with it they believe override codes."""
    phones = PhoneBox.open(load_settings(data=data).key_file)
    typer.echo(b64encode(phones.override_key(hall)).decode())


@box.command("time-key")
def box_time_key(data: Data = None) -> None:
    """Print HALL_AGENT_TIME_KEY, public, for all boxes: with it they believe the time told at HTTP."""
    typer.echo(TimeSigner(PhoneBox.open(load_settings(data=data).key_file).time_seed).public)


@hall.command("add")
def hall_add(
    hall: Annotated[str, typer.Argument(metavar="HALL", help="its id: a-z, 0-9 and -")],
    name: Annotated[str, typer.Option(help="what people call it")],
    level: Annotated[str, typer.Option(help="district, street or community")],
    parent: Annotated[str | None, typer.Option(help="the hall above it")] = None,
    agent: Annotated[str | None, typer.Option(help="its box's name; the hall's id without it")] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Enrol a hall, or change what is known of it."""
    row = enrolment(hall=hall, name=name, level=level, parent=parent, agent=agent or hall)

    def work(tx: Tx) -> None:
        if parent is not None and parent not in {known["hall"] for known in hall_store.all_halls(tx)}:
            raise SettingsInvalid(f"parent {parent!r} is not enrolled; enrol it first")
        hall_store.enrol(tx, {**row, "enrolled_at": SystemClock().now()})

    try:
        _write(data, database, work)
    except Clash as error:
        raise SettingsInvalid(f"agent {row['agent']!r} serves another hall already") from error
    typer.echo(f"{hall} enrolled for agent {row['agent']}")


def enrolment(*, hall: str, name: str, level: str, parent: str | None, agent: str) -> dict[str, str | None]:
    """The row of a hall. Raises SettingsInvalid for what cannot be one."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", hall):
        raise SettingsInvalid(f"hall {hall!r} must be 1 to 32 of a-z, 0-9 and -, not beginning with -")
    if level not in ("district", "street", "community"):
        raise SettingsInvalid(f"level {level!r} must be district, street or community")
    if not 1 <= len(name) <= 32:
        raise SettingsInvalid("a hall's name has 1 to 32 characters")
    try:
        topic(agent, Leaf.BIRTH)
    except WireError as error:
        raise SettingsInvalid(f"{error}; give one with --agent") from error
    return {"hall": hall, "name": name, "level": level, "parent": parent, "agent": agent}


@app.command("verify-chain")
def verify_chain(
    hall: Annotated[str, typer.Argument(metavar="HALL", help="the hall's id")],
    day: Annotated[datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"], help="YYYY-MM-DD")],
    data: Data = None,
    database: Url = None,
) -> None:
    """Compare a day's calls with what was sealed while it went on. Code 1 when one was changed since."""
    settings = load_settings(data=data, database=database)
    signer = Signer(PhoneBox.open(settings.key_file).chain_seed)
    fine, wrong = _with(settings, lambda tx: verify(tx, signer, hall, day.date()))
    for line in fine:
        typer.echo(f"ok      {line}")
    for line in wrong:
        typer.echo(f"CHANGED {line}")
    if wrong:
        raise typer.Exit(1)


@app.command()
def doctor(
    data: Data = None, database: Url = None, broker: Annotated[str | None, typer.Option()] = None
) -> None:
    """Look whether everything a controller needs is there; code 1 when something is missing."""
    given = {"data": data, "database": database, "broker": broker}
    settings = load_settings(**given)
    lines = [_look("database", lambda: _database(settings)), _look("key", lambda: _key(settings))]
    lines.append(_look("administrator", lambda: _administrator(settings)))
    lines.append(_look("halls", lambda: _halls(settings)))
    lines.append(_look("broker", lambda: _broker(settings)))
    lines.append(_look("notices", lambda: _notices(settings)))
    for good, text in lines:
        typer.echo(f"{'ok ' if good else 'NOT'} {text}")
    if not all(good for good, _ in lines):
        raise typer.Exit(1)


def _look(what: str, check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, f"{what}: {check()}"
    except SettingsInvalid as error:
        return False, f"{what}: {error}"


def _database(settings: ControllerSettings) -> str:
    Database.open(settings.database_url).close()
    return "opens, tables are of this version"


def _key(settings: ControllerSettings) -> str:
    PhoneBox.open(settings.key_file)
    return f"{settings.key_file} is readable by this user alone"


def _administrator(settings: ControllerSettings) -> str:
    if not _with(settings, people_store.any_admin):
        raise SettingsInvalid(f"none; make one with `hall-controller admin add NAME --data {settings.data}`")
    return "there is one"


def _halls(settings: ControllerSettings) -> str:
    count = len(_with(settings, hall_store.all_halls))
    if not count:
        raise SettingsInvalid("none enrolled; `hall-controller hall add HALL --name … --level …`")
    place = "this machine only" if is_loopback(settings.host) else "other machines too"
    return f"{count} enrolled, served to {place}"


def _broker(settings: ControllerSettings) -> str:
    parts = urlsplit(settings.broker)
    host, port = parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883)
    if settings.exposure() and not is_loopback(host):
        raise SettingsInvalid(settings.exposure())
    try:
        socket.create_connection((host, port), timeout=BROKER_S).close()
    except OSError as error:
        raise SettingsInvalid(
            f"{host}:{port} does not answer ({error}); start it, or give --broker"
        ) from error
    return f"{host}:{port} answers"


def _notices(settings: ControllerSettings) -> str:
    lines = [line for _, line in missing_templates(settings)]
    if lines:
        raise SettingsInvalid("; ".join(lines))
    count = sum(1 for url in (settings.gateway, settings.gateway_second, settings.gateway_wechat) if url)
    return f"{count} gateways, each with its templates" if count else "no gateway, none is sent"


def _write(data: Path | None, url: str | None, work: Callable[[Tx], T]) -> T:
    return _with(load_settings(data=data, database=url), work)


def _with(settings: ControllerSettings, work: Callable[[Tx], T]) -> T:
    database = Database.open(settings.database_url)
    try:
        return database.write_now(work)
    finally:
        database.close()
