"""Plays a transcript: a method a step, step_<verb> for the runner's own steps and client_<verb> for a client's."""
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time

from . import expect, match
from .bridge import Bridge
from .client import Connection, Failed
from .script import ScriptError

TESTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FIXTURES = os.path.join(TESTS, "fixtures")
EXAMPLES = os.path.abspath(os.environ.get("EXAMPLES") or os.path.join(TESTS, "..", "build", "examples"))
ACTIVATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "activate.py")
CLIENT_VERBS = {">": "send", "<": "expect"}
DEFAULT_HEADERS = {"POST": [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")],
                   "GET": [("Accept", "text/event-stream")]}
NAMED_METHODS = ("tools/call", "prompts/get", "resources/read")
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


def unescaped(text):
    text = re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", lambda found: _ESCAPES.get(found.group(1)) or
                  chr(int(found.group(1)[1:], 16)), text)
    return text.encode("latin-1")


class Player:
    def __init__(self, script, bridge_argv, deadline, scratch):
        self.script = script
        self.bridge_argv = bridge_argv
        self.deadline = deadline
        self.bridge = None
        self.is_over = False    # the transcript itself has seen the bridge end
        self.connections = {}
        self.variables = {"PYTHON": sys.executable, "FIXTURES": FIXTURES, "EXAMPLES": EXAMPLES, "TMP": scratch}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("MCP_BRIDGE_")}

    def play(self):
        for setting in self.script.setting("env"):
            name, _, value = self.substitute(setting).partition("=")
            self.environment[name] = value
        self.play_steps(self.script.steps)
        if self.bridge and not self.is_over:
            self.stop()

    def play_steps(self, steps):
        for step in steps:
            kind = "client_" if step.client else "step_"
            action = getattr(self, kind + CLIENT_VERBS.get(step.verb, step.verb), None)
            if action is None:
                raise ScriptError("%s: no such step" % step)
            try:
                action(step)
            except Failed as failure:
                if str(failure).startswith("line "):
                    raise  # a step inside a repeat has said where already
                raise Failed("%s: %s" % (step, failure)) from None

    def stop(self):
        """What every transcript ends with: SIGTERM, exit status 0, no process left."""
        for connection in self.connections.values():
            connection.close()
        self.start()
        self.bridge.place(self.deadline)  # a signal before it listens would test something else
        self.bridge.process.send_signal(signal.SIGTERM)
        self.expect_exit("0", self.deadline)

    def expect_exit(self, wanted, deadline):
        """What the bridge started ends with it: two seconds later nothing is left, or by the deadline that was set."""
        status = self.bridge.wait(deadline)
        if not expect.status_fits(wanted, status):
            raise Failed("the bridge's exit status is %d, not %s" % (status, wanted))
        self.bridge.wait_all_gone(min(deadline, time.monotonic() + 2) if deadline == self.deadline else deadline)
        if self.bridge.reports():
            raise Failed("a sanitizer or an assert complains: %s" % self.bridge.reports()[0])
        self.is_over = True

    # The means of the steps.

    def substitute(self, text):
        def value(found):
            if found.group() == "$$":
                return "$"
            name = found.group(1)
            if name == "PORT" and "PORT" not in self.variables:
                self.start()
                place = self.bridge.place(self.deadline)
                self.variables["PORT"] = str(place[1]) if isinstance(place, tuple) else "0"
            if name not in self.variables:
                raise ScriptError("$%s has no value here" % name)
            return self.variables[name]
        text = re.sub(r"\$\{(.+?)\*(\d+)\}", lambda found: found.group(1) * int(found.group(2)), text)
        text = text.replace("{$I}", self.variables.get("I", "{$I}"))
        return re.sub(r"\$\$|\$([A-Z][A-Z0-9_]*)", value, text)

    def start(self):
        if self.bridge:
            return
        options = shlex.split(self.substitute(" ".join(self.script.setting("options"))))
        command = [word for line in self.script.setting("command") for word in shlex.split(self.substitute(line))]
        for line in self.script.setting("server"):
            name, *arguments = shlex.split(self.substitute(line))
            command = [sys.executable, os.path.join(FIXTURES, name), *arguments]
        has_port = any(word.split("=")[0] in ("--port", "--listen") for word in options)
        if not has_port and "MCP_BRIDGE_PORT" not in self.environment:
            options = ["--port", "0", *options]
        activation = [word for line in self.script.setting("inherit") for word in
                      (sys.executable, ACTIVATE, self.substitute(line))]
        self.bridge = Bridge([*activation, *self.bridge_argv, *options, "--", *command], self.environment)

    def connect(self):
        self.start()
        return Connection(self.bridge.place(self.deadline), self.deadline)

    def connection(self, step):
        name = self.substitute(step.client)
        if name not in self.connections:
            self.connections[name] = self.connect()
        return self.connections[name]

    def deadline_of(self, text):
        """Takes "within 500ms" off a step's first words. Returns the rest and the deadline."""
        found = re.fullmatch(r"((?:\S+\s+)?)within ([\d.]+(?:ms|s|min))\b\s*(.*)", text, re.DOTALL)
        if not found:
            return text, self.deadline
        limit = time.monotonic() + expect.seconds(found.group(2))
        return found.group(1) + found.group(3), min(self.deadline, limit)

    def lines(self, step):
        return [self.substitute(line) for line in step.block]

    # Steps of the runner's own.

    def step_start(self, _step):
        self.start()

    def step_repeat(self, step):
        for i in range(1, int(step.argument) + 1):
            self.variables["I"] = str(i)
            self.play_steps(step.body)

    def step_log(self, step):
        self.start()
        self.bridge.wait_line(self.pattern(step), self.deadline)

    def pattern(self, step):
        text = self.substitute(step.argument)
        return text[1:] if text.startswith("~") else re.escape(text)

    def step_nolog(self, step):
        pattern = self.pattern(step)
        for line in self.bridge.lines:
            if re.search(pattern, line):
                raise Failed("this should not be in the log: " + line)

    def step_signal(self, step):
        self.start()
        if self.bridge.process.poll() is None:
            self.bridge.process.send_signal(getattr(signal, "SIG" + step.argument))

    def step_kill(self, step):
        pid, name = self.substitute(step.argument).split()
        os.kill(int(pid), getattr(signal, "SIG" + name))

    def step_exit(self, step):
        self.start()
        wanted, deadline = self.deadline_of(step.argument)
        self.expect_exit(wanted.strip(), deadline)

    def step_children(self, step):
        self.start()
        count, deadline = self.deadline_of(step.argument)
        self.bridge.wait_children(int(count), deadline)

    def step_zombies(self, step):
        self.bridge.wait_zombies(int(step.argument), self.deadline)

    def step_jsonlog(self, _step):
        """Every line of the log so far is a JSON object."""
        for line in self.bridge.lines:
            try:
                good = isinstance(match.loads(line), dict)
            except ValueError:
                good = False
            if not good:
                raise Failed("this line of the log is no JSON object: " + line)

    def step_pause(self, step):
        """Only where the passing of time is itself what is tested."""
        time.sleep(expect.seconds(step.argument))

    def step_until(self, step):
        """until STATUS METHOD TARGET: asks again and again, each time on a new connection, until the answer fits.
        Lines that begin with > belong to the request, the others to the answer."""
        status, line = self.substitute(step.argument).split(" ", 1)
        lines = self.lines(step)
        request = [text[1:].strip() for text in lines if text.startswith(">")]
        wanted = [text for text in lines if not text.startswith(">")]
        while True:
            connection = self.connect()
            try:
                self.send_request(connection, line, request)
                expect.response(connection, [status, *wanted], self.variables, self.deadline)
                return
            except Failed as failure:
                if time.monotonic() > self.deadline:
                    raise Failed("it never came; the last try: %s" % failure) from None
            finally:
                connection.close()
            time.sleep(0.02)

    def step_file(self, step):
        """Writes a file, in place of what it held. The text's escapes are those of raw bytes."""
        path, _, text = self.substitute(step.argument).partition(" ")
        with open(path, "wb") as file:
            file.write(unescaped(text))

    def step_mode(self, step):
        """mode FILE 0600"""
        path, mode = self.substitute(step.argument).split()
        os.chmod(path, int(mode, 8))

    def step_stale(self, step):
        """A Unix socket that nobody listens on, as a process leaves it that was killed."""
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(self.substitute(step.argument))

    def step_path(self, step):
        """path FILE absent, path FILE socket, path FILE socket 0600: what stands there."""
        path, *wanted = self.substitute(step.argument).split()
        try:
            status = os.lstat(path)
            found = ["socket" if stat.S_ISSOCK(status.st_mode) else "other", "%04o" % (status.st_mode & 0o7777)]
        except FileNotFoundError:
            found = ["absent"]
        if found[:len(wanted)] != wanted:
            raise Failed("%s is %s" % (path, " ".join(found)))

    def step_run(self, step):
        """Runs the bridge by itself to its end, for what it prints and its exit status."""
        argv = [*self.bridge_argv, *shlex.split(self.substitute(step.argument))]
        left = max(0.1, self.deadline - time.monotonic())
        try:
            done = subprocess.run(argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=left, check=False)
        except subprocess.TimeoutExpired:
            raise Failed("it does not end") from None
        expect.ended(done, self.lines(step))

    # Steps of a client.

    def client_connect(self, step):
        self.connection(step)

    def client_send(self, step):
        """A > POST /mcp, or A > {json} which is the same with this body."""
        line, *rest = [self.substitute(text) for text in (step.argument, *step.block)]
        if line[:1] in "{[":
            line, rest = "POST /mcp", [*rest, line]
        self.send_request(self.connection(step), line, rest)

    def send_request(self, connection, line, lines):
        method, target = (line.split(" ", 1) + ["/mcp"])[:2]
        headers = [("Host", "127.0.0.1:" + self.substitute("$PORT"))] + DEFAULT_HEADERS.get(method, [])
        headers, body = expect.split_request(headers, lines)
        data = body.encode("utf-8")
        if method == "POST" and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
            headers.append(("Content-Length", str(len(data))))
        head = "%s %s HTTP/1.1\r\n" % (method, target) + "".join("%s: %s\r\n" % header for header in headers) + "\r\n"
        connection.methods.append(method)
        connection.send(head.encode("latin-1") + data, self.deadline)

    def raw_bytes(self, step):
        return unescaped(self.substitute("".join([step.argument, *step.block])))

    def client_raw(self, step):
        self.connection(step).send(self.raw_bytes(step), self.deadline)

    def client_drip(self, step):
        """The same one byte at a time."""
        connection = self.connection(step)
        for byte in self.raw_bytes(step):
            connection.send(bytes([byte]), self.deadline)

    def client_expect(self, step):
        text, deadline = self.deadline_of(step.argument)
        status, _, rest = text.strip().partition(" ")
        lines = [status, *self.lines(step), *([self.substitute(rest)] if rest.strip() else [])]
        expect.response(self.connection(step), lines, self.variables, deadline)

    def stream(self, step):
        stream = self.connection(step).stream
        if stream is None:
            raise Failed("no event stream is open on this connection")
        return stream

    def next_of(self, stream, kind, deadline, passed=("comment", "priming")):
        """The next of that kind. What may be passed over is, anything else in its place is an error."""
        while True:
            event = stream.next(deadline)
            if event is None:
                raise Failed("the stream ended")
            if event.kind == kind:
                return event
            if event.kind not in passed:
                raise Failed("expected %s, got %s" % (kind, event))

    def client_event(self, step):
        self.expect_event(step, ("comment", "priming"))

    def client_first(self, step):
        """The same, but no event with empty data stands before it."""
        self.expect_event(step, ("comment",))

    def expect_event(self, step, passed):
        text, deadline = self.deadline_of(step.argument)
        event = self.next_of(self.stream(step), "event", deadline, passed)
        lines, has_type = expect.event_fields(event, self.lines(step), self.variables)
        if not has_type and event.fields.get("event", "message") != "message":
            raise Failed("an event of the type %r" % event.fields["event"])
        expect.body(event.data.encode("utf-8"), [self.substitute(text.strip()), *lines] if text.strip() else lines,
                    self.variables)

    def client_priming(self, step):
        _, deadline = self.deadline_of(step.argument)
        event = self.next_of(self.stream(step), "priming", deadline, ("comment",))
        rest, _ = expect.event_fields(event, self.lines(step), self.variables)
        if rest:
            raise ScriptError("%s: no field: %s" % (step, rest[0]))

    def client_comment(self, step):
        _, deadline = self.deadline_of(step.argument)
        self.next_of(self.stream(step), "comment", deadline, ("priming",))

    def client_end(self, step):
        _, deadline = self.deadline_of(step.argument)
        stream = self.stream(step)
        event = stream.next(deadline)
        while event is not None and event.kind in ("comment", "priming"):
            event = stream.next(deadline)
        if event is not None:
            raise Failed("expected the end of the stream, got %s" % event)

    def client_silent(self, step):
        if self.connection(step).has_input():
            raise Failed("something came already")

    def client_closed(self, step):
        _, deadline = self.deadline_of(step.argument)
        self.connection(step).expect_end(deadline)

    def client_close(self, step):
        self.connections.pop(self.substitute(step.client)).close()

    def client_shut(self, step):
        """Closes the sending side only."""
        self.connection(step).socket.shutdown(socket.SHUT_WR)

    def client_reset(self, step):
        self.connections.pop(self.substitute(step.client)).close(reset=True)

    def client_refused(self, step):
        """No new connection is accepted, now or soon."""
        while True:
            try:
                connection = self.connect()
            except OSError:
                return
            connection.close()
            if time.monotonic() > self.deadline:
                raise Failed("connections are still accepted")
            time.sleep(0.01)

    def client_modern(self, step):
        """A modern ID METHOD {params}: a request of 2026-07-28, with what it must carry in _meta and in headers. Lines
        below: can {capabilities}; meta {more members}; else as of a request."""
        ident, method, params = (step.argument.split(None, 2) + ["{}"])[:3]
        lines = self.lines(step)
        capabilities = ([line[4:] for line in lines if line.startswith("can ")] or ["{}"])[0]
        more = "".join("," + line[5:].strip()[1:-1] for line in lines if line.startswith("meta "))
        params = self.substitute(params).strip()
        meta = ('"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
                '"io.modelcontextprotocol/clientInfo":{"name":"wire","version":"1"},'
                '"io.modelcontextprotocol/clientCapabilities":%s%s}' % (capabilities, more))
        body = '{"jsonrpc":"2.0","id":%s,"method":"%s","params":{%s%s' % (
            self.substitute(ident), method, meta, params[1:] if params[1:].strip() == "}" else "," + params[1:])
        named = re.search(r'"(?:name|uri|taskId)"\s*:\s*"([^"\\]*)"', params)
        headers = ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + method]
        if named and method in NAMED_METHODS:
            headers.append("Mcp-Name: " + named.group(1))
        own = [line for line in lines if not line.startswith(("can ", "meta "))]
        self.send_request(self.connection(step), "POST /mcp", [*headers, *own, body + "}"])

    def client_initialize(self, step):
        """Opens a session as clients do: initialize, keep its id as $SESSION or $NAME, notifications/initialized."""
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d)?\s*(?:as ([A-Z0-9_]+))?\s*(?:with ({.*}))?", self.substitute(step.argument))
        if not found:
            raise ScriptError("%s: not understood" % step)
        version, name = found.group(1) or "2025-11-25", found.group(2) or "SESSION"
        connection = self.connection(step)
        self.send_request(connection, "POST /mcp", [
            '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"%s","capabilities":%s,'
            '"clientInfo":{"name":"wire","version":"1"}}}' % (version, found.group(3) or "{}")])
        response = expect.response(connection, ["200", '{"id":0,"result":{"protocolVersion":"%s"}}' % version],
                                   self.variables, self.deadline)
        headers = []
        if response.header("Mcp-Session-Id") is not None:
            self.variables[name] = response.header("Mcp-Session-Id")
            headers = ["Mcp-Session-Id: " + self.variables[name]]
        self.send_request(connection, "POST /mcp",
                          [*headers, "MCP-Protocol-Version: " + version,
                           '{"jsonrpc":"2.0","method":"notifications/initialized"}'])
        expect.response(connection, ["202", "empty"], self.variables, self.deadline)
