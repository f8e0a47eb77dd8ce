"""Faults a tester may switch on at a simulated device: their names, what they do, and which are on now."""

import asyncio
from collections.abc import Callable, Mapping

from hall_core.clock import Clock
from hall_core.errors import Refused

__all__ = ["FAULT_WORDS", "USUAL", "Faults", "UnknownFault", "UnknownKey"]

#: name -> what a tester reads. A name that ends in `:n` takes a number, `slow:300`.
FAULT_WORDS: Mapping[str, str] = {
    "offline": "断线（不通）",
    "silence": "照做不答",
    "slow:n": "慢答 n 毫秒",
    "drop:n": "丢包 n %",
    "late:n": "迟答 n 毫秒",
    "duplicate": "重复应答",
    "garble": "校验错（乱码）",
    "nack:n": "拒绝（错误码 n）",
    "busy": "设备忙",
    "font-missing": "缺字库",
    "exception:n": "Modbus 异常 n",
    "stuck": "收到不更新",
    "collision": "总线冲突",
    "len-mismatch": "长度字节不符",
    "paper-low": "纸将尽",
    "paper-out": "缺纸",
    "cover-open": "开盖",
    "cutter-jam": "切刀卡住",
    "power-cycle": "断电重启",
    "accept-then-timeout:n": "收下后 n 毫秒不答",
    "throttle": "限流 429",
    "unavailable": "不可用 503",
    "undelivered": "送达失败",
    "accept-then-cut": "收下后断线",
    "limit": "号码超限",
    "repeat-receipts": "回执重复",
    "reorder-receipts": "回执乱序",
    "early-receipts": "回执先于应答",
    "lose-receipts": "无回执",
    "frozen": "页面卡死",
    "stale": "画面停在旧内容",
    "old-version": "旧版页面",
    "door-open": "柜门打开",
    "on-battery": "市电中断",
    "battery-weak": "电池老化",
    "hot": "柜内过热",
    "relay-stuck": "继电器不动作",
}

#: the number of a fault named without one
USUAL: Mapping[str, int] = {
    "slow": 300,
    "drop": 50,
    "late": 1500,
    "nack": 4,
    "exception": 4,
    "accept-then-timeout": 30_000,
}


class UnknownFault(Refused):
    """This kind of device cannot have this fault."""

    slug, status = "unknown-fault", 404
    zh, en = (
        "设备「{device}」没有故障「{fault}」，可用：{known}",
        "Device {device!r} has no fault {fault!r}; it knows {known}",
    )


class UnknownKey(Refused):
    """The device has no such key."""

    slug, status = "unknown-key", 404
    zh, en = (
        "设备「{device}」没有按键「{key}」，可用：{known}",
        "Device {device!r} has no key {key!r}; it has {known}",
    )


class Faults:
    """The faults that are on at one device. Those with a time end by themselves.

    `changed` is called after every change, also when a fault ends.
    """

    def __init__(self, device: str, kinds: tuple[str, ...], clock: Clock) -> None:
        self.kinds = kinds
        self.changed: Callable[[str, bool], None] = lambda _name, _on: None
        self._device = device
        self._clock = clock
        self._on: dict[str, tuple[int, float | None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def switch_on(self, fault: str, seconds: float | None = None) -> None:
        """Switch `name` or `name:number` on, for `seconds` or until cleared. Raises UnknownFault."""
        name, number = self._parse(fault)
        self._cancel(name)
        if seconds is not None:
            handle = asyncio.get_running_loop().call_later(max(0.0, seconds), self.clear, name)
            self._timers[name] = handle
        self._on[name] = (number, None if seconds is None else self._clock.monotonic() + seconds)
        self.changed(name, True)

    def clear(self, fault: str | None = None) -> None:
        """End one fault, or all of them."""
        for name in [*self._on] if fault is None else [fault.partition(":")[0]]:
            self._cancel(name)
            if self._on.pop(name, None) is not None:
                self.changed(name, False)

    def on(self, name: str) -> bool:
        """True while the fault is on."""
        return self.number(name) is not None

    def number(self, name: str) -> int | None:
        """The number of a fault that is on (0 for faults without one), else None."""
        number, until = self._on.get(name, (None, None))
        return None if until is not None and self._clock.monotonic() >= until else number

    def timed(self, name: str) -> bool:
        """True when the fault ends by itself."""
        return name in self._timers

    def active(self) -> list[str]:
        """Names of the faults that are on, with their numbers."""
        return [f"{n}:{self._on[n][0]}" if f"{n}:n" in self.kinds else n for n in self._on if self.on(n)]

    def close(self) -> None:
        """Forget the timers."""
        for name in [*self._timers]:
            self._cancel(name)

    def _parse(self, fault: str) -> tuple[str, int]:
        name, colon, number = fault.partition(":")
        takes_number = f"{name}:n" in self.kinds
        if not takes_number and (colon or name not in self.kinds):
            raise self._unknown(fault)
        if colon and not (number.isascii() and number.isdigit() and len(number) <= 6):
            raise self._unknown(fault)
        return name, int(number) if colon else USUAL.get(name, 0)

    def _unknown(self, fault: str) -> UnknownFault:
        return UnknownFault(device=self._device, fault=fault, known=", ".join(self.kinds))

    def _cancel(self, name: str) -> None:
        if handle := self._timers.pop(name, None):
            handle.cancel()
