"""The relay before a hall's broker can be cut, hung and healed."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from simulators.relay import Link, Relay


@asynccontextmanager
async def echo():
    """A server that sends back what it gets; yields its port."""

    async def serve(reader, writer):
        try:
            while data := await reader.read(1024):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def said_back(link, word: bytes) -> bytes:
    reader, writer = link
    writer.write(word)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(word))


async def test_bytes_pass_while_the_link_is_up():
    async with echo() as port, Relay("127.0.0.1", port) as relay, connected(relay.port) as link:
        assert await said_back(link, b"hello") == b"hello"


async def test_a_cut_link_resets_what_is_connected_and_refuses_what_comes():
    async with echo() as port, Relay("127.0.0.1", port) as relay, connected(relay.port) as link:
        await said_back(link, b"hello")
        relay.cut()
        assert relay.link is Link.CUT
        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await link[0].readexactly(1)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                async with connected(relay.port) as late:
                    await said_back(late, b"x")


async def test_a_healed_link_takes_new_connections():
    async with echo() as port, Relay("127.0.0.1", port) as relay:
        relay.cut()
        relay.heal()
        async with connected(relay.port) as link:
            assert await said_back(link, b"again") == b"again"


async def test_a_hung_link_stands_and_delivers_late_in_order():
    async with echo() as port, Relay("127.0.0.1", port) as relay, connected(relay.port) as link:
        await said_back(link, b"hello")
        relay.hang()
        link[1].write(b"one")
        waiting = asyncio.ensure_future(link[0].readexactly(6))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        link[1].write(b"two")
        relay.heal()
        async with asyncio.timeout(5):
            assert await waiting == b"onetwo"


async def test_a_relay_before_nobody_hangs_up():
    async with echo() as port:
        gone = port
    async with Relay("127.0.0.1", gone) as relay, connected(relay.port) as link:
        async with asyncio.timeout(5):
            assert await link[0].read() == b""
