"""The Python SDK 2.x in the same table, with its defaults: it must find the modern era."""
import asyncio

import mcp_types as types
from mcp import Client
from mcp.client.subscriptions import ResourceUpdated

from steps import plan, step, text_of

URI = "test://watched"
LIMIT = 20


async def on_elicitation(context, params):
    assert params.message == "who?", params
    return types.ElicitResult(action="accept", content={"name": "Ann"})


async def on_sampling(context, params):
    assert params.messages[0].content.text == "ping?", params
    return types.CreateMessageResult(role="assistant", model="m", content=types.TextContent(type="text", text="pong"))


async def main():
    async with Client(plan()["url"]) as client:
        print("revision:", client.protocol_version)
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"add", "count", "elicit", "sample", "touch"}, names
        step("cell: list")
        assert text_of(await client.call_tool("add", {"a": 2, "b": 40})) == "42"
        step("cell: call")
        seen = []

        async def on_progress(progress, total, message):
            seen.append((progress, total))

        assert text_of(await client.call_tool("count", {"n": 3}, progress_callback=on_progress)) == "counted to 3"
        assert seen == [(1, 3), (2, 3), (3, 3)], seen
        step("cell: progress")
        async with client.listen(resource_subscriptions=[URI]) as subscription:
            await client.call_tool("touch", {})
            async for event in subscription:
                assert isinstance(event, ResourceUpdated) and event.uri == URI, event
                break
        step("cell: subscription")
    async with Client(plan()["url"], elicitation_callback=on_elicitation, sampling_callback=on_sampling) as client:
        assert text_of(await client.call_tool("elicit", {})) == "hello Ann"
        step("cell: elicitation")
        assert text_of(await client.call_tool("sample", {})) == "pong"
        step("cell: sampling")
    step("closes")


asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))
