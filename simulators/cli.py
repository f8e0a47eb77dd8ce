"""`hall-sim`: the simulated devices of a hall on their real wires, their wall, and an SMS gateway."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from firmware_profiles import Shelf, beside
from hall_core.clock import SystemClock
from hall_core.errors import ProfileInvalid, SettingsInvalid
from simulators.demo import demo
from simulators.hall import SimulatedHall, family_of, read_hall_file
from simulators.serving import serve
from simulators.sms_cli import sms
from simulators.sms_gateway import Gateway
from simulators.wall import end_streams, wall_app

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="模拟设备、设备墙与短信网关 / Simulated devices, their wall and an SMS gateway.\n\n"
    "例 / Example: `hall-sim hall haitang.yaml --port 8090`, then open the address it prints.",
)
profiles = typer.Typer(no_args_is_help=True, help="型号档案 / Firmware profiles.")
app.add_typer(profiles, name="profiles")
app.command()(demo)
app.command()(sms)

_say = Console()
_warn = Console(stderr=True)

WallUrl = Annotated[str, typer.Argument(help="大厅设备墙地址 / e.g. http://127.0.0.1:8090/halls/haitang")]
Device = Annotated[str, typer.Argument(help="设备名 / name of the device in the hall file")]


@app.command("wall")
@app.command()
def hall(
    file: Annotated[Path, typer.Argument(help="大厅文件 / hall file (YAML)", dir_okay=False)],
    port: Annotated[
        int, typer.Option(help="设备墙端口，0 为任取 / port of the wall, 0 takes a free one")
    ] = 8090,
    host: Annotated[str, typer.Option(help="监听地址 / address the wall listens on")] = "127.0.0.1",
) -> None:
    """模拟一个大厅的全部设备 / Simulate all devices of a hall at the addresses of its file, with their wall.

    Example: `hall-sim wall haitang.yaml --port 8090`; `hall` and `wall` are the same.
    """
    _run(_hall(file, host, port))


async def _hall(file: Path, host: str, port: int) -> None:
    async with SimulatedHall(read_hall_file(file), SystemClock(), beside(file)) as simulated:
        for device in simulated.devices.values():
            _say.print(f"{device.name}  {device.profile.id}  {device.address}  #{device.unit}", markup=False)
        name = simulated.hall.hall
        wall = wall_app({name: simulated})
        await serve(wall, host, port, f"/halls/{name}", partial(end_streams, wall))


@app.command()
def gateway(
    port: Annotated[int, typer.Option(help="端口，0 为任取 / port, 0 takes a free one")] = 8095,
    host: Annotated[str, typer.Option(help="监听地址 / address it listens on")] = "127.0.0.1",
    key: Annotated[
        str, typer.Option(envvar="HALL_SIM_GATEWAY_KEY", help="密钥，不给则随机 / random if empty")
    ] = "",
) -> None:
    """模拟短信网关，不发短信 / Simulate an SMS gateway; nothing is sent to anybody.

    Example: `hall-sim gateway --port 8095 --key secret`

    Faults: POST `{"fault": "throttle", "seconds": 30}` to `/faults`; also `unavailable`, `slow:500`,
    `accept-then-timeout`, `undelivered`. What was taken: `/messages`, `/stats`.
    """
    secret = key or secrets.token_urlsafe(16)
    if not key:
        _say.print(f"key {secret}", markup=False)
    _run(serve(Gateway(secret, SystemClock()).app, host, port))


@profiles.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="档案文件 / profile file (YAML)", dir_okay=False)],
) -> None:
    """检查一个型号档案 / Check a profile: schema, options, golden frames, and that its family is simulated.

    Example: `hall-sim profiles check firmware_profiles/onbon.bx-6k1.yaml`
    """
    try:
        profile = Shelf(file.resolve().parent, below=Shelf()).load(file.stem)
        family = family_of(profile.family)
    except (ProfileInvalid, SettingsInvalid) as error:
        where = f"{file.name}: family: " if isinstance(error, SettingsInvalid) else ""
        _warn.print(f"{where}{error}", markup=False)
        raise typer.Exit(2) from error
    # options and golden frames are the driver's business, and a simulator knows none: another program does
    asked = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "edge_agent.profile_check", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        _warn.print(asked.stderr.strip(), markup=False, soft_wrap=True)
        raise typer.Exit(asked.returncode)
    _say.print(f"{profile.id}: 可用 / valid ({profile.name})", markup=False)
    _say.print(f"故障 / faults: {', '.join(family.FAULTS)}", markup=False)


@app.command()
def devices(wall_url: WallUrl) -> None:
    """列出设备及其显示 / Table of a hall's devices and what they show.

    Example: `hall-sim devices http://127.0.0.1:8090/halls/haitang`
    """
    rows = _ask("GET", f"{wall_url.rstrip('/')}/api/devices?history=0")
    table = Table("设备", "型号", "地址", "显示", "故障")
    for row in rows:
        shows = "  ".join(
            f"{k}={_short(v)}" for k, v in row["shows"].items() if v not in (None, "", [], False)
        )
        where = f"{row['address']} #{row['unit']}"
        cells = (row["name"], row["profile"], where, shows, ", ".join(row["faults"]))
        table.add_row(*(escape(cell) for cell in cells))
    _say.print(table)


@app.command()
def fault(
    wall_url: WallUrl,
    device: Device,
    fault: Annotated[str, typer.Argument(help="故障，`clear` 为恢复 / fault, or `clear` to end all")],
    seconds: Annotated[float | None, typer.Option(help="持续秒数 / for how long")] = None,
) -> None:
    """给设备加故障 / Switch a fault on.

    Examples: `hall-sim fault http://127.0.0.1:8090/halls/haitang strip-1 offline --seconds 30`;
    `… strip-1 slow:500`; `… strip-1 clear`
    """
    url = f"{wall_url.rstrip('/')}/api/devices/{device}/faults"
    body = {"fault": fault} if seconds is None else {"fault": fault, "seconds": seconds}
    answer = _ask("DELETE", url) if fault == "clear" else _ask("POST", url, body)
    _say.print(f"{answer['name']}: {', '.join(answer['faults']) or '正常 / no faults'}", markup=False)


@app.command()
def key(
    wall_url: WallUrl, device: Device, key: Annotated[str, typer.Argument(help="按键 / next, recall, 1 …")]
) -> None:
    """按一下按键 / Press a key.

    Example: `hall-sim key http://127.0.0.1:8090/halls/haitang pad-1 next`
    """
    answer = _ask("POST", f"{wall_url.rstrip('/')}/api/devices/{device}/keys", {"key": key})
    _say.print_json(data=answer["shows"])


def _ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """Ask a wall; what it refuses or cannot be reached for ends the command."""
    try:
        answer = httpx2.request(method, url, json=body, timeout=10)
        content = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        _warn.print(f"{url}: 连不上或不是设备墙 / not a wall ({error})", markup=False)
        raise typer.Exit(1) from error
    if answer.is_error:
        _warn.print(f"{content.get('title', '')}\n{content.get('detail', '')}", markup=False)
        raise typer.Exit(1)
    return content


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except (SettingsInvalid, ProfileInvalid, OSError) as error:
        _warn.print(str(error), markup=False)
        raise typer.Exit(2) from error
