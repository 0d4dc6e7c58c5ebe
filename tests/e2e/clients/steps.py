"""What every Python client does with a session. The plan is JSON: clients.py in the folder cases makes it."""
import asyncio
import json
import sys


def plan():
    return json.loads(sys.argv[1])


def step(sentence):
    """Says what comes next; when it fails, the last sentence tells where."""
    print(sentence, flush=True)


def text_of(result):
    is_error = getattr(result, "isError", None) or getattr(result, "is_error", None)
    assert not is_error, f"the call succeeds: {result}"
    return result.content[0].text


async def list_tools(session, todo):
    step("lists the tools")
    names = {tool.name for tool in (await session.list_tools()).tools}
    assert set(todo["tools"]) <= names, f"{todo['tools']} are among {names}"


async def call_at_once(session, todo):
    step("calls one tool, then all at once")

    async def one(call):
        text = text_of(await session.call_tool(call["name"], call["arguments"]))
        assert text == call["text"], f"{call['arguments']} gives {call['text']!r}, got {text!r}"

    await one(todo["calls"][0])
    await asyncio.gather(*map(one, todo["calls"]))


async def follow_progress(session, todo):
    step("follows the progress of a call")
    call, seen = todo["progress"], []

    async def on_progress(progress, total, message):
        seen.append((progress, total))

    text = text_of(await session.call_tool(call["name"], call["arguments"], progress_callback=on_progress))
    assert text == call["text"], text
    assert seen == [tuple(pair) for pair in call["seen"]], f"progress {seen}, wanted {call['seen']}"


async def meet_errors(session, todo, error_type):
    step("meets an unknown tool")
    try:
        result = await session.call_tool("no-such-tool", {})
        assert getattr(result, "isError", None) or getattr(result, "is_error", None), f"an error: {result}"
    except error_type as error:
        assert error.error.code == -32602, error

    step("meets an unknown prompt")
    try:
        result = await session.get_prompt("no-such-prompt")
        raise AssertionError(f"an error, not {result}")
    except error_type as error:
        assert error.error.code == -32602 and error.error.message, error

    step("goes on after the errors")
    call = todo["calls"][-1]
    assert text_of(await session.call_tool(call["name"], call["arguments"])) == call["text"]


async def exercise(session, server_info, todo, error_type):
    assert server_info.name == todo["server"], f"{todo['server']} answers, got {server_info}"
    await list_tools(session, todo)
    await call_at_once(session, todo)
    await follow_progress(session, todo)
    await meet_errors(session, todo, error_type)
    step("closes")
