"""What devices say of themselves: keys become wishes at their counter, cards and codes go to the readers."""

import logging
from collections.abc import Callable

from edge_agent.hall import Hall
from edge_agent.keys import command_for
from edge_agent.readers import Readers
from hall_core.devices.layout import DeviceSetup
from hall_core.devices.vocabulary import CardRead, CodeScanned, DeviceEvent, Evaluated, KeyPressed
from hall_core.errors import Refused

__all__ = ["Inputs"]

logger = logging.getLogger(__name__)


class Inputs:
    """Takes the events of all devices; what is refused is logged and changes nothing."""

    def __init__(self, hall: Hall, readers: Readers, new_id: Callable[[], str]) -> None:
        self._hall, self._readers, self._new_id = hall, readers, new_id

    async def hear(self, setup: DeviceSetup, event: DeviceEvent) -> None:
        """Do what this event stands for at the place where the device is."""
        if isinstance(event, CardRead | CodeScanned):
            await self._readers.hear(setup, event)
        elif isinstance(event, KeyPressed | Evaluated) and setup.counter is not None:
            await self._press(setup, event, setup.counter)
        else:
            logger.info("nobody asked device=%s event=%s", setup.name, event.kind)

    async def _press(self, setup: DeviceSetup, event: KeyPressed | Evaluated, counter: str) -> None:
        for command in command_for(event, counter, self._hall.queue, self._new_id):
            try:
                await self._hall.handle(command)
            except Refused as error:
                logger.info("refused device=%s wish=%s reason=%s", setup.name, command.kind, error)
                break
