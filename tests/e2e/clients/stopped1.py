"""A Python SDK 1.x client whose bridge is told to end while a call runs. It says when the call is under way."""
import asyncio

from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from steps import plan, step, text_of


async def main(todo):
    step("connects")
    async with streamablehttp_client(todo["url"]) as (read, write, _), ClientSession(read, write) as session:
        await session.initialize()

        async def on_progress(progress, total, message):
            step(f"progress {progress:g}")

        # The SDK lists the tools when the answer is there, and has the result only after that.
        result = await session.call_tool("progress", {"n": 3, "ms": 400}, progress_callback=on_progress)
        step(f"answer {text_of(result)}")
    step("closes")


asyncio.run(main(plan()))
