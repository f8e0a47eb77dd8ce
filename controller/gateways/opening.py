"""The gateways the settings name. A URL's scheme chooses the protocol; other files here speak it."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from controller.gateways.address import GatewayUrl
from controller.gateways.aliyun import AliyunGateway
from controller.gateways.cmpp import CmppGateway
from controller.gateways.http import HttpGateway
from controller.gateways.pushed import ALIYUN, OWN, TENCENT
from controller.gateways.smpp import SmppGateway
from controller.gateways.templates import lacking
from controller.gateways.tencent import TencentGateway
from controller.gateways.webhook import WebhookGateway
from controller.gateways.wechat import WechatGateway
from controller.settings import ControllerSettings
from controller.use_cases.bucket import Bucket
from controller.use_cases.ports import Pushing
from controller.use_cases.providers import Breaker, Provider
from hall_core.clock import Clock
from hall_core.errors import SettingsInvalid

__all__ = ["gateway_for", "opened_providers", "pushing_of"]

logger = logging.getLogger(__name__)

_SIGNED: dict[str, Callable[[GatewayUrl, Clock, str], AbstractAsyncContextManager[Any]]] = {
    "aliyun": AliyunGateway,
    "tencent": TencentGateway,
}
_PLAIN: dict[str, Callable[[GatewayUrl, Clock], AbstractAsyncContextManager[Any]]] = {
    "smpp": SmppGateway,
    "smpps": SmppGateway,
    "cmpp": CmppGateway,
    "webhook": WebhookGateway,
    "wechat": WechatGateway,
}
_PUSHING: dict[str, Pushing] = {
    "http": OWN,
    "https": OWN,
    "webhook": OWN,
    "aliyun": ALIYUN,
    "tencent": TENCENT,
}


def gateway_for(
    url: str, key: str, clock: Clock, signature: str
) -> tuple[str, AbstractAsyncContextManager[Any]]:
    """Its name, and the gateway as a context manager. Raises SettingsInvalid."""
    address = GatewayUrl.read(url, key)
    if address.scheme in ("http", "https"):
        return address.name, HttpGateway(url, key)
    if address.scheme in _SIGNED:
        return address.name, _SIGNED[address.scheme](address, clock, signature)
    if address.scheme in _PLAIN:
        return address.name, _PLAIN[address.scheme](address, clock)
    known = ", ".join(f"{scheme}://" for scheme in ("http", "https", *_PLAIN, *_SIGNED))
    raise SettingsInvalid(f"gateway: {address.scheme}:// is none of {known}")


def pushing_of(name: str) -> Pushing | None:
    """How the gateway with this name pushes receipts; None for one that tells them in another way."""
    return _PUSHING.get(name.partition(":")[0])


@asynccontextmanager
async def opened_providers(settings: ControllerSettings, clock: Clock) -> AsyncIterator[list[Provider]]:
    """All of them, in the order in which they are tried. Raises SettingsInvalid."""
    wanted = [
        (settings.gateway, settings.gateway_key, settings.gateway_per_s, "sms"),
        (settings.gateway_second, settings.gateway_second_key, settings.gateway_second_per_s, "sms"),
        (settings.gateway_wechat, settings.gateway_wechat_key, settings.gateway_per_s, "wechat"),
    ]
    async with AsyncExitStack() as stack:
        found: list[Provider] = []
        for url, key, per_s, way in wanted:
            if not url:
                continue
            name, made = gateway_for(url, key, clock, settings.signature)
            for line in lacking(GatewayUrl.read(url)):
                logger.warning("gateway %s: %s", name, line)
            if any(provider.name == name for provider in found):
                raise SettingsInvalid(f"gateway {name} is named twice")
            gateway = await stack.enter_async_context(made)
            bucket = Bucket(clock, per_s=per_s, burst=2 * int(per_s + 1))
            breaker = Breaker(clock, gateway.at_once)
            found.append(Provider(name, gateway, bucket, breaker, way, pushing_of(name)))
        yield found
