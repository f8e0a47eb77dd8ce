"""What the box needs around it: hall file, profiles, broker, the port of its pages."""

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from device_drivers import BusPool, open_driver
from edge_agent.doctor.check import Check, bad, note, well
from edge_agent.settings import AgentSettings, load_hall_file
from firmware_profiles import Shelf
from hall_core.clock import Clock
from hall_core.devices.layout import HallFile
from hall_core.errors import QuiethallError, SettingsInvalid

__all__ = ["broker", "hall_file", "pages", "profiles"]

_PATIENCE_S = 5.0
_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


def hall_file(path: Path) -> tuple[Check, HallFile | None]:
    """It can be read and makes sense."""
    try:
        layout = load_hall_file(path)
    except SettingsInvalid as error:
        return bad("hall", str(error)), None
    hall = layout.hall
    counts = f"{len(hall.services)} 项业务、{len(hall.counters)} 个窗口、{len(layout.devices)} 台设备"
    return well("hall", f"{path}：{hall.name}，{counts} (valid)"), layout


async def profiles(layout: HallFile, shelf: Shelf, clock: Clock, broker_ca: Path | None = None) -> Check:
    """Every device's profile is valid, and its driver takes the options. No wire is touched."""
    wrong: list[str] = []
    try:
        pool = BusPool(clock=clock, broker_ca=broker_ca)
    except SettingsInvalid as error:
        return bad("profiles", str(error))
    async with pool as buses:
        for setup in layout.devices:
            try:
                open_driver(setup, shelf.load(setup.profile), buses, clock)
            except QuiethallError as error:
                wrong.append(f"{setup.name}: {error}")
    if wrong:
        return bad("profiles", "；".join(wrong))
    used = {setup.profile for setup in layout.devices}
    return well("profiles", f"{len(used)} 个型号档案有效 (valid)")


async def broker(settings: AgentSettings) -> Check:
    """Somebody listens there; with mqtts also that both sides believe each other's certificates."""
    if settings.broker is None:
        if settings.standalone:
            return well("broker", "单机运行，不连接中心 (standalone)")
        return note("broker", "没有设置 HALL_AGENT_BROKER：单机请加 --standalone (no broker is set)")
    parts = urlsplit(settings.broker)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
    try:
        safe = _context(settings) if parts.scheme == "mqtts" else None
    except FileNotFoundError:
        named = (settings.broker_ca, settings.broker_cert, settings.broker_key)
        gone = "、".join(str(path) for path in named if path is not None and not path.exists())
        return bad("broker", f"没有证书文件 {gone}，请更正路径 (a certificate file is missing)")
    except OSError as error:
        return bad("broker", f"证书文件无法使用：{error.strerror or error}，请核对 (TLS files are no use)")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=safe)
    except ssl.SSLError as error:
        words = f"{host}:{port} 证书不被信任：{error.reason or error}，请核对 CA 与本机证书和时钟"
        return bad("broker", f"{words} (TLS failed: check certificates and the clock)")
    except TimeoutError:
        return bad("broker", f"{host}:{port} 连接超时，请检查网络和防火墙 (timed out: check the network)")
    except OSError as error:
        return bad("broker", f"{host}:{port} 连不上，请检查地址和网络 ({error.strerror or error})")
    writer.close()
    return well("broker", f"{host}:{port} 可达 (reachable)")


def _context(settings: AgentSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.broker_ca)
    if settings.broker_cert is not None:
        context.load_cert_chain(settings.broker_cert, settings.broker_key)
    return context


async def pages(settings: AgentSettings) -> Check:
    """The port is free for the agent, or the agent answers on it."""
    host, port = settings.host, settings.port
    where = f"{host}:{port}"
    if port == 0:
        return well("pages", "任取空闲端口 (takes a free port)")
    asked = "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104
    try:
        async with asyncio.timeout(_PATIENCE_S):
            head = await _health(asked, port)
    except ConnectionRefusedError:
        return await _bindable(host, port)
    except (OSError, EOFError, TimeoutError):
        head = b""
    if b" 200 " in head:
        return well("pages", f"{where} 代理正在应答 (the agent answers)")
    return bad("pages", f"{where} 被其他程序占用，请停用它，或改 HALL_AGENT_PORT (another program has it)")


async def _health(host: str, port: int) -> bytes:
    """The first line of the answer to `GET /healthz`."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return await reader.readuntil(b"\r\n")
    finally:
        writer.close()


async def _bindable(host: str, port: int) -> Check:
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(asyncio.Protocol, host, port)
    except OSError as error:
        words = f"{host}:{port} 无法监听：{error.strerror or error}，请改 HALL_AGENT_HOST 或端口"
        return bad("pages", f"{words} (cannot be bound: choose another)")
    server.close()
    await server.wait_closed()
    return well("pages", f"{host}:{port} 空闲 (free)")
