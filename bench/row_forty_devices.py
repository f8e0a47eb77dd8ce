"""What 40 devices of many families cost the agent: memory and processor time, beside an agent without any.

The devices are simulated in the measuring process on their real wires; both agents are real processes.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import yaml

from bench.figures import Figure, Target, figure
from bench.http_client import HttpClient
from bench.process_figures import AtRest, at_rest
from bench.programs import hall_setup, running_agent
from bench.row_footprint import PAGES
from bench.runner import Run
from hall_core.clock import SystemClock
from hall_core.devices.layout import DeviceSetup, HallFile, ScreenSetup
from simulators.demo_programs import free_port
from simulators.hall import SimulatedHall

__all__ = ["measure"]

COUNTERS, SERVICES = 16, 3
#: profile -> how many, and whether they stand at the counters
FURNITURE: dict[str, tuple[int, bool]] = {
    "modbus.led-strip-generic": (8, True),
    "onbon.bx-6k1": (8, True),
    "keypad.ff68-21": (8, True),
    "waveshare.modbus-rtu-io-8ch": (2, True),
    "huidu.hd-a3": (2, False),
    "samsung.qm55r": (2, False),
    "philips.43bdl4550d": (2, False),
    "pjlink.class1": (2, False),
    "escpos.80mm": (2, False),
    "pager.rps-t112": (1, False),
    "pager.pocsag-serial": (1, False),
    "card.sam-v": (1, False),
    "gsm.at-modem": (1, False),
}
SERIAL = {
    "keypad.ff68-21",
    "waveshare.modbus-rtu-io-8ch",
    "pager.pocsag-serial",
    "card.sam-v",
    "gsm.at-modem",
}


def furnished(folder: Path) -> HallFile:
    """A hall with all of them."""
    devices: list[DeviceSetup] = []
    for profile, (many, at_counter) in FURNITURE.items():
        name = profile.replace(".", "-")[:24]
        for n in range(1, many + 1):
            shared = profile == "keypad.ff68-21"
            line = f"serial://{folder}/{name}{'' if shared else n}"
            devices.append(
                DeviceSetup(
                    name=f"{name}-{n}",
                    profile=profile,
                    address=line if profile in SERIAL else f"tcp://127.0.0.1:{free_port()}",
                    unit=n if shared else 1,
                    counter=str((len(devices) % COUNTERS) + 1) if at_counter else None,
                    screen=ScreenSetup(),
                    options={"pepper": "p" * 32} if profile == "card.sam-v" else {},
                )
            )
    return HallFile(hall=hall_setup(counters=COUNTERS, services=SERVICES), devices=tuple(devices))


async def measure(run: Run) -> list[Figure]:
    """RSS and idle processor time with 40 devices, and without."""
    folder = run.fresh_folder("forty_devices")
    layout = furnished(folder)
    bare = await _at_rest(run, folder / "bare", layout.model_copy(update={"devices": ()}))
    full = await _at_rest(run, folder / "full", layout)
    count = len(layout.devices)
    note = f"{count} devices of {len(FURNITURE)} models, after all pages"
    return [
        figure("forty_devices_rss", full.rss_mb, "MB", Target(most=80), baseline=bare.rss_mb, note=note),
        figure(
            "forty_devices_idle_cpu",
            full.cpu_percent,
            "%",
            Target(most=10),
            note=f"{full.cpu_percent / count:.2f} % of a processor a device; bare agent {bare.cpu_percent} %",
        ),
    ]


async def _at_rest(run: Run, folder: Path, layout: HallFile) -> AtRest:
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nothing runs yet
    path = folder / "hall.yaml"
    path.write_text(yaml.safe_dump(layout.model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
    async with AsyncExitStack() as stack:
        if layout.devices:
            await stack.enter_async_context(SimulatedHall(layout, SystemClock()))
        run.say(f"starting an agent with {len(layout.devices)} devices")
        agent = await stack.enter_async_context(running_agent(folder, path, "--standalone"))
        async with await HttpClient.connect(agent.url, agent.token) as http:
            for page in PAGES:
                await http.get(page)
            await _all_found(run, http, [d.name for d in layout.devices])
        await run.rest(5.0)
        run.say("at rest")
        return await at_rest(agent.pid, 3.0 if run.quick else 20.0)


async def _all_found(run: Run, http: HttpClient, names: Sequence[str]) -> None:
    """Wait until every device has been spoken to."""
    for _ in range(150):
        told = {d["name"]: d["state"] for d in (await http.get("/api/state")).json()["devices"]}
        if all(told[name] not in ("unknown", "offline") for name in names):
            return
        await run.rest(0.2)
    missing = [name for name in names if told[name] in ("unknown", "offline")]
    msg = f"not found: {', '.join(missing)}"
    raise RuntimeError(msg)
