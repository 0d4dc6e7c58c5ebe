"""Everything at once: clients of all kinds under load, some of them cut at random, children killed at random."""
import asyncio
import json
import os
import signal
import time

from bridge import fixture
from client import Client, Gone
from suite import case, check

CLIENTS = 16
ANSWER_SECONDS = 60
SAMPLE_SECONDS = 0.5
MAX_SLOPE_KIB_PER_MINUTE = 512   # over a long storm
MAX_GROWTH_KIB = 16 * 1024       # over a short one, where a slope says nothing
LONG_SECONDS = 120
KILLS = (["KILL"] * 6) + ["TERM"] * 2 + ["SEGV"] + ["STOP"] * 2


class Ledger:
    """What was asked, and what became of it."""

    def __init__(self):
        self.counts = {}
        self.wrong = []

    def add(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def blame(self, what, detail):
        self.add(what)
        self.wrong.append(f"{what}: {detail}")

    def __str__(self):
        return ", ".join(f"{what} {count}" for what, count in sorted(self.counts.items()))


class Storm:
    def __init__(self, context, bridge):
        self.bridge = bridge
        self.random = context.random
        self.ledger = Ledger()
        self.is_over = False
        self.samples = []
        self.serial = 0

    # What clients do.

    def call(self, tool=None):
        """A request, and the arguments that must come back. The ids of all clients are the same few."""
        self.serial += 1
        tool = tool or self.random.choice(["echo", "echo", "echo", "sleep", "progress"])
        arguments = {"n": self.random.randrange(4), "ms": self.random.randrange(30), "serial": self.serial,
                     "pad": "x" * self.random.choice([0, 0, 100, 5000, 200000])}
        params = {"name": tool, "arguments": arguments}
        if self.random.random() < 0.5:
            params["_meta"] = {"progressToken": self.random.choice(["t", 1, 2])}
        ident = self.random.choice([0, 1, 2, "1", "a"])
        return {"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": params}

    def judge(self, request, answers):
        """Exactly one answer, with its id, and with its own payload or an error."""
        ledger, asked = self.ledger, request["params"]
        if len(answers) != 1:
            ledger.blame("lost" if not answers else "doubled", f"{len(answers)} answers to {asked['name']}")
            return
        answer = answers[0]
        if "error" in answer:
            ledger.add("errors")
        elif asked["name"] != "echo":
            ledger.add("results")
        elif json.loads(answer["result"]["content"][0]["text"]) != asked["arguments"]:
            ledger.blame("misdelivered", str(answer)[:200])
        else:
            ledger.add("results")

    async def ask(self, client, requests, headers=()):
        """One POST with one request, or a batch of several. False when the session has ended."""
        message = requests[0] if len(requests) == 1 else requests
        self.ledger.add("calls", len(requests))
        try:
            response = await asyncio.wait_for(client.post(message, headers), ANSWER_SECONDS)
        except asyncio.TimeoutError:
            self.ledger.blame("lost", f"no answer within {ANSWER_SECONDS} s")
            return False
        except Gone as error:
            self.ledger.blame("lost", f"the connection ended: {error}")
            return False
        if response.status in (404, 503) and len(response.messages) == 1:
            self.ledger.add("refused", len(requests))
            return False
        if response.status != 200:
            self.ledger.blame("lost", str(response))
            return False
        answers = [one for one in response.messages if "method" not in one]
        flat = [inner for one in answers for inner in (one if isinstance(one, list) else [one])]
        for request in requests:
            self.judge(request, [one for one in flat if one.get("id") == request["id"]
                                 and isinstance(one.get("id"), type(request["id"]))])
        if len(flat) > len(requests) or client.has_more():
            self.ledger.blame("doubled", f"more answers than requests: {str(flat)[:200]}")
        return True

    async def stateless(self, client):
        for _ in range(self.random.randrange(1, 6)):
            await self.ask(client, [self.call()])

    async def batch(self, client):
        requests = [self.call() for _ in range(3)]
        for ident, request in enumerate(requests):
            request["id"] = ident
        await self.ask(client, requests)

    async def session(self, client):
        headers = await client.initialize(self.random.choice([None, None, {"sampling": {}}]))
        if headers is None:
            self.ledger.add("refused sessions")
            return
        self.ledger.add("sessions")
        listening = asyncio.ensure_future(self.listen(headers)) if self.random.random() < 0.5 else None
        for _ in range(self.random.randrange(1, 4)):
            if not await self.ask(client, [self.call()], headers):
                break
        if self.random.random() < 0.7:
            await client.send(client.request("DELETE", headers=headers))
            await client.read_response()
        if listening:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def listen(self, headers):
        async with Client(self.bridge.port) as client:
            response = await client.listen(headers)
            async for _ in client.events(response):
                pass

    async def cut_request(self, client):
        """Vanishes in the middle of a request."""
        data = client.request("POST", body=json.dumps(self.call()).encode())
        await client.send(data[:self.random.randrange(len(data))])
        self.vanish(client)

    async def cut_answer(self, client):
        """Vanishes while its call runs, or in the middle of its answer."""
        data = client.request("POST", body=json.dumps(self.call()).encode())
        await client.send(data)
        await asyncio.sleep(self.random.random() * 0.03)
        self.vanish(client)

    def vanish(self, client):
        self.ledger.add("cuts")
        way = self.random.randrange(3)
        if way == 0:
            client.reset()
        elif way == 1:
            client.half_close()

    async def nonsense(self, client):
        self.ledger.add("nonsense")
        await client.send(self.random.choice([
            b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\n\n", b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
            client.request("POST", body=b"{" * 1000), client.request("POST", body=b'{"jsonrpc":"2.0","id":1,"id":2}')]))
        response = await client.read_response()
        check(400 <= response.status < 500, f"nonsense was answered {response}")

    async def run_client(self):
        ways = [self.stateless, self.stateless, self.session, self.session, self.batch, self.cut_request, self.cut_answer,
                self.nonsense]
        while not self.is_over:
            try:
                async with Client(self.bridge.port) as client:
                    await self.random.choice(ways)(client)
            except (Gone, ConnectionError):
                self.ledger.add("connections lost outside a call")

    # What happens to children, and what is measured.

    async def kill(self):
        while not self.is_over:
            await asyncio.sleep(self.random.uniform(0.1, 0.6))
            children = self.bridge.children()
            if not children:
                continue
            pid, name = self.random.choice(children), self.random.choice(KILLS)
            try:
                os.kill(pid, getattr(signal, "SIG" + name))
                self.ledger.add("stopped" if name == "STOP" else "killed")
                if name == "STOP":
                    await asyncio.sleep(self.random.random())
                    os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    async def sample(self):
        start = time.monotonic()
        while not self.is_over:
            self.samples.append((time.monotonic() - start, self.bridge.rss_kib()))
            await asyncio.sleep(SAMPLE_SECONDS)

    def slope(self):
        """KiB a minute, by least squares, once the first third is over."""
        settled = self.samples[len(self.samples) // 3:]
        mean_x = sum(x for x, _ in settled) / len(settled)
        mean_y = sum(y for _, y in settled) / len(settled)
        spread = sum((x - mean_x) ** 2 for x, _ in settled) or 1
        return 60 * sum((x - mean_x) * (y - mean_y) for x, y in settled) / spread

    async def run(self, seconds):
        tasks = [asyncio.ensure_future(one) for one in
                 (self.kill(), self.sample(), *(self.run_client() for _ in range(CLIENTS)))]
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        self.is_over = True
        await asyncio.gather(*tasks)


@case("a storm of clients, of which some are cut, over children that are killed, loses and doubles no answer")
async def a_storm(context):
    async with context.bridge(fixture("echo.py"), "--session-timeout", "4s", "--replay-age", "4s", "--max-children", "12",
                              "--request-timeout", "30s") as bridge:
        await bridge.ping()
        storm = Storm(context, bridge)
        await storm.run(context.seconds)
        slope, first, last = storm.slope(), storm.samples[len(storm.samples) // 3][1], storm.samples[-1][1]
        context.note(str(storm.ledger))
        context.note(f"memory: {storm.samples[0][1]} KiB at the start, {first} after a third, {max(y for _, y in storm.samples)} "
                     f"at most, {last} at the end; slope {slope:+.0f} KiB a minute")
        context.note(f"log: {bridge.line_count} lines in {context.seconds:.0f} s")
        check(not storm.ledger.wrong, "\n".join(storm.ledger.wrong[:20]))
        check(storm.ledger.counts.get("results", 0) > 100 and storm.ledger.counts.get("killed", 0) > 3, "hardly a storm")
        await bridge.until(lambda: len(bridge.children()) == 1 and bridge.zombies() == 0, "one child is left")
        await bridge.until_no_client()
        context.note(f"left: descriptors {len(bridge.descriptors()) - len(bridge.quiet)}, "
                     f"processes {len(bridge.children()) - 1}, zombies {bridge.zombies()}")
        await bridge.ping()
        if context.seconds >= LONG_SECONDS:
            context.check_memory(slope < MAX_SLOPE_KIB_PER_MINUTE, f"memory grows by {slope:.0f} KiB a minute")
        else:
            context.check_memory(last - first < MAX_GROWTH_KIB, f"memory grew by {last - first} KiB")
