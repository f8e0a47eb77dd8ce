"""A carrier's message centre over SMPP 3.4: `smpp://SYSTEM_ID:PASSWORD@HOST:2775?from=10690000`.

One short message per notice: 70 characters. Receipts come on the same connection. Nobody can be asked
about a message whose answer was lost (query_sm wants the id that was in the answer); its receipt, or the
answer when it comes late, tells.
"""

import logging
import ssl
from types import TracebackType
from typing import Self

from controller.gateways import smpp_codec as codec
from controller.gateways.address import GatewayUrl
from controller.gateways.session import Frame, NotSent, Session, Timing, Unanswered
from controller.use_cases.ports import Asked, Busy, Fate, Parcel, Receipt, ReceiptSink, Taken
from hall_core.clock import Clock
from hall_core.errors import GatewayRejected, GatewayUnknown, SettingsInvalid

__all__ = ["SmppGateway"]

logger = logging.getLogger(__name__)

MOST_BYTES = 140
WINDOW = 10
#: throttled, queue full, system error, submit failed: this message was not taken, another time it may be
NOT_NOW = {0x58: "throttled", 0x14: "queue full", 0x08: "system error", 0x45: "submit failed"}
#: try again later: the receipt could not be stored
TEMPORARY_ERROR = 0x64


class SmppGateway:
    """Implements NoticeGateway. `ids=hex` when answers have ids in hex and receipts the same in decimal."""

    can_ask = False

    def __init__(self, url: GatewayUrl, clock: Clock, timing: Timing | None = None) -> None:
        self._clock = clock
        self._source = codec.Address(url.need("from"), url.number("ton", 0), url.number("npi", 0))
        self._hex_ids = url.choice("ids", ("same", "hex")) == "hex"
        self._plus = url.choice("number", ("86", "plus", "bare"))
        self.at_once = max(1, url.number("window", WINDOW))
        tls = ssl.create_default_context() if url.scheme == "smpps" else None
        try:
            dialect = codec.SmppDialect(url.user, url.secret, url.option("system_type"))
            self._source.encoded()
        except ValueError as error:
            raise SettingsInvalid(f"gateway {url.name}: {error}") from error
        timing = timing or Timing(ping=url.number("ping", 30))
        port = url.port or (3550 if tls else 2775)
        self._session = Session(
            (url.host, port), dialect, window=self.at_once, timing=timing, jitter=url.jitter, tls=tls
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
        to, until = self._to(parcel.to), parcel.not_after
        try:
            frame = await self._session.ask(
                lambda sequence: codec.submit_sm(sequence, self._source, to, text, until),
                parcel.client_ref,
                fresh=lambda: self._clock.now() < until,
            )
        except NotSent as error:
            return Busy(error.why, down=error.down)
        except Unanswered as error:
            raise GatewayUnknown(str(error)) from error
        return self._answer(frame)

    async def find(self, asked: Asked) -> Taken | None:  # noqa: ARG002 - the protocol's
        raise GatewayUnknown("this centre cannot be asked")

    async def run(self, told: ReceiptSink) -> None:
        async def request(frame: Frame) -> bytes | None:
            if frame.command == codec.DELIVER_SM:
                return codec.deliver_resp(frame, await self._delivered(frame, told))
            if frame.command == codec.ENQUIRE_LINK:
                return codec.enquire_resp(frame)
            return codec.unbind_resp(frame) if frame.command == codec.UNBIND else codec.nack(frame)

        async def late(client_ref: str, frame: Frame) -> None:
            """The answer after all: better late than asked about."""
            if frame.status == 0:
                await told(Receipt(Fate.ACCEPTED, self._id(codec.taken_id(frame)), client_ref))

        await self._session.run(request, late)

    async def _delivered(self, frame: Frame, told: ReceiptSink) -> int:
        """A receipt, confirmed when it is stored; what people write back is not kept."""
        try:
            receipt = codec.receipt_in(frame.body)
        except ValueError as error:
            logger.warning("receipt not read: %s", error)
            return 0
        if receipt is None or (delivered := codec.FINAL.get(receipt.stat)) is None:
            return 0
        fate = Fate.DELIVERED if delivered else Fate.FAILED
        reason = "" if delivered else f"{receipt.stat} {receipt.err}".strip()
        stored = await told(Receipt(fate, receipt.message_id.upper().lstrip("0"), reason=reason))
        return 0 if stored else TEMPORARY_ERROR

    def _answer(self, frame: Frame) -> Taken | Busy:
        if frame.status == 0:
            return Taken(self._id(codec.taken_id(frame)))
        if frame.status in NOT_NOW:
            return Busy(NOT_NOW[frame.status])
        raise GatewayRejected(f"SMPP status {frame.status:#x}")

    def _id(self, given: str) -> str:
        """As receipts will say it."""
        if self._hex_ids and given:
            try:
                given = str(int(given, 16))
            except ValueError:
                logger.warning("message id is not hexadecimal")
        return given.upper().lstrip("0")

    def _to(self, to: str) -> codec.Address:
        """International by default."""
        if self._plus == "bare":
            return codec.Address(to.removeprefix("+86"), 2, 1)
        return codec.Address(to if self._plus == "plus" else to.removeprefix("+"), 1, 1)
