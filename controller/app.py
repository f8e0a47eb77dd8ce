"""Composition root of the controller: builds everything and runs it in one TaskGroup."""

import asyncio
import logging
import random
import secrets
import signal
import socket
from base64 import b64encode
from datetime import timedelta

from ulid import ULID

from controller.api.application import application
from controller.api.deps import Parts
from controller.gateways.opening import opened_providers
from controller.listener import BrokerSetup, Listener
from controller.metrics import Metrics
from controller.settings import ControllerSettings
from controller.store import documents, people, receipts
from controller.store import wishes as wish_store
from controller.store.database import STORAGE_DOWN, Database
from controller.use_cases.answers import Answers
from controller.use_cases.bell import Bell
from controller.use_cases.births import SITE
from controller.use_cases.calendars import CalendarKeeper
from controller.use_cases.chains import ChainKeeper
from controller.use_cases.context import Context
from controller.use_cases.drawing import PlaceKeeper
from controller.use_cases.erasure import PhoneEraser
from controller.use_cases.hub import Hub
from controller.use_cases.live import LiveHalls
from controller.use_cases.people import People
from controller.use_cases.phones import PhoneBox
from controller.use_cases.promise_keeper import PromiseKeeper
from controller.use_cases.providers import NumberLimits
from controller.use_cases.rating_cases import CaseKeeper
from controller.use_cases.receipt_doors import ReceiptDoors
from controller.use_cases.record import Recorder, Surroundings
from controller.use_cases.send_notices import NoticeSender
from controller.use_cases.wishing import WishSender
from controller.web.live_services import LiveServices
from controller.web.pages import pages
from hall_core.clock import Clock, SystemClock
from hall_core.errors import SettingsInvalid
from hall_core.hosts import is_loopback
from hall_core.wire.envelope import Desired
from hall_ui.serving import Server, bound

__all__ = ["run_controller"]

logger = logging.getLogger(__name__)

WISH_TICK_S = 1.0
TIDY_S = 3600.0
#: acknowledged wishes are kept so long, for people who look for what happened
WISHES_KEPT = timedelta(days=30)
#: receipts of messages that are none of ours
RECEIPTS_KEPT = timedelta(days=3)
#: open requests and event streams get so long to end
GOODBYE_S = 5


def new_id() -> str:
    """A fresh identifier: ULID, so that ids sort by time."""
    return str(ULID())


def new_token() -> str:
    """A citizen's link: 128 random bits."""
    return secrets.token_urlsafe(16)


async def run_controller(settings: ControllerSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsInvalid before anything has started."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    phones = PhoneBox.open(settings.key_file)
    database = Database.open(settings.database_url)
    try:
        await _check_exposure(settings, database)
        with bound(settings.host, settings.port) as sock:
            await _serve(settings, database, phones, sock, stop)
    finally:
        database.close()


async def _check_exposure(settings: ControllerSettings, database: Database) -> None:
    """Bound to an address others reach, the controller must know its people and its halls."""
    if is_loopback(settings.host):
        return
    if not await database.read(people.any_admin):
        msg = (
            f"host {settings.host} is reachable from other machines, but there is no administrator: make "
            f"one with `hall-controller admin add NAME --data {settings.data}`, or bind to 127.0.0.1"
        )
        raise SettingsInvalid(msg)
    if settings.exposure():
        msg = f"host {settings.host} is reachable from other machines, but {settings.exposure()}"
        raise SettingsInvalid(msg)


async def _context(
    settings: ControllerSettings, database: Database, phones: PhoneBox, sock: socket.socket
) -> Context:
    clock: Clock = SystemClock(believed=settings.believe_clock)
    live = LiveHalls()
    await database.read(live.load)
    host, port = sock.getsockname()[:2]
    return Context(
        database=database,
        live=live,
        answers=Answers(),
        hub=Hub(),
        sender=WishSender(clock),
        notices=Bell(),
        phones=phones,
        clock=clock,
        new_id=new_id,
        new_token=new_token,
        public_url=(settings.public_url or f"http://{host}:{port}").rstrip("/"),
        signature=settings.signature,
        rating_rules=settings.rating_rules,
        fairness=settings.fairness,
        promises=settings.promises,
    )


async def _serve(
    settings: ControllerSettings,
    database: Database,
    phones: PhoneBox,
    sock: socket.socket,
    stop: asyncio.Event,
) -> None:
    """Build, run, and stop in order: intake of people first, then of halls, then what is under way."""
    context = await _context(settings, database, phones, sock)
    metrics = Metrics()
    listener = await _listener(settings, context, metrics)
    people_in = People(database, context.clock)
    async with opened_providers(settings, context.clock) as providers, asyncio.TaskGroup() as tasks:
        limits = NumberLimits(settings.number_per_minute, settings.number_per_day)
        sender = NoticeSender(context, providers, metrics, jitter=random.random, limits=limits)
        doors = ReceiptDoors.of(phones, providers, sender.receipts)
        parts = Parts(context, people_in, listener, metrics, doors)
        app = application(parts, [pages(LiveServices(context, people_in))])
        server = Server(app, goodbye_s=GOODBYE_S)
        listening = tasks.create_task(listener.run(), name="listener")
        wishing = tasks.create_task(_send_wishes(context, listener), name="wishes")
        sending = tasks.create_task(sender.run(), name="notices")
        minding = tasks.create_task(CalendarKeeper(context).run(), name="calendars")
        urging = tasks.create_task(CaseKeeper(context).run(), name="rating cases")
        chaining = tasks.create_task(ChainKeeper(context).run(), name="chains of calls")
        placing = tasks.create_task(PlaceKeeper(context).run(), name="draws and places")
        keeping = tasks.create_task(PromiseKeeper(context).run(), name="promises")
        erasing = tasks.create_task(PhoneEraser(context, settings.keep_phones_days).run(), name="erasure")
        tidying = tasks.create_task(_tidy(context), name="tidy")
        serving = tasks.create_task(server.serve(sockets=[sock]), name="web")
        await stop.wait()
        context.hub.close()
        server.should_exit = True
        await serving
        for task in (wishing, minding, urging, chaining, placing, keeping, erasing, tidying, sending):
            task.cancel()
        listener.stop()
        await listening


async def _listener(settings: ControllerSettings, context: Context, metrics: Metrics) -> Listener:
    phones = context.phones
    body = {"phone_key": phones.public, "public_url": context.public_url, "slip_key": phones.slip_key}
    text = repr(sorted(body.items()))
    rev = await context.database.write(lambda tx: documents.revision_of(tx, SITE, text))
    around = Surroundings(
        clock=context.clock,
        answers=context.answers,
        hub=context.hub,
        sender=context.sender,
        notices=context.notices,
        metrics=metrics,
        new_id=new_id,
        signature=settings.signature,
        rating_rules=settings.rating_rules,
        site=Desired(rev=rev, body=body),
        own_of=lambda hall: {"override_key": b64encode(phones.override_key(hall)).decode()},
    )
    setup = BrokerSetup(
        settings.broker, settings.mqtt, settings.broker_ca, settings.broker_cert, settings.broker_key
    )
    return Listener(
        setup,
        epoch=await context.database.write(documents.next_epoch),
        record=Recorder(context.database, context.live, around).record,
        lost=context.sender.forget_all,
        jitter=random.random,
    )


async def _send_wishes(context: Context, listener: Listener) -> None:
    """Wishes leave when they are written, and again while nobody acknowledges them."""
    while True:
        await context.sender.bell.heard(WISH_TICK_S)
        if not listener.connected:
            continue
        try:
            listener.send(await context.sender.due(context.database))
        except STORAGE_DOWN:
            logger.exception("wishes wait for the database")


async def _tidy(context: Context) -> None:
    """What nobody needs any more is removed, an hour's worth at a time."""
    while True:
        try:
            await _tidy_once(context)
        except STORAGE_DOWN:
            logger.exception("tidying waits for the database")
        await asyncio.sleep(TIDY_S)


async def _tidy_once(context: Context) -> None:
    before = context.clock.now() - WISHES_KEPT
    gone = await context.database.write(lambda tx: wish_store.forget_acknowledged(tx, before))
    if gone:
        logger.info("old wishes removed count=%s", gone)
    old = context.clock.now() - RECEIPTS_KEPT
    await context.database.write(lambda tx: receipts.forget_early(tx, old))
