"""What both Python SDKs do in the table of clients and servers (cases/eras.py): a cell a line."""
from steps import step, text_of

URI = "test://watched"
LIMIT = 20


def callbacks(types):
    """What answers the server's questions, made of the SDK's own types."""

    async def on_elicitation(context, params):
        assert params.message == "who?", params
        return types.ElicitResult(action="accept", content={"name": "Ann"})

    async def on_sampling(context, params):
        assert params.messages[0].content.text == "ping?", params
        text = types.TextContent(type="text", text="pong")
        return types.CreateMessageResult(role="assistant", model="m", content=text)

    return {"elicitation_callback": on_elicitation, "sampling_callback": on_sampling}


async def list_and_call(session):
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


async def be_asked(session):
    assert text_of(await session.call_tool("elicit", {})) == "hello Ann"
    step("cell: elicitation")
    assert text_of(await session.call_tool("sample", {})) == "pong"
    step("cell: sampling")
