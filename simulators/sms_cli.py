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
from simulators.sms_pushing import FORMS, Pusher
from simulators.sms_smpp import SmppCentre
from simulators.sms_tencent import tencent_app
from simulators.sms_webhook import webhook_app
from simulators.sms_wechat import Platform, wechat_app

__all__ = ["Kind", "sms"]

ACCOUNTS = {"cmpp": "900001"}
PORTS = {"smpp": 2775, "cmpp": 7890}
FOLLOWER = "oQuiethallFollower0000000000"
#: every kind of notice needs a template of its own
KINDS = (
    *("called", "recall", "relative", "nearly", "confirmation", "postponed", "hall-closed", "reminder"),
    *("missed", "paused", "appeal-decided", "day-closed", "bad-rating", "rating-overdue"),
)
#: those sent in WeChat, with their second word
IN_WECHAT = {
    "called": "counter",
    "recall": "counter",
    "nearly": "ahead",
    "confirmation": "ahead",
    "postponed": "ahead",
    "hall-closed": "hall",
}


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
    push: Annotated[
        str, typer.Option(help="回执推送地址 / push receipts there: what `hall-controller receipts` prints")
    ] = "",
) -> None:
    """模拟运营商、云短信、微信通道，不发短信 / Simulate a carrier, a cloud or WeChat; nothing is sent.

    It prints the `--gateway` for `hall-controller run`. What was taken: `/messages`, `/stats` of the panel;
    faults: POST `{"fault": "throttle", "seconds": 30}` to `/faults`; also `accept-then-timeout`,
    `accept-then-cut`, `limit`, `undelivered`, `repeat-receipts`, `reorder-receipts`, `early-receipts`,
    `lose-receipts`, `unavailable`, `slow:500`.

    Example: `hall-sim sms --kind smpp --port 2775`
    """
    if push and kind not in FORMS:
        typer.echo(f"{kind} 不推送回执 / pushes no receipts over HTTP", err=True)
        raise typer.Exit(2)
    where = host, PORTS.get(kind, 8096) if port is None else port
    try:
        asyncio.run(_serve(kind, where, panel_port, secret, push))
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


async def _serve(kind: Kind, where: tuple[str, int], panel_port: int, secret: str, push: str) -> None:
    house = House(f"sms-{kind}", SystemClock())
    if kind in (Kind.SMPP, Kind.CMPP):
        # SMPP takes no more than eight characters.
        await _serve_binary(house, kind, where, panel_port, secret or secrets.token_hex(4))
        return
    given = secret or b64encode(secrets.token_bytes(24)).decode()
    app, url = _web(house, kind, given)
    host, port = where
    address = f"{host}:{port or 'PORT'}"
    option = "--gateway-wechat" if kind is Kind.WECHAT else "--gateway"
    typer.echo(f"{option} '{url.format(where=address)}'")
    typer.echo(f"{option}-key {given}")
    async with asyncio.TaskGroup() as tasks:
        pushing = tasks.create_task(Pusher(house, FORMS[kind], push).run(), name="receipts") if push else None
        await serve(app, host, port)
        if pushing is not None:
            pushing.cancel()


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
        templates = "&".join(f"{kind}=SMS_{n}" for n, kind in enumerate(KINDS, 1))
        return aliyun_app(house, "hall", secret), f"aliyun://hall@{{where}}?plain=1&{templates}"
    if kind is Kind.TENCENT:
        templates = "&".join(f"{kind}={n}" for n, kind in enumerate(KINDS, 1110))
        made = tencent_app(house, "hall", secret, "1400006666")
        return made, f"tencent://hall@{{where}}?plain=1&app=1400006666&pull=1&{templates}"
    if kind is Kind.WEBHOOK:
        return webhook_app(house, secret), "webhook://{where}/notices?plain=1&ask=1"
    platform = Platform(house, "hall", secret, {FOLLOWER})
    fields = "&".join(
        f"{kind}=T{n}&{kind}.label=character_string1&{kind}.{word}=thing2"
        for n, (kind, word) in enumerate(IN_WECHAT.items(), 1)
    )
    return wechat_app(platform), f"wechat://hall@{{where}}?plain=1&as=template&{fields}"
