"""An HTTP/1.1 client that hides nothing: raw bytes out, strict framing in, event streams event by event."""
import re
import select
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Dict, List, Tuple


class Failed(Exception):
    """What came is not what the transcript asks for."""


@dataclass
class Response:
    status: int
    head: str
    headers: List[Tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    is_stream: bool = False

    def header(self, name):
        """The value, several joined as HTTP allows, or None."""
        values = [value for one, value in self.headers if one.lower() == name.lower()]
        return ", ".join(values) if values else None

    def __str__(self):
        return self.head + "\n" + self.body[:2000].decode("utf-8", "backslashreplace")


# Where to go when the bridge listens on every address.
_NEAR = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def connected(place, timeout):
    """A socket that is connected to (host, port), or to the path of a Unix socket."""
    if isinstance(place, tuple):
        connection = socket.create_connection((_NEAR.get(place[0], place[0]), place[1]), timeout=timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(place)
    return connection


class Connection:
    def __init__(self, place, deadline):
        self.socket = connected(place, max(0.1, deadline - time.monotonic()))
        self.received = b""
        self.methods = []   # of the requests whose responses are still to come
        self.body = None    # what yields the pieces of the body that is being read
        self.stream = None  # the EventStream that is open on this connection

    def send(self, data, deadline):
        """The bridge may refuse a request before it has all of it; then the answer tells, not the failing write."""
        self.socket.settimeout(max(0.1, deadline - time.monotonic()))
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        except socket.timeout:
            raise Failed("the bridge does not read what is sent") from None

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def fill(self, deadline):
        """Waits for more bytes. False at the end of the connection."""
        if not select.select([self.socket], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Failed("nothing came before the deadline" + self._so_far())
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            raise Failed("the connection was reset" + self._so_far()) from None
        self.received += data
        return bool(data)

    def _so_far(self):
        return "; so far %r" % self.received[-500:] if self.received else ""

    def has_input(self):
        """Whether a byte, or the end, is there now."""
        return bool(self.received) or bool(select.select([self.socket], [], [], 0)[0])

    def expect_end(self, deadline):
        while self.fill(deadline):
            pass
        if self.received:
            raise Failed("expected the end of the connection, got %r" % self.received[:500])

    def take(self, size, deadline):
        while len(self.received) < size:
            if not self.fill(deadline):
                raise Failed("the connection ended inside the body")
        data, self.received = self.received[:size], self.received[size:]
        return data

    def take_line(self, deadline):
        while b"\r\n" not in self.received:
            if not self.fill(deadline):
                raise Failed("the connection ended in the middle: %r" % self.received[:500])
        line, self.received = self.received.split(b"\r\n", 1)
        return line

    def read_response(self, deadline):
        while b"\r\n\r\n" not in self.received:
            if not self.fill(deadline):
                raise Failed("the connection ended without a response: %r" % self.received[:500])
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        response = parse_head(head.decode("latin-1"))
        method = self.methods[0] if self.methods else "GET"
        if response.status >= 200:
            del self.methods[:1]
        self.body = self._body(response, method, deadline)
        if (response.header("Content-Type") or "").startswith("text/event-stream") and method != "HEAD":
            response.is_stream = True
            self.stream = EventStream(self)
        else:
            self.stream = None
            response.body = b"".join(iter(lambda: self.next_piece(deadline), b""))
        return response

    def next_piece(self, deadline):
        """The next piece of the body, b"" at its end."""
        self.deadline = deadline
        return next(self.body, b"")

    def _body(self, response, method, deadline):
        self.deadline = deadline
        if method == "HEAD" or response.status < 200 or response.status in (204, 304):
            return iter(())
        if response.header("Transfer-Encoding") is not None:
            return self._chunks()
        if response.header("Content-Length") is not None:
            return self._counted(int(response.header("Content-Length")))
        return self._rest()

    def _counted(self, size):
        while size > 0:
            if not self.received and not self.fill(self.deadline):
                raise Failed("the connection ended inside the body")
            piece, self.received = self.received[:size], self.received[size:]
            size -= len(piece)
            yield piece

    def _chunks(self):
        while True:
            line = self.take_line(self.deadline)
            if not re.fullmatch(rb"[0-9A-Fa-f]+", line):
                raise Failed("not a chunk's size: %r" % line)
            size = int(line, 16)
            if size == 0:
                break
            piece = self.take(size + 2, self.deadline)
            if not piece.endswith(b"\r\n"):
                raise Failed("a chunk does not end with CR LF")
            yield piece[:-2]
        while self.take_line(self.deadline):
            pass  # trailers

    def _rest(self):
        while self.received or self.fill(self.deadline):
            piece, self.received = self.received, b""
            yield piece


def parse_head(head):
    lines = head.split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3})(?: [^\r\n]*)?", lines[0])
    if not match:
        raise Failed("not a status line: %r" % lines[0])
    response = Response(int(match.group(1)), head)
    for line in lines[1:]:
        match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", line)
        if not match:
            raise Failed("not a header line: %r" % line)
        response.headers.append(match.groups())
    check_framing(response)
    return response


def check_framing(response):
    """What every response owes, whatever a transcript asks."""
    coding, length = response.header("Transfer-Encoding"), response.header("Content-Length")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise Failed("bad framing:\n" + response.head)
    if length is not None and not length.isdigit():
        raise Failed("bad Content-Length:\n" + response.head)
    if response.status < 200 and (coding or length):
        raise Failed("a 1xx response has no body:\n" + response.head)


@dataclass
class Event:
    kind: str     # "comment", "event", or "priming" for an event with empty data, which only carries an id
    data: str
    fields: Dict[str, str] = field(default_factory=dict)

    def __str__(self):
        return "%s %r %s" % (self.kind, self.data[:2000], self.fields or "")


class EventStream:
    """Cuts a body into comments and events."""

    def __init__(self, connection):
        self.connection = connection
        self.text = b""
        self.fields = {}

    def next(self, deadline):
        """The next comment or event, None at the clean end of the body."""
        while True:
            line = self._line(deadline)
            if line is None:
                return None
            event = self._take(line)
            if event:
                return event

    def _line(self, deadline):
        while True:
            match = re.match(rb"([^\r\n]*)(\r\n|\n|\r(?!$))", self.text)
            if match:
                self.text = self.text[match.end():]
                return match.group(1).decode("utf-8")
            piece = self.connection.next_piece(deadline)
            if not piece:
                if self.text or self.fields:
                    raise Failed("the stream ended inside an event: %r %s" % (self.text, self.fields))
                return None
            self.text += piece

    def _take(self, line):
        if line.startswith(":"):
            return Event("comment", line[1:].strip())
        if line:
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "data" and "data" in self.fields:
                value = self.fields["data"] + "\n" + value
            self.fields[name] = value
            return None
        fields, self.fields = self.fields, {}
        return Event("event" if fields.get("data") else "priming", fields.get("data", ""), fields) if fields else None
