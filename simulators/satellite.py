"""A satellite box of the hall with one device, as docs/local-wire.md says; one box to each address.

Written from the paper. For a box with several devices run `hall-agent run --role satellite`.
The address ends with /BOX/DEVICE.
"""

import asyncio
import json
import secrets
from datetime import datetime
from typing import Any

from hall_core.errors import SettingsInvalid
from simulators.device import SimDevice, rfc3339
from simulators.line import Line, Link
from simulators.mqtt_link import Client, Letter, node_of

__all__ = ["FAULTS", "FarBox", "build_body", "build_talk"]

FAULTS = ("offline", "silence", "slow:n", "duplicate", "busy", "paper-out", "power-cycle")

_ROOT, _BEAT_S, _EVENT_TTL_S = "qhl/1", 1.0, 3.0
_PAD_KEYS = ("next", "recall", "no-show", "hold", "pause", "rate-1", "rate-2", "rate-3", "rate-4", "rate-5")
_CARD_KEYS = ("card-1", "scan")
_NO_CARD = {"digest": "0" * 64, "masked": "999999********0000"}


class FarBox:
    """The body: a box and what hangs on it, by the kind of its profile."""

    def __init__(self, device: SimDevice) -> None:
        self._device = device
        box, _, far = node_of(device.setup.address).partition("/")
        self.box, self._far = box, far or device.name
        kinds = {"keypad": _PAD_KEYS, "card-reader": _CARD_KEYS, "printer": ("tear-off",)}
        self.keys: tuple[str, ...] = kinds.get(device.kind, ())
        self._connected, self._boot, self._number = False, secrets.token_hex(8), 0
        self._dark: asyncio.TimerHandle | None = None
        self._forget()
        self.client = Client(
            device,
            (f"{_ROOT}/{self.box}/down/+/{self._far}",),
            self._birth,
            lambda: self._box_letter("lost"),
            self._heard,
            self._link_changed,
        )

    def shows(self) -> dict[str, Any]:
        return {
            "box": self.box,
            "connected": self._connected,
            "text": self._text,
            "rows": self._rows,
            "waiting": self._waiting,
            "on": self._on,
            "slips": list(self._slips),
            "printed": self._printed,
            "sent": self._number,
        }

    def press(self, key: str) -> None:
        """A hand at the device."""
        if key == "tear-off":
            self._slips.clear()
            self._device.showed()
        elif key == "scan":
            self._happened({"kind": "code-scanned", "text": "A018"})
        elif key == "card-1":
            self._happened({"kind": "card-read", **_NO_CARD})
        elif key.startswith("rate-"):
            self._happened({"kind": "evaluated", "score": int(key[-1])})
        else:
            self._happened({"kind": "key-pressed", "op": key, "digits": ""})

    def power_cycle(self) -> None:
        """The whole box loses its power: another life, nothing on its device."""
        self._forget()
        self.client.cut()

    def fault_changed(self, name: str, on: bool) -> None:
        if name in {"offline", "power-cycle"}:
            if on:
                self.client.cut()
            self.client.wake()
        elif name in {"busy", "paper-out"}:
            self.client.say(self._health())

    def close(self) -> None:
        """End its timers with its link."""
        if self._dark:
            self._dark.cancel()
        self.client.cut()

    def _forget(self) -> None:
        self._boot, self._number = secrets.token_hex(8), 0
        self._text, self._rows, self._waiting, self._on = "", list[str](), 0, False
        self._slips: list[dict[str, Any]] = []
        self._printed = 0
        self._done: dict[str, tuple[str, str]] = {}
        self._shown: tuple[str, int] | None = None

    def _link_changed(self, on: bool) -> None:
        self._connected = on
        self._device.alarm(_BEAT_S if on else None, self._beat)
        self._device.changed()

    def _beat(self) -> None:
        self.client.say(self._box_letter("online"))
        self._device.alarm(_BEAT_S, self._beat)

    def _birth(self) -> tuple[Letter, ...]:
        return (self._health(), self._box_letter("online"))

    def _said(self, **more: Any) -> bytes:
        stamp = {"v": 1, "boot": self._boot, "sent": self._device.clock.monotonic()}
        return json.dumps(stamp | more, ensure_ascii=False).encode()

    def _box_letter(self, state: str) -> Letter:
        devices = [{"v": 1, "name": self._far, "profile": self._device.profile.id}]
        said = self._said(state=state, version="sim", devices=devices if state == "online" else [])
        return Letter(f"{_ROOT}/{self.box}/up/box", said, retain=True)

    def _health(self) -> Letter:
        faults = self._device.faults
        trouble = "缺纸，请装纸" if faults.on("paper-out") else "设备忙" if faults.on("busy") else ""
        said = self._said(state="degraded" if trouble else "online", detail=trouble)
        return Letter(f"{_ROOT}/{self.box}/up/health/{self._far}", said, retain=True)

    def _happened(self, event: dict[str, Any]) -> None:
        self._number += 1
        said = self._said(n=self._number, age_s=0.0, ttl_s=_EVENT_TTL_S, event=event)
        for _ in range(2 if self._device.faults.on("duplicate") else 1):
            self.client.say(Letter(f"{_ROOT}/{self.box}/up/happened/{self._far}", said))

    def _heard(self, topic: str, payload: bytes) -> None:
        if self._device.dead:
            return
        said = json.loads(payload)
        if topic.split("/")[4] == "show":
            self._show(said)
        elif said["to"] == self._boot:
            self._do(said["job"])

    def _show(self, said: dict[str, Any]) -> None:
        fresh = (said["boot"], said["n"]) != self._shown
        self._shown = (said["boot"], said["n"])
        if self._dark:
            self._dark.cancel()
        self._dark = asyncio.get_running_loop().call_later(said["ttl_s"], self._go_dark)
        if fresh:
            self._draw(said["picture"])
            self._device.showed()
        outcome = "rejected" if self._device.faults.on("busy") else "accepted"
        self._answer("shown", n=said["n"], of=said["boot"], outcome=outcome, detail="")

    def _go_dark(self) -> None:
        """Nothing was heard of the hall for so long: what stands here may be wrong."""
        self._shown, self._text, self._rows = None, "", []
        self._device.showed()

    def _draw(self, picture: dict[str, Any]) -> None:
        if picture["kind"] == "counter":
            lit = picture["mode"] != "closed"
            self._text, self._waiting = picture["text"] if lit else "", picture.get("waiting", 0)
        elif picture["kind"] == "board":
            self._rows = [f"{row['label']} → {row['counter']}" for row in picture.get("rows", [])]
            self._text = picture.get("notice", "")
        else:
            self._on = picture["on"]

    def _do(self, job: dict[str, Any]) -> None:
        job_id, faults = job["job_id"], self._device.faults
        if job_id not in self._done:
            if faults.on("paper-out") or faults.on("busy"):
                self._answer("done", job_id=job_id, outcome="rejected", detail="缺纸或设备忙，请处理")
                return
            self._done[job_id] = ("accepted", "")
            self._printed += 1
            self._slips.append(self._slip(job))
            self._device.showed()
        outcome, detail = self._done[job_id]
        self._answer("done", job_id=job_id, outcome=outcome, detail=detail)

    def _slip(self, job: dict[str, Any]) -> dict[str, Any]:
        at = datetime.fromisoformat(job["issued_at"]) if "issued_at" in job else self._device.clock.now()
        lines = [job.get("hall", ""), job.get("label") or f"pager {job.get('pager')}", job.get("service", "")]
        return {"label": lines[1], "lines": lines, "url": job.get("url", ""), "at": rfc3339(at)}

    def _answer(self, leaf: str, **more: Any) -> None:
        faults = self._device.faults
        if faults.on("silence"):
            return
        letter = Letter(f"{_ROOT}/{self.box}/up/{leaf}/{self._far}", self._said(**more))

        def say() -> None:
            for _ in range(2 if faults.on("duplicate") else 1):
                self.client.say(letter)

        if slow := faults.number("slow"):
            asyncio.get_running_loop().call_later(slow / 1000, say)
        else:
            say()


class _NoTalk:
    """Nobody calls a box: it dials its broker."""

    async def heard(self, link: Link, data: bytes) -> None:
        raise AssertionError((link, data))

    def lost(self, link: Link) -> None:
        raise AssertionError(link)


def build_body(device: SimDevice) -> FarBox:
    """The box and its device."""
    return FarBox(device)


def build_talk(devices: tuple[SimDevice, ...], line: Line) -> _NoTalk:
    """The box takes the line's place: it dials where a line would listen."""
    body = devices[0].body
    assert isinstance(body, FarBox)
    if len(devices) > 1 or line.scheme not in {"mqtt", "mqtts"} or not body.box:
        msg = f"{line.address}: one device to one simulated box; write mqtt://host:port/BOX/DEVICE for each"
        raise SettingsInvalid(msg)
    body.client.plug_into(line)
    line.close = body.close  # type: ignore[method-assign]
    return _NoTalk()
