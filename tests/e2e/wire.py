"""A plain HTTP client for MCP on the standard library: it hides nothing and mends nothing, as an SDK would."""
import http.client
import itertools
import json
import socket
import struct
import time
import urllib.parse

from suite import Failure, require, require_equal

BOTH = "application/json, text/event-stream"
LIMIT = 30  # seconds that an answer may take
REVISION = "2025-06-18"
INITIALIZE = {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "e2e", "version": "1"}}


def message(method, params=None, ident=None):
    """A request, or without ident a notification."""
    return {"jsonrpc": "2.0", **({} if ident is None else {"id": ident}), "method": method,
            **({} if params is None else {"params": params})}


def open_exchange(url, method, body=None, headers=None, limit=LIMIT):
    """Sends a request. Returns its connection's socket and the response, of which only the head is read."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=limit)
    connection.connect()
    sock = connection.sock
    if body is not None:
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
    try:
        connection.request(method, parts.path, body, {name: text for name, text in headers.items() if text is not None})
        return sock, connection.getresponse()
    except BaseException:
        sock.close()
        raise


def headers_of(session=None, accept=BOTH, version=None):
    return {"Accept": accept, "Mcp-Session-Id": session, "MCP-Protocol-Version": version}


class Answer:
    """A whole answer: status, headers (names in lower case), body, and its messages as raw bytes."""

    def __init__(self, response, body, seconds):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body
        self.seconds = seconds

    @property
    def is_stream(self):
        return "text/event-stream" in self.headers.get("content-type", "")

    @property
    def raw_messages(self):
        return events(self.body) if self.is_stream else [self.body] if self.body.strip() else []

    @property
    def messages(self):
        """The JSON-RPC objects in order; a batch's answers one by one."""
        found = [json.loads(raw) for raw in self.raw_messages]
        return [one for item in found for one in (item if isinstance(item, list) else [item])]

    def response_to(self, ident):
        found = [one for one in self.messages if "method" not in one and one.get("id") == ident]
        require(self.status == 200 and len(found) == 1, f"one answer to {ident!r} with status 200: {self}")
        return found[0]

    def __str__(self):
        return f"status {self.status}, {self.body[:300]!r}"


def events(body):
    """The data of the events in a complete stream; an event without data (priming, comments) does not count."""
    found = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
        if any(lines):
            found.append(b"\n".join(lines))
    return found


def exchange(url, method, body=None, limit=LIMIT, **options):
    """One request on a connection of its own. options: session, accept, version; accept=None sends no Accept."""
    start = time.monotonic()
    sock, response = open_exchange(url, method, body, headers_of(**options), limit)
    with sock:
        body = response.read()
        return Answer(response, body, time.monotonic() - start)


def post(url, body, **options):
    return exchange(url, "POST", body, **options)


class Stream:
    """An answer that is read as it comes: the status and the headers are there, the events follow."""

    def __init__(self, url, method, body=None, limit=LIMIT, **options):
        options.setdefault("accept", "text/event-stream" if method == "GET" else BOTH)
        self.sock, self.head = open_exchange(url, method, body, headers_of(**options), limit)
        self.status = self.head.status
        self.content_type = self.head.getheader("Content-Type") or ""

    def next_message(self):
        """The next message, None at the end of the stream. Past the limit, TimeoutError."""
        if "text/event-stream" not in self.content_type:
            body = self.head.read()
            return json.loads(body) if body else None
        data = []
        while line := self.head.readline():
            line = line.rstrip(b"\r\n")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and any(data):
                return json.loads(b"\n".join(data))
        return None

    def rest(self):
        return list(iter(self.next_message, None))

    def response(self):
        """Reads to the end and returns the last message, which must be the only response."""
        found = self.rest()
        require([one for one in found if "method" not in one] == found[-1:] != [], f"the stream ends with the response: {found}")
        return found[-1]

    def text(self):
        """The text of the tool's answer at the end of the stream."""
        response = self.response()
        require("result" in response, f"the call succeeds: {response}")
        return response["result"]["content"][0]["text"]

    def cut(self):
        """Ends the connection as a crash does: with a reset, not a close."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.head.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Session:
    """A client's conversation. Without open() it is stateless: no id is sent, and none is expected."""

    def __init__(self, url):
        self.url = url
        self.id = None
        self.version = None
        self.server = None  # the result of initialize
        self._idents = itertools.count()

    def open(self, version=REVISION):
        answer = post(self.url, message("initialize", {**INITIALIZE, "protocolVersion": version}, "init"))
        self.server = answer.response_to("init").get("result")
        require(self.server, f"initialize gives a result: {answer}")
        self.id = answer.headers.get("mcp-session-id")
        require(self.id, "initialize gives a session id")
        self.version = self.server["protocolVersion"]
        self.notify("notifications/initialized")
        return self

    def close(self):
        answer = exchange(self.url, "DELETE", session=self.id, version=self.version)
        require(answer.status in (200, 204), f"DELETE ends the session: {answer}")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.id and kind is None:
            self.close()

    def post(self, body, **options):
        return post(self.url, body, session=self.id, version=self.version, **options)

    def notify(self, method, params=None):
        answer = self.post(message(method, params))
        require(answer.status == 202 and not answer.body, f"{method} gets 202 without a body: {answer}")

    def answer(self, method, params=None, ident=None, **options):
        """The whole response to a request, result or error."""
        ident = next(self._idents) if ident is None else ident
        return self.post(message(method, params, ident), **options).response_to(ident)

    def request(self, method, params=None, **options):
        """The result; an error is a failure."""
        response = self.answer(method, params, **options)
        if "result" not in response:
            raise Failure(f"{method} {json.dumps(params)[:100]} gives a result: {response}")
        return response["result"]

    def call(self, tool, arguments=None, token=None, **options):
        """The text of a tool's answer."""
        params = {"name": tool, "arguments": arguments or {}, **({} if token is None else {"_meta": {"progressToken": token}})}
        result = self.request("tools/call", params, **options)
        require(not result.get("isError"), f"{tool} succeeds: {result}")
        return result["content"][0]["text"]

    def stream(self, method, body=None, **options):
        return Stream(self.url, method, body, session=self.id, version=self.version, **options)

    def running(self, tool, arguments, ident, token):
        """Starts a call that reports progress; returns its stream once the first report shows that it runs."""
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": token}}
        stream = self.stream("POST", message("tools/call", params, ident))
        first = stream.next_message()
        require_equal((stream.status, first and first.get("method")), (200, "notifications/progress"), "the first message")
        require_equal(first["params"]["progressToken"], token, "the progress token")
        return stream
