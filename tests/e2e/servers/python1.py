"""The server of the table (cases/eras.py) with the Python SDK 1.x: FastMCP, as most servers of today are written."""
from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ResourcesCapability, SamplingMessage, TextContent
from pydantic import BaseModel

URI = "test://watched"
server = FastMCP("table")
subscribed = set()


class Person(BaseModel):
    name: str


@server.tool()
def add(a: int, b: int) -> str:
    return str(a + b)


@server.tool()
async def count(n: int, ctx: Context) -> str:
    for i in range(n):
        await ctx.report_progress(i + 1, n)
    return f"counted to {n}"


@server.tool()
async def elicit(ctx: Context) -> str:
    answer = await ctx.elicit("who?", Person)
    return f"hello {answer.data.name}"


@server.tool()
async def sample(ctx: Context) -> str:
    question = SamplingMessage(role="user", content=TextContent(type="text", text="ping?"))
    return (await ctx.session.create_message([question], max_tokens=10)).content.text


@server.tool()
async def touch(ctx: Context) -> str:
    if URI in subscribed:
        await ctx.session.send_resource_updated(URI)
    return "touched"


@server.resource(URI)
def watched() -> str:
    return "watched"


# FastMCP takes no subscriptions by itself; the server below it does, but does not say so.
low = server._mcp_server
declared = low.get_capabilities


@low.subscribe_resource()
async def subscribe(uri):
    subscribed.add(str(uri))


@low.unsubscribe_resource()
async def unsubscribe(uri):
    subscribed.discard(str(uri))


def with_subscriptions(*arguments):
    return declared(*arguments).model_copy(update={"resources": ResourcesCapability(subscribe=True)})


low.get_capabilities = with_subscriptions
server.run()
