"""The Python SDK 1.x as its documentation shows it: streamablehttp_client and ClientSession."""
import asyncio

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client

from steps import exercise, plan, step


async def main(todo):
    step("connects")
    async with streamablehttp_client(todo["url"]) as (read, write, session_id):
        async with ClientSession(read, write) as session:
            server = await session.initialize()
            assert bool(session_id()) == todo["has_session"], f"session id {session_id()}"
            await exercise(session, server.serverInfo, todo, McpError)
            print("session:", session_id())


asyncio.run(main(plan()))
