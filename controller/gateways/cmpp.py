"""China Mobile's internet short message gateway over CMPP 2.0 or 3.0:
`cmpp://900001:SECRET@HOST:7890?from=10690000&service=NOTICE&version=2.0`.

One short message per notice: 70 characters. Status reports come on the same connection. CMPP_QUERY only
counts, so nobody can be asked about a message whose answer was lost; its answer, when it comes late, tells.
"""

import logging
from types import TracebackType
from typing import Self

from controller.gateways import cmpp_codec as codec
from controller.gateways.address import GatewayUrl
from controller.gateways.session import Frame, NotSent, Session, Timing, Unanswered
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Receipt, ReceiptSink, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid

__all__ = ["CmppGateway"]

logger = logging.getLogger(__name__)

MOST_BYTES = 140
#: unanswered requests the protocol allows
WINDOW = 16
#: the protocol wants an active test after 3 minutes of silence; routers forget sooner
PING_S = 60
FLOW_CONTROL = 8


class CmppGateway:
    """Implements NoticeGateway."""

    can_ask = False

    def __init__(self, url: GatewayUrl, clock: Clock, timing: Timing | None = None) -> None:
        self._clock = clock
        self._version = codec.V3 if url.choice("version", ("2.0", "3.0")) == "3.0" else codec.V2
        self._bare = url.choice("number", ("bare", "86")) == "bare"
        self._sender = codec.Sender(
            url.user,
            url.need("from"),
            url.option("service"),
            url.option("fee_type", "01"),
            url.option("fee_code", "000000"),
        )
        try:
            codec.submit(1, self._version, self._sender, "", b"", clock.now())
            dialect = codec.CmppDialect(url.user, url.secret, self._version, lambda: codec.stamp(clock.now()))
        except ValueError as error:
            raise SettingsInvalid(f"gateway {url.name}: {error}") from error
        timing = timing or Timing(ping=url.number("ping", PING_S))
        self.at_once = max(1, url.number("window", WINDOW))
        self._session = Session(
            (url.host, url.port or 7890), dialect, window=self.at_once, timing=timing, jitter=url.jitter
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The connection ends with `run`."""

    async def send(self, parcel: Parcel) -> Taken | Busy:
        text = parcel.text.encode("utf-16-be")
        if len(text) > MOST_BYTES:
            raise GatewayRejected(f"{len(text) // 2} characters do not fit into one message")
        to = parcel.to.removeprefix("+86" if self._bare else "+")
        try:
            frame = await self._session.ask(
                lambda n: codec.submit(n, self._version, self._sender, to, text, parcel.not_after),
                parcel.client_ref,
                fresh=lambda: self._clock.now() < parcel.not_after,
            )
            message_id, result = codec.taken(frame)
        except NotSent as error:
            return Busy(error.why, down=error.down)
        except (Unanswered, ValueError) as error:
            raise GatewayUnknown(str(error)) from error
        if result == FLOW_CONTROL:
            return Busy("flow control")
        if result:
            raise GatewayRejected(f"CMPP result {result}")
        return Taken(message_id)

    async def find(self, asked: Asked) -> Taken | None:  # noqa: ARG002 - the protocol's
        raise GatewayUnknown("this gateway cannot be asked")

    async def run(self, told: ReceiptSink) -> None:
        async def request(frame: Frame) -> bytes | None:
            if frame.command == codec.DELIVER:
                # A report that is not confirmed comes again.
                return codec.deliver_resp(frame, self._version) if await self._reported(frame, told) else None
            if frame.command == codec.ACTIVE_TEST:
                return codec.active_resp(frame)
            return codec.terminate_resp(frame) if frame.command == codec.TERMINATE else None

        async def late(client_ref: str, frame: Frame) -> None:
            """The answer after all."""
            try:
                message_id, result = codec.taken(frame)
            except ValueError:
                return
            if result == 0:
                await told(Receipt(Fate.ACCEPTED, message_id, client_ref))

        await self._session.run(request, late)

    async def _reported(self, frame: Frame, told: ReceiptSink) -> bool:
        """True when the report is stored, or is none that says anything."""
        try:
            report = codec.report_in(frame)
        except ValueError as error:
            logger.warning("report not read: %s", error)
            return True
        if report is None or report.stat in ("ACCEPTD", "UNKNOWN", ""):
            return True
        # Gateways have codes of their own for failures: MK:0001, DB:0119 …
        delivered = report.stat == "DELIVRD"
        fate = Fate.DELIVERED if delivered else Fate.FAILED
        return await told(Receipt(fate, report.message_id, reason="" if delivered else report.stat))
