"""`hall-controller privacy`: another key for phone numbers, and people who ask to be forgotten."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from controller.settings import load_settings
from controller.store.database import Database
from controller.use_cases.forgetting import forget_person, phone_of_link
from controller.use_cases.phone_rotation import drop_old_keys, reseal_all
from controller.use_cases.phones import PhoneBox
from hall_core.clock import SystemClock
from hall_core.errors import SettingsInvalid

__all__ = ["privacy"]

privacy = typer.Typer(no_args_is_help=True, help="Phone numbers: another key, and what is erased.")

Data = Annotated[Path | None, typer.Option(help="folder of the database and the private key")]
Url = Annotated[str | None, typer.Option("--database", help="database URL; SQLite in the folder without it")]


@contextmanager
def _opened(data: Path | None, url: str | None) -> Iterator[tuple[Database, PhoneBox]]:
    settings = load_settings(data=data, database=url)
    phones = PhoneBox.open(settings.key_file)
    database = Database.open(settings.database_url)
    try:
        yield database, phones
    finally:
        database.close()


@privacy.command()
def rotate(data: Data = None) -> None:
    """Make a new key that numbers are sealed to from the controller's next start on; old ones still open."""
    settings = load_settings(data=data)
    if not any(settings.data.glob("phone.*")):
        raise SettingsInvalid(f"{settings.data} holds no key; give --data the controller's own folder")
    keys = PhoneBox.open(settings.key_file).keys
    made = keys.rotate()
    typer.echo(f"key {made.id} made (number {made.number}); back up the data folder")
    typer.echo("restart the controller: halls are told when they connect to it again; then run:")
    typer.echo("  hall-controller privacy reseal")


@privacy.command()
def reseal(
    drop_old: Annotated[bool, typer.Option("--drop-old", help="then remove the old keys for good")] = False,
    even_so: Annotated[
        bool, typer.Option("--even-so", help="with --drop-old: give up what halls still hold")
    ] = False,
    data: Data = None,
    database: Url = None,
) -> None:
    """Seal every number that is kept to the newest key. Stopped half-way, it is simply run again."""
    with _opened(data, database) as (opened, phones):
        done = reseal_all(opened, phones, _progress)
        for name, count in done.changed.items():
            typer.echo(f"{name}: {count} sealed to key {phones.keys.newest.id}")
        if done.unreadable:
            typer.echo(f"{done.unreadable} numbers are opened by no key that is here; they were left")
        if not opened.shed_now():
            typer.echo("the write-ahead log is in use; it still holds what was sealed before, for an hour")
        if drop_old:
            gone = drop_old_keys(opened, phones, even_so=even_so)
            typer.echo(f"dropped: {', '.join(gone) or 'nothing, there is one key'}; restart the controller")


def _progress(name: str, count: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{name}: {count}    ", err=True, nl=False)


@privacy.command()
def erase(
    phone_of_token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="whoever left a number with this citizen's link")
    ] = None,
    data: Data = None,
    database: Url = None,
) -> None:
    """Erase one person's number everywhere. It is typed or piped in, never given as an argument: other users
    of this machine see arguments. Nothing more is sent to it.
    """
    with _opened(data, database) as (opened, phones):
        phone = phone_of_link(opened, phones, phone_of_token) if phone_of_token else _typed()
        gone = forget_person(opened, phones, phone, SystemClock().now())
        for name, count in gone.items():
            typer.echo(f"{name}: {count}")
        typer.echo(f"{gone.total()} rows erased")
        if not opened.shed_now():
            typer.echo("the write-ahead log is in use; it still holds the sealed number, for an hour")


def _typed() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("number (11 digits)", hide_input=True)).strip()
    return sys.stdin.readline().strip()
