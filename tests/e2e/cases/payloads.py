"""The bridge relays bytes: what is random, extreme and unusual comes through unchanged, both ways."""
import http.client
import io
import os
import random
import re
import socket
import urllib.parse

from cases import commands
from random_json import LINE_BREAKS, RandomJson
from raw_echo import answer
from rawjson import members, spans
from suite import Failure, at_once, case, require_equal
from wire import Session, events

VALUES = 10_000
WORKERS = 4
AHEAD = 8  # requests on a connection before the first answer is read
HUGE_BYTES = 8 << 20
ROOM = ("--max-body", "32MiB")
SECONDS = 60


class _Unclosed(io.BufferedReader):
    """The input of a connection, shared by the responses on it: http.client closes its file after each."""

    def close(self):
        pass

    def makefile(self, mode):
        return self


class Pipeline:
    """A connection on which requests are sent ahead of the answers."""

    def __init__(self, url, session, accept):
        parts = urllib.parse.urlsplit(url)
        self.sock = socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)
        self.input = _Unclosed(socket.SocketIO(self.sock, "r"))
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json",
                 f"Accept: {accept}", *([f"Mcp-Session-Id: {session}"] if session else []), "Content-Length: "]
        self.head = "\r\n".join(lines).encode()

    def exchange(self, bodies):
        """The raw messages that answer the bodies."""
        self.sock.sendall(b"".join(self.head + b"%d\r\n\r\n" % len(body) + body for body in bodies))
        return [self.receive() for _ in bodies]

    def receive(self):
        response = http.client.HTTPResponse(self.input, method="POST")
        response.begin()
        body = response.read()
        require_equal(response.status, 200, f"the status of an answer ({body[:300]!r})")
        if "text/event-stream" in response.getheader("Content-Type", ""):
            body, = events(body)
        return body.strip()

    def close(self):
        self.sock.close()


def seed():
    """Another one each time; to repeat a run, E2E_SEED."""
    return int(os.environ.get("E2E_SEED") or random.randrange(1 << 32))


def difference(wanted, got):
    """Where two byte strings part."""
    at = next((i for i, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]), min(len(wanted), len(got)))
    begin = max(0, at - 40)
    return f"at byte {at} of {len(wanted)} and {len(got)}: wanted {wanted[begin:at + 60]!r}, got {got[begin:at + 60]!r}"


def require_same(got, wanted, number):
    if got != wanted:
        raise Failure(f"value {number} changed, {difference(wanted, got)}")


def work(url, session, accept, rng, count):
    pipeline, json = Pipeline(url, session, accept), RandomJson(rng)
    for first in range(0, count, AHEAD):
        sent = [(json.ident(), json.params(json.any())) for _ in range(min(AHEAD, count - first))]
        got = pipeline.exchange([json.request(*one) for one in sent])
        for number, (one, raw) in enumerate(zip(sent, got), first):
            require_same(raw, answer(*one).strip(), number)
    pipeline.close()


@case(f"{VALUES} random JSON values come through unchanged, byte for byte, in both directions")
def random_values(context):
    start = seed()
    context.note(f"E2E_SEED={start}")
    with context.bridge(commands.raw_echo(), *ROOM) as bridge, Session(bridge.url).open() as session:
        def one(worker):
            # Both kinds of answer, and with and without a session.
            accept = ("application/json", "text/event-stream")[worker % 2]
            rng = random.Random(start + worker)
            work(bridge.url, session.id if worker < WORKERS // 2 else None, accept, rng, VALUES // WORKERS)
        at_once(one, range(WORKERS))


@case("a string of 8 MiB comes through unchanged, byte for byte, in both directions")
def huge_string(context):
    start = seed()
    context.note(f"E2E_SEED={start}")
    with context.bridge(commands.raw_echo(), *ROOM) as bridge:
        json = RandomJson(random.Random(start))
        params = json.params(json.long_string(HUGE_BYTES))
        for accept in ("application/json", "text/event-stream"):
            pipeline = Pipeline(bridge.url, None, accept)
            got, = pipeline.exchange([json.request(b"1", params)])
            pipeline.close()
            require_same(got, answer(b"1", params).strip(), accept)


def without_space(text):
    return re.sub(rb"[ \t\r\n]", b"", text)


@case("line breaks between the tokens of a message are no line breaks on the pipe, and nothing else changes")
def line_breaks(context):
    start = seed()
    context.note(f"E2E_SEED={start}")
    with context.bridge(commands.raw_echo()) as bridge:
        json = RandomJson(random.Random(start), LINE_BREAKS)
        for number in range(200):
            params, pipeline = json.params(json.value()), Pipeline(bridge.url, None, "application/json")
            got, = pipeline.exchange([json.request(b"1", params)])
            pipeline.close()
            echo = members(got)
            payload = echo.get("result") or members(echo["error"])["data"]
            require_same(without_space(members(payload)["params"]), without_space(params), number)


@case("of a request with a progress token nothing but the token changes")
def progress_tokens(context):
    start = seed()
    context.note(f"E2E_SEED={start}")
    with context.bridge(commands.raw_echo()) as bridge:
        json = RandomJson(random.Random(start))
        for number in range(200):
            meta = [(b'"progressToken"', json.ident()), (b'"traceparent"', json.value(5)), (b'"x"', json.value(5))]
            json.rng.shuffle(meta)
            call = [(b'"name"', b'"any"'), (b'"_meta"', json.object(meta)), (b'"arguments"', b'{"progressToken":1}')]
            json.rng.shuffle(call)
            params, pipeline = json.object(call), Pipeline(bridge.url, None, "application/json")
            got, = pipeline.exchange([json.request(b"1", params)])
            pipeline.close()
            echo = members(got)
            payload = members(echo.get("result") or members(echo["error"])["data"])
            require_same(blank_token(payload["params"]), blank_token(params), number)


def blank_token(params):
    """The params with null for the progress token."""
    begin, _ = spans(params)["_meta"]
    first, last = spans(params, begin)["progressToken"]
    return params[:first] + b"null" + params[last:]
