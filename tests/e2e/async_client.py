"""A small client for MCP over Streamable HTTP for tests that need many at once: asyncio, one connection for POSTs and
one for the GET stream. It hides nothing and judges nothing: every message goes to a function."""
import asyncio
import itertools
import json

HEAD = "{method} /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\n{more}\r\n"


class Broken(Exception):
    """What came is not HTTP, or not what was asked for."""


class Connection:
    def __init__(self, port):
        self.port = port

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)

    async def send(self, method, session=None, body=b""):
        more = f"Mcp-Session-Id: {session}\r\n" if session else ""
        if method == "POST":
            more += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.writer.write(HEAD.format(method=method, more=more).encode() + body)
        await self.writer.drain()

    async def head(self):
        """The status and the headers of the next response."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), headers

    async def pieces(self, headers):
        """The body, piece by piece."""
        if "content-length" in headers:
            yield await self.reader.readexactly(int(headers["content-length"]))
            return
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")

    async def messages(self, headers):
        """The JSON-RPC messages of the body, as they come."""
        if not headers.get("content-type", "").startswith("text/event-stream"):
            body = b"".join([piece async for piece in self.pieces(headers)])
            if body:
                yield json.loads(body)
            return
        text = b""
        async for piece in self.pieces(headers):
            *blocks, text = (text + piece).split(b"\n\n")
            for block in blocks:
                data = b"".join(line[5:] for line in block.split(b"\n") if line.startswith(b"data:"))
                if data.strip():
                    yield json.loads(data)

    def close(self):
        self.writer.close()


class Client:
    """A session. on_message(message, request id or None for the GET stream) gets everything but the answers."""

    def __init__(self, port, on_message):
        self.posts = Connection(port)
        self.gets = Connection(port)
        self.on_message = on_message
        self.session = None
        self.idents = itertools.count()  # 0, 1, 2 ...: every client has the same

    async def open(self):
        await self.posts.open()
        await self.request("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                          "clientInfo": {"name": "async", "version": "1"}})
        await self.posts.send("POST", self.session, b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        status, headers = await self.posts.head()
        if status != 202:
            raise Broken(f"initialized: {status}")
        [_ async for _ in self.posts.pieces(headers)]
        await self.gets.open()
        await self.gets.send("GET", self.session)
        status, headers = await self.gets.head()
        if status != 200:
            raise Broken(f"GET: {status}")
        self.listener = asyncio.create_task(self._listen(headers))

    async def _listen(self, headers):
        async for message in self.gets.messages(headers):
            self.on_message(message, None)

    async def request(self, method, params):
        """The answer, whole."""
        ident = next(self.idents)
        body = json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params}).encode()
        await self.posts.send("POST", self.session, body)
        status, headers = await self.posts.head()
        self.session = self.session or headers.get("mcp-session-id")
        answers = []
        async for message in self.posts.messages(headers):
            if "method" in message:
                self.on_message(message, ident)
            else:
                answers.append(message)
        if status != 200 or len(answers) != 1 or answers[0].get("id") != ident:
            raise Broken(f"{method} {ident}: status {status}, answers {str(answers)[:500]}")
        return answers[0]

    async def call(self, tool, token=None, **arguments):
        params = {"name": tool, "arguments": arguments}
        if token is not None:
            params["_meta"] = {"progressToken": token}
        answer = await self.request("tools/call", params)
        if "result" not in answer:
            raise Broken(f"{tool}: {answer}")
        return answer["result"]

    def close(self):
        self.listener.cancel()
        self.posts.close()
        self.gets.close()
