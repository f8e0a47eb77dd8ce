"""`hall-sim sms`: one of the message houses the controller can be connected to, with its panel."""

import asyncio
import secrets
from base64 import b64encode
from enum import StrEnum
from typing import Annotated

import typer
from fastapi import FastAPI

from hall_core.clock import SystemClock
from simulators.serving import serve
from simulators.sms_aliyun import aliyun_app
from simulators.sms_cmpp import CmppGate
from simulators.sms_house import House, panel
from simulators.sms_smpp import SmppCentre
from simulators.sms_tencent import tencent_app
from simulators.sms_webhook import webhook_app
from simulators.sms_wechat import Platform, wechat_app

__all__ = ["Kind", "sms"]

ACCOUNTS = {"cmpp": "900001"}
PORTS = {"smpp": 2775, "cmpp": 7890}
FOLLOWER = "oQuiethallFollower0000000000"


class Kind(StrEnum):
    """Protocols."""

    SMPP = "smpp"
    CMPP = "cmpp"
    ALIYUN = "aliyun"
    TENCENT = "tencent"
    WEBHOOK = "webhook"
    WECHAT = "wechat"


def sms(
    kind: Annotated[Kind, typer.Option(help="协议 / protocol")] = Kind.SMPP,
    port: Annotated[
        int | None, typer.Option(help="端口 / port; 2775, 7890 or 8096, 0 takes a free one")
    ] = None,
    panel_port: Annotated[int, typer.Option(help="查看页端口 / port of the panel (smpp, cmpp)")] = 0,
    host: Annotated[str, typer.Option(help="监听地址 / address it listens on")] = "127.0.0.1",
    secret: Annotated[
        str, typer.Option(envvar="HALL_SIM_SMS_SECRET", help="密钥，不给则随机 / random if empty")
    ] = "",
) -> None:
    """模拟运营商、云短信、微信通道，不发短信 / Simulate a carrier, a cloud or WeChat; nothing is sent.

    It prints the `--gateway` for `hall-controller run`. What was taken: `/messages`, `/stats` of the panel;
    faults: POST `{"fault": "throttle", "seconds": 30}` to `/faults`; also `accept-then-timeout`,
    `accept-then-cut`, `limit`, `undelivered`, `repeat-receipts`, `reorder-receipts`, `early-receipts`,
    `lose-receipts`, `unavailable`, `slow:500`.

    Example: `hall-sim sms --kind smpp --port 2775`
    """
    try:
        asyncio.run(_serve(kind, host, PORTS.get(kind, 8096) if port is None else port, panel_port, secret))
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _serve(kind: Kind, host: str, port: int, panel_port: int, secret: str) -> None:
    house = House(f"sms-{kind}", SystemClock())
    if kind in (Kind.SMPP, Kind.CMPP):
        # SMPP takes no more than eight characters.
        await _serve_binary(house, kind, (host, port), panel_port, secret or secrets.token_hex(4))
        return
    given = secret or b64encode(secrets.token_bytes(24)).decode()
    app, url = _web(house, kind, given)
    where = f"{host}:{port or 'PORT'}"
    option = "--gateway-wechat" if kind is Kind.WECHAT else "--gateway"
    typer.echo(f"{option} '{url.format(where=where)}'")
    typer.echo(f"{option}-key {given}")
    await serve(app, host, port)


async def _serve_binary(
    house: House, kind: Kind, where: tuple[str, int], panel_port: int, secret: str
) -> None:
    account = ACCOUNTS.get(kind, "hall")
    house_end = (SmppCentre if kind is Kind.SMPP else CmppGate)(house, (account, secret))
    server = await house_end.serve(*where)
    try:
        port = server.sockets[0].getsockname()[1]
        url = f"{kind}://{account}:{secret}@{where[0]}:{port}?from=10690000"
        typer.echo(f"--gateway '{url}'")
        await serve(panel(house, f"Quiethall simulated {kind}"), where[0], panel_port)
    finally:
        server.close()
        house_end.cut()


def _web(house: House, kind: Kind, secret: str) -> tuple[FastAPI, str]:
    """The application, and the URL the controller is given."""
    if kind is Kind.ALIYUN:
        templates = "called=SMS_1&nearly=SMS_2&confirmation=SMS_3"
        return aliyun_app(house, "hall", secret), f"aliyun://hall@{{where}}?plain=1&{templates}"
    if kind is Kind.TENCENT:
        templates = "called=1110&nearly=1111&confirmation=1112"
        made = tencent_app(house, "hall", secret, "1400006666")
        return made, f"tencent://hall@{{where}}?plain=1&app=1400006666&pull=1&{templates}"
    if kind is Kind.WEBHOOK:
        return webhook_app(house, secret), "webhook://{where}/notices?plain=1&ask=1"
    platform = Platform(house, "hall", secret, {FOLLOWER})
    fields = "called=T1&called.label=character_string1&called.counter=thing2"
    return wechat_app(platform), f"wechat://hall@{{where}}?plain=1&as=template&{fields}"
