"""How the controller looks for its broker: ever more seldom, at moments of chance, and it notices a dead link."""

from itertools import pairwise

import aiomqtt
import pytest

from controller.listener import BrokerSetup, Listener
from tests.simulation.loop import virtual_loop


class NoBroker:
    """Nobody is there; it remembers when and how it was looked for."""

    def __init__(self, loop):
        self.loop, self.tries, self.how = loop, [], {}

    def __call__(self, *_, **how):
        self.how = how
        return self

    async def __aenter__(self):
        self.tries.append(self.loop.time())
        raise aiomqtt.MqttError("nobody is there")

    async def __aexit__(self, *_):
        pass


async def never(_):
    pytest.fail("nothing has arrived")


def looked_for(share, seconds=200):
    with virtual_loop() as loop:
        broker = NoBroker(loop)
        listener = Listener(
            BrokerSetup("mqtt://127.0.0.1:1", "5"),
            epoch=1,
            record=never,
            lost=list,
            jitter=lambda: share,
            client=broker,
        )
        loop.call_later(seconds, listener.stop)
        loop.run_until_complete(listener.run())
    return broker


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_waits_are_a_share_of_ever_longer_ones_up_to_half_a_minute(share):
    tries = looked_for(share).tries
    longest = [0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[:9] == pytest.approx([wait * share for wait in longest])


def test_a_dead_link_is_noticed_within_half_a_minute():
    assert looked_for(1.0).how["keepalive"] <= 30
