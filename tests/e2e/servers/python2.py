"""The same with the Python SDK 2.x, which serves both eras."""
from typing import Annotated

import mcp_types as types
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.resolve import Elicit, Resolve, Sample
from pydantic import BaseModel

URI = "test://watched"
server = MCPServer("table")


class Person(BaseModel):
    name: str


def ask_who() -> Elicit[Person]:
    return Elicit("who?", Person)


def ask_model() -> Sample:
    text = types.TextContent(type="text", text="ping?")
    return Sample([types.SamplingMessage(role="user", content=text)], max_tokens=10)


@server.tool()
def add(a: int, b: int) -> str:
    return str(a + b)


@server.tool()
async def count(n: int, ctx: Context) -> str:
    for i in range(n):
        await ctx.report_progress(i + 1, n)
    return f"counted to {n}"


@server.tool()
async def elicit(person: Annotated[Person, Resolve(ask_who)]) -> str:
    return f"hello {person.name}"


@server.tool()
async def sample(answer: Annotated[types.CreateMessageResult, Resolve(ask_model)]) -> str:
    return answer.content.text


@server.tool()
async def touch(ctx: Context) -> str:
    if ctx.protocol_version >= "2026-07-28":
        await ctx.notify_resource_updated(URI)
    else:
        await ctx.session.send_resource_updated(URI)
    return "touched"


@server.resource(URI)
def watched() -> str:
    return "watched"


async def subscribe(context, params):
    return types.EmptyResult()


for method, params in (("subscribe", types.SubscribeRequestParams), ("unsubscribe", types.UnsubscribeRequestParams)):
    server._lowlevel_server.add_request_handler(f"resources/{method}", params, subscribe)
server.run()
