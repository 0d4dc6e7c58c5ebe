"""An HTTP client that can be cut at any place, and counts what comes."""
import asyncio
import json
import socket
import struct

ACCEPT = "application/json, text/event-stream"


class Gone(Exception):
    """The bridge has ended the connection."""


class Response:
    def __init__(self, status, headers):
        self.status = status
        self.headers = headers
        self.body = b""
        self.messages = []  # of a JSON body, or of all events of a stream

    def __repr__(self):
        return f"{self.status} {self.messages or self.body[:500]}"


class Client:
    """One connection. `async with` opens it, and closes it in the end."""

    def __init__(self, port, host="127.0.0.1"):
        self.host, self.port = host, port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 26)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    def reset(self):
        """Closes with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def half_close(self):
        self.writer.write_eof()

    def request(self, method, path="/mcp", headers=(), body=b""):
        """The bytes of a request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", *headers]
        if method == "POST":
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        if not any(line.lower().startswith("accept:") for line in headers):
            lines.append(f"Accept: {ACCEPT}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def read_head(self):
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Gone(str(error)) from None
        lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        return Response(int(lines[0].split()[1]), headers)

    async def pieces(self, response):
        """The body, piece by piece."""
        try:
            if response.headers.get("transfer-encoding") == "chunked":
                while True:
                    size = int(await self.reader.readuntil(b"\r\n"), 16)
                    piece = (await self.reader.readexactly(size + 2))[:-2]
                    if size == 0:
                        return
                    yield piece
            elif int(response.headers.get("content-length", 0)) > 0:
                yield await self.reader.readexactly(int(response.headers["content-length"]))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Gone(str(error)) from None

    async def events(self, response):
        """The messages of an event stream, as they come."""
        text = b""
        async for piece in self.pieces(response):
            text += piece
            while b"\n\n" in text:
                event, text = text.split(b"\n\n", 1)
                data = b"".join(line[6:] for line in event.split(b"\n") if line.startswith(b"data: "))
                if data:
                    yield json.loads(data)

    async def read_response(self):
        response = await self.read_head()
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            async for message in self.events(response):
                response.messages.append(message)
            return response
        async for piece in self.pieces(response):
            response.body += piece
        if response.body and response.headers.get("content-type", "").startswith("application/json"):
            message = json.loads(response.body)
            response.messages = message if isinstance(message, list) else [message]
        return response

    async def post(self, message, headers=()):
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        await self.send(self.request("POST", headers=headers, body=body))
        return await self.read_response()

    async def get(self, path, headers=()):
        await self.send(self.request("GET", path, headers))
        return await self.read_response()

    async def initialize(self, capabilities=None):
        """Opens a session; returns the headers that belong to it."""
        message = {"jsonrpc": "2.0", "id": "hello", "method": "initialize",
                   "params": {"protocolVersion": "2025-06-18", "capabilities": capabilities or {},
                              "clientInfo": {"name": "faults", "version": "1"}}}
        response = await self.post(message)
        if response.status != 200 or "mcp-session-id" not in response.headers:
            return None
        headers = [f"Mcp-Session-Id: {response.headers['mcp-session-id']}", "MCP-Protocol-Version: 2025-06-18"]
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, headers)
        return headers

    async def listen(self, headers):
        """Opens a GET stream; returns its response, whose events() are to be read."""
        await self.send(self.request("GET", headers=headers))
        return await self.read_head()

    def has_more(self):
        """Whether bytes came that nobody has read."""
        return bool(self.reader._buffer)  # pylint: disable=protected-access
