"""The Python SDK 1.x in the table of clients and servers (cases/eras.py): a cell a line."""
import asyncio

import mcp.types as types
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from steps import plan, step, text_of

URI = "test://watched"
LIMIT = 20


async def on_elicitation(context, params):
    assert params.message == "who?", params
    return types.ElicitResult(action="accept", content={"name": "Ann"})


async def on_sampling(context, params):
    assert params.messages[0].content.text == "ping?", params
    return types.CreateMessageResult(role="assistant", model="m", content=types.TextContent(type="text", text="pong"))


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
        names = {tool.name for tool in (await session.list_tools()).tools}
        assert names == {"add", "count", "elicit", "sample", "touch"}, names
        step("cell: list")
        assert text_of(await session.call_tool("add", {"a": 2, "b": 40})) == "42"
        step("cell: call")
        seen = []

        async def on_progress(progress, total, message):
            seen.append((progress, total))

        assert text_of(await session.call_tool("count", {"n": 3}, progress_callback=on_progress)) == "counted to 3"
        assert seen == [(1, 3), (2, 3), (3, 3)], seen
        step("cell: progress")
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
    async with Peer(elicitation_callback=on_elicitation, sampling_callback=on_sampling) as session:
        assert text_of(await session.call_tool("elicit", {})) == "hello Ann"
        step("cell: elicitation")
        assert text_of(await session.call_tool("sample", {})) == "pong"
        step("cell: sampling")
    step("closes")


asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))
