"""`hall-controller draw`: whether a draw was made as promised. Anybody may look: no key is needed."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer

from hall_core.errors import SettingsInvalid
from hall_core.schedule.draws import findings

__all__ = ["draw"]

draw = typer.Typer(no_args_is_help=True, help="Draws of new booking days.")

ASK_S = 10.0
#: more than a draw of a hundred thousand people is
LONGEST = 16 * 1024 * 1024


@draw.callback()
def _draws() -> None:
    """Keeps `verify` a command of its own name."""


@draw.command()
def verify(
    source: Annotated[
        str, typer.Argument(metavar="URL|FILE", help="the draw's page or its data; - reads standard input")
    ],
    mine: Annotated[str | None, typer.Option(metavar="ID", help="tell this registration's place")] = None,
    commitment: Annotated[
        str | None, typer.Option(metavar="HEX", help="the commitment you noted before registration opened")
    ] = None,
) -> None:
    """Work the order out again from the revealed seed. Code 1 when the draw is not what was promised."""
    shown = _read(source)
    if not shown.get("seed"):
        raise SettingsInvalid(f"this draw is not made yet; registration closes at {shown.get('closes_at')}")
    wrong = False
    for good, text in _said(shown, mine, commitment):
        typer.echo(f"{'ok ' if good else 'NOT'} {text}")
        wrong = wrong or not good
    if wrong:
        raise typer.Exit(1)


def _said(shown: dict[str, Any], mine: str | None, commitment: str | None) -> Iterator[tuple[bool, str]]:
    if commitment is not None:
        same = commitment.strip().lower() == shown["commitment"]
        yield (
            same,
            "the commitment is the one you noted" if same else "the commitment is not the one you noted",
        )
    yield from findings(shown["commitment"], shown["seed"], shown["registrations"], shown["order"])
    if mine is not None:
        order = shown["order"]
        there = mine in order
        place = f"number {order.index(mine) + 1} of {len(order)}" if there else "not in this draw"
        yield there, f"registration {mine} is {place}"


def _read(source: str) -> dict[str, Any]:
    """The draw as `GET /api/public/draws/{draw}` answers. Raises SettingsInvalid."""
    try:
        if source == "-":
            text = sys.stdin.read(LONGEST)
        elif source.startswith(("http://", "https://")):
            text = _fetched(source)
        else:
            text = Path(source).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise SettingsInvalid(f"{source} cannot be read: {error}") from error
    if not isinstance(found, dict) or not _whole(found):
        raise SettingsInvalid(f"{source} is no draw; give the address of its page, or its data as a file")
    return found


def _whole(found: dict[str, Any]) -> bool:
    """The parts a draw consists of, of the right kinds."""
    if not isinstance(found.get("commitment"), str) or "seed" not in found:
        return False
    lists = (found.get("registrations"), found.get("order"))
    if found["seed"] is None:
        return True
    names = all(isinstance(of, list) and all(isinstance(name, str) for name in of) for of in lists)
    return isinstance(found["seed"], str) and names


def _fetched(url: str) -> str:
    address = httpx2.URL(url)
    if not address.path.startswith("/api/"):  # the page that people see
        address = address.copy_with(path=f"/api/public{address.path}", query=None)
    answer = httpx2.get(address, timeout=ASK_S, follow_redirects=True)
    answer.raise_for_status()
    return answer.text
