"""A client of LiteLLM's own /mcp, with either Python SDK: lists, calls all servers at once, follows a long call. Prints
what it got as JSON, for the cases to judge; the plan is JSON too, see cases/litellm.py."""
import asyncio
import contextlib
import json
import sys

from mcp import ClientSession, types

try:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client
except ImportError:  # the SDK 1.x
    httpx2 = None
    from mcp.client.streamable_http import streamablehttp_client

PLAN = json.loads(sys.argv[1])
HEADERS = {"x-litellm-api-key": f"Bearer {PLAN['key']}"}

SECONDS = 90  # for an answer: a list of all servers' tools takes LiteLLM long on a busy machine


@contextlib.asynccontextmanager
async def connect():
    if httpx2 is None:
        async with streamablehttp_client(PLAN["url"], headers=HEADERS, timeout=SECONDS) as (read, write, _):
            yield read, write
    else:
        async with httpx2.AsyncClient(headers=HEADERS, timeout=SECONDS) as http:
            async with streamable_http_client(PLAN["url"], http_client=http) as (read, write):
                yield read, write


async def elicit(_context, _params):
    return types.ElicitResult(action="accept", content={"color": "green"})


def view(result):
    is_error = getattr(result, "isError", None) or getattr(result, "is_error", None)
    structured = getattr(result, "structuredContent", None) or getattr(result, "structured_content", None)
    more = {"structured": structured} if structured else {}
    return {"error" if is_error else "text": result.content[0].text if result.content else "", **more}


async def call(session, name, arguments, **options):
    try:
        return view(await session.call_tool(name, arguments, **options))
    except Exception as error:  # the case judges it
        return {"exception": f"{type(error).__name__}: {error}"}


async def main():
    asks = {"elicitation_callback": elicit} if PLAN.get("elicits") else {}
    async with connect() as (read, write), ClientSession(read, write, **asks) as session:
        server = await session.initialize()
        out = {"server": (getattr(server, "serverInfo", None) or server.server_info).name}
        out["tools"] = [tool.name for tool in (await session.list_tools()).tools]
        out["calls"] = await asyncio.gather(*(call(session, name, arguments) for name, arguments in PLAN["calls"]))
        if "long" in PLAN:
            seen = []

            async def on_progress(progress, total, _message):
                seen.append([progress, total])

            out["long"] = await call(session, *PLAN["long"], progress_callback=on_progress)
            out["progress"] = seen
        print(json.dumps(out))


asyncio.run(main())
