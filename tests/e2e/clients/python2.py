"""The Python SDK 2.x with its Client. Its defaults ask for server/discover first and fall back to initialize."""
import asyncio
import time

from mcp import Client, MCPError

from steps import exercise, plan, step

# The client waits 10 s for an answer to server/discover before it falls back: silence would work, and be a defect.
CONNECT_SECONDS = 5


async def main(todo):
    step("connects")
    start = time.monotonic()
    async with Client(todo["url"]) as client:
        seconds = time.monotonic() - start
        assert seconds < CONNECT_SECONDS, f"connecting took {seconds:.1f} s"
        print("revision:", client.protocol_version)
        await exercise(client, client.server_info, todo, MCPError)


asyncio.run(main(plan()))
