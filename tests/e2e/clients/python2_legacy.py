"""The Python SDK 2.x one layer lower: ClientSession.initialize(), as code written for 1.x uses it."""
import asyncio

from mcp import ClientSession, MCPError
from mcp.client.streamable_http import streamable_http_client

from steps import exercise, plan, step


async def main(todo):
    step("connects")
    async with streamable_http_client(todo["url"]) as (read, write):
        async with ClientSession(read, write) as session:
            server = await session.initialize()
            print("revision:", server.protocol_version)
            await exercise(session, server.server_info, todo, MCPError)


asyncio.run(main(plan()))
