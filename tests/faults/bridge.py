"""The bridge under test: its process, its log, and what the system says about it."""
import asyncio
import os
import re
import resource
import signal
import sys
import time

import processes
from client import Client, Gone
from suite import Failure, check

FIXTURES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fixtures")
_URL = re.compile(r"http://[^ \"]+:(\d+)/")
_REPORT = re.compile(r"(Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:|Assertion .* failed")
KEPT_LINES = 200


def fixture(name, *arguments):
    return [sys.executable, os.path.join(FIXTURES, name), *arguments]


class Bridge:
    """Start it with `async with`; the end checks its exit status, its reports, and that no process is left."""

    def __init__(self, path, command, *options, limits=(), environment=None, wrap=(), stderr=None, status=0):
        self.argv = [*wrap, path, *([] if "--port" in options else ["--port", "0"]), *options, "--", *command]
        self.limits = limits          # (resource, value) pairs; the value may be a pair, too: soft and hard
        self.environment = environment
        self.stderr = stderr          # a descriptor in place of our pipe: then --port must be among the options
        self.status = status          # that it must exit with
        self.port = int(options[options.index("--port") + 1]) if "--port" in options else None
        self.lines = []
        self.line_count = 0
        self.pid = None

    def _limit(self):
        for what, value in self.limits:
            resource.setrlimit(what, value if isinstance(value, tuple) else (value, value))

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.argv, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE if self.stderr is None else self.stderr, preexec_fn=self._limit,
            env={**os.environ, **(self.environment or {})})
        self.pid = self.process.pid
        self.reading = asyncio.ensure_future(self._read()) if self.stderr is None else None
        await self.until_ready()
        return self

    async def _read(self):
        while True:
            try:
                line = await self.process.stderr.readline()
            except ValueError:
                continue  # longer than asyncio likes
            if not line:
                return
            text = line.decode("utf-8", "backslashreplace").rstrip("\n")
            self.line_count += 1
            self.lines = [*self.lines[-KEPT_LINES:], text]
            found = _URL.search(text)
            if found and self.port is None:
                self.port = int(found[1])

    async def until(self, is_so, what, seconds=20.0):
        """Waits for a condition, which may be a coroutine function."""
        end = time.monotonic() + seconds
        while True:
            result = is_so()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return result
            check(time.monotonic() < end, f"waited in vain: {what}")
            await asyncio.sleep(0.02)

    async def until_ready(self):
        async def is_ready():
            check(self.process.returncode is None, f"the bridge ended with {self.process.returncode}")
            if self.port is None:
                return False
            try:
                async with Client(self.port) as client:
                    return (await client.get("/readyz")).status == 200
            except (OSError, Gone):
                return False
        await self.until(is_ready, "the bridge is ready")
        count = [0]

        def is_quiet():
            """The sockets of the question above are closed: nothing has changed for a while."""
            now = self.descriptors()
            count[0] = count[0] + 1 if now == getattr(self, "quiet", None) else 0
            self.quiet = now
            return count[0] == 10
        await self.until(is_quiet, "the descriptors do not change any more")

    def client(self):
        return Client(self.port)

    def has_logged(self, text):
        return any(text in line for line in self.lines)

    def rss_kib(self):
        return processes.status_kib(self.pid, "VmRSS")

    def descriptors(self):
        return processes.descriptors(self.pid)

    async def until_no_client(self):
        """No socket is open but the one that listens; and nothing is that was not at the start."""
        def left():
            now = self.descriptors()
            return now.count("socket") <= self.quiet.count("socket") and len(now) <= len(self.quiet)
        try:
            await self.until(left, "no descriptor is left")
        except Failure:
            raise Failure(f"open at the start: {self.quiet}; now: {self.descriptors()}") from None

    def children(self):
        """The pids of the servers' processes, directly below the bridge."""
        everything = processes.below(self.pid)
        return [pid for pid, (parent, _, name) in everything.items() if parent == self.pid and name != processes.GUARDIAN]

    def zombies(self):
        return sum(state == "Z" for _, state, _ in processes.below(self.pid, with_dead=True).values())

    async def ping(self, seconds=5.0):
        """A good client's call on a connection of its own; returns how long the answer took."""
        start = time.monotonic()

        async def call():
            async with self.client() as client:
                response = await client.post({"jsonrpc": "2.0", "id": "good", "method": "ping"})
                check(response.messages == [{"jsonrpc": "2.0", "id": "good", "result": {}}],
                      f"a good client was answered {response}")
        try:
            await asyncio.wait_for(call(), seconds)
        except asyncio.TimeoutError:
            raise Failure(f"a good client was not answered within {seconds} s") from None
        return time.monotonic() - start

    async def __aexit__(self, kind, *_):
        started = set(processes.below(os.getpid()))
        if kind is None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        elif self.process.returncode is None:
            self.process.kill()
        try:
            status = await asyncio.wait_for(self.process.wait(), 30)
        except asyncio.TimeoutError:
            self.process.kill()
            raise Failure("the bridge does not end") from None
        if self.reading:
            await asyncio.wait_for(self.reading, 10)
        if kind is None:
            check(status == self.status, f"its exit status is {status}")
            reports = [line for line in self.lines if _REPORT.search(line)]
            check(not reports, "\n".join(reports))
            await self.until(lambda: not set(processes.below(os.getpid())) & started, "no process is left", 10)
