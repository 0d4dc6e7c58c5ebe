"""The Python SDK 2.x in the same table, with its defaults: it must find the modern era."""
import asyncio

import mcp_types as types
from mcp import Client
from mcp.client.subscriptions import ResourceUpdated

from steps import plan, step
from table import LIMIT, URI, be_asked, callbacks, list_and_call


async def main():
    async with Client(plan()["url"]) as client:
        print("revision:", client.protocol_version)
        await list_and_call(client)
        async with client.listen(resource_subscriptions=[URI]) as subscription:
            await client.call_tool("touch", {})
            async for event in subscription:
                assert isinstance(event, ResourceUpdated) and event.uri == URI, event
                break
        step("cell: subscription")
    async with Client(plan()["url"], **callbacks(types)) as client:
        await be_asked(client)
    step("closes")


asyncio.run(asyncio.wait_for(main(), 2 * LIMIT))
