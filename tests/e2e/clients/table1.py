"""The Python SDK 1.x in the table of clients and servers (cases/eras.py): a cell a line."""
import asyncio

import mcp.types as types
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from steps import plan, step
from table import LIMIT, URI, be_asked, callbacks, list_and_call


class Peer:
    def __init__(self, **callbacks):
        self.callbacks = callbacks
        self.updated = asyncio.Event()

    async def on_message(self, message):
        if isinstance(message, types.ServerNotification) and message.root.method == "notifications/resources/updated":
            assert str(message.root.params.uri) == URI
            self.updated.set()

    async def __aenter__(self):
        self.transport = streamablehttp_client(plan()["url"])
        read, write, _ = await self.transport.__aenter__()
        self.session = ClientSession(read, write, message_handler=self.on_message, **self.callbacks)
        await self.session.__aenter__()
        await self.session.initialize()
        return self.session

    async def __aexit__(self, *error):
        await self.session.__aexit__(*error)
        await self.transport.__aexit__(*error)


async def main():
    peer = Peer()
    async with peer as session:
        await list_and_call(session)
        await session.subscribe_resource(URI)
        for _ in range(LIMIT * 5):  # the GET stream opens beside the handshake
            await session.call_tool("touch", {})
            try:
                await asyncio.wait_for(peer.updated.wait(), 0.2)
                break
            except asyncio.TimeoutError:
                pass
        assert peer.updated.is_set()
        step("cell: subscription")
    async with Peer(**callbacks(types)) as session:
        await be_asked(session)
    step("closes")


asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))
