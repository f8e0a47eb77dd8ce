"""`hall-controller templates`: what a provider is to approve ahead, and whether the settings name it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from controller.gateways.address import GatewayUrl
from controller.gateways.templates import PROVIDERS, lacking, proposed
from controller.settings import ControllerSettings, load_settings
from hall_core.errors import SettingsInvalid

__all__ = ["missing_templates", "templates"]


def templates(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help=", ".join(PROVIDERS))],
    gateway: Annotated[
        str | None, typer.Option(help="a gateway's URL to be looked at; else those of the settings")
    ] = None,
) -> None:
    """Print each kind's text in the provider's notation, and what the URL is to say; code 1 when it does not
    say all of it.
    """
    if provider not in PROVIDERS:
        raise SettingsInvalid(f"provider {provider!r} has no templates; give {', '.join(PROVIDERS)}")
    for kind, text, part in proposed(provider):
        typer.echo(f"{kind:15} {text}\n{'':15} {part}")
    found = _lacking([gateway]) if gateway else missing_templates(load_settings(data=Path()))
    wrong = [line for scheme, line in found if scheme == provider]
    for line in wrong:
        typer.echo(f"NOT {line}")
    if wrong:
        raise typer.Exit(1)


def missing_templates(settings: ControllerSettings) -> Iterator[tuple[str, str]]:
    """The scheme of a gateway of the settings, and a sentence about templates it lacks."""
    return _lacking([settings.gateway, settings.gateway_second, settings.gateway_wechat])


def _lacking(urls: list[str]) -> Iterator[tuple[str, str]]:
    for url in filter(None, urls):
        read = GatewayUrl.read(url)
        yield from ((read.scheme, f"{read.name}: {line}") for line in lacking(read))
