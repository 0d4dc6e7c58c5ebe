"""The Python SDK 1.x against the fixture echo.py: what a session has beside calls, one scenario a run.

    questions1.py '{"url": ..., "transport": "http" or "sse", "scenario": ...}'
"""
import asyncio

import mcp.types as types
from mcp import ClientSession, McpError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client

from steps import plan, step

URI = "test://one"
LIMIT = 20  # seconds that anything may take
QUESTION = {"method": "sampling/createMessage",
            "params": {"messages": [{"role": "user", "content": {"type": "text", "text": "ping?"}}], "maxTokens": 5}}
FORM = {"method": "elicitation/create",
        "params": {"message": "who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}}


class Client:
    """async with Client(todo) as client: a session, and everything that the server told it in `heard`."""

    def __init__(self, todo, **callbacks):
        self.todo = todo
        self.callbacks = callbacks
        self.heard = []
        self._news = asyncio.Condition()

    def _connect(self):
        if self.todo["transport"] == "sse":
            return sse_client(self.todo["url"])
        return streamablehttp_client(self.todo["url"])

    async def __aenter__(self):
        self._transport = self._connect()
        read, write, *_ = await self._transport.__aenter__()
        self.session = ClientSession(read, write, message_handler=self._on_message, logging_callback=self._on_log,
                                     **self.callbacks)
        await self.session.__aenter__()
        await self.session.initialize()
        return self

    async def __aexit__(self, *error):
        await self.session.__aexit__(*error)
        await self._transport.__aexit__(*error)

    async def _hear(self, item):
        async with self._news:
            self.heard.append(item)
            self._news.notify_all()

    async def _on_log(self, params):
        await self._hear(("log", params.level, params.data))

    async def _on_message(self, message):
        if isinstance(message, Exception):
            await self._hear(("exception", repr(message)))
        elif isinstance(message, types.ServerNotification):
            if message.root.method == "notifications/resources/updated":
                await self._hear(("updated", str(message.root.params.uri)))
            elif message.root.method.endswith("list_changed"):
                await self._hear(("changed", message.root.method))

    async def wait(self, count):
        """Until so many things were heard."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: len(self.heard) >= count), LIMIT)
        return self.heard

    async def call(self, name, arguments=None, **options):
        result = await asyncio.wait_for(self.session.call_tool(name, arguments or {}, **options), LIMIT)
        assert not result.isError, result
        return result

    async def structured(self, name, arguments=None):
        return (await self.call(name, arguments)).structuredContent

    async def marker(self):
        """What the server sent before has come once this has: the messages of one stream keep their order."""
        count = len(self.heard) + 1
        await self.call("trigger", {"method": "notifications/prompts/list_changed"})
        assert (await self.wait(count))[-1] == ("changed", "notifications/prompts/list_changed"), self.heard
        return self.heard.pop()

    async def listening(self):
        """The GET stream opens beside the handshake: wait until it carries something."""
        if self.todo["transport"] == "http":
            while not self.heard:
                await self.call("trigger", {"method": "notifications/prompts/list_changed"})
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)  # whatever of that is still on its way
            self.heard.clear()


async def sampling(todo):
    asked = []

    async def answer(context, params):
        asked.append(params.messages[0].content.text)
        if params.messages[0].content.text == "refuse":
            return types.ErrorData(code=-1, message="User rejected")
        return types.CreateMessageResult(role="assistant", model="m", content=types.TextContent(type="text", text="pong"))

    async with Client(todo, sampling_callback=answer) as client:
        got = await client.structured("ask", {**QUESTION, "id": "first"})
        assert got["id"] == '"first"' and '"pong"' in got["result"], got
        params = {"messages": [{"role": "user", "content": {"type": "text", "text": "refuse"}}], "maxTokens": 5}
        got = await client.structured("ask", {**QUESTION, "params": params})
        assert "User rejected" in got["error"] and "result" not in got, got
        assert asked == ["ping?", "refuse"], asked


async def elicitation(todo):
    answers = [{"action": "accept", "content": {"name": "Ann"}}, {"action": "decline"}, {"action": "cancel"}]
    queue = list(answers)

    async def answer(context, params):
        assert params.message == "who?", params
        return types.ElicitResult(**queue.pop(0))

    async with Client(todo, elicitation_callback=answer) as client:
        for wanted in answers:
            got = types.ElicitResult.model_validate_json((await client.structured("ask", FORM))["result"])
            assert got.action == wanted["action"] and got.content == wanted.get("content"), got


async def roots(todo):
    found = [types.Root(uri="file:///one", name="one")]

    async def answer(context):
        return types.ListRootsResult(roots=found)

    async with Client(todo, list_roots_callback=answer) as client:
        got = (await client.structured("ask", {"method": "roots/list"}))["result"]
        assert "file:///one" in got and "file:///two" not in got, got
        found.append(types.Root(uri="file:///two"))
        await client.session.send_roots_list_changed()
        method = "notifications/roots/list_changed"
        assert len((await client.structured("seen", {"method": method}))["seen"]) == 1
        assert "file:///two" in (await client.structured("ask", {"method": "roots/list"}))["result"]


async def progress(todo):
    async with Client(todo) as client:
        async def follow(count):
            seen = []

            async def on_progress(progress, total, message):
                seen.append((progress, total))
            await client.call("progress", {"n": count, "ms": 20}, progress_callback=on_progress)
            assert seen == [(i + 1, count) for i in range(count)], seen
        await asyncio.gather(*map(follow, range(2, 12)))


async def logging(todo):
    async with Client(todo) as client:
        await client.session.set_logging_level("error")
        await client.call("log", {"level": "info", "data": "low"})
        await client.call("log", {"level": "error", "data": "high"})
        assert await client.wait(1) == [("log", "error", "high")], client.heard
        await client.session.set_logging_level("debug")
        await client.call("log", {"level": "debug", "data": "low"})
        assert (await client.wait(2))[1:] == [("log", "debug", "low")], client.heard


async def subscriptions(todo):
    async with Client(todo) as one, Client(todo) as two:
        for client in (one, two):
            await client.listening()
        assert await one.structured("pid") == await two.structured("pid"), "they share a server"
        for client in (one, two):
            client.heard.clear()
            await client.session.subscribe_resource(URI)
        await one.call("update", {"uri": URI})
        for client in (one, two):
            assert await client.wait(1) == [("updated", URI)], client.heard
        await one.session.unsubscribe_resource(URI)
        await two.call("update", {"uri": URI})
        assert await two.wait(2) == [("updated", URI)] * 2, two.heard
        await one.marker()
        assert one.heard == [("updated", URI)], one.heard
        await two.session.unsubscribe_resource(URI)
        assert (await one.structured("subscriptions"))["subscriptions"] == []


async def cancellation(todo):
    async with Client(todo) as client:
        ident = client.session._request_id  # the SDK does not tell otherwise
        running = asyncio.create_task(client.session.call_tool("sleep", {"ms": 60000}))
        while len((await client.structured("seen", {"method": "tools/call"}))["seen"]) < 2:
            await asyncio.sleep(0.02)
        params = types.CancelledNotificationParams(requestId=ident, reason="enough")
        note = types.CancelledNotification(method="notifications/cancelled", params=params)
        await client.session.send_notification(types.ClientNotification(note))
        try:
            raise AssertionError(f"an error, not {await asyncio.wait_for(running, LIMIT)}")
        except McpError:
            pass
        while len((await client.structured("cancelled"))["cancelled"]) != 1:
            await asyncio.sleep(0.02)


async def list_changed(todo):
    async with Client(todo) as client:
        await client.listening()
        methods = [f"notifications/{kind}/list_changed" for kind in ("tools", "resources", "prompts")]
        for method in methods:
            await client.call("trigger", {"method": method})
        assert await client.wait(3) == [("changed", method) for method in methods], client.heard


async def resumption(todo):
    """The connection is cut in the middle of the call by what stands at todo["url"]."""
    async with Client(todo) as client:
        seen = []

        async def on_progress(progress, total, message):
            seen.append(progress)
        result = await client.call("progress", {"n": todo["steps"], "ms": 100}, progress_callback=on_progress)
        assert result.content[0].text == "done", result
        assert seen == list(range(1, todo["steps"] + 1)), seen


async def question_in_the_gap(todo):
    """The same, and the server asks something while the connection is down."""
    async def answer(context, params):
        return types.CreateMessageResult(role="assistant", model="m", content=types.TextContent(type="text", text="pong"))

    async with Client(todo, sampling_callback=answer) as client:
        got = await client.structured("ask", {**QUESTION, "delay_ms": 300})
        assert '"pong"' in got["result"], got


async def main(todo):
    step(todo["scenario"])
    scenario = globals()[todo["scenario"]]
    await asyncio.wait_for(scenario(todo), 2 * LIMIT)
    step("closes")


asyncio.run(main(plan()))
