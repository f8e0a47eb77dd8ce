"""`hall-controller receipts`: where each gateway is to push what became of notices."""

from pathlib import Path
from typing import Annotated

import typer

from controller.gateways.address import GatewayUrl
from controller.gateways.opening import pushing_of
from controller.settings import load_settings
from controller.use_cases.phones import PhoneBox
from hall_core.errors import SettingsInvalid

__all__ = ["receipts"]


def receipts(
    data: Annotated[Path | None, typer.Option(help="folder of the database and the private key")] = None,
    public_url: Annotated[str | None, typer.Option(help="where the gateway reaches the controller")] = None,
    gateway: Annotated[
        str | None, typer.Option(help="URL of the gateway; else those of the settings")
    ] = None,
) -> None:
    """Print the address each gateway may push receipts to; whoever knows it is believed: keep it secret."""
    settings = load_settings(data=data, public_url=public_url)
    urls = (gateway,) if gateway else (settings.gateway, settings.gateway_second)
    names = [GatewayUrl.read(url).name for url in urls if url]
    pushing = [name for name in names if pushing_of(name) is not None]
    if not pushing:
        raise SettingsInvalid("no gateway of the settings pushes receipts over HTTP; give one with --gateway")
    if not settings.public_url:
        raise SettingsInvalid("give --public-url https://…: where the gateway reaches the controller")
    phones = PhoneBox.open(settings.key_file)
    for name in pushing:
        typer.echo(f"{name}  {settings.public_url.rstrip('/')}/api/receipts/{phones.receipt_door(name)}")
